#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"
#include "render.h"
#include "survey.h"

static int parse_entry(const char *text, struct rollback_request *r, char **path, struct diag *d)
{
    const char *colon = strrchr(text, ':');
    long long line;

    if (colon == NULL || text_number(colon + 1, 1, 100000000, &line) != 0) {
        diag_set(d, STATUS_USAGE, "usage", "'%s' is not PATH:LINE", text);
        diag_hint(d, "batten rollback --entry etc/inetd.conf:12");
        return -1;
    }
    while (*text == '/')
        text++;
    *path = mem_strndup(text, (size_t)(colon - text));
    r->path = *path;
    r->line = (unsigned)line;
    return 0;
}

static int make_request(const struct cli *c, struct rollback_request *r, char **path,
                        struct diag *d)
{
    const struct options *o = &c->o;
    long long number;

    r->service = o->service;
    r->all = o->all;
    r->reason = o->reason;
    if ((o->args.n > 0) + (o->service != NULL) + (o->entry != NULL) + o->all > 1)
        return diag_set(d, STATUS_USAGE, "usage",
                        "give one of: a change, --service, --entry, --all");
    if (o->entry != NULL)
        return parse_entry(o->entry, r, path, d);
    if (o->args.n == 0)
        return 0;
    if (text_number(o->args.v[0], 1, 1000000000, &number) != 0) {
        diag_set(d, STATUS_USAGE, "usage", "'%s' is not the number of a change", o->args.v[0]);
        diag_hint(d, "batten log");
        return -1;
    }
    r->change = (unsigned)number;
    return 0;
}

/* The diff is shown and asked for once; without a terminal nothing asks and --yes is implied. */
static bool agreed(const struct back *b)
{
    struct cli *c = b->c;
    char answer[16];

    if (c->o.yes || !c->terminal || c->o.json)
        return true;
    render_plan(c, &b->run.plan, buf_str(&b->run.diff));
    fwrite(buf_str(&c->out), 1, c->out.len, stdout);
    buf_clear(&c->out);
    fputs("take this back? [y/N] ", stdout);
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static void finish_json(struct back *b, bool done)
{
    json_t *o = json_start(b->c);

    json_plan(o, &b->run.plan, buf_str(&b->run.diff));
    json_object_set_new(o, "change", b->run.number ? json_integer(b->run.number) : json_null());
    if (done)
        json_follow(o, &b->run.result);
    json_finish(&b->c->out, o);
}

static enum status nothing(struct back *b)
{
    if (!b->c->o.json)
        buf_adds(&b->c->out, "nothing to roll back\n");
    else
        finish_json(b, false);
    return STATUS_DONE;
}

static enum status carry(struct back *b, struct diag *d)
{
    struct plan *plan = &b->run.plan;
    enum status status;

    if (plan->edits.n == 0 && plan->nskips == 0)
        return nothing(b);
    if (b->c->o.dry || plan->edits.n == 0) {
        if (b->c->o.json)
            finish_json(b, false);
        else
            render_plan(b->c, plan, buf_str(&b->run.diff));
        return plan->nskips ? STATUS_ATTENTION : STATUS_CHANGES;
    }
    if (!agreed(b)) {
        buf_adds(&b->c->out, "nothing was changed\n");
        return STATUS_DONE;
    }
    if (carry_look(&b->run, &b->scan, d) != 0)
        return STATUS_SYSTEM;
    status = carry_out(&b->run, &b->scan, d);
    if (diag_isset(d))
        return status;
    if (b->c->o.json)
        finish_json(b, true);
    return status;
}

static int print_script(struct back *b, unsigned change, struct diag *d)
{
    return history_script(b->run.history, change, &b->c->out, d);
}

enum status cmd_rollback(struct cli *c, struct diag *d)
{
    struct back b = {.c = c, .run = {.c = c}};
    struct rollback_request request = {0};
    char *path = NULL;
    enum status status = STATUS_SYSTEM;
    bool reads = c->o.dry || c->o.script;

    if (make_request(c, &request, &path, d) != 0 || survey_root(&b.root, c, d) != 0)
        goto out;
    b.run.root = b.root;
    if ((reads ? history_open(&b.run.history, b.root, c->o.history, HISTORY_READ, d)
               : carry_begin(&b.run, d)) != 0)
        goto out;
    if (c->o.script)
        status = print_script(&b, request.change, d) == 0 ? STATUS_DONE : STATUS_SYSTEM;
    else if (back_plan(&b, &request, d) == 0)
        status = carry(&b, d);
out:
    back_release(&b);
    free(path);
    return status;
}
