#include "batten/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/process.h"
#include "batten/root.h"
#include "replace_int.h"
#include "root_int.h"

struct lock {
    int etc;
    int fd;
};

static const char name[] = ".batten.lock", path[] = "etc/.batten.lock";

enum { POLL_MS = 20 };

/* The pid in /proc/locks that holds the flock of FD's inode; 0 when it is not told. */
static long holder_of(int fd)
{
    FILE *f = fopen("/proc/locks", "re");
    char line[256];
    long found = 0;
    struct stat st;

    if (f == NULL || fstat(fd, &st) != 0) {
        if (f != NULL)
            fclose(f);
        return 0;
    }
    while (found == 0 && fgets(line, sizeof(line), f) != NULL) {
        unsigned maj, min;
        unsigned long long inode;
        long pid;

        if (strstr(line, " FLOCK ") == NULL || strstr(line, "->") != NULL)
            continue;
        if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%llu", &pid, &maj, &min, &inode) == 4 &&
            inode == st.st_ino && maj == major(st.st_dev) && min == minor(st.st_dev))
            found = pid;
    }
    fclose(f);
    return found;
}

static int held(int fd, struct diag *d)
{
    long pid = holder_of(fd);

    if (pid > 0) {
        diag_set(d, STATUS_SYSTEM, "locked", "another batten is at work: process %ld", pid);
        diag_hint(d, "ps -fp %ld", pid);
    } else {
        diag_set(d, STATUS_SYSTEM, "locked", "another batten is at work");
        diag_hint(d, "try again when it has ended");
    }
    return -1;
}

/* Nothing else is opened, locked or removed under this name: an image may hold anything, and what
 * others may open they may lock. */
static bool is_ours(int etc, const struct stat *st)
{
    struct stat dir;

    if (!S_ISREG(st->st_mode) || st->st_size != 0 || (st->st_mode & 07777) != 0600)
        return false;
    return st->st_uid == geteuid() || (fstat(etc, &dir) == 0 && st->st_uid == dir.st_uid);
}

static int foreign(struct root *root, struct diag *d)
{
    diag_set(d, STATUS_REFUSED, "lock-file", "'%s' is not the lock file that batten makes", path);
    diag_at(d, path, 0, 0);
    root_hint(d, root, "look at it, then: rm", path);
    return -1;
}

/* The lock file, made unless it is there; -1 with D. */
static int open_file(struct root *root, int etc, struct diag *d)
{
    struct stat st;
    int fd;

    if (fstatat(etc, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_ours(etc, &st))
        return foreign(root, d);
    fd = openat(etc, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return replace_fail(root, "lock-failed", path, errno, d);
    if (fstat(fd, &st) == 0 && is_ours(etc, &st))
        return fd;
    close(fd);
    return foreign(root, d);
}

/* Whether FD is the file that has the name: its last holder has removed it otherwise. */
static bool is_named(int etc, int fd)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 && fstatat(etc, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* 0 taken, 1 FD is no longer the lock file, -1 with D. */
static int wait_for(int etc, int fd, long long end, struct diag *d)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return diag_set(d, STATUS_SYSTEM, "lock-failed", "cannot lock '%s': %s", path,
                            strerror(errno));
        if (process_now() >= end)
            return held(fd, d);
        process_sleep(POLL_MS);
    }
    return is_named(etc, fd) ? 0 : 1;
}

static int open_etc(struct root *root, struct diag *d)
{
    int etc = root_openat(root, "etc", O_RDONLY | O_DIRECTORY, 0);

    if (etc < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        diag_set(d, STATUS_REFUSED, "no-etc", "'%s' has no directory 'etc'", root_dir(root));
    else if (etc < 0)
        diag_set(d, STATUS_SYSTEM, "lock-failed", "cannot open 'etc': %s", strerror(errno));
    return etc;
}

int lock_take(struct lock **out, struct root *root, long long wait_ms, struct diag *d)
{
    long long end = process_now() + wait_ms;
    int etc = open_etc(root, d), fd = -1, taken = 1;

    while (etc >= 0 && taken == 1) {
        fd = open_file(root, etc, d);
        taken = fd < 0 ? -1 : wait_for(etc, fd, end, d);
        if (taken != 0 && fd >= 0)
            close(fd);
    }
    if (taken != 0) {
        if (etc >= 0)
            close(etc);
        return -1;
    }
    *out = mem_alloc(sizeof(**out));
    **out = (struct lock){.etc = etc, .fd = fd};
    return 0;
}

void lock_drop(struct lock *lock)
{
    if (lock == NULL)
        return;
    /* Held to the end: who waits for this file gets it nameless, and looks again. */
    (void)unlinkat(lock->etc, name, 0);
    close(lock->fd);
    close(lock->etc);
    free(lock);
}
