/*
 * A rollback puts bytes back beside lines that somebody else may have written since. What stands
 * there must not be swallowed by them (a continuation), nor be woken, nor move to other sockets.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "work.h"

/* Each check reads all files again. */
enum { CHECKS_MAX = 200 };

/* Edits of one entry, next to each other in the plan; they go back together or not at all. */
struct guard_unit {
    size_t first, n;
    bool on;
};

/* The range of an edit in the old text and in the new one. */
struct range {
    size_t start, end;
    size_t new_start, new_end;
    const char *name;
};

/* One source with the edits that are switched on. */
struct tried {
    const struct source *source;
    struct source after;
    struct buf bytes;
    struct range *ranges; /* by start */
    size_t nranges;
};

struct guard {
    struct plan *plan;
    const struct parse *parses;
    size_t nparses;
    struct guard_unit *units;
    size_t nunits;
    unsigned checks;
    struct buf reason; /* why the last try did not hold */
};

static bool same_unit(const struct edit *a, const struct edit *b)
{
    return a->source == b->source && a->undoes_change == b->undoes_change &&
           strcmp(a->name, b->name) == 0;
}

static void make_units(struct guard *g)
{
    const struct edits *all = &g->plan->edits;

    g->units = mem_array(all->n + 1, sizeof(*g->units));
    for (size_t i = 0; i < all->n; i++) {
        if (i == 0 || !same_unit(&all->v[i - 1], &all->v[i]))
            g->units[g->nunits++] = (struct guard_unit){.first = i};
        g->units[g->nunits - 1].n++;
    }
}

/* ---- one source ---- */

static int by_start(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

/* The edits of SOURCE that are switched on; they share their strings with the plan. */
static struct edits switched_on(const struct guard *g, const struct source *source)
{
    struct edits some = {0};

    for (size_t i = 0; i < g->nunits; i++) {
        const struct guard_unit *u = &g->units[i];

        for (size_t k = u->first; u->on && k < u->first + u->n; k++) {
            const struct edit *e = &g->plan->edits.v[k];

            if (strcmp(e->source->path, source->path) != 0)
                continue;
            some.v = mem_grow(some.v, some.n, &some.cap, sizeof(*some.v));
            some.v[some.n++] = *e;
        }
    }
    return some;
}

static void take_ranges(struct tried *t, const struct edits *some)
{
    size_t grown = 0, shrunk = 0;

    t->ranges = mem_array(some->n, sizeof(*t->ranges));
    for (size_t i = 0; i < some->n; i++) {
        const struct edit *e = &some->v[i];

        t->ranges[t->nranges++] = (struct range){e->start, e->end, 0, e->after_len, e->name};
    }
    qsort(t->ranges, t->nranges, sizeof(*t->ranges), by_start);
    for (size_t i = 0; i < t->nranges; i++) {
        struct range *r = &t->ranges[i];
        size_t len = r->new_end;

        r->new_start = r->start + grown - shrunk;
        r->new_end = r->new_start + len;
        grown += len;
        shrunk += r->end - r->start;
    }
}

static int try_source(const struct guard *g, struct tried *t, const struct source *source,
                      struct diag *d)
{
    struct edits some = switched_on(g, source);
    int rc = 0;

    t->source = source;
    t->after = *source;
    if (some.n > 0) {
        rc = edits_apply(some.v[0].source, &some, &t->bytes, d);
        t->after.bytes = t->bytes.data;
        t->after.len = t->bytes.len;
        take_ranges(t, &some);
    }
    free(some.v);
    return rc;
}

/* ---- before against after ---- */

static bool is_inetd(const struct entry *e)
{
    return strcmp(e->starter->name, "inetd") == 0;
}

static const struct tried *tried_of(const struct tried *v, size_t n, const struct entry *e)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].source == e->source || &v[i].after == e->source)
            return &v[i];
    return NULL;
}

/* Whether E belongs to the edits: it lies in one of their ranges (all of it, after the edits: what
 * stands outside them is somebody else's) or, in a script, where a list of words starts daemons
 * elsewhere, it has the name of one. */
static bool is_edited(const struct tried *t, const struct entry *e, bool after)
{
    size_t first = SIZE_MAX, last = 0;

    for (size_t i = 0; t != NULL && i < t->nranges; i++) {
        const struct range *r = &t->ranges[i];
        size_t start = after ? r->new_start : r->start, end = after ? r->new_end : r->end;

        if (!is_inetd(e) && strcmp(r->name, e->name) == 0)
            return true;
        if (start >= e->end || end <= e->start)
            continue;
        first = start < first ? start : first;
        last = end > last ? end : last;
    }
    if (last == 0)
        return false;
    return !after || !is_inetd(e) || (e->start >= first && e->end <= last);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_entry(const struct entry *a, const struct entry *b)
{
    size_t i = 0;

    if (!same_text(a->name, b->name) || !same_text(a->program, b->program) ||
        a->nsockets != b->nsockets || strcmp(a->source->path, b->source->path) != 0)
        return false;
    for (; a->argv[i] != NULL && b->argv[i] != NULL; i++)
        if (strcmp(a->argv[i], b->argv[i]) != 0)
            return false;
    if (a->argv[i] != b->argv[i])
        return false;
    for (i = 0; i < a->nsockets; i++)
        if (!work_same_socket(&a->sockets[i], &b->sockets[i]))
            return false;
    return true;
}

/* The next enabled entry of LIST that the edits have nothing to do with. */
static const struct entry *next_other(const struct entries *list, size_t *i,
                                      const struct tried *tried, size_t n, bool after)
{
    for (; *i < list->n; ++*i) {
        const struct entry *e = list->v[*i];

        if (e->enabled && !is_edited(tried_of(tried, n, e), e, after))
            return list->v[(*i)++];
    }
    return NULL;
}

static bool is_there(const struct entries *list, const struct entry *e)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i]->enabled && strcmp(list->v[i]->name, e->name) == 0 &&
            strcmp(list->v[i]->source->path, e->source->path) == 0)
            return true;
    return false;
}

static void tell_difference(struct guard *g, const struct parse *before, const struct parse *after,
                            const struct entry *old, const struct entry *new)
{
    const char *would = "would not be read as it is now";
    const struct entry *e = old;

    if (new != NULL && !is_there(&before->entries, new) &&
        (old == NULL || is_there(&after->entries, old))) {
        would = "would come to life, or take in lines that are not its own";
        e = new;
    }
    if (e == NULL)
        e = new;
    if (e == NULL)
        return; /* nothing differs */
    buf_printf(&g->reason, "with it back, '%s' (%s:%u) %s", e->name, e->source->path, e->line,
               would);
}

static bool compare(struct guard *g, const struct parse *before, const struct parse *after,
                    const struct tried *tried, size_t n)
{
    const struct entry *old, *new;
    size_t i = 0, k = 0;

    buf_clear(&g->reason);
    for (;;) {
        old = next_other(&before->entries, &i, tried, n, false);
        new = next_other(&after->entries, &k, tried, n, true);
        if (old == NULL && new == NULL)
            break;
        if (old == NULL || new == NULL || !same_entry(old, new)) {
            tell_difference(g, before, after, old, new);
            return false;
        }
    }
    if (after->hung && !before->hung)
        buf_adds(&g->reason, "with it back, the inetd would hang on the file");
    return g->reason.len == 0;
}

static bool parse_holds(struct guard *g, const struct parse *p)
{
    struct parse again = {
        .dialect = p->dialect, .db = p->db, .is_daemon = p->is_daemon, .starter = p->starter};
    size_t n, touched = 0;
    const struct source **sources = work_sources(p, &n);
    struct tried *tried = mem_array(n + 1, sizeof(*tried));
    struct diag d = DIAG_INIT;
    bool holds = true;

    for (size_t i = 0; i < n && holds; i++) {
        holds = try_source(g, &tried[i], sources[i], &d) == 0;
        touched += tried[i].nranges;
    }
    if (!holds) {
        buf_clear(&g->reason);
        buf_adds(&g->reason, d.message);
    } else if (touched > 0) {
        for (size_t i = 0; i < n; i++)
            p->starter->parse(&again, &tried[i].after);
        p->starter->finish(&again);
        holds = compare(g, p, &again, tried, n);
    }
    parse_release(&again);
    for (size_t i = 0; i < n; i++) {
        buf_release(&tried[i].bytes);
        free(tried[i].ranges);
    }
    free(tried);
    free(sources);
    diag_release(&d);
    return holds;
}

static bool all_hold(struct guard *g)
{
    g->checks++;
    for (size_t i = 0; i < g->nparses; i++)
        if (!parse_holds(g, &g->parses[i]))
            return false;
    return true;
}

/* ---- what does not hold ---- */

static void set_units(struct guard *g, size_t from, size_t to, bool on)
{
    for (size_t i = from; i < to; i++)
        g->units[i].on = on;
}

static void add_conflict(struct guard *g, const struct guard_unit *u)
{
    const struct edit *e = &g->plan->edits.v[u->first];

    plan_add_skip(g->plan, NULL, e->source->path, e->line, "conflict", "%s", buf_str(&g->reason));
}

/* Switch on as many units of [FROM, TO) as hold together with those already on; halve where they do
 * not. */
static void settle(struct guard *g, size_t from, size_t to)
{
    size_t mid = from + (to - from) / 2;

    set_units(g, from, to, true);
    if (g->checks < CHECKS_MAX && all_hold(g))
        return;
    set_units(g, from, to, false);
    if (to - from > 1 && g->checks < CHECKS_MAX) {
        settle(g, from, mid);
        settle(g, mid, to);
        return;
    }
    for (size_t i = from; i < to; i++)
        add_conflict(g, &g->units[i]);
}

static void drop_edits(struct guard *g)
{
    struct edits *all = &g->plan->edits;
    size_t to = 0;

    for (size_t i = 0; i < g->nunits; i++) {
        const struct guard_unit *u = &g->units[i];

        for (size_t k = u->first; k < u->first + u->n; k++) {
            if (u->on) {
                all->v[to++] = all->v[k];
                continue;
            }
            free(all->v[k].before);
            free(all->v[k].after);
            free(all->v[k].service);
            free(all->v[k].name);
        }
    }
    all->n = to;
}

/* The bytes of the files again, with the edits that are left. */
static int make_files(struct plan *plan, struct diag *d)
{
    size_t to = 0;

    for (size_t i = 0; i < plan->nfiles; i++) {
        struct plan_file *f = &plan->files[i];
        bool touched = false;

        for (size_t k = 0; k < plan->edits.n; k++)
            touched = touched || plan->edits.v[k].source == f->source;
        buf_release(&f->after);
        if (touched)
            plan->files[to++].source = f->source;
    }
    plan->nfiles = to;
    for (size_t i = 0; i < to; i++) {
        plan->files[i].after = (struct buf)BUF_INIT;
        if (edits_apply(plan->files[i].source, &plan->edits, &plan->files[i].after, d) != 0)
            return -1;
    }
    return 0;
}

int plan_guard(struct plan *plan, const struct parse *parses, size_t nparses, struct diag *d)
{
    struct guard g = {.plan = plan, .parses = parses, .nparses = nparses};
    size_t edits = plan->edits.n;
    int rc = 0;

    make_units(&g);
    if (g.nunits > 0)
        settle(&g, 0, g.nunits);
    drop_edits(&g);
    if (plan->edits.n < edits)
        rc = make_files(plan, d);
    buf_release(&g.reason);
    free(g.units);
    return rc;
}
