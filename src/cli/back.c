#include "back.h"

#include <string.h>

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

int back_plan(struct back *b, const struct rollback_request *r, struct diag *d)
{
    struct plan *plan = &b->run.plan;

    if (scan_run(&b->scan, b->root, &b->c->o, d) != 0)
        return -1;
    plan->kind = PLAN_ROLLBACK;
    plan->dialect = b->scan.dialect;
    if (rollback_plan(plan, b->run.history, r, read_now, b, d) != 0)
        return -1;
    if (plan_compare(plan, b->scan.parses, b->scan.nparses, d) != 0)
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

int back_follow_again(struct back *b, unsigned change, struct diag *d)
{
    struct rollback_request request = {.change = change};
    struct plan *plan = &b->run.plan;
    struct follow_options o = {.wait_ms = b->c->o.wait_ms, .no_stop = b->c->o.no_stop};
    struct plan_sockets closes;

    if (root_offline(b->root))
        return 0;
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

static enum status expire(struct back *b, const struct deadline *dl, const char *reason,
                          struct diag *d)
{
    struct rollback_request request = {.change = dl->change, .reason = reason};

    if (back_plan(b, &request, d) != 0)
        return STATUS_FAILED;
    if (b->run.plan.edits.n > 0 &&
        (carry_look(&b->run, &b->scan, d) != 0 || carry_out(&b->run, &b->scan, d) == STATUS_SYSTEM))
        return STATUS_FAILED;
    return diag_isset(d) || deadline_clear(b->run.history, d) != 0 ? STATUS_FAILED : STATUS_DONE;
}

enum status back_expire(struct cli *c, const char *token, const char *reason, struct diag *d)
{
    struct back b = {
        .c = c, .run = {.c = c, .expiring = true}
    };
    bool accepts = c->o.accept_pending;
    struct deadline dl;
    enum status status = STATUS_SYSTEM;

    c->o.accept_pending = true; /* going back must not stop at what was pending before */
    if (survey_root(&b.root, c, d) != 0)
        goto out;
    b.run.root = b.root;
    if (carry_begin(&b.run, d) != 0)
        goto out;
    status = STATUS_DONE;
    if (deadline_read(&dl, b.run.history, d) == ROOT_OK &&
        (token == NULL || strcmp(dl.token, token) == 0)) {
        expire(&b, &dl, reason, d);
        status = STATUS_FAILED;
    }
out:
    back_release(&b);
    c->o.accept_pending = accepts;
    return status;
}
