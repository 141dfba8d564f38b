/*
 * spawn.h - the few programs batten starts, and the clock that survives sleep
 *
 * No shell. Fixed paths or the caller's own argv, a fixed environment, closed descriptors.
 *
 *     const char *argv[] = {"watch", token, NULL};
 *     spawn_self(argv, &d);                         // outlives us, our terminal and our session
 *     spawn_probe(words, 10000, &d);                // a health check
 */
#ifndef BATTEN_SPAWN_H
#define BATTEN_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

struct diag;

/* Start this program again with ARGV (NULL-terminated, without the program itself), in a session of
 * its own, immune to SIGHUP, with its standard descriptors on /dev/null. Under systemd it becomes a
 * transient unit, since a logout may end everything of the session. Returns once it runs. */
int spawn_self(const char *const *argv, struct diag *d);

/* Whether PATH can be run as a probe: asked before anything is changed. STATUS_REFUSED, "probe". */
int spawn_probe_ready(const char *path, struct diag *d);

/* Run ARGV (an absolute path and its arguments) and wait at most MS milliseconds; it is killed
 * then. 0: it ended with status 0. -1: it did not, D says how (STATUS_FAILED, "probe-failed"). */
int spawn_probe(char *const *argv, long long ms, struct diag *d);

/* Show LEN bytes through a pager of a fixed list at fixed paths, never one the environment names,
 * and never one that can start a shell. 0 when one showed them, -1 when there is none. */
int spawn_pager(const char *bytes, size_t len);

/* Milliseconds since boot, time asleep included (CLOCK_BOOTTIME). */
long long boot_clock_ms(void);

/* The kernel's boot id, 36 characters and a NUL; all zeros when it cannot be read. */
void boot_id(char out[37]);

#endif
