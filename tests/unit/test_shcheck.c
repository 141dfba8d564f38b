#include "batten/shcheck.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "batten/buf.h"
#include "batten/diag.h"

static size_t some_shell(void)
{
    for (size_t i = 0; i < shell_check_count(); i++)
        if (shell_check(i, ":\n", 2) == SHELL_GOOD)
            return i;
    printf("# skip: no shell of the list is installed\n");
    skip();
    return 0;
}

static enum shell_verdict ask(size_t shell, const char *text)
{
    return shell_check(shell, text, strlen(text));
}

static void test_verdict(void **state)
{
    size_t shell = some_shell();

    (void)state;
    assert_int_equal(ask(shell, "if a; then b; fi\n"), SHELL_GOOD);
    assert_int_equal(ask(shell, "if a; then b\n"), SHELL_BAD);
    assert_int_equal(ask(shell, "if a; then\n#b\nfi\n"), SHELL_BAD);
    assert_int_equal(ask(shell, ""), SHELL_GOOD);
    assert_int_equal(shell_check(shell_check_count(), "", 0), SHELL_UNASKED);
    assert_null(shell_check_path(shell_check_count()));
}

/* Nothing of the text runs, whatever it says. */
static void test_runs_nothing(void **state)
{
    static const char mark[] = "/tmp/batten-shcheck-ran";
    size_t shell = some_shell();

    (void)state;
    (void)unlink(mark);
    assert_int_equal(ask(shell, ": >/tmp/batten-shcheck-ran\n`: >/tmp/batten-shcheck-ran`\n"
                                "x=$(: >/tmp/batten-shcheck-ran)\ntrap ':>/tmp/x' 0\n"),
                     SHELL_GOOD);
    assert_int_not_equal(access(mark, F_OK), 0);
}

static void test_large(void **state)
{
    size_t shell = some_shell();
    struct buf text = BUF_INIT;

    (void)state;
    while (text.len < 2 * 1024 * 1024)
        buf_adds(&text, "if [ -x /usr/sbin/named ]; then\n\tnamed\nfi\n");
    assert_int_equal(shell_check(shell, text.data, text.len), SHELL_GOOD);
    buf_adds(&text, "fi\n");
    assert_int_equal(shell_check(shell, text.data, text.len), SHELL_BAD);
    buf_release(&text);
}

static void test_change(void **state)
{
    static const char good[] = "if a; then b; fi\n", bad[] = "if a; then fi\n";
    struct diag d = DIAG_INIT;

    (void)state;
    some_shell();
    assert_int_equal(shell_check_change(good, strlen(good), ":\n", 2, &d), 0);
    assert_int_equal(shell_check_change(bad, strlen(bad), bad, strlen(bad), &d), 0);
    assert_int_equal(shell_check_change(good, strlen(good), bad, strlen(bad), &d), -1);
    assert_int_equal(d.status, STATUS_REFUSED);
    assert_string_equal(d.code, "shell-check");
    diag_release(&d);
}

/* The kernel keeps no status of a child then: no verdict is no consent. */
static void test_no_status(void **state)
{
    static const char good[] = "if a; then b; fi\n", bad[] = "if a; then fi\n";
    size_t shell = some_shell();
    struct diag d = DIAG_INIT;

    (void)state;
    (void)signal(SIGCHLD, SIG_IGN);
    assert_int_equal(ask(shell, good), SHELL_FAILED);
    assert_int_equal(shell_check_change(good, strlen(good), bad, strlen(bad), &d), -1);
    (void)signal(SIGCHLD, SIG_DFL);
    assert_int_equal(d.status, STATUS_REFUSED);
    assert_string_equal(d.code, "shell-check");
    diag_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict),   cmocka_unit_test(test_runs_nothing),
        cmocka_unit_test(test_large),     cmocka_unit_test(test_change),
        cmocka_unit_test(test_no_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
