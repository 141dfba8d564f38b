#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/source.h"
#include "work.h"

/* qsort has no place for a context. */
struct sortable {
    const struct parse *parse;
    unsigned group;
    const struct entry *e;
    size_t item;
};

const char *work_service(const struct finding *f)
{
    /* A shell on 8080 is no web server. */
    if (f->service != NULL && (!f->backdoor || catalogue_has_class(f->service, "backdoor")))
        return f->service->name;
    return f->entry->name != NULL ? f->entry->name : "?";
}

static const struct parse *parse_of(const struct work *w, const struct entry *e)
{
    for (size_t i = 0; i < w->nparses; i++) {
        if (w->parses[i].starter == e->starter)
            return &w->parses[i];
    }
    return NULL;
}

static int by_group(const void *a, const void *b)
{
    const struct sortable *x = a, *y = b;

    if (x->parse != y->parse)
        return x->parse < y->parse ? -1 : 1;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int by_entry(const void *a, const void *b)
{
    const struct sortable *x = a, *y = b;

    return (x->e > y->e) - (x->e < y->e);
}

static struct sortable *sortables(const struct work *w)
{
    struct sortable *s = mem_array(w->n + 1, sizeof(*s));

    for (size_t i = 0; i < w->n; i++)
        s[i] = (struct sortable){w->items[i].parse, w->items[i].e->group, w->items[i].e, i};
    return s;
}

static void make_units(struct work *w)
{
    struct sortable *s = sortables(w);

    w->grouped = mem_array(w->n + 1, sizeof(*w->grouped));
    w->by_entry = mem_array(w->n + 1, sizeof(*w->by_entry));
    w->units = mem_array(w->n + 1, sizeof(*w->units));
    qsort(s, w->n, sizeof(*s), by_group);
    for (size_t i = 0; i < w->n; i++) {
        bool joins = i > 0 && s[i].group != 0 && s[i].group == s[i - 1].group &&
                     s[i].parse == s[i - 1].parse;

        if (!joins)
            w->units[w->nunits++] = (struct unit){.first = i, .group = s[i].group};
        w->units[w->nunits - 1].n++;
        w->grouped[i] = s[i].item;
        w->items[s[i].item].unit = w->nunits - 1;
    }
    qsort(s, w->n, sizeof(*s), by_entry);
    for (size_t i = 0; i < w->n; i++)
        w->by_entry[i] = s[i].item;
    free(s);
}

static void skip(struct work *w, const struct finding *f, const char *code, const char *reason)
{
    plan_add_skip(w->plan, f, f->entry->source->path, f->entry->line, code, "%s", reason);
}

static int by_place(const void *a, const void *b)
{
    const struct entry *x = ((const struct item *)a)->e, *y = ((const struct item *)b)->e;
    int order = strcmp(x->source->path, y->source->path);

    if (order == 0)
        order = (x->line > y->line) - (x->line < y->line);
    return order != 0 ? order : (x->column > y->column) - (x->column < y->column);
}

void work_collect(struct work *w)
{
    w->items = mem_array(w->findings->n + 1, sizeof(*w->items));
    for (size_t i = 0; i < w->findings->n; i++) {
        const struct finding *f = &w->findings->v[i];
        const struct parse *parse = parse_of(w, f->entry);

        if (!f->entry->enabled || parse == NULL || f->verdict == VERDICT_KEEP)
            continue;
        if (f->verdict == VERDICT_ASK)
            skip(w, f, "ask", "the profile leaves it to a person to decide");
        else
            w->items[w->n++] = (struct item){f, f->entry, parse, 0};
    }
    qsort(w->items, w->n, sizeof(*w->items), by_place);
    make_units(w);
    for (size_t i = 0; i < w->n; i++) {
        const struct item *it = &w->items[i];

        if (it->e->locked != NULL)
            work_drop(w, it, "locked", it->e->locked);
        else if (it->e->flags & ENTRY_REPORT)
            work_drop(w, it, "locked", "it is started by an init script, which is not edited");
    }
}

void work_release(struct work *w)
{
    free(w->items);
    free(w->grouped);
    free(w->by_entry);
    free(w->units);
}

void work_drop(struct work *w, const struct item *item, const char *code, const char *reason)
{
    struct unit *u = &w->units[item->unit];

    if (u->dropped)
        return;
    u->dropped = true;
    for (size_t i = 0; i < u->n; i++) {
        const struct item *other = &w->items[w->grouped[u->first + i]];
        char *shared;

        if (other == item) {
            skip(w, item->f, code, reason);
            continue;
        }
        shared = mem_printf("it shares its port with '%s' (%s:%u), which cannot be closed: %s",
                            item->e->name, item->e->source->path, item->e->line, reason);
        skip(w, other->f, "shared-port", shared);
        free(shared);
    }
}

const struct item *work_item(const struct work *w, const struct entry *e)
{
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (w->items[w->by_entry[mid]].e < e)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == w->n || w->items[w->by_entry[low]].e != e)
        return NULL;
    return &w->items[w->by_entry[low]];
}

bool work_live(const struct work *w, const struct entry *e)
{
    const struct item *it = work_item(w, e);

    return it != NULL && !w->units[it->unit].dropped;
}

static struct unit *unit_of_group(const struct work *w, const struct parse *parse, unsigned group)
{
    size_t low = 0, high = w->nunits;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct item *first = &w->items[w->grouped[w->units[mid].first]];

        if (first->parse < parse || (first->parse == parse && w->units[mid].group < group))
            low = mid + 1;
        else
            high = mid;
    }
    if (low == w->nunits || w->units[low].group != group ||
        w->items[w->grouped[w->units[low].first]].parse != parse)
        return NULL;
    return &w->units[low];
}

/* E stays open: nothing that shares its port can be closed. */
static void keep_group(struct work *w, const struct parse *parse, const struct entry *e)
{
    struct unit *u = unit_of_group(w, parse, e->group);

    if (u == NULL || u->dropped)
        return;
    u->dropped = true;
    for (size_t i = 0; i < u->n; i++) {
        const struct finding *f = w->items[w->grouped[u->first + i]].f;
        char *reason = mem_printf("it shares its port with '%s' (%s:%u), which stays: closing one "
                                  "of them lets the other open it later",
                                  e->name, e->source->path, e->line);

        skip(w, f, "shared-port", reason);
        free(reason);
    }
}

void work_check_groups(struct work *w)
{
    for (size_t p = 0; p < w->nparses; p++) {
        const struct entries *all = &w->parses[p].entries;

        for (size_t i = 0; i < all->n; i++) {
            const struct entry *e = all->v[i];

            if (e->group != 0 && e->enabled && work_item(w, e) == NULL)
                keep_group(w, &w->parses[p], e);
        }
    }
}
