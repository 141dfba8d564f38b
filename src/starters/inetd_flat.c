#include "inetd.h"

#include <string.h>

#include "batten/lens.h"

/*
 * A flattened line keeps every byte's offset, so that what the lens finds in it can be cut out of
 * the source. Only these bytes change:
 *
 *     newline, '\' before it, what follows a NUL or an inline '#'     become blanks
 *     blanks, ',' ';' '#' inside quotes                               become '_'
 *     bytes 1 to 4, which no lens can carry                           become '?'
 *     the mark in "#<off># telnet ..."                                becomes "#######"
 */
struct flat {
    const struct dialect *d;
    const struct inetd_cut *cut;
    char *text;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Blank TEXT from I to the end of its physical line; returns the offset of the newline. */
static size_t blank_to_newline(struct flat *f, size_t i)
{
    while (i < f->len && f->text[i] != '\n')
        f->text[i++] = ' ';
    return i;
}

/* NULs, line ends that the dialect takes off, and what no lens can carry. */
static void flatten_bytes(struct flat *f)
{
    char *t = f->text;

    for (size_t i = 0; i < f->len; i++) {
        if (t[i] == '\0')
            i = blank_to_newline(f, i);
        else if ((unsigned char)t[i] <= LENS_BYTE_MAX)
            t[i] = '?';
        if (i >= f->len || t[i] != '\n' || !(f->d->flags & DIALECT_CR_BLANK))
            continue;
        for (size_t k = i; k > 0 && (t[k - 1] == '\r' || t[k - 1] == '\f' || t[k - 1] == '\v'); k--)
            t[k - 1] = ' ';
    }
}

/* Whether a quote may open at I, and where it ends on its line; 0 when it does not. */
static size_t quote_end(const struct flat *f, size_t i, bool at_start)
{
    bool anywhere = f->cut->keyed || (f->d->flags & DIALECT_KEYVALUE) != 0;

    if (!at_start && !anywhere)
        return 0;
    for (size_t k = i + 1; k < f->len && f->text[k] != '\n'; k++) {
        if (f->cut->keyed && f->text[k] == '\\')
            k++;
        else if (f->text[k] == f->text[i])
            return k;
    }
    return 0;
}

static void flatten_quotes(struct flat *f)
{
    bool at_start = true;

    for (size_t i = 0; i < f->len; i++) {
        char c = f->text[i];
        size_t end;

        if (c == '#' && f->cut->keyed) {
            i = blank_to_newline(f, i);
        } else if ((c == '"' || c == '\'') && (end = quote_end(f, i, at_start)) > 0) {
            for (i++; i < end; i++)
                if (is_blank(f->text[i]) || strchr(",;#=", f->text[i]) != NULL)
                    f->text[i] = '_';
            c = f->text[end];
        }
        at_start = is_blank(c) || c == '\n';
    }
}

/* "#<off># " and the like: a mark that package scripts put in front of an entry. */
static void flatten_mark(struct flat *f)
{
    size_t i = 0, open;

    while (i < f->len && (is_blank(f->text[i]) || f->text[i] == '#'))
        i++;
    open = i;
    if (i == f->len || f->text[i] != '<')
        return;
    while (i < f->len && f->text[i] != '>' && !is_blank(f->text[i]) && f->text[i] != '\n')
        i++;
    if (i + 1 < f->len && f->text[i] == '>' && f->text[i + 1] == '#')
        memset(f->text + open, '#', i + 1 - open);
}

/* "127.0.0.1: telnet stream ...": the lens reads the entry; the address is taken from the source.
 */
static void flatten_address(struct flat *f)
{
    size_t i = 0, start;

    while (i < f->len && is_blank(f->text[i]))
        i++;
    start = i;
    while (i < f->len && !is_blank(f->text[i]) && f->text[i] != '\n')
        i++;
    if (i == start || f->text[i - 1] != ':')
        return;
    for (size_t k = i; k < f->len; k++) {
        if (is_blank(f->text[k]) || f->text[k] == '\n')
            continue;
        memset(f->text + start, ' ', i - start);
        return;
    }
}

static void flatten_joins(struct flat *f)
{
    bool backslash = (f->d->flags & DIALECT_BACKSLASH) != 0;

    for (size_t i = 0; i < f->len; i++) {
        if (f->text[i] != '\n')
            continue;
        f->text[i] = ' ';
        if (backslash && i > 0 && f->text[i - 1] == '\\')
            f->text[i - 1] = ' ';
    }
}

void inetd_flatten(struct buf *out, const struct dialect *d, const char *bytes,
                   const struct inetd_cut *cut)
{
    struct flat f = {.d = d, .cut = cut, .len = cut->end - cut->start};

    buf_reserve(out, f.len + 1);
    f.text = out->data + out->len;
    buf_add(out, bytes + cut->start, f.len);
    flatten_bytes(&f);
    if (cut->comment) {
        flatten_mark(&f);
    } else {
        char *hash = (d->flags & DIALECT_HASH_INLINE) ? memchr(f.text, '#', f.len) : NULL;

        if (cut->keyed || (d->flags & DIALECT_QUOTES))
            flatten_quotes(&f);
        if (hash != NULL)
            memset(hash, ' ', f.len - (size_t)(hash - f.text));
        if (d->flags & DIALECT_ADDRESS_APART)
            flatten_address(&f);
    }
    flatten_joins(&f);
    if (bytes[cut->end - 1] == '\n')
        out->len--;
    out->data[out->len] = '\0';
}
