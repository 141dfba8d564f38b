/* Probes: how they end, what they inherit, and that their time is up when it is up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/spawn.h"

#include "tree.h"

/* Milliseconds that the clock goes forward each time it is read; 0: the real one. */
static long long step, shown;

int clock_gettime(clockid_t id, struct timespec *t)
{
    if (id != CLOCK_BOOTTIME || step == 0)
        return (int)syscall(SYS_clock_gettime, id, t);
    shown += step;
    t->tv_sec = shown / 1000;
    t->tv_nsec = shown % 1000 * 1000000;
    return 0;
}

static int probe(const char *first, const char *second, const char *third, long long ms,
                 struct diag *d)
{
    char words[3][80];
    char *argv[4] = {NULL};
    const char *const given[] = {first, second, third};

    for (size_t i = 0; i < 3 && given[i] != NULL; i++) {
        (void)snprintf(words[i], sizeof(words[i]), "%s", given[i]);
        argv[i] = words[i];
    }
    return spawn_probe(argv, ms, d);
}

static void says(struct diag *d, const char *text)
{
    assert_non_null(d->message);
    assert_non_null(strstr(d->message, text));
    diag_release(d);
}

static void the_status_counts(void **state)
{
    struct diag d = DIAG_INIT;

    (void)state;
    not_under_valgrind();
    assert_int_equal(probe("/bin/true", NULL, NULL, 5000, &d), 0);
    assert_int_equal(probe("/bin/false", NULL, NULL, 5000, &d), -1);
    says(&d, "status 1");
    assert_int_equal(probe("/nonexistent/probe", NULL, NULL, 5000, &d), -1);
    says(&d, "cannot be run");
    assert_int_equal(probe("true", NULL, NULL, 5000, &d), -1);
    says(&d, "absolute");
}

/* The kernel keeps no status of a child then: an end that nobody saw is not a good one. */
static void a_status_that_is_not_kept_is_no_success(void **state)
{
    struct diag d = DIAG_INIT;

    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(probe("/bin/false", NULL, NULL, 5000, &d), -1);
    (void)signal(SIGCHLD, SIG_DFL);
    assert_int_equal(d.status, STATUS_FAILED);
    says(&d, "cannot be known");
}

static void a_slow_one_is_ended(void **state)
{
    struct diag d = DIAG_INIT;

    (void)state;
    assert_int_equal(probe("/bin/sleep", "60", NULL, 50, &d), -1);
    says(&d, "longer than 50 ms");
}

/* The time runs out between the look at the clock and the wait. */
static void a_late_clock_does_not_wait_for_ever(void **state)
{
    struct diag d = DIAG_INIT;
    time_t start = time(NULL);
    int result;

    (void)state;
    step = 7;
    result = probe("/bin/sleep", "8", NULL, 10, &d);
    step = 0;
    assert_int_equal(result, -1);
    says(&d, "longer than 10 ms");
    assert_true(time(NULL) - start < 6);
}

static void nothing_is_inherited(void **state)
{
    sigset_t term, before;

    (void)state;
    not_under_valgrind();
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    assert_int_equal(sigprocmask(SIG_BLOCK, &term, &before), 0);
    (void)signal(SIGINT, SIG_IGN);
    assert_int_equal(probe("/bin/grep", "^SigBlk:.0*$", "/proc/self/status", 5000, NULL), 0);
    /* Under make, which uses posix_spawn, the C library's own two (32 and 33) are ignored already.
     */
    assert_int_equal(
        probe("/bin/grep", "^SigIgn:.0*\\(180000000\\)*$", "/proc/self/status", 5000, NULL), 0);
    (void)signal(SIGINT, SIG_DFL);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    assert_int_equal(dup2(STDERR_FILENO, 77), 77);
    assert_int_equal(probe("/usr/bin/test", "-e", "/proc/self/fd/77", 5000, NULL), -1);
    close(77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_counts),
        cmocka_unit_test(a_status_that_is_not_kept_is_no_success),
        cmocka_unit_test(a_slow_one_is_ended),
        cmocka_unit_test(a_late_clock_does_not_wait_for_ever),
        cmocka_unit_test(nothing_is_inherited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
