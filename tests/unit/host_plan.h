/*
 * host_plan.h - a small root with a history, and plans that comment lines out, for the tests of
 * history
 *
 *     struct host h;
 *     host_make(&h);                              // etc/inetd.conf with five entries
 *     number = host_close(&h, "telnet");          // a change that comments its line out
 *     host_remove(&h);
 */
#ifndef BATTEN_TESTS_HOST_PLAN_H
#define BATTEN_TESTS_HOST_PLAN_H

#include "batten/diag.h"
#include "batten/edit.h"
#include "batten/history.h"
#include "batten/plan.h"
#include "batten/source.h"
#include "batten/txn.h"
#include "tree.h"

#define HOST_CONF "etc/inetd.conf"

static const char host_text[] = "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
                                "telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n"
                                "finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
                                "pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n"
                                "imap2 stream tcp nowait root /usr/sbin/imapd imapd\n";

struct host {
    struct tree t;
    struct root *root;
    struct diag d;
    const char *history; /* --history, NULL for the usual place */
    enum history_mode mode;
};

/* What one run reads and plans. */
struct host_run {
    struct source source;
    struct file_meta meta;
    struct plan plan;
    struct plan_file file;
};

TREE_FN void host_make(struct host *h)
{
    *h = (struct host){.d = DIAG_INIT, .mode = HISTORY_WRITE};
    tree_make(&h->t);
    tree_write(&h->t, HOST_CONF, host_text);
    assert_int_equal(root_open(&h->root, h->t.dir, true, &h->d), 0);
}

TREE_FN void host_remove(struct host *h)
{
    diag_release(&h->d);
    root_free(h->root);
    tree_remove(&h->t);
}

TREE_FN struct history *host_history(struct host *h)
{
    struct history *history = NULL;

    if (history_open(&history, h->root, h->history, h->mode, &h->d) != 0)
        fail_msg("%s", h->d.message);
    return history;
}

TREE_FN void run_read(struct host *h, struct host_run *r, const char *path)
{
    struct buf bytes = BUF_INIT;

    *r = (struct host_run){0};
    assert_int_equal(root_read(h->root, path, SOURCE_MAX, &bytes, &r->meta, &h->d), ROOT_OK);
    r->source.path = mem_strdup(path);
    r->source.len = bytes.len;
    r->source.bytes = buf_steal(&bytes);
}

/* Comment out the first line that begins with WORD and a blank. */
TREE_FN void run_comment(struct host_run *r, const char *word)
{
    char *mark = mem_printf("%s ", word);
    const char *line = r->source.bytes, *end;
    struct edit *e;

    while (strncmp(line, mark, strlen(mark)) != 0) {
        line = strchr(line, '\n');
        assert_non_null(line);
        line++;
    }
    end = strchr(line, '\n');
    end = end ? end + 1 : line + strlen(line);
    e = edits_new(&r->plan.edits, &r->source, (size_t)(line - r->source.bytes),
                  (size_t)(end - r->source.bytes));
    e->kind = "comment";
    e->after = mem_printf("#%s", e->before);
    e->after_len = strlen(e->after);
    e->service = mem_strdup(word);
    e->name = mem_strdup(word);
    free(mark);
}

TREE_FN void run_finish(struct host *h, struct host_run *r)
{
    r->plan.files = &r->file;
    r->plan.nfiles = 1;
    r->plan.reload = true;
    r->file.source = &r->source;
    assert_int_equal(edits_apply(&r->source, &r->plan.edits, &r->file.after, &h->d), 0);
}

TREE_FN void run_release(struct host_run *r)
{
    edits_release(&r->plan.edits);
    buf_release(&r->file.after);
    file_meta_release(&r->meta);
    free(r->source.path);
    free(r->source.bytes);
}

/* Carry R out. Returns txn_commit's result; *NUMBER gets the change. */
TREE_FN int run_commit(struct host *h, struct host_run *r, unsigned *number)
{
    struct history *history = host_history(h);
    struct txn_options o = {.version = "test"};
    struct txn *t = NULL;
    int rc = txn_begin(&t, h->root, history, 1000, &h->d);

    if (rc == 0)
        rc = txn_commit(t, &r->plan, &r->meta, &o, number, &h->d);
    txn_end(t);
    history_free(history);
    return rc;
}

TREE_FN unsigned host_close(struct host *h, const char *word)
{
    struct host_run r;
    unsigned number = 0;

    run_read(h, &r, HOST_CONF);
    run_comment(&r, word);
    run_finish(h, &r);
    if (run_commit(h, &r, &number) != 0)
        fail_msg("%s", h->d.message);
    run_release(&r);
    return number;
}

#endif
