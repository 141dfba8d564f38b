#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "rollback_int.h"

void lines_make(struct lines *l, const char *bytes, size_t len)
{
    size_t cap = 0;

    *l = (struct lines){.text = BUF_INIT};
    buf_add(&l->text, bytes, len);
    l->cut = len > 0 && bytes[len - 1] != '\n';
    if (l->cut)
        buf_addc(&l->text, '\n');
    for (size_t at = 0; at < l->text.len;) {
        const char *nl = memchr(l->text.data + at, '\n', l->text.len - at);

        l->starts = mem_grow(l->starts, l->n, &cap, sizeof(*l->starts));
        l->starts[l->n++] = at;
        at = (size_t)(nl - l->text.data) + 1;
    }
    l->starts = mem_grow(l->starts, l->n, &cap, sizeof(*l->starts));
    l->starts[l->n] = l->text.len;
}

void lines_release(struct lines *l)
{
    buf_release(&l->text);
    free(l->starts);
    *l = (struct lines){.text = BUF_INIT};
}

const char *lines_at(const struct lines *l, size_t first, size_t count, size_t *len)
{
    *len = l->starts[first + count] - l->starts[first];
    return buf_str(&l->text) + l->starts[first];
}

size_t lines_before(unsigned line, unsigned count)
{
    return count > 0 ? (line > 0 ? line - 1 : 0) : line;
}

static bool has_range(const struct lines *l, unsigned line, unsigned count)
{
    return lines_before(line, count) <= l->n && count <= l->n - lines_before(line, count);
}

/* Lines to be looked for, however often they repeat themselves, in one pass (Knuth, Morris, Pratt):
 * FALL[K] lines at the start of the run are also the end of its first K. */
struct run {
    const struct lines *of;
    size_t first, count;
    size_t *fall;
    size_t work; /* what it took */
};

/* What comparing a line takes, and its bytes: in hunks passed. */
enum { LINE_COST = 4, BYTES_PER_COST = 16 };

/* Line I of L is line K of the run. */
static bool is_line(struct run *r, size_t k, const struct lines *l, size_t i)
{
    const size_t *a = r->of->starts + r->first + k, *b = l->starts + i;
    size_t len = a[1] - a[0];

    r->work += LINE_COST;
    if (b[1] - b[0] != len)
        return false;
    r->work += len / BYTES_PER_COST;
    return memcmp(r->of->text.data + a[0], l->text.data + b[0], len) == 0;
}

/* MATCHED lines of the run stand before line I of L: how many with it. */
static size_t run_step(struct run *r, size_t matched, const struct lines *l, size_t i)
{
    if (matched == r->count)
        matched = r->fall[matched];
    while (matched > 0 && !is_line(r, matched, l, i))
        matched = r->fall[matched];
    return matched > 0 || is_line(r, 0, l, i) ? matched + 1 : 0;
}

static void run_make(struct run *r, const struct lines *of, unsigned line, unsigned count)
{
    *r = (struct run){.of = of, .first = lines_before(line, count), .count = count};
    r->fall = mem_array(r->count + 1, sizeof(*r->fall));
    for (size_t k = 1; k < r->count; k++)
        r->fall[k + 1] = run_step(r, r->fall[k], of, r->first + k);
}

/* How often the run stands in L, beginning at line LAST at most. *PLACE gets where it begins for
 * the K-th time (from 1), if it does. */
static size_t run_count(struct run *r, const struct lines *l, size_t last, size_t k, size_t *place)
{
    size_t n = 0, matched = 0;

    for (size_t i = 0; r->count > 0 && i < l->n && i < last + r->count; i++) {
        matched = run_step(r, matched, l, i);
        if (matched == r->count && ++n == k)
            *place = i + 1 - r->count;
    }
    return n;
}

static size_t run_count_all(struct run *r, const struct lines *l)
{
    return run_count(r, l, l->n, 0, NULL);
}

struct span {
    size_t a, a_end, b, b_end;
};

static struct span span_of(const struct hunk *h)
{
    struct span s;

    s.a = lines_before(h->a_start, h->a_count);
    s.a_end = s.a + h->a_count;
    s.b = lines_before(h->b_start, h->b_count);
    s.b_end = s.b + h->b_count;
    return s;
}

/* The hunk changes lines [FIRST, END), or puts lines between them. */
static bool touches(const struct span *s, size_t first, size_t end)
{
    if (first == end)
        return s->a < first && s->a_end > first;
    if (s->a == s->a_end)
        return s->a > first && s->a < end;
    return s->a < end && s->a_end > first;
}

/* Walk the hunks. Returns whether [FIRST, END) is untouched; *AT gets the line it has now, or what
 * stands in its place is [*AT, *AT_END). */
static bool follow_hunks(const struct version *v, size_t first, size_t end, size_t *at,
                         size_t *at_end)
{
    bool untouched = true;
    long shift = 0;

    *at = *at_end = 0;
    for (size_t i = 0; i < v->hunks.n; i++) {
        struct span s = span_of(&v->hunks.v[i]);

        if (touches(&s, first, end)) {
            *at = untouched ? s.b : *at;
            *at_end = s.b_end;
            untouched = false;
        } else if (s.a_end <= first && (s.a < first || first != end)) {
            shift += (long)(s.b_end - s.b) - (long)(s.a_end - s.a);
        }
    }
    if (untouched) {
        *at = (size_t)((long)first + shift);
        *at_end = *at + (end - first);
    }
    return untouched;
}

size_t version_map(const struct version *v, const struct history_edit *edit,
                   const struct lines *now, struct mapped *out)
{
    size_t first = lines_before(edit->new_line, edit->new_count), end, len, at, at_end;
    size_t work = v->hunks.n + 1;
    struct run old, new;
    const char *text;

    *out = (struct mapped){.standing = CONFLICT};
    if (v->damaged || !has_range(&v->then, edit->new_line, edit->new_count) ||
        !has_range(&v->before, edit->old_line, edit->old_count))
        return work;
    end = first + edit->new_count;
    text = lines_at(&v->then, first, edit->new_count, &len);
    out->wrote = text;
    out->wrote_len = len;
    out->old = lines_at(&v->before, lines_before(edit->old_line, edit->old_count), edit->old_count,
                        &out->old_len);
    if (follow_hunks(v, first, end, &at, &at_end)) {
        out->first = at;
        out->count = edit->new_count;
        out->standing = STANDS;
        return work;
    }
    out->first = at;
    out->count = at_end - at;
    run_make(&old, &v->before, edit->old_line, edit->old_count);
    run_make(&new, &v->then, edit->new_line, edit->new_count);
    /* the old lines came back, wherever that is */
    if (run_count_all(&old, now) > run_count_all(&old, &v->then)) {
        out->standing = TAKEN_BACK;
    } else if (edit->new_count > 0 && run_count_all(&new, now) == run_count_all(&new, &v->then)) {
        /* the lines were only moved, as by sort: every copy is still there */
        run_count(&new, now, now->n, run_count(&new, &v->then, first, 0, NULL), &out->first);
        out->count = edit->new_count;
        out->standing = STANDS;
    }
    work += old.work + new.work;
    free(old.fall);
    free(new.fall);
    return work;
}

static int load_lines(struct lines *l, struct repo *repo, const char *id, const char *path,
                      bool *absent, struct diag *d)
{
    struct buf bytes = BUF_INIT;
    enum root_result got = *id ? repo_blob(repo, id, path, &bytes, d) : ROOT_ABSENT;

    lines_make(l, buf_str(&bytes), bytes.len);
    buf_release(&bytes);
    *absent = *absent || got == ROOT_ABSENT;
    return got == ROOT_ERROR ? -1 : 0;
}

int version_load(struct version *v, struct history *h, const char *id, const char *path,
                 const struct lines *now, struct diag *d)
{
    char parent[REPO_ID] = "";
    struct repo *repo = NULL;

    *v = (struct version){.path = mem_strdup(path)};
    memcpy(v->id, id, sizeof(v->id));
    if (history_repo(h, false, &repo, d) != 0 || history_parent(h, id, parent, d) != 0 ||
        load_lines(&v->then, repo, id, path, &v->damaged, d) != 0 ||
        load_lines(&v->before, repo, parent, path, &v->damaged, d) != 0)
        return -1;
    return repo_hunks(buf_str(&v->then.text), v->then.text.len, buf_str(&now->text), now->text.len,
                      &v->hunks, d);
}

void version_release(struct version *v)
{
    lines_release(&v->then);
    lines_release(&v->before);
    free(v->hunks.v);
    free(v->path);
    *v = (struct version){0};
}
