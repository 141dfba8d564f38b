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
    bool rpc_unknown;       /* the port mapper runs, and what is registered cannot be known */
    unsigned long *stopped; /* socket inodes of the daemons that were stopped */
    size_t nstopped, cap_stopped;
    struct ended *ended; /* those daemons */
    size_t nended, cap_ended;
    long long settled; /* until then a daemon that was stopped may be started again by its keeper */
    struct plan_sockets extra; /* what they listened on beyond what the plan knows */
    struct want *wants;        /* one per proof of the result */
    struct hint *hints;        /* those given so far */
    size_t nhints, cap_hints;
};

struct hint {
    pid_t pid;
    char *text;
};

/* A daemon of the plan that was stopped. */
struct ended {
    const struct plan_daemon *daemon;
    unsigned long long since; /* process_ticks when it was */
    pid_t again;              /* who runs its program since then, 0: nobody */
};

/* What a proof is about. */
struct want {
    const struct plan_socket *socket;
    bool closed;
    bool by_inode; /* a stopped daemon's own socket */
};

/* What one look at the kernel's tables says. */
struct view {
    struct listeners l;
    bool *taken; /* by what is to stay or to open */
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
void follow_look_rpc(struct follow *f);      /* before anybody is told or stopped */
bool follow_hup_drops_rpc(struct follow *f); /* or may do so */
void follow_check_rpc(struct follow *f);

/* follow_daemon.c */
void follow_daemons(struct follow *f);

/* follow_start.c */
void follow_start_daemon(struct follow *f, const struct plan_daemon *daemon);

/* What the unit of PROGRAM (a path or a name) is called, without ".service". Borrowed. */
const char *follow_unit_name(const char *program);

/* follow_again.c: a keeper's new process has sockets that nobody has asked about */
void follow_ended_add(struct follow *f, const struct plan_daemon *daemon, unsigned long long since);
void follow_find_again(struct follow *f); /* once all is settled */

/* Who runs again what S was a socket of, 0: nobody. */
pid_t follow_again(const struct follow *f, const struct plan_socket *s);

/* Whether P was started since the first daemon was stopped. */
bool follow_is_new(const struct follow *f, const struct process *p);

/* follow_proof.c */
void follow_prove(struct follow *f);

/* A listener that answers for S and that nothing else accounts for, or NULL. */
const struct listener *follow_leftover(const struct view *v, const struct plan_socket *s);

/* S's listener, if S was a stopped daemon's; those are known by their inodes. */
const struct listener *follow_stopped_socket(const struct follow *f, const struct view *v,
                                             const struct plan_socket *s);

/* A kept socket that was there before and is not now. */
bool follow_is_lost(const struct follow *f, const struct view *v, const struct plan_socket *s);

/* follow_report.c: what is not as wanted, with its holder */
void follow_report(struct follow *f, const struct view *v);

/* What to do about process PID, which holds what is to be closed. Borrowed; asked once per process:
 * systemd may have to be asked. */
const char *follow_holder_hint(struct follow *f, pid_t pid);

#endif
