/*
 * process.h - finding, checking, signalling and stopping daemons
 *
 * A process is named by a pid and held by a pidfd; every check is made on what /proc says of the
 * pid and confirmed by a null signal through the pidfd, so that a reused pid is never signalled.
 * Pid files and argv are hostile input: evidence, never an order.
 */
#ifndef BATTEN_PROCESS_H
#define BATTEN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/sockets.h"

struct process {
    pid_t pid;
    int fd; /* pidfd, -1 when not held */
    char comm[16];
    char *exe; /* " (deleted)" stripped; NULL when not readable */
    bool catches_hup;
    bool ours; /* same pid, mount and network namespace and the same root directory as batten */
    bool running_state; /* state R at the time it was read */
    uid_t uid;
    unsigned long long cpu_ticks; /* utime + stime */
};

void process_release(struct process *p);

/* Look at PID: fill P and hold it. -1 when it is gone or cannot be looked at. */
int process_open(struct process *p, pid_t pid, struct diag *d);

/* The running super-servers of our namespaces that read DIALECT's files, found by pid file and by
 * the owners of LISTENERS. What was wrong on the way (a stale or lying pid file, an inetd of a
 * container) is added to PROBLEMS. Caller releases each and frees *OUT. */
int process_find_inetd(const char *dialect, const struct listeners *listeners, struct process **out,
                       size_t *n, struct problems *problems, struct diag *d);

/* Send SIG through the pidfd after the checks. SIGHUP only if it is caught. */
int process_signal(const struct process *p, int sig, struct diag *d);

/* TERM by pidfd and wait up to MS milliseconds for the end. 0 ended, 1 still there, -1 error. */
int process_stop(const struct process *p, long long ms, struct diag *d);

bool process_alive(const struct process *p);

#endif
