/* Tokens: words, operators, redirections, and the here-documents behind a newline. */
#include "shell_priv.h"

#include <string.h>

#include "batten/mem.h"

static int at(const struct reader *r, size_t offset)
{
    return r->pos + offset < r->end ? (unsigned char)r->s[r->pos + offset] : -1;
}

const unsigned char shell_bytes[256] = {
    [' '] = BYTE_ENDS_WORD,   ['\t'] = BYTE_ENDS_WORD,   ['\n'] = BYTE_ENDS_WORD,
    [';'] = BYTE_ENDS_WORD,   ['&'] = BYTE_ENDS_WORD,    ['|'] = BYTE_ENDS_WORD,
    ['<'] = BYTE_ENDS_WORD,   ['>'] = BYTE_ENDS_WORD,    ['('] = BYTE_ENDS_WORD,
    [')'] = BYTE_ENDS_WORD,   ['\\'] = BYTE_BEGINS_PART, ['\''] = BYTE_BEGINS_PART,
    ['"'] = BYTE_BEGINS_PART, ['`'] = BYTE_BEGINS_PART,  ['$'] = BYTE_BEGINS_PART,
};

static bool is_continuation(const struct reader *r)
{
    return at(r, 0) == '\\' && at(r, 1) == '\n';
}

static void skip_blanks(struct reader *r)
{
    struct shell *sh = r->sh;
    const char *newline;
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
    newline = memchr(r->s + start, '\n', r->end - start);
    r->pos = newline ? (size_t)(newline - r->s) : r->end;
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
        if (c == '\n' && r->s[i - 1] == '\\') /* two lines joined */
            continue;
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

/* NAME= or NAME+= from START to here: a '(' now begins the list of an array. */
static bool is_array_start(const struct reader *r, size_t start)
{
    size_t i = start, end = r->pos;

    if (end <= start + 1 || r->s[end - 1] != '=')
        return false;
    end -= r->s[end - 2] == '+' ? 2 : 1;
    for (; i < end; i++)
        if (!shell_in_name(r->s[i]) && r->s[i] != '[' && r->s[i] != ']')
            return false;
    return end > start;
}

static bool is_extended_glob(const struct reader *r, size_t start)
{
    return r->pos > start && at(r, 0) == '(' && shell_in_set(r->s[r->pos - 1], "@?*+");
}

/* The keyword that LEN bytes of a word without quotes are: a backslash in it joins two lines. */
static enum keyword keyword_of(const char *text, size_t len)
{
    enum { LONGEST = 8 };
    static const char words[KEYWORDS][LONGEST + 1] = {
        [KEY_THEN] = "then",     [KEY_ELIF] = "elif",     [KEY_ELSE] = "else",
        [KEY_FI] = "fi",         [KEY_DO] = "do",         [KEY_DONE] = "done",
        [KEY_ESAC] = "esac",     [KEY_CLOSE_BRACE] = "}", [KEY_IF] = "if",
        [KEY_WHILE] = "while",   [KEY_UNTIL] = "until",   [KEY_FOR] = "for",
        [KEY_SELECT] = "select", [KEY_CASE] = "case",     [KEY_FUNCTION] = "function",
        [KEY_OPEN_BRACE] = "{",  [KEY_OPEN_TEST] = "[[",  [KEY_CLOSE_TEST] = "]]",
        [KEY_IN] = "in",         [KEY_NOT] = "!",
    };

    char word[LONGEST + 1] = "";
    size_t n = 0;

    if (len == 0 || !shell_in_set(text[0], "cdefistuw{}[]!"))
        return KEY_NONE;
    for (size_t i = 0; i < len; i += text[i] == '\\' ? 2 : 1) {
        if (text[i] == '\\')
            continue;
        if (n == LONGEST)
            return KEY_NONE;
        word[n++] = text[i];
    }
    for (enum keyword k = KEY_NONE + 1; k < KEYWORDS; k++)
        if (words[k][0] == word[0] && strcmp(words[k], word) == 0)
            return k;
    return KEY_NONE;
}

/* Step over the one byte or part of a word at r->pos; false where the word ends. PART is set when
 * it is not a byte that stands for itself. */
static bool read_part(struct reader *r, size_t start, bool *part)
{
    int c = at(r, 0);

    if (is_continuation(r)) {
        r->pos += 2;
        return true;
    }
    if ((c == '<' || c == '>') && at(r, 1) == '(') {
        r->pos += 2;
        shell_read_subst(r);
    } else if (c == '(' && (is_array_start(r, start) || is_extended_glob(r, start))) {
        r->pos++;
        shell_skip_parens(r);
    } else if (!shell_skip_part(r)) {
        return false;
    }
    *part = true;
    return true;
}

void shell_read_word(struct reader *r)
{
    size_t start = r->pos, blocks_from = r->sh->nblocks;
    bool quoted = false;

    do {
        while (r->pos < r->end && shell_bytes[(unsigned char)r->s[r->pos]] == BYTE_PLAIN)
            r->pos++;
    } while (r->pos < r->end && read_part(r, start, &quoted));
    r->tok = (struct token){
        .kind = TOKEN_WORD,
        .start = start,
        .end = r->pos,
        .quoted = quoted,
        .keyword = quoted ? KEY_NONE : keyword_of(r->s + start, r->pos - start),
        .blocks_from = blocks_from,
        .blocks_to = r->sh->nblocks,
    };
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

/* The operator at r->pos, which is none of a redirection, and how long it is. */
static enum token_kind operator_here(const struct reader *r, size_t *len)
{
    int next = at(r, 1);

    *len = 1;
    switch (at(r, 0)) {
    case '\n':
        return TOKEN_NEWLINE;
    case '(':
        return TOKEN_OPEN;
    case ')':
        return TOKEN_CLOSE;
    case ';':
        if (next != ';' && next != '&')
            return TOKEN_SEMI;
        *len = next == ';' && at(r, 2) == '&' ? 3 : 2;
        return TOKEN_DSEMI;
    case '&':
        *len = next == '&' ? 2 : 1;
        return next == '&' ? TOKEN_AND : TOKEN_AMP;
    case '|':
        *len = next == '|' || next == '&' ? 2 : 1;
        return next == '|' ? TOKEN_OR : TOKEN_PIPE;
    default:
        return TOKEN_WORD;
    }
}

static void take_operator(struct reader *r)
{
    size_t len;
    enum token_kind kind = operator_here(r, &len);

    if (kind == TOKEN_WORD) { /* <( and >( */
        shell_read_word(r);
        return;
    }
    r->tok = (struct token){.kind = kind, .start = r->pos, .end = r->pos + len};
    if (kind == TOKEN_NEWLINE)
        take_newline(r);
    else
        r->pos += len;
}

void shell_next(struct reader *r)
{
    unsigned char c;
    int op;

    skip_blanks(r);
    if (r->dead || r->pos >= r->end) {
        r->tok = (struct token){.kind = TOKEN_EOF, .start = r->end, .end = r->end};
        return;
    }
    c = (unsigned char)r->s[r->pos];
    op = shell_bytes[c] == BYTE_ENDS_WORD || (c >= '0' && c <= '9') ? redir_operator(r) : NOT_HERE;
    if (op != NOT_HERE)
        take_redir(r, r->pos + (size_t)op);
    else if (shell_bytes[c] == BYTE_ENDS_WORD)
        take_operator(r);
    else
        shell_read_word(r);
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
