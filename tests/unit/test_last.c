#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/history/txn_int.h"
#include "batten/mem.h"
#include "host_plan.h"

enum { CHANGES_MAX = 8 };

/* "CHANGE IDENT" of each row of last.json, with a comma behind. */
static char *closed_rows(struct history *history, struct diag *d)
{
    struct history_closed *closed;
    struct buf rows = BUF_INIT;
    size_t n;

    if (history_closed(history, &closed, &n, d) != 0)
        fail_msg("%s", d->message);
    for (size_t i = 0; i < n; i++)
        buf_printf(&rows, "%u %s,", closed[i].change, closed[i].ident);
    history_closed_free(closed, n);
    return buf_steal(&rows);
}

/* What stands closed after changes whose edits are EDITS[0], EDITS[1] ... */
static void expect_closed(const char *const edits[CHANGES_MAX], const char *want)
{
    struct host h;
    struct history *history;
    struct repo *repo;
    struct buf last = BUF_INIT;
    char id[REPO_ID] = "", parent[REPO_ID];
    char *rows;

    host_make(&h);
    history = host_history(&h);
    assert_int_equal(history_repo(history, true, &repo, &h.d), 0);
    for (unsigned i = 0; i < CHANGES_MAX && edits[i] != NULL; i++) {
        char *message =
            mem_printf("x\n\nChange: %u\nKind: close\nEdit: 1,1 1,1 comment %s\n", i + 1, edits[i]);
        struct repo_commit c = {.author = "batten", .message = message};

        memcpy(parent, id, sizeof(parent));
        c.parent = i > 0 ? parent : NULL;
        assert_int_equal(repo_write_commit(repo, &c, id, &h.d), 0);
        free(message);
    }
    if (last_make(history, id, &last, &h.d) != 0 ||
        history_state_write(history, "last.json", buf_str(&last), last.len, &h.d) != 0)
        fail_msg("%s", h.d.message);
    rows = closed_rows(history, &h.d);
    assert_string_equal(rows, want);
    free(rows);
    buf_release(&last);
    history_free(history);
    host_remove(&h);
}

/* Edits of earlier versions have no ident: each may be that of any edit of its file and name. */
static void an_edit_without_ident_is_any_of_its_name(void **state)
{
#define OLD    "- telnet telnet etc/inetd.conf"
#define NEW(x) OLD " " x
#define UNDO   "2.1 telnet telnet etc/inetd.conf"

    (void)state;
    expect_closed((const char *[CHANGES_MAX]){OLD}, "1 ,");
    expect_closed((const char *[CHANGES_MAX]){OLD, OLD}, "2 ,");
    expect_closed((const char *[CHANGES_MAX]){NEW("a"), NEW("b")}, "1 a,2 b,");
    expect_closed((const char *[CHANGES_MAX]){NEW("a"), NEW("b"), NEW("a")}, "2 b,3 a,");
    /* closed, turned on by hand, closed again by this version: one entry */
    expect_closed((const char *[CHANGES_MAX]){OLD, NEW("a")}, "2 a,");
    expect_closed((const char *[CHANGES_MAX]){OLD, NEW("a"), NEW("b")}, "2 a,3 b,");
    expect_closed((const char *[CHANGES_MAX]){NEW("a"), OLD, NEW("b")}, "3 b,");
    expect_closed((const char *[CHANGES_MAX]){NEW("a"), NEW("b"), OLD}, "3 ,");
    /* and taken back: what is open is wanted so */
    expect_closed((const char *[CHANGES_MAX]){OLD, NEW("a"), UNDO}, "");
    expect_closed((const char *[CHANGES_MAX]){OLD, NEW("a"), UNDO " a"}, "");
    expect_closed((const char *[CHANGES_MAX]){NEW("b"), NEW("a"), UNDO " a"}, "1 b,");
    /* other names and files are others */
    expect_closed((const char *[CHANGES_MAX]){OLD, "- ftp ftp etc/inetd.conf a"}, "1 ,2 a,");
    expect_closed((const char *[CHANGES_MAX]){OLD, "- telnet telnet etc/other a"}, "1 ,2 a,");
}

static void rows_of_earlier_versions_are_read(void **state)
{
    static const char last[] =
        "{\"schema\": 1, \"files\": [], \"closed\": [\n"
        "{\"path\": \"etc/inetd.conf\", \"service\": \"telnet\", \"name\": \"telnet\","
        " \"change\": 1, \"time\": 5},\n"
        "{\"path\": \"etc/inetd.conf\", \"service\": \"ftp\", \"name\": \"ftp\", \"ident\": 7,"
        " \"change\": 2, \"time\": 6},\n"
        "{\"path\": \"etc/inetd.conf\", \"service\": \"pop\", \"name\": \"pop3\", \"ident\": \"a\","
        " \"change\": 3, \"time\": 7}]}\n";
    struct host h;
    struct history *history;
    char *rows;

    (void)state;
    host_make(&h);
    history = host_history(&h);
    assert_int_equal(history_state_write(history, "last.json", last, strlen(last), &h.d), 0);
    rows = closed_rows(history, &h.d);
    assert_string_equal(rows, "1 ,3 a,");
    free(rows);
    history_free(history);
    host_remove(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_without_ident_is_any_of_its_name),
        cmocka_unit_test(rows_of_earlier_versions_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
