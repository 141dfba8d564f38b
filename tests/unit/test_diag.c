#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "batten/diag.h"
#include "batten/mem.h"

static void worse_is_the_documented_order(void **state)
{
    static const enum status order[] = {STATUS_INCOMPLETE, STATUS_FAILED, STATUS_SYSTEM,
                                        STATUS_REFUSED,    STATUS_USAGE,  STATUS_ATTENTION,
                                        STATUS_CHANGES,    STATUS_DONE};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        for (size_t j = i; j < ARRAY_LEN(order); j++) {
            assert_int_equal(status_worse(order[i], order[j]), order[i]);
            assert_int_equal(status_worse(order[j], order[i]), order[i]);
        }
}

/* The numbers are an interface. */
static void statuses_have_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(STATUS_DONE, 0);
    assert_int_equal(STATUS_CHANGES, 1);
    assert_int_equal(STATUS_USAGE, 2);
    assert_int_equal(STATUS_REFUSED, 3);
    assert_int_equal(STATUS_SYSTEM, 4);
    assert_int_equal(STATUS_FAILED, 5);
    assert_int_equal(STATUS_INCOMPLETE, 6);
    assert_int_equal(STATUS_ATTENTION, 7);
}

static void the_first_error_wins(void **state)
{
    struct diag d = DIAG_INIT;

    (void)state;
    assert_false(diag_isset(&d));
    assert_int_equal(diag_set(&d, STATUS_REFUSED, "first", "cannot %s '%s'", "read", "x"), -1);
    diag_at(&d, "etc/inetd.conf", 12, 31);
    diag_text(&d, "the line", 8);
    diag_hint(&d, "run: batten %s", "audit");
    assert_int_equal(diag_set(&d, STATUS_SYSTEM, "second", "other"), -1);
    diag_at(&d, "other", 1, 1);
    diag_text(&d, "other", 5);
    diag_hint(&d, "other");
    assert_true(diag_isset(&d));
    assert_int_equal(d.status, STATUS_REFUSED);
    assert_string_equal(d.code, "first");
    assert_string_equal(d.message, "cannot read 'x'");
    assert_string_equal(d.path, "etc/inetd.conf");
    assert_int_equal(d.line, 12);
    assert_int_equal(d.column, 31);
    assert_string_equal(d.text, "the line");
    assert_string_equal(d.hint, "run: batten audit");
    diag_release(&d);
    assert_false(diag_isset(&d));
    assert_null(d.path);
}

static void places_need_an_error(void **state)
{
    struct diag d = DIAG_INIT;

    (void)state;
    diag_at(&d, "etc/inetd.conf", 1, 1);
    diag_text(&d, "line", 4);
    diag_hint(&d, "hint");
    assert_null(d.path);
    assert_null(d.text);
    assert_null(d.hint);
    diag_release(&d);
}

static void nobody_listens(void **state)
{
    (void)state;
    assert_int_equal(diag_set(NULL, STATUS_SYSTEM, "code", "%s", "message"), -1);
    diag_at(NULL, "path", 1, 1);
    diag_text(NULL, "text", 4);
    diag_hint(NULL, "hint");
}

static void long_lines_are_cut(void **state)
{
    struct diag d = DIAG_INIT;
    char line[10000];

    (void)state;
    memset(line, 'x', sizeof(line));
    diag_set(&d, STATUS_REFUSED, "code", "message");
    diag_text(&d, line, sizeof(line));
    assert_int_equal(strlen(d.text), 4096);
    diag_release(&d);
    diag_set(&d, STATUS_REFUSED, "code", "'%.*s'", (int)sizeof(line), line);
    assert_int_equal(strlen(d.message), 1003);
    assert_string_equal(d.message + 997, "xxx...");
    diag_release(&d);
}

static void problems_collect(void **state)
{
    struct problems p = {0};

    (void)state;
    for (unsigned i = 1; i <= 50; i++) {
        struct diag *d = problems_new(&p);

        assert_false(diag_isset(d));
        diag_set(d, STATUS_ATTENTION, "unknown-line", "line %u", i);
        diag_at(d, "etc/inetd.conf", i, 0);
    }
    assert_int_equal(p.n, 50);
    assert_string_equal(p.v[0].message, "line 1");
    assert_int_equal(p.v[49].line, 50);
    problems_release(&p);
    assert_int_equal(p.n, 0);
    assert_null(p.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worse_is_the_documented_order),
        cmocka_unit_test(statuses_have_their_numbers),
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(places_need_an_error),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(problems_collect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
