#include "batten/edit.h"

#include "inetd_case.h"

#include "batten/diag.h"

static char path[] = "etc/x";

static struct source source_of(char *bytes)
{
    return (struct source){path, bytes, strlen(bytes)};
}

static void add(struct edits *list, const struct source *s, size_t start, size_t end,
                const char *after)
{
    struct edit *e = edits_new(list, s, start, end);

    assert_int_equal(e->before_len, end - start);
    assert_memory_equal(e->before, s->bytes + start, end - start);
    e->after = mem_strdup(after);
    e->after_len = strlen(after);
}

static void test_apply(void **state)
{
    char a[] = "one\ntwo\nthree\n", b[] = "other\n";
    struct source x = source_of(a), y = source_of(b);
    struct edits list = {0};
    struct buf out = BUF_INIT;

    (void)state;
    assert_int_equal(edits_apply(&x, &list, &out, NULL), 0);
    assert_string_equal(buf_str(&out), a);
    add(&list, &x, 8, 14, "#three\n");
    add(&list, &y, 0, 6, "");
    add(&list, &x, 0, 4, "");
    add(&list, &x, 14, 14, "four\n");
    buf_clear(&out);
    assert_int_equal(edits_apply(&x, &list, &out, NULL), 0);
    assert_string_equal(buf_str(&out), "two\n#three\nfour\n");
    buf_clear(&out);
    assert_int_equal(edits_apply(&y, &list, &out, NULL), 0);
    assert_string_equal(buf_str(&out), "");
    edits_release(&list);
    assert_int_equal(list.n, 0);
    buf_release(&out);
}

static void refused(struct source *s, struct edits *list)
{
    struct diag d = DIAG_INIT;
    struct buf out = BUF_INIT;

    assert_int_equal(edits_apply(s, list, &out, &d), -1);
    assert_string_equal(d.code, "edits-overlap");
    assert_int_equal(d.status, STATUS_REFUSED);
    diag_release(&d);
    buf_release(&out);
    edits_release(list);
}

static void test_refused(void **state)
{
    char a[] = "one\ntwo\nthree\n";
    struct source x = source_of(a);
    struct edits list = {0};

    (void)state;
    add(&list, &x, 0, 8, "x");
    add(&list, &x, 4, 14, "y");
    refused(&x, &list);

    add(&list, &x, 0, 4, "x");
    list.v[0].before[0] = 'X';
    refused(&x, &list);

    add(&list, &x, 0, 4, "x");
    list.v[0].end = 400;
    refused(&x, &list);

    add(&list, &x, 0, 4, "x");
    list.v[0].start = 5;
    refused(&x, &list);
}

/* Bytes of any value, NUL among them. */
static void test_bytes(void **state)
{
    char a[] = "a\0b\nc\n";
    struct source x = {path, a, 6};
    struct edits list = {0};
    struct buf out = BUF_INIT;

    (void)state;
    add(&list, &x, 4, 6, "#c\n");
    assert_int_equal(edits_apply(&x, &list, &out, NULL), 0);
    assert_true(buf_equal(&out, "a\0b\n#c\n", 7));
    edits_release(&list);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
