#include "inetd.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/text.h"

/* A hostile file could have a commented-out entry begun on every line. */
enum { ATTEMPTS_MAX = 2000 };

/* What one piece of text fed to the lens holds, and what each of its lines was read as. */
struct batch {
    struct buf text;
    struct inetd_reading readings[LENS_LINES];
    size_t n;
};

struct inetd_state *inetd_state(struct parse *p)
{
    if (p->detail == NULL)
        p->detail = mem_alloc(sizeof(struct inetd_state));
    p->starter = &starter_inetd;
    return p->detail;
}

void inetd_free_parse(struct parse *p)
{
    struct inetd_state *state = p->detail;

    if (state == NULL)
        return;
    for (size_t i = 0; i < state->nlines; i++)
        inetd_line_free(state->lines[i]);
    for (size_t i = 0; i < state->nincludes; i++)
        free(state->includes[i].pattern);
    strlist_release(&state->defaults);
    free(state->includes);
    free(state->lines);
    free(state->sources);
    free(state);
    p->detail = NULL;
}

void inetd_paths(const struct parse *p, struct strlist *patterns)
{
    strlist_add(patterns, "etc/inetd.conf");
    if (p->dialect->flags & DIALECT_DIRECTORY)
        strlist_add(patterns, "etc/inetd.d/*");
}

void inetd_set_default(struct parse *p, const char *address)
{
    struct inetd_state *state = inetd_state(p);

    strlist_add(&state->defaults, address);
    state->default_address = state->defaults.v[state->defaults.n - 1];
}

/* netbsd starts each file anew, but for an included one, which inherits; inetutils reads on. */
static void enter_source(struct parse *p, const struct source *source)
{
    struct inetd_state *state = inetd_state(p);

    parse_add_source(p, source);
    state->sources =
        mem_grow(state->sources, state->nsources, &state->capsources, sizeof(*state->sources));
    state->sources[state->nsources++] = source;
    if (!(p->dialect->flags & DIALECT_INCLUDE))
        return;
    state->default_address = NULL;
    for (size_t i = 0; i < state->nincludes; i++)
        if (fnmatch(state->includes[i].pattern, source->path, FNM_PATHNAME) == 0)
            state->default_address = state->includes[i].default_address;
}

void inetd_resume(struct parse *fresh, const struct parse *before, const struct source *source)
{
    const struct inetd_state *from = before->detail;
    struct inetd_state *to = inetd_state(fresh);

    if (from == NULL)
        return;
    for (size_t i = 0; i < from->nlines && from->lines[i]->source != source; i++)
        if (from->lines[i]->kind == INETD_DEFAULT)
            inetd_set_default(fresh, from->lines[i]->address);
    for (size_t i = 0; i < from->nincludes; i++) {
        to->includes =
            mem_grow(to->includes, to->nincludes, &to->capincludes, sizeof(*to->includes));
        to->includes[i].pattern = mem_strdup(from->includes[i].pattern);
        strlist_add(&to->defaults,
                    from->includes[i].default_address ? from->includes[i].default_address : "*");
        to->includes[i].default_address =
            from->includes[i].default_address ? to->defaults.v[to->defaults.n - 1] : NULL;
        to->nincludes++;
    }
}

/* ---- the driver ---- */

static bool worth_reading(struct inetd_reader *r, const struct inetd_cut *cut)
{
    const char *bytes = r->source->bytes + cut->start;
    size_t len = cut->end - cut->start, i = 0;

    if (cut->too_long) {
        inetd_report(r, cut, "line-too-long", "the line is longer than 64 KiB and was not read");
        return false;
    }
    while (i < len && (bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == '\n' || bytes[i] == '\r'))
        i++;
    return i < len;
}

static size_t fill_batch(struct inetd_reader *r, struct batch *b, size_t from)
{
    size_t i = from;

    b->n = 0;
    buf_clear(&b->text);
    for (; i < r->cuts.n && b->n < LENS_LINES && b->text.len < SOURCE_LINE_MAX; i++) {
        if (!worth_reading(r, &r->cuts.v[i]))
            continue;
        b->readings[b->n++] = (struct inetd_reading){.cut = &r->cuts.v[i], .at = b->text.len};
        inetd_flatten(&b->text, r->p->dialect, r->source->bytes, &r->cuts.v[i]);
        buf_addc(&b->text, '\n');
    }
    for (size_t k = 0; k < b->n; k++)
        b->readings[k].flat = b->text.data + b->readings[k].at;
    return i;
}

static void read_source(struct inetd_reader *r)
{
    struct batch *b = mem_alloc(sizeof(*b));

    for (size_t i = 0; i < r->cuts.n;) {
        i = fill_batch(r, b, i);
        r->nwords = 0;
        inetd_read_batch(r, b->text.data, b->text.len, b->readings, b->n);
        for (size_t k = 0; k < b->n && !r->broken; k++)
            if (b->readings[k].cut->start >= r->done)
                inetd_read_line(r, &b->readings[k]);
    }
    buf_release(&b->text);
    free(b);
}

void inetd_parse(struct parse *p, const struct source *source)
{
    struct inetd_reader r = {.p = p, .source = source, .attempts = ATTEMPTS_MAX};
    struct diag d = DIAG_INIT;

    enter_source(p, source);
    r.lens = lens_get_shared(&d);
    if (r.lens == NULL) {
        *problems_new(&p->problems) = d;
        return;
    }
    r.has_nul = memchr(source->bytes, '\0', source->len) != NULL;
    inetd_cut(&r.cuts, p->dialect, source->bytes, source->len);
    if (r.has_nul)
        inetd_report_nul(&r);
    read_source(&r);
    inetd_cuts_release(&r.cuts);
    free(r.words);
}
