/* Any bytes through the shell scanner: it ends, and no row of its result points outside. */
#include "batten/shell.h"

#include <stdint.h>
#include <stdlib.h>

#include "batten/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_commands(const struct shell *sh)
{
    for (size_t i = 0; i < sh->ncommands; i++) {
        const struct shell_command *c = &sh->commands[i];
        unsigned first, last;

        require(c->start <= c->end && c->end <= sh->len);
        require(c->op_start <= c->op_end && c->op_end <= sh->len);
        require(c->block >= 0 && (size_t)c->block < sh->nblocks);
        require(c->next == SHELL_NO || (size_t)c->next > i);
        require(c->prev == SHELL_NO || (size_t)c->prev < i);
        shell_lines_of(sh, c->start, c->end, &first, &last);
        require(first >= 1 && first <= last && last <= sh->nlines);
    }
}

static void check_blocks(const struct shell *sh)
{
    for (size_t i = 0; i < sh->nblocks; i++) {
        const struct shell_block *b = &sh->blocks[i];

        require(b->start <= sh->len && b->end <= sh->len && b->depth <= SHELL_DEPTH_MAX);
        require(i == 0 || (b->parent >= 0 && (size_t)b->parent < sh->ncommands) ||
                !shell_balanced(sh));
    }
    for (size_t i = 0; i < sh->nwords; i++)
        require(sh->words[i].start <= sh->words[i].end && sh->words[i].end <= sh->len);
    for (size_t i = 0; i < sh->nredirs; i++)
        require(sh->redirs[i].doc_start <= sh->redirs[i].doc_end &&
                sh->redirs[i].doc_end <= sh->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct shell *sh = shell_parse((const char *)data, size);
    struct buf out = BUF_INIT;

    check_commands(sh);
    check_blocks(sh);
    shell_expand(&out, (const char *)data, size, NULL, NULL, NULL);
    buf_release(&out);
    shell_free(sh);
    return 0;
}
