#include <string.h>

#include "back.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"
#include "render.h"
#include "survey.h"

static enum status report(struct carry *run, const struct strlist *lines)
{
    struct cli *c = run->c;

    if (c->o.json) {
        json_t *o = json_start(c), *all = json_array();

        for (size_t i = 0; i < lines->n; i++)
            json_append_text(all, lines->v[i]);
        json_object_set_new(o, "done", all);
        json_object_set_new(o, "expired", json_boolean(run->expired.change != 0));
        json_object_set_new(o, "change", run->number ? json_integer(run->number) : json_null());
        json_follow(o, &run->left);
        json_finish(&c->out, o);
    } else {
        for (size_t i = 0; i < lines->n; i++) {
            text_safe(&c->out, lines->v[i], strlen(lines->v[i]));
            buf_addc(&c->out, '\n');
        }
        if (run->expired.change == 0 && lines->n == 0 && !run->rewatched)
            buf_adds(&c->out, "nothing to recover\n");
        render_follow(c, &run->left);
    }
    if (run->expired.change != 0) {
        back_say_expired(&run->expired);
        return STATUS_FAILED;
    }
    return run->left.problems.n > 0 ? STATUS_ATTENTION : STATUS_DONE;
}

static enum status recover(struct back *b, struct diag *d)
{
    struct carry *run = &b->run;
    struct strlist lines = {0};
    struct diag left = DIAG_INIT;
    enum status status = STATUS_DONE;
    int result = txn_recover(run->txn, &run->number, &lines, d);

    /* A file that somebody else wrote was left alone; the rest is done and is followed. */
    if (result != 0 && d->status == STATUS_ATTENTION) {
        left = *d;
        *d = (struct diag)DIAG_INIT;
        render_diag(stderr, "warning", &left);
        status = STATUS_ATTENTION;
        result = 0;
    }
    if (result == 0)
        status = status_worse(status, report(run, &lines));
    diag_release(&left);
    strlist_release(&lines);
    return status;
}

enum status cmd_recover(struct cli *c, struct diag *d)
{
    struct back b = {.c = c, .run = {.c = c}};
    enum status status = STATUS_SYSTEM;

    if (survey_root(&b.root, c, d) != 0)
        goto out;
    b.run.root = b.root;
    if (carry_begin(&b.run, d) == 0)
        status = recover(&b, d);
out:
    back_release(&b);
    return status;
}
