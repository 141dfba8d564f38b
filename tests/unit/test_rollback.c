#include "batten/rollback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "host_plan.h"

/* Files as the command reads them: kept until the end. */
struct reader {
    struct host *h;
    struct source sources[4];
    struct file_meta metas[4];
    size_t n;
};

static enum root_result read_source(void *ctx, const char *path, const struct source **out,
                                    struct diag *d)
{
    struct reader *r = ctx;
    struct buf bytes = BUF_INIT;
    struct source *s = &r->sources[r->n];
    enum root_result got = root_read(r->h->root, path, SOURCE_MAX, &bytes, &r->metas[r->n], d);

    if (got != ROOT_OK) {
        buf_release(&bytes);
        return got;
    }
    s->path = mem_strdup(path);
    s->len = bytes.len;
    s->bytes = buf_steal(&bytes);
    r->n++;
    *out = s;
    return ROOT_OK;
}

static void reader_release(struct reader *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->sources[i].path);
        free(r->sources[i].bytes);
        file_meta_release(&r->metas[i]);
    }
}

struct outcome {
    size_t edits, skips;
    unsigned number;
    char reason[512];
};

static struct outcome undo(struct host *h, struct rollback_request q)
{
    struct outcome o = {0};
    struct reader r = {.h = h};
    struct plan plan = {0};
    struct history *history = host_history(h);
    struct txn_options options = {.version = "test"};
    struct txn *t = NULL;

    if (txn_begin(&t, h->root, history, 1000, &h->d) != 0 ||
        rollback_plan(&plan, history, &q, read_source, &r, &h->d) != 0)
        fail_msg("%s", h->d.message);
    o.edits = plan.edits.n;
    o.skips = plan.nskips;
    for (size_t i = 0; i < plan.nskips; i++) {
        assert_string_equal(plan.skips[i].code, "conflict");
        snprintf(o.reason, sizeof(o.reason), "%u: %s", plan.skips[i].line, plan.skips[i].reason);
    }
    if (plan.nfiles > 0) {
        struct file_meta *metas = mem_array(plan.nfiles, sizeof(*metas));

        for (size_t i = 0; i < plan.nfiles; i++)
            metas[i] = r.metas[plan.files[i].source - r.sources];
        if (txn_commit(t, &plan, metas, &options, &o.number, &h->d) != 0)
            fail_msg("%s", h->d.message);
        free(metas);
    }
    txn_end(t);
    history_free(history);
    plan_release(&plan);
    reader_release(&r);
    return o;
}

static void expect_undo(struct host *h, struct rollback_request q, size_t edits, size_t skips)
{
    struct outcome o = undo(h, q);

    assert_int_equal(o.edits, edits);
    assert_int_equal(o.skips, skips);
}

static const struct rollback_request bare = {0};
static const struct rollback_request all = {.all = true};

static void bare_walks_back(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    host_close(&h, "finger");
    expect_undo(&h, bare, 1, 0);
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, host_text);
    expect_undo(&h, bare, 0, 0);
    tree_expect(&h.t, HOST_CONF, host_text);
    host_remove(&h);
}

/* The change whose script is given when none is named, 0 for none. */
static unsigned newest_script(struct host *h)
{
    struct history *history = host_history(h);
    struct buf out = BUF_INIT;
    unsigned number = 0;
    int rc = history_script(history, 0, &out, &h->d);

    if (rc == 0)
        assert_int_equal(sscanf(buf_str(&out), "#!/bin/sh\n# Takes change %u", &number), 1);
    else
        assert_string_equal(h->d.code, "no-change");
    diag_release(&h->d);
    buf_release(&out);
    history_free(history);
    return number;
}

static void the_script_is_of_the_newest_in_effect(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    assert_int_equal(newest_script(&h), 0);
    host_close(&h, "telnet");
    host_close(&h, "finger");
    assert_int_equal(newest_script(&h), 2);
    expect_undo(&h, bare, 1, 0);
    assert_int_equal(newest_script(&h), 1);
    expect_undo(&h, bare, 1, 0);
    assert_int_equal(newest_script(&h), 0);
    host_remove(&h);
}

static void every_order_of_services(void **state)
{
    static const char *const names[] = {"telnet", "finger", "pop3"};

    (void)state;
    for (int order = 0; order < 6; order++) {
        struct host h;
        struct host_run r;
        unsigned number;
        int first = order / 2, second = (first + 1 + order % 2) % 3;

        host_make(&h);
        run_read(&h, &r, HOST_CONF);
        for (int i = 0; i < 3; i++)
            run_comment(&r, names[i]);
        run_finish(&h, &r);
        assert_int_equal(run_commit(&h, &r, &number), 0);
        run_release(&r);
        expect_undo(&h, (struct rollback_request){.service = names[first]}, 1, 0);
        expect_undo(&h, (struct rollback_request){.service = names[first]}, 0, 0);
        expect_undo(&h, (struct rollback_request){.service = names[second]}, 1, 0);
        expect_undo(&h, (struct rollback_request){.service = names[3 - first - second]}, 1, 0);
        tree_expect(&h.t, HOST_CONF, host_text);
        expect_undo(&h, all, 0, 0);
        host_remove(&h);
    }
}

static void neighbours_stay_as_edited(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    host_close(&h, "finger");
    host_close(&h, "pop3");
    tree_write(&h.t, HOST_CONF,
               "# a new first line\n"
               "ftp stream tcp nowait root /usr/sbin/ftpd ftpd -l\n"
               "#telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n"
               "# put between\n"
               "#finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
               "#pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n"
               "# put behind\n");
    expect_undo(&h, (struct rollback_request){.change = 1}, 1, 0);
    expect_undo(&h, all, 2, 0);
    tree_expect(&h.t, HOST_CONF,
                "# a new first line\n"
                "ftp stream tcp nowait root /usr/sbin/ftpd ftpd -l\n"
                "telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n"
                "# put between\n"
                "finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
                "pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n"
                "# put behind\n");
    host_remove(&h);
}

static void a_sorted_file_is_understood(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    host_close(&h, "finger");
    tree_write(&h.t, HOST_CONF,
               "#finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
               "#telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n"
               "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
               "imap2 stream tcp nowait root /usr/sbin/imapd imapd\n"
               "pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n");
    expect_undo(&h, (struct rollback_request){.service = "telnet"}, 1, 0);
    expect_undo(&h, all, 1, 0);
    tree_expect(&h.t, HOST_CONF,
                "finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
                "telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n"
                "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
                "imap2 stream tcp nowait root /usr/sbin/imapd imapd\n"
                "pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n");
    host_remove(&h);
}

static void a_conflict_shows_both_sides(void **state)
{
    struct host h;
    struct host_run r;
    struct outcome o;
    unsigned number;

    (void)state;
    host_make(&h);
    run_read(&h, &r, HOST_CONF);
    run_comment(&r, "telnet");
    run_comment(&r, "pop3");
    run_finish(&h, &r);
    assert_int_equal(run_commit(&h, &r, &number), 0);
    run_release(&r);
    tree_write(&h.t, HOST_CONF,
               "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
               "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -h\n"
               "finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
               "#pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n");
    o = undo(&h, bare);
    assert_int_equal(o.edits, 1);
    assert_int_equal(o.skips, 1);
    assert_string_equal(o.reason,
                        "2: batten wrote '#telnet stream tcp nowait root /usr/sbin/telnetd "
                        "telnetd', the file now has 'telnet stream tcp nowait root "
                        "/usr/sbin/telnetd telnetd -h'");
    tree_expect(&h.t, HOST_CONF,
                "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
                "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -h\n"
                "finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
                "pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n");
    tree_write(&h.t, HOST_CONF,
               "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
               "finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n");
    o = undo(&h, bare);
    assert_int_equal(o.edits, 0);
    assert_non_null(strstr(o.reason, ", which is gone"));
    tree_unlink(&h.t, HOST_CONF);
    o = undo(&h, bare);
    assert_string_equal(o.reason, "2: the file is gone");
    host_remove(&h);
}

static void what_the_admin_opened_is_passed_over(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    host_close(&h, "ftp");
    tree_write(&h.t, HOST_CONF,
               "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
               "#telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n");
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF,
                "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
                "telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n");
    expect_undo(&h, bare, 0, 0);
    host_remove(&h);
}

/* Closed, opened by hand, closed again: the lines belong to the newer change. */
static void the_newer_of_two_equal_edits_counts(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    tree_write(&h.t, HOST_CONF, host_text);
    assert_int_equal(host_close(&h, "telnet"), 2);
    expect_undo(&h, (struct rollback_request){.change = 1}, 0, 0);
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, host_text);
    expect_undo(&h, bare, 0, 0);
    host_remove(&h);
}

static void a_rollback_can_be_rolled_back(void **state)
{
    struct host h;
    char *closed;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    closed = tree_read(&h.t, HOST_CONF);
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, host_text);
    expect_undo(&h, (struct rollback_request){.change = 2}, 1, 0);
    tree_expect(&h.t, HOST_CONF, closed);
    expect_undo(&h, (struct rollback_request){.change = 2}, 0, 0);
    expect_undo(&h, (struct rollback_request){.change = 3}, 1, 0);
    tree_expect(&h.t, HOST_CONF, host_text);
    expect_undo(&h, bare, 0, 0);
    expect_undo(&h, (struct rollback_request){.change = 4}, 1, 0);
    tree_expect(&h.t, HOST_CONF, closed);
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, host_text);
    free(closed);
    host_remove(&h);
}

static void an_entry_is_named_by_its_line(void **state)
{
    struct host h;
    struct rollback_request q = {.path = HOST_CONF, .line = 3};
    char *text, *more;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    host_close(&h, "finger");
    text = tree_read(&h.t, HOST_CONF);
    more = mem_printf("# first\n%s", text);
    tree_write(&h.t, HOST_CONF, more);
    free(text);
    free(more);
    /* line 3 is telnet now; it was finger then */
    expect_undo(&h, q, 1, 0);
    text = tree_read(&h.t, HOST_CONF);
    assert_non_null(strstr(text, "\ntelnet "));
    assert_non_null(strstr(text, "\n#finger "));
    free(text);
    /* and line 3 then, as no edit in effect stands there now */
    expect_undo(&h, q, 1, 0);
    text = tree_read(&h.t, HOST_CONF);
    assert_non_null(strstr(text, "\nfinger "));
    free(text);
    expect_undo(&h, (struct rollback_request){.path = "etc/other", .line = 3}, 0, 0);
    host_remove(&h);
}

static void the_end_of_the_file_stays(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    tree_write(&h.t, HOST_CONF, "ftp a\r\ntelnet b");
    host_close(&h, "telnet");
    tree_expect(&h.t, HOST_CONF, "ftp a\r\n#telnet b");
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, "ftp a\r\ntelnet b");
    host_close(&h, "telnet");
    tree_write(&h.t, HOST_CONF, "ftp a\r\n#telnet b\n# appended\n");
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, "ftp a\r\ntelnet b\n# appended\n");
    host_close(&h, "telnet");
    tree_write(&h.t, HOST_CONF, "#telnet b");
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, "telnet b");
    host_remove(&h);
}

static void equal_lines_are_told_apart(void **state)
{
    struct host h;

    (void)state;
    host_make(&h);
    tree_write(&h.t, HOST_CONF, "#telnet x\n1\ntelnet x\n2\n#telnet x\n");
    host_close(&h, "telnet");
    tree_write(&h.t, HOST_CONF, "0\n#telnet x\n1\n1b\n#telnet x\n2b\n#telnet x\n3\n");
    expect_undo(&h, bare, 1, 0);
    tree_expect(&h.t, HOST_CONF, "0\n#telnet x\n1\n1b\ntelnet x\n2b\n#telnet x\n3\n");
    host_remove(&h);
}

static void unknown_changes_are_refused(void **state)
{
    struct host h;
    struct history *history;
    struct reader r = {.h = &h};
    struct plan plan = {0};
    struct rollback_request q = {.change = 9};

    (void)state;
    host_make(&h);
    expect_undo(&h, bare, 0, 0);
    host_close(&h, "telnet");
    history = host_history(&h);
    assert_int_equal(rollback_plan(&plan, history, &q, read_source, &r, &h.d), -1);
    assert_string_equal(h.d.code, "no-change");
    reader_release(&r);
    plan_release(&plan);
    history_free(history);
    host_remove(&h);
}

/* The file as a model keeps it: unique lines, each closed by batten or not. */
struct model {
    struct {
        char text[40];
        bool closed;
    } v[64];
    size_t n;
    unsigned serial;
};

static unsigned seed;

static unsigned random_below(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

static void model_insert(struct model *m, size_t at)
{
    if (m->n == ARRAY_LEN(m->v))
        return;
    memmove(&m->v[at + 1], &m->v[at], (m->n - at) * sizeof(m->v[0]));
    m->v[at].closed = false;
    snprintf(m->v[at].text, sizeof(m->v[at].text), "s%u stream", ++m->serial);
    m->n++;
}

static void model_write(struct host *h, const struct model *m)
{
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < m->n; i++)
        buf_printf(&text, "%s%s\n", m->v[i].closed ? "#" : "", m->v[i].text);
    tree_write(&h->t, HOST_CONF, buf_str(&text));
    buf_release(&text);
}

/* Read back which lines are closed; the texts must be those of the model. */
static void model_read(struct host *h, struct model *m)
{
    char *text = tree_read(&h->t, HOST_CONF), *save = NULL, *line = text;

    for (size_t i = 0; i < m->n; i++) {
        line = strtok_r(i == 0 ? text : NULL, "\n", &save);
        assert_non_null(line);
        m->v[i].closed = line[0] == '#';
        assert_string_equal(line + (line[0] == '#'), m->v[i].text);
    }
    assert_null(strtok_r(m->n ? NULL : text, "\n", &save));
    free(text);
}

static void admin_step(struct host *h, struct model *m)
{
    for (unsigned times = 1 + random_below(3); times > 0; times--) {
        size_t at = random_below((unsigned)m->n);

        switch (random_below(4)) {
        case 0:
            model_insert(m, random_below((unsigned)m->n + 1));
            break;
        case 1:
            if (m->v[at].closed || m->n < 5)
                break;
            memmove(&m->v[at], &m->v[at + 1], (m->n - at - 1) * sizeof(m->v[0]));
            m->n--;
            break;
        case 2:
            if (!m->v[at].closed)
                snprintf(m->v[at].text, sizeof(m->v[at].text), "s%u changed", ++m->serial);
            break;
        default:
            m->v[at].closed = false; /* opened by hand */
            break;
        }
    }
    model_write(h, m);
}

static void batten_step(struct host *h, struct model *m, unsigned *newest)
{
    size_t at = random_below((unsigned)m->n);
    char word[16];
    struct outcome o = {0};

    snprintf(word, sizeof(word), "%.*s", (int)strcspn(m->v[at].text, " "), m->v[at].text);
    switch (random_below(5)) {
    case 0:
    case 1:
        if (!m->v[at].closed)
            *newest = host_close(h, word);
        break;
    case 2:
        o = undo(h, (struct rollback_request){.service = word});
        break;
    case 3:
        o = undo(h, bare);
        break;
    default:
        if (*newest > 0)
            o = undo(h, (struct rollback_request){.change = 1 + random_below(*newest)});
        break;
    }
    *newest = o.number > *newest ? o.number : *newest;
}

static void random_sequences_keep_what_the_admin_did(void **state)
{
    const char *rounds = getenv("BATTEN_ROUNDS"), *is_long = getenv("BATTEN_LONG");
    unsigned n = rounds ? (unsigned)strtoul(rounds, NULL, 10) : is_long && *is_long ? 40 : 10;

    (void)state;
    for (unsigned round = 1; round <= n; round++) {
        struct host h;
        struct model m = {0};
        unsigned newest = 0;
        struct outcome o;

        seed = round;
        host_make(&h);
        for (int i = 0; i < 6; i++)
            model_insert(&m, m.n);
        model_write(&h, &m);
        for (int step = 0; step < 14; step++) {
            if (random_below(2) == 0)
                admin_step(&h, &m);
            else
                batten_step(&h, &m, &newest);
            model_read(&h, &m);
        }
        o = undo(&h, all);
        model_read(&h, &m);
        for (size_t i = 0; i < m.n; i++)
            if (m.v[i].closed)
                fail_msg("round %u: '%s' is still closed (%zu conflicts: %s)", round, m.v[i].text,
                         o.skips, o.reason);
        host_remove(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_walks_back),
        cmocka_unit_test(the_script_is_of_the_newest_in_effect),
        cmocka_unit_test(every_order_of_services),
        cmocka_unit_test(neighbours_stay_as_edited),
        cmocka_unit_test(a_sorted_file_is_understood),
        cmocka_unit_test(a_conflict_shows_both_sides),
        cmocka_unit_test(what_the_admin_opened_is_passed_over),
        cmocka_unit_test(the_newer_of_two_equal_edits_counts),
        cmocka_unit_test(a_rollback_can_be_rolled_back),
        cmocka_unit_test(an_entry_is_named_by_its_line),
        cmocka_unit_test(the_end_of_the_file_stays),
        cmocka_unit_test(equal_lines_are_told_apart),
        cmocka_unit_test(unknown_changes_are_refused),
        cmocka_unit_test(random_sequences_keep_what_the_admin_did),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
