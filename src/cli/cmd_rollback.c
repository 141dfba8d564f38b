#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "drift.h"
#include "json.h"
#include "render.h"
#include "survey.h"
#include "wanted.h"

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

static bool is_bare(const struct rollback_request *r)
{
    return r->change == 0 && r->service == NULL && r->path == NULL && !r->all;
}

static bool is_asked_for(const struct drift_open *o, const struct rollback_request *r)
{
    if (r->path != NULL)
        return strcmp(o->path, r->path) == 0 && o->line == r->line;
    if (r->service != NULL)
        return strcmp(o->service, r->service) == 0 || strcmp(o->name, r->service) == 0;
    return r->all || (r->change != 0 && o->closed_by == r->change);
}

/* Services whose lines are as before already, since somebody turned them on by hand. */
static int find_open(struct back *b, const struct rollback_request *r, struct wanted *wanted,
                     struct diag *d)
{
    struct drift drift = {0};
    int result = drift_look(&drift, b->run.history, &b->scan, d);

    wanted_read(wanted, b->run.history);
    for (size_t i = 0; result == 0 && i < drift.nopen; i++) {
        const struct drift_open *o = &drift.open[i];

        if (!is_asked_for(o, r))
            continue;
        wanted_add(wanted, &(struct wanted_entry){o->closed_by, o->path, o->name, o->ident});
        if (!strlist_has(&b->wanted, o->service))
            strlist_add(&b->wanted, o->service);
    }
    drift_release(&drift);
    return result;
}

/* To roll back what is on already says that it is wanted, and it is not told of any more. */
static int accept_open(struct back *b, const struct wanted *wanted, struct diag *d)
{
    struct buf *out = &b->c->out;

    if (b->wanted.n > 0 && wanted_write(wanted, b->run.history, d) != 0)
        return -1;
    for (size_t i = 0; i < b->wanted.n && !b->c->o.json; i++) {
        text_safe(out, b->wanted.v[i], strlen(b->wanted.v[i]));
        buf_adds(out, " was turned on by hand already; that is no drift from now on\n");
    }
    return 0;
}

static void finish_json(struct back *b, bool done)
{
    json_t *o = json_start(b->c), *wanted = json_array();

    json_plan(o, &b->run.plan, buf_str(&b->run.diff));
    json_object_set_new(o, "change", b->run.number ? json_integer(b->run.number) : json_null());
    for (size_t i = 0; i < b->wanted.n; i++)
        json_append_text(wanted, b->wanted.v[i]);
    json_object_set_new(o, "wanted", wanted);
    if (done)
        json_follow(o, &b->run.result);
    json_finish(&b->c->out, o);
}

/* Which change, in the words of the log. */
static int say_change(struct back *b, struct diag *d)
{
    struct history_changes all = {0};
    const struct plan *plan = &b->run.plan;
    struct buf *out = &b->c->out;

    if (plan->undoes == 0) {
        buf_printf(out, "takes back %zu %s of several changes\n\n", plan->edits.n,
                   plan->edits.n == 1 ? "edit" : "edits");
        return 0;
    }
    if (history_list(b->run.history, &all, d) != 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        if (all.v[i].number != plan->undoes)
            continue;
        buf_printf(out, "takes back %zu of the %zu %s of change %u: ", plan->edits.n,
                   all.v[i].nedits, all.v[i].nedits == 1 ? "edit" : "edits", plan->undoes);
        text_safe(out, all.v[i].subject, strlen(all.v[i].subject));
        buf_adds(out, ", ");
        render_time(out, all.v[i].time);
        buf_adds(out, "\n\n");
    }
    history_changes_release(&all);
    return 0;
}

static enum status nothing(struct back *b)
{
    if (!b->c->o.json && b->wanted.n == 0)
        buf_adds(&b->c->out, "nothing to roll back\n");
    else if (b->c->o.json)
        finish_json(b, false);
    return STATUS_DONE;
}

/* All that is left of the newest change are conflicts: to walk on is for a person to say. */
static int say_older(struct back *b, struct diag *d)
{
    struct buf *out = &b->c->out;
    unsigned older;

    if (back_older(b, b->run.plan.undoes, &older, d) != 0)
        return -1;
    if (older == 0)
        return 0;
    buf_printf(out, "nothing more of change %u can go back; the one before it that can: ",
               b->run.plan.undoes);
    buf_printf(out, "batten rollback %u", older);
    render_where(out, b->c);
    buf_addc(out, '\n');
    return 0;
}

static enum status show(struct back *b, const struct rollback_request *r, struct diag *d)
{
    struct plan *plan = &b->run.plan;

    if (b->c->o.json) {
        finish_json(b, false);
    } else {
        if (plan->edits.n > 0 && say_change(b, d) != 0)
            return STATUS_SYSTEM;
        render_plan(b->c, plan, buf_str(&b->run.diff));
        if (plan->edits.n == 0 && is_bare(r) && say_older(b, d) != 0)
            return STATUS_SYSTEM;
    }
    return plan->nskips ? STATUS_ATTENTION : STATUS_CHANGES;
}

static enum status carry(struct back *b, const struct rollback_request *r,
                         const struct wanted *wanted, struct diag *d)
{
    struct plan *plan = &b->run.plan;
    enum status status;

    if (b->c->o.dry || plan->edits.n == 0) {
        if (!b->c->o.dry && accept_open(b, wanted, d) != 0)
            return STATUS_SYSTEM;
        return plan->edits.n + plan->nskips > 0 ? show(b, r, d) : nothing(b);
    }
    if (carry_look(&b->run, &b->scan, d) != 0)
        return STATUS_SYSTEM;
    status = carry_out(&b->run, &b->scan, d);
    if (diag_isset(d))
        return status;
    if (accept_open(b, wanted, d) != 0)
        return STATUS_SYSTEM;
    if (b->c->o.json)
        finish_json(b, true);
    return status;
}

static enum status find_and_carry(struct back *b, const struct rollback_request *r, struct diag *d)
{
    struct wanted wanted = {0};
    enum status status = STATUS_SYSTEM;

    if (b->c->o.dry || find_open(b, r, &wanted, d) == 0)
        status = carry(b, r, &wanted, d);
    wanted_release(&wanted);
    return status;
}

static int open_to_read(struct back *b, struct diag *d)
{
    b->run.root = b->root;
    return survey_history(&b->run.history, b->root, b->c, HISTORY_READ, d);
}

static enum status print_script(struct back *b, const struct rollback_request *r, struct diag *d)
{
    struct buf text = BUF_INIT;
    struct cli *c = b->c;

    if (r->service != NULL || r->path != NULL || r->all) {
        diag_set(d, STATUS_USAGE, "usage", "--script takes a change, not a selection");
        return STATUS_USAGE;
    }
    if (history_script(b->run.history, r->change, &text, d) == 0) {
        if (c->o.json) {
            json_t *o = json_start(c);

            json_bytes(o, "script", buf_str(&text), text.len);
            json_finish(&c->out, o);
        } else {
            buf_add(&c->out, buf_str(&text), text.len);
        }
    }
    buf_release(&text);
    return STATUS_DONE;
}

static bool has_service(const struct history_changes *all, const char *service)
{
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->v[i].nedits; k++) {
            const struct history_edit *e = &all->v[i].edits[k];

            if ((e->service != NULL && strcmp(e->service, service) == 0) ||
                (e->name != NULL && strcmp(e->name, service) == 0))
                return true;
        }
    return false;
}

/* A service that no change ever touched is most likely a slip of the pen. */
static int check_service(struct back *b, const char *service, struct diag *d)
{
    struct history_changes all = {0};
    const char *near;
    bool known;

    if (service == NULL)
        return 0;
    if (history_list(b->run.history, &all, d) != 0)
        return -1;
    known = has_service(&all, service);
    history_changes_release(&all);
    if (known || catalogue_find(service) != NULL)
        return 0;
    near = catalogue_nearest(service);
    diag_set(d, STATUS_USAGE, "no-service", "no change here has an edit of '%s'", service);
    if (near != NULL)
        diag_hint(d, "did you mean: batten rollback --service %s", near);
    else
        diag_hint(d, "batten log");
    return -1;
}

/* On a terminal the diff is shown and asked for once, before the lock is taken: a prompt that stays
 * open must not keep confirm, the timer or anybody else waiting. DIFF gets what was agreed to. */
static bool agreed(struct back *b, const struct rollback_request *r, struct buf *diff,
                   struct diag *d)
{
    struct cli *c = b->c;
    char answer[16];

    if (open_to_read(b, d) != 0 || check_service(b, r->service, d) != 0 || back_plan(b, r, d) != 0)
        return false;
    if (b->run.plan.edits.n == 0)
        return true;
    buf_add(diff, buf_str(&b->run.diff), b->run.diff.len);
    if (say_change(b, d) != 0)
        return false;
    render_plan(c, &b->run.plan, buf_str(&b->run.diff));
    fwrite(buf_str(&c->out), 1, c->out.len, stdout);
    buf_clear(&c->out);
    if (b->run.plan.undoes > 0)
        printf("take change %u back? [y/N] ", b->run.plan.undoes);
    else
        fputs("take this back? [y/N] ", stdout);
    fflush(stdout);
    if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    buf_adds(&c->out, "nothing was changed\n");
    return false;
}

/* What was meant is undone already; to walk on to the change before it was not asked for. */
static int check_expired(const struct back *b, const struct rollback_request *r, struct diag *d)
{
    const struct expired *x = &b->run.expired;

    if (x->change == 0)
        return 0;
    if (!is_bare(r) && r->change != x->change) {
        back_say_expired(x);
        return 0;
    }
    back_expired(x, d);
    return -1;
}

/* Ask, let go of what was read for it, plan again under the lock. */
static enum status ask_and_carry(struct back *b, const struct rollback_request *r, struct diag *d)
{
    struct buf diff = BUF_INIT;
    enum status status = STATUS_DONE;

    if (!agreed(b, r, &diff, d))
        goto out;
    carry_release(&b->run);
    scan_release(&b->scan);
    b->run = (struct carry){.c = b->c, .root = b->root};
    status = STATUS_SYSTEM;
    if (carry_begin(&b->run, d) != 0 || check_expired(b, r, d) != 0 || back_plan(b, r, d) != 0)
        goto out;
    if (!buf_equal(&b->run.diff, buf_str(&diff), diff.len)) {
        diag_set(d, STATUS_REFUSED, "changed-since",
                 "the files or the history changed while the question was open");
        diag_hint(d, "run batten rollback again");
        goto out;
    }
    b->run.told = true;
    status = find_and_carry(b, r, d);
out:
    buf_release(&diff);
    return status;
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
    if (c->terminal && !c->o.yes && !c->o.json && !reads) {
        status = ask_and_carry(&b, &request, d);
        goto out;
    }
    if ((reads ? open_to_read(&b, d) : carry_begin(&b.run, d)) != 0)
        goto out;
    if (c->o.script)
        status = print_script(&b, &request, d);
    else if (check_expired(&b, &request, d) == 0 && check_service(&b, request.service, d) == 0 &&
             back_plan(&b, &request, d) == 0)
        status = find_and_carry(&b, &request, d);
out:
    back_release(&b);
    free(path);
    return status;
}
