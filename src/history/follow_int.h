/* follow_int.h - shared by the follow*.c files */
#ifndef BATTEN_FOLLOW_INT_H
#define BATTEN_FOLLOW_INT_H

#include "batten/follow.h"
#include "batten/root.h"
#include "batten/rpcbind.h"

/* --- follow_match.c: the predicted against the real, pure
 * ---------------------------------------*/

/* A port that bind chose is known by its owner, not by its number. */
bool spec_is_dynamic(const struct socket_spec *s);

/* What L would be in a plan. The caller frees the address. */
void spec_of_listener(struct socket_spec *s, const struct listener *l);

/* Give every socket of SPECS a listener of its own: HIT[i] is its index in L, or -1. TAKEN (one per
 * listener) says which are spoken for, before and after. First the exact families, then one dual
 * socket for a single family. Dynamic and UNIX sockets get none. */
void match_sockets(const struct plan_sockets *specs, const struct listeners *l, bool *taken,
                   long *hit);

/* Whether anything in L answers for S. */
bool any_listener_is(const struct listeners *l, const struct socket_spec *s);

/* Whether one of N processes owns L. */
bool owned_by_any(const struct listener *l, const struct process *list, size_t n);

/* How many sockets of SPECS are S's kind: dynamic, of its family and protocol, of the inetd. */
size_t count_dynamic(const struct plan_sockets *specs, const struct socket_spec *s);

/* Listeners of S's family and protocol that the processes own and nothing took. */
size_t count_untaken(const struct listeners *l, const bool *taken, const struct socket_spec *s,
                     const struct process *list, size_t n);

/* --- one run
 * ------------------------------------------------------------------------------------*/

enum { FOLLOW_COMMAND_MS = 15000 }; /* for a unit or an init script to do as it is told */

struct follow {
    struct follow_result *result;
    const struct plan *plan;
    struct follow_state *before;
    const struct follow_options *o;
    struct root *root;

    struct process *inetds; /* as they are now */
    size_t ninetds;
    bool told; /* at least one was signalled or restarted */
    bool told_twice;
    bool restarted;
    long long since; /* when the last signal of the first round was sent */

    struct rpc_mapping *mappings; /* as they were before */
    size_t nmappings;
    unsigned long *stopped; /* socket inodes of the daemons that were stopped */
    size_t nstopped, cap_stopped;
    long long settled; /* until then a daemon that was stopped may be started again by its keeper */
    struct plan_sockets extra; /* what they listened on beyond what the plan knows */
    struct want *wants;        /* one per proof of the result */
};

/* What a proof is about. */
struct want {
    const struct plan_socket *socket;
    bool closed;
    bool by_inode; /* a stopped daemon's own socket */
};

void follow_say(const struct follow *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct diag *follow_problem(struct follow *f, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void follow_signal_add(struct follow *f, pid_t pid, const char *name, const char *action,
                       const struct diag *why_not);

/* follow_inetd.c */
void follow_tell_inetds(struct follow *f);
void follow_tell_again(struct follow *f); /* the second HUP, for a family that did not come back */
void follow_check_inetds(struct follow *f);
const char *follow_start_hint(const struct follow *f); /* a command that starts the inetd */

/* After a restart of OLD, one of the run's super-servers: the first of LIST that is none of them
 * takes its place and is taken out of LIST. False when there is none: the others, which nobody has
 * touched, do not count. */
bool follow_adopt(struct follow *f, struct process *old, struct process *list, size_t n);

/* follow_rpc.c */
void follow_look_rpc(struct follow *f); /* before anybody is told or stopped */
bool follow_hup_drops_rpc(struct follow *f);
void follow_check_rpc(struct follow *f);

/* follow_daemon.c */
void follow_daemons(struct follow *f);

/* follow_start.c */
void follow_start_daemon(struct follow *f, const struct plan_daemon *daemon);

/* What the unit of PROGRAM (a path or a name) is called, without ".service". Borrowed. */
const char *follow_unit_name(const char *program);

/* follow_proof.c */
void follow_prove(struct follow *f);

#endif
