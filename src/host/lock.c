#include "batten/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/root.h"

struct lock {
    int fd;
};

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

static long long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for(int fd, long long wait_ms, struct diag *d)
{
    static const struct timespec pause = {0, POLL_MS * 1000000};
    long long end = now_ms() + wait_ms;

    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return diag_set(d, STATUS_SYSTEM, "lock-failed", "cannot lock 'etc': %s",
                            strerror(errno));
        if (now_ms() >= end)
            return held(fd, d);
        nanosleep(&pause, NULL);
    }
    return 0;
}

int lock_take(struct lock **out, struct root *root, long long wait_ms, struct diag *d)
{
    int fd = root_openat(root, "etc", O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
            diag_set(d, STATUS_REFUSED, "no-etc", "'%s' has no directory 'etc'", root_dir(root));
        else
            diag_set(d, STATUS_SYSTEM, "lock-failed", "cannot open 'etc': %s", strerror(errno));
        return -1;
    }
    if (wait_for(fd, wait_ms, d) != 0) {
        close(fd);
        return -1;
    }
    *out = mem_alloc(sizeof(**out));
    (*out)->fd = fd;
    return 0;
}

void lock_drop(struct lock *lock)
{
    if (lock == NULL)
        return;
    close(lock->fd);
    free(lock);
}
