#include "back.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "batten/dialect.h"
#include "batten/mem.h"
#include "cli.h"
#include "deadline.h"
#include "progress.h"
#include "survey.h"

static enum root_result read_now(void *ctx, const char *path, const struct source **out,
                                 struct diag *d)
{
    struct back *b = ctx;
    const struct scan_file *known = scan_file(&b->scan, path);
    enum root_result result = ROOT_OK;

    if (known == NULL)
        result = scan_extra(&b->scan, path, &known, d);
    if (known != NULL)
        *out = &known->source;
    return result;
}

/* The files and the dialect that the changes were made with: without them a script named by --rc
 * would get its text back and its daemon would not be known. */
static int scan_as_made(struct back *b, struct diag *d)
{
    struct history_changes all = {0};
    struct options o = b->c->o;
    struct strlist rc = {0};
    int result = -1;

    if (history_list(b->run.history, &all, d) != 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        for (size_t k = 0; k < all.v[i].rc.n; k++)
            if (!strlist_has(&rc, all.v[i].rc.v[k]))
                strlist_add(&rc, all.v[i].rc.v[k]);
        if (o.dialect == NULL && dialect_find(all.v[i].dialect ? all.v[i].dialect : "") != NULL)
            o.dialect = all.v[i].dialect;
    }
    o.rc = rc;
    result = scan_run(&b->scan, b->root, &o, d);
    strlist_release(&rc);
    history_changes_release(&all);
    return result;
}

/* Whether the files say the same afterwards cannot be told where a lens could not be loaded. */
static int check_lenses(const struct scan *s, struct diag *d)
{
    for (size_t i = 0; i < s->nparses; i++) {
        const struct problems *list = &s->parses[i].problems;

        for (size_t k = 0; k < list->n; k++)
            if (list->v[k].status == STATUS_SYSTEM)
                return diag_set(d, STATUS_SYSTEM, list->v[k].code, "%s", list->v[k].message);
    }
    return 0;
}

/* Whether an entry that is on stands on the line that --entry names: then that one is meant, and
 * not another that stood there once. */
static bool is_on_now(const struct scan *s, const struct rollback_request *r)
{
    for (size_t i = 0; r->path != NULL && i < s->entries.n; i++) {
        const struct entry *e = s->entries.v[i];

        if (e->enabled && e->line <= r->line && r->line <= e->last_line &&
            strcmp(e->source->path, r->path) == 0)
            return true;
    }
    return false;
}

int back_plan(struct back *b, const struct rollback_request *r, struct diag *d)
{
    struct rollback_request request = *r;
    struct plan *plan = &b->run.plan;

    if (scan_as_made(b, d) != 0 || check_lenses(&b->scan, d) != 0)
        return -1;
    request.line_now = is_on_now(&b->scan, r);
    plan->kind = PLAN_ROLLBACK;
    plan->dialect = b->scan.dialect;
    if (rollback_plan(plan, b->run.history, &request, read_now, b, d) != 0)
        return -1;
    if (plan_guard(plan, b->scan.parses, b->scan.nparses, d) != 0 ||
        plan_compare(plan, b->scan.parses, b->scan.nparses, d) != 0)
        return -1;
    return carry_diff(&b->run, d);
}

void back_release(struct back *b)
{
    carry_release(&b->run);
    scan_release(&b->scan);
    strlist_release(&b->wanted);
    root_free(b->root);
    b->root = NULL;
}

int back_older(struct back *b, unsigned change, unsigned *older, struct diag *d)
{
    enum { TRIES = 16 };
    int result = 0;

    *older = 0;
    for (int i = 0; i < TRIES && *older == 0 && change > 0 && result == 0; i++) {
        struct rollback_request request = {.before = change};
        struct back o = {.c = b->c, .root = b->root};

        o.run = (struct carry){.c = b->c, .root = b->root, .history = b->run.history};
        result = back_plan(&o, &request, d);
        change = o.run.plan.undoes;
        if (o.run.plan.edits.n > 0)
            *older = change;
        /* History and root are B's. */
        o.run.history = NULL;
        o.root = NULL;
        back_release(&o);
    }
    return result;
}

static int follow_again(struct back *b, unsigned change, struct diag *d)
{
    struct rollback_request request = {.change = change};
    struct plan *plan = &b->run.plan;
    struct follow_options o = {.wait_ms = b->c->o.wait_ms, .no_stop = b->c->o.no_stop};
    struct plan_sockets closes;

    if (back_plan(b, &request, d) != 0)
        return -1;
    closes = plan->opens;
    plan->opens = plan->closes;
    plan->closes = closes;
    for (size_t i = 0; i < plan->ndaemons; i++)
        plan->daemons[i].start = !plan->daemons[i].start;
    if (carry_look(&b->run, &b->scan, d) != 0)
        return -1;
    return follow_run(&b->run.result, plan, &b->run.before, &o, d);
}

int back_follow_left(struct carry *run, struct diag *d)
{
    const unsigned *numbers;
    size_t n = txn_unfollowed(run->txn, &numbers);
    int result = 0;

    for (size_t i = 0; i < n && result == 0; i++) {
        struct back b = {.c = run->c, .root = run->root};

        b.run = (struct carry){
            .c = run->c, .root = run->root, .history = run->history, .txn = run->txn};
        result = follow_again(&b, numbers[i], d);
        follow_result_release(&run->left);
        run->left = b.run.result;
        b.run.result = (struct follow_result){0};
        /* Lock, history and root are RUN's. */
        b.run.history = NULL;
        b.run.txn = NULL;
        b.root = NULL;
        back_release(&b);
    }
    if (result == 0)
        txn_followed(run->txn);
    return result;
}

bool back_is_expiry(const struct history_change *c)
{
    static const char *const reasons[] = {EXPIRED_TIME, EXPIRED_BOOT, EXPIRED_PROBE};

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (c->reason != NULL && strcmp(c->reason, reasons[i]) == 0)
            return strcmp(c->kind, "rollback") == 0;
    return false;
}

static void expired_words(struct buf *out, const struct expired *x)
{
    buf_printf(out, "change %u is undone: %s", x->change, x->reason);
    if (x->conflicts > 0)
        buf_printf(out, "; %zu of its edits %s left, changed by somebody else since", x->conflicts,
                   x->conflicts == 1 ? "is" : "are");
    if (x->by > 0)
        buf_printf(out, " (by change %u)", x->by);
}

void back_expired(const struct expired *x, struct diag *d)
{
    struct buf text = BUF_INIT;

    expired_words(&text, x);
    diag_set(d, STATUS_FAILED, "expired", "%s", buf_str(&text));
    if (x->conflicts > 0)
        diag_hint(d, "batten rollback %u", x->change);
    else
        diag_hint(d, "batten log");
    buf_release(&text);
}

void back_say_expired(const struct expired *x)
{
    struct buf text = BUF_INIT;

    expired_words(&text, x);
    progress_clear();
    fprintf(stderr, "batten: %s\n", buf_str(&text));
    buf_release(&text);
}

/* To syslog, why; that it was done the transaction tells. */
static void log_expired(const struct back *b, const struct expired *x)
{
    struct buf text = BUF_INIT;

    expired_words(&text, x);
    if (!root_offline(b->root))
        syslog(LOG_AUTHPRIV | (x->conflicts ? LOG_ERR : LOG_NOTICE), "%s", buf_str(&text));
    buf_release(&text);
}

/* DONE: there was nothing to undo; FAILED: it is undone; INCOMPLETE: it is not, D says why. */
static enum status expire(struct back *b, struct expired *x, struct diag *d)
{
    struct rollback_request request = {.change = x->change, .reason = x->reason};
    size_t edits, standing;

    if (deadline_standing(b->run.history, x->change, &edits, &standing, d) != 0)
        return STATUS_INCOMPLETE;
    /* Killed between the deadline and the first byte: there never was a change. */
    if (edits == 0)
        return deadline_clear(b->run.history, d) == 0 ? STATUS_DONE : STATUS_INCOMPLETE;
    if (back_plan(b, &request, d) != 0)
        return STATUS_INCOMPLETE;
    x->conflicts = b->run.plan.nskips;
    if (b->run.plan.edits.n > 0) {
        if (carry_look(&b->run, &b->scan, d) != 0)
            return STATUS_INCOMPLETE;
        carry_out(&b->run, &b->scan, d);
        if (diag_isset(d))
            return STATUS_INCOMPLETE;
        x->by = b->run.number;
    }
    if (deadline_clear(b->run.history, d) != 0)
        return STATUS_INCOMPLETE;
    log_expired(b, x);
    return STATUS_FAILED;
}

enum status back_expire(struct cli *c, const char *token, const char *reason, struct expired *out,
                        struct diag *d)
{
    struct back b = {
        .c = c, .run = {.c = c, .expiring = true}
    };
    bool accepts = c->o.accept_pending;
    struct expired x = {.reason = reason};
    struct deadline dl;
    enum status status = STATUS_INCOMPLETE;

    c->o.accept_pending = true; /* going back must not stop at what was pending before */
    if (survey_root(&b.root, c, d) != 0)
        goto out;
    b.run.root = b.root;
    if (carry_begin(&b.run, d) != 0)
        goto out;
    status = STATUS_DONE;
    if (deadline_read(&dl, b.run.history, d) == ROOT_OK &&
        (token == NULL || strcmp(dl.token, token) == 0)) {
        x.change = dl.change;
        status = expire(&b, &x, d);
    }
out:
    if (diag_isset(d))
        d->status = STATUS_INCOMPLETE; /* the change still stands */
    if (out != NULL && status == STATUS_FAILED)
        *out = x;
    back_release(&b);
    c->o.accept_pending = accepts;
    return status;
}
