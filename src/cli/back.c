#include "back.h"

#include <string.h>

#include "batten/dialect.h"
#include "cli.h"
#include "deadline.h"
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

int back_plan(struct back *b, const struct rollback_request *r, struct diag *d)
{
    struct plan *plan = &b->run.plan;

    if (scan_as_made(b, d) != 0 || check_lenses(&b->scan, d) != 0)
        return -1;
    plan->kind = PLAN_ROLLBACK;
    plan->dialect = b->scan.dialect;
    if (rollback_plan(plan, b->run.history, r, read_now, b, d) != 0)
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
    root_free(b->root);
    b->root = NULL;
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

static bool has_change(struct history *h, unsigned number)
{
    struct history_changes all = {0};
    bool found = false;

    if (history_list(h, &all, NULL) == 0)
        for (size_t i = 0; i < all.n; i++)
            found = found || all.v[i].number == number;
    history_changes_release(&all);
    return found;
}

/* DONE: there was nothing to undo; FAILED: it is undone; INCOMPLETE: it is not, D says why. */
static enum status expire(struct back *b, const struct deadline *dl, const char *reason,
                          struct diag *d)
{
    struct rollback_request request = {.change = dl->change, .reason = reason};

    /* Killed between the deadline and the first byte: there never was a change. */
    if (!has_change(b->run.history, dl->change))
        return deadline_clear(b->run.history, d) == 0 ? STATUS_DONE : STATUS_INCOMPLETE;
    if (back_plan(b, &request, d) != 0)
        return STATUS_INCOMPLETE;
    if (b->run.plan.edits.n > 0) {
        if (carry_look(&b->run, &b->scan, d) != 0)
            return STATUS_INCOMPLETE;
        carry_out(&b->run, &b->scan, d);
        if (diag_isset(d))
            return STATUS_INCOMPLETE;
    }
    return deadline_clear(b->run.history, d) == 0 ? STATUS_FAILED : STATUS_INCOMPLETE;
}

enum status back_expire(struct cli *c, const char *token, const char *reason, struct diag *d)
{
    struct back b = {
        .c = c, .run = {.c = c, .expiring = true}
    };
    bool accepts = c->o.accept_pending;
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
        (token == NULL || strcmp(dl.token, token) == 0))
        status = expire(&b, &dl, reason, d);
out:
    if (diag_isset(d))
        d->status = STATUS_INCOMPLETE; /* the change still stands */
    back_release(&b);
    c->o.accept_pending = accepts;
    return status;
}
