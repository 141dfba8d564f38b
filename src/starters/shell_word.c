/* What a word stands for, as far as that can be known without running anything. */
#include "batten/shell.h"

#include <string.h>

#include "batten/buf.h"

/* A variable may hold itself twice over, again and again: values add no more than this. */
enum { EXPAND_DEPTH = 8, EXPAND_MAX = 64 * 1024 };

struct expander {
    struct buf *out;
    const char *s;
    size_t pos, end;
    shell_lookup *lookup;
    void *ctx;
    bool *split;
    enum shell_expansion result;
    int depth;
};

static bool is_name(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static void raise_to(struct expander *x, enum shell_expansion result)
{
    if (x->result < result)
        x->result = result;
}

static void add_unknown(struct expander *x)
{
    raise_to(x, SHELL_UNKNOWN);
    buf_addc(x->out, SHELL_GAP);
}

static void add_value(struct expander *x, const char *value, bool in_quotes)
{
    if (x->out->len + strlen(value) > EXPAND_MAX) {
        add_unknown(x);
        return;
    }
    raise_to(x, SHELL_RESOLVED);
    if (!in_quotes && x->split != NULL && strpbrk(value, " \t\n") != NULL)
        *x->split = true;
    buf_adds(x->out, value);
}

/* From behind an opening bracket to behind the one that closes it; quotes are stepped over. */
static void skip_nested(struct expander *x, char open, char close)
{
    int depth = 1;

    while (x->pos < x->end && depth > 0) {
        char c = x->s[x->pos++];

        if (c == '\\' && x->pos < x->end)
            x->pos++;
        else if (c == open)
            depth++;
        else if (c == close)
            depth--;
    }
}

static void expand(struct expander *x, bool in_quotes);

/* The word behind :- or = in ${ }, from FROM to TO, where the variable has no constant value. */
static void add_default(struct expander *x, size_t from, size_t to, bool in_quotes)
{
    struct expander inner = *x;

    if (x->depth >= EXPAND_DEPTH) {
        add_unknown(x);
        return;
    }
    inner.pos = from;
    inner.end = to;
    inner.depth++;
    expand(&inner, in_quotes);
    raise_to(x, inner.result > SHELL_RESOLVED ? inner.result : SHELL_RESOLVED);
}

/* ${ ... }, its inside [FROM, TO). */
static void expand_braces(struct expander *x, size_t from, size_t to, bool in_quotes)
{
    size_t i = from;
    const char *value;
    bool colon;

    while (i < to && is_name(x->s[i], i == from))
        i++;
    value = i > from && x->lookup ? x->lookup(x->ctx, x->s + from, i - from) : NULL;
    colon = i < to && x->s[i] == ':';
    if (i == from || (colon && i + 1 >= to)) {
        add_unknown(x);
        return;
    }
    if (i < to && strchr("-=?", x->s[i + colon]) == NULL) {
        add_unknown(x);
        return;
    }
    if (value != NULL && (*value != '\0' || !colon))
        add_value(x, value, in_quotes);
    else if (i < to && x->s[i + colon] != '?')
        add_default(x, i + colon + 1, to, in_quotes);
    else
        add_unknown(x);
}

static void expand_single(struct expander *x)
{
    const char *quote = memchr(x->s + x->pos, '\'', x->end - x->pos);
    size_t end = quote ? (size_t)(quote - x->s) : x->end;

    buf_add(x->out, x->s + x->pos, end - x->pos);
    x->pos = end < x->end ? end + 1 : end;
}

/* At a '$'. */
static void expand_dollar(struct expander *x, bool in_quotes)
{
    size_t from = ++x->pos;
    char c = from < x->end ? x->s[from] : '\0';
    const char *value;

    if (c == '{' || c == '(') {
        x->pos++;
        skip_nested(x, c, c == '{' ? '}' : ')');
        if (c == '{')
            expand_braces(x, from + 1, x->pos - 1, in_quotes);
        else
            add_unknown(x);
    } else if (is_name(c, true)) {
        while (x->pos < x->end && is_name(x->s[x->pos], false))
            x->pos++;
        value = x->lookup ? x->lookup(x->ctx, x->s + from, x->pos - from) : NULL;
        if (value != NULL)
            add_value(x, value, in_quotes);
        else
            add_unknown(x);
    } else if (c == '\'' && !in_quotes) {
        x->pos++;
        expand_single(x);
    } else if (c != '\0' && strchr("@*#?-$!0123456789", c) != NULL) {
        x->pos++;
        add_unknown(x);
    } else {
        buf_addc(x->out, '$');
    }
}

static void expand_backslash(struct expander *x, bool in_quotes)
{
    char c;

    x->pos++;
    if (x->pos >= x->end) {
        buf_addc(x->out, '\\');
        return;
    }
    c = x->s[x->pos++];
    if (c == '\n')
        return;
    if (in_quotes && (c == '\0' || strchr("$`\"\\", c) == NULL))
        buf_addc(x->out, '\\');
    buf_addc(x->out, c);
}

static void expand(struct expander *x, bool in_quotes)
{
    while (x->pos < x->end) {
        char c = x->s[x->pos];

        if (c == '\\') {
            expand_backslash(x, in_quotes);
        } else if (c == '$') {
            expand_dollar(x, in_quotes);
        } else if (c == '"') {
            x->pos++;
            in_quotes = !in_quotes;
        } else if (c == '\'' && !in_quotes) {
            x->pos++;
            expand_single(x);
        } else if (c == '`') {
            x->pos++;
            skip_nested(x, '\0', '`');
            add_unknown(x);
        } else if (!in_quotes && (c == '*' || c == '?')) {
            x->pos++;
            add_unknown(x);
        } else {
            x->pos++;
            buf_addc(x->out, c);
        }
    }
}

enum shell_expansion shell_expand(struct buf *out, const char *bytes, size_t len,
                                  shell_lookup *lookup, void *ctx, bool *split)
{
    struct expander x = {
        .out = out, .s = bytes, .end = len, .lookup = lookup, .ctx = ctx, .split = split};

    expand(&x, false);
    return x.result;
}
