/* Compound commands: if, loops, case, functions, brackets, tests. */
#include "shell_priv.h"

#include "batten/mem.h"

/* A block of C up to what closes it, which is not taken. */
static void read_part(struct reader *r, int c, enum shell_block_kind kind)
{
    int block = shell_read_block(r, kind, c, r->sh->commands[c].end);

    r->sh->commands[c].end = r->sh->blocks[block].end;
}

static void read_if(struct reader *r, int c)
{
    shell_take(r, c);
    for (;;) {
        read_part(r, c, SHELL_COND);
        if (!shell_expect(r, c, KEY_THEN, "'if' without 'then'"))
            return;
        read_part(r, c, SHELL_THEN);
        if (!shell_is_keyword(r, KEY_ELIF))
            break;
        shell_take(r, c);
    }
    if (shell_is_keyword(r, KEY_ELSE)) {
        shell_take(r, c);
        read_part(r, c, SHELL_ELSE);
    }
    shell_expect(r, c, KEY_FI, "'if' without 'fi'");
}

static void read_body(struct reader *r, int c)
{
    bool braces = shell_is_keyword(r, KEY_OPEN_BRACE); /* ksh and bash take for x in a; { b; } */

    if (braces)
        shell_take(r, c);
    else if (!shell_expect(r, c, KEY_DO, "loop without 'do'"))
        return;
    read_part(r, c, SHELL_BODY);
    shell_expect(r, c, braces ? KEY_CLOSE_BRACE : KEY_DONE, "loop without 'done'");
}

static void read_loop(struct reader *r, int c)
{
    shell_take(r, c);
    read_part(r, c, SHELL_COND);
    read_body(r, c);
}

/* for ((a; b; c)): behind the brackets, or nothing. */
static bool read_for_arith(struct reader *r, int c)
{
    size_t end;

    if (r->tok.kind != TOKEN_OPEN || r->pos >= r->end || r->s[r->pos] != '(')
        return false;
    end = shell_arith_end(r, r->pos + 1);
    if (end == 0)
        return false;
    r->pos = end;
    r->sh->commands[c].end = end;
    shell_next(r);
    return true;
}

static void read_for(struct reader *r, int c)
{
    shell_take(r, c);
    if (!read_for_arith(r, c)) {
        if (r->tok.kind != TOKEN_WORD) {
            shell_problem(r, r->sh->commands[c].start, "'for' without a name");
            return;
        }
        shell_add_word(r, c);
        shell_skip_newlines(r);
        if (shell_is_keyword(r, KEY_IN)) {
            shell_take(r, c);
            while (r->tok.kind == TOKEN_WORD)
                shell_add_word(r, c);
        }
    }
    if (r->tok.kind == TOKEN_SEMI)
        shell_next(r);
    shell_skip_newlines(r);
    read_body(r, c);
}

/* The patterns of an arm up to and with their ')'. */
static bool read_patterns(struct reader *r, int c, int block)
{
    struct shell_block *b;

    if (r->tok.kind == TOKEN_OPEN)
        shell_take(r, c);
    while (r->tok.kind == TOKEN_WORD || r->tok.kind == TOKEN_PIPE) {
        b = &r->sh->blocks[block]; /* taking a token may move the blocks */
        if (r->tok.kind == TOKEN_WORD)
            shell_take_word(r, c, &b->first_word, &b->last_word);
        shell_take(r, c);
    }
    if (r->tok.kind != TOKEN_CLOSE)
        return false;
    b = &r->sh->blocks[block];
    b->start = b->end = r->tok.end;
    shell_take(r, c);
    return true;
}

static void read_case(struct reader *r, int c)
{
    enum keyword close = KEY_ESAC;

    shell_take(r, c);
    if (r->tok.kind == TOKEN_WORD)
        shell_add_word(r, c);
    shell_skip_newlines(r);
    if (shell_is_keyword(r, KEY_OPEN_BRACE)) { /* ksh takes case x { a) b ;; } */
        close = KEY_CLOSE_BRACE;
        shell_take(r, c);
    } else if (!shell_expect(r, c, KEY_IN, "'case' without 'in'")) {
        return;
    }
    shell_skip_newlines(r);
    while (!shell_is_keyword(r, close)) {
        int block;

        if (r->tok.kind != TOKEN_WORD && r->tok.kind != TOKEN_OPEN)
            break;
        block = shell_new_block(r, SHELL_ARM, c, r->tok.start);
        if (!read_patterns(r, c, block)) {
            shell_problem(r, r->tok.start, "pattern of a 'case' without ')'");
            return;
        }
        shell_fill_block(r, block);
        r->sh->commands[c].end = r->sh->blocks[block].end;
        if (r->tok.kind != TOKEN_DSEMI)
            break;
        shell_take(r, c);
        shell_skip_newlines(r);
    }
    shell_expect(r, c, close, "'case' without 'esac'");
}

static void read_brackets(struct reader *r, int c, enum token_kind close)
{
    shell_take(r, c);
    read_part(r, c, SHELL_LIST);
    if (close == TOKEN_CLOSE && r->tok.kind == TOKEN_CLOSE)
        shell_take(r, c);
    else if (close == TOKEN_CLOSE)
        shell_problem(r, r->sh->commands[c].start, "'(' without ')'");
    else
        shell_expect(r, c, KEY_CLOSE_BRACE, "'{' without '}'");
}

/* The body of function C: one command, with what follows on it. */
void shell_read_function_body(struct reader *r, int c)
{
    int block;

    shell_skip_newlines(r);
    block = shell_new_block(r, SHELL_FUNCTION_BODY, c, r->tok.start);
    if (shell_is_closer(r) || !shell_deeper(r)) {
        shell_problem(r, r->sh->commands[c].start, "function without a body");
        return;
    }
    shell_read_command(r, block);
    r->depth--;
    if (r->sh->blocks[block].last != SHELL_NO)
        r->sh->blocks[block].end = r->sh->commands[r->sh->blocks[block].last].end;
    r->sh->commands[c].end = r->sh->blocks[block].end;
}

static void read_function(struct reader *r, int c)
{
    shell_take(r, c);
    if (r->tok.kind == TOKEN_WORD)
        shell_add_word(r, c);
    if (r->tok.kind == TOKEN_OPEN) {
        shell_take(r, c);
        if (r->tok.kind == TOKEN_CLOSE)
            shell_take(r, c);
    }
    shell_read_function_body(r, c);
}

/* ( ... ) or, where it can be read so, (( ... )). */
static void read_paren(struct reader *r, int c)
{
    bool doubled = r->pos < r->end && r->s[r->pos] == '(';
    size_t end = doubled ? shell_arith_end(r, r->pos + 1) : 0;

    /* a list of commands in two subshells is told from arithmetic by its separators */
    if (end != 0 && memchr(r->s + r->pos, '\n', end - r->pos) == NULL &&
        memchr(r->s + r->pos, ';', end - r->pos) == NULL) {
        r->sh->commands[c].kind = SHELL_ARITH;
        r->sh->commands[c].end = end;
        r->pos = end;
        shell_next(r);
        return;
    }
    r->sh->commands[c].kind = SHELL_PAREN;
    read_brackets(r, c, TOKEN_CLOSE);
}

static void read_group(struct reader *r, int c)
{
    read_brackets(r, c, TOKEN_WORD);
}

/* [[ ... ]]: brackets and operators in it are its own. */
static void read_test(struct reader *r, int c)
{
    while (r->pos < r->end) {
        while (r->pos < r->end && shell_in_set(r->s[r->pos], " \t\n;&|<>()"))
            r->pos++;
        shell_read_word(r);
        if (r->tok.end == r->tok.start)
            break;
        if (shell_is_keyword(r, KEY_CLOSE_TEST)) {
            shell_take(r, c);
            return;
        }
        shell_take_word(r, c, &r->sh->commands[c].first_word, &r->sh->commands[c].last_word);
    }
    shell_problem(r, r->sh->commands[c].start, "'[[' without ']]'");
    shell_next(r);
}

static const struct {
    enum shell_kind kind;
    void (*read)(struct reader *r, int c);
} compounds[KEYWORDS] = {
    [KEY_IF] = {SHELL_IF,       read_if      },
    [KEY_WHILE] = {SHELL_LOOP,     read_loop    },
    [KEY_UNTIL] = {SHELL_LOOP,     read_loop    },
    [KEY_FOR] = {SHELL_FOR,      read_for     },
    [KEY_SELECT] = {SHELL_FOR,      read_for     },
    [KEY_CASE] = {SHELL_CASE,     read_case    },
    [KEY_FUNCTION] = {SHELL_FUNCTION, read_function},
    [KEY_OPEN_BRACE] = {SHELL_BRACE,    read_group   },
    [KEY_OPEN_TEST] = {SHELL_TEST,     read_test    },
};

bool shell_read_compound(struct reader *r, int c)
{
    enum keyword keyword = r->tok.keyword;

    if (compounds[keyword].read != NULL) {
        r->sh->commands[c].kind = compounds[keyword].kind;
        compounds[keyword].read(r, c);
        return true;
    }
    if (r->tok.kind != TOKEN_OPEN)
        return false;
    read_paren(r, c);
    return true;
}
