#include "batten/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/root.h"
#include "child.h"

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

enum { OUTPUT_MAX = 4096 };

/* Instead of a wait status. */
enum { STILL_RUNS = -1, NO_PROCESS = -2, END_UNKNOWN = -3 };

static _Noreturn void become(const char *path, const char *const *argv, int out)
{
    (void)setsid();
    if (chdir("/") != 0)
        _exit(126);
    child_exec(path, argv, out, false);
}

/* The status of CHILD once it ends; STILL_RUNS after MS. */
static int wait_child(pid_t child, long long ms)
{
    long long end = process_now() + ms;
    int status;
    pid_t got;

    while ((got = child_wait(child, &status, WNOHANG)) == 0) {
        if (process_now() >= end)
            return STILL_RUNS;
        process_sleep(5);
    }
    return got == child ? status : END_UNKNOWN;
}

/* What is in the pipe once the command has ended; what it has started may still hold the other
 * end. */
static void read_output(int fd, struct buf *out)
{
    char bytes[OUTPUT_MAX];
    ssize_t got = read(fd, bytes, sizeof(bytes));

    if (got > 0)
        buf_add(out, bytes, (size_t)got);
}

/* Start it; its status as wait_child's, or NO_PROCESS. */
static int run(const struct process_command *c)
{
    int ends[2] = {-1, -1}, status = NO_PROCESS;
    char *path = mem_printf("/%s", c->path);
    pid_t child = -1;

    if (c->output == NULL || pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0)
        child = fork();
    if (child == 0)
        become(path, c->argv, ends[1]);
    if (child > 0)
        status = wait_child(child, c->ms);
    if (child > 0 && c->output != NULL)
        read_output(ends[0], c->output);
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    free(path);
    return status;
}

int process_run(struct root *root, const struct process_command *c, struct diag *d)
{
    int status;

    if (check_trust(root, c->path, d) != 0)
        return -1;
    status = run(c);
    if (status == NO_PROCESS)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "cannot run '/%s': %s", c->path,
                        strerror(errno));
    if (status == STILL_RUNS && c->daemon)
        return 0;
    if (status == END_UNKNOWN)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "how '/%s' has ended cannot be known",
                        c->path);
    if (status == STILL_RUNS)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "'/%s' has not ended after %lld ms",
                        c->path, c->ms);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return diag_set(d, STATUS_ATTENTION, "start-failed", "'/%s' ended with status %d", c->path,
                        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
