/*
 * child.h - what a forked child does before it turns into another program
 */
#ifndef BATTEN_HOST_CHILD_H
#define BATTEN_HOST_CHILD_H

#include <stdbool.h>

/* In a child just forked: become the program PATH with ARGV, in a fixed environment, with default
 * signals (none blocked; NO_HUP: SIGHUP ignored), umask 022, /dev/null on descriptors 0 to 2 (on 1
 * OUT, unless that is -1) and no other descriptor: nothing of batten's may reach what outlives it.
 * The session, the process group and the directory are the caller's choice. Leaves 126 or 127 where
 * that fails. */
_Noreturn void child_exec(const char *path, const char *const *argv, int out, bool no_hup);

#endif
