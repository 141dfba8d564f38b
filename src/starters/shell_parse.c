/* The grammar: from tokens to commands and blocks. */
#include "shell_priv.h"

#include "batten/mem.h"

bool shell_is_closer(const struct reader *r)
{
    return r->tok.kind == TOKEN_EOF || r->tok.kind == TOKEN_CLOSE || r->tok.kind == TOKEN_DSEMI ||
           (r->tok.keyword != KEY_NONE && r->tok.keyword <= KEY_LAST_CLOSER);
}

void shell_skip_newlines(struct reader *r)
{
    while (r->tok.kind == TOKEN_NEWLINE)
        shell_next(r);
}

void shell_take(struct reader *r, int c)
{
    r->sh->commands[c].end = r->tok.end;
    shell_next(r);
}

bool shell_expect(struct reader *r, int c, enum keyword keyword, const char *message)
{
    if (shell_is_keyword(r, keyword)) {
        shell_take(r, c);
        return true;
    }
    shell_problem(r, r->sh->commands[c].start, message);
    return false;
}

static void adopt_blocks(struct reader *r, int c)
{
    struct shell *sh = r->sh;
    struct shell_command *command = &sh->commands[c];

    for (size_t i = r->tok.blocks_from; i < r->tok.blocks_to; i++) {
        if (sh->blocks[i].parent != SHELL_NO)
            continue;
        sh->blocks[i].parent = c;
        if (command->last_block != SHELL_NO)
            sh->blocks[command->last_block].next = (int)i;
        else
            command->first_block = (int)i;
        command->last_block = (int)i;
    }
}

/* The word that is the token, into the list (*FIRST, *LAST) of command C. */
int shell_take_word(struct reader *r, int c, int *first, int *last)
{
    int word = shell_new_word(r, r->tok.start, r->tok.end);

    if (*last != SHELL_NO)
        r->sh->words[*last].next = word;
    else
        *first = word;
    *last = word;
    adopt_blocks(r, c);
    return word;
}

int shell_add_word(struct reader *r, int c)
{
    struct shell_command *command = &r->sh->commands[c];
    int word = shell_take_word(r, c, &command->first_word, &command->last_word);

    shell_take(r, c);
    return word;
}

/* Joining two lines quotes nothing. */
static bool has_quote(const struct reader *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (r->s[i] == '"' || r->s[i] == '\'' ||
            (r->s[i] == '\\' && (i + 1 >= to || r->s[i + 1] != '\n')))
            return true;
    return false;
}

static void link_redir(struct shell *sh, int c, int redir)
{
    struct shell_command *command = &sh->commands[c];

    if (command->last_redir != SHELL_NO)
        sh->redirs[command->last_redir].next = redir;
    else
        command->first_redir = redir;
    command->last_redir = redir;
}

static void read_redir(struct reader *r, int c)
{
    struct shell *sh = r->sh;
    struct token op = r->tok;
    int index = (int)sh->nredirs;
    bool document;
    size_t i = op.start;
    struct shell_redir *redir;

    while (r->s[i] != '<' && r->s[i] != '>')
        i++;
    document = op.end - i >= 2 && memcmp(r->s + i, "<<", 2) == 0 &&
               (op.end - i == 2 || r->s[i + 2] == '-');
    sh->redirs = mem_grow(sh->redirs, sh->nredirs, &sh->rcap, sizeof(*sh->redirs));
    sh->redirs[sh->nredirs++] = (struct shell_redir){
        .start = op.start, .end = op.end, .op = r->s[i], .target = op.end, .next = SHELL_NO};
    link_redir(sh, c, index);
    shell_take(r, c);
    if (r->tok.kind != TOKEN_WORD) {
        shell_problem(r, op.start, "redirection without a target");
        return;
    }
    redir = &sh->redirs[index];
    redir->target = r->tok.start;
    redir->end = r->tok.end;
    if (document) {
        redir->document = true;
        redir->tabs = op.end - i == 3;
        redir->quoted = has_quote(r, r->tok.start, r->tok.end);
        /* before the next token is read: it may be the newline its body follows */
        r->pending = mem_grow(r->pending, r->npending, &r->pending_cap, sizeof(*r->pending));
        r->pending[r->npending++] = index;
    }
    adopt_blocks(r, c);
    shell_take(r, c);
}

static bool is_assignment(const struct reader *r, size_t start, size_t end)
{
    size_t i = start;

    while (i < end && shell_in_name(r->s[i]))
        i++;
    if (i == start || (r->s[start] >= '0' && r->s[start] <= '9'))
        return false;
    return i < end && (r->s[i] == '=' || (i + 1 < end && r->s[i] == '+' && r->s[i + 1] == '='));
}

static void read_simple(struct reader *r, int c)
{
    bool named = false, first = true;

    for (;; first = false) {
        if (r->tok.kind == TOKEN_REDIR) {
            read_redir(r, c);
        } else if (r->tok.kind == TOKEN_WORD) {
            bool assignment = !named && is_assignment(r, r->tok.start, r->tok.end);
            bool plain = first && !r->tok.quoted && !assignment;
            int word = shell_add_word(r, c);

            r->sh->words[word].assignment = assignment;
            named = named || !assignment;
            if (!plain || r->tok.kind != TOKEN_OPEN)
                continue;
            shell_take(r, c);
            if (r->tok.kind == TOKEN_CLOSE)
                shell_take(r, c);
            else
                shell_problem(r, r->tok.start, "unexpected '('");
            r->sh->commands[c].kind = SHELL_FUNCTION;
            shell_read_function_body(r, c);
            return;
        } else if (r->tok.kind == TOKEN_OPEN) {
            shell_problem(r, r->tok.start, "unexpected '('");
            shell_take(r, c);
        } else {
            return;
        }
    }
}

void shell_read_command(struct reader *r, int block)
{
    int c = shell_new_command(r, SHELL_SIMPLE, block, r->tok.start);

    if (shell_read_compound(r, c)) {
        while (r->tok.kind == TOKEN_REDIR)
            read_redir(r, c);
    } else {
        read_simple(r, c);
    }
}

/* What follows command C; newlines are allowed behind && || and |. */
static void read_operator(struct reader *r, int c)
{
    static const struct {
        enum token_kind token;
        enum shell_op op;
    } ops[] = {
        {TOKEN_NEWLINE, SHELL_NEWLINE},
        {TOKEN_SEMI,    SHELL_SEMI   },
        {TOKEN_AMP,     SHELL_AMP    },
        {TOKEN_AND,     SHELL_AND    },
        {TOKEN_OR,      SHELL_OR     },
        {TOKEN_PIPE,    SHELL_PIPE   },
    };
    struct shell_command *command = &r->sh->commands[c];

    command->op = SHELL_END;
    command->op_start = command->op_end = r->tok.start;
    if (shell_is_closer(r))
        return;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (r->tok.kind != ops[i].token)
            continue;
        command->op = ops[i].op;
        command->op_end = r->tok.end;
        shell_next(r);
        if (ops[i].op >= SHELL_AND)
            shell_skip_newlines(r);
        return;
    }
    /* a word right behind a compound command */
    shell_problem(r, r->tok.start, "a separator is missing");
    command->op = SHELL_NEWLINE;
    command->op_end = command->op_start;
}

/* A token that begins no command: said, stepped over. */
static void skip_stray(struct reader *r)
{
    shell_problem(r, r->tok.start,
                  r->tok.kind == TOKEN_WORD ? "a keyword that closes nothing"
                                            : "an operator without a command");
    shell_next(r);
}

static bool begins_command(const struct reader *r)
{
    return r->tok.kind == TOKEN_WORD || r->tok.kind == TOKEN_OPEN || r->tok.kind == TOKEN_REDIR;
}

void shell_fill_block(struct reader *r, int block)
{
    enum shell_block_kind kind = r->sh->blocks[block].kind;

    if (!shell_deeper(r)) {
        shell_next(r);
        return;
    }
    for (;;) {
        bool negated = false;

        while (shell_is_keyword(r, KEY_NOT)) {
            negated = true;
            shell_next(r);
        }
        if (r->tok.kind == TOKEN_NEWLINE) {
            shell_next(r);
        } else if (shell_is_closer(r)) {
            if (kind != SHELL_FILE || r->tok.kind == TOKEN_EOF)
                break;
            skip_stray(r);
        } else if (!begins_command(r)) {
            skip_stray(r);
        } else {
            shell_read_command(r, block);
            r->sh->commands[r->sh->blocks[block].last].negated = negated;
            read_operator(r, r->sh->blocks[block].last);
        }
    }
    r->depth--;
    r->sh->blocks[block].end = r->tok.start;
}

int shell_read_block(struct reader *r, enum shell_block_kind kind, int parent, size_t start)
{
    int block = shell_new_block(r, kind, parent, start);

    shell_fill_block(r, block);
    return block;
}

void shell_read_subst(struct reader *r)
{
    size_t from = r->pos, base = r->pending_base;
    int block;

    if (!shell_deeper(r))
        return;
    r->substs++;
    r->pending_base = r->npending;
    shell_next(r);
    block = shell_read_block(r, SHELL_SUBST, SHELL_NO, from);
    r->substs--;
    r->depth--;
    /* one whose body would follow the bracket is empty in dash and ash */
    r->npending = r->pending_base;
    r->pending_base = base;
    if (r->tok.kind != TOKEN_CLOSE) {
        shell_problem(r, from, "'$(' without ')'");
        return;
    }
    r->pos = r->sh->blocks[block].end = r->tok.end;
    r->sh->blocks[block].end--;
}

void shell_read_backquote(struct reader *r, size_t close)
{
    size_t from = r->pos, end = r->end, base = r->pending_base;

    if (!shell_deeper(r))
        return;
    r->end = close;
    r->pending_base = r->npending;
    shell_next(r);
    shell_read_block(r, SHELL_SUBST, SHELL_NO, from);
    r->depth--;
    if (r->tok.kind != TOKEN_EOF)
        shell_problem(r, r->tok.start, "backquoted commands are not balanced");
    r->npending = r->pending_base;
    r->pending_base = base;
    r->end = end;
    r->pos = r->dead ? end : close + 1;
}
