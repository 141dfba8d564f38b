#include "batten/starter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* Flags that only finish() knows, over all sources together. */
enum { FLAGS_OF_FINISH = ENTRY_INERT };

/* An edit of the source, and where its bytes and lines are in the new text. */
struct moved {
    const struct edit *edit;
    size_t new_start, new_end;
    long lines; /* by which it moves what is behind it, all edits before it counted */
};

struct proof {
    const struct source *before, *after;
    struct moved *edits; /* those of the source, by start */
    size_t nedits;
    const struct entry *const *gone; /* by address */
    size_t ngone;
    struct diag *d;
};

static int fail(struct proof *p, const char *path, unsigned line, const char *what)
{
    diag_set(p->d, STATUS_REFUSED, "proof-failed", "the edit would change more than planned: %s",
             what);
    diag_at(p->d, path, line, 0);
    return -1;
}

static int by_start(const void *a, const void *b)
{
    const struct edit *x = ((const struct moved *)a)->edit, *y = ((const struct moved *)b)->edit;

    return x->start < y->start ? -1 : x->start > y->start;
}

static long count_newlines(const char *bytes, size_t len)
{
    long n = 0;

    for (size_t i = 0; i < len; i++)
        n += bytes[i] == '\n';
    return n;
}

static void take_edits(struct proof *p, const struct edits *edits)
{
    long bytes = 0, lines = 0;

    p->edits = mem_array(edits->n, sizeof(*p->edits));
    for (size_t i = 0; i < edits->n; i++)
        if (edits->v[i].source == p->before)
            p->edits[p->nedits++].edit = &edits->v[i];
    qsort(p->edits, p->nedits, sizeof(*p->edits), by_start);
    for (size_t i = 0; i < p->nedits; i++) {
        const struct edit *e = p->edits[i].edit;

        p->edits[i].new_start = (size_t)((long)e->start + bytes);
        p->edits[i].new_end = p->edits[i].new_start + e->after_len;
        bytes += (long)e->after_len - (long)e->before_len;
        lines += count_newlines(e->after, e->after_len) - count_newlines(e->before, e->before_len);
        p->edits[i].lines = lines;
    }
}

static int by_address(const void *a, const void *b)
{
    const struct entry *x = *(const struct entry *const *)a, *y = *(const struct entry *const *)b;

    return x < y ? -1 : x > y;
}

static bool is_gone(const struct proof *p, const struct entry *e)
{
    return p->ngone > 0 && bsearch(&e, p->gone, p->ngone, sizeof(e), by_address) != NULL;
}

/* Every byte outside the edits' ranges is the same. */
static int prove_bytes(struct proof *p)
{
    struct diag d = DIAG_INIT;
    struct buf want = BUF_INIT;
    struct edits list = {0};
    int rc = 0;

    list.v = mem_array(p->nedits, sizeof(*list.v));
    for (size_t i = 0; i < p->nedits; i++)
        list.v[list.n++] = *p->edits[i].edit;
    if (edits_apply(p->before, &list, &want, &d) != 0)
        rc = fail(p, p->before->path, d.line, d.message);
    else if (!buf_equal(&want, p->after->bytes, p->after->len))
        rc = fail(p, p->before->path, 0, "bytes outside the planned ranges differ");
    free(list.v);
    buf_release(&want);
    diag_release(&d);
    return rc;
}

/* How many edits end at or before the old text's OFFSET. */
static size_t edits_before(const struct proof *p, size_t offset)
{
    size_t low = 0, high = p->nedits;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (p->edits[mid].edit->end <= offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Where the old text's OFFSET is in the new one, or false inside an edit. */
static bool moved_to(const struct proof *p, size_t offset, size_t *to, long *lines)
{
    size_t n = edits_before(p, offset);

    if (n < p->nedits && offset >= p->edits[n].edit->start)
        return false;
    *to = n == 0 ? offset : p->edits[n - 1].new_end + (offset - p->edits[n - 1].edit->end);
    *lines = n == 0 ? 0 : p->edits[n - 1].lines;
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_argv(char *const *a, char *const *b)
{
    for (; *a != NULL && *b != NULL; a++, b++)
        if (strcmp(*a, *b) != 0)
            return false;
    return *a == *b;
}

static bool same_fields(const struct entry *a, const struct entry *b)
{
    unsigned mask = ~(unsigned)FLAGS_OF_FINISH;

    return a->enabled == b->enabled && (a->flags & mask) == (b->flags & mask) &&
           same_text(a->name, b->name) && same_text(a->address, b->address) &&
           same_text(a->proto, b->proto) && same_text(a->user, b->user) &&
           same_text(a->program, b->program) && same_text(a->rpc, b->rpc) &&
           same_argv(a->argv, b->argv);
}

/* The new entry stands where the old one's bytes went. Inside an edit only the order counts. */
static bool same_place(const struct proof *p, const struct entry *a, const struct entry *b)
{
    size_t start, last;
    long lines, below;

    if (!moved_to(p, a->start, &start, &lines))
        return true;
    if (start != b->start || (long)a->line + lines != (long)b->line || a->column != b->column)
        return false;
    /* its last line may be one that it shares with what was edited */
    return !moved_to(p, a->end - 1, &last, &below) || last + 1 == b->end;
}

/* Whether B, of the new text, has to do with an edit of the planned ranges. (A commented-out entry
 * may start above or end below one: half an entry, and a comment that was there before.) */
static bool touches_edit(const struct proof *p, const struct entry *b)
{
    size_t low = 0, high = p->nedits;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (p->edits[mid].new_end <= b->start)
            low = mid + 1;
        else
            high = mid;
    }
    return low < p->nedits && p->edits[low].new_start < b->end;
}

static size_t skip_source(const struct entries *list, size_t i, const struct source *source)
{
    while (i < list->n && list->v[i]->source != source)
        i++;
    return i;
}

static int prove_entries(struct proof *p, const struct entries *olds, const struct entries *news)
{
    size_t at = 0;

    for (size_t i = skip_source(olds, 0, p->before); i < olds->n;
         i = skip_source(olds, i + 1, p->before)) {
        const struct entry *old = olds->v[i];

        if (is_gone(p, old))
            continue;
        while (at < news->n && !news->v[at]->enabled && touches_edit(p, news->v[at]) &&
               !(same_fields(old, news->v[at]) && same_place(p, old, news->v[at])))
            at++;
        if (at == news->n || !same_fields(old, news->v[at]) || !same_place(p, old, news->v[at]))
            return fail(p, old->source->path, old->line, old->name);
        at++;
    }
    for (; at < news->n; at++)
        if (news->v[at]->enabled || !touches_edit(p, news->v[at]))
            return fail(p, p->before->path, news->v[at]->line, news->v[at]->name);
    return 0;
}

static bool same_problem(const struct diag *a, const struct diag *b, long lines)
{
    return a->code == b->code && (long)a->line + lines == (long)b->line &&
           same_text(a->message, b->message);
}

/* How many edits end above the old text's LINE. */
static size_t edits_above(const struct proof *p, unsigned line)
{
    size_t low = 0, high = p->nedits;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (p->edits[mid].edit->last_line < line)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* What finish() has to say of all sources together is no part of reading one of them. */
static bool said_by_finish(const struct diag *problem)
{
    return strcmp(problem->code, "daemon-hangs") == 0;
}

/* No line became strange, and none stopped being so, but where something was edited. */
static int prove_problems(struct proof *p, const struct problems *olds, const struct problems *news)
{
    size_t at = 0, edit;

    for (size_t i = 0; i < olds->n; i++) {
        const struct diag *old = &olds->v[i];

        if (old->path == NULL || strcmp(old->path, p->before->path) != 0 || said_by_finish(old))
            continue;
        edit = edits_above(p, old->line);
        if (edit < p->nedits && p->edits[edit].edit->line <= old->line)
            continue;
        if (at == news->n ||
            !same_problem(old, &news->v[at], edit == 0 ? 0 : p->edits[edit - 1].lines))
            return fail(p, old->path, old->line, old->message);
        at++;
    }
    return at == news->n ? 0 : fail(p, p->before->path, news->v[at].line, news->v[at].message);
}

int starter_prove(const struct parse *before, const struct source *source,
                  const struct edits *edits, const struct source *after,
                  const struct entry *const *gone, size_t ngone, struct diag *d)
{
    struct parse again = {
        .dialect = before->dialect, .db = before->db, .is_daemon = before->is_daemon};
    const struct entry **sorted = mem_array(ngone, sizeof(*sorted));
    struct proof p = {.before = source, .after = after, .gone = sorted, .ngone = ngone, .d = d};
    const struct starter *starter = before->starter;
    int rc = -1;

    for (size_t i = 0; i < ngone; i++)
        sorted[i] = gone[i];
    qsort(sorted, ngone, sizeof(*sorted), by_address);
    take_edits(&p, edits);
    if (prove_bytes(&p) != 0)
        goto out;
    if (starter != NULL && starter->resume != NULL)
        starter->resume(&again, before, source);
    if (starter != NULL)
        starter->parse(&again, after);
    if (prove_entries(&p, &before->entries, &again.entries) == 0 &&
        prove_problems(&p, &before->problems, &again.problems) == 0)
        rc = 0;
out:
    parse_release(&again);
    free(p.edits);
    free(sorted);
    return rc;
}
