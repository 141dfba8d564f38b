#include "inetd_case.h"

#include "../../src/starters/inetd.h"

/* Logical lines as text: each as "FIRST-LAST[flags]:flattened text", one per line; comments and
 * blank lines as "FIRST #". Flags: e an empty line before, c cut at the length limit, k keyed, o
 * keyed without an end. */
static char *cut_text(const char *dialect, const char *text, size_t len)
{
    const struct dialect *d = dialect_find(dialect);
    struct inetd_cuts cuts = {0};
    struct buf out = BUF_INIT;
    size_t at = 0;

    inetd_cut(&cuts, d, text, len);
    for (size_t i = 0; i < cuts.n; i++) {
        const struct inetd_cut *c = &cuts.v[i];

        assert_int_equal(c->start, at);
        assert_true(c->end > c->start);
        at = c->end;
        buf_printf(&out, "%u", c->line);
        if (c->last_line != c->line)
            buf_printf(&out, "-%u", c->last_line);
        buf_printf(&out, "%s%s%s%s", c->empty_before ? "e" : "", c->cut ? "c" : "",
                   c->keyed ? "k" : "", c->open ? "o" : "");
        if (c->comment) {
            buf_adds(&out, " #\n");
            continue;
        }
        buf_addc(&out, ':');
        inetd_flatten(&out, d, text, c);
        buf_addc(&out, '\n');
    }
    assert_int_equal(at, len);
    inetd_cuts_release(&cuts);
    return buf_steal(&out);
}

static void check(const char *dialect, const char *text, const char *want)
{
    char *got = cut_text(dialect, text, strlen(text));

    if (strcmp(got, want) != 0)
        fail_msg("%s, '%s': expected\n%sbut got\n%s", dialect, text, want, got);
    free(got);
}

static void test_simple(void **state)
{
    static const char *const all[] = {"openbsd", "inetutils", "busybox",
                                      "freebsd", "netbsd",    "classic"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        check(all[i], "", "");
        check(all[i], "\n", "1 #\n");
        check(all[i], "a b", "1:a b\n");
        check(all[i], "a b\n", "1:a b\n");
        check(all[i], "a b\nc\n", "1:a b\n2:c\n");
        check(all[i], "#x\na\n#y", "1 #\n2:a\n3 #\n");
        check(all[i], "a\n\n#\nb\n", "1:a\n2 #\n3 #\n4:b\n");
    }
}

static void test_comments(void **state)
{
    (void)state;
    check("openbsd", " #x\n", "1: #x\n");
    check("inetutils", " #x\n", "1: #x\n");
    check("busybox", " \t#x\n", "1 #\n");
    check("openbsd", "a b#c # d\n", "1:a b#c # d\n");
    check("inetutils", "a # d\n", "1:a # d\n");
    check("busybox", "a b#c # d\n", "1:a b      \n");
}

static void test_indented(void **state)
{
    (void)state;
    check("openbsd", "a\n b\n\tc\nd\n", "1-3:a  b \tc\n4:d\n");
    check("classic", "a\n b\n", "1-2:a  b\n");
    check("freebsd", "a\n b\n", "1-2:a  b\n");
    check("netbsd", "a\n b\n", "1-2:a  b\n");
    check("inetutils", "a\n b\n", "1:a\n2: b\n");
    check("busybox", "a\n b\n", "1:a\n2: b\n");
    check("openbsd", "#x\n b\n", "1 #\n2: b\n");
    check("openbsd", " a\n b\n", "1-2: a  b\n");
    check("openbsd", "a\n #x\n b\n", "1-3:a  #x  b\n");
}

/* A blank line joins what is indented below it; blank lines behind an entry's end are no part. */
static void test_blank_lines(void **state)
{
    (void)state;
    check("openbsd", "a\n\n\tb\n", "1:a\n2 #\n3e:\tb\n");
    check("openbsd", "\n \n\tb\n c\n", "1 #\n2 #\n3-4e:\tb  c\n");
    check("freebsd", "\n\tb\n", "1 #\n2:\tb\n");
    check("freebsd", " \n\tb\n", "1 #\n2e:\tb\n");
    check("openbsd", "a\n \n \nb\n", "1:a\n2 #\n3 #\n4:b\n");
    check("openbsd", "a\n  \n\tb\n  \n", "1-3:a    \tb\n4 #\n");
    check("inetutils", "\n\tb\n", "1 #\n2:\tb\n");
}

static void test_backslash(void **state)
{
    (void)state;
    check("busybox", "a \\\nb\n", "1-2:a   b\n");
    check("busybox", "# \\\nb\nc\n", "1-2 #\n3:c\n");
    check("busybox", "a \\\n\nb\n", "1-2:a   \n3:b\n");
    check("busybox", "a \\\n#b\nc\n", "1-2:a     \n3:c\n");
    check("busybox", "a \\", "1:a \\\n");
    check("busybox", "a \\\n", "1:a  \n");
    check("busybox", "a \\\r\nb\n", "1:a \\\r\n2:b\n");
    check("classic", "a\\\nb\n", "1-2:a  b\n");
    check("classic", "# \\\nb\n", "1 #\n2:b\n");
    check("openbsd", "a \\\nb\n", "1:a \\\n2:b\n");
    check("inetutils", "a \\\nb\n", "1:a \\\n2:b\n");
}

static void test_bytes(void **state)
{
    static const char nul[] = "a b\0c d\ne\n";
    char *got = cut_text("openbsd", nul, sizeof(nul) - 1);

    (void)state;
    assert_string_equal(got, "1:a b    \n2:e\n");
    free(got);
    check("openbsd", "a\r\nb\r\n", "1:a\r\n2:b\r\n");
    check("inetutils", "a\r\nb\rc \r\r\n", "1:a \n2:b\rc   \n");
    check("openbsd", "a \x01\x03\x04\n", "1:a ???\n");
    check("openbsd", "\xef\xbb\xbf# x\n", "1:\xef\xbb\xbf# x\n");
}

static void test_quotes(void **state)
{
    (void)state;
    check("inetutils", "\"a b\" 'c d' e\n", "1:\"a_b\" 'c_d' e\n");
    check("inetutils", "x\"a b\"\n", "1:x\"a b\"\n");
    check("inetutils", "\"a b\n\"c d\"\n", "1:\"a b\n2:\"c_d\"\n");
    check("netbsd", "x\"a b\" 'c\n", "1:x\"a_b\" 'c\n");
    check("freebsd", "\"a b\" c\n", "1:\"a_b\" c\n");
    check("openbsd", "\"a b\"\n", "1:\"a b\"\n");
    check("busybox", "\"a b\"\n", "1:\"a b\"\n");
}

static void test_address_apart(void **state)
{
    (void)state;
    check("openbsd", "1.2.3.4: a b\n", "1:         a b\n");
    check("openbsd", "1.2.3.4:\n", "1:1.2.3.4:\n");
    check("openbsd", "1.2.3.4: \n", "1:1.2.3.4: \n");
    check("inetutils", "1.2.3.4: a b\n", "1:1.2.3.4: a b\n");
}

static void test_keyed(void **state)
{
    (void)state;
    check("netbsd", "a on b = c;\nd\n", "1k:a on b = c;\n2:d\n");
    check("netbsd", "a on\n\tb = c, # d; e\ne =\nf ;  \ng\n",
          "1-4k:a on \tb = c,        e = f ;  \n5:g\n");
    check("netbsd", "a on# x\n b='c;d #' ;\n", "1-2k:a on     b='c_d__' ;\n");
    check("netbsd", "a\n\toff b=c;\n", "1-2k:a \toff b=c;\n");
    check("netbsd", "a on b=c; d on e=f;\n", "1ck:a on b=c; \n1ck:d on e=f;\n");
    check("netbsd", "a on b=c; # d\n e\n", "1k:a on b=c;    \n2: e\n");
    check("netbsd", "a on b=c\nd\n", "1-2ko:a on b=c d\n");
    check("netbsd", "a on b='c;\nd;\n", "1-2ko:a on b='c; d;\n");
    check("netbsd", "1.2.3.4: a on b=c;\n", "1k:         a on b=c;\n");
    check("netbsd", "a one b=c;\nd\n", "1:a one b=c;\n2:d\n");
    check("openbsd", "a on b=c\nd;\n", "1:a on b=c\n2:d;\n");
}

/* openbsd reads 1,023 bytes at a time; what is left of a line is a line, out of a comment too. */
static void test_limit(void **state)
{
    char text[2100], *got;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    snprintf(text + 1023, 8, "a b\n");
    got = cut_text("openbsd", text, 1027);
    assert_string_equal(got, "1c #\n1c:a b\n");
    free(got);
    got = cut_text("inetutils", text, 1027);
    assert_string_equal(got, "1 #\n");
    free(got);

    /* The newline is read with the line: with 1,023 bytes before it, it is a line of its own. */
    text[1022] = '\n';
    got = cut_text("openbsd", text, 1023);
    assert_string_equal(got, "1 #\n");
    free(got);
    text[1022] = 'x';
    text[1023] = '\n';
    got = cut_text("openbsd", text, 1024);
    assert_string_equal(got, "1c #\n1c #\n");
    free(got);

    /* Where the rest starts with a blank, it goes on with the entry. */
    memset(text, 'x', 1023);
    text[1023] = ' ';
    text[1024] = 'y';
    text[1025] = '\n';
    got = cut_text("openbsd", text, 1026);
    assert_true(text_starts(got, "1:xxx"));
    assert_string_equal(got + strlen(got) - 4, "x y\n");
    free(got);
}

static void test_marks(void **state)
{
    const struct dialect *d = dialect_find("openbsd");
    static const struct {
        const char *text, *flat;
    } rows[] = {
        {"#<off># ftp x", "####### ftp x"},
        {"# <off># ftp",  "# ###### ftp" },
        {"#<off> ftp",    "#<off> ftp"   },
        {"#<a b># ftp",   "#<a b># ftp"  },
        {"## ftp",        "## ftp"       },
        {"#<",            "#<"           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct inetd_cuts cuts = {0};
        struct buf out = BUF_INIT;

        inetd_cut(&cuts, d, rows[i].text, strlen(rows[i].text));
        assert_int_equal(cuts.n, 1);
        inetd_flatten(&out, d, rows[i].text, &cuts.v[0]);
        assert_string_equal(buf_str(&out), rows[i].flat);
        inetd_cuts_release(&cuts);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple),    cmocka_unit_test(test_comments),
        cmocka_unit_test(test_indented),  cmocka_unit_test(test_blank_lines),
        cmocka_unit_test(test_backslash), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_quotes),    cmocka_unit_test(test_address_apart),
        cmocka_unit_test(test_keyed),     cmocka_unit_test(test_limit),
        cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
