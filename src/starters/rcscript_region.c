/* What goes with a start: the echo, the list and the if that serve only it. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "batten/mem.h"
#include "batten/text.h"

enum { CALL_DEPTH = 8, LOOK_AHEAD = 8 };

struct grower {
    const struct rc_script *s;
    const struct shell *sh;
    const char *name; /* of the program */
    struct rc_region *r;
};

static const struct shell_command *cmd(const struct grower *g, int c)
{
    return &g->sh->commands[c];
}

static bool refuse(struct grower *g, const char *why, int other)
{
    g->r->refused = why;
    g->r->other = other;
    return false;
}

static bool has_text(const struct shell *sh, size_t start, size_t end, const char *text)
{
    return end > start && memmem(sh->bytes + start, end - start, text, strlen(text)) != NULL;
}

static bool joins(enum shell_op op)
{
    return op == SHELL_AND || op == SHELL_OR || op == SHELL_PIPE;
}

/* ---- commands of no consequence ---- */

static bool is_named(const struct shell *sh, int c, const char *names)
{
    int word = shell_name_word(sh, c);
    const char *base;
    char *name, *padded;
    bool found;

    if (word == SHELL_NO)
        return false;
    name =
        mem_strndup(sh->bytes + sh->words[word].start, sh->words[word].end - sh->words[word].start);
    base = name;
    padded = mem_printf(" %s ", base);
    found = strstr(names, padded) != NULL;
    free(padded);
    free(name);
    return found;
}

/* Nothing in C is run to make its words, nothing is assigned by them. */
static bool has_plain_words(const struct shell *sh, int c)
{
    const struct shell_command *command = &sh->commands[c];

    return command->first_block == SHELL_NO && !has_text(sh, command->start, command->end, ":=") &&
           !has_text(sh, command->start, command->end, "`") &&
           !has_text(sh, command->start, command->end, "$(");
}

/* A test that only looks: leaving it out changes nothing. */
static bool is_test(const struct shell *sh, int c)
{
    if (sh->commands[c].first_redir != SHELL_NO || !has_plain_words(sh, c))
        return false;
    if (sh->commands[c].kind == SHELL_TEST)
        return true;
    return sh->commands[c].kind == SHELL_SIMPLE && is_named(sh, c, " [ test : true false ");
}

static bool is_screen(const struct shell *sh, const struct shell_redir *redir)
{
    static const char *const targets[] = {
        "/dev/console", "/dev/null", "/dev/tty", "/dev/tty1", "/dev/stderr", "1", "2", "&1", "&2"};
    size_t len = redir->end - redir->target;

    if (redir->op != '>')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        if (strlen(targets[i]) == len && memcmp(sh->bytes + redir->target, targets[i], len) == 0)
            return true;
    return false;
}

/* ---- the echo that announces the start ---- */

/* NAME less what daemons' names begin and end with: rpc.statd is stat, in.telnetd is telnet, and
 * rc.httpd starts http. */
static char *stem_of(const char *name)
{
    const char *from = name;
    size_t len;

    if (strncasecmp(from, "rpc.", 4) == 0)
        from += 4;
    else if (strncasecmp(from, "in.", 3) == 0 || strncasecmp(from, "rc.", 3) == 0)
        from += 3;
    len = strlen(from);
    if (len > 3 && (from[len - 1] == 'd' || from[len - 1] == 'D'))
        len--;
    return mem_strndup(from, len);
}

static bool same_stem(const char *a, const char *b)
{
    char *x = stem_of(a), *y = stem_of(b);
    bool same = strcasecmp(x, y) == 0 || strcasecmp(a, y) == 0 || strcasecmp(x, b) == 0;

    free(x);
    free(y);
    return same;
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* The words of TEXT name the program, and no other daemon. */
static bool announces(const struct grower *g, const char *text)
{
    bool named = false;

    while (*text != '\0') {
        size_t len = 0;
        char *word;
        bool mine, other;

        while (is_name_byte(text[len]))
            len++;
        if (len == 0) {
            text++;
            continue;
        }
        word = mem_strndup(text, len);
        text += len;
        while (len > 0 && (word[len - 1] == '.' || word[len - 1] == '-'))
            word[--len] = '\0';
        mine = len > 0 && same_stem(word, g->name);
        other = !mine && g->s->p->is_daemon != NULL && g->s->p->is_daemon(word);
        free(word);
        named = named || mine;
        if (other)
            return false;
    }
    return named;
}

static bool serves(const struct grower *g, int c)
{
    struct rc_script script = *g->s;
    struct rc_words words = {0};
    struct buf text = BUF_INIT;
    int word = shell_name_word(g->sh, c);
    bool found;

    if (cmd(g, c)->kind != SHELL_SIMPLE || cmd(g, c)->negated || g->s->marks[c] != RC_ALIVE ||
        !is_named(g->sh, c, " echo printf print /bin/echo ") || !has_plain_words(g->sh, c) ||
        cmd(g, c)->first_word != word)
        return false;
    for (int r = cmd(g, c)->first_redir; r != SHELL_NO; r = g->sh->redirs[r].next)
        if (!is_screen(g->sh, &g->sh->redirs[r]))
            return false;
    rc_words_get(&script, g->sh->words[word].next, &words);
    for (size_t i = 0; i < words.n; i++) {
        buf_adds(&text, words.v[i].text);
        buf_addc(&text, ' ');
    }
    found = announces(g, buf_str(&text));
    rc_words_release(&words);
    buf_release(&text);
    return found;
}

/* ---- growing ---- */

static bool is_harmless(const struct grower *g, int c)
{
    return is_test(g->sh, c) || serves(g, c);
}

/* Take in the rest of the && and || list, when it only guards or announces the start. */
static bool take_list(struct grower *g)
{
    int first = g->r->first, last = g->r->last;
    bool pipe = false;

    while (cmd(g, first)->prev != SHELL_NO && joins(cmd(g, cmd(g, first)->prev)->op)) {
        first = cmd(g, first)->prev;
        pipe = pipe || cmd(g, first)->op == SHELL_PIPE;
        if (!is_harmless(g, first))
            return refuse(g,
                          cmd(g, first)->op == SHELL_PIPE
                              ? "it is part of a pipeline"
                              : "whether it runs is decided by another command of its list",
                          first);
    }
    while (joins(cmd(g, last)->op) && cmd(g, last)->next != SHELL_NO) {
        pipe = pipe || cmd(g, last)->op == SHELL_PIPE;
        last = cmd(g, last)->next;
        if (!is_harmless(g, last))
            return refuse(g,
                          pipe ? "it is part of a pipeline"
                               : "its exit status decides whether another command runs",
                          last);
    }
    if (pipe)
        return refuse(g, "it is part of a pipeline", SHELL_NO);
    g->r->first = first;
    g->r->last = last;
    return true;
}

/* A command that stands alone between separators. */
static bool stands_alone(const struct grower *g, int c)
{
    int prev = cmd(g, c)->prev;

    return !joins(cmd(g, c)->op) && cmd(g, c)->op != SHELL_AMP &&
           (prev == SHELL_NO || !joins(cmd(g, prev)->op));
}

static void take_echoes(struct grower *g)
{
    int prev = cmd(g, g->r->first)->prev, next = cmd(g, g->r->last)->next;

    if (prev != SHELL_NO && stands_alone(g, prev) && serves(g, prev))
        g->r->first = prev;
    if (next != SHELL_NO && stands_alone(g, next) && serves(g, next))
        g->r->last = next;
}

/* What a subshell may do besides: nothing of it is left when the start is gone. */
static bool is_setting(const struct grower *g, int c)
{
    return cmd(g, c)->kind == SHELL_SIMPLE && has_plain_words(g->sh, c) &&
           cmd(g, c)->first_redir == SHELL_NO &&
           (shell_name_word(g->sh, c) == SHELL_NO ||
            is_named(g->sh, c, " cd ulimit umask export "));
}

/* Whether the block holds nothing but the region (and, in a subshell, settings for it). */
static bool fills(const struct grower *g, int block, bool subshell)
{
    bool inside = false;

    for (int c = g->sh->blocks[block].first; c != SHELL_NO; c = cmd(g, c)->next) {
        inside = inside || c == g->r->first;
        if (!inside && !(subshell && is_setting(g, c)))
            return false;
        if (c == g->r->last)
            inside = false;
    }
    return true;
}

static bool is_plain_if(const struct grower *g, int c)
{
    int cond = cmd(g, c)->first_block, then = g->sh->blocks[cond].next;

    if (then == SHELL_NO || g->sh->blocks[then].kind != SHELL_THEN ||
        g->sh->blocks[then].next != SHELL_NO || cmd(g, c)->first_redir != SHELL_NO)
        return false;
    for (int t = g->sh->blocks[cond].first; t != SHELL_NO; t = cmd(g, t)->next)
        if (!is_test(g->sh, t) || cmd(g, t)->op == SHELL_PIPE)
            return false;
    return true;
}

/* Take in the group, subshell or if around the region that holds nothing else. */
static bool take_block(struct grower *g)
{
    const struct shell_block *b = &g->sh->blocks[cmd(g, g->r->first)->block];
    int parent = b->parent;

    if (parent == SHELL_NO ||
        !fills(g, cmd(g, g->r->first)->block, cmd(g, parent)->kind == SHELL_PAREN))
        return false;
    if (b->kind == SHELL_THEN && !is_plain_if(g, parent))
        return false;
    if (b->kind != SHELL_THEN && b->kind != SHELL_LIST)
        return false;
    if (g->sh->blocks[cmd(g, parent)->block].kind == SHELL_FUNCTION_BODY)
        return false; /* the function is still called */
    g->r->first = g->r->last = parent;
    return true;
}

/* ---- what looks at the region ---- */

static bool is_status_used(const struct grower *g, int c, unsigned depth);

static bool is_function_checked(const struct grower *g, int function)
{
    int word = cmd(g, function)->first_word;
    const struct rc_name *n;

    if (word == SHELL_NO)
        return false;
    n = rc_names_find(&g->s->names, g->sh->bytes + g->sh->words[word].start,
                      g->sh->words[word].end - g->sh->words[word].start);
    return n != NULL && n->checked;
}

/* A function of the file, or of the libraries of init scripts, that looks at $?. */
static bool calls_reader(const struct grower *g, int c)
{
    int word = shell_name_word(g->sh, c);
    const struct rc_name *n;

    if (word == SHELL_NO)
        return false;
    n = rc_names_find(&g->s->names, g->sh->bytes + g->sh->words[word].start,
                      g->sh->words[word].end - g->sh->words[word].start);
    return (n != NULL && n->function && n->reads) ||
           is_named(g->sh, c, " rc_status rc_check log_end_msg eend evaluate_retval echo_status ");
}

/* The next command to run reads $?. */
static bool reads_status(const struct grower *g, int c)
{
    size_t end = cmd(g, c)->end;

    if (calls_reader(g, c))
        return true;
    for (size_t i = (size_t)c; i < g->sh->ncommands && g->sh->commands[i].start < end; i++) {
        const struct shell_command *first = &g->sh->commands[i];

        if (first->kind == SHELL_SIMPLE || first->kind == SHELL_TEST)
            return has_text(g->sh, cmd(g, c)->start, first->end, "$?");
    }
    return has_text(g->sh, cmd(g, c)->start, end, "$?");
}

static bool is_status_used(const struct grower *g, int c, unsigned depth)
{
    const struct shell_block *b = &g->sh->blocks[cmd(g, c)->block];

    if (cmd(g, c)->op == SHELL_AMP || depth > CALL_DEPTH)
        return false;
    if (depth > 0 && (joins(cmd(g, c)->op) || cmd(g, c)->negated))
        return true;
    if (cmd(g, c)->next != SHELL_NO)
        return reads_status(g, cmd(g, c)->next);
    if (b->parent == SHELL_NO)
        return false;
    if (b->kind == SHELL_COND)
        return true;
    if (b->kind == SHELL_FUNCTION_BODY)
        return is_function_checked(g, b->parent);
    return is_status_used(g, b->parent, depth + 1);
}

/* The command that runs behind C, as far as its blocks tell; SHELL_NO where they end. */
static int command_behind(const struct grower *g, int c)
{
    while (cmd(g, c)->next == SHELL_NO) {
        const struct shell_block *b = &g->sh->blocks[cmd(g, c)->block];

        if (b->parent == SHELL_NO || b->kind == SHELL_FUNCTION_BODY || b->kind == SHELL_SUBST ||
            cmd(g, b->parent)->kind == SHELL_PAREN)
            return SHELL_NO;
        c = b->parent;
    }
    return cmd(g, c)->next;
}

/* A command soon behind asks for the process id of what was put in the background last. */
static bool is_pid_used(const struct grower *g)
{
    int c = g->r->last;

    if (cmd(g, c)->op != SHELL_AMP)
        return false;
    for (int n = 0; n < LOOK_AHEAD && (c = command_behind(g, c)) != SHELL_NO; n++) {
        if (has_text(g->sh, cmd(g, c)->start, cmd(g, c)->end, "$!") ||
            has_text(g->sh, cmd(g, c)->start, cmd(g, c)->end, "${!}"))
            return true;
        if (cmd(g, c)->op == SHELL_AMP)
            return false;
    }
    return false;
}

static bool check_around(struct grower *g)
{
    for (int c = g->r->first; c != SHELL_NO;) {
        const struct shell_block *b = &g->sh->blocks[cmd(g, c)->block];

        if (b->kind == SHELL_SUBST)
            return refuse(g, "its output is used by the command around it", b->parent);
        if (b->kind == SHELL_COND && (b->last == g->r->last || c != g->r->first))
            return refuse(g, "its exit status is a condition", b->parent);
        c = b->parent;
    }
    for (int c = g->r->first; c != SHELL_NO && c != cmd(g, g->r->last)->next; c = cmd(g, c)->next)
        if (cmd(g, c)->negated && !is_test(g->sh, c))
            return refuse(g, "its exit status is turned round", SHELL_NO);
    if (is_status_used(g, g->r->last, 0))
        return refuse(g, "its exit status is looked at", cmd(g, g->r->last)->next);
    if (is_pid_used(g))
        return refuse(g, "its process id is used by a command behind it", SHELL_NO);
    return true;
}

/* Another start that would go with the region, in a $( ) of it: one does not go unasked. */
static bool holds_other(const struct grower *g, const struct entry *e)
{
    const struct entries *all = &g->s->p->entries;
    size_t start = cmd(g, g->r->first)->start, end = cmd(g, g->r->last)->end;

    for (size_t i = 0; i < all->n; i++) {
        const struct rc_start *other = all->v[i] != e ? rc_start_of(all->v[i]) : NULL;

        if (other == NULL || other->script != g->s || other->command == SHELL_NO ||
            (other->command == rc_start_of(e)->command && other->list))
            continue;
        if (cmd(g, other->command)->start >= start && cmd(g, other->command)->end <= end)
            return true;
    }
    return false;
}

void rc_region_find(const struct entry *e, struct rc_region *region)
{
    const struct rc_start *start = rc_start_of(e);
    struct grower g = {start->script, start->script->sh, e->name, region};

    *region = (struct rc_region){start->command, start->command, NULL, SHELL_NO};
    for (;;) {
        if (!take_list(&g))
            return;
        take_echoes(&g);
        if (!take_block(&g))
            break;
    }
    if (check_around(&g) && holds_other(&g, e))
        refuse(&g, "another start stands within it", SHELL_NO);
}
