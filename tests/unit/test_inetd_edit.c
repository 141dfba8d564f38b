#include "inetd_case.h"

/* Disable the entry that starts at LINE and compare the whole text; the proof must pass. */
static void check(const char *dialect, const char *text, unsigned line, const char *want)
{
    struct inetd_case c;
    struct edits edits = {0};
    struct buf after = BUF_INIT;
    struct diag d = DIAG_INIT;
    const struct entry *e;
    struct source source;

    case_text(&c, dialect, text);
    e = case_at(&c, line);
    if (e == NULL)
        fail_msg("%s, '%s': no entry in line %u", dialect, text, line);
    if (e->starter->disable(&c.parse, e, &edits, &d) != 0)
        fail_msg("%s, '%s': %s", dialect, text, d.message);
    assert_int_equal(edits.n, 1);
    assert_string_equal(edits.v[0].kind, "comment");
    assert_ptr_equal(edits.v[0].entry, e);
    assert_int_equal(edits.v[0].line, e->line);
    assert_int_equal(edits.v[0].last_line, e->last_line);
    assert_int_equal(edits_apply(&c.source, &edits, &after, &d), 0);
    if (strcmp(buf_str(&after), want) != 0)
        fail_msg("%s, '%s': expected\n%sbut got\n%s", dialect, text, want, buf_str(&after));
    source = (struct source){c.path, after.data, after.len};
    if (starter_prove(&c.parse, &c.source, &edits, &source, &e, 1, &d) != 0)
        fail_msg("%s, '%s': %s", dialect, text, d.message);
    edits_release(&edits);
    buf_release(&after);
    case_free(&c);
}

static void check_locked(const char *dialect, const char *text, size_t len, unsigned line,
                         const char *reason)
{
    struct inetd_case c;
    struct edits edits = {0};
    struct diag d = DIAG_INIT;
    const struct entry *e;

    case_bytes(&c, dialect, text, len);
    e = case_at(&c, line);
    assert_non_null(e);
    if (e->locked == NULL)
        fail_msg("%s, line %u is not locked", dialect, line);
    assert_string_equal(e->locked, reason);
    assert_int_equal(e->starter->disable(&c.parse, e, &edits, &d), -1);
    assert_int_equal(edits.n, 0);
    assert_int_equal(d.status, STATUS_ATTENTION);
    assert_string_equal(d.code, "locked");
    assert_int_equal(d.line, e->line);
    diag_release(&d);
    edits_release(&edits);
    case_free(&c);
}

#define FINGER "finger stream tcp nowait root /f f\n"
#define TELNET "telnet stream tcp nowait root /t t\n"

static void test_plain(void **state)
{
    (void)state;
    check("openbsd", TELNET FINGER, 1, "#" TELNET FINGER);
    check("openbsd", TELNET FINGER, 2, TELNET "#" FINGER);
    check("openbsd", "telnet stream tcp nowait root /t t", 1,
          "#telnet stream tcp nowait root /t t");
    check("inetutils", " \t" TELNET, 1, "# \t" TELNET);
    check("openbsd", "telnet stream tcp nowait root /t t\r\n", 1,
          "#telnet stream tcp nowait root /t t\r\n");
    check("busybox", TELNET "\n\n" FINGER, 1, "#" TELNET "\n\n" FINGER);
}

/* Every line of the entry gets its '#': one left behind would be an entry, or arguments. */
static void test_continued(void **state)
{
    (void)state;
    check("openbsd", "telnet stream tcp nowait root\n\tfinger stream tcp nowait root /f f\n" FINGER,
          1, "#telnet stream tcp nowait root\n#\tfinger stream tcp nowait root /f f\n" FINGER);
    check("openbsd", "telnet stream tcp nowait root\n  \n\t/t\n  \n" FINGER, 1,
          "#telnet stream tcp nowait root\n#  \n#\t/t\n  \n" FINGER);
    check("openbsd", TELNET " #" FINGER TELNET, 1, "#" TELNET "# #" FINGER TELNET);
    check("busybox", "telnet stream \\\n\\\n  tcp nowait root /t t\n" FINGER, 1,
          "#telnet stream \\\n#\\\n#  tcp nowait root /t t\n" FINGER);
    check("busybox", "telnet stream tcp nowait root /t t \\\n\n" FINGER, 1,
          "#telnet stream tcp nowait root /t t \\\n#\n" FINGER);
    check("busybox", "telnet stream tcp nowait root /t \\\n#t\n" FINGER, 1,
          "#telnet stream tcp nowait root /t \\\n##t\n" FINGER);
    check("classic", "telnet stream tcp nowait root /t t\\\n  -h\n" FINGER, 1,
          "#telnet stream tcp nowait root /t t\\\n#  -h\n" FINGER);
    check("netbsd", "telnet on\n\tprotocol = tcp, # x\n#y\nuser = root;\n" FINGER, 1,
          "#telnet on\n#\tprotocol = tcp, # x\n##y\n#user = root;\n" FINGER);
}

/* What is done to one entry must not change how its neighbours are read. */
static void test_neighbours(void **state)
{
    (void)state;
    /* The indented entry stays one by itself: a '#' line stands above it in place of an entry. */
    check("openbsd", "#x\n\t" TELNET FINGER, 2, "#x\n#\t" TELNET FINGER);
    check("openbsd", TELNET "\n\tfinger stream tcp4 nowait root /f f\n", 1,
          "#" TELNET "\n\tfinger stream tcp4 nowait root /f f\n");
    check("openbsd", TELNET "\n\t" FINGER, 3, TELNET "\n#\t" FINGER);
    check("openbsd", "#telnet stream tcp nowait root\n\t" FINGER, 2,
          "#telnet stream tcp nowait root\n#\t" FINGER);
    check("openbsd", "1.2.3.4:\n" TELNET "*:\n" FINGER, 2, "1.2.3.4:\n#" TELNET "*:\n" FINGER);
    check("busybox", "# \\\n" TELNET FINGER, 3, "# \\\n" TELNET "#" FINGER);
}

static void test_locked(void **state)
{
    char text[2100], *want;

    (void)state;
    check_locked("openbsd", TELNET "x\0y\n", strlen(TELNET) + 4, 1, "the file holds NUL bytes");
    check_locked("openbsd", "telnet stream tcp nowait root /t t\x03\n", 36, 1,
                 "it holds a control byte that the lens cannot carry");
    check_locked("netbsd", "@x stream tcp nowait root /t t\n", 31, 1,
                 "with a '#' in front it would be read as an IPsec policy");
    check_locked("netbsd", "a on b=c; d on e=f;\n", 20, 1, "it shares a line with another entry");
    memset(text, 'x', sizeof(text));
    memcpy(text, TELNET, strlen(TELNET) - 1);
    text[strlen(TELNET) - 1] = ' ';
    text[1022] = '\n';
    check_locked("openbsd", text, 1023, 1,
                 "a '#' would push line 1 over the 1023 bytes that the inetd reads at once");
    check_locked("openbsd", text, 1022, 1,
                 "a '#' would push line 1 over the 1023 bytes that the inetd reads at once");
    text[1021] = '\n';
    text[1022] = '\0';
    want = mem_printf("#%s", text);
    check("openbsd", text, 1, want);
    free(want);
}

static void test_long_entry(void **state)
{
    struct buf text = BUF_INIT;

    (void)state;
    buf_adds(&text, "telnet stream tcp nowait root /t t\n");
    for (int i = 0; i < LENS_LINES; i++)
        buf_adds(&text, " x\n");
    check_locked("openbsd", text.data, text.len, 1, "it spans more than 64 lines");
    buf_release(&text);
}

static void test_refused(void **state)
{
    struct inetd_case c;
    struct edits edits = {0};
    struct diag d = DIAG_INIT;

    (void)state;
    case_text(&c, "openbsd", "#" TELNET);
    assert_int_equal(case_starter()->disable(&c.parse, c.parse.entries.v[0], &edits, &d), -1);
    assert_string_equal(d.code, "disabled");
    assert_int_equal(edits.n, 0);
    diag_release(&d);
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),      cmocka_unit_test(test_continued),
        cmocka_unit_test(test_neighbours), cmocka_unit_test(test_locked),
        cmocka_unit_test(test_long_entry), cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
