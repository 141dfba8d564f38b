/*
 * follow.h - make the running daemons follow the files, and prove that they did
 *
 * One HUP for the super-server, TERM for daemons whose start was taken out, then the listeners are
 * compared with the prediction until they agree or the wait is over. Idempotent: running it again
 * after a crash does no harm.
 *
 *     struct follow_state before;
 *     follow_look(&before, dialect, predicted_now, npredicted, &d);  // before the plan is shown
 *     ... the files change ...
 *     follow_run(&result, plan, &before, &options, &d);
 */
#ifndef BATTEN_FOLLOW_H
#define BATTEN_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "batten/diag.h"
#include "batten/plan.h"
#include "batten/process.h"
#include "batten/sockets.h"

/* What runs and listens before the change. */
struct follow_state {
    struct listeners listeners;
    struct process *inetds; /* the super-servers of our namespaces */
    size_t ninetds;
    struct plan_sockets
        pending_open; /* the file now predicts them, nobody listens: the HUP opens */
    struct plan_sockets pending_close; /* the inetd listens, the file now does not predict them */
    struct problems problems; /* no inetd, several, a pid file that lies ...; remarks only, so their
                                 status is STATUS_DONE */
};

struct follow_signal {
    pid_t pid;
    char *name;         /* comm */
    const char *action; /* "HUP", "TERM", "restart", "start" */
    bool done;
    char *note; /* why not, or NULL */
    bool told;
};

struct follow_proof {
    char *service;
    struct socket_spec spec; /* address owned */
    bool want_closed;
    bool ok;      /* closed as wanted, or open as wanted */
    long long ms; /* after the signal; -1 when it never came */
    pid_t holder; /* who still holds it, 0: nobody or unknown */
    char *holder_name;
    bool told;
};

struct follow_options {
    long long wait_ms;                             /* longest wait for ports */
    bool no_stop;                                  /* leave daemons alone */
    void (*progress)(void *ctx, const char *text); /* may be NULL */

    /* Each signal when it is sent, each socket when it is as wanted and no keeper can undo it any
     * more; may be NULL. What was handed over has TOLD set in the result. */
    void (*signalled)(void *ctx, const struct follow_signal *s);
    void (*proved)(void *ctx, const struct follow_proof *p);
    void *ctx;
};

struct follow_result {
    struct follow_signal *signals;
    size_t nsignals;
    struct follow_proof *proofs;
    size_t nproofs;
    struct problems problems; /* what needs a human; any makes the run end with 7 */
};

/* NOW are the sockets that the files as they are now predict. DIALECT is its name. */
int follow_look(struct follow_state *s, const char *dialect, const struct plan_sockets *now,
                struct diag *d);
void follow_state_release(struct follow_state *s);

/* Fails only when nothing could be done at all; what is not as wanted is in the result.
 *
 * A daemon is stopped if it runs the program that the script started (process_find_program) and
 * holds, itself or by a child, a socket that the plan closes for its service; else it is left alone
 * and named (code "not-stopped"). Where the plan has no port for the service, because the daemon
 * takes whatever it gets (rpc.statd, rpc.mountd), the program is all there is to go by. It is
 * stopped, and the super-server restarted, by its systemd unit only if that is its own
 * (process_unit); the sockets by which systemd would start it again go with it. After a TERM the
 * proof waits until a supervisor has had time to start it again; if its program runs again then, by
 * a process that was not there before, nothing of it is proved closed (code "started-again"). A
 * daemon is started by its unit where that is enabled, else by the command of the plan, else by a
 * unit or an init script. Where the port mapper runs and cannot be asked, what is kept is taken for
 * registered (the super-server is restarted), and it is said (code "rpc-unknown"). */
int follow_run(struct follow_result *r, const struct plan *plan, struct follow_state *before,
               const struct follow_options *o, struct diag *d);
void follow_result_release(struct follow_result *r);

#endif
