#include "batten/rollback.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "rollback_int.h"

static struct current *current_of(struct rollback *r, const char *path, struct diag *d)
{
    struct current *c;
    struct diag why = DIAG_INIT;

    for (size_t i = 0; i < r->nfiles; i++)
        if (strcmp(r->files[i]->path, path) == 0)
            return r->files[i];
    (void)d;
    c = mem_alloc(sizeof(*c));
    c->path = mem_strdup(path);
    switch (r->read(r->ctx, path, &c->source, &why)) {
    case ROOT_OK:
        lines_make(&c->lines, c->source->bytes, c->source->len);
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

struct version *rollback_version(struct rollback *r, const struct candidate *cand, struct diag *d)
{
    const char *id = r->effects.v[cand->effect].change->id;
    struct current *c = cand->file;
    struct version *v;

    for (size_t i = 0; i < r->nversions; i++)
        if (strcmp(r->versions[i]->id, id) == 0 && strcmp(r->versions[i]->path, c->path) == 0)
            return r->versions[i];
    v = mem_alloc(sizeof(*v));
    if (version_load(v, r->h, id, c->path, &c->lines, d) != 0) {
        version_release(v);
        free(v);
        return NULL;
    }
    r->versions = mem_grow(r->versions, r->nversions, &r->cap_versions, sizeof(struct version *));
    r->versions[r->nversions++] = v;
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

static bool overlap(const struct mapped *a, const struct mapped *b)
{
    return a->first < b->first + b->count && b->first < a->first + a->count;
}

static const struct effect *effect_of(const struct rollback *r, const struct candidate *c)
{
    return &r->effects.v[c->effect];
}

static int map_one(struct rollback *r, struct candidate *c, struct diag *d)
{
    struct version *v;

    c->mapped = true;
    c->file = current_of(r, c->anchor->path, d);
    if (c->file->source == NULL)
        return 0;
    v = rollback_version(r, c, d);
    if (v == NULL)
        return -1;
    version_map(v, c->anchor, &c->file->lines, &c->at);
    return 0;
}

/* Lines that stand as two edits wrote them belong to the newer: the older was undone by hand before
 * it. Candidates come newest first. */
static void supersede(struct rollback *r, struct candidate *c, size_t before)
{
    for (size_t i = 0; i < before && !c->superseded; i++) {
        const struct candidate *o = &r->v[i];

        c->superseded = o->mapped && o->file == c->file && !o->superseded &&
                        o->at.standing == STANDS && effect_of(r, o)->side == 0 &&
                        overlap(&o->at, &c->at);
    }
}

static int map_all(struct rollback *r, struct diag *d)
{
    for (size_t i = 0; i < r->n; i++) {
        struct candidate *c = &r->v[i];

        if (map_one(r, c, d) != 0)
            return -1;
        if (c->file->source != NULL && c->at.standing == STANDS && effect_of(r, c)->side == 0)
            supersede(r, c, i);
    }
    return 0;
}

/* There is something to do or to say about C. */
static bool matters(const struct candidate *c)
{
    return !c->superseded && (c->file->source == NULL || c->at.standing != TAKEN_BACK);
}

/* C stands for an edit of CHANGE: the same tree, on the same side. *INDEX gets that edit. */
static bool stands_for(const struct rollback *r, const struct candidate *c, unsigned change,
                       size_t *index)
{
    for (size_t i = 0; i < r->effects.n; i++) {
        const struct effect *e = &r->effects.v[i];

        if (e->change->number != change || e->root != effect_of(r, c)->root ||
            e->side != effect_of(r, c)->side)
            continue;
        *index = i;
        return true;
    }
    return false;
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
           in_range(q->line, (unsigned)c->at.first + 1, (unsigned)c->at.count);
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
    if (r->line_now)
        return at_line_now(c, q);
    return in_range(q->line, c->anchor->old_line, c->anchor->old_count) ||
           in_range(q->line, c->anchor->new_line, c->anchor->new_count);
}

static bool asked_for(const struct rollback *r, const struct candidate *c)
{
    return matters(c) && named(c->anchor, r->request->service) && at_entry(r, c);
}

/* Whether --entry's line as it is now is that of an edit batten made. */
static void look_at_entry(struct rollback *r)
{
    if (r->request->path == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        if (matters(&r->v[i]) && effect_of(r, &r->v[i])->side == 0 &&
            at_line_now(&r->v[i], r->request))
            r->line_now = true;
}

/* rollback N */
static int choose_change(struct rollback *r, struct diag *d)
{
    const struct rollback_request *q = r->request;
    size_t index;

    if (history_find(&r->changes, q->change) == NULL) {
        diag_set(d, STATUS_USAGE, "no-change", "there is no change %u", q->change);
        diag_hint(d, "batten log");
        return -1;
    }
    for (size_t i = 0; i < r->n; i++) {
        struct candidate *c = &r->v[i];

        if (!stands_for(r, c, q->change, &index) || !asked_for(r, c))
            continue;
        c->chosen = true;
        c->undo = index;
    }
    return 0;
}

/* The edit that C is the newest of, as batten first made it. */
static const struct effect *root_of(const struct rollback *r, const struct candidate *c)
{
    return &r->effects.v[effect_of(r, c)->root];
}

/* Bare, --service, --entry: the newest change that has such an edit in effect, and all of them in
 * it. --all: every change's. */
static void choose_newest(struct rollback *r)
{
    unsigned newest = 0;

    for (size_t i = 0; i < r->n; i++) {
        const struct effect *root = root_of(r, &r->v[i]);

        if (effect_of(r, &r->v[i])->side == 0 && asked_for(r, &r->v[i]) &&
            root->change->number > newest)
            newest = root->change->number;
    }
    for (size_t i = 0; i < r->n; i++) {
        struct candidate *c = &r->v[i];

        if (effect_of(r, c)->side != 0 || !asked_for(r, c) ||
            (!r->request->all && root_of(r, c)->change->number != newest))
            continue;
        c->chosen = true;
        c->undo = effect_of(r, c)->root;
    }
}

static int run(struct plan *plan, struct rollback *r, struct diag *d)
{
    if (history_list(r->h, &r->changes, d) != 0)
        return -1;
    effects_make(&r->effects, &r->changes);
    collect(r);
    if (map_all(r, d) != 0)
        return -1;
    look_at_entry(r);
    if (r->request->change != 0) {
        if (choose_change(r, d) != 0)
            return -1;
    } else {
        choose_newest(r);
    }
    return rollback_make(plan, r, d);
}

static void rollback_release(struct rollback *r)
{
    for (size_t i = 0; i < r->nversions; i++) {
        version_release(r->versions[i]);
        free(r->versions[i]);
    }
    for (size_t i = 0; i < r->nfiles; i++) {
        lines_release(&r->files[i]->lines);
        free(r->files[i]->path);
        free(r->files[i]->why);
        free(r->files[i]);
    }
    free(r->versions);
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
