#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "txn_int.h"

enum { SUBJECT_NAMES = 4 };

static unsigned count_lines(const char *bytes, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '\n' || i + 1 == len)
            n++;
    return n;
}

static unsigned count_newlines(const char *bytes, size_t len)
{
    unsigned n = 0;

    for (size_t i = 0; i < len; i++)
        n += bytes[i] == '\n';
    return n;
}

static int by_start(const void *a, const void *b)
{
    const struct edit *x = *(const struct edit *const *)a, *y = *(const struct edit *const *)b;

    return x->start < y->start ? -1 : x->start > y->start;
}

/* Line ranges as a unified diff counts them: a range without lines stands behind its line. */
static void fill_edit(struct history_edit *out, const struct edit *e, unsigned before, long shift)
{
    out->path = e->source->path;
    out->old_count = count_lines(e->before, e->before_len);
    out->new_count = count_lines(e->after, e->after_len);
    out->old_line = before + (out->old_count > 0);
    out->new_line = (unsigned)((long)before + shift) + (out->new_count > 0);
    out->service = e->service;
    out->name = e->name;
    out->ident = e->ident;
    out->kind = mem_strdup(e->kind);
    out->undoes_change = e->undoes_change;
    out->undoes_edit = e->undoes_edit;
}

static size_t file_edits(const struct plan *plan, const struct source *source,
                         struct history_edit *out)
{
    const struct edit **mine = mem_array(plan->edits.n, sizeof(*mine));
    size_t n = 0, at = 0;
    unsigned before = 0;
    long shift = 0;

    for (size_t i = 0; i < plan->edits.n; i++)
        if (plan->edits.v[i].source == source)
            mine[n++] = &plan->edits.v[i];
    if (n > 1)
        qsort(mine, n, sizeof(*mine), by_start);
    for (size_t i = 0; i < n; i++) {
        before += count_newlines(source->bytes + at, mine[i]->start - at);
        at = mine[i]->start;
        fill_edit(&out[i], mine[i], before, shift);
        shift += (long)out[i].new_count - (long)out[i].old_count;
    }
    free(mine);
    return n;
}

size_t record_edits(const struct plan *plan, struct history_edit **out)
{
    size_t n = 0;

    *out = mem_array(plan->edits.n, sizeof(**out));
    for (size_t i = 0; i < plan->nfiles; i++)
        n += file_edits(plan, plan->files[i].source, *out + n);
    return n;
}

static void add_services(struct strlist *names, const struct plan *plan)
{
    for (size_t i = 0; i < plan->edits.n; i++) {
        const char *service = plan->edits.v[i].service;

        if (service != NULL && *service != '\0' && !strlist_has(names, service))
            strlist_add(names, service);
    }
}

static char *make_subject(const struct plan *plan, const struct strlist *names)
{
    struct buf s = BUF_INIT;

    if (plan->kind == PLAN_ROLLBACK && plan->undoes != 0)
        buf_printf(&s, "roll back change %u%s%s", plan->undoes, names->n > 0 ? ":" : "",
                   plan->recloses && names->n > 0 ? " close" : "");
    else
        buf_adds(&s, plan->kind == PLAN_ROLLBACK ? "roll back" : "close");
    for (size_t i = 0; i < names->n && i < SUBJECT_NAMES; i++)
        buf_printf(&s, "%s %s", i ? "," : "", names->v[i]);
    if (names->n > SUBJECT_NAMES)
        buf_printf(&s, " and %zu more", names->n - SUBJECT_NAMES);
    return buf_steal(&s);
}

static char *kind_word(enum plan_kind kind)
{
    static const char *const words[] = {"harden", "close", "rollback"};

    return mem_strdup(words[kind]);
}

/* The message; everything but the words of RECORD is borrowed from PLAN. */
static void make_message(struct buf *out, struct record *r, const struct plan *plan,
                         const struct stamp *stamp, const struct txn_options *o)
{
    struct trailers t = {.version = o->version, .reload = plan->reload};
    struct history_change *c = &t.change;

    add_services(&t.services, plan);
    r->subject = make_subject(plan, &t.services);
    c->number = r->number;
    c->subject = r->subject;
    c->kind = kind_word(plan->kind);
    c->profile = plan->profile;
    c->reason = plan->reason;
    c->by = stamp->by.len > 0 ? stamp->by.data : NULL;
    c->dialect = o->dialect ? mem_strdup(o->dialect) : NULL;
    if (o->rc != NULL)
        c->rc = *o->rc;
    c->nedits = record_edits(plan, &c->edits);
    trailers_write(out, &t);
    for (size_t i = 0; i < c->nedits; i++)
        free(c->edits[i].kind);
    free(c->edits);
    free(c->kind);
    free(c->dialect);
    strlist_release(&t.services);
}

/* The files that are to be recorded as they were found, their bytes and metadata owned. */
struct found {
    struct repo_file *v;
    struct buf *bytes;
    struct file_meta *metas;
    size_t n;
};

/* Whether the newest commit ID holds exactly BYTES and META for PATH: 1, 0, -1. */
static int is_known(struct repo *repo, const char *id, const struct repo_file *f, struct diag *d)
{
    struct buf bytes = BUF_INIT, meta = BUF_INIT, now = BUF_INIT;
    enum root_result got = repo_blob(repo, id, f->path, &bytes, d);
    int same = got == ROOT_ERROR ? -1 : 0;

    if (got == ROOT_OK && f->meta != NULL) {
        file_meta_text(&now, f->meta);
        if (repo_meta(repo, id, f->path, &meta, d) == ROOT_ERROR)
            same = -1;
        else
            same = buf_equal(&bytes, f->bytes, f->len) && buf_equal(&meta, now.data, now.len);
    }
    buf_release(&bytes);
    buf_release(&meta);
    buf_release(&now);
    return same;
}

static bool in_plan(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->nfiles; i++)
        if (strcmp(plan->files[i].source->path, path) == 0)
            return true;
    return false;
}

/* A file the history knows and this plan does not touch. What cannot be read is not recorded. */
static int find_other(struct found *f, struct txn *t, struct repo *repo, const char *base,
                      const char *path, struct diag *d)
{
    struct repo_file *file = &f->v[f->n];
    struct buf *bytes = &f->bytes[f->n];
    struct file_meta *meta = &f->metas[f->n];
    enum root_result got = root_read(t->root, path, SOURCE_MAX, bytes, meta, NULL);
    int known;

    if (got == ROOT_ERROR)
        return 0;
    *file = (struct repo_file){.path = path};
    if (got == ROOT_OK) {
        file->bytes = buf_str(bytes);
        file->len = bytes->len;
        file->meta = meta;
    }
    known = is_known(repo, base, file, d);
    if (known == 0)
        f->n++;
    else
        file_meta_release(meta); /* the next file takes this place */
    return known < 0 ? -1 : 0;
}

static int find_planned(struct found *f, struct repo *repo, const char *base,
                        const struct plan *plan, const struct file_meta *metas, struct diag *d)
{
    for (size_t i = 0; i < plan->nfiles; i++) {
        const struct source *s = plan->files[i].source;
        struct repo_file file = {s->path, s->bytes, s->len, &metas[i]};
        int known = *base ? is_known(repo, base, &file, d) : 0;

        if (known < 0)
            return -1;
        if (known == 0)
            f->v[f->n++] = file;
    }
    return 0;
}

static int commit_files(struct repo *repo, const char *parent, const struct repo_file *files,
                        size_t n, const char *message, const struct stamp *stamp, char id[REPO_ID],
                        struct diag *d)
{
    struct repo_commit c = {.parent = *parent ? parent : NULL,
                            .files = files,
                            .nfiles = n,
                            .message = message,
                            .author = buf_str(&stamp->name),
                            .time = stamp->time,
                            .offset = stamp->offset};

    return repo_write_commit(repo, &c, id, d);
}

/* The commit 'edited outside batten', or PARENT unchanged when there is nothing to record. */
static int commit_outside(struct txn *t, struct repo *repo, const struct plan *plan,
                          const struct file_meta *metas, const struct stamp *stamp,
                          char parent[REPO_ID], struct diag *d)
{
    static const char message[] = "edited outside batten\n\nKind: outside\n";
    struct strlist paths = {0};
    struct found f = {0};
    int rc = *parent ? repo_paths(repo, parent, &paths, d) : 0;
    size_t max = paths.n + plan->nfiles + 1;

    f.v = mem_array(max, sizeof(*f.v));
    f.bytes = mem_array(max, sizeof(*f.bytes));
    f.metas = mem_array(max, sizeof(*f.metas));
    if (rc == 0)
        rc = find_planned(&f, repo, parent, plan, metas, d);
    for (size_t i = 0; rc == 0 && i < paths.n; i++)
        if (!in_plan(plan, paths.v[i]))
            rc = find_other(&f, t, repo, parent, paths.v[i], d);
    if (rc == 0 && f.n > 0)
        rc = commit_files(repo, parent, f.v, f.n, message, stamp, parent, d);
    for (size_t i = 0; i < max; i++) {
        buf_release(&f.bytes[i]);
        file_meta_release(&f.metas[i]);
    }
    free(f.v);
    free(f.bytes);
    free(f.metas);
    strlist_release(&paths);
    return rc;
}

static int commit_change(struct record *r, struct repo *repo, const struct plan *plan,
                         const struct file_meta *metas, const struct stamp *stamp,
                         const char *parent, const char *message, struct diag *d)
{
    struct repo_file *files = mem_array(plan->nfiles, sizeof(*files));
    int rc;

    for (size_t i = 0; i < plan->nfiles; i++)
        files[i] = (struct repo_file){plan->files[i].source->path, buf_str(&plan->files[i].after),
                                      plan->files[i].after.len, &metas[i]};
    rc = commit_files(repo, parent, files, plan->nfiles, message, stamp, r->id, d);
    free(files);
    return rc;
}

static int take_number(void *ctx, const struct repo_entry *e, struct diag *d)
{
    struct history_change c = {0};
    unsigned *number = ctx;

    (void)d;
    trailers_read(&c, e->message);
    *number = c.number;
    history_change_release(&c);
    return *number != 0 ? 1 : 0;
}

int record_newest(struct repo *repo, const char *tip, unsigned *number, struct diag *d)
{
    *number = 0;
    return *tip ? repo_walk(repo, tip, take_number, number, d) : 0;
}

int record_make(struct record *r, struct txn *t, const struct plan *plan,
                const struct file_meta *metas, const struct txn_options *o, struct diag *d)
{
    char parent[REPO_ID] = "";
    struct buf message = BUF_INIT;
    struct stamp stamp;
    struct repo *repo = NULL;
    int rc = -1;

    *r = (struct record){0};
    stamp_make(&stamp, t->root);
    if (history_repo(t->h, true, &repo, d) != 0 ||
        repo_ref_read(repo, REPO_BRANCH, r->base, d) == ROOT_ERROR ||
        record_newest(repo, r->base, &r->number, d) != 0)
        goto out;
    r->number++;
    memcpy(parent, r->base, sizeof(parent));
    make_message(&message, r, plan, &stamp, o);
    if (message.len > REPO_MESSAGE_MAX) {
        diag_set(d, STATUS_REFUSED, "too-large", "one change cannot hold %zu edits", plan->edits.n);
        diag_hint(d, "close fewer services at a time");
        goto out;
    }
    if (commit_outside(t, repo, plan, metas, &stamp, parent, d) != 0 ||
        commit_change(r, repo, plan, metas, &stamp, parent, buf_str(&message), d) != 0)
        goto out;
    rc = 0;
out:
    buf_release(&message);
    stamp_release(&stamp);
    if (rc != 0)
        record_release(r);
    return rc;
}

void record_release(struct record *r)
{
    free(r->subject);
    r->subject = NULL;
}
