#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void reset_signals(bool no_hup)
{
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, sig == SIGHUP && no_hup ? SIG_IGN : SIG_DFL);
}

/* OUT may be 0 to 2 itself where those were closed: it is moved out of the way first. */
static bool set_descriptors(int out)
{
    int null = open("/dev/null", O_RDWR);

    if (out >= 0)
        out = fcntl(out, F_DUPFD, 3);
    else
        out = null;
    if (null < 0 || out < 0)
        return false;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(fd == 1 ? out : null, fd) < 0)
            return false;
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    return true;
}

_Noreturn void child_exec(const char *path, const char *const *argv, int out, bool no_hup)
{
    static const char *const environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL};
    union {
        const char *const *in;
        char *const *out;
    } words = {.in = argv}, env = {.in = environment};

    (void)umask(022);
    reset_signals(no_hup);
    if (!set_descriptors(out))
        _exit(126);
    (void)execve(path, words.out, env.out);
    _exit(127);
}

pid_t child_wait(pid_t child, int *status, int flags)
{
    pid_t got;

    do {
        got = waitpid(child, status, flags);
    } while (got < 0 && errno == EINTR);
    return got;
}
