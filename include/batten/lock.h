/*
 * lock.h - one writer per root
 *
 * The lock is flock(2) on the root's etc directory: it needs no file, vanishes with its holder, and
 * is the same however the root is reached (as /, as --root, from a chroot).
 *
 *     struct lock *lock;
 *     if (lock_take(&lock, root, 2000, &d) != 0) ...
 *     lock_drop(lock);
 */
#ifndef BATTEN_LOCK_H
#define BATTEN_LOCK_H

struct diag;
struct lock;
struct root;

/* Wait at most WAIT_MS. Fails with STATUS_SYSTEM, code "locked" and the holder's pid where the
 * system tells it; STATUS_REFUSED, code "no-etc", where the root has no etc. */
int lock_take(struct lock **out, struct root *root, long long wait_ms, struct diag *d);
void lock_drop(struct lock *lock); /* NULL is nothing */

#endif
