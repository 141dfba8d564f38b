#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "rules.h"

#define LENS "Batten_Profile.lns"

enum {
    DEPTH_MAX = 8,
    FILES_MAX = 256, /* includes in all: eight levels of many would never end */
    LINE_MAX_BYTES = 8192,
    PIECE_MAX_BYTES = 16384,
};

struct reader {
    struct profile *profile;
    profile_load *load;
    void *ctx;
    unsigned files;
};

/* One profile file being read. */
struct text {
    const char *label;
    const char *bytes;
    size_t len;
    unsigned depth;
};

static int read_text(struct reader *r, const struct text *t, struct diag *d);

/* Where a word stands. */
struct place {
    const struct text *text;
    unsigned line, column;
    const char *start; /* of its line */
    size_t len;
};

static int refuse_at(const struct place *at, struct diag *d)
{
    diag_at(d, at->text->label, at->line, at->column);
    diag_text(d, at->start, at->len);
    return -1;
}

static int read_verdict(const char *word, enum verdict *v)
{
    static const enum verdict all[] = {VERDICT_KEEP, VERDICT_DISABLE, VERDICT_ASK};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(word, verdict_name(all[i])) == 0) {
            *v = all[i];
            return 0;
        }
    }
    return -1;
}

/* ---- one line, its words and where they stand ---- */

struct line {
    struct strlist words;
    struct place *places;
    size_t cap;
};

static int unknown_word(const struct line *l, size_t i, const char *what, struct diag *d)
{
    static const char *const starts[] = {"disable", "keep",    "ask",
                                         "default", "include", "profile-version"};
    static const char *const verdicts[] = {"disable", "keep", "ask"};
    const char *word = l->words.v[i];
    const char *near = i == 0 ? text_nearest(word, starts, ARRAY_LEN(starts))
                              : text_nearest(word, verdicts, ARRAY_LEN(verdicts));

    if (strcmp(word, "wrap") == 0)
        diag_set(d, STATUS_REFUSED, "reserved-word", "the verdict 'wrap' cannot be carried out");
    else
        diag_set(d, STATUS_REFUSED, "unknown-word", "unknown %s '%s'", what, word);
    if (near != NULL && strcmp(word, "wrap") != 0)
        diag_hint(d, "did you mean '%s'?", near);
    else
        diag_hint(d, "batten help profile");
    return refuse_at(&l->places[i], d);
}

/* The line must have N words. */
static int need_words(const struct line *l, size_t n, const char *form, struct diag *d)
{
    if (l->words.n == n)
        return 0;
    diag_set(d, STATUS_REFUSED, "words", "%s behind '%s'",
             l->words.n < n ? "a word is missing" : "there are too many words", l->words.v[0]);
    diag_hint(d, "write %s", form);
    return refuse_at(&l->places[l->words.n > n ? n : 0], d);
}

static int line_rule(struct reader *r, const struct line *l, enum verdict v, struct diag *d)
{
    struct profile *p = r->profile;

    if (l->words.n < 2)
        return need_words(l, 2, "disable telnet", d);
    for (size_t i = 1; i < l->words.n; i++) {
        if (profile_add(p, v, l->words.v[i], STATUS_REFUSED, d) != 0)
            return refuse_at(&l->places[i], d);
        p->rules[p->n - 1]->shown.file = l->places[i].text->label;
        p->rules[p->n - 1]->shown.line = l->places[i].line;
    }
    return 0;
}

static int line_default(struct reader *r, const struct line *l, struct diag *d)
{
    struct profile *p = r->profile;

    if (need_words(l, 2, "default keep", d) != 0)
        return -1;
    if (read_verdict(l->words.v[1], &p->fallback) != 0)
        return unknown_word(l, 1, "verdict", d);
    p->fallback_rule =
        (struct profile_rule){p->fallback, "default", l->places[1].text->label, l->places[1].line};
    return 0;
}

static int load_builtin(const char *name, struct buf *out, struct diag *d)
{
    size_t len;
    const char *text = profile_builtin(name, &len);
    size_t n;
    const char *const *names = profile_builtin_names(&n);
    const char *near = text_nearest(name, names, n);

    if (text != NULL) {
        buf_add(out, text, len);
        return 0;
    }
    diag_set(d, STATUS_REFUSED, "unknown-profile", "unknown profile '%s'", name);
    if (near != NULL)
        diag_hint(d, "did you mean '%s'?", near);
    else
        diag_hint(d, "batten profile list");
    return -1;
}

static int line_include(struct reader *r, const struct line *l, struct diag *d)
{
    const struct text *from = l->places[0].text;
    const char *name;
    struct buf bytes = BUF_INIT;
    struct text t = {.depth = from->depth + 1};
    int rc = -1;

    if (need_words(l, 2, "include jpcert-98-0004", d) != 0)
        return -1;
    name = l->words.v[1];
    if (strchr(name, '/') != NULL || name[0] == '.') {
        diag_set(d, STATUS_REFUSED, "include", "'%s' is not the name of a profile", name);
        diag_hint(d, "batten profile list");
        return refuse_at(&l->places[1], d);
    }
    if (t.depth > DEPTH_MAX || ++r->files > FILES_MAX) {
        diag_set(d, STATUS_REFUSED, "include", "includes are nested too deep at '%s'", name);
        diag_hint(d, "batten profile show %s", name);
        return refuse_at(&l->places[1], d);
    }
    if ((r->load != NULL ? r->load(r->ctx, name, &bytes, d) : load_builtin(name, &bytes, d)) != 0) {
        refuse_at(&l->places[1], d);
        goto out;
    }
    t.label = profile_label(r->profile, name);
    t.bytes = buf_str(&bytes);
    t.len = bytes.len;
    rc = read_text(r, &t, d);
out:
    buf_release(&bytes);
    return rc;
}

static int line_version(const struct line *l, struct diag *d)
{
    if (need_words(l, 2, "profile-version 1", d) != 0)
        return -1;
    if (strcmp(l->words.v[1], "1") == 0)
        return 0;
    diag_set(d, STATUS_REFUSED, "profile-version", "profile version '%s' is not known",
             l->words.v[1]);
    diag_hint(d, "batten --version");
    return refuse_at(&l->places[1], d);
}

static int line_read(struct reader *r, const struct line *l, struct diag *d)
{
    const char *first = l->words.v[0];
    enum verdict v;

    if (read_verdict(first, &v) == 0)
        return line_rule(r, l, v, d);
    if (strcmp(first, "default") == 0)
        return line_default(r, l, d);
    if (strcmp(first, "include") == 0)
        return line_include(r, l, d);
    if (strcmp(first, "profile-version") == 0)
        return line_version(l, d);
    return unknown_word(l, 0, "word", d);
}

static void line_release(struct line *l)
{
    strlist_release(&l->words);
    free(l->places);
    *l = (struct line){0};
}

static void line_add(struct line *l, const char *word, const struct place *at)
{
    l->places = mem_grow(l->places, l->words.n, &l->cap, sizeof(*l->places));
    l->places[l->words.n] = *at;
    strlist_add(&l->words, word);
}

/* ---- a piece: the lines that the lens reads in one go ---- */

struct piece {
    size_t start, end; /* bytes of the text */
    unsigned line;     /* of its first */
};

static size_t line_end(const struct text *t, size_t at)
{
    const char *newline = memchr(t->bytes + at, '\n', t->len - at);

    return newline != NULL ? (size_t)(newline - t->bytes) + 1 : t->len;
}

/* The place of the byte at OFFSET, searched from *FROM, a place before it. */
static struct place place_of(const struct text *t, struct place from, size_t offset)
{
    size_t start = (size_t)(from.start - t->bytes), end = line_end(t, start);

    while (offset >= end && end < t->len) {
        start = end;
        end = line_end(t, start);
        from.line++;
    }
    from.start = t->bytes + start;
    from.len = end - start;
    while (from.len > 0 && strchr("\r\n", from.start[from.len - 1]) != NULL)
        from.len--;
    from.column = (unsigned)(offset - start) + 1;
    return from;
}

/* All words of a piece as lines; nothing is looked at yet, as an include needs the lens again. */
static int piece_lines(const struct text *t, const struct piece *p, struct line **lines, size_t *n,
                       struct diag *d)
{
    struct lens *lens = lens_get_shared(d);
    struct place at = {t, p->line, 1, t->bytes + p->start, 0};
    struct diag found = DIAG_INIT;
    size_t words, cap = 0, start, end;

    if (lens == NULL)
        return -1;
    if (lens_store(lens, LENS, t->bytes + p->start, p->end - p->start, &found) != 0) {
        bool odd = found.status == STATUS_REFUSED;

        diag_set(d, found.status, odd ? "profile-text" : found.code, "%s",
                 odd ? "this is not the text of a profile" : found.message);
        at.line += found.line > 0 ? found.line - 1 : 0;
        diag_at(d, t->label, at.line, found.column);
        diag_hint(d, "batten help profile");
        diag_release(&found);
        return -1;
    }
    words = lens_match(lens, "line/word");
    for (size_t i = 0; i < words; i++) {
        unsigned before = at.line;

        if (lens_span(lens, i, &start, &end) != 0)
            continue;
        at = place_of(t, at, p->start + start);
        if (*n == 0 || at.line != before) {
            *lines = mem_grow(*lines, *n, &cap, sizeof(**lines));
            (*lines)[(*n)++] = (struct line){0};
        }
        line_add(&(*lines)[*n - 1], lens_value(lens, i), &at);
    }
    return 0;
}

static int read_piece(struct reader *r, const struct text *t, const struct piece *p, struct diag *d)
{
    struct line *lines = NULL;
    size_t n = 0;
    int rc = piece_lines(t, p, &lines, &n, d);

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = line_read(r, &lines[i], d);
    for (size_t i = 0; i < n; i++)
        line_release(&lines[i]);
    free(lines);
    return rc;
}

static int read_text(struct reader *r, const struct text *t, struct diag *d)
{
    struct piece p = {0, 0, 1};
    unsigned lines = 0;

    while (p.end < t->len) {
        size_t end = line_end(t, p.end);

        if (end - p.end > LINE_MAX_BYTES) {
            diag_set(d, STATUS_REFUSED, "profile-text", "the line is longer than %d bytes",
                     LINE_MAX_BYTES);
            diag_at(d, t->label, p.line + lines, LINE_MAX_BYTES + 1);
            diag_hint(d, "write the selectors on lines of their own");
            return -1;
        }
        p.end = end;
        lines++;
        if (lines < LENS_LINES && p.end - p.start < PIECE_MAX_BYTES && p.end < t->len)
            continue;
        if (read_piece(r, t, &p, d) != 0)
            return -1;
        p = (struct piece){p.end, p.end, p.line + lines};
        lines = 0;
    }
    return 0;
}

/* The built-in of that name, not a file of somebody's that is called so too. */
static bool is_report(const char *name, const char *bytes, size_t len)
{
    size_t own;
    const char *text = profile_builtin("report", &own);

    return strcmp(name, "report") == 0 && text != NULL && own == len &&
           memcmp(text, bytes, len) == 0;
}

int profile_parse(struct profile **out, const char *name, const char *label, const char *bytes,
                  size_t len, profile_load *load, void *ctx, struct diag *d)
{
    struct profile *p = profile_new(name);
    struct reader r = {.profile = p, .load = load, .ctx = ctx};
    struct text t = {.label = profile_label(p, label), .bytes = bytes, .len = len};

    p->report = is_report(name, bytes, len);
    if (read_text(&r, &t, d) != 0) {
        profile_free(p);
        return -1;
    }
    profile_index(p);
    *out = p;
    return 0;
}
