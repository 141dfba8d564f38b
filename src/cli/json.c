#include "json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batten/dialect.h"
#include "batten/follow.h"
#include "batten/mem.h"
#include "batten/starter.h"
#include "batten/text.h"
#include "cli.h"
#include "survey.h"

void json_bytes(json_t *object, const char *key, const char *text, size_t len)
{
    struct buf repaired = BUF_INIT, exact = BUF_INIT;
    char *key64;

    if (text == NULL) {
        json_object_set_new(object, key, json_null());
        return;
    }
    if (!text_utf8(&repaired, text, len)) {
        text_base64(&exact, text, len);
        key64 = mem_printf("%s_b64", key);
        json_object_set_new(object, key64, json_stringn(buf_str(&exact), exact.len));
        free(key64);
    }
    json_object_set_new(object, key, json_stringn(buf_str(&repaired), repaired.len));
    buf_release(&repaired);
    buf_release(&exact);
}

void json_text(json_t *object, const char *key, const char *text)
{
    json_bytes(object, key, text, text ? strlen(text) : 0);
}

void json_append_text(json_t *array, const char *text)
{
    struct buf repaired = BUF_INIT;

    text_utf8(&repaired, text, strlen(text));
    json_array_append_new(array, json_stringn(buf_str(&repaired), repaired.len));
    buf_release(&repaired);
}

static void json_number(json_t *object, const char *key, long long n)
{
    json_object_set_new(object, key, json_integer(n));
}

/* 0 stands for unknown in the structs; JSON says null. */
static void json_positive(json_t *object, const char *key, long long n)
{
    json_object_set_new(object, key, n > 0 ? json_integer(n) : json_null());
}

static void json_flag(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

void json_time(json_t *object, const char *key, long long seconds)
{
    char text[32];
    time_t t = (time_t)seconds;
    struct tm tm;

    /* changes to an image carry no time */
    if (seconds == 0 || gmtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        json_object_set_new(object, key, json_null());
    else
        json_object_set_new(object, key, json_string(text));
}

json_t *json_start(const struct cli *c)
{
    json_t *o = json_object();

    json_number(o, "schema", 1);
    json_text(o, "batten", BATTEN_VERSION);
    json_text(o, "root", c->o.root ? c->o.root : "/");
    return o;
}

void json_finish(struct buf *out, json_t *object)
{
    char *text = json_dumps(object, JSON_INDENT(2));

    if (text != NULL)
        buf_printf(out, "%s\n", text);
    free(text);
    json_decref(object);
}

static json_t *json_diag(const struct diag *d)
{
    json_t *o = json_object();

    json_text(o, "code", d->code);
    json_text(o, "path", d->path);
    json_positive(o, "line", d->line);
    json_positive(o, "column", d->column);
    json_text(o, "message", d->message);
    json_text(o, "hint", d->hint);
    return o;
}

void json_error(struct buf *out, const struct diag *d)
{
    json_t *o = json_object();

    json_number(o, "schema", 1);
    json_object_set_new(o, "error", json_diag(d));
    json_finish(out, o);
}

json_t *json_problems(const struct problems *const *lists, size_t n)
{
    json_t *all = json_array();

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < lists[i]->n; j++)
            json_array_append_new(all, json_diag(&lists[i]->v[j]));
    return all;
}

static void json_spec(json_t *o, const struct socket_spec *spec)
{
    json_text(o, "family", family_name(spec->family));
    json_text(o, "proto", spec->proto);
    json_text(o, "address", spec->address);
    json_positive(o, "port", spec->port);
}

static json_t *json_sockets(const struct survey *s, const struct entry *e)
{
    json_t *all = json_array();

    for (size_t i = 0; i < e->nsockets; i++) {
        const struct listener *l = survey_listener(s, &e->sockets[i]);
        json_t *o = json_object(), *pids = json_null();

        if (l != NULL) {
            pids = json_array();
            for (size_t j = 0; j < l->npids; j++)
                json_array_append_new(pids, json_integer(l->pids[j]));
        }
        json_spec(o, &e->sockets[i]);
        json_object_set_new(o, "listening",
                            s->live && e->sockets[i].port > 0 ? json_boolean(l != NULL)
                                                              : json_null());
        json_object_set_new(o, "pids", pids);
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *json_finding(const struct survey *s, const struct finding *f)
{
    const struct entry *e = f->entry;
    json_t *o = json_object();

    json_text(o, "service", f->service ? f->service->name : NULL);
    json_text(o, "name", e->name);
    json_text(o, "starter", e->starter->name);
    json_text(o, "path", e->source->path);
    json_number(o, "line", e->line);
    json_number(o, "last_line", e->last_line);
    json_flag(o, "enabled", e->enabled);
    json_text(o, "program", e->program);
    json_text(o, "user", e->user);
    json_text(o, "verdict", verdict_name(f->verdict));
    json_text(o, "severity", severity_name(f->severity));
    json_text(o, "locked", e->locked);
    json_object_set_new(o, "sockets", json_sockets(s, e));
    return o;
}

json_t *json_survey(const struct cli *c, const struct survey *s)
{
    const struct problems **lists = mem_array(s->scan.nparses + 1, sizeof(*lists));
    struct survey_counts n = survey_count(s);
    json_t *o = json_start(c), *entries = json_array(), *summary = json_object();

    json_text(o, "dialect", dialect_name(s->scan.dialect));
    json_text(o, "profile", profile_name(s->profile));
    for (size_t i = 0; i < s->findings.n; i++)
        json_array_append_new(entries, json_finding(s, &s->findings.v[i]));
    json_object_set_new(o, "entries", entries);
    lists[0] = &s->scan.problems;
    for (size_t i = 0; i < s->scan.nparses; i++)
        lists[i + 1] = &s->scan.parses[i].problems;
    json_object_set_new(o, "problems", json_problems(lists, s->scan.nparses + 1));
    json_number(summary, "entries", (long long)n.entries);
    json_number(summary, "enabled", (long long)n.enabled);
    json_number(summary, "to_change", (long long)n.to_change);
    json_object_set_new(o, "summary", summary);
    free(lists);
    return o;
}

void json_plan(json_t *object, const struct plan *plan, const char *diff)
{
    json_t *edits = json_array(), *skips = json_array(), *sentences = json_array();

    for (size_t i = 0; i < plan->edits.n; i++) {
        const struct edit *e = &plan->edits.v[i];
        json_t *o = json_object();

        json_text(o, "path", e->source->path);
        json_number(o, "line", e->line);
        json_number(o, "last_line", e->last_line);
        json_text(o, "service", e->service);
        json_text(o, "kind", e->kind);
        json_bytes(o, "before", e->before, e->before_len);
        json_bytes(o, "after", e->after, e->after_len);
        json_array_append_new(edits, o);
    }
    for (size_t i = 0; i < plan->nskips; i++) {
        json_t *o = json_object();

        json_text(o, "path", plan->skips[i].path);
        json_positive(o, "line", plan->skips[i].line);
        json_text(o, "code", plan->skips[i].code);
        json_text(o, "reason", plan->skips[i].reason);
        json_array_append_new(skips, o);
    }
    for (size_t i = 0; i < plan->consequences.n; i++)
        json_append_text(sentences, plan->consequences.v[i]);
    json_object_set_new(object, "edits", edits);
    json_object_set_new(object, "skipped", skips);
    json_object_set_new(object, "consequences", sentences);
    json_text(object, "diff", diff);
}

static json_t *json_proof(const struct follow_proof *p)
{
    json_t *o = json_object();

    json_text(o, "service", p->service);
    json_spec(o, &p->spec);
    json_flag(o, "closed", p->want_closed == p->ok);
    json_object_set_new(o, "ms", p->ms >= 0 ? json_integer(p->ms) : json_null());
    json_positive(o, "holder", p->holder);
    return o;
}

void json_follow(json_t *object, const struct follow_result *r)
{
    json_t *signals = json_array(), *proofs = json_array();
    const struct problems *lists[] = {&r->problems};

    for (size_t i = 0; i < r->nsignals; i++) {
        json_t *o = json_object();

        json_positive(o, "pid", r->signals[i].pid);
        json_text(o, "name", r->signals[i].name);
        json_text(o, "action", r->signals[i].action);
        json_flag(o, "done", r->signals[i].done);
        json_text(o, "note", r->signals[i].note);
        json_array_append_new(signals, o);
    }
    for (size_t i = 0; i < r->nproofs; i++)
        json_array_append_new(proofs, json_proof(&r->proofs[i]));
    json_object_set_new(object, "signals", signals);
    json_object_set_new(object, "proof", proofs);
    json_object_set_new(object, "attention", json_problems(lists, 1));
}

static json_t *json_history_edit(const struct history_edit *e)
{
    json_t *o = json_object();

    json_text(o, "path", e->path);
    json_number(o, "line", e->old_line);
    json_number(o, "lines", e->old_count);
    json_number(o, "new_line", e->new_line);
    json_number(o, "new_lines", e->new_count);
    json_text(o, "service", e->service);
    json_text(o, "name", e->name);
    json_text(o, "kind", e->kind);
    json_positive(o, "undoes_change", e->undoes_change);
    json_positive(o, "undoes_edit", e->undoes_edit);
    json_flag(o, "in_effect", e->in_effect);
    return o;
}

json_t *json_change(const struct history_change *change)
{
    json_t *o = json_object(), *edits = json_array(), *rc = json_array(), *outcome = NULL;

    json_positive(o, "change", change->number);
    json_text(o, "commit", change->id);
    json_time(o, "time", change->time);
    json_text(o, "kind", change->kind);
    json_text(o, "subject", change->subject);
    json_text(o, "by", change->by);
    json_text(o, "profile", change->profile);
    json_text(o, "reason", change->reason);
    json_text(o, "dialect", change->dialect);
    for (size_t i = 0; i < change->rc.n; i++)
        json_append_text(rc, change->rc.v[i]);
    json_object_set_new(o, "rc", rc);
    for (size_t i = 0; i < change->nedits; i++)
        json_array_append_new(edits, json_history_edit(&change->edits[i]));
    json_object_set_new(o, "edits", edits);
    if (change->outcome != NULL)
        outcome = json_loads(change->outcome, 0, NULL);
    json_object_set_new(o, "outcome", outcome ? outcome : json_null());
    return o;
}
