#include "batten/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/mem.h"
#include "child.h"

static const char systemd_run[] = "/usr/bin/systemd-run", own_program[] = "/proc/self/exe";

enum { UNIT_MS = 10000 }; /* for systemd to start a unit */

static _Noreturn void exec_words(const char *path, const struct strlist *words, bool no_hup)
{
    const char **argv = mem_array(words->n + 1, sizeof(*argv));

    for (size_t i = 0; i < words->n; i++)
        argv[i] = words->v[i];
    child_exec(path, argv, -1, no_hup);
}

/* The child in between: its end with 0 says that the grandchild is there. That is this very
 * program, even where its file has been replaced meanwhile and its name leads elsewhere. */
static _Noreturn void detach(const struct strlist *words)
{
    pid_t child;

    setsid();
    signal(SIGHUP, SIG_IGN); /* the leader's end sends one */
    child = fork();
    if (child != 0)
        _exit(child < 0 ? errno : 0);
    if (chdir("/") != 0)
        _exit(127);
    exec_words(own_program, words, true);
}

/* Fork twice, so that the grandchild belongs to init and to no session of ours. */
static int start_detached(const struct strlist *words, struct diag *d)
{
    pid_t child = fork();
    int status = 0;
    bool ended;

    if (child == 0)
        detach(words);
    ended = child > 0 && child_wait(child, &status, 0) == child;
    if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return diag_set(d, STATUS_SYSTEM, "fork", "cannot start a process: %s",
                    strerror(ended ? WEXITSTATUS(status) : errno));
}

static bool under_systemd(void)
{
    return access("/run/systemd/system", F_OK) == 0 && access(systemd_run, X_OK) == 0;
}

/* Wait for PID through a pidfd; 1: MS are over, -1: how it ended is not known. */
static int wait_for(pid_t pid, long long ms, int *status)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    long long end = boot_clock_ms() + ms;
    long long left;
    int ready = 0;

    while (fd >= 0 && ready <= 0 && (left = end - boot_clock_ms()) > 0)
        ready = poll(&p, 1, left < INT_MAX ? (int)left : INT_MAX);
    if (fd >= 0)
        close(fd);
    if (ready <= 0) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
    if (child_wait(pid, status, 0) != pid)
        return -1;
    return ready <= 0;
}

/* systemd-run itself is waited for: when it fails (no bus) or hangs, the plain way is taken. The
 * unit has started once the program has (exec); the daemons that the watcher starts on the way back
 * outlive it (KillMode). */
static int start_unit(const struct strlist *words)
{
    static const char *const options[] = {
        "--quiet",
        "--collect",
        "--description=batten confirm timer",
        "--property=Type=exec",
        "--property=KillMode=process",
        "--property=SuccessExitStatus=5 7" /* undone: its work */};
    struct strlist all = {0};
    int status = -1;
    pid_t child;

    strlist_add(&all, systemd_run);
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        strlist_add(&all, options[i]);
    strlist_add(&all, "--");
    for (size_t i = 0; i < words->n; i++)
        strlist_add(&all, words->v[i]);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        exec_words(systemd_run, &all, false);
    }
    strlist_release(&all);
    if (child < 0 || wait_for(child, UNIT_MS, &status) != 0)
        return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int spawn_self(const char *const *argv, struct diag *d)
{
    struct strlist words = {0};
    char exe[4096];
    ssize_t len = readlink(own_program, exe, sizeof(exe) - 1);
    int result = -1;

    if (len <= 0)
        return diag_set(d, STATUS_SYSTEM, "no-proc", "cannot find my own program: /proc is needed");
    exe[len] = '\0';
    strlist_add(&words, exe);
    for (size_t i = 0; argv[i] != NULL; i++)
        strlist_add(&words, argv[i]);
    if (under_systemd())
        result = start_unit(&words);
    if (result != 0)
        result = start_detached(&words, d);
    strlist_release(&words);
    return result;
}

int spawn_probe_ready(const char *path, struct diag *d)
{
    struct stat st;

    if (stat(path, &st) != 0 || access(path, X_OK) != 0)
        return diag_set(d, STATUS_REFUSED, "probe", "the probe '%s' cannot be run: %s", path,
                        strerror(errno));
    if (!S_ISREG(st.st_mode))
        return diag_set(d, STATUS_REFUSED, "probe", "the probe '%s' is not a program", path);
    return 0;
}

int spawn_probe(char *const *argv, long long ms, struct diag *d)
{
    const union {
        char *const *in;
        const char *const *out;
    } words = {.in = argv};
    int status = 0, late;
    pid_t child;

    if (argv[0][0] != '/')
        return diag_set(d, STATUS_USAGE, "probe", "the probe '%s' is not an absolute path",
                        argv[0]);
    child = fork();
    if (child < 0)
        return diag_set(d, STATUS_SYSTEM, "fork", "cannot start the probe: %s", strerror(errno));
    if (child == 0) {
        setpgid(0, 0); /* so that what it started goes with it */
        child_exec(argv[0], words.out, -1, false);
    }
    late = wait_for(child, ms, &status);
    if (late < 0)
        return diag_set(d, STATUS_FAILED, "probe-failed",
                        "how the probe '%s' has ended cannot be known", argv[0]);
    if (late > 0)
        return diag_set(d, STATUS_FAILED, "probe-failed", "the probe '%s' took longer than %lld ms",
                        argv[0], ms);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return diag_set(d, STATUS_FAILED, "probe-failed", "the probe '%s' cannot be run", argv[0]);
    return diag_set(d, STATUS_FAILED, "probe-failed", "the probe '%s' ended with %s %d", argv[0],
                    WIFEXITED(status) ? "status" : "signal",
                    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* less as root must not offer its shell escape; it leaves at once when all fits one screen. Unlike
 * every other child it keeps the terminal. */
static _Noreturn void exec_pager(int in)
{
    static const char *const pagers[] = {"/usr/bin/less", "/bin/less"};
    const char *term = getenv("TERM");
    char *term_line = mem_printf("TERM=%s", term ? term : "dumb");
    char *environment[] = {(char[]){"PATH=/usr/bin:/bin"},
                           (char[]){"LC_ALL=C.UTF-8"},
                           (char[]){"LESS=FRX"},
                           (char[]){"LESSSECURE=1"},
                           term_line,
                           NULL};
    char *argv[] = {(char[]){"less"}, NULL};

    dup2(in, STDIN_FILENO);
    signal(SIGPIPE, SIG_DFL);
    syscall(SYS_close_range, 3u, ~0u, 0u);
    for (size_t i = 0; i < ARRAY_LEN(pagers); i++)
        execve(pagers[i], argv, environment);
    _exit(127);
}

int spawn_pager(const char *bytes, size_t len)
{
    int ends[2], status = -1;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    child = fork();
    if (child == 0)
        exec_pager(ends[0]);
    close(ends[0]);
    while (child > 0 && len > 0) {
        ssize_t n = write(ends[1], bytes, len);

        if (n < 0 && errno != EINTR)
            break; /* the reader has seen enough */
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    close(ends[1]);
    if (child < 0 || child_wait(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? 0 : -1;
}

long long boot_clock_ms(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void boot_id(char out[37])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, out, 36) : -1;

    if (len != 36)
        memset(out, '0', 36);
    out[36] = '\0';
    if (fd >= 0)
        close(fd);
}
