#include "inetd.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"

/* What the daemon reads at once: a physical line, or a part of one up to its length limit. */
struct piece {
    size_t start, end;
    unsigned line;
};

struct cutter {
    const struct dialect *d;
    const char *bytes;
    size_t len;
    size_t pos;
    unsigned line;
    bool empty_before;
    struct inetd_cuts *out;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct piece next_piece(struct cutter *c)
{
    struct piece p = {.start = c->pos, .line = c->line};
    size_t window = c->len - c->pos;
    const char *newline;

    if (c->d->line_max > 0 && window > c->d->line_max)
        window = c->d->line_max;
    newline = memchr(c->bytes + c->pos, '\n', window);
    p.end = newline ? (size_t)(newline - c->bytes) + 1 : c->pos + window;
    c->pos = p.end;
    if (newline != NULL)
        c->line++;
    return p;
}

/* The daemons stop at a NUL, as at the end of the line. */
static bool piece_is_blank(const struct cutter *c, const struct piece *p)
{
    for (size_t i = p->start; i < p->end; i++) {
        if (c->bytes[i] == '\0' || c->bytes[i] == '\n')
            return true;
        if (!is_blank(c->bytes[i]))
            return false;
    }
    return true;
}

static bool piece_is_comment(const struct cutter *c, const struct piece *p)
{
    size_t i = p->start;

    if (c->d->flags & DIALECT_HASH_INDENTED)
        while (i < p->end && is_blank(c->bytes[i]))
            i++;
    return i < p->end && c->bytes[i] == '#';
}

static bool ends_in_backslash(const struct cutter *c, const struct piece *p)
{
    return p->end - p->start >= 2 && c->bytes[p->end - 1] == '\n' && c->bytes[p->end - 2] == '\\';
}

static bool next_is_indented(const struct cutter *c)
{
    return (c->d->flags & DIALECT_INDENT_JOINS) != 0 && c->pos < c->len &&
           is_blank(c->bytes[c->pos]);
}

static struct inetd_cut *emit(struct cutter *c, size_t start, size_t end, unsigned line)
{
    struct inetd_cuts *out = c->out;
    struct inetd_cut *cut;

    out->v = mem_grow(out->v, out->n, &out->cap, sizeof(*out->v));
    cut = &out->v[out->n++];
    *cut = (struct inetd_cut){.start = start, .end = end, .line = line, .last_line = line};
    cut->cut =
        (start > 0 && c->bytes[start - 1] != '\n') || (end < c->len && c->bytes[end - 1] != '\n');
    cut->too_long = end - start > SOURCE_LINE_MAX;
    return cut;
}

static void take_comment(struct cutter *c, struct piece p)
{
    unsigned last = p.line;
    struct inetd_cut *cut;
    size_t start = p.start;
    unsigned line = p.line;

    if ((c->d->flags & DIALECT_BACKSLASH) && !(c->d->flags & DIALECT_SHY_BACKSLASH))
        while (ends_in_backslash(c, &p) && c->pos < c->len) {
            p = next_piece(c);
            last = p.line;
        }
    cut = emit(c, start, p.end, line);
    cut->comment = true;
    cut->last_line = last;
    cut->joined = last != line;
}

static void take_blank(struct cutter *c, const struct piece *p)
{
    bool empty = p->end - p->start == (c->bytes[p->end - 1] == '\n');

    emit(c, p->start, p->end, p->line)->comment = true;
    c->empty_before = next_is_indented(c) && (!empty || (c->d->flags & DIALECT_EMPTY_JOINS) != 0);
}

/* From AT, behind 'on' or 'off', the offset behind the ';' that ends the entry, or 0 where the file
 * ends first. A quote that stays open on its line makes the daemon give up, as the end does. */
static size_t keyed_end(const struct cutter *c, size_t at)
{
    char quote = '\0';

    for (size_t i = at; i < c->len; i++) {
        char b = c->bytes[i];

        if (quote != '\0') {
            if (b == '\n')
                return 0;
            if (b == '\\')
                i++;
            else if (b == quote)
                quote = '\0';
        } else if (b == '"' || b == '\'') {
            quote = b;
        } else if (b == '#') {
            while (i + 1 < c->len && c->bytes[i + 1] != '\n')
                i++;
        } else if (b == ';') {
            return i + 1;
        }
    }
    return 0;
}

static bool next_word(const char *bytes, size_t end, size_t *from, size_t *to)
{
    size_t i = *to;

    while (i < end && (is_blank(bytes[i]) || bytes[i] == '\n'))
        i++;
    *from = i;
    while (i < end && !is_blank(bytes[i]) && bytes[i] != '\n')
        i++;
    *to = i;
    return *to > *from;
}

/* The offset behind 'on' or 'off' if the text is the start of a keyed entry, else 0. */
static size_t keyed_start(const struct cutter *c, size_t start, size_t end)
{
    size_t from, to = start;

    if (!(c->d->flags & DIALECT_KEYVALUE) || !next_word(c->bytes, end, &from, &to))
        return 0;
    if (c->bytes[to - 1] == ':' && !next_word(c->bytes, end, &from, &to))
        return 0;
    if (!next_word(c->bytes, end, &from, &to))
        return 0;
    for (size_t n = 2; n <= 3; n++)
        if (to - from >= n && memcmp(c->bytes + from, n == 2 ? "on" : "off", n) == 0 &&
            (to - from == n || c->bytes[from + n] == '#'))
            return from + n;
    return 0;
}

static unsigned count_lines(const char *bytes, size_t start, size_t end)
{
    unsigned n = 0;

    for (const char *at = bytes + start;
         (at = memchr(at, '\n', (size_t)(bytes + end - at))) != NULL; at++)
        n++;
    return n;
}

static void take_keyed(struct cutter *c, const struct piece *first, size_t behind)
{
    size_t end = keyed_end(c, behind);
    bool open = end == 0;
    struct inetd_cut *cut;
    size_t i;

    if (open)
        end = c->len;
    for (i = end; i < c->len && (is_blank(c->bytes[i]) || c->bytes[i] == '\r'); i++)
        ;
    if (i < c->len && c->bytes[i] == '#')
        while (i < c->len && c->bytes[i] != '\n')
            i++;
    end = i + (i < c->len && c->bytes[i] == '\n');
    cut = emit(c, first->start, end, first->line);
    cut->keyed = true;
    cut->open = open;
    cut->last_line =
        first->line + count_lines(c->bytes, first->start, end) - (c->bytes[end - 1] == '\n');
    cut->joined = cut->last_line != cut->line;
    c->pos = end;
    c->line = cut->last_line + (c->bytes[end - 1] == '\n');
}

static void take_entry(struct cutter *c, const struct piece *first)
{
    bool backslash = (c->d->flags & DIALECT_BACKSLASH) != 0;
    bool empty_before = c->empty_before;
    struct piece last = *first, p = *first;
    struct inetd_cut *cut;
    size_t pos = c->pos, behind;
    unsigned line = c->line;

    for (;;) {
        bool joined = backslash && ends_in_backslash(c, &p) && c->pos < c->len;

        if (!joined && !next_is_indented(c))
            break;
        p = next_piece(c);
        if (!joined && piece_is_blank(c, &p))
            continue;
        last = p;
        pos = c->pos;
        line = c->line;
    }
    c->pos = pos;
    c->line = line;
    behind = keyed_start(c, first->start, last.end);
    if (behind > 0) {
        take_keyed(c, first, behind);
        return;
    }
    cut = emit(c, first->start, last.end, first->line);
    cut->last_line = last.line;
    cut->joined = last.start != first->start;
    cut->empty_before = empty_before;
}

void inetd_cut(struct inetd_cuts *out, const struct dialect *d, const char *bytes, size_t len)
{
    struct cutter c = {.d = d, .bytes = bytes, .len = len, .line = 1, .out = out};

    while (c.pos < c.len) {
        struct piece p = next_piece(&c);

        if (piece_is_comment(&c, &p)) {
            c.empty_before = false;
            take_comment(&c, p);
        } else if (piece_is_blank(&c, &p)) {
            take_blank(&c, &p);
        } else {
            take_entry(&c, &p);
            c.empty_before = false;
        }
    }
}

void inetd_cuts_release(struct inetd_cuts *cuts)
{
    free(cuts->v);
    *cuts = (struct inetd_cuts){0};
}
