#include <stdlib.h>

#include "batten/mem.h"
#include "history_int.h"

/* The index of edit EDIT of change CHANGE among the first N effects; N when it is not there.
 * Changes are numbered upwards, so a binary search finds the change. */
static size_t find(const struct effects *e, size_t n, unsigned change, unsigned edit)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct effect *x = &e->v[mid];

        if (x->change->number < change || (x->change->number == change && x->index < edit))
            low = mid + 1;
        else
            high = mid;
    }
    if (low < n && e->v[low].change->number == change && e->v[low].index == edit)
        return low;
    return n;
}

static void add(struct effects *e, const struct history_change *c, unsigned index)
{
    struct effect *x = &e->v[e->n];
    size_t target = e->n;

    *x = (struct effect){.change = c, .edit = &c->edits[index - 1], .index = index, .root = e->n};
    if (x->edit->undoes_change != 0)
        target = find(e, e->n, x->edit->undoes_change, x->edit->undoes_edit);
    if (target < e->n) {
        x->root = e->v[target].root;
        x->side = e->v[target].side ^ 1u;
    }
    e->v[x->root].newest = e->n;
    e->n++;
}

void effects_make(struct effects *out, const struct history_changes *changes)
{
    size_t total = 0;
    unsigned last = 0;

    for (size_t i = 0; i < changes->n; i++)
        total += changes->v[i].nedits;
    *out = (struct effects){mem_array(total, sizeof(*out->v)), 0};
    for (size_t i = changes->n; i-- > 0;) {
        const struct history_change *c = &changes->v[i];

        /* a number out of order is none that batten gave: its edits take part in nothing */
        if (c->number <= last)
            continue;
        last = c->number;
        for (unsigned k = 1; k <= c->nedits; k++)
            add(out, c, k);
    }
}

void effects_release(struct effects *e)
{
    free(e->v);
    *e = (struct effects){0};
}

const struct effect *effect_anchor(const struct effects *e, size_t i)
{
    return &e->v[e->v[e->v[i].root].newest];
}

bool effect_holds(const struct effects *e, size_t i)
{
    return effect_anchor(e, i)->side == e->v[i].side;
}
