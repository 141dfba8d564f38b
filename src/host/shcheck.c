#include "batten/shcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/process.h"
#include "child.h"

enum { SECONDS = 5, MEBIBYTES = 64, NOBODY = 65534 };

/* BusyBox is asked by the name that makes it a shell. Where /bin/sh is one of the others it is
 * asked twice, which does no harm. */
static const struct shell_program {
    const char *path, *name;
} shells[] = {
    {"/bin/dash",    "dash"},
    {"/bin/bash",    "bash"},
    {"/bin/busybox", "ash" },
    {"/bin/mksh",    "mksh"},
    {"/bin/sh",      "sh"  },
};

size_t shell_check_count(void)
{
    return ARRAY_LEN(shells);
}

const char *shell_check_path(size_t shell)
{
    return shell < ARRAY_LEN(shells) ? shells[shell].path : NULL;
}

static bool set_limit(int which, rlim_t value)
{
    const struct rlimit limit = {value, value};

    return setrlimit((__rlimit_resource_t)which, &limit) == 0;
}

/* What the child gives up before it turns into the shell. */
static bool confine(void)
{
    const rlim_t bytes = (rlim_t)MEBIBYTES * 1024 * 1024;

    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return false;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
           set_limit(RLIMIT_CPU, SECONDS) && set_limit(RLIMIT_AS, bytes) &&
           set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_FSIZE, 0) && chdir("/") == 0;
}

static void become(const struct shell_program *shell, int text)
{
    char name[8], option[] = "-n";
    char *argv[] = {name, option, NULL}, *environment[] = {NULL};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    sigset_t none;

    for (size_t i = 0; i < sizeof(name); i++) {
        name[i] = shell->name[i];
        if (name[i] == '\0')
            break;
    }
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    if (null < 0 || dup2(text, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        _exit(126);
#ifdef SYS_close_range
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
#endif
    if (!confine())
        _exit(126);
    (void)execve(shell->path, argv, environment);
    _exit(126);
}

/* The text in a file of memory, at its start; -1 when there is none to be had. */
static int text_file(const char *bytes, size_t len)
{
    int fd = memfd_create("script", MFD_CLOEXEC);

    for (size_t done = 0; fd >= 0 && done < len;) {
        ssize_t n = write(fd, bytes + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Instead of a wait status. */
enum { KILLED = -1, END_UNKNOWN = -2 };

/* The child's wait status, KILLED when it had to be, or END_UNKNOWN. */
static int wait_for(pid_t child)
{
    const long long end = process_now() + SECONDS * 1000LL;
    int status = 0;
    pid_t got;

    while ((got = child_wait(child, &status, WNOHANG)) == 0) {
        if (process_now() >= end) {
            kill(child, SIGKILL);
            (void)child_wait(child, &status, 0);
            return KILLED;
        }
        process_sleep(1);
    }
    return got == child ? status : END_UNKNOWN;
}

enum shell_verdict shell_check(size_t shell, const char *bytes, size_t len)
{
    int text, status;
    pid_t child;

    if (shell >= ARRAY_LEN(shells) || access(shells[shell].path, X_OK) != 0)
        return SHELL_UNASKED;
    text = text_file(bytes, len);
    if (text < 0)
        return SHELL_FAILED;
    child = fork();
    if (child == 0)
        become(&shells[shell], text);
    close(text);
    status = child > 0 ? wait_for(child) : END_UNKNOWN;
    if (status == END_UNKNOWN)
        return SHELL_FAILED;
    if (status == KILLED || !WIFEXITED(status) || WEXITSTATUS(status) == 126)
        return SHELL_UNASKED;
    return WEXITSTATUS(status) == 0 ? SHELL_GOOD : SHELL_BAD;
}

int shell_check_change(const char *before, size_t before_len, const char *after, size_t after_len,
                       struct diag *d)
{
    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        enum shell_verdict verdict = shell_check(i, before, before_len);

        if (verdict == SHELL_GOOD)
            verdict = shell_check(i, after, after_len);
        else if (verdict != SHELL_FAILED)
            continue;
        if (verdict == SHELL_FAILED || verdict == SHELL_UNASKED)
            return diag_set(d, STATUS_REFUSED, "shell-check",
                            "what '%s -n' says of the edited script cannot be known",
                            shells[i].path);
        if (verdict == SHELL_BAD)
            return diag_set(d, STATUS_REFUSED, "shell-check",
                            "'%s -n' takes the script as it is and would not take it edited",
                            shells[i].path);
    }
    return 0;
}
