/* What the functions of a script look at and leave behind, and who calls them. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"

/* Calls within each other; what is deeper is taken to run at the end. */
enum { CALL_DEPTH = 64 };

/* ---- what a text asks for ---- */

bool rc_asks_status(const struct shell *sh, size_t start, size_t end)
{
    return rc_has_text(sh, start, end, "$?") || rc_has_text(sh, start, end, "${?") ||
           rc_has_text(sh, start, end, "PIPESTATUS");
}

size_t rc_asks_pid(const struct shell *sh, size_t start, size_t end)
{
    const char *bytes = sh->bytes, *at;

    while (start < end && (at = memchr(bytes + start, '!', end - start)) != NULL) {
        size_t i = (size_t)(at - bytes);

        if (i > 0 && bytes[i - 1] == '$')
            return i;
        /* ${!name} is the value of another variable */
        if (i > 1 && memcmp(bytes + i - 2, "${", 2) == 0 && i + 1 < end &&
            !isalnum((unsigned char)bytes[i + 1]) && bytes[i + 1] != '_')
            return i;
        start = i + 1;
    }
    return end;
}

bool rc_hands_on(const struct shell *sh, int c)
{
    return sh->commands[c].kind == SHELL_SIMPLE && rc_is_named(sh, c, " return exit ") &&
           sh->words[shell_name_word(sh, c)].next == SHELL_NO;
}

/* kill %1, wait %+, fg: C means a job by its number, or the latest one. */
static bool names_job(const struct shell *sh, int c)
{
    if (sh->commands[c].kind != SHELL_SIMPLE)
        return false;
    if (rc_is_named(sh, c, " fg bg "))
        return true;
    if (!rc_is_named(sh, c, " kill wait disown jobs "))
        return false;
    for (int word = sh->words[shell_name_word(sh, c)].next; word != SHELL_NO;
         word = sh->words[word].next) {
        const char *text = sh->bytes + sh->words[word].start;

        if (text[*text == '"' || *text == '\''] == '%')
            return true;
    }
    return false;
}

/* ---- -e ---- */

/* set -e */
static bool sets_errexit(const struct shell *sh, int c)
{
    int word = shell_name_word(sh, c);

    if (!shell_word_is(sh, word, "set"))
        return false;
    for (word = sh->words[word].next; word != SHELL_NO; word = sh->words[word].next) {
        const struct shell_word *w = &sh->words[word];

        if (shell_word_is(sh, word, "errexit") ||
            (sh->bytes[w->start] == '-' &&
             memchr(sh->bytes + w->start, 'e', w->end - w->start) != NULL))
            return true;
    }
    return false;
}

/* #!/bin/sh -e, or -ue, or -o errexit */
static bool is_run_with_e(const struct shell *sh)
{
    const char *newline = memchr(sh->bytes, '\n', sh->len);
    size_t len = newline != NULL ? (size_t)(newline - sh->bytes) : sh->len;
    bool option = false;

    if (len < 2 || memcmp(sh->bytes, "#!", 2) != 0)
        return false;
    for (size_t i = 2; i < len; i++) {
        bool begins = isspace((unsigned char)sh->bytes[i - 1]);

        option = begins ? sh->bytes[i] == '-' : option && !isspace((unsigned char)sh->bytes[i]);
        if (option && sh->bytes[i] == 'e')
            return true;
    }
    return memmem(sh->bytes, len, "errexit", 7) != NULL;
}

/* ---- traits ---- */

/* $! stands in function F before any command of its own that runs in the background. */
static bool reads_pid(const struct shell *sh, int f)
{
    size_t end = sh->commands[f].end, asked = rc_asks_pid(sh, sh->commands[f].start, end);

    for (size_t c = (size_t)f + 1; asked < end && c < sh->ncommands; c++) {
        if (sh->commands[c].start >= asked)
            break;
        if (sh->commands[c].op == SHELL_AMP && sh->commands[c].end < asked)
            return false;
    }
    return asked < end;
}

void rc_calls_function(struct rc_name *n, const struct shell *sh, int f)
{
    size_t start = sh->commands[f].start, end = sh->commands[f].end;

    n->traits |= reads_pid(sh, f) ? RC_READS_PID : 0u;
    n->traits |= rc_asks_status(sh, start, end) ? RC_READS : 0u;
    for (size_t c = (size_t)f + 1; c < sh->ncommands && sh->commands[c].start < end; c++)
        if (sh->commands[c].op == SHELL_AMP)
            n->traits |= RC_SPAWNS;
}

/* ---- calls ---- */

struct rc_name *rc_called_by(const struct rc_names *names, const struct shell *sh, int c)
{
    int word = shell_name_word(sh, c);
    struct rc_name *n;

    if (word == SHELL_NO)
        return NULL;
    n = rc_names_find(names, sh->bytes + sh->words[word].start,
                      sh->words[word].end - sh->words[word].start);
    return n != NULL && n->function ? n : NULL;
}

int rc_function_around(const struct shell *sh, int c)
{
    while (c != SHELL_NO) {
        const struct shell_block *b = &sh->blocks[sh->commands[c].block];

        if (b->kind == SHELL_FUNCTION_BODY)
            return b->parent;
        c = b->parent;
    }
    return SHELL_NO;
}

/* The same where C is what the function runs first, with the $? of its caller. */
static int function_begun_by(const struct shell *sh, int c)
{
    while (c != SHELL_NO && sh->commands[c].prev == SHELL_NO) {
        const struct shell_block *b = &sh->blocks[sh->commands[c].block];

        if (b->kind == SHELL_FUNCTION_BODY)
            return b->parent;
        if (b->parent == SHELL_NO || b->kind == SHELL_THEN || b->kind == SHELL_ELSE ||
            (b->kind == SHELL_BODY && sh->commands[b->parent].kind == SHELL_LOOP) ||
            (b->kind == SHELL_COND && &sh->blocks[sh->commands[b->parent].first_block] != b))
            return SHELL_NO;
        c = b->parent;
    }
    return SHELL_NO;
}

static struct rc_name *defined_by(const struct rc_names *names, const struct shell *sh, int f)
{
    const struct shell_word *w;

    if (f == SHELL_NO || sh->commands[f].first_word == SHELL_NO)
        return NULL;
    w = &sh->words[sh->commands[f].first_word];
    return rc_names_find(names, sh->bytes + w->start, w->end - w->start);
}

void rc_calls_mark(struct rc_names *names, const struct shell *sh, int c, enum rc_trait trait)
{
    struct rc_name *f = defined_by(names, sh, rc_function_around(sh, c));

    if (f != NULL)
        f->traits |= trait;
}

/* Who calls a reader of $? is one where that is what it does first. */
void rc_calls_spread(struct rc_names *names, const struct shell *sh, enum rc_trait trait)
{
    struct rc_name **todo = mem_array(names->n + 1, sizeof(*todo));
    size_t n = 0;

    for (size_t i = 0; i < names->n; i++)
        if (names->v[i].traits & trait)
            todo[n++] = &names->v[i];
    while (n > 0) {
        for (int c = todo[--n]->first_call; c != SHELL_NO; c = names->next_call[c]) {
            struct rc_name *caller = defined_by(names, sh,
                                                trait == RC_READS ? function_begun_by(sh, c)
                                                                  : rc_function_around(sh, c));

            if (caller == NULL || (caller->traits & trait))
                continue;
            caller->traits |= trait;
            todo[n++] = caller;
        }
    }
    free(todo);
}

/* Behind the last command that has the function around C run. */
static size_t last_call(const struct rc_names *names, const struct shell *sh, int c, unsigned depth)
{
    struct rc_name *f = defined_by(names, sh, rc_function_around(sh, c));

    if (f == NULL || f->ran > 0)
        return f != NULL ? f->ran : 0;
    f->ran = 1; /* for a function that calls itself */
    for (int call = f->first_call; call != SHELL_NO; call = names->next_call[call]) {
        size_t at = depth < CALL_DEPTH ? last_call(names, sh, call, depth + 1) : sh->len;

        at = sh->commands[call].end > at ? sh->commands[call].end : at;
        f->ran = at > f->ran ? at : f->ran;
    }
    return f->ran;
}

size_t rc_last_run(const struct rc_names *names, const struct shell *sh, int c)
{
    size_t at = last_call(names, sh, c, 0);

    return sh->commands[c].end > at ? sh->commands[c].end : at;
}

void rc_calls_read(struct rc_names *names, const struct shell *sh)
{
    names->next_call = mem_array(sh->ncommands + 1, sizeof(*names->next_call));
    names->asks_pid = rc_asks_pid(sh, 0, sh->len) < sh->len;
    names->errexit = is_run_with_e(sh);
    for (size_t c = sh->ncommands; c-- > 0;) {
        struct rc_name *n = rc_called_by(names, sh, (int)c), *f;

        names->next_call[c] = SHELL_NO;
        names->errexit = names->errexit || sets_errexit(sh, (int)c);
        if (rc_hands_on(sh, (int)c) &&
            (f = defined_by(names, sh, function_begun_by(sh, (int)c))) != NULL)
            f->traits |= RC_READS;
        if (n == NULL)
            continue;
        names->next_call[c] = n->first_call;
        n->first_call = (int)c;
    }
    rc_calls_spread(names, sh, RC_READS);
    rc_calls_spread(names, sh, RC_READS_PID);
    rc_calls_spread(names, sh, RC_SPAWNS);
    for (size_t c = 0; c < sh->ncommands; c++)
        if (names_job(sh, (int)c)) {
            size_t at = rc_last_run(names, sh, (int)c);

            names->asks_job = at > names->asks_job ? at : names->asks_job;
        }
}
