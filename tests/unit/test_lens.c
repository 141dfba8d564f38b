#include "batten/lens.h"

#include "inetd_case.h"

#include "batten/diag.h"

static struct lens *open_lens(void)
{
    struct diag d = DIAG_INIT;
    struct lens *lens = lens_get_shared(&d);

    if (lens == NULL)
        fail_msg("%s", d.message);
    return lens;
}

static void test_tree(void **state)
{
    static const char text[] = "telnet stream tcp nowait root /x x\n# prose\n";
    struct lens *lens = open_lens();
    size_t start, end;

    (void)state;
    assert_int_equal(lens_store(lens, "Batten_Inetd.line", text, strlen(text), NULL), 0);
    assert_string_equal(lens_get(lens, "entry/service"), "telnet");
    assert_string_equal(lens_get(lens, "entry/word[3]"), "root");
    assert_null(lens_get(lens, "entry/nothing"));
    assert_null(lens_get(lens, "entry/word"));
    assert_int_equal(lens_match(lens, "*"), 2);
    assert_string_equal(lens_label(lens, 0), "entry");
    assert_null(lens_value(lens, 0));
    assert_string_equal(lens_label(lens, 1), "comment");
    assert_string_equal(lens_value(lens, 1), "# prose");
    assert_null(lens_label(lens, 2));
    assert_null(lens_value(lens, 2));
    assert_int_equal(lens_span(lens, 1, &start, &end), 0);
    assert_int_equal(start, 35);
    assert_int_equal(end, strlen(text));
    assert_int_equal(lens_span(lens, 2, &start, &end), -1);
    assert_int_equal(lens_match(lens, "entry/word"), 5);
    assert_int_equal(lens_span(lens, 4, &start, &end), 0);
    assert_memory_equal(text + start, "x", end - start);
    assert_int_equal(lens_match(lens, "nothing"), 0);
}

static void test_one_tree_at_a_time(void **state)
{
    struct lens *lens = open_lens();

    (void)state;
    assert_int_equal(lens_store(lens, "Batten_Inetd.line", "a b\n", 4, NULL), 0);
    assert_int_equal(lens_match(lens, "*"), 1);
    assert_int_equal(lens_store(lens, "Batten_Inetd.line", "\n# x\n", 5, NULL), 0);
    assert_int_equal(lens_match(lens, "*"), 2);
    assert_null(lens_get(lens, "unknown"));
    assert_int_equal(lens_store(lens, "Batten_Inetd.line", "", 0, NULL), 0);
    assert_int_equal(lens_match(lens, "*"), 1);
}

/* Store, change, retrieve; no final newline comes back as none. */
static void check_edit(const char *before, const char *after)
{
    struct lens *lens = open_lens();
    struct buf out = BUF_INIT;

    assert_int_equal(lens_store(lens, "Batten_Inetd.edit", before, strlen(before), NULL), 0);
    assert_int_equal(lens_insert(lens, "1/*[1]", "disabled", true, NULL), 0);
    assert_int_equal(lens_retrieve(lens, "Batten_Inetd.edit", &out, NULL), 0);
    assert_string_equal(buf_str(&out), after);

    assert_int_equal(lens_store(lens, "Batten_Inetd.edit", after, strlen(after), NULL), 0);
    assert_int_equal(lens_remove(lens, "1/disabled[1]", NULL), 0);
    buf_clear(&out);
    assert_int_equal(lens_retrieve(lens, "Batten_Inetd.edit", &out, NULL), 0);
    assert_string_equal(buf_str(&out), before);
    buf_release(&out);
}

static void test_edit(void **state)
{
    (void)state;
    check_edit("telnet\tstream \t tcp\n", "#telnet\tstream \t tcp\n");
    check_edit(" \ttelnet \r\n \n\tx", "# \ttelnet \r\n \n\tx");
    check_edit("#<off># ftp", "##<off># ftp");
    check_edit("d\xe4mon \xff\n", "#d\xe4mon \xff\n");
}

static void test_errors(void **state)
{
    struct lens *lens = open_lens();
    struct diag d = DIAG_INIT;
    struct buf out = BUF_INIT;

    (void)state;
    assert_int_equal(lens_store(lens, "Batten_Inetd.options", "a = b;\nx", 8, &d), -1);
    assert_string_equal(d.code, "lens-parse");
    assert_int_equal(d.status, STATUS_REFUSED);
    assert_int_equal(d.line, 2);
    assert_true(d.column >= 1);
    diag_release(&d);

    assert_int_equal(lens_store(lens, "Batten_Nothing.line", "a\n", 2, &d), -1);
    assert_string_equal(d.code, "lens-missing");
    assert_int_equal(d.status, STATUS_SYSTEM);
    diag_release(&d);

    assert_int_equal(lens_store(lens, "Batten_Inetd.edit", "a\n", 2, &d), 0);
    assert_int_equal(lens_insert(lens, "7", "disabled", true, &d), -1);
    assert_string_equal(d.code, "lens-edit");
    diag_release(&d);
    assert_int_equal(lens_remove(lens, "7", &d), -1);
    diag_release(&d);
    assert_int_equal(lens_set(lens, "1/strange", "x", &d), 0);
    assert_int_equal(lens_retrieve(lens, "Batten_Inetd.edit", &out, &d), -1);
    assert_string_equal(d.code, "lens-put");
    diag_release(&d);
    buf_release(&out);
}

/* A byte that Augeas uses itself never reaches it: 4 in a value makes it abort. */
static void test_bytes(void **state)
{
    struct lens *lens = open_lens();
    struct diag d = DIAG_INIT;

    (void)state;
    for (int c = 0; c <= LENS_BYTE_MAX; c++) {
        char text[] = {'a', (char)c, '\n'};

        assert_false(lens_carries(text, sizeof(text)));
        assert_int_equal(lens_store(lens, "Batten_Inetd.line", text, sizeof(text), &d), -1);
        assert_string_equal(d.code, "lens-bytes");
        diag_release(&d);
    }
    for (int c = LENS_BYTE_MAX + 1; c <= 255; c++) {
        char text[] = {'a', ' ', (char)c, '#', ' ', 'x'};
        struct buf out = BUF_INIT;

        if (c == '\n')
            continue;
        assert_int_equal(lens_store(lens, "Batten_Inetd.edit", text, sizeof(text), NULL), 0);
        assert_int_equal(lens_retrieve(lens, "Batten_Inetd.edit", &out, NULL), 0);
        assert_true(buf_equal(&out, text, sizeof(text)));
        buf_release(&out);
    }
}

static void test_no_directory(void **state)
{
    struct inetd_case c;

    (void)state;
    lens_shutdown();
    lens_set_dir("tests/no-such-directory");
    case_text(&c, "openbsd",
              "telnet stream tcp nowait root /x x\nfinger stream tcp nowait root /x x\n");
    assert_int_equal(c.parse.entries.n, 0);
    assert_int_equal(c.parse.problems.n, 1);
    assert_string_equal(c.parse.problems.v[0].code, "lens-missing");
    assert_int_equal(c.parse.problems.v[0].status, STATUS_SYSTEM);
    case_free(&c);
    lens_shutdown();
    lens_set_dir("lenses");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),  cmocka_unit_test(test_one_tree_at_a_time),
        cmocka_unit_test(test_edit),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bytes), cmocka_unit_test(test_no_directory),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
