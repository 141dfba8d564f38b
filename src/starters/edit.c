#include "batten/edit.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"

struct edit *edits_new(struct edits *list, const struct source *source, size_t start, size_t end)
{
    struct edit *e;

    list->v = mem_grow(list->v, list->n, &list->cap, sizeof(*list->v));
    e = &list->v[list->n++];
    *e = (struct edit){.source = source, .start = start, .end = end};
    e->before = mem_strndup(source->bytes + start, end - start);
    e->before_len = end - start;
    return e;
}

void edits_release(struct edits *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->v[i].before);
        free(list->v[i].after);
        free(list->v[i].service);
        free(list->v[i].name);
        free(list->v[i].ident);
    }
    free(list->v);
    *list = (struct edits){0};
}

static int by_start(const void *a, const void *b)
{
    const struct edit *x = *(const struct edit *const *)a, *y = *(const struct edit *const *)b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

static bool fits(const struct source *source, const struct edit *e)
{
    return e->start <= e->end && e->end <= source->len && e->end - e->start == e->before_len &&
           memcmp(source->bytes + e->start, e->before, e->before_len) == 0;
}

int edits_apply(const struct source *source, const struct edits *list, struct buf *out,
                struct diag *d)
{
    const struct edit **mine = mem_array(list->n, sizeof(*mine));
    size_t n = 0, at = 0;
    int rc = -1;

    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].source == source)
            mine[n++] = &list->v[i];
    qsort(mine, n, sizeof(*mine), by_start);
    for (size_t i = 0; i < n; i++) {
        if (mine[i]->start < at || !fits(source, mine[i])) {
            diag_set(d, STATUS_REFUSED, "edits-overlap",
                     "two changes of '%s' overlap, or its text is not the one they were made for",
                     source->path);
            diag_at(d, source->path, mine[i]->line, 0);
            goto out;
        }
        buf_add(out, source->bytes + at, mine[i]->start - at);
        buf_add(out, mine[i]->after, mine[i]->after_len);
        at = mine[i]->end;
    }
    buf_add(out, source->bytes + at, source->len - at);
    rc = 0;
out:
    free(mine);
    return rc;
}
