#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "work.h"

/* Each check reads all files again. A file made to fail everywhere would need one per entry. */
enum { CHECKS_MAX = 200 };

struct check {
    struct work *w;
    bool *on; /* by unit: its edits are in the files that are tried */
    unsigned checks;
    struct buf reason; /* why the last try did not hold */
};

const struct source **work_sources(const struct parse *p, size_t *n)
{
    const struct source **list = NULL;
    size_t cap = 0;

    *n = 0;
    for (size_t i = 0; i < p->nsources; i++) {
        list = mem_grow(list, *n, &cap, sizeof(*list));
        list[(*n)++] = p->sources[i];
    }
    for (size_t i = 0; p->nsources == 0 && i < p->entries.n; i++) {
        const struct source *s = p->entries.v[i]->source;
        bool known = *n > 0 && list[*n - 1] == s;

        for (size_t k = 0; k < *n && !known; k++)
            known = list[k] == s;
        if (known)
            continue;
        list = mem_grow(list, *n, &cap, sizeof(*list));
        list[(*n)++] = s;
    }
    return list;
}

/* The edits of SOURCE that belong to units switched on; they share their strings with the plan. */
static struct edits chosen(const struct check *c, const struct source *source)
{
    const struct edits *all = &c->w->plan->edits;
    struct edits some = {0};

    for (size_t i = 0; i < all->n; i++) {
        const struct item *it;

        if (all->v[i].source != source)
            continue;
        it = work_item(c->w, all->v[i].entry);
        if (it == NULL || !c->on[it->unit])
            continue;
        some.v = mem_grow(some.v, some.n, &some.cap, sizeof(*some.v));
        some.v[some.n++] = all->v[i];
    }
    return some;
}

/* ---- before against after ---- */

bool work_same_socket(const struct socket_spec *a, const struct socket_spec *b)
{
    return a->family == b->family && a->port == b->port && strcmp(a->proto, b->proto) == 0 &&
           strcmp(a->address, b->address) == 0;
}

static bool same_sockets(const struct entry *a, const struct entry *b)
{
    if (a->nsockets != b->nsockets)
        return false;
    for (size_t i = 0; i < a->nsockets; i++) {
        if (!work_same_socket(&a->sockets[i], &b->sockets[i]))
            return false;
    }
    return true;
}

static void describe(struct buf *out, const struct entry *e)
{
    if (e->nsockets == 0)
        buf_adds(out, "nothing");
    for (size_t i = 0; i < e->nsockets; i++) {
        const struct socket_spec *s = &e->sockets[i];

        buf_printf(out, "%s%s %s", i > 0 ? ", " : "", family_name(s->family), s->address);
        if (s->port > 0)
            buf_printf(out, ":%d", s->port);
        buf_printf(out, "/%s", s->proto);
    }
}

static bool differs(struct check *c, const struct entry *before, const struct entry *after)
{
    buf_clear(&c->reason);
    buf_printf(&c->reason, "then '%s' (%s:%u) would listen on ", before->name, before->source->path,
               before->line);
    describe(&c->reason, after);
    buf_adds(&c->reason, " in place of ");
    describe(&c->reason, before);
    return false;
}

static const struct entry *next_enabled(const struct entries *list, size_t *i)
{
    while (*i < list->n && !list->v[*i]->enabled)
        (*i)++;
    return *i < list->n ? list->v[(*i)++] : NULL;
}

static bool switched_off(const struct check *c, const struct entry *e)
{
    const struct item *it = work_item(c->w, e);

    return it != NULL && c->on[it->unit];
}

/* Every entry that stays opens exactly what it opened before. */
static bool compare(struct check *c, const struct parse *before, const struct parse *after)
{
    const struct entry *old, *new;
    size_t i = 0, k = 0;

    while ((old = next_enabled(&before->entries, &i)) != NULL) {
        if (switched_off(c, old))
            continue;
        new = next_enabled(&after->entries, &k);
        if (new == NULL || strcmp(new->name, old->name) != 0) {
            buf_clear(&c->reason);
            buf_printf(&c->reason, "then '%s' (%s:%u) would not be read as before", old->name,
                       old->source->path, old->line);
            return false;
        }
        if (!same_sockets(old, new))
            return differs(c, old, new);
    }
    new = next_enabled(&after->entries, &k);
    if (new != NULL || (after->hung && !before->hung)) {
        buf_clear(&c->reason);
        buf_printf(&c->reason, "then %s",
                   new != NULL ? "an entry would come to life"
                               : "the inetd would hang on the file");
        return false;
    }
    return true;
}

/* ---- one try ---- */

static bool parse_holds(struct check *c, const struct parse *p)
{
    struct parse again = {
        .dialect = p->dialect, .db = p->db, .is_daemon = p->is_daemon, .starter = p->starter};
    size_t n;
    const struct source **sources = work_sources(p, &n);
    struct source *after = mem_array(n + 1, sizeof(*after));
    struct buf *bytes = mem_array(n + 1, sizeof(*bytes));
    bool holds = true;

    for (size_t i = 0; i < n && holds; i++) {
        struct edits some = chosen(c, sources[i]);
        struct diag d = DIAG_INIT;

        after[i] = *sources[i];
        if (some.n > 0 && edits_apply(sources[i], &some, &bytes[i], &d) != 0) {
            holds = false;
            buf_clear(&c->reason);
            buf_adds(&c->reason, d.message);
        }
        if (some.n > 0) {
            after[i].bytes = bytes[i].data;
            after[i].len = bytes[i].len;
        }
        p->starter->parse(&again, &after[i]);
        free(some.v);
        diag_release(&d);
    }
    if (p->starter->finish != NULL)
        p->starter->finish(&again);
    holds = holds && compare(c, p, &again);
    parse_release(&again);
    for (size_t i = 0; i < n; i++)
        buf_release(&bytes[i]);
    free(bytes);
    free(after);
    free(sources);
    return holds;
}

static bool opens_sockets(const struct parse *p)
{
    for (size_t i = 0; i < p->entries.n; i++) {
        if (p->entries.v[i]->nsockets > 0)
            return true;
    }
    return p->hung;
}

static bool all_hold(struct check *c)
{
    c->checks++;
    for (size_t i = 0; i < c->w->nparses; i++) {
        if (opens_sockets(&c->w->parses[i]) && !parse_holds(c, &c->w->parses[i]))
            return false;
    }
    return true;
}

static void set_units(struct check *c, size_t from, size_t to, bool on)
{
    for (size_t i = from; i < to; i++)
        c->on[i] = on && !c->w->units[i].dropped;
}

/* Switch on as many units of [FROM, TO) as hold together with those already on; halve where they do
 * not. */
static void settle(struct check *c, size_t from, size_t to)
{
    const struct item *item;
    size_t mid = from + (to - from) / 2;
    bool live = false;
    char *reason;

    for (size_t i = from; i < to; i++)
        live = live || !c->w->units[i].dropped;
    if (!live)
        return;
    set_units(c, from, to, true);
    if (c->checks < CHECKS_MAX && all_hold(c))
        return;
    set_units(c, from, to, false);
    if (to - from > 1 && c->checks < CHECKS_MAX) {
        settle(c, from, mid);
        settle(c, mid, to);
        return;
    }
    for (size_t i = from; i < to; i++) {
        if (c->w->units[i].dropped)
            continue;
        item = &c->w->items[c->w->grouped[c->w->units[i].first]];
        reason = mem_strdup(buf_str(&c->reason));
        work_drop(c->w, item, "widens", reason);
        free(reason);
    }
}

void work_check_sockets(struct work *w)
{
    struct check c = {.w = w, .on = mem_array(w->nunits + 1, sizeof(bool))};

    settle(&c, 0, w->nunits);
    buf_release(&c.reason);
    free(c.on);
}
