#include "batten/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/root.h"

static int check_trust(struct root *root, const char *path, struct diag *d)
{
    struct stat st;
    int fd = root_openat(root, path, O_PATH, 0);
    bool ok;

    if (fd < 0)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "cannot run '/%s': %s", path,
                        strerror(errno));
    ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
         (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && (st.st_mode & S_IXUSR) != 0;
    close(fd);
    if (!ok)
        return diag_set(d, STATUS_ATTENTION, "start-failed",
                        "'/%s' is not run: it must be an executable file of root's that nobody "
                        "else may write",
                        path);
    return 0;
}

/* In the child: nothing of batten's may reach a daemon that outlives it. */
static void become(const char *path, const char *const *argv)
{
    static const char *const environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL};
    union {
        const char *const *in;
        char *const *out;
    } words = {.in = argv}, env = {.in = environment};
    sigset_t none;
    int null;

    (void)setsid();
    (void)umask(022);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    null = open("/dev/null", O_RDWR);
    if (null < 0 || chdir("/") != 0)
        _exit(126);
    for (int fd = 0; fd < 3; fd++)
        if (dup2(null, fd) < 0)
            _exit(126);
#ifdef SYS_close_range
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
#endif
    (void)execve(path, words.out, env.out);
    _exit(127);
}

/* The status of CHILD once it ends; -1 when it still runs after MS. */
static int wait_child(pid_t child, long long ms)
{
    long long end = process_now() + ms;
    int status;
    pid_t got;

    for (;;) {
        got = waitpid(child, &status, WNOHANG);
        if (got == child)
            return status;
        if (got < 0 && errno != EINTR)
            return 0;
        if (process_now() >= end)
            return -1;
        process_sleep(5);
    }
}

int process_run(struct root *root, const struct process_command *c, struct diag *d)
{
    char *path;
    pid_t child;
    int status;

    if (check_trust(root, c->path, d) != 0)
        return -1;
    path = mem_printf("/%s", c->path);
    child = fork();
    if (child == 0)
        become(path, c->argv);
    free(path);
    if (child < 0)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "cannot run '/%s': %s", c->path,
                        strerror(errno));
    status = wait_child(child, c->ms);
    if (status == -1 && c->daemon)
        return 0;
    if (status == -1)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "'/%s' has not ended after %lld ms",
                        c->path, c->ms);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "'/%s' ended with status %d", c->path,
                        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
