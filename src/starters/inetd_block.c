#include "inetd.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"

/* The most physical lines that a commented-out entry is looked for on. */
enum { BLOCK_LINES_MAX = 8, KEYED_LINES_MAX = 64 };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool inetd_starts_any(const struct inetd_reader *r, const struct inetd_word *word,
                      const char *const *prefixes)
{
    const char *bytes = r->source->bytes + word->start;

    for (; *prefixes != NULL; prefixes++)
        if (word->len >= strlen(*prefixes) && memcmp(bytes, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

/* Prose seldom has a protocol, a wait word and a server in the right columns. */
bool inetd_looks_disabled(const struct inetd_reader *r, const struct inetd_reading *read)
{
    static const char *const protos[] = {"tcp", "udp", "rpc/", "unix", "sctp", "icmp", NULL};
    static const char *const waits[] = {"wait", "nowait", "swait", NULL};
    static const char *const servers[] = {"/", "?", "internal", NULL};
    static const char *const templates[] = {"<", NULL};
    const struct inetd_word *w = r->words + read->words;

    if (read->n < INETD_COLUMNS_MIN || inetd_starts_any(r, &w[0], templates))
        return false;
    if (read->n == INETD_COLUMNS_MIN && !inetd_starts_any(r, &w[4], servers))
        return false;
    return inetd_starts_any(r, &w[2], protos) && inetd_starts_any(r, &w[3], waits);
}

/* Prose below half an entry is no program. */
static bool has_server(const struct inetd_reader *r, const struct inetd_reading *read)
{
    static const char *const servers[] = {"/", "?", "internal", NULL};
    const struct inetd_word *w = r->words + read->words;

    return inetd_starts_any(r, &w[4], servers) ||
           (read->n > INETD_COLUMNS_MIN && inetd_starts_any(r, &w[5], servers));
}

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
        if (read.label == LABEL_ENTRY && inetd_looks_disabled(r, &read) && has_server(r, &read)) {
            inetd_add_entry(r, &read, false);
            found = true;
        } else if (read.label == LABEL_KEYED) {
            found = inetd_read_keyed(r, &read, false);
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
    found = read.label == LABEL_DISABLED && inetd_looks_disabled(r, &read);
    r->nwords = read.words;
    buf_release(&flat);
    return found;
}

static bool has_semicolon(const struct inetd_reader *r, size_t i)
{
    const struct inetd_cut *cut = &r->cuts.v[i];

    return memchr(r->source->bytes + cut->start, ';', cut->end - cut->start) != NULL;
}

void inetd_read_block(struct inetd_reader *r, const struct inetd_reading *read, bool keyed)
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
