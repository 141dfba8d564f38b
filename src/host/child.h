/*
 * child.h - what a forked child does before it turns into another program
 */
#ifndef BATTEN_HOST_CHILD_H
#define BATTEN_HOST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* In a child just forked: become the program PATH with ARGV, in a fixed environment, with default
 * signals (none blocked; NO_HUP: SIGHUP ignored), umask 022, /dev/null on descriptors 0 to 2 (on 1
 * OUT, unless that is -1) and no other descriptor: nothing of batten's may reach what outlives it.
 * The session, the process group and the directory are the caller's choice. Leaves 126 or 127 where
 * that fails. */
_Noreturn void child_exec(const char *path, const char *const *argv, int out, bool no_hup);

/* waitpid(2) with FLAGS, over interruptions: CHILD, or 0 with WNOHANG while it runs. -1 where the
 * kernel keeps no status (ECHILD: SIGCHLD is ignored): how it ended is not known then, and that is
 * never an end that went well. */
pid_t child_wait(pid_t child, int *status, int flags);

#endif
