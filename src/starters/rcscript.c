#include "rcscript.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "batten/text.h"

static void rcscript_paths(const struct parse *p, struct strlist *patterns)
{
    static const char *const paths[] = {
        "etc/rc",        "etc/rc.local",  "etc/rc.[a-z]*",  "etc/netstart",  "etc/netlinkrc",
        "etc/rc.d/rcS",  "etc/rc.d/rc.*", "etc/init.d/rcS", "etc/init.d/rc", "etc/init.d/rc.*",
        "sbin/init.d/*", "etc/inittab",   "etc/init.d/*",   "etc/rc.d/*",
    };

    (void)p;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        strlist_add(patterns, paths[i]);
}

/* ---- entries ---- */

static char **copy_argv(char *const *argv)
{
    size_t n = 0;
    char **copy;

    while (argv[n] != NULL)
        n++;
    copy = mem_array(n + 1, sizeof(char *));
    for (size_t i = 0; i < n; i++)
        copy[i] = mem_strdup(argv[i]);
    return copy;
}

struct entry *rc_add_entry(struct rc_script *s, const struct rc_hit *hit, int command, size_t start,
                           size_t end)
{
    struct rc_start *detail;
    unsigned first, last;
    struct entry *e;

    if (s->nstarts++ >= RC_STARTS_MAX)
        return NULL;
    shell_lines_of(s->sh, start, end, &first, &last);
    e = entries_new(&s->p->entries);
    e->starter = &starter_rcscript;
    e->source = s->source;
    e->start = shell_line_start(s->sh, first);
    e->end = shell_line_end(s->sh, last);
    e->line = first;
    e->last_line = last;
    e->column = (unsigned)(start - e->start) + 1;
    e->enabled = true;
    e->name = mem_strdup(hit->name);
    e->program = mem_strdup(hit->program);
    free(e->argv);
    e->argv = copy_argv(hit->argv);
    e->flags = (hit->indirect ? ENTRY_INDIRECT : 0u) | (hit->loose ? ENTRY_LOOSE : 0u);
    e->locked = mem_strdup(s->locked != NULL ? s->locked : hit->locked);
    detail = mem_alloc(sizeof(*detail));
    *detail = (struct rc_start){.script = s,
                                .command = command,
                                .list = hit->list,
                                .word_start = hit->word_start,
                                .word_end = hit->word_end,
                                .nlist = hit->nlist,
                                .first = SHELL_NO,
                                .last = SHELL_NO};
    e->detail = detail;
    return e;
}

static void rcscript_free_detail(struct entry *e)
{
    free(e->detail);
    e->detail = NULL;
}

/* ---- what a command is ---- */

/* Whether anything runs behind C when it comes back: a subshell and the script itself end. */
static bool is_followed(const struct shell *sh, int c)
{
    for (;;) {
        const struct shell_block *b = &sh->blocks[sh->commands[c].block];

        for (int n = sh->commands[c].next; n != SHELL_NO; n = sh->commands[n].next)
            if (sh->commands[n].kind != SHELL_FUNCTION)
                return true;
        if (b->parent == SHELL_NO || b->kind == SHELL_SUBST ||
            sh->commands[b->parent].kind == SHELL_PAREN)
            return false;
        if (b->kind == SHELL_BODY || b->kind == SHELL_COND || b->kind == SHELL_FUNCTION_BODY)
            return true;
        c = b->parent;
    }
}

static void add_hits(struct rc_script *s, int c, struct rc_hits *hits)
{
    const struct shell_command *command = &s->sh->commands[c];

    for (size_t i = 0; i < hits->n; i++) {
        struct rc_hit *hit = &hits->v[i];
        size_t start = hit->list ? hit->word_start : command->start;
        size_t end = hit->list ? hit->word_end : command->end;

        if (hit->talks && hit->locked == NULL && (!rc_is_on_screen(s->sh, c) || rc_is_heard(s, c)))
            hit->locked = mem_strdup("what is printed beside it does not go to the screen");
        if (hit->replaces && hit->locked == NULL && is_followed(s->sh, c))
            hit->locked = mem_strdup("'exec' ends the script here, what follows it would run");
        rc_add_entry(s, hit, c, start, end);
    }
}

/* '. FILE' and 'source FILE' are read too. */
static void follow_source(struct rc_script *s, int c)
{
    struct rc_words words = {0};
    int name = shell_name_word(s->sh, c);
    const char *path;

    if (!shell_word_is(s->sh, name, ".") && !shell_word_is(s->sh, name, "source"))
        return;
    rc_words_get(s, s->sh->words[name].next, &words);
    path = words.n > 0 ? words.v[0].text : "";
    if (path[0] == '/' && strpbrk(path, "*?[\\\001") == NULL && path[1] != '\0')
        rc_add_more(s->p, path);
    rc_words_release(&words);
}

static void read_commands(struct rc_script *s)
{
    for (size_t c = 0; c < s->sh->ncommands && s->nstarts < RC_STARTS_MAX; c++) {
        struct rc_hits hits = {0};

        if (s->sh->commands[c].kind == SHELL_FOR)
            rc_find_loop(s, (int)c, &hits);
        rc_names_pass(&s->names, s->sh, (int)c);
        if (s->sh->commands[c].kind == SHELL_SIMPLE) {
            rc_find(s, (int)c, &hits);
            follow_source(s, (int)c);
        }
        add_hits(s, (int)c, &hits);
        rc_hits_release(&hits);
    }
}

/* ---- what cannot be edited ---- */

static void lock_starts(struct rc_script *s, size_t from)
{
    for (size_t i = from; i < s->p->entries.n; i++) {
        struct entry *e = s->p->entries.v[i];
        struct rc_region region = {0};

        if (e->locked != NULL || !e->enabled)
            continue;
        rc_region_find(e, true, &region);
        if (region.refused != NULL)
            e->locked = mem_strdup(region.refused);
    }
}

static void report_unbalanced(struct rc_script *s)
{
    const struct shell_problem *problem = &s->sh->problems[0];
    unsigned line = shell_line(s->sh, problem->offset);
    size_t start = shell_line_start(s->sh, line), end = shell_line_end(s->sh, line);
    struct diag *d = problems_new(&s->p->problems);

    diag_set(d, STATUS_ATTENTION, "unknown-line",
             "the script cannot be followed here, nothing in it is edited: %s", problem->message);
    diag_at(d, s->source->path, line, (unsigned)(problem->offset - start) + 1);
    diag_text(d, s->source->bytes + start, end - start);
}

static void report_starts(struct rc_script *s)
{
    struct diag *d = problems_new(&s->p->problems);

    diag_set(d, STATUS_ATTENTION, "too-many-starts",
             "more than %d commands start daemons, the rest is not read", (int)RC_STARTS_MAX);
    diag_at(d, s->source->path, 0, 0);
}

static char *lock_of(const struct rc_script *s)
{
    if (memchr(s->source->bytes, '\0', s->source->len) != NULL)
        return mem_strdup("its file holds NUL bytes");
    if (!shell_balanced(s->sh))
        return mem_printf("the script is not balanced, see line %u",
                          shell_line(s->sh, s->sh->problems[0].offset));
    if (s->init)
        return mem_strdup("it is an init script, which is switched off from outside");
    return NULL;
}

/* ---- a source ---- */

static int by_place(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* Not a binary that a pattern happened to match, nor a script of another language. */
static bool is_script(const struct source *source)
{
    static const char *const shells[] = {"sh",   "bash", "dash", "ksh",        "ash",
                                         "hush", "mksh", "zsh",  "openrc-run", "runscript"};
    const char *newline = memchr(source->bytes, '\n', source->len);
    size_t len = newline ? (size_t)(newline - source->bytes) : source->len;

    if (memchr(source->bytes, '\0', source->len < 512 ? source->len : 512) != NULL)
        return false;
    if (len < 2 || memcmp(source->bytes, "#!", 2) != 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (memmem(source->bytes, len, shells[i], strlen(shells[i])) != NULL)
            return true;
    return memmem(source->bytes, len, "rc.common", 9) != NULL;
}

static struct rc_script *add_script(struct parse *p, const struct source *source)
{
    struct rc_state *state = p->detail;
    struct rc_script *s = mem_alloc(sizeof(*s));

    if (state == NULL)
        p->detail = state = mem_alloc(sizeof(*state));
    state->scripts = mem_grow(state->scripts, state->n, &state->cap, sizeof(*state->scripts));
    state->scripts[state->n++] = s;
    s->p = p;
    s->source = source;
    s->sh = s->file = shell_parse(source->bytes, source->len);
    s->marks = mem_alloc(s->sh->ncommands + 1);
    rc_names_init(&s->names, s->sh);
    rc_runners_read(s);
    s->init = rc_is_init_script(s);
    s->locked = lock_of(s);
    return s;
}

static void rcscript_parse(struct parse *p, const struct source *source)
{
    size_t from = p->entries.n;
    struct rc_script *s;

    p->starter = &starter_rcscript;
    parse_add_source(p, source);
    if (strcmp(text_basename(source->path), "inittab") == 0) {
        rc_read_inittab(p, source);
        return;
    }
    if (!is_script(source))
        return;
    s = add_script(p, source);
    if (s->init) {
        rc_add_init(s);
    } else {
        read_commands(s);
        rc_add_comments(s);
        if (p->entries.n - from > 1)
            qsort(p->entries.v + from, p->entries.n - from, sizeof(*p->entries.v), by_place);
        lock_starts(s, from);
    }
    if (!shell_balanced(s->sh))
        report_unbalanced(s);
    if (s->nstarts > RC_STARTS_MAX)
        report_starts(s);
}

static void rcscript_finish(struct parse *p)
{
    (void)p;
}

static void rcscript_free_parse(struct parse *p)
{
    struct rc_state *state = p->detail;

    for (size_t i = 0; state != NULL && i < state->n; i++) {
        shell_free(state->scripts[i]->sh);
        rc_names_release(&state->scripts[i]->names);
        free(state->scripts[i]->locked);
        free(state->scripts[i]->marks);
        free(state->scripts[i]);
    }
    if (state != NULL)
        free(state->scripts);
    free(state);
    p->detail = NULL;
}

const struct starter starter_rcscript = {
    .name = "rcscript",
    .paths = rcscript_paths,
    .parse = rcscript_parse,
    .finish = rcscript_finish,
    .disable = rcscript_disable,
    .free_detail = rcscript_free_detail,
    .free_parse = rcscript_free_parse,
};
