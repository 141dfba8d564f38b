/* What looks at a start from outside: at its status, its process id, its output; or waits for it.
 */
#include "rcscript.h"

#include <ctype.h>
#include <string.h>

/* Blocks and functions within each other; what is deeper is taken to be used. */
enum { USE_DEPTH = 64 };

static enum rc_use use_behind(const struct rc_script *s, int c, unsigned depth);

static const struct rc_name *called_by(const struct rc_script *s, int c)
{
    int word = shell_name_word(s->sh, c);
    const struct rc_name *n;

    if (word == SHELL_NO)
        return NULL;
    n = rc_names_find(&s->names, s->sh->bytes + s->sh->words[word].start,
                      s->sh->words[word].end - s->sh->words[word].start);
    return n != NULL && n->function ? n : NULL;
}

/* ---- the status ---- */

/* A function of the file, or of the libraries of init scripts, that looks at $?. */
static bool calls_reader(const struct rc_script *s, int c)
{
    const struct rc_name *n = called_by(s, c);

    return (n != NULL && n->reads) ||
           rc_is_named(s->sh, c,
                       " rc_status rc_check log_end_msg eend evaluate_retval "
                       "echo_status check_status ");
}

/* C, the next command to run, reads $?. */
static bool reads_status(const struct rc_script *s, int c)
{
    const struct shell *sh = s->sh;
    size_t start = sh->commands[c].start, end = sh->commands[c].end, to = end;

    if (calls_reader(s, c))
        return true;
    for (size_t i = (size_t)c; i < sh->ncommands && sh->commands[i].start < end; i++) {
        if (sh->commands[i].kind != SHELL_SIMPLE && sh->commands[i].kind != SHELL_TEST)
            continue;
        to = sh->commands[i].end;
        if (calls_reader(s, (int)i))
            return true;
        break;
    }
    return rc_has_text(sh, start, to, "$?") || rc_has_text(sh, start, to, "${?") ||
           rc_has_text(sh, start, to, "PIPESTATUS");
}

/* What becomes of the status of the function that command F defines. */
static enum rc_use use_of_function(const struct rc_script *s, int f, unsigned depth)
{
    const struct shell_word *w;
    enum rc_use most = RC_UNUSED;
    struct rc_name *n;

    if (s->sh->commands[f].first_word == SHELL_NO)
        return RC_USED;
    w = &s->sh->words[s->sh->commands[f].first_word];
    n = rc_names_find(&s->names, s->sh->bytes + w->start, w->end - w->start);
    if (n == NULL)
        return RC_USED;
    if (n->use != RC_USE_UNKNOWN)
        return (enum rc_use)n->use;
    n->use = RC_UNUSED; /* for a function that calls itself */
    for (int c = n->first_call; c != SHELL_NO && most != RC_USED; c = s->names.next_call[c]) {
        const struct shell_command *call = &s->sh->commands[c];
        enum rc_use use = rc_joins(call->op) || call->negated ? RC_USED
                          : call->op == SHELL_AMP             ? RC_UNUSED
                                                              : use_behind(s, c, depth + 1);

        most = use > most ? use : most;
    }
    n->use = (unsigned char)most;
    return most;
}

/* The function that C stands in, SHELL_NO when it is none. */
static int function_around(const struct rc_script *s, int c)
{
    while (c != SHELL_NO) {
        const struct shell_block *b = &s->sh->blocks[s->sh->commands[c].block];

        if (b->kind == SHELL_FUNCTION_BODY)
            return b->parent;
        c = b->parent;
    }
    return SHELL_NO;
}

/* A 'return' or 'exit' without a status of its own hands on that of the command before it. */
static bool hands_on(const struct rc_script *s, int c)
{
    return s->sh->commands[c].kind == SHELL_SIMPLE && rc_is_named(s->sh, c, " return exit ") &&
           s->sh->words[shell_name_word(s->sh, c)].next == SHELL_NO;
}

/* The status of the block around C, whose last command C is. */
static enum rc_use use_of_block(const struct rc_script *s, int c, unsigned depth)
{
    const struct shell_block *b = &s->sh->blocks[s->sh->commands[c].block];
    const struct shell_command *around;
    enum rc_use use;

    if (b->parent == SHELL_NO)
        return RC_LEFT;
    around = &s->sh->commands[b->parent];
    if (b->kind == SHELL_COND)
        return RC_USED;
    if (b->kind == SHELL_FUNCTION_BODY)
        use = use_of_function(s, b->parent, depth);
    else if (b->kind == SHELL_BODY && around->kind == SHELL_LOOP &&
             s->sh->blocks[around->first_block].first != SHELL_NO &&
             reads_status(s, s->sh->blocks[around->first_block].first))
        use = RC_USED;
    else if (rc_joins(around->op) || around->negated)
        use = RC_USED;
    else if (around->op == SHELL_AMP)
        use = RC_UNUSED;
    else
        use = use_behind(s, b->parent, depth + 1);
    return use == RC_UNUSED && s->names.errexit ? RC_LEFT : use;
}

/* The status that C leaves when it has run, whatever its own operator. */
static enum rc_use use_behind(const struct rc_script *s, int c, unsigned depth)
{
    int next = s->sh->commands[c].next, function;

    if (depth > USE_DEPTH)
        return RC_USED;
    while (depth == 0 && next != SHELL_NO && s->marks[next] == RC_GONE)
        next = s->sh->commands[next].next;
    if (next == SHELL_NO)
        return use_of_block(s, c, depth);
    if (!hands_on(s, next))
        return reads_status(s, next) ? RC_USED : RC_UNUSED;
    function = rc_is_named(s->sh, next, " return ") ? function_around(s, next) : SHELL_NO;
    return function != SHELL_NO ? use_of_function(s, function, depth) : RC_LEFT;
}

bool rc_succeeds_before(const struct rc_script *s, int first)
{
    const struct shell *sh = s->sh;
    int c = sh->commands[first].prev, prev;

    while (c != SHELL_NO && s->marks[c] == RC_GONE)
        c = sh->commands[c].prev;
    if (c == SHELL_NO || s->marks[c] == RC_NULLED || sh->commands[c].op == SHELL_AMP ||
        sh->commands[c].kind == SHELL_FUNCTION)
        return true;
    prev = sh->commands[c].prev;
    if (sh->commands[c].kind != SHELL_SIMPLE || sh->commands[c].negated ||
        (prev != SHELL_NO && rc_joins(sh->commands[prev].op)))
        return false;
    if (shell_name_word(sh, c) == SHELL_NO)
        return rc_has_plain_words(sh, c);
    return rc_is_named(sh, c, " echo printf : true export exec ");
}

/* ---- the process id ---- */

static bool is_inside(const struct rc_script *s, int c, int block)
{
    while (c != SHELL_NO && s->sh->commands[c].block != block)
        c = s->sh->blocks[s->sh->commands[c].block].parent;
    return c != SHELL_NO;
}

/* Something behind asks for the process id of what was put in the background last, before another
 * command is for sure. */
static bool is_pid_used(const struct rc_script *s, const struct rc_region *r)
{
    const struct shell *sh = s->sh;
    size_t end = sh->commands[r->last].end, asked;
    const char *at;

    if (sh->commands[r->last].op != SHELL_AMP || !s->names.asks_pid)
        return false;
    at = memmem(sh->bytes + end, sh->len - end, "$!", 2);
    asked = at != NULL ? (size_t)(at - sh->bytes) : sh->len;
    for (size_t c = (size_t)r->last + 1; c < sh->ncommands && sh->commands[c].start < asked; c++) {
        const struct rc_name *n = called_by(s, (int)c);

        if (sh->commands[c].start < end)
            continue;
        if (n != NULL && n->reads_pid)
            return true;
        if (sh->commands[c].op == SHELL_AMP && sh->commands[c].end < asked &&
            is_inside(s, r->last, sh->commands[c].block))
            return false;
    }
    return at != NULL;
}

/* ---- loops ---- */

/* A loop goes on until the daemon is there: its last word stands in the condition. */
static bool is_awaited(const struct rc_script *s, const struct rc_region *r, const char *name)
{
    const char *end = name + strlen(name), *word = end;
    const struct rc_name *n;

    while (word > name && isalnum((unsigned char)word[-1]))
        word--;
    n = rc_names_find(&s->names, word, (size_t)(end - word));
    return n != NULL && n->awaited > s->sh->commands[r->last].end;
}

/* Nothing but the region is in a loop, which would go round without a rest. */
static bool would_spin(const struct rc_script *s, const struct rc_region *r)
{
    const struct shell_block *b = &s->sh->blocks[s->sh->commands[r->first].block];
    int cond;

    if (b->kind != SHELL_BODY || s->sh->commands[b->parent].kind != SHELL_LOOP)
        return false;
    for (int c = b->first; c != SHELL_NO; c = s->sh->commands[c].next)
        if ((c < r->first || c > r->last) && s->marks[c] == RC_ALIVE)
            return false;
    cond = s->sh->blocks[s->sh->commands[b->parent].first_block].first;
    return cond == SHELL_NO || !rc_is_named(s->sh, cond, " read ");
}

/* ---- */

static const char *why_around(const struct rc_script *s, const struct rc_region *r)
{
    for (int c = r->first; c != SHELL_NO;) {
        const struct shell_block *b = &s->sh->blocks[s->sh->commands[c].block];

        if (b->kind == SHELL_SUBST)
            return "its output is used by the command around it";
        if (b->kind == SHELL_COND && (b->last == r->last || c != r->first))
            return "its exit status is a condition";
        c = b->parent;
    }
    return NULL;
}

const char *rc_region_used(const struct rc_script *s, struct rc_region *r, const char *name)
{
    const char *why = why_around(s, r);
    enum rc_use use;

    if (why != NULL)
        return why;
    for (int c = r->first; c != SHELL_NO && c != s->sh->commands[r->last].next;
         c = s->sh->commands[c].next)
        if (s->sh->commands[c].negated && !rc_is_test(s->sh, c))
            return "its exit status is turned round";
    use = use_behind(s, r->last, 0);
    r->left = use == RC_LEFT;
    if (use == RC_USED)
        return "its exit status is looked at";
    if (is_pid_used(s, r))
        return "its process id is used by a command behind it";
    if (is_awaited(s, r, name))
        return "a loop waits for it";
    return would_spin(s, r) ? "the loop around it would go round without a rest" : NULL;
}
