/* Tokens: words, operators, redirections, and the here-documents behind a newline. */
#include "shell_priv.h"

#include <string.h>

#include "batten/mem.h"

static int at(const struct reader *r, size_t offset)
{
    return r->pos + offset < r->end ? (unsigned char)r->s[r->pos + offset] : -1;
}

static bool is_continuation(const struct reader *r)
{
    return at(r, 0) == '\\' && at(r, 1) == '\n';
}

static void skip_blanks(struct reader *r)
{
    struct shell *sh = r->sh;
    size_t start;

    for (;;) {
        if (at(r, 0) == ' ' || at(r, 0) == '\t')
            r->pos++;
        else if (is_continuation(r))
            r->pos += 2;
        else
            break;
    }
    if (at(r, 0) != '#')
        return;
    start = r->pos;
    while (r->pos < r->end && r->s[r->pos] != '\n')
        r->pos++;
    sh->comments = mem_grow(sh->comments, sh->ncomments, &sh->hcap, sizeof(*sh->comments));
    sh->comments[sh->ncomments++] = (struct shell_comment){start, r->pos};
}

/* Whether the line that ends at END (its newline) is joined to the next by a backslash. */
static bool is_joined(const struct reader *r, size_t start, size_t end)
{
    size_t backslashes = 0;

    while (end > start && r->s[end - 1] == '\\') {
        backslashes++;
        end--;
    }
    return backslashes % 2 == 1;
}

/* Where the delimiter, as it was written less its quotes, ends when it is all of the line [START,
 * END); 0 when it is not. In $( ) ksh and bash also let the closing bracket follow it. */
static size_t delimiter_end(const struct reader *r, const struct shell_redir *d, size_t start,
                            size_t end)
{
    size_t i = d->target;

    while (d->tabs && start < end && r->s[start] == '\t')
        start++;
    for (; i < d->end; i++) {
        char c = r->s[i];

        if (c == '"' || c == '\'')
            continue;
        if (c == '\\' && i + 1 < d->end)
            c = r->s[++i];
        if (start >= end || r->s[start] != c)
            return 0;
        start++;
    }
    return start == end || (r->substs > 0 && r->s[start] == ')') ? start : 0;
}

/* One here-document from r->pos on; r->pos ends up behind its delimiter's line. */
static void read_document(struct reader *r, struct shell_redir *d)
{
    bool joined = false;

    d->doc_start = r->pos;
    while (r->pos < r->end) {
        size_t start = r->pos;
        const char *newline = memchr(r->s + start, '\n', r->end - start);
        size_t end = newline ? (size_t)(newline - r->s) : r->end;
        size_t found = joined ? 0 : delimiter_end(r, d, start, end);

        r->pos = newline && (found == 0 || found == end) ? end + 1 : found > 0 ? found : end;
        d->doc_end = r->pos;
        if (found > 0)
            return;
        joined = !d->quoted && is_joined(r, start, end);
    }
    d->doc_end = r->pos;
    shell_problem(r, d->start, "here-document without its end");
}

static void take_newline(struct reader *r)
{
    r->pos++;
    for (size_t i = r->pending_base; i < r->npending; i++)
        read_document(r, &r->sh->redirs[r->pending[i]]);
    r->npending = r->pending_base;
}

static bool is_word_end(int c)
{
    return c == -1 || shell_in_set(c, " \t\n;&|<>()");
}

/* NAME= or NAME+= from START to here: a '(' now begins the list of an array. */
static bool is_array_start(const struct reader *r, size_t start)
{
    size_t i = start, end = r->pos;

    if (end <= start + 1 || r->s[end - 1] != '=')
        return false;
    end -= r->s[end - 2] == '+' ? 2 : 1;
    for (; i < end; i++)
        if (!shell_in_set(r->s[i],
                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789[]"))
            return false;
    return end > start;
}

static bool is_extended_glob(const struct reader *r, size_t start)
{
    return r->pos > start && at(r, 0) == '(' && shell_in_set(r->s[r->pos - 1], "@?*+");
}

void shell_read_word(struct reader *r)
{
    size_t start = r->pos;
    struct token *t = &r->tok;
    size_t blocks_from = r->sh->nblocks;
    bool quoted = false;

    while (r->pos < r->end) {
        if (is_continuation(r)) {
            r->pos += 2;
        } else if ((at(r, 0) == '<' || at(r, 0) == '>') && at(r, 1) == '(') {
            quoted = true;
            r->pos += 2;
            shell_read_subst(r);
        } else if (at(r, 0) == '(' && (is_array_start(r, start) || is_extended_glob(r, start))) {
            quoted = true;
            r->pos++;
            shell_skip_parens(r);
        } else if (is_word_end(at(r, 0))) {
            break;
        } else if (shell_skip_part(r)) {
            quoted = true;
        } else {
            r->pos++;
        }
    }
    *t = (struct token){TOKEN_WORD, start, r->pos, quoted, blocks_from, r->sh->nblocks};
}

enum { NOT_HERE = -1 };

/* How many bytes of descriptor stand here before the operator of a redirection, or NOT_HERE. */
static int redir_operator(const struct reader *r)
{
    size_t i = 0;

    while (i < 9 && at(r, i) >= '0' && at(r, i) <= '9')
        i++;
    if (at(r, i) != '<' && at(r, i) != '>') {
        /* &> is one operator in bash and two in dash; both take what stands here */
        return at(r, 0) == '&' && at(r, 1) == '>' ? 1 : NOT_HERE;
    }
    if (i == 0 && at(r, 1) == '(')
        return NOT_HERE;
    return (int)i;
}

/* OP is where its operator starts. */
static void take_redir(struct reader *r, size_t op)
{
    static const char *const ops[] = {"<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">"};

    r->tok = (struct token){.kind = TOKEN_REDIR, .start = r->pos};
    r->pos = op;
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        size_t len = strlen(ops[i]);

        if (r->end - op < len || memcmp(r->s + op, ops[i], len) != 0)
            continue;
        r->pos = op + len;
        break;
    }
    r->tok.end = r->pos;
}

static bool take_operator(struct reader *r)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } ops[] = {
        {";;&", TOKEN_DSEMI},
        {";;",  TOKEN_DSEMI},
        {";&",  TOKEN_DSEMI},
        {";",   TOKEN_SEMI },
        {"&&",  TOKEN_AND  },
        {"&",   TOKEN_AMP  },
        {"||",  TOKEN_OR   },
        {"|&",  TOKEN_PIPE },
        {"|",   TOKEN_PIPE },
        {"(",   TOKEN_OPEN },
        {")",   TOKEN_CLOSE},
    };

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        size_t len = strlen(ops[i].text);

        if (r->end - r->pos < len || memcmp(r->s + r->pos, ops[i].text, len) != 0)
            continue;
        r->tok = (struct token){.kind = ops[i].kind, .start = r->pos, .end = r->pos + len};
        r->pos += len;
        return true;
    }
    return false;
}

void shell_next(struct reader *r)
{
    int op;

    skip_blanks(r);
    if (r->dead || r->pos >= r->end) {
        r->tok = (struct token){.kind = TOKEN_EOF, .start = r->end, .end = r->end};
        return;
    }
    op = redir_operator(r);
    if (op != NOT_HERE) {
        take_redir(r, r->pos + (size_t)op);
    } else if (at(r, 0) == '\n') {
        r->tok = (struct token){.kind = TOKEN_NEWLINE, .start = r->pos, .end = r->pos + 1};
        take_newline(r);
    } else if (!take_operator(r)) {
        shell_read_word(r);
    }
}

size_t shell_arith_end(const struct reader *r, size_t from)
{
    enum { FAR = 4096 };
    int depth = 0;

    for (size_t i = from; i < r->end && i < from + FAR; i++) {
        if (r->s[i] == '(')
            depth++;
        else if (r->s[i] == ')' && depth-- == 0)
            return i + 1 < r->end && r->s[i + 1] == ')' ? i + 2 : 0;
    }
    return 0;
}
