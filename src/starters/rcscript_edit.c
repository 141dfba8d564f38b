/* The bytes of an edit: comment, colon, word, inline. */
#include "rcscript.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/source.h"

#define EDIT_LENS "Batten_Rc.lns"

static const char *const kind_names[] = {"", "comment", "colon", "word", "inline"};

struct editor {
    const struct rc_script *s;
    const struct shell *sh;
    const struct entry *e;
    struct rc_start *start;
    struct edits *edits;
    struct diag *d;
    size_t from, to; /* the physical lines of the edit */
    struct buf after;
};

/* ---- what earlier edits of the run took out ---- */

static bool in_effect(const struct edits *edits, const struct rc_start *start)
{
    if (start->kind == RC_NONE)
        return false;
    for (size_t i = 0; i < edits->n; i++)
        if (edits->v[i].entry == start->owner)
            return true;
    return false;
}

/* The start behind entry I of the script's parse, when an edit in the list takes it out. */
static struct rc_start *planned(const struct editor *ed, size_t i)
{
    const struct entry *e = ed->s->p->entries.v[i];
    struct rc_start *start;

    if (e->source != ed->s->source || e == ed->e || e->detail == NULL)
        return NULL;
    start = rc_start_of(e);
    return in_effect(ed->edits, start) ? start : NULL;
}

static void mark_commands(const struct editor *ed)
{
    const struct shell *sh = ed->sh;

    memset(ed->s->marks, RC_ALIVE, sh->ncommands);
    for (size_t i = 0; i < ed->s->p->entries.n; i++) {
        const struct rc_start *other = planned(ed, i);
        unsigned char mark;

        if (other == NULL || other->kind == RC_WORD)
            continue;
        mark = other->kind == RC_COMMENT ? RC_GONE : RC_NULLED;
        for (int c = other->first; c != SHELL_NO; c = sh->commands[c].next) {
            ed->s->marks[c] = mark;
            if (c == other->last)
                break;
        }
    }
}

/* ---- lines ---- */

static bool is_blank_range(const struct shell *sh, size_t from, size_t to)
{
    for (; from < to; from++)
        if (sh->bytes[from] != ' ' && sh->bytes[from] != '\t')
            return false;
    return true;
}

/* The line before LINE ends in a backslash that joins LINE to it. */
static bool is_continued(const struct shell *sh, unsigned line)
{
    size_t end = shell_line_start(sh, line), n = 0;

    if (line < 2)
        return false;
    end--;
    while (end > n && sh->bytes[end - 1 - n] == '\\')
        n++;
    return n % 2 == 1;
}

/* Where the commands of the region end, what separates them from the next ones included. */
static size_t region_end(const struct shell *sh, int last)
{
    const struct shell_command *c = &sh->commands[last];

    return c->op == SHELL_SEMI || c->op == SHELL_AMP ? c->op_end : c->end;
}

/* Behind the blanks, and the newlines that a backslash takes away, from AT on. */
static size_t skip_blanks(const struct shell *sh, size_t at)
{
    while (at < sh->len) {
        if (sh->bytes[at] == ' ' || sh->bytes[at] == '\t')
            at++;
        else if (sh->bytes[at] == '\\' && at + 1 < sh->len && sh->bytes[at + 1] == '\n')
            at += 2;
        else
            break;
    }
    return at;
}

/* Whether commands FIRST to LAST have their physical lines to themselves. *END then is where the
 * last line's text ends. */
static bool owns_lines(const struct shell *sh, int first, int last, size_t *end)
{
    size_t start = sh->commands[first].start;
    unsigned line = shell_line(sh, start);
    size_t rest = skip_blanks(sh, region_end(sh, last));

    if (!is_blank_range(sh, shell_line_start(sh, line), start) || is_continued(sh, line))
        return false;
    if (rest < sh->len && sh->bytes[rest] != '\n' && sh->bytes[rest] != '#')
        return false;
    *end = rest;
    return true;
}

/* Whether anything of BLOCK is left once FIRST to LAST are gone. */
static bool leaves_empty(const struct editor *ed, int first, int last)
{
    const struct shell_block *b = &ed->sh->blocks[ed->sh->commands[first].block];
    bool inside = false;

    if (b->kind == SHELL_FILE)
        return false;
    for (int c = b->first; c != SHELL_NO; c = ed->sh->commands[c].next) {
        inside = inside || c == first;
        if (!inside && ed->s->marks[c] != RC_GONE)
            return false;
        if (c == last)
            inside = false;
    }
    return true;
}

/* Put a '#' before the first non-blank of every line of [FROM, TO) that has none. */
static int comment_lines(struct editor *ed, const char *bytes, size_t len)
{
    struct lens *lens = lens_get_shared(ed->d);
    size_t n;

    if (lens == NULL || lens_store(lens, EDIT_LENS, bytes, len, ed->d) != 0)
        return -1;
    n = lens_match(lens, "code[count(disabled) = 0]");
    for (size_t i = 0; i < n; i++)
        if (lens_insert(lens, "code[count(disabled) = 0][1]/text", "disabled", true, ed->d) != 0)
            return -1;
    return lens_retrieve(lens, EDIT_LENS, &ed->after, ed->d);
}

/* The same in pieces that the lens reads quickly. */
static int comment_range(struct editor *ed)
{
    size_t at = ed->from;

    while (at < ed->to) {
        unsigned line = shell_line(ed->sh, at);
        size_t end = at;

        for (unsigned n = 0; n < LENS_LINES && end < ed->to; n++)
            end = shell_line_end(ed->sh, line + n);
        if (comment_lines(ed, ed->sh->bytes + at, end - at) != 0)
            return -1;
        at = end;
    }
    return 0;
}

static void add_colon(struct editor *ed)
{
    const char *line = ed->sh->bytes + ed->from;
    size_t indent = 0;

    while (line[indent] == ' ' || line[indent] == '\t')
        indent++;
    buf_add(&ed->after, line, indent);
    buf_adds(&ed->after, ":\n");
}

/* ---- edits that share lines ---- */

/* A range of bytes and what takes its place. */
struct cut {
    size_t start, end;
    const char *text;
};

static int by_cut(const void *a, const void *b)
{
    const struct cut *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->end > y->end ? -1 : x->end < y->end; /* the larger first */
}

static const char *text_of(const struct rc_start *start)
{
    return start->kind == RC_WORD ? "" : ":";
}

/* The list's edit that overlaps the lines [ed->from, ed->to), or NULL. Grows the range to its. */
static struct edit *shared_edit(struct editor *ed)
{
    for (size_t i = 0; i < ed->edits->n; i++) {
        struct edit *edit = &ed->edits->v[i];

        if (edit->source != ed->s->source || edit->start >= ed->to || edit->end <= ed->from)
            continue;
        ed->from = edit->start < ed->from ? edit->start : ed->from;
        ed->to = edit->end > ed->to ? edit->end : ed->to;
        return edit;
    }
    return NULL;
}

/* Splice the cut of the start, and those of all that share its edit, into its lines. */
static void splice_cuts(struct editor *ed, const struct edit *shared)
{
    struct cut *cuts = mem_array(ed->s->p->entries.n + 1, sizeof(*cuts));
    size_t n = 0, at = ed->from;

    cuts[n++] = (struct cut){ed->start->cut_start, ed->start->cut_end, text_of(ed->start)};
    for (size_t i = 0; shared != NULL && i < ed->s->p->entries.n; i++) {
        const struct rc_start *other = planned(ed, i);

        if (other != NULL && other->owner == shared->entry)
            cuts[n++] = (struct cut){other->cut_start, other->cut_end, text_of(other)};
    }
    qsort(cuts, n, sizeof(*cuts), by_cut);
    for (size_t i = 0; i < n; i++) {
        if (cuts[i].start < at)
            continue; /* inside one that takes more */
        buf_add(&ed->after, ed->sh->bytes + at, cuts[i].start - at);
        buf_adds(&ed->after, cuts[i].text);
        at = cuts[i].end;
    }
    buf_add(&ed->after, ed->sh->bytes + at, ed->to - at);
    free(cuts);
}

static void put_edit(struct editor *ed, struct edit *shared)
{
    struct edit *edit = shared;

    if (edit == NULL) {
        edit = edits_new(ed->edits, ed->s->source, ed->from, ed->to);
        edit->entry = ed->e;
    } else {
        free(edit->before);
        edit->start = ed->from;
        edit->end = ed->to;
        edit->before = mem_strndup(ed->sh->bytes + ed->from, ed->to - ed->from);
        edit->before_len = ed->to - ed->from;
        free(edit->after);
    }
    edit->line = shell_line(ed->sh, ed->from);
    edit->last_line = shell_line(ed->sh, ed->to - 1);
    edit->kind = kind_names[ed->start->kind];
    edit->after_len = ed->after.len;
    edit->after = buf_steal(&ed->after);
    ed->start->owner = edit->entry;
}

/* ---- the four kinds ---- */

static int refuse(struct editor *ed, const char *reason)
{
    diag_set(ed->d, STATUS_ATTENTION, "locked", "cannot comment out '%s': %s", ed->e->name, reason);
    diag_at(ed->d, ed->s->source->path, ed->e->line, ed->e->column);
    return -1;
}

static int make_whole(struct editor *ed, const struct rc_region *region)
{
    bool empty = leaves_empty(ed, region->first, region->last) ||
                 (region->left && !rc_succeeds_before(ed->s, region->first));
    struct edit *shared = shared_edit(ed);

    if (comment_range(ed) != 0)
        return -1;
    if (empty && ed->after.len > 0 && ed->after.data[ed->after.len - 1] != '\n')
        return refuse(ed, "it is the last line, and has no end");
    if (empty)
        add_colon(ed);
    ed->start->kind = empty ? RC_COLON : RC_COMMENT;
    put_edit(ed, shared);
    return 0;
}

/* A here-document that begins before START has its text in between. */
static bool holds_document(const struct shell *sh, size_t start, size_t end)
{
    for (size_t i = 0; i < sh->nredirs && sh->redirs[i].start < start; i++)
        if (sh->redirs[i].document && sh->redirs[i].doc_start > start &&
            sh->redirs[i].doc_start < end)
            return true;
    return false;
}

static int make_inline(struct editor *ed, const struct rc_region *region)
{
    const struct shell_command *first = &ed->sh->commands[region->first];
    const struct shell_command *last = &ed->sh->commands[region->last];
    struct edit *shared;

    if (holds_document(ed->sh, first->start, last->end))
        return refuse(ed, "another command's here-document stands within it");
    if (ed->to > shell_line_end(ed->sh, shell_line(ed->sh, region_end(ed->sh, region->last) - 1)))
        return refuse(ed, "its here-document begins on a line that it shares");
    ed->start->kind = RC_INLINE;
    ed->start->cut_start = first->start;
    ed->start->cut_end = last->end;
    shared = shared_edit(ed);
    splice_cuts(ed, shared);
    put_edit(ed, shared);
    return 0;
}

static int make_word(struct editor *ed)
{
    struct rc_start *start = ed->start;
    struct edit *shared;

    start->kind = RC_WORD;
    start->cut_start = start->word_start;
    start->cut_end = start->word_end;
    while (start->cut_start > 0 && (ed->sh->bytes[start->cut_start - 1] == ' ' ||
                                    ed->sh->bytes[start->cut_start - 1] == '\t'))
        start->cut_start--;
    ed->from = shell_line_start(ed->sh, shell_line(ed->sh, start->word_start));
    ed->to = shell_line_end(ed->sh, shell_line(ed->sh, start->word_end - 1));
    shared = shared_edit(ed);
    splice_cuts(ed, shared);
    put_edit(ed, shared);
    return 0;
}

/* How many other words of the same list are planned to go. */
static size_t words_gone(const struct editor *ed)
{
    size_t n = 0;

    for (size_t i = 0; i < ed->s->p->entries.n; i++) {
        const struct rc_start *other = planned(ed, i);

        n += other != NULL && other->kind == RC_WORD && other->command == ed->start->command;
    }
    return n;
}

static int make_edit(struct editor *ed)
{
    struct rc_region region = {0};
    unsigned first, last;
    bool whole = false;
    size_t end;

    if (ed->start->list && words_gone(ed) + 1 < ed->start->nlist)
        return make_word(ed);
    /* an echo that shares a line with something else stays where the start alone has its own */
    for (int echoes = 1; echoes >= 0 && !whole; echoes--) {
        rc_region_find(ed->e, echoes == 1, &region);
        if (region.refused != NULL)
            return refuse(ed, region.refused);
        end = region_end(ed->sh, region.last);
        whole = owns_lines(ed->sh, region.first, region.last, &end);
        if (shell_line(ed->sh, ed->sh->commands[region.first].start) ==
            shell_line(ed->sh, ed->sh->commands[region.last].end))
            break;
    }
    ed->start->first = region.first;
    ed->start->last = region.last;
    shell_lines_of(ed->sh, ed->sh->commands[region.first].start, end, &first, &last);
    ed->from = shell_line_start(ed->sh, first);
    ed->to = shell_line_end(ed->sh, last);
    return whole ? make_whole(ed, &region) : make_inline(ed, &region);
}

int rcscript_disable(const struct parse *p, const struct entry *e, struct edits *edits,
                     struct diag *d)
{
    struct rc_start *start = rc_start_of(e);
    struct editor ed = {.s = start->script, .e = e, .start = start, .edits = edits, .d = d};
    int rc;

    (void)p;
    ed.sh = ed.s->sh;
    if (e->locked != NULL)
        return refuse(&ed, e->locked);
    if (!e->enabled) {
        diag_set(d, STATUS_ATTENTION, "disabled", "'%s' is commented out already", e->name);
        diag_at(d, e->source->path, e->line, e->column);
        return -1;
    }
    start->kind = RC_NONE;
    mark_commands(&ed);
    rc = make_edit(&ed);
    memset(ed.s->marks, RC_ALIVE, ed.sh->ncommands);
    if (rc != 0)
        start->kind = RC_NONE;
    buf_release(&ed.after);
    return rc;
}
