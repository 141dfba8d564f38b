#include <string.h>

#include "back.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "deadline.h"
#include "json.h"
#include "render.h"
#include "survey.h"

/* What was finished is followed again: signals and stops are repeated, they are idempotent. */
static void follow_again(struct carry *run, const struct scan *scan)
{
    struct follow_options o = {.wait_ms = run->c->o.wait_ms, .no_stop = run->c->o.no_stop};
    struct diag d = DIAG_INIT;

    run->plan.kind = PLAN_HARDEN;
    run->plan.dialect = scan->dialect;
    run->plan.reload = true;
    if (carry_look(run, scan, &d) != 0 ||
        follow_run(&run->result, &run->plan, &run->before, &o, &d))
        render_diag(stderr, "warning", &d);
    diag_release(&d);
}

static enum status report(struct carry *run, const struct strlist *lines)
{
    struct cli *c = run->c;

    if (c->o.json) {
        json_t *o = json_start(c), *all = json_array();

        for (size_t i = 0; i < lines->n; i++)
            json_array_append_new(all, json_string(lines->v[i]));
        json_object_set_new(o, "done", all);
        json_object_set_new(o, "change", run->number ? json_integer(run->number) : json_null());
        json_follow(o, &run->result);
        json_finish(&c->out, o);
    } else {
        for (size_t i = 0; i < lines->n; i++)
            buf_printf(&c->out, "%s\n", lines->v[i]);
        if (lines->n == 0)
            buf_adds(&c->out, "nothing to recover\n");
        render_follow(c, &run->result);
    }
    return run->result.problems.n > 0 ? STATUS_ATTENTION : STATUS_DONE;
}

enum status cmd_recover(struct cli *c, struct diag *d)
{
    struct carry run = {.c = c};
    struct scan scan = {0};
    struct strlist lines = {0};
    struct deadline waiting;
    struct root *root = NULL;
    bool expired = false;
    enum status status = STATUS_SYSTEM;

    if (survey_root(&root, c, d) != 0)
        goto out;
    run.root = root;
    if (carry_begin(&run, d) != 0 || txn_recover(run.txn, &run.number, &lines, d) != 0)
        goto out;
    if (run.number > 0 && !root_offline(root)) {
        if (scan_run(&scan, root, &c->o, d) != 0)
            goto out;
        follow_again(&run, &scan);
    }
    expired = deadline_read(&waiting, run.history, NULL) == ROOT_OK &&
              (c->o.boot || deadline_left(&waiting) == 0);
    status = report(&run, &lines);
out:
    carry_release(&run);
    scan_release(&scan);
    strlist_release(&lines);
    root_free(root);
    return expired ? back_expire(c, NULL, "not confirmed in time", d) : status;
}
