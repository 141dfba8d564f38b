#include "batten/shell.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"

#include "shell_priv.h"

void shell_problem(struct reader *r, size_t offset, const char *message)
{
    struct shell *sh = r->sh;

    if (r->dead || sh->nproblems >= SHELL_PROBLEMS_MAX)
        return;
    sh->problems = mem_grow(sh->problems, sh->nproblems, &sh->pcap, sizeof(*sh->problems));
    sh->problems[sh->nproblems++] = (struct shell_problem){offset, message};
}

bool shell_deeper(struct reader *r)
{
    if (r->depth < SHELL_DEPTH_MAX && !r->dead) {
        r->depth++;
        return true;
    }
    shell_problem(r, r->pos, "nested too deeply, the rest is not read");
    r->dead = true;
    r->pos = r->end;
    return false;
}

int shell_new_command(struct reader *r, enum shell_kind kind, int block, size_t start)
{
    struct shell *sh = r->sh;
    struct shell_block *b = &sh->blocks[block];
    int index = (int)sh->ncommands;

    sh->commands = mem_grow(sh->commands, sh->ncommands, &sh->ccap, sizeof(*sh->commands));
    sh->commands[index] = (struct shell_command){
        .kind = kind,
        .start = start,
        .end = start,
        .block = block,
        .prev = b->last,
        .next = SHELL_NO,
        .first_word = SHELL_NO,
        .last_word = SHELL_NO,
        .first_redir = SHELL_NO,
        .last_redir = SHELL_NO,
        .first_block = SHELL_NO,
        .last_block = SHELL_NO,
    };
    sh->ncommands++;
    if (b->last != SHELL_NO)
        sh->commands[b->last].next = index;
    else
        b->first = index;
    b->last = index;
    return index;
}

int shell_new_block(struct reader *r, enum shell_block_kind kind, int parent, size_t start)
{
    struct shell *sh = r->sh;
    int index = (int)sh->nblocks;
    struct shell_command *c;

    sh->blocks = mem_grow(sh->blocks, sh->nblocks, &sh->bcap, sizeof(*sh->blocks));
    sh->blocks[index] = (struct shell_block){
        .kind = kind,
        .start = start,
        .end = start,
        .parent = parent,
        .first = SHELL_NO,
        .last = SHELL_NO,
        .next = SHELL_NO,
        .first_word = SHELL_NO,
        .last_word = SHELL_NO,
        .depth = r->depth,
    };
    sh->nblocks++;
    if (parent == SHELL_NO)
        return index;
    c = &sh->commands[parent];
    if (c->last_block != SHELL_NO)
        sh->blocks[c->last_block].next = index;
    else
        c->first_block = index;
    c->last_block = index;
    return index;
}

int shell_new_word(struct reader *r, size_t start, size_t end)
{
    struct shell *sh = r->sh;

    sh->words = mem_grow(sh->words, sh->nwords, &sh->wcap, sizeof(*sh->words));
    sh->words[sh->nwords] = (struct shell_word){.start = start, .end = end, .next = SHELL_NO};
    return (int)sh->nwords++;
}

static void find_lines(struct shell *sh)
{
    size_t cap = 0, at = 0;

    for (;;) {
        const char *newline;

        sh->lines = mem_grow(sh->lines, sh->nlines, &cap, sizeof(*sh->lines));
        sh->lines[sh->nlines++] = at;
        newline = at < sh->len ? memchr(sh->bytes + at, '\n', sh->len - at) : NULL;
        if (newline == NULL || (size_t)(newline - sh->bytes) + 1 >= sh->len)
            return;
        at = (size_t)(newline - sh->bytes) + 1;
    }
}

struct shell *shell_parse(const char *bytes, size_t len)
{
    struct shell *sh = mem_alloc(sizeof(*sh));
    struct reader r = {.sh = sh, .s = bytes, .end = len};

    sh->bytes = bytes;
    sh->len = len;
    find_lines(sh);
    shell_new_block(&r, SHELL_FILE, SHELL_NO, 0);
    shell_next(&r);
    shell_fill_block(&r, 0);
    if (r.npending > 0)
        shell_problem(&r, sh->redirs[r.pending[0]].start, "here-document without a body");
    sh->blocks[0].end = len;
    free(r.pending);
    return sh;
}

void shell_free(struct shell *sh)
{
    if (sh == NULL)
        return;
    free(sh->commands);
    free(sh->blocks);
    free(sh->words);
    free(sh->redirs);
    free(sh->comments);
    free(sh->problems);
    free(sh->lines);
    free(sh);
}

bool shell_balanced(const struct shell *sh)
{
    return sh->nproblems == 0;
}

unsigned shell_line(const struct shell *sh, size_t offset)
{
    size_t low = 0, high = sh->nlines;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (sh->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (unsigned)low + 1;
}

size_t shell_line_start(const struct shell *sh, unsigned line)
{
    return line == 0 || line > sh->nlines ? sh->len : sh->lines[line - 1];
}

size_t shell_line_end(const struct shell *sh, unsigned line)
{
    return line >= sh->nlines ? sh->len : sh->lines[line];
}

/* The first redirection that starts at or behind OFFSET. */
static size_t redir_from(const struct shell *sh, size_t offset)
{
    size_t low = 0, high = sh->nredirs;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sh->redirs[middle].start < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void shell_lines_of(const struct shell *sh, size_t start, size_t end, unsigned *first,
                    unsigned *last)
{
    size_t far = end > start ? end - 1 : start;

    for (size_t i = redir_from(sh, start); i < sh->nredirs && sh->redirs[i].start < end; i++)
        if (sh->redirs[i].document && sh->redirs[i].doc_end > far)
            far = sh->redirs[i].doc_end - 1;
    *first = shell_line(sh, start);
    *last = shell_line(sh, far);
}

int shell_name_word(const struct shell *sh, int command)
{
    const struct shell_command *c = &sh->commands[command];
    int word = c->kind == SHELL_SIMPLE ? c->first_word : SHELL_NO;

    while (word != SHELL_NO && sh->words[word].assignment)
        word = sh->words[word].next;
    return word;
}

bool shell_word_is(const struct shell *sh, int word, const char *text)
{
    const struct shell_word *w;
    size_t len = strlen(text);

    if (word == SHELL_NO)
        return false;
    w = &sh->words[word];
    return w->end - w->start == len && memcmp(sh->bytes + w->start, text, len) == 0;
}
