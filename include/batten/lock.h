/*
 * lock.h - one writer per root
 *
 * The lock is flock(2) on etc/.batten.lock below the root, an empty file of mode 0600: a lock on
 * anything that others may open, such as etc itself, could be held by any of them for ever. The
 * holder removes the file when it is done, so that an image is left as it was; what a killed one
 * leaves is used and removed by the next. It is the same lock however the root is reached (as /, as
 * --root, from a chroot).
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
 * system tells it, or where no file can be made in etc "read-only", "no-space", "not-permitted";
 * STATUS_REFUSED, code "no-etc", where the root has no etc, "lock-file" where something else has
 * the name. */
int lock_take(struct lock **out, struct root *root, long long wait_ms, struct diag *d);
void lock_drop(struct lock *lock); /* NULL is nothing */

#endif
