#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "rollback_int.h"

enum { SHOWN_MAX = 160 };

static void add_shown(struct buf *out, const char *bytes, size_t len)
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
static void add_conflict(struct plan *plan, const struct candidate *c, const struct version *v)
{
    struct buf why = BUF_INIT;
    const char *text;
    unsigned line = c->anchor->new_line;
    size_t len;

    if (c->file->source == NULL) {
        buf_adds(&why, c->file->why);
    } else if (c->at.old == NULL) {
        buf_adds(&why, "the history does not hold these lines");
    } else {
        buf_adds(&why, "batten wrote ");
        text = lines_at(&v->then, lines_before(c->anchor->new_line, c->anchor->new_count),
                        c->anchor->new_count, &len);
        add_shown(&why, text, len);
        text = lines_at(&c->file->lines, c->at.first, c->at.count, &len);
        line = (unsigned)c->at.first + 1;
        buf_adds(&why, len > 0 ? ", the file now has " : ", which is gone");
        if (len > 0)
            add_shown(&why, text, len);
    }
    plan_add_skip(plan, NULL, c->anchor->path, line, "conflict", "%s", buf_str(&why));
    buf_release(&why);
}

static void add_edit(struct plan *plan, const struct rollback *r, const struct candidate *c)
{
    const struct source *s = c->file->source;
    const struct lines *l = &c->file->lines;
    size_t start = l->starts[c->at.first], end = l->starts[c->at.first + c->at.count];
    size_t len = c->at.old_len;
    struct edit *e;

    /* the last line of a file without final newline keeps it so */
    if (end > s->len) {
        end = s->len;
        if (len > 0 && c->at.old[len - 1] == '\n')
            len--;
    }
    start = start < s->len ? start : s->len;
    e = edits_new(&plan->edits, s, start, end);
    e->kind = "revert";
    e->after = mem_strndup(c->at.old, len);
    e->after_len = len;
    e->line = (unsigned)c->at.first + 1;
    e->last_line = (unsigned)(c->at.first + (c->at.count ? c->at.count : 1));
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
        bool touched = false;

        for (size_t k = 0; s != NULL && k < plan->edits.n; k++)
            touched = touched || plan->edits.v[k].source == s;
        if (!touched)
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
    return x->at.first < y->at.first ? -1 : x->at.first > y->at.first;
}

int rollback_make(struct plan *plan, struct rollback *r, struct diag *d)
{
    const struct candidate **chosen = mem_array(r->n, sizeof(*chosen));
    unsigned change = 0;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].chosen)
            chosen[n++] = &r->v[i];
    if (n > 1)
        qsort(chosen, n, sizeof(*chosen), by_place);
    for (size_t i = 0; i < n; i++) {
        const struct candidate *c = chosen[i];
        unsigned undoes = r->effects.v[c->undo].change->number;

        if (c->file->source != NULL && c->at.standing == STANDS) {
            change = change == 0 || change == undoes ? undoes : UINT32_MAX;
            add_edit(plan, r, c);
        } else {
            const struct version *v = NULL;

            if (c->file->source != NULL)
                v = rollback_version(r, c, d);
            add_conflict(plan, c, v);
        }
    }
    plan->undoes = change == UINT32_MAX ? 0 : change;
    free(chosen);
    return add_files(plan, r, d);
}
