#include "batten/rollback.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "rollback_int.h"

/* A hostile history can make every edit look at everything: lines, hunks, files; and keep much. */
enum { FILES_MAX = 8192, HELD_MAX = 128 << 20 };
static const unsigned long long work_max = 4000000000;

static int spend(struct rollback *r, size_t work, struct diag *d)
{
    r->work += work;
    if (r->work <= work_max && r->held <= HELD_MAX && r->nfiles <= FILES_MAX)
        return 0;
    diag_set(d, STATUS_REFUSED, "too-large", "the history is too large to be rolled back at once");
    diag_hint(d, "name a change, a service or an entry");
    return -1;
}

static struct current *current_of(struct rollback *r, const char *path)
{
    struct current *c;
    struct diag why = DIAG_INIT;

    for (size_t i = r->nfiles; i-- > 0; r->work++)
        if (strcmp(r->files[i]->path, path) == 0)
            return r->files[i];
    c = mem_alloc(sizeof(*c));
    c->path = mem_strdup(path);
    switch (r->read(r->ctx, path, &c->source, &why)) {
    case ROOT_OK:
        lines_make(&c->lines, c->source->bytes, c->source->len);
        c->claimed = mem_array(c->lines.n, sizeof(*c->claimed));
        break;
    case ROOT_ABSENT:
        c->source = NULL;
        c->why = mem_strdup("the file is gone");
        break;
    case ROOT_ERROR:
        c->source = NULL;
        c->why = mem_strdup(why.message ? why.message : "the file cannot be read");
        break;
    }
    diag_release(&why);
    r->files = mem_grow(r->files, r->nfiles, &r->cap_files, sizeof(struct current *));
    r->files[r->nfiles++] = c;
    return c;
}

/* The version of C's file that its anchor's commit wrote; NULL on error. Candidates come change by
 * change and file by file: the one loaded last is kept. */
static const struct version *version_of(struct rollback *r, const struct candidate *c,
                                        struct diag *d)
{
    const char *id = r->effects.v[c->effect].change->id;
    struct version *v = &r->version;

    if (v->path != NULL && strcmp(v->id, id) == 0 && strcmp(v->path, c->file->path) == 0)
        return v;
    version_release(v);
    if (version_load(v, r->h, id, c->file->path, &c->file->lines, d) != 0 ||
        spend(r, v->then.text.len + v->before.text.len + c->file->lines.text.len, d) != 0)
        return NULL;
    return v;
}

static int by_anchor(const void *a, const void *b)
{
    const struct effect *x = *(const struct effect *const *)a;
    const struct effect *y = *(const struct effect *const *)b;

    return x > y ? -1 : x < y;
}

/* All edits that are in effect, each with the edit whose lines stand for it, newest first. */
static void collect(struct rollback *r)
{
    const struct effect **anchors = mem_array(r->effects.n, sizeof(*anchors));
    size_t n = 0;

    for (size_t i = 0; i < r->effects.n; i++)
        if (r->effects.v[i].root == i)
            anchors[n++] = effect_anchor(&r->effects, i);
    if (n > 1)
        qsort(anchors, n, sizeof(*anchors), by_anchor);
    r->v = mem_array(n, sizeof(*r->v));
    for (size_t i = 0; i < n; i++)
        r->v[r->n++] = (struct candidate){.effect = (size_t)(anchors[i] - r->effects.v),
                                          .anchor = anchors[i]->edit};
    free(anchors);
}

static const struct effect *effect_of(const struct rollback *r, const struct candidate *c)
{
    return &r->effects.v[c->effect];
}

static int map_one(struct rollback *r, struct candidate *c, struct diag *d)
{
    const struct version *v;
    struct buf shown = BUF_INIT;
    struct mapped at;

    if (c->mapped)
        return 0;
    c->mapped = true;
    c->file = current_of(r, c->anchor->path);
    if (c->file->source == NULL)
        return spend(r, 1, d);
    v = version_of(r, c, d);
    if (v == NULL)
        return -1;
    r->work += version_map(v, c->anchor, &c->file->lines, &at);
    c->standing = at.standing;
    c->first = at.first;
    c->count = at.count;
    c->old_len = at.old_len;
    if (at.standing == STANDS) {
        c->old = mem_strndup(at.old, at.old_len);
        r->held += at.old_len;
    } else if (at.wrote != NULL) {
        rollback_shown(&shown, at.wrote, at.wrote_len);
        c->wrote = buf_steal(&shown);
    }
    return spend(r, 1, d);
}

/* Lines that stand as two edits wrote them belong to the newer: the older was undone by hand before
 * it. Candidates come newest first. */
static void claim(const struct rollback *r, struct candidate *c)
{
    size_t *lines = c->file->claimed;

    /* no lines: between two of one edit */
    if (c->count == 0 && c->first > 0 && c->first < c->file->lines.n)
        c->superseded = lines[c->first] != 0 && lines[c->first] == lines[c->first - 1];
    for (size_t i = 0; i < c->count && !c->superseded; i++)
        c->superseded = lines[c->first + i] != 0;
    for (size_t i = 0; i < c->count && !c->superseded; i++)
        lines[c->first + i] = (size_t)(c - r->v) + 1;
}

/* C is mapped, and so are those newer that may stand on its lines. */
static int settle(struct rollback *r, struct candidate *c, struct diag *d)
{
    if (effect_of(r, c)->side != 0)
        return map_one(r, c, d);
    for (; &r->v[r->settled] <= c; r->settled++) {
        struct candidate *next = &r->v[r->settled];

        if (effect_of(r, next)->side != 0)
            continue;
        if (map_one(r, next, d) != 0)
            return -1;
        if (next->file->source != NULL && next->standing == STANDS) {
            claim(r, next);
            if (spend(r, next->count, d) != 0)
                return -1;
        }
    }
    return 0;
}

/* There is something to do or to say about C. */
static bool matters(const struct candidate *c)
{
    return !c->superseded && (c->file->source == NULL || c->standing != TAKEN_BACK);
}

static bool can_go_back(const struct candidate *c)
{
    return c->file->source != NULL && c->standing == STANDS;
}

static bool named(const struct history_edit *e, const char *service)
{
    return service == NULL || strcmp(e->service, service) == 0 || strcmp(e->name, service) == 0;
}

static bool in_range(unsigned line, unsigned first, unsigned count)
{
    return count > 0 && line >= first && line - first < count;
}

static bool at_line_now(const struct candidate *c, const struct rollback_request *q)
{
    return c->file->source != NULL && strcmp(c->anchor->path, q->path) == 0 &&
           in_range(q->line, (unsigned)c->first + 1, (unsigned)c->count);
}

/* --entry names the line as it is now; only where no edit stands there, as it was then. */
static bool at_entry(const struct rollback *r, const struct candidate *c)
{
    const struct rollback_request *q = r->request;

    if (q->path == NULL)
        return true;
    if (strcmp(c->anchor->path, q->path) != 0)
        return false;
    if (q->line == 0)
        return true;
    if (r->line_now || q->line_now)
        return at_line_now(c, q);
    return in_range(q->line, c->anchor->old_line, c->anchor->old_count) ||
           in_range(q->line, c->anchor->new_line, c->anchor->new_count);
}

/* What can be told without looking at the file. */
static bool may_be_asked_for(const struct rollback *r, const struct candidate *c)
{
    return named(c->anchor, r->request->service) &&
           (r->request->path == NULL || strcmp(c->anchor->path, r->request->path) == 0);
}

static bool asked_for(const struct rollback *r, const struct candidate *c)
{
    return matters(c) && may_be_asked_for(r, c) && at_entry(r, c);
}

/* Whether --entry's line as it is now is that of an edit batten made. */
static int look_at_entry(struct rollback *r, struct diag *d)
{
    if (r->request->path == NULL)
        return 0;
    for (size_t i = 0; i < r->n; i++) {
        struct candidate *c = &r->v[i];

        if (effect_of(r, c)->side != 0 || !may_be_asked_for(r, c))
            continue;
        if (settle(r, c, d) != 0)
            return -1;
        if (matters(c) && at_line_now(c, r->request))
            r->line_now = true;
    }
    return 0;
}

/* Of each tree of edits the candidate, by the index of its root. Caller frees. */
static struct candidate **by_root(struct rollback *r)
{
    struct candidate **all = mem_array(r->effects.n, sizeof(struct candidate *));

    for (size_t i = 0; i < r->n; i++)
        all[effect_of(r, &r->v[i])->root] = &r->v[i];
    return all;
}

/* rollback N: what stands for an edit of change N, being of the same tree and on the same side. */
static int choose_change(struct rollback *r, struct diag *d)
{
    const struct rollback_request *q = r->request;
    struct candidate **all;
    int rc = 0;

    if (history_find(&r->changes, q->change) == NULL) {
        diag_set(d, STATUS_USAGE, "no-change", "there is no change %u", q->change);
        diag_hint(d, "batten log");
        return -1;
    }
    all = by_root(r);
    for (size_t i = 0; rc == 0 && i < r->effects.n; i++) {
        const struct effect *e = &r->effects.v[i];
        struct candidate *c = all[e->root];

        if (e->change->number != q->change || c->chosen || e->side != effect_of(r, c)->side ||
            !may_be_asked_for(r, c))
            continue;
        rc = settle(r, c, d);
        c->chosen = rc == 0 && asked_for(r, c);
        c->undo = i;
    }
    free(all);
    return rc;
}

/* The edit that C is the newest of, as batten first made it. */
static const struct effect *root_of(const struct rollback *r, const struct candidate *c)
{
    return &r->effects.v[effect_of(r, c)->root];
}

struct by_change {
    unsigned change;
    struct candidate *candidate;
};

static int by_change(const void *a, const void *b)
{
    const struct by_change *x = a, *y = b;

    if (x->change != y->change)
        return x->change > y->change ? -1 : 1;
    return x->candidate < y->candidate ? -1 : x->candidate > y->candidate;
}

/* Bare, --service, --entry: the newest change that has such an edit in effect, and all of them in
 * it. --all: every change's. Older ones are not looked at. */
static int choose_newest(struct rollback *r, struct diag *d)
{
    struct by_change *order = mem_array(r->n, sizeof(*order));
    unsigned newest = 0, before = r->request->before;
    size_t n = 0;
    int rc = 0;

    for (size_t i = 0; i < r->n; i++)
        if (effect_of(r, &r->v[i])->side == 0 && may_be_asked_for(r, &r->v[i]) &&
            (before == 0 || root_of(r, &r->v[i])->change->number < before))
            order[n++] = (struct by_change){root_of(r, &r->v[i])->change->number, &r->v[i]};
    if (n > 1)
        qsort(order, n, sizeof(*order), by_change);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct candidate *c = order[i].candidate;

        if (!r->request->all && newest > order[i].change)
            break;
        rc = settle(r, c, d);
        if (rc != 0 || !asked_for(r, c) || (before > 0 && !can_go_back(c)))
            continue;
        newest = order[i].change;
        c->chosen = true;
        c->undo = effect_of(r, c)->root;
    }
    free(order);
    return rc;
}

static int run(struct plan *plan, struct rollback *r, struct diag *d)
{
    if (history_list(r->h, &r->changes, d) != 0)
        return -1;
    effects_make(&r->effects, &r->changes);
    collect(r);
    if (look_at_entry(r, d) != 0 ||
        (r->request->change != 0 ? choose_change(r, d) : choose_newest(r, d)) != 0)
        return -1;
    return rollback_make(plan, r, d);
}

static void rollback_release(struct rollback *r)
{
    version_release(&r->version);
    for (size_t i = 0; i < r->n; i++) {
        free(r->v[i].old);
        free(r->v[i].wrote);
    }
    for (size_t i = 0; i < r->nfiles; i++) {
        lines_release(&r->files[i]->lines);
        free(r->files[i]->path);
        free(r->files[i]->why);
        free(r->files[i]->claimed);
        free(r->files[i]);
    }
    free(r->files);
    free(r->v);
    effects_release(&r->effects);
    history_changes_release(&r->changes);
}

int rollback_plan(struct plan *plan, struct history *h, const struct rollback_request *request,
                  rollback_read *read, void *ctx, struct diag *d)
{
    struct rollback r = {.h = h, .request = request, .read = read, .ctx = ctx};
    int rc;

    plan->kind = PLAN_ROLLBACK;
    if (request->reason != NULL)
        plan->reason = mem_strdup(request->reason);
    rc = run(plan, &r, d);
    rollback_release(&r);
    return rc;
}
