#include "inetd.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

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

void inetd_report_unknown(struct inetd_reader *r, const struct inetd_reading *read,
                          const struct inetd_line *line)
{
    const struct inetd_cut *cut = read->cut;
    char *message;

    if (cut->open)
        message = mem_strdup("no ';' ends this entry, so the inetd gives up here");
    else if (cut->line == 1 && text_starts(r->source->bytes, "\xef\xbb\xbf"))
        message = mem_strdup("a byte order mark starts this line, so it is no entry");
    else if (read->label == LABEL_KEYED && cut->keyed)
        message = mem_strdup("these options cannot be read, so the inetd gives up here");
    else if (read->label == LABEL_ENTRY)
        message = mem_printf("%zu columns are too few for an entry", line->nfields);
    else if (line->nfields > 1)
        message = mem_printf("'%s' is not a socket type, so this is no entry", line->fields[1]);
    else
        message = mem_printf("'%s' alone is no entry", line->nfields ? line->fields[0] : "");
    inetd_report(r, cut, "unknown-line", message);
    free(message);
}

/* Whether a word is the first on its physical line. */
static bool starts_line(const struct inetd_reader *r, const struct inetd_word *word)
{
    size_t at = word->start;

    while (at > 0 && is_blank(r->source->bytes[at - 1]))
        at--;
    return at > 0 && r->source->bytes[at - 1] == '\n';
}

/* A line below the entry that was meant as an entry, or as a comment, but is arguments. */
void inetd_report_swallowed(struct inetd_reader *r, const struct inetd_reading *read,
                            const struct inetd_line *line)
{
    static const char *const kinds[] = {"stream", "dgram", NULL};
    static const char *const hash[] = {"#", NULL};
    const struct inetd_word *w = r->words + read->words;
    struct inetd_cut at = *read->cut;
    char *message;

    if (!at.joined || !(r->p->dialect->flags & DIALECT_INDENT_JOINS))
        return;
    for (size_t i = INETD_COLUMNS_MIN; i < read->n; i++) {
        if (!starts_line(r, &w[i]) ||
            (!inetd_starts_any(r, &w[i], hash) &&
             (i + 1 == read->n || !inetd_starts_any(r, &w[i + 1], kinds))))
            continue;
        for (size_t k = at.start; k < w[i].start; k++)
            at.line += r->source->bytes[k] == '\n';
        at.start = w[i].start;
        message = mem_printf("this line is part of the entry '%s' above it", line->entry->name);
        inetd_report(r, &at, "swallowed-line", message);
        free(message);
        return;
    }
}
