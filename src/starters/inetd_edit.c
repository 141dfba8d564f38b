#include "inetd.h"

#include <string.h>

#include "batten/diag.h"
#include "batten/lens.h"
#include "batten/mem.h"

#define EDIT_LENS "Batten_Inetd.edit"

/* The first line of the entry that a '#' would push over the length limit, or 0. */
static unsigned overflow_line(const struct dialect *d, const struct source *source,
                              const struct inetd_cut *cut)
{
    unsigned line = cut->line;

    if (d->line_max == 0)
        return 0;
    for (size_t at = cut->start; at < cut->end; line++) {
        const char *newline = memchr(source->bytes + at, '\n', cut->end - at);
        size_t end = newline ? (size_t)(newline - source->bytes) : cut->end;

        /* The newline is read together with the line, so it counts. */
        if (end - at + 2 > d->line_max)
            return line;
        at = end + 1;
    }
    return 0;
}

/* A piece of a line ends behind the ';' of a keyed entry, or at the length limit. */
static bool shares_line(const struct dialect *d, const struct source *source,
                        const struct inetd_cut *cut)
{
    size_t start = cut->start;

    if (cut->keyed)
        return true;
    while (start > 0 && source->bytes[start - 1] != '\n')
        start--;
    return (d->flags & DIALECT_KEYVALUE) != 0 && cut->start - start < d->line_max;
}

char *inetd_lock(const struct dialect *d, const struct source *source, const struct inetd_cut *cut)
{
    const char *bytes = source->bytes + cut->start;
    unsigned line;

    if (cut->cut && shares_line(d, source, cut))
        return mem_strdup("it shares a line with another entry");
    if (cut->cut)
        return mem_printf("its line is longer than the %zu bytes that the inetd reads at once",
                          d->line_max);
    if (!lens_carries(bytes, cut->end - cut->start))
        return mem_strdup("it holds a control byte that the lens cannot carry");
    if (cut->last_line - cut->line >= LENS_LINES)
        return mem_printf("it spans more than %d lines", (int)LENS_LINES);
    if ((d->flags & DIALECT_IPSEC) && bytes[0] == '@')
        return mem_strdup("with a '#' in front it would be read as an IPsec policy");
    line = overflow_line(d, source, cut);
    if (line > 0)
        return mem_printf(
            "a '#' would push line %u over the %zu bytes that the inetd reads at once", line,
            d->line_max);
    return NULL;
}

/* Put a '#' in front of each of the N lines of the entry. */
static int disable_lines(struct lens *lens, unsigned n, struct diag *d)
{
    struct buf path = BUF_INIT;
    int rc = 0;

    for (unsigned i = 1; i <= n && rc == 0; i++) {
        buf_clear(&path);
        buf_printf(&path, "%u/*[1]", i);
        if (lens_match(lens, buf_str(&path)) == 1) {
            rc = lens_insert(lens, buf_str(&path), "disabled", true, d);
        } else {
            buf_clear(&path);
            buf_printf(&path, "%u/disabled", i);
            rc = lens_set(lens, buf_str(&path), NULL, d);
        }
    }
    buf_release(&path);
    return rc;
}

int inetd_disable(const struct parse *p, const struct entry *e, struct edits *edits, struct diag *d)
{
    const char *bytes = e->source->bytes + e->start;
    struct lens *lens = lens_get_shared(d);
    struct buf after = BUF_INIT;
    struct edit *edit;
    int rc = -1;

    (void)p;
    if (lens == NULL)
        goto out;
    if (e->locked != NULL) {
        diag_set(d, STATUS_ATTENTION, "locked", "cannot comment out '%s': %s", e->name, e->locked);
        diag_at(d, e->source->path, e->line, e->column);
        goto out;
    }
    if (!e->enabled) {
        diag_set(d, STATUS_ATTENTION, "disabled", "'%s' is commented out already", e->name);
        diag_at(d, e->source->path, e->line, e->column);
        goto out;
    }
    if (lens_store(lens, EDIT_LENS, bytes, e->end - e->start, d) != 0 ||
        disable_lines(lens, e->last_line - e->line + 1, d) != 0 ||
        lens_retrieve(lens, EDIT_LENS, &after, d) != 0) {
        diag_at(d, e->source->path, e->line, e->column);
        goto out;
    }
    edit = edits_new(edits, e->source, e->start, e->end);
    edit->entry = e;
    edit->line = e->line;
    edit->last_line = e->last_line;
    edit->kind = "comment";
    edit->after_len = after.len;
    edit->after = buf_steal(&after);
    rc = 0;
out:
    buf_release(&after);
    return rc;
}
