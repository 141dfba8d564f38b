/*
 * repeat_driver - time a command
 *
 *     repeat_driver COUNT [RESET...] -- COMMAND...
 *
 * Runs RESET (untimed) and COMMAND (timed, output thrown away) COUNT times, after one run that does
 * not count. Prints one line: median and least time in microseconds, peak memory in KiB, and the
 * status of the last run.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/text.h"

struct sample {
    long long us;
    long kib;
    int status;
};

static long long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static struct sample run(char *const *argv)
{
    struct sample s = {0};
    struct rusage usage;
    long long start = now_us();
    pid_t pid = vfork();

    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &s.status, 0, &usage) != pid) {
        perror("repeat_driver");
        exit(1);
    }
    s.us = now_us() - start;
    s.kib = usage.ru_maxrss;
    s.status = WIFEXITED(s.status) ? WEXITSTATUS(s.status) : 128 + WTERMSIG(s.status);
    return s;
}

static int compare(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;

    return x < y ? -1 : x > y;
}

/* The words up to "--" as an argv of their own; NULL when there are none. */
static char **take_reset(char **argv, int argc, int *at)
{
    int start = *at;

    while (*at < argc && strcmp(argv[*at], "--") != 0)
        (*at)++;
    if (*at >= argc - 1)
        return NULL;
    argv[(*at)++] = NULL;
    return argv + start;
}

int main(int argc, char **argv)
{
    long long count, *times;
    long kib = 0;
    int at = 2, status = 0, out = dup(STDOUT_FILENO);
    char **reset;
    FILE *report = out < 0 ? NULL : fdopen(out, "w");

    if (report == NULL || argc < 4 || text_number(argv[1], 1, 100000, &count) != 0 ||
        (reset = take_reset(argv, argc, &at)) == NULL) {
        fputs("usage: repeat_driver COUNT [RESET...] -- COMMAND...\n", stderr);
        return 2;
    }
    if (freopen("/dev/null", "r", stdin) == NULL || freopen("/dev/null", "w", stdout) == NULL ||
        freopen("/dev/null", "w", stderr) == NULL)
        return 1;
    fcntl(out, F_SETFD, FD_CLOEXEC);
    times = mem_array((size_t)count, sizeof(*times));
    for (long long i = -1; i < count; i++) {
        struct sample s;

        if (*reset != NULL && run(reset).status != 0)
            return 1;
        s = run(argv + at);
        if (i < 0)
            continue;
        times[i] = s.us;
        kib = s.kib > kib ? s.kib : kib;
        status = s.status;
    }
    qsort(times, (size_t)count, sizeof(*times), compare);
    fprintf(report, "%lld %lld %ld %d\n", times[count / 2], times[0], kib, status);
    free(times);
    return fclose(report) == 0 ? 0 : 1;
}
