/* The quoted and expanded parts of words. */
#include "shell_priv.h"

static int at(const struct reader *r, size_t offset)
{
    return r->pos + offset < r->end ? (unsigned char)r->s[r->pos + offset] : -1;
}

static void skip_to_end(struct reader *r, size_t from, const char *message)
{
    shell_problem(r, from, message);
    r->pos = r->end;
}

/* From behind a ' to behind the next; with BACKSLASH, as in $'...', one escapes it. */
static void skip_single(struct reader *r, bool backslash)
{
    size_t from = r->pos - 1;

    while (r->pos < r->end) {
        char c = r->s[r->pos++];

        if (c == '\'')
            return;
        if (backslash && c == '\\' && r->pos < r->end)
            r->pos++;
    }
    skip_to_end(r, from, "quote without its end");
}

static void skip_backquote(struct reader *r)
{
    size_t from = r->pos - 1, i = r->pos;
    bool escaped = false;

    /* A backslash in front of these is taken away before the commands are read; such text is left
     * unread, for its commands do not stand in the file as they will run. */
    while (i < r->end && r->s[i] != '`') {
        if (r->s[i] == '\\' && i + 1 < r->end) {
            escaped = escaped || shell_in_set(r->s[i + 1], "\\`\"$");
            i++;
        }
        i++;
    }
    if (i >= r->end) {
        skip_to_end(r, from, "backquote without its end");
        return;
    }
    if (escaped)
        r->pos = i + 1;
    else
        shell_read_backquote(r, i);
}

static bool skip_dollar(struct reader *r, bool in_quotes);

/* From behind a " to behind the next. */
static void skip_double(struct reader *r)
{
    size_t from = r->pos - 1;

    while (r->pos < r->end) {
        char c = r->s[r->pos];

        if (c == '$' && skip_dollar(r, true))
            continue;
        r->pos++;
        if (c == '"')
            return;
        if (c == '\\' && r->pos < r->end)
            r->pos++;
        else if (c == '`')
            skip_backquote(r);
    }
    skip_to_end(r, from, "quote without its end");
}

/* From behind ${ to behind its }. In double quotes a ' is itself where a value stands, but quotes
 * in a pattern. */
static void skip_braces(struct reader *r, bool in_quotes)
{
    size_t from = r->pos - 2;
    bool pattern = false, name = true;

    if (!shell_deeper(r))
        return;
    while (r->pos < r->end) {
        char c = r->s[r->pos];

        if (c == '$' && skip_dollar(r, in_quotes)) {
            name = false;
            continue;
        }
        r->pos++;
        if (c == '}') {
            r->depth--;
            return;
        }
        if (name && r->pos - 1 > from + 2 && shell_in_set(c, "#%/:-=+?")) {
            pattern = shell_in_set(c, "#%/");
            name = false;
        }
        if (c == '\\' && r->pos < r->end)
            r->pos++;
        else if (c == '`')
            skip_backquote(r);
        else if (c == '"')
            skip_double(r);
        else if (c == '\'' && (!in_quotes || pattern))
            skip_single(r, false);
    }
    r->depth--;
    skip_to_end(r, from, "'${' without its '}'");
}

static bool skip_dollar(struct reader *r, bool in_quotes)
{
    size_t arith;

    switch (at(r, 1)) {
    case '(':
        arith = at(r, 2) == '(' ? shell_arith_end(r, r->pos + 3) : 0;
        r->pos += 2;
        if (arith != 0)
            r->pos = arith;
        else
            shell_read_subst(r);
        return true;
    case '{':
        r->pos += 2;
        skip_braces(r, in_quotes);
        return true;
    case '\'':
        if (in_quotes)
            return false;
        r->pos += 2;
        skip_single(r, true);
        return true;
    case '#': /* $# must not begin a comment, $$ not an expansion */
    case '$':
        r->pos += 2;
        return true;
    default:
        r->pos++;
        return true;
    }
}

bool shell_skip_part(struct reader *r)
{
    switch (at(r, 0)) {
    case '\\':
        r->pos += at(r, 1) == -1 ? 1 : 2;
        return true;
    case '\'':
        r->pos++;
        skip_single(r, false);
        return true;
    case '"':
        r->pos++;
        skip_double(r);
        return true;
    case '`':
        r->pos++;
        skip_backquote(r);
        return true;
    case '$':
        return skip_dollar(r, false);
    default:
        return false;
    }
}

void shell_skip_parens(struct reader *r)
{
    size_t from = r->pos - 1;
    int depth = 1;

    while (r->pos < r->end) {
        char c = r->s[r->pos];

        if (c == '#' && shell_in_set(r->s[r->pos - 1], " \t\n")) {
            while (r->pos < r->end && r->s[r->pos] != '\n')
                r->pos++;
            continue;
        }
        if (shell_skip_part(r))
            continue;
        r->pos++;
        if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return;
    }
    skip_to_end(r, from, "'(' without ')'");
}
