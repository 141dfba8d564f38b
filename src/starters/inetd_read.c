#include "inetd.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/text.h"

#define LINE_LENS    "Batten_Inetd.line"
#define OPTIONS_LENS "Batten_Inetd.options"

/* The most physical lines that a commented-out entry is looked for on. */
enum { BLOCK_LINES_MAX = 8, KEYED_LINES_MAX = 64 };

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

/* ---- problems ---- */

void inetd_report(struct inetd_reader *r, const struct inetd_cut *cut, const char *code,
                  const char *message)
{
    const char *bytes = r->source->bytes;
    struct diag *d = problems_new(&r->p->problems);
    size_t line = cut->start, text = cut->start, end = cut->start;

    while (line > 0 && bytes[line - 1] != '\n')
        line--;
    while (text < cut->end && is_blank(bytes[text]))
        text++;
    while (end < cut->end && bytes[end] != '\n')
        end++;
    diag_set(d, STATUS_ATTENTION, code, "%s", message);
    diag_at(d, r->source->path, cut->line, (unsigned)(text - line) + 1);
    diag_text(d, bytes + line, end - line);
    diag_hint(d, "batten explain %s:%u", r->source->path, cut->line);
}

void inetd_report_nul(struct inetd_reader *r)
{
    const char *nul = memchr(r->source->bytes, '\0', r->source->len);
    struct inetd_cut cut = {.start = (size_t)(nul - r->source->bytes), .line = 1};

    cut.end = cut.start;
    for (size_t i = 0; i < cut.start; i++)
        cut.line += r->source->bytes[i] == '\n';
    inetd_report(r, &cut, "nul-bytes", "the file holds NUL bytes, so it is shown but never edited");
}

static void report_unknown(struct inetd_reader *r, const struct inetd_cut *cut,
                           const struct inetd_line *line)
{
    char *message;

    if (cut->open)
        message = mem_strdup("no ';' ends this entry, so the inetd gives up here");
    else if (cut->line == 1 && text_starts(r->source->bytes, "\xef\xbb\xbf"))
        message = mem_strdup("a byte order mark starts this line, so it is no entry");
    else if (line->nfields > 1)
        message = mem_printf("'%s' is not a socket type, so this is no entry", line->fields[1]);
    else
        message = mem_printf("'%s' alone is no entry", line->nfields ? line->fields[0] : "");
    inetd_report(r, cut, "unknown-line", message);
    free(message);
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

static void read_unknown(struct inetd_reader *r, struct inetd_reading *read)
{
    split_words(r, read);
    report_unknown(r, read->cut, add_line(r, read, INETD_UNKNOWN, true));
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
static bool read_keyed(struct inetd_reader *r, struct inetd_reading *read, bool active)
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

static bool starts_any(const struct inetd_reader *r, const struct inetd_word *word,
                       const char *const *prefixes)
{
    const char *bytes = r->source->bytes + word->start;

    for (; *prefixes != NULL; prefixes++)
        if (word->len >= strlen(*prefixes) && memcmp(bytes, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

/* Prose seldom has a protocol, a wait word and a server in the right columns. */
static bool looks_disabled(const struct inetd_reader *r, const struct inetd_reading *read)
{
    static const char *const protos[] = {"tcp", "udp", "rpc/", "unix", "sctp", "icmp", NULL};
    static const char *const waits[] = {"wait", "nowait", "swait", NULL};
    static const char *const servers[] = {"/", "?", "internal", NULL};
    static const char *const templates[] = {"<", NULL};
    const struct inetd_word *w = r->words + read->words;

    if (read->n < 5 || starts_any(r, &w[0], templates))
        return false;
    if (read->n == 5 && !starts_any(r, &w[4], servers))
        return false;
    return starts_any(r, &w[2], protos) && starts_any(r, &w[3], waits);
}

/* ---- commented-out entries of several lines ---- */

/* Take the '#' off COUNT comment lines from cut FIRST and read what is there as if it were live:
 * if that is one entry over all of them, it is added, commented out. */
static bool try_block(struct inetd_reader *r, size_t first, size_t count)
{
    size_t start = r->cuts.v[first].start, end = r->cuts.v[first + count - 1].end;
    struct inetd_reading read = {.words = r->nwords};
    struct inetd_cuts cuts = {0};
    struct buf live = BUF_INIT, flat = BUF_INIT;
    bool found = false;

    buf_add(&live, r->source->bytes + start, end - start);
    for (size_t i = first; i < first + count; i++)
        live.data[r->cuts.v[i].start - start] = ' ';
    inetd_cut(&cuts, r->p->dialect, live.data, live.len);
    if (cuts.n == 1) {
        struct inetd_cut cut = cuts.v[0];

        inetd_flatten(&flat, r->p->dialect, live.data, &cut);
        buf_addc(&flat, '\n');
        cut.start += start;
        cut.end += start;
        cut.line += r->cuts.v[first].line - 1;
        cut.last_line += r->cuts.v[first].line - 1;
        read.cut = &cut;
        read.flat = flat.data;
        inetd_read_batch(r, flat.data, flat.len, &read, 1);
        if (read.label == LABEL_ENTRY && looks_disabled(r, &read)) {
            lock_entry(r, add_line(r, &read, INETD_ENTRY, false), &cut);
            found = true;
        } else if (read.label == LABEL_KEYED) {
            found = read_keyed(r, &read, false);
        }
        r->nwords = read.words;
    }
    buf_release(&live);
    buf_release(&flat);
    inetd_cuts_release(&cuts);
    return found;
}

/* Whether cut I is a comment that could go on with a commented-out entry above it. */
static bool may_continue(const struct inetd_reader *r, size_t i, bool keyed)
{
    const struct inetd_cut *cut;
    const char *bytes;

    if (i >= r->cuts.n)
        return false;
    cut = &r->cuts.v[i];
    bytes = r->source->bytes + cut->start;
    return cut->comment && !cut->cut && bytes[0] == '#' &&
           (keyed || (cut->end - cut->start > 2 && is_blank(bytes[1])));
}

/* Whether the comment line at cut I is a commented-out entry by itself. */
static bool try_single(struct inetd_reader *r, size_t i)
{
    struct inetd_reading read = {.cut = &r->cuts.v[i], .words = r->nwords};
    struct buf flat = BUF_INIT;
    bool found;

    inetd_flatten(&flat, r->p->dialect, r->source->bytes, read.cut);
    buf_addc(&flat, '\n');
    read.flat = flat.data;
    inetd_read_batch(r, flat.data, flat.len, &read, 1);
    found = read.label == LABEL_DISABLED && looks_disabled(r, &read);
    r->nwords = read.words;
    buf_release(&flat);
    return found;
}

static bool has_semicolon(const struct inetd_reader *r, size_t i)
{
    const struct inetd_cut *cut = &r->cuts.v[i];

    return memchr(r->source->bytes + cut->start, ';', cut->end - cut->start) != NULL;
}

static void read_block(struct inetd_reader *r, const struct inetd_reading *read, bool keyed)
{
    size_t first = (size_t)(read->cut - r->cuts.v), count = 1;
    size_t most = keyed ? KEYED_LINES_MAX : BLOCK_LINES_MAX;

    if (r->source->bytes[read->cut->start] != '#')
        return;
    for (; count <= most && r->attempts > 0; count++) {
        bool last = !keyed || has_semicolon(r, first + count - 1);

        if (last && (count > 1 || keyed)) {
            r->attempts--;
            if (try_block(r, first, count)) {
                r->done = r->cuts.v[first + count - 1].end;
                return;
            }
            if (keyed)
                return;
        }
        if (!may_continue(r, first + count, keyed))
            return;
        /* A line that is an entry by itself is not the rest of the one above. */
        if (!keyed && try_single(r, first + count))
            return;
    }
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
        read_block(r, read, true);
    else if (at[second + strspn(at + second, " \t")] == '\n')
        read_block(r, read, false);
}

void inetd_read_line(struct inetd_reader *r, struct inetd_reading *read)
{
    switch (read->label) {
    case LABEL_ENTRY:
        lock_entry(r, add_line(r, read, INETD_ENTRY, true), read->cut);
        break;
    case LABEL_KEYED:
        if (!read_keyed(r, read, true))
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
        if (looks_disabled(r, read))
            lock_entry(r, add_line(r, read, INETD_ENTRY, false), read->cut);
        else if (r->p->dialect->flags & DIALECT_INDENT_JOINS)
            read_block(r, read, false);
        break;
    case LABEL_COMMENT:
        read_comment(r, read);
        break;
    case LABEL_BLANK:
        break;
    }
}
