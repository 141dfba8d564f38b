#include "batten/openings.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/starter.h"

int socket_compare(const struct socket_spec *a, const struct socket_spec *b)
{
    int order = strcmp(a->proto, b->proto);

    if (order == 0)
        order = (a->port > b->port) - (a->port < b->port);
    if (order == 0)
        order = strcmp(a->address, b->address);
    if (order == 0)
        order = (a->family > b->family) - (a->family < b->family);
    return order;
}

/* Equal sockets in the order of their entries, so that the result does not depend on the sort. */
static int by_socket(const void *a, const void *b)
{
    const struct opening *x = a;
    const struct opening *y = b;
    int order = socket_compare(x->spec, y->spec);

    return order != 0 ? order
                      : (x->entry->line > y->entry->line) - (x->entry->line < y->entry->line);
}

static void add(struct openings *set, struct opening opening)
{
    set->v = mem_grow(set->v, set->n, &set->cap, sizeof(*set->v));
    set->v[set->n++] = opening;
}

void openings_add(struct openings *set, const struct parse *p)
{
    for (size_t i = 0; i < p->entries.n; i++) {
        const struct entry *entry = p->entries.v[i];

        for (size_t k = 0; k < entry->nsockets; k++)
            add(set, (struct opening){&entry->sockets[k], entry});
    }
    if (set->n > 0)
        qsort(set->v, set->n, sizeof(*set->v), by_socket);
}

void openings_minus(struct openings *out, const struct openings *a, const struct openings *b)
{
    size_t k = 0;

    for (size_t i = 0; i < a->n; i++) {
        while (k < b->n && socket_compare(b->v[k].spec, a->v[i].spec) < 0)
            k++;
        if (k < b->n && socket_compare(b->v[k].spec, a->v[i].spec) == 0)
            k++;
        else
            add(out, a->v[i]);
    }
}

void openings_release(struct openings *set)
{
    free(set->v);
    *set = (struct openings){0};
}
