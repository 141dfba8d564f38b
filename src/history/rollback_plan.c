#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "rollback_int.h"

enum { SHOWN_MAX = 160 };

void rollback_shown(struct buf *out, const char *bytes, size_t len)
{
    size_t line = strcspn(bytes, "\n");

    line = line < len ? line : len;
    if (line > SHOWN_MAX)
        buf_printf(out, "'%.*s...'", SHOWN_MAX, bytes);
    else
        buf_printf(out, "'%.*s'", (int)line, bytes);
    if (line + 1 < len)
        buf_adds(out, " and more");
}

/* Both sides: what batten wrote and what is there. */
static void add_conflict(struct plan *plan, const struct candidate *c)
{
    struct buf why = BUF_INIT;
    const char *text;
    unsigned line = c->anchor->new_line;
    size_t len;

    if (c->file->source == NULL) {
        buf_adds(&why, c->file->why);
    } else if (c->wrote == NULL) {
        buf_adds(&why, "the history does not hold these lines");
    } else {
        buf_printf(&why, "batten wrote %s", c->wrote);
        text = lines_at(&c->file->lines, c->first, c->count, &len);
        line = (unsigned)c->first + 1;
        buf_adds(&why, len > 0 ? ", the file now has " : ", which is gone");
        if (len > 0)
            rollback_shown(&why, text, len);
    }
    plan_add_skip(plan, NULL, c->anchor->path, line, "conflict", "%s", buf_str(&why));
    buf_release(&why);
}

static void add_edit(struct plan *plan, const struct rollback *r, const struct candidate *c)
{
    const struct source *s = c->file->source;
    const struct lines *l = &c->file->lines;
    size_t start = l->starts[c->first], end = l->starts[c->first + c->count];
    size_t len = c->old_len;
    struct edit *e;

    /* the last line of a file without final newline keeps it so */
    if (end > s->len) {
        end = s->len;
        if (len > 0 && c->old[len - 1] == '\n')
            len--;
    }
    start = start < s->len ? start : s->len;
    e = edits_new(&plan->edits, s, start, end);
    e->kind = "revert";
    c->file->touched = true;
    e->after = mem_strndup(c->old, len);
    e->after_len = len;
    e->line = (unsigned)c->first + 1;
    e->last_line = (unsigned)(c->first + (c->count ? c->count : 1));
    e->service = mem_strdup(c->anchor->service);
    e->name = mem_strdup(c->anchor->name);
    e->ident = mem_strdup(c->anchor->ident);
    e->undoes_change = r->effects.v[c->undo].change->number;
    e->undoes_edit = r->effects.v[c->undo].index;
}

static int add_files(struct plan *plan, const struct rollback *r, struct diag *d)
{
    plan->files = mem_array(r->nfiles, sizeof(*plan->files));
    for (size_t i = 0; i < r->nfiles; i++) {
        const struct source *s = r->files[i]->source;

        if (!r->files[i]->touched)
            continue;
        plan->files[plan->nfiles].source = s;
        if (edits_apply(s, &plan->edits, &plan->files[plan->nfiles++].after, d) != 0)
            return -1;
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct candidate *x = *(const struct candidate *const *)a;
    const struct candidate *y = *(const struct candidate *const *)b;
    int order = strcmp(x->anchor->path, y->anchor->path);

    if (order != 0)
        return order;
    return x->first < y->first ? -1 : x->first > y->first;
}

int rollback_make(struct plan *plan, struct rollback *r, struct diag *d)
{
    const struct candidate **chosen = mem_array(r->n, sizeof(*chosen));
    unsigned change = 0, conflict = 0;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].chosen)
            chosen[n++] = &r->v[i];
    if (n > 1)
        qsort(chosen, n, sizeof(*chosen), by_place);
    for (size_t i = 0; i < n; i++) {
        const struct candidate *c = chosen[i];
        unsigned undoes = r->effects.v[c->undo].change->number;

        if (c->file->source != NULL && c->standing == STANDS) {
            change = change == 0 || change == undoes ? undoes : UINT32_MAX;
            plan->recloses = plan->recloses || r->effects.v[c->undo].side != 0;
            add_edit(plan, r, c);
        } else {
            conflict = conflict == 0 || conflict == undoes ? undoes : UINT32_MAX;
            add_conflict(plan, c);
        }
    }
    change = change == 0 ? conflict : change;
    plan->undoes = change == UINT32_MAX ? 0 : change;
    free(chosen);
    return add_files(plan, r, d);
}
