#include "inetd.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/text.h"

#define LINE_LENS    "Batten_Inetd.line"
#define OPTIONS_LENS "Batten_Inetd.options"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- asking the lens ---- */

static const struct {
    const char *name;
    enum inetd_label label;
} labels[] = {
    {"comment",  LABEL_COMMENT },
    {"entry",    LABEL_ENTRY   },
    {"disabled", LABEL_DISABLED},
    {"unknown",  LABEL_UNKNOWN },
    {"default",  LABEL_DEFAULT },
    {"include",  LABEL_INCLUDE },
    {"keyed",    LABEL_KEYED   },
    {"blank",    LABEL_BLANK   },
};

static bool find_label(const char *name, enum inetd_label *label)
{
    for (size_t i = 0; i < ARRAY_LEN(labels); i++)
        if (strcmp(labels[i].name, name) == 0) {
            *label = labels[i].label;
            return true;
        }
    return false;
}

static void add_word(struct inetd_reader *r, size_t start, size_t len)
{
    r->words = mem_grow(r->words, r->nwords, &r->capwords, sizeof(*r->words));
    r->words[r->nwords++] = (struct inetd_word){start, len};
}

/* The lens gives the words in their order, so each is the next one of the text from *AT. */
static void take_word(struct inetd_reader *r, struct inetd_reading *read, size_t *at,
                      const char *value)
{
    size_t len = strlen(value);

    while (is_blank(read->flat[*at]))
        (*at)++;
    if (strncmp(read->flat + *at, value, len) != 0)
        return;
    add_word(r, read->cut->start + *at, len);
    read->n++;
    *at += len;
}

void inetd_read_batch(struct inetd_reader *r, const char *text, size_t len,
                      struct inetd_reading *readings, size_t n)
{
    struct inetd_reading *read = NULL;
    size_t nodes, at = 0, line = 0;
    struct diag d = DIAG_INIT;

    if (n == 0 || r->broken)
        return;
    if (lens_store(r->lens, LINE_LENS, text, len, &d) != 0) {
        *problems_new(&r->p->problems) = d;
        r->broken = true;
        return;
    }
    nodes = lens_match(r->lens, "*/descendant-or-self::*");
    for (size_t i = 0; i < nodes; i++) {
        const char *label = lens_label(r->lens, i), *value = lens_value(r->lens, i);
        enum inetd_label found;

        if (find_label(label, &found)) {
            if (line == n)
                return;
            read = &readings[line++];
            read->label = found;
            read->off = found == LABEL_KEYED && strcmp(value, "off") == 0;
            read->words = r->nwords;
            at = 0;
        } else if (read != NULL && strcmp(label, "marker") == 0) {
            at = strlen(value);
        } else if (read != NULL && strcmp(label, "options") != 0) {
            take_word(r, read, &at, value);
        }
    }
}

static void split_words(struct inetd_reader *r, struct inetd_reading *read)
{
    size_t at = 0;

    read->words = r->nwords;
    read->n = 0;
    while (read->flat[at] != '\n') {
        size_t start = at;

        while (read->flat[at] != '\n' && !is_blank(read->flat[at]))
            at++;
        if (at > start) {
            add_word(r, read->cut->start + start, at - start);
            read->n++;
        }
        while (is_blank(read->flat[at]))
            at++;
    }
}

/* ---- what a line means ---- */

static struct inetd_line *add_line(struct inetd_reader *r, const struct inetd_reading *read,
                                   enum inetd_kind kind, bool active)
{
    return inetd_line_add(r->p, r->source, read->cut, kind, active, r->words + read->words,
                          read->n);
}

static void lock_entry(struct inetd_reader *r, const struct inetd_line *line,
                       const struct inetd_cut *cut)
{
    line->entry->locked = r->has_nul ? mem_strdup("the file holds NUL bytes")
                                     : inetd_lock(r->p->dialect, r->source, cut);
}

struct inetd_line *inetd_add_entry(struct inetd_reader *r, const struct inetd_reading *read,
                                   bool active)
{
    struct inetd_line *line = add_line(r, read, INETD_ENTRY, active);

    lock_entry(r, line, read->cut);
    return line;
}

static void read_unknown(struct inetd_reader *r, struct inetd_reading *read)
{
    split_words(r, read);
    inetd_report_unknown(r, read, add_line(r, read, INETD_UNKNOWN, true));
}

static void read_entry(struct inetd_reader *r, struct inetd_reading *read)
{
    if (read->n < INETD_COLUMNS_MIN) {
        read_unknown(r, read);
        return;
    }
    inetd_report_swallowed(r, read, inetd_add_entry(r, read, true));
}

static void read_default(struct inetd_reader *r, struct inetd_reading *read)
{
    struct inetd_line *line;

    if (!(r->p->dialect->flags & DIALECT_ADDRESS)) {
        read_unknown(r, read);
        return;
    }
    split_words(r, read);
    line = add_line(r, read, INETD_DEFAULT, true);
    inetd_line_address(r->p, line);
    inetd_set_default(r->p, line->address);
}

static void read_include(struct inetd_reader *r, struct inetd_reading *read)
{
    struct inetd_state *state = inetd_state(r->p);
    const char *pattern, *slash = strrchr(r->source->path, '/');
    int folder = slash ? (int)(slash - r->source->path) + 1 : 0;
    char *path;

    if (!(r->p->dialect->flags & DIALECT_INCLUDE)) {
        read_unknown(r, read);
        return;
    }
    split_words(r, read);
    pattern = add_line(r, read, INETD_INCLUDE, true)->fields[1];
    path = pattern[0] == '/' ? mem_strdup(pattern + strspn(pattern, "/"))
                             : mem_printf("%.*s%s", folder, r->source->path, pattern);
    strlist_add(&r->p->more, path);
    state->includes =
        mem_grow(state->includes, state->nincludes, &state->capincludes, sizeof(*state->includes));
    state->includes[state->nincludes++] = (struct inetd_include){path, state->default_address};
}

/* A keyed entry: its options go through a lens of their own, one entry at a time. */
bool inetd_read_keyed(struct inetd_reader *r, struct inetd_reading *read, bool active)
{
    const struct inetd_word *name = &r->words[read->words];
    const char *options = read->flat + (name->start - read->cut->start) + name->len, *at;
    struct inetd_line *line;
    size_t n;

    options += strspn(options, " \t");
    options += read->off ? 3 : 2;
    if (!read->cut->keyed || read->cut->open ||
        lens_store(r->lens, OPTIONS_LENS, options, strcspn(options, "\n"), NULL) != 0)
        return false;
    line = add_line(r, read, INETD_KEYED, active);
    line->off = read->off;
    n = lens_match(r->lens, "*/descendant-or-self::*");
    at = options;
    for (size_t i = 0; i < n; i++) {
        const char *value = lens_value(r->lens, i);

        at = strstr(at, value);
        inetd_line_option(r->p, line, strcmp(lens_label(r->lens, i), "option") == 0,
                          r->source->bytes + read->cut->start + (at - read->flat), strlen(value));
        at += strlen(value);
    }
    inetd_line_keys(r->p, line);
    lock_entry(r, line, read->cut);
    return true;
}

static void read_comment(struct inetd_reader *r, const struct inetd_reading *read)
{
    const char *at = read->flat + strspn(read->flat, "# \t");
    size_t name = strcspn(at, " \t\n"), second;
    unsigned flags = r->p->dialect->flags;

    if ((flags & DIALECT_IPSEC) && text_starts(read->flat, "#@")) {
        inetd_line_add(r->p, r->source, read->cut, INETD_POLICY, true, NULL, 0);
        return;
    }
    if (!(flags & DIALECT_INDENT_JOINS) || name == 0)
        return;
    at += name;
    at += strspn(at, " \t");
    second = strcspn(at, " \t\n");
    if ((flags & DIALECT_KEYVALUE) &&
        ((second >= 2 && strncmp(at, "on", 2) == 0) || (second >= 3 && strncmp(at, "off", 3) == 0)))
        inetd_read_block(r, read, true);
    else if (at[second + strspn(at + second, " \t")] == '\n')
        inetd_read_block(r, read, false);
}

void inetd_read_line(struct inetd_reader *r, struct inetd_reading *read)
{
    switch (read->label) {
    case LABEL_ENTRY:
        read_entry(r, read);
        break;
    case LABEL_KEYED:
        if (!inetd_read_keyed(r, read, true))
            read_unknown(r, read);
        break;
    case LABEL_DEFAULT:
        read_default(r, read);
        break;
    case LABEL_INCLUDE:
        read_include(r, read);
        break;
    case LABEL_UNKNOWN:
        read_unknown(r, read);
        break;
    case LABEL_DISABLED:
        if (inetd_looks_disabled(r, read))
            inetd_add_entry(r, read, false);
        else if (r->p->dialect->flags & DIALECT_INDENT_JOINS)
            inetd_read_block(r, read, false);
        break;
    case LABEL_COMMENT:
        read_comment(r, read);
        break;
    case LABEL_BLANK:
        break;
    }
}
