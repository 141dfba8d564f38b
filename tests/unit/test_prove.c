/* The edit proof, with edits that do more than they say: each must be caught. */
#include "inetd_case.h"

#define TELNET "telnet stream tcp nowait root /t t\n"
#define FINGER "finger stream tcp nowait root /f f\n"
#define POP3   "pop3 stream tcp nowait root /p p\n"

/* Replace line FIRST to LAST of TEXT by AFTER and say that the entries starting on those lines go.
 * FINAL: the bytes shown to the proof, NULL for those the edit gives. */
struct attempt {
    const char *dialect, *text;
    unsigned first, last;
    const char *after, *final;
};

static size_t line_start(const char *text, unsigned line)
{
    const char *at = text;

    while (--line > 0)
        at = strchr(at, '\n') + 1;
    return (size_t)(at - text);
}

static int prove(const struct attempt *a, struct diag *d)
{
    const struct entry *gone[8];
    struct edits edits = {0};
    struct buf after = BUF_INIT;
    struct source source;
    struct inetd_case c;
    struct edit *e;
    size_t ngone = 0;
    int rc;

    case_text(&c, a->dialect, a->text);
    for (size_t i = 0; i < c.parse.entries.n; i++)
        if (c.parse.entries.v[i]->line >= a->first && c.parse.entries.v[i]->line <= a->last)
            gone[ngone++] = c.parse.entries.v[i];
    e = edits_new(&edits, &c.source, line_start(a->text, a->first),
                  line_start(a->text, a->last + 1));
    e->line = a->first;
    e->last_line = a->last;
    e->after = mem_strdup(a->after);
    e->after_len = strlen(a->after);
    assert_int_equal(edits_apply(&c.source, &edits, &after, d), 0);
    if (a->final != NULL) {
        buf_clear(&after);
        buf_adds(&after, a->final);
    }
    source = (struct source){c.path, after.data, after.len};
    rc = starter_prove(&c.parse, &c.source, &edits, &source, gone, ngone, d);
    edits_release(&edits);
    buf_release(&after);
    case_free(&c);
    return rc;
}

static void passes(struct attempt a)
{
    struct diag d = DIAG_INIT;

    if (prove(&a, &d) != 0)
        fail_msg("'%s': %s", a.text, d.message);
}

static void fails(struct attempt a)
{
    struct diag d = DIAG_INIT;

    if (prove(&a, &d) == 0)
        fail_msg("'%s' with '%s' went through", a.text, a.after);
    assert_int_equal(d.status, STATUS_REFUSED);
    assert_string_equal(d.code, "proof-failed");
    assert_string_equal(d.path, "etc/inetd.conf");
    diag_release(&d);
}

static void test_passes(void **state)
{
    (void)state;
    passes((struct attempt){"openbsd", TELNET FINGER, 1, 1, "#" TELNET, NULL});
    passes((struct attempt){"openbsd", TELNET FINGER, 1, 1, "", NULL});
    passes((struct attempt){"openbsd", TELNET FINGER, 1, 1, "# gone\n# for good\n", NULL});
    passes((struct attempt){"openbsd", TELNET FINGER POP3, 1, 2, "#" TELNET "#" FINGER, NULL});
    passes((struct attempt){"openbsd", "what\n" TELNET "is this\n", 2, 2, "#" TELNET, NULL});
}

static void test_bytes(void **state)
{
    (void)state;
    fails((struct attempt){"openbsd", TELNET FINGER, 1, 1, "#" TELNET, "#" TELNET FINGER "\n"});
    fails((struct attempt){"openbsd", TELNET FINGER, 1, 1, "#" TELNET, "#" TELNET "#" FINGER});
    fails((struct attempt){"openbsd", TELNET "# a\n", 1, 1, "#" TELNET, "#" TELNET "# b\n"});
}

static void test_not_gone(void **state)
{
    (void)state;
    fails((struct attempt){"openbsd", TELNET FINGER, 1, 1, TELNET, NULL});
    fails((struct attempt){"openbsd", TELNET FINGER, 1, 1,
                           "#" TELNET "ftp stream tcp nowait root /x x\n", NULL});
    /* A '#' behind a blank is no comment for openbsd, and nothing at all is off below. */
    fails((struct attempt){"openbsd", FINGER TELNET, 2, 2, " " TELNET, NULL});
}

/* The traps: an edit that changes what the lines around it mean. */
static void test_neighbours(void **state)
{
    (void)state;
    /* The first line alone: the second becomes an entry. */
    fails((struct attempt){"openbsd", "telnet stream tcp nowait root\n\t" FINGER, 1, 1,
                           "#telnet stream tcp nowait root\n", NULL});
    /* The line emptied instead: it joins the indented entry behind it. */
    fails((struct attempt){"openbsd", "#x\n" TELNET "\n\t" FINGER, 3, 3, "", NULL});
    /* A comment that swallows the next line. */
    fails((struct attempt){"busybox", TELNET FINGER, 1, 1, "# telnet \\\n", NULL});
    /* An entry that swallows it. */
    fails((struct attempt){"openbsd", "# x\n\t" TELNET, 1, 1, POP3, NULL});
    /* A new default address. */
    fails((struct attempt){"openbsd", TELNET FINGER, 1, 1, "127.0.0.1:\n", NULL});
    fails((struct attempt){"openbsd", "127.0.0.1:\n" FINGER, 1, 1, "#127.0.0.1:\n", NULL});
    /* A keyed entry without its end. */
    fails((struct attempt){"netbsd", "a on protocol = tcp,\nuser = root;\n" FINGER, 2, 2,
                           "#user = root;\n", NULL});
    /* A line nobody understands. */
    fails((struct attempt){"openbsd", "# x\n" FINGER, 1, 1, "what is this\n", NULL});
}

static void test_changed_fields(void **state)
{
    (void)state;
    fails((struct attempt){"openbsd", FINGER TELNET, 2, 2, POP3, NULL});
    fails((struct attempt){"openbsd", FINGER "# x\n", 2, 2, POP3, NULL});
    fails((struct attempt){"openbsd", "# x\n" FINGER, 1, 1, TELNET, NULL});
    fails((struct attempt){"openbsd", "# x\n" FINGER, 1, 1,
                           "#" TELNET "finger stream tcp nowait root /f g\n", NULL});
}

/* inetutils reads on: the default address of one file holds in the next. */
static void test_second_file(void **state)
{
    struct inetd_case c, second;
    struct edits edits = {0};
    struct buf after = BUF_INIT;
    struct diag d = DIAG_INIT;
    const struct entry *gone;
    struct source more;

    (void)state;
    case_text(&c, "inetutils", "127.0.0.1:\n" TELNET);
    case_text(&second, "inetutils", FINGER POP3);
    more = second.source;
    more.path = mem_strdup("etc/inetd.d/x");
    case_starter()->parse(&c.parse, &more);
    gone = c.parse.entries.v[1];
    assert_string_equal(gone->address, "127.0.0.1");
    assert_int_equal(case_starter()->disable(&c.parse, gone, &edits, &d), 0);
    assert_int_equal(edits_apply(&more, &edits, &after, &d), 0);
    second.source.bytes = after.data;
    second.source.len = after.len;
    if (starter_prove(&c.parse, &more, &edits, &second.source, &gone, 1, &d) != 0)
        fail_msg("%s", d.message);
    edits_release(&edits);
    free(more.path);
    buf_release(&after);
    case_free(&c);
    case_free(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes),         cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_not_gone),       cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_changed_fields), cmocka_unit_test(test_second_file),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
