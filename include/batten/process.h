/*
 * process.h - finding, checking, signalling, stopping and starting daemons
 *
 * A process is named by a pid and held by a pidfd; every check is made on what /proc says of the
 * pid and confirmed by a null signal through the pidfd, so that a reused pid is never signalled.
 * Pid files and argv are hostile input: evidence, never an order.
 *
 *     process_find_inetd("openbsd", &listeners, &inetds, &n, &problems, &d);
 *     process_signal(&inetds[0], SIGHUP, &d);
 *     if (!process_alive(&inetds[0])) ...
 *     process_release(&inetds[0]);
 */
#ifndef BATTEN_PROCESS_H
#define BATTEN_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/sockets.h"

struct root;

struct process {
    pid_t pid;
    pid_t ppid;
    int fd; /* pidfd, -1 when not held */
    char comm[16];
    char *exe; /* " (deleted)" stripped; NULL when not readable */
    bool catches_hup;
    bool ours;   /* same pid, mount and network namespace and the same root directory as batten */
    bool hidden; /* its executable or namespaces may only be seen by root: not 'ours' */
    bool running_state;           /* state R at the time it was read */
    bool trusted_exe;             /* the executable is root's and nobody else may write it */
    uid_t uid;                    /* effective */
    unsigned long long cpu_ticks; /* utime + stime */
    unsigned long long started;   /* as process_ticks */
    dev_t exe_dev;
    ino_t exe_ino;
};

void process_release(struct process *p);

/* Look at PID: fill P and hold it. -1 when it is gone or cannot be looked at. */
int process_open(struct process *p, pid_t pid, struct diag *d);

/* Read again what changes: state, ticks, caught signals, parent. -1 when it is gone. */
int process_refresh(struct process *p);

/* The words of its command line, at most 4096 bytes of them. What a process says of itself. */
void process_argv(const struct process *p, struct strlist *out);

/* The systemd service that is this process's own ("named.service"), where systemd runs this host:
 * the one whose cgroup it is in, if that is called as its executable is, or ALSO (may be NULL), or
 * systemd says that it is the main process. What was started by hand or by another script sits in
 * the service of its starter (ssh, cron, rc-local): NULL then, for whoever stopped that would end
 * far more. Caller frees. */
char *process_unit(struct root *root, const struct process *p, const char *also);

/* The socket units through which systemd starts the service UNIT by itself, appended to OUT. */
void process_unit_sockets(struct root *root, const char *unit, struct strlist *out);

/* Whether UNIT is enabled: systemd starts it at boot, and not only for others. */
bool process_unit_enabled(struct root *root, const char *unit);

/* Whether PATH (absolute) holds a pid: a small regular file with one decimal number, 2 or more.
 * 1 and *PID, 0 when there is no such file, -1 with D (code "pid-file-odd") when it is anything
 * else. */
int process_read_pidfile(const char *path, pid_t *pid, struct diag *d);

/* The running super-servers of our namespaces that read DIALECT's files, found by pid file and by
 * the owners of LISTENERS, and only if there is none that way by their executable. What was wrong
 * on the way (a stale or lying pid file, an inetd of a container) is added to PROBLEMS, with status
 * STATUS_DONE where it is only worth a remark. Caller releases each and frees *OUT. */
int process_find_inetd(const char *dialect, const struct listeners *listeners, struct process **out,
                       size_t *n, struct problems *problems, struct diag *d);

/* The daemons of our namespaces that a script's command PROGRAM (a path, or a bare name looked up
 * in the usual directories) can have started: the same executable, root's own and writable by
 * nobody else, not run by an ordinary user. Of those only the ones that are nobody's child among
 * them and, where any of them is in LISTENERS, only these. Caller releases each and frees *OUT. */
int process_find_program(struct root *root, const char *program, const struct listeners *listeners,
                         struct process **out, size_t *n, struct diag *d);

/* Whether P is called and started as a super-server that reads DIALECT's files, whoever's it is. */
bool process_is_inetd(const struct process *p, const char *dialect);

void process_list_free(struct process *list, size_t n);

/* Send SIG through the pidfd after the checks. SIGHUP only if it is caught (code "hup-not-caught").
 * Never to a process that is not ours (code "not-ours"). */
int process_signal(const struct process *p, int sig, struct diag *d);

/* TERM by pidfd and wait up to MS milliseconds for the end. 0 ended, 1 still there, -1 error. */
int process_stop(const struct process *p, long long ms, struct diag *d);

/* Wait up to MS milliseconds for the end. Whether it ended. */
bool process_wait_end(const struct process *p, long long ms);

bool process_alive(const struct process *p);

/* Run a command that root's own files are (PATH below the root, executable, root's, writable by
 * nobody else), with argv ARGV, in a session and a fixed environment of its own, with nothing on
 * its descriptors, and wait up to MS for its end. OUTPUT, unless NULL, gets the first 4096 bytes it
 * writes to its standard output (more than a pipe holds makes it wait for nobody). 0: it ended
 * well, or DAEMON and it still runs; else -1, code "start-failed". */
struct process_command {
    const char *path; /* below the root: "etc/init.d/named" */
    const char *const *argv;
    bool daemon; /* it may stay in the foreground */
    long long ms;
    struct buf *output;
};
int process_run(struct root *root, const struct process_command *c, struct diag *d);

/* Whether systemd is this host's init. */
bool process_has_systemd(void);

/* Now, in the clock in which the kernel notes when a process was started: none that is there
 * already has a later time. */
unsigned long long process_ticks(void);

/* Milliseconds of a clock that only goes forward. */
long long process_now(void);
void process_sleep(long long ms);

#endif
