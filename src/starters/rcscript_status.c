/* What looks at a start from outside: at its status, its process id, its output; or waits for it.
 */
#include "rcscript.h"

#include <ctype.h>
#include <string.h>

/* Blocks and functions within each other; what is deeper is taken to be used. */
enum { USE_DEPTH = 64 };

static enum rc_use use_behind(const struct rc_script *s, int c, unsigned depth);

/* ---- the status ---- */

/* A function of the file, or of the libraries of init scripts, that looks at $?. */
static bool calls_reader(const struct rc_script *s, int c)
{
    const struct rc_name *n = rc_called_by(&s->names, s->sh, c);

    return (n != NULL && (n->traits & RC_READS)) ||
           rc_is_named(s->sh, c,
                       " rc_status rc_check log_end_msg eend evaluate_retval "
                       "echo_status check_status ");
}

static bool reads_status(const struct rc_script *s, int c);

/* The first command of a block does, or one of the patterns before it. */
static bool block_reads(const struct rc_script *s, const struct shell_block *b)
{
    const struct shell *sh = s->sh;

    if (b->first_word != SHELL_NO &&
        rc_asks_status(sh, sh->words[b->first_word].start, sh->words[b->last_word].end))
        return true;
    return b->first != SHELL_NO && (rc_hands_on(sh, b->first) || reads_status(s, b->first));
}

/* C, the next command to run, reads $?. */
static bool reads_status(const struct rc_script *s, int c)
{
    const struct shell *sh = s->sh;
    const struct shell_command *command = &sh->commands[c];
    int block = command->first_block;

    for (int r = command->first_redir; r != SHELL_NO; r = sh->redirs[r].next)
        if (rc_asks_status(sh, sh->redirs[r].start, sh->redirs[r].end) ||
            (sh->redirs[r].document && !sh->redirs[r].quoted &&
             rc_asks_status(sh, sh->redirs[r].doc_start, sh->redirs[r].doc_end)))
            return true;
    switch (command->kind) {
    case SHELL_SIMPLE:
    case SHELL_TEST:
    case SHELL_ARITH:
        return calls_reader(s, c) || rc_asks_status(sh, command->start, command->end);
    case SHELL_FUNCTION:
        return false; /* it is only defined */
    case SHELL_FOR:
    case SHELL_CASE:
        if (rc_asks_status(sh, command->start,
                           block != SHELL_NO ? sh->blocks[block].start : command->end))
            return true;
        break;
    case SHELL_IF:
    case SHELL_LOOP:
    case SHELL_PAREN:
    case SHELL_BRACE:
    default:
        break;
    }
    for (; block != SHELL_NO; block = sh->blocks[block].next) {
        if (block_reads(s, &sh->blocks[block]))
            return true;
        if (command->kind != SHELL_CASE)
            break; /* the others come behind it */
    }
    return false;
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
    if (use == RC_UNUSED && s->names.errexit)
        return RC_LEFT;
    /* a function or subshell that fails ends the script even where what failed in it did not: the
     * script may be read by one with -e */
    if (use == RC_UNUSED &&
        (b->kind == SHELL_FUNCTION_BODY || around->kind == SHELL_PAREN || b->kind == SHELL_SUBST))
        return RC_FATAL;
    return use;
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
    if (!rc_hands_on(s->sh, next))
        return reads_status(s, next) ? RC_USED : RC_UNUSED;
    function = rc_is_named(s->sh, next, " return ") ? rc_function_around(s->sh, next) : SHELL_NO;
    return function != SHELL_NO ? use_of_function(s, function, depth) : RC_LEFT;
}

/* The command before FIRST that is still there, or SHELL_NO. */
static int alive_before(const struct rc_script *s, int first)
{
    int c = s->sh->commands[first].prev;

    while (c != SHELL_NO && s->marks[c] == RC_GONE)
        c = s->sh->commands[c].prev;
    return c;
}

/* With -e the script ends where C fails: it is no list, and nothing that holds other commands. */
static bool fails_at_once(const struct shell *sh, int c)
{
    int prev = sh->commands[c].prev;

    return sh->commands[c].kind == SHELL_SIMPLE && !sh->commands[c].negated &&
           (prev == SHELL_NO || !rc_joins(sh->commands[prev].op));
}

bool rc_succeeds_before(const struct rc_script *s, int first)
{
    const struct shell *sh = s->sh;
    int c = alive_before(s, first);

    if (c == SHELL_NO || s->marks[c] == RC_NULLED || sh->commands[c].op == SHELL_AMP ||
        sh->commands[c].kind == SHELL_FUNCTION)
        return true;
    if (!fails_at_once(sh, c))
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

/* The shell that runs BLOCK runs C, which stands in it, and not another one. */
static bool is_of_shell(const struct rc_script *s, int c, int block)
{
    while (s->sh->commands[c].block != block) {
        const struct shell_block *b = &s->sh->blocks[s->sh->commands[c].block];

        if (b->kind == SHELL_SUBST || s->sh->commands[b->parent].kind == SHELL_PAREN)
            return false;
        c = b->parent;
    }
    return true;
}

/* The region leaves something in the background of the shell that runs it. */
static bool spawns(const struct rc_script *s, const struct rc_region *r)
{
    const struct shell *sh = s->sh;
    int block = sh->commands[r->first].block;

    for (size_t c = (size_t)r->first;
         c < sh->ncommands && sh->commands[c].start < sh->commands[r->last].end; c++) {
        const struct shell_command *command = &sh->commands[c];
        const struct rc_name *n = rc_called_by(&s->names, sh, (int)c);

        if (command->op != SHELL_AMP && (n == NULL || !(n->traits & RC_SPAWNS)) &&
            !(rc_is_named(sh, (int)c, " eval ") &&
              rc_has_text(sh, command->start, command->end, "&")))
            continue;
        if (is_of_shell(s, (int)c, block))
            return true;
    }
    return false;
}

/* Between START and END, from command C on, something asks for the process id of what was put in
 * the background last, before another command is for sure. */
static bool asks_pid(const struct rc_script *s, const struct rc_region *r, int c, size_t start,
                     size_t end)
{
    const struct shell *sh = s->sh;
    size_t asked = rc_asks_pid(sh, start, end);

    for (; (size_t)c < sh->ncommands && sh->commands[c].start < asked; c++) {
        const struct rc_name *n = rc_called_by(&s->names, sh, c);

        if (sh->commands[c].start < start)
            continue;
        if (n != NULL && (n->traits & RC_READS_PID))
            return true;
        if (sh->commands[c].op == SHELL_AMP && sh->commands[c].end < asked &&
            is_inside(s, r->last, sh->commands[c].block))
            return false;
    }
    return asked < end;
}

/* The outermost loop around C, or SHELL_NO. */
static int loop_around(const struct shell *sh, int c)
{
    int loop = SHELL_NO;

    while ((c = sh->blocks[sh->commands[c].block].parent) != SHELL_NO)
        if (sh->commands[c].kind == SHELL_LOOP || sh->commands[c].kind == SHELL_FOR)
            loop = c;
    return loop;
}

/* Something asks for the process id, or the job, of what the region leaves in the background. */
static bool is_pid_used(const struct rc_script *s, const struct rc_region *r)
{
    const struct shell *sh = s->sh;
    size_t end = sh->commands[r->last].end;
    int loop;

    if ((!s->names.asks_pid && s->names.asks_job <= end) || !spawns(s, r))
        return false;
    if (s->names.asks_job > end || asks_pid(s, r, r->last, end, sh->len))
        return true;
    loop = loop_around(sh, r->first); /* it comes behind the region too */
    return loop != SHELL_NO &&
           asks_pid(s, r, loop, sh->commands[loop].start, sh->commands[r->first].start);
}

/* ---- loops ---- */

/* C rests a while, or is a block that does. */
static bool rests(const struct shell *sh, int c)
{
    const struct shell_command *command = &sh->commands[c];

    return rc_is_named(sh, c, " sleep usleep read wait ") ||
           (command->kind != SHELL_SIMPLE &&
            rc_has_text(sh, command->start, command->end, "sleep"));
}

/* Without the region nothing in the loop around it rests: it would go round at once. */
static bool would_spin(const struct rc_script *s, const struct rc_region *r)
{
    const struct shell_block *b = &s->sh->blocks[s->sh->commands[r->first].block];
    int cond;

    if (b->kind != SHELL_BODY || s->sh->commands[b->parent].kind != SHELL_LOOP)
        return false;
    for (int c = b->first; c != SHELL_NO; c = s->sh->commands[c].next)
        if ((c < r->first || c > r->last) && s->marks[c] == RC_ALIVE && rests(s->sh, c))
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
    int before;

    if (why != NULL)
        return why;
    for (int c = r->first; c != SHELL_NO && c != s->sh->commands[r->last].next;
         c = s->sh->commands[c].next)
        if (s->sh->commands[c].negated && !rc_is_test(s->sh, c))
            return "its exit status is turned round";
    use = use_behind(s, r->last, 0);
    before = alive_before(s, r->first);
    r->left =
        use == RC_LEFT || (use == RC_FATAL && before != SHELL_NO && !fails_at_once(s->sh, before));
    if (use == RC_USED)
        return "its exit status is looked at";
    if (is_pid_used(s, r))
        return "its process id is used by a command behind it";
    if (rc_is_awaited(s, r, name))
        return "a loop waits for it";
    return would_spin(s, r) ? "the loop around it would go round without a rest" : NULL;
}
