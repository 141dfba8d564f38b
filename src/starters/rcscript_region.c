/* What goes with a start: the echo, the list, the loop and the if that serve only it. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "batten/mem.h"
#include "batten/text.h"

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

static bool refuse(struct grower *g, const char *why)
{
    g->r->refused = why;
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

/* TEXT names another daemon. *NAMED: it names the program. */
static bool names_other(const struct grower *g, const char *text, bool *named)
{
    *named = false;
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
        *named = *named || mine;
        if (other)
            return true;
    }
    return false;
}

/* C says something on the screen, and of no other daemon. *NAMED: it names the program. */
static bool says(const struct grower *g, int c, bool *named)
{
    struct rc_script script = *g->s;
    struct rc_words words = {0};
    struct buf text = BUF_INIT;
    bool other;

    if (cmd(g, c)->negated || g->s->marks[c] != RC_ALIVE || !rc_is_talk(g->s, g->sh, c) ||
        rc_is_heard(g->s, c))
        return false;
    rc_words_get(&script, g->sh->words[shell_name_word(g->sh, c)].next, &words);
    for (size_t i = 0; i < words.n; i++) {
        buf_adds(&text, words.v[i].text);
        buf_addc(&text, ' ');
    }
    other = names_other(g, buf_str(&text), named);
    rc_words_release(&words);
    buf_release(&text);
    return !other;
}

/* Wherever it stands, C announces the start. */
static bool serves(const struct grower *g, int c)
{
    bool named;

    return says(g, c, &named) && named;
}

/* C only talks: where nothing but the start decides whether it runs, it is about the start. */
static bool talks(const struct grower *g, int c)
{
    bool named;

    return says(g, c, &named);
}

/* ---- growing ---- */

/* Take in the rest of the && and || list, when it only guards or announces the start. */
static bool take_list(struct grower *g)
{
    int first = g->r->first, last = g->r->last;
    bool pipe = false;

    while (cmd(g, first)->prev != SHELL_NO && rc_joins(cmd(g, cmd(g, first)->prev)->op)) {
        first = cmd(g, first)->prev;
        pipe = pipe || cmd(g, first)->op == SHELL_PIPE;
        if (!pipe && !rc_is_test(g->sh, first) && !serves(g, first))
            return refuse(g, "whether it runs is decided by another command of its list");
    }
    while (rc_joins(cmd(g, last)->op) && cmd(g, last)->next != SHELL_NO) {
        pipe = pipe || cmd(g, last)->op == SHELL_PIPE;
        last = cmd(g, last)->next;
        if (!pipe && !rc_is_test(g->sh, last) && !talks(g, last))
            return refuse(g, "its exit status decides whether another command runs");
    }
    if (pipe)
        return refuse(g, "it is part of a pipeline");
    g->r->first = first;
    g->r->last = last;
    return true;
}

/* A command that stands alone between separators. */
static bool stands_alone(const struct grower *g, int c)
{
    int prev = cmd(g, c)->prev;

    return !rc_joins(cmd(g, c)->op) && cmd(g, c)->op != SHELL_AMP &&
           (prev == SHELL_NO || !rc_joins(cmd(g, prev)->op));
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
    return rc_is_setting(g->sh, c);
}

/* What an endless loop may do besides. */
static bool is_pause(const struct grower *g, int c)
{
    return cmd(g, c)->kind == SHELL_SIMPLE && rc_is_named(g->sh, c, " sleep usleep : true ") &&
           rc_has_plain_words(g->sh, c);
}

/* Whether the block holds nothing but the region, and commands that may stand beside it (NULL:
 * none). */
static bool fills(const struct grower *g, int block, bool (*beside)(const struct grower *, int))
{
    bool inside = false;

    for (int c = g->sh->blocks[block].first; c != SHELL_NO; c = cmd(g, c)->next) {
        inside = inside || c == g->r->first;
        if (!inside && (beside == NULL || !beside(g, c)))
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
        if (!rc_is_test(g->sh, t) || cmd(g, t)->op == SHELL_PIPE)
            return false;
    return true;
}

/* The if that the start is the condition of does no more than say how it went. */
static bool only_tells(const struct grower *g, int c)
{
    int cond = cmd(g, c)->first_block;

    if (cmd(g, c)->kind != SHELL_IF || cmd(g, c)->first_redir != SHELL_NO || !fills(g, cond, NULL))
        return false;
    for (int b = g->sh->blocks[cond].next; b != SHELL_NO; b = g->sh->blocks[b].next)
        for (int t = g->sh->blocks[b].first; t != SHELL_NO; t = cmd(g, t)->next)
            if (!rc_is_test(g->sh, t) && !talks(g, t))
                return false;
    return true;
}

/* Calls that are followed from one function to the next. */
enum { CALLS_MAX = 32 };

static bool holds_up(const struct shell *sh, const struct rc_names *names, int c, unsigned depth);

/* The same of the calls of the function that C defines. What cannot be known counts. */
static bool calls_hold_up(const struct shell *sh, const struct rc_names *names, int c,
                          unsigned depth)
{
    int word = sh->commands[c].first_word;
    struct rc_name *n = NULL;

    if (word != SHELL_NO)
        n = rc_names_find(names, sh->bytes + sh->words[word].start,
                          sh->words[word].end - sh->words[word].start);
    if (n == NULL || n->first_call == SHELL_NO || depth >= CALLS_MAX)
        return true;
    if (n->held != 0)
        return n->held == RC_HELD;
    n->held = RC_HELD; /* for a function that calls itself, and while it is looked at */
    for (int call = n->first_call; call != SHELL_NO; call = names->next_call[call])
        if (holds_up(sh, names, call, depth + 1))
            return true;
    n->held = RC_FREE;
    return false;
}

/* Something would be reached when C, in the foreground, were not there or came back. */
static bool holds_up(const struct shell *sh, const struct rc_names *names, int c, unsigned depth)
{
    while (sh->commands[c].op != SHELL_AMP) {
        const struct shell_block *b = &sh->blocks[sh->commands[c].block];

        for (int next = sh->commands[c].next; next != SHELL_NO; next = sh->commands[next].next)
            if (sh->commands[next].kind != SHELL_FUNCTION)
                return true;
        if (b->parent == SHELL_NO)
            return false;
        if (b->kind == SHELL_BODY || b->kind == SHELL_COND)
            return true;
        c = b->parent;
        if (b->kind == SHELL_FUNCTION_BODY)
            return calls_hold_up(sh, names, c, depth);
    }
    return false;
}

/* The daemon, with nothing in front of it that would leave it alone, is told to stay in the
 * foreground: the command comes back when it ends. */
static bool stays(const struct entry *e)
{
    static const struct {
        const char *program, *letters;
    } rows[] = {
        {"sshd",      "D" },
        {"dropbear",  "F" },
        {"telnetd",   "F" },
        {"named",     "fg"},
        {"httpd",     "f" },
        {"lighttpd",  "D" },
        {"ntpd",      "n" },
        {"inetd",     "i" },
        {"rpcbind",   "f" },
        {"rpc.statd", "F" },
    };
    const char *letters = NULL;

    if (e->argv[0] == NULL || strcmp(text_basename(e->argv[0]), e->name) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(e->name, rows[i].program) == 0)
            letters = rows[i].letters;
    for (size_t i = 0; letters != NULL && e->argv[i] != NULL; i++)
        if (e->argv[i][0] == '-' && e->argv[i][1] != '\0' && e->argv[i][2] == '\0' &&
            strchr(letters, e->argv[i][1]) != NULL)
            return true;
    return false;
}

/* The loop around the start, whose body is BLOCK, runs for nothing else. */
static bool only_repeats(struct grower *g, int c, int block)
{
    bool endless = true;
    int t;

    if (cmd(g, c)->kind != SHELL_LOOP)
        return false;
    for (t = g->sh->blocks[cmd(g, c)->first_block].first; t != SHELL_NO; t = cmd(g, t)->next) {
        if (!rc_is_test(g->sh, t) || cmd(g, t)->op == SHELL_PIPE)
            return false;
        endless = endless && rc_is_named(g->sh, t, " : true ");
    }
    if (!fills(g, block, endless ? is_pause : NULL))
        return false;
    if (holds_up(g->sh, &g->s->names, c, 0))
        return refuse(g, "the loop around it may never end, what follows it would run");
    return true;
}

/* Take in the group, subshell, loop or if around the region that holds nothing else. */
static bool take_block(struct grower *g)
{
    int block = cmd(g, g->r->first)->block, parent = g->sh->blocks[block].parent;
    bool whole = false;

    if (parent == SHELL_NO || g->sh->blocks[cmd(g, parent)->block].kind == SHELL_FUNCTION_BODY)
        return false; /* the function is still called */
    switch (g->sh->blocks[block].kind) {
    case SHELL_LIST:
        whole = fills(g, block, cmd(g, parent)->kind == SHELL_PAREN ? is_setting : NULL);
        break;
    case SHELL_THEN:
        whole = fills(g, block, NULL) && is_plain_if(g, parent);
        break;
    case SHELL_COND:
        whole = only_tells(g, parent);
        break;
    case SHELL_BODY:
        whole = only_repeats(g, parent, block);
        break;
    case SHELL_FILE:
    case SHELL_ELSE:
    case SHELL_ARM:
    case SHELL_FUNCTION_BODY:
    case SHELL_SUBST:
    default:
        break;
    }
    if (whole)
        g->r->first = g->r->last = parent;
    return whole;
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

void rc_region_find(const struct entry *e, bool echoes, struct rc_region *region)
{
    const struct rc_start *start = rc_start_of(e);
    struct grower g = {start->script, start->script->sh, e->name, region};

    *region = (struct rc_region){start->command, start->command, NULL, false};
    for (;;) {
        if (!take_list(&g))
            return;
        if (echoes)
            take_echoes(&g);
        if (!take_block(&g))
            break;
    }
    if (region->refused == NULL)
        region->refused = rc_region_used(g.s, region, e->name);
    if (region->refused == NULL && stays(e) && holds_up(g.sh, &g.s->names, region->last, 0))
        refuse(&g, "it stays in the foreground, what follows it would run");
    if (region->refused == NULL && holds_other(&g, e))
        refuse(&g, "another start stands within it");
    if (region->refused == NULL && !rc_words_only_ask(g.s, start->command))
        refuse(&g, "its words do more than name what it is given");
}
