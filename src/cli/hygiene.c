#include "hygiene.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/text.h"

static bool is_kept(const char *variable)
{
    static const char *const kept[] = {
        "TERM=",    "LANG=",           "LC_",       "LINES=",
        "COLUMNS=", "SSH_CONNECTION=", "NO_COLOR=", "SOURCE_DATE_EPOCH="};

    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (text_starts(variable, kept[i]))
            return true;
    return false;
}

/* AUGEAS_*, GIT_*, PAGER, TMPDIR, LD_* and whatever else a caller may have left must not steer a
 * program that runs as root. */
static void clean_environment(void)
{
    struct strlist keep = {0};

    for (char **v = environ; v != NULL && *v != NULL; v++)
        if (is_kept(*v))
            strlist_add(&keep, *v);
    clearenv();
    for (size_t i = 0; i < keep.n; i++) {
        char *equals = strchr(keep.v[i], '=');

        if (equals == NULL)
            continue;
        *equals = '\0';
        setenv(keep.v[i], equals + 1, 1);
    }
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    strlist_release(&keep);
}

/* A closed standard descriptor would be taken by the next open, and messages would land in it. */
static int open_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
    return fd < 0 && fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : 0;
}

/* Both go through exec. Where SIGCHLD is ignored nobody learns how a child has ended; a blocked
 * signal would never arrive. What is ignored on purpose (nohup's SIGHUP) stays so. */
static void reset_signals(void)
{
    sigset_t none;

    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int hygiene(void)
{
    struct rlimit none = {0, 0};

    if (open_standard_descriptors() != 0)
        return -1;
    /* Whoever may run batten may run any program (--probe): that right is not to be lent. */
    if (getuid() != geteuid() || getgid() != getegid()) {
        fputs("batten: error: batten does not run setuid or setgid\n", stderr);
        return -1;
    }
    clean_environment();
    umask(077);
    setrlimit(RLIMIT_CORE, &none);
    reset_signals();
    return 0;
}
