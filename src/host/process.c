#include "batten/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "process_int.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

enum { EXE_MAX = 4096 };

static int send_by_fd(int fd, int sig)
{
    return (int)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
}

int proc_dir(pid_t pid)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

ssize_t proc_read(int dir, const char *name, char *text, size_t cap)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = -1;

    if (fd < 0)
        return -1;
    while (len < cap - 1 && (got = read(fd, text + len, cap - 1 - len)) > 0)
        len += (size_t)got;
    close(fd);
    text[len] = '\0';
    return got < 0 && len == 0 ? -1 : (ssize_t)len;
}

/* The text behind "\nKEY:\t" in a status file, or "". */
static const char *status_field(const char *status, const char *key)
{
    const char *hit = strstr(status, key);

    return hit == NULL ? "" : hit + strlen(key);
}

static int read_status(struct process *p, int dir)
{
    char text[PROC_TEXT_MAX];
    unsigned long effective = 0;

    if (proc_read(dir, "status", text, sizeof(text)) <= 0)
        return -1;
    (void)sscanf(status_field(text, "\nUid:\t"), "%*u %lu", &effective);
    p->uid = (uid_t)effective;
    p->ppid = (pid_t)strtol(status_field(text, "\nPPid:\t"), NULL, 10);
    p->running_state = *status_field(text, "\nState:\t") == 'R';
    p->catches_hup = (strtoull(status_field(text, "\nSigCgt:\t"), NULL, 16) & 1) != 0;
    return 0;
}

static int read_stat(struct process *p, int dir)
{
    char text[PROC_TEXT_MAX];
    unsigned long long utime = 0, stime = 0, started = 0;
    const char *open_paren, *close_paren;
    size_t len;

    if (proc_read(dir, "stat", text, sizeof(text)) <= 0)
        return -1;
    open_paren = strchr(text, '(');
    close_paren = strrchr(text, ')');
    if (open_paren == NULL || close_paren == NULL || close_paren < open_paren)
        return -1;
    len = (size_t)(close_paren - open_paren - 1);
    if (len >= sizeof(p->comm))
        len = sizeof(p->comm) - 1;
    memcpy(p->comm, open_paren + 1, len);
    p->comm[len] = '\0';
    (void)sscanf(
        close_paren + 1,
        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu",
        &utime, &stime, &started);
    p->cpu_ticks = utime + stime;
    p->started = started;
    return 0;
}

static void read_exe(struct process *p, int dir)
{
    static const char gone[] = " (deleted)";
    char *path = mem_alloc(EXE_MAX);
    ssize_t len = readlinkat(dir, "exe", path, EXE_MAX - 1);
    struct stat st;

    if (len <= 0) {
        p->hidden = errno == EACCES || errno == EPERM;
        free(path);
        return;
    }
    if ((size_t)len > strlen(gone) && strcmp(path + (size_t)len - strlen(gone), gone) == 0)
        path[(size_t)len - strlen(gone)] = '\0';
    p->exe = path;
    if (fstatat(dir, "exe", &st, 0) != 0)
        return;
    p->exe_dev = st.st_dev;
    p->exe_ino = st.st_ino;
    p->trusted_exe = st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* 1 the same object behind NAME of both directories, 0 another, -1 not to be seen. */
static int same_object(int mine, int theirs, const char *name)
{
    struct stat a, b;

    if (fstatat(mine, name, &a, 0) != 0 || fstatat(theirs, name, &b, 0) != 0)
        return -1;
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The root directory as it is called from here: the same directory, bind mounted elsewhere, has the
 * same device and inode. -1 not to be seen. */
static int same_link(int mine, int theirs, const char *name)
{
    char a[PATH_MAX], b[PATH_MAX];
    ssize_t n = readlinkat(mine, name, a, sizeof(a)), m = readlinkat(theirs, name, b, sizeof(b));

    if (n <= 0 || m <= 0)
        return -1;
    return n == m && memcmp(a, b, (size_t)n) == 0;
}

/* An inetd of a container is seen from outside with a pid, a name and even the very same executable
 * as ours; only its namespaces and its root directory tell. */
static void compare_worlds(struct process *p, int dir)
{
    static const char *const objects[] = {"ns/pid", "ns/mnt", "ns/net", "root"};
    int mine = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    p->ours = mine >= 0;
    for (size_t i = 0; i < ARRAY_LEN(objects) && mine >= 0; i++) {
        int same = same_object(mine, dir, objects[i]);

        p->ours &= same == 1;
        p->hidden |= same == -1 && (errno == EACCES || errno == EPERM);
    }
    p->ours = p->ours && same_link(mine, dir, "root") == 1;
    if (mine >= 0)
        close(mine);
}

int process_open(struct process *p, pid_t pid, struct diag *d)
{
    int dir = -1;
    int result = -1;

    *p = (struct process){.pid = pid, .fd = -1};
    p->fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (p->fd < 0 && errno == ENOSYS) {
        diag_set(d, STATUS_SYSTEM, "no-pidfd", "this kernel cannot hold a process (Linux 5.3)");
        goto out;
    }
    if (p->fd < 0)
        goto gone;
    dir = proc_dir(pid);
    if (dir < 0 || read_status(p, dir) != 0 || read_stat(p, dir) != 0)
        goto gone;
    read_exe(p, dir);
    compare_worlds(p, dir);
    /* Had the pid been taken over between the two opens, the one held would be dead by now. */
    if (!process_alive(p))
        goto gone;
    result = 0;
    goto out;
gone:
    diag_set(d, STATUS_SYSTEM, "no-process", "there is no process %ld", (long)pid);
out:
    if (dir >= 0)
        close(dir);
    if (result != 0)
        process_release(p);
    return result;
}

int process_refresh(struct process *p)
{
    int dir = proc_dir(p->pid);
    int result = -1;

    if (dir >= 0 && read_status(p, dir) == 0 && read_stat(p, dir) == 0 && process_alive(p))
        result = 0;
    if (dir >= 0)
        close(dir);
    return result;
}

void process_release(struct process *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->exe);
    p->fd = -1;
    p->exe = NULL;
}

void process_list_free(struct process *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        process_release(&list[i]);
    free(list);
}

bool process_alive(const struct process *p)
{
    /* A zombie still takes signals; its pidfd is readable. */
    return p->fd >= 0 && (send_by_fd(p->fd, 0) == 0 || errno == EPERM) && !process_wait_end(p, 0);
}

bool process_wait_end(const struct process *p, long long ms)
{
    struct pollfd wait = {.fd = p->fd, .events = POLLIN};
    long long end = process_now() + ms;
    int n;

    do {
        long long left = end - process_now();

        n = poll(&wait, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

int process_signal(const struct process *p, int sig, struct diag *d)
{
    struct process now = *p;

    if (process_refresh(&now) != 0)
        return diag_set(d, STATUS_ATTENTION, "no-process", "process %ld '%s' is gone", (long)p->pid,
                        p->comm);
    if (p->hidden) {
        diag_set(d, STATUS_SYSTEM, "hidden", "only root can see what process %ld '%s' is",
                 (long)p->pid, p->comm);
        diag_hint(d, "run it as root: sudo batten");
        return -1;
    }
    if (!p->ours)
        return diag_set(d, STATUS_ATTENTION, "not-ours",
                        "process %ld '%s' is not of this host's namespaces and is left alone",
                        (long)p->pid, p->comm);
    if (sig == SIGHUP && !now.catches_hup)
        return diag_set(d, STATUS_ATTENTION, "hup-not-caught",
                        "process %ld '%s' does not catch SIGHUP: it would die of it", (long)p->pid,
                        p->comm);
    if (send_by_fd(p->fd, sig) != 0)
        return diag_set(d, STATUS_ATTENTION, "signal-failed", "cannot signal process %ld '%s': %s",
                        (long)p->pid, p->comm, strerror(errno));
    return 0;
}

int process_stop(const struct process *p, long long ms, struct diag *d)
{
    if (process_signal(p, SIGTERM, d) != 0)
        return -1;
    return process_wait_end(p, ms) ? 0 : 1;
}

unsigned long long process_ticks(void)
{
    long per_second = sysconf(_SC_CLK_TCK);
    unsigned long long hz = per_second > 0 ? (unsigned long long)per_second : 100;
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (unsigned long long)now.tv_sec * hz + (unsigned long long)now.tv_nsec * hz / 1000000000;
}

long long process_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void process_sleep(long long ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}
