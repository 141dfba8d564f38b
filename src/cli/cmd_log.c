#include <stdlib.h>
#include <string.h>

#include "back.h"
#include "batten/history.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "drift.h"
#include "json.h"
#include "render.h"
#include "survey.h"

/* The history of C's root, for reading. */
struct reading {
    struct root *root;
    struct history *history;
    struct history_changes changes;
};

static int reading_open(struct reading *r, const struct cli *c, struct diag *d)
{
    if (survey_root(&r->root, c, d) != 0 ||
        survey_history(&r->history, r->root, c, HISTORY_READ, d) != 0)
        return -1;
    return history_list(r->history, &r->changes, d);
}

static void reading_release(struct reading *r)
{
    history_changes_release(&r->changes);
    history_free(r->history);
    root_free(r->root);
}

static void add_safe(struct buf *out, const char *text)
{
    text_safe(out, text, strlen(text));
}

static size_t in_effect(const struct history_change *ch)
{
    size_t n = 0;

    for (size_t i = 0; i < ch->nedits; i++)
        n += ch->edits[i].in_effect;
    return n;
}

static void log_line(struct cli *c, const struct history_change *ch)
{
    struct buf *out = &c->out, when = BUF_INIT;

    if (ch->number > 0)
        buf_printf(out, "%4u  ", ch->number);
    else
        buf_adds(out, "   -  ");
    render_time(&when, ch->time);
    buf_printf(out, "%-25s  ", buf_str(&when));
    buf_release(&when);
    add_safe(out, ch->subject);
    if (back_is_expiry(ch))
        buf_printf(out, " (%s)", ch->reason);
    if (ch->nedits > 0 && in_effect(ch) == 0)
        render_text(out, c, ROLE_DIM, "  [all taken back]");
    else if (in_effect(ch) < ch->nedits)
        buf_printf(out, "  [%zu of %zu in effect]", in_effect(ch), ch->nedits);
    buf_addc(out, '\n');
}

static int add_diff(struct cli *c, struct reading *r, const struct history_change *ch,
                    struct diag *d)
{
    struct buf diff = BUF_INIT;
    int result = history_diff(r->history, ch->id, &diff, d);

    if (result == 0)
        render_diff(&c->out, c, buf_str(&diff), diff.len);
    buf_release(&diff);
    return result;
}

/* Above the history: what was changed behind its back. */
static void log_drift(struct cli *c, struct reading *r)
{
    struct scan scan = {0};
    struct drift drift = {0};

    if (scan_run(&scan, r->root, &c->o, NULL) == 0 &&
        drift_look(&drift, r->history, &scan, NULL) == 0)
        drift_text(c, &drift);
    drift_release(&drift);
    scan_release(&scan);
}

static int json_diff(json_t *object, struct reading *r, const struct history_change *ch,
                     struct diag *d)
{
    struct buf diff = BUF_INIT;
    int result = history_diff(r->history, ch->id, &diff, d);

    json_bytes(object, "diff", buf_str(&diff), diff.len);
    buf_release(&diff);
    return result;
}

/* How many are shown. */
static size_t shown(const struct cli *c, const struct reading *r)
{
    return c->o.limit > 0 && (size_t)c->o.limit < r->changes.n ? (size_t)c->o.limit : r->changes.n;
}

static int log_json(struct cli *c, struct reading *r, struct diag *d)
{
    json_t *o = json_start(c), *all = json_array();
    int result = 0;

    for (size_t i = 0; i < shown(c, r) && result == 0; i++) {
        json_t *change = json_change(&r->changes.v[i]);

        if (c->o.patch)
            result = json_diff(change, r, &r->changes.v[i], d);
        json_array_append_new(all, change);
    }
    json_object_set_new(o, "changes", all);
    json_object_set_new(o, "total", json_integer((json_int_t)r->changes.n));
    json_finish(&c->out, o);
    return result;
}

enum status cmd_log(struct cli *c, struct diag *d)
{
    struct reading r = {0};
    enum status status = STATUS_SYSTEM;

    if (reading_open(&r, c, d) != 0)
        goto out;
    status = STATUS_DONE;
    if (c->o.json) {
        if (log_json(c, &r, d) != 0)
            status = STATUS_SYSTEM;
        goto out;
    }
    if (!c->o.quiet)
        log_drift(c, &r);
    if (r.changes.n == 0)
        buf_adds(&c->out, "no change was made here yet\n");
    for (size_t i = 0; i < shown(c, &r); i++) {
        log_line(c, &r.changes.v[i]);
        if (c->o.patch && add_diff(c, &r, &r.changes.v[i], d) != 0)
            goto out;
    }
out:
    reading_release(&r);
    return status;
}

static void show_field(struct cli *c, const char *label, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(&c->out, "%-9s", label);
    add_safe(&c->out, value);
    buf_addc(&c->out, '\n');
}

static void show_edit(struct cli *c, const struct history_edit *e, size_t number)
{
    buf_printf(&c->out, "  %zu. ", number);
    add_safe(&c->out, e->service ? e->service : "-");
    buf_adds(&c->out, "  ");
    add_safe(&c->out, e->path);
    buf_printf(&c->out, ":%u  ", e->old_line);
    add_safe(&c->out, e->kind);
    if (e->undoes_change > 0)
        buf_printf(&c->out, "  takes back edit %u of change %u", e->undoes_edit, e->undoes_change);
    buf_adds(&c->out, e->in_effect ? "\n" : "  [taken back]\n");
}

static void show_proofs(struct cli *c, const json_t *proofs)
{
    size_t i;
    const json_t *p;

    json_array_foreach(proofs, i, p)
    {
        const char *service = json_string_value(json_object_get(p, "service"));
        const char *proto = json_string_value(json_object_get(p, "proto"));
        const char *family = json_string_value(json_object_get(p, "family"));
        const json_t *ms = json_object_get(p, "ms");

        buf_adds(&c->out, "  ");
        add_safe(&c->out, service ? service : "-");
        buf_addc(&c->out, ' ');
        add_safe(&c->out, family ? family : "?");
        buf_printf(&c->out, " %lld/", (long long)json_integer_value(json_object_get(p, "port")));
        add_safe(&c->out, proto ? proto : "?");
        buf_adds(&c->out, json_is_true(json_object_get(p, "closed")) ? " closed" : " open");
        if (json_is_integer(ms))
            buf_printf(&c->out, " after %lld ms", (long long)json_integer_value(ms));
        buf_addc(&c->out, '\n');
    }
}

static void show_signals(struct cli *c, const json_t *signals)
{
    size_t i;
    const json_t *s;

    json_array_foreach(signals, i, s)
    {
        const char *action = json_string_value(json_object_get(s, "action"));
        const char *name = json_string_value(json_object_get(s, "name"));

        buf_adds(&c->out, json_is_true(json_object_get(s, "done")) ? "  " : "  not done: ");
        add_safe(&c->out, action ? action : "?");
        buf_addc(&c->out, ' ');
        add_safe(&c->out, name ? name : "?");
        buf_printf(&c->out, "[%lld]\n", (long long)json_integer_value(json_object_get(s, "pid")));
    }
}

static void show_outcome(struct cli *c, const struct history_change *ch)
{
    json_t *o = ch->outcome ? json_loads(ch->outcome, 0, NULL) : NULL;

    if (o == NULL)
        return;
    buf_adds(&c->out, "outcome\n");
    show_signals(c, json_object_get(o, "signals"));
    show_proofs(c, json_object_get(o, "proof"));
    json_decref(o);
}

static int show(struct cli *c, struct reading *r, const struct history_change *ch, struct diag *d)
{
    struct buf when = BUF_INIT;

    render_time(&when, ch->time);
    buf_printf(&c->out, "change %u\n", ch->number);
    show_field(c, "what", ch->subject);
    show_field(c, "when", buf_str(&when));
    show_field(c, "by", ch->by);
    show_field(c, "profile", ch->profile);
    show_field(c, "reason", ch->reason);
    show_field(c, "commit", ch->id);
    buf_release(&when);
    buf_adds(&c->out, "edits\n");
    for (size_t i = 0; i < ch->nedits; i++)
        show_edit(c, &ch->edits[i], i + 1);
    show_outcome(c, ch);
    buf_addc(&c->out, '\n');
    if (add_diff(c, r, ch, d) != 0)
        return -1;
    if (in_effect(ch) > 0) {
        buf_printf(&c->out, "\nundo: batten rollback %u", ch->number);
        render_where(&c->out, c);
        buf_addc(&c->out, '\n');
    }
    return 0;
}

static int show_json(struct cli *c, struct reading *r, const struct history_change *ch,
                     struct diag *d)
{
    json_t *o = json_start(c), *change = json_change(ch);
    int result;

    json_object_update(o, change);
    json_decref(change);
    result = json_diff(o, r, ch, d);
    json_finish(&c->out, o);
    return result;
}

enum status cmd_show(struct cli *c, struct diag *d)
{
    struct reading r = {0};
    const struct history_change *found = NULL;
    enum status status = STATUS_SYSTEM;
    long long number;

    if (text_number(c->o.args.v[0], 1, 1000000000, &number) != 0) {
        diag_set(d, STATUS_USAGE, "usage", "'%s' is not the number of a change", c->o.args.v[0]);
        diag_hint(d, "batten log");
        return STATUS_USAGE;
    }
    if (reading_open(&r, c, d) != 0)
        goto out;
    for (size_t i = 0; i < r.changes.n; i++)
        if (r.changes.v[i].number == number)
            found = &r.changes.v[i];
    if (found == NULL) {
        diag_set(d, STATUS_USAGE, "no-change", "there is no change %lld", number);
        diag_hint(d, "batten log");
        goto out;
    }
    if ((c->o.json ? show_json(c, &r, found, d) : show(c, &r, found, d)) == 0)
        status = STATUS_DONE;
out:
    reading_release(&r);
    return status;
}
