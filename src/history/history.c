#include "batten/history.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "history_int.h"

enum root_result history_tip(struct history *h, char id[REPO_ID], struct diag *d)
{
    struct repo *repo;

    if (history_repo(h, false, &repo, d) != 0)
        return ROOT_ERROR;
    return repo == NULL ? ROOT_ABSENT : repo_ref_read(repo, REPO_BRANCH, id, d);
}

/* What all changes together may hold; a hostile history says much in few bytes. */
enum { MESSAGES_MAX = 64 << 20, ALL_EDITS_MAX = 1 << 18, OUTCOMES_MAX = 64 << 20 };

struct listing {
    struct history_changes *list;
    size_t bytes, edits;
};

static int too_large(const char *what, struct diag *d)
{
    diag_set(d, STATUS_REFUSED, "too-large", "the history is too large to be read: %s", what);
    diag_hint(d, "move the state directory away; batten begins another");
    return -1;
}

static int add_change(void *ctx, const struct repo_entry *e, struct diag *d)
{
    struct listing *all = ctx;
    struct history_changes *list = all->list;
    struct history_change *c;

    all->bytes += strlen(e->message);
    if (all->bytes > MESSAGES_MAX)
        return too_large("its messages are too long", d);
    list->v = mem_grow(list->v, list->n, &list->cap, sizeof(*list->v));
    c = &list->v[list->n++];
    memcpy(c->id, e->id, sizeof(c->id));
    c->time = e->time;
    c->offset = e->offset;
    trailers_read(c, e->message);
    all->edits += c->nedits;
    return all->edits > ALL_EDITS_MAX ? too_large("too many edits", d) : 0;
}

static int add_outcome(struct repo *repo, struct history_change *c, struct diag *d)
{
    struct buf note = BUF_INIT;
    enum root_result got = ROOT_ABSENT;

    if (c->number != 0)
        got = repo_note_read(repo, c->id, &note, d);
    if (got == ROOT_OK)
        c->outcome = buf_steal(&note);
    buf_release(&note);
    return got == ROOT_ERROR ? -1 : 0;
}

/* Every edit of LIST gets its in_effect. */
static void mark_effects(struct history_changes *list)
{
    struct effects effects;
    size_t at = 0;
    unsigned last = 0;

    effects_make(&effects, list);
    for (size_t i = list->n; i-- > 0;) {
        struct history_change *c = &list->v[i];

        if (c->number <= last)
            continue;
        last = c->number;
        for (size_t k = 0; k < c->nedits; k++, at++)
            c->edits[k].in_effect = effect_holds(&effects, at);
    }
    effects_release(&effects);
}

int history_list_from(struct history *h, const char *id, struct history_changes *out,
                      struct diag *d)
{
    struct listing all = {.list = out};
    struct repo *repo = NULL;

    if (history_repo(h, false, &repo, d) != 0 || repo_walk(repo, id, add_change, &all, d) != 0)
        return -1;
    mark_effects(out);
    return 0;
}

int history_list(struct history *h, struct history_changes *out, struct diag *d)
{
    struct repo *repo = NULL;
    char tip[REPO_ID];
    size_t outcomes = 0;

    switch (history_tip(h, tip, d)) {
    case ROOT_ABSENT:
        return 0;
    case ROOT_ERROR:
        return -1;
    case ROOT_OK:
        break;
    }
    if (history_list_from(h, tip, out, d) != 0 || history_repo(h, false, &repo, d) != 0)
        return -1;
    for (size_t i = 0; i < out->n; i++) {
        if (add_outcome(repo, &out->v[i], d) != 0)
            return -1;
        outcomes += out->v[i].outcome ? strlen(out->v[i].outcome) : 0;
        if (outcomes > OUTCOMES_MAX)
            return too_large("its notes are too long", d);
    }
    return 0;
}

void history_changes_release(struct history_changes *c)
{
    for (size_t i = 0; i < c->n; i++)
        history_change_release(&c->v[i]);
    free(c->v);
    *c = (struct history_changes){0};
}

static bool stands(const struct history_change *c)
{
    for (size_t i = 0; i < c->nedits; i++)
        if (c->edits[i].in_effect)
            return strcmp(c->kind, "rollback") != 0;
    return false;
}

const struct history_change *history_find(const struct history_changes *list, unsigned n)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].number != 0 && (n == 0 ? stands(&list->v[i]) : list->v[i].number == n))
            return &list->v[i];
    return NULL;
}

static int need_repo(struct history *h, struct repo **repo, struct diag *d)
{
    if (history_repo(h, false, repo, d) != 0)
        return -1;
    if (*repo == NULL)
        return diag_set(d, STATUS_REFUSED, "no-history", "there is no history in '%s'", h->dir);
    return 0;
}

int history_diff(struct history *h, const char *id, struct buf *out, struct diag *d)
{
    struct repo *repo;

    return need_repo(h, &repo, d) != 0 ? -1 : repo_diff(repo, id, out, d);
}

enum root_result history_content(struct history *h, const char *id, const char *path,
                                 struct buf *out, struct diag *d)
{
    struct repo *repo;

    return need_repo(h, &repo, d) != 0 ? ROOT_ERROR : repo_blob(repo, id, path, out, d);
}

static int take_parent(void *ctx, const struct repo_entry *e, struct diag *d)
{
    (void)d;
    memcpy(ctx, e->parent, REPO_ID);
    return 1;
}

int history_parent(struct history *h, const char *id, char parent[REPO_ID], struct diag *d)
{
    struct repo *repo;

    if (need_repo(h, &repo, d) != 0)
        return -1;
    return repo_walk(repo, id, take_parent, parent, d);
}
