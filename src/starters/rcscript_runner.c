/* Functions of the script that run what they are given: run() { echo "$1"; "$@"; } */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* The word behind an optional quote is a parameter or a variable. */
static bool is_variable(const struct shell *sh, int word)
{
    const struct shell_word *w = &sh->words[word];
    size_t at = w->start + (sh->bytes[w->start] == '"');

    return at < w->end && sh->bytes[at] == '$';
}

static bool is_all(const struct shell *sh, int word)
{
    static const char *const all[] = {"\"$@\"", "$@", "$*", "\"$*\"", "${@}", "\"${@}\""};

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (shell_word_is(sh, word, all[i]))
            return true;
    return false;
}

/* The first variable among the words of C: the program, behind nohup and its kin. */
static int program_of(const struct shell *sh, int c)
{
    int word = shell_name_word(sh, c);

    while (word != SHELL_NO && !is_variable(sh, word))
        word = sh->words[word].next;
    return word;
}

/* How many variables of a script are looked for in all of it. */
enum { PRIVATE_MAX = 256 };

struct reader {
    const struct rc_script *s;
    struct rc_name *f;
    int function;    /* the command that defines it */
    unsigned looked; /* variables looked for so far */
};

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* C stands in the function itself, and not in a branch of it, nor behind && or ||. */
static bool is_direct(const struct shell *sh, int c)
{
    int parent = sh->blocks[sh->commands[c].block].parent, before = sh->commands[c].prev;

    if (before != SHELL_NO && sh->commands[before].op >= SHELL_AND)
        return false;
    return parent != SHELL_NO && sh->blocks[sh->commands[parent].block].kind == SHELL_FUNCTION_BODY;
}

/* Where NAME stands next, from AT on; sh->len when it does not. */
static size_t next_name(const struct shell *sh, size_t at, const char *name, size_t len)
{
    const char *hit;

    while ((hit = memmem(sh->bytes + at, sh->len - at, name, len)) != NULL) {
        at = (size_t)(hit - sh->bytes);
        if ((at == 0 || !is_name_byte(hit[-1])) && (at + len == sh->len || !is_name_byte(hit[len])))
            return at;
        at += len;
    }
    return sh->len;
}

/* NAME=VALUE begins at AT. */
static bool is_assigned(const struct shell *sh, size_t at, size_t len)
{
    return at > 0 && strchr(" \t\n;", sh->bytes[at - 1]) != NULL && at + len + 1 < sh->len &&
           sh->bytes[at + len] == '=' && sh->bytes[at + len + 1] != '=';
}

/* The function says that the name is its own before it stands anywhere else in it. */
static bool is_local(const struct shell *sh, size_t function, const char *name, size_t len)
{
    size_t at = next_name(sh, function, name, len);

    return at > 6 && at < sh->len && memcmp(sh->bytes + at - 6, "local ", 6) == 0;
}

/* The name that C gives a value, from START on, is of no consequence outside the function, and for
 * the next call: it stands nowhere else, and always has a value before it is read. */
static bool is_private(struct reader *r, int c, size_t start)
{
    const struct shell *sh = r->s->sh;
    const struct shell_command *function = &sh->commands[r->function];
    const char *name = sh->bytes + start;
    size_t len = 0, at;

    while (start + len < sh->len && is_name_byte(name[len]))
        len++;
    /* those of the shell have capitals; IFS is as it was when it is unset */
    if (len == 0)
        return false;
    if (!islower((unsigned char)name[0]) &&
        !(len == 3 && memcmp(name, "IFS", 3) == 0 &&
          rc_has_text(sh, sh->commands[c].start, function->end, "unset IFS")))
        return false;
    if (r->looked++ >= PRIVATE_MAX)
        return false;
    if (is_local(sh, function->start, name, len))
        return true;
    /* it stands first where it is given a value, here or by another command that is looked at */
    at = next_name(sh, 0, name, len);
    if (at < function->start || strchr("${", sh->bytes[at - 1]) != NULL ||
        (at == start ? !is_direct(sh, c) : !is_assigned(sh, at, len)))
        return false;
    for (; at < sh->len; at = next_name(sh, at + len, name, len))
        if (at >= function->end)
            return false;
    return true;
}

/* The words of C from WORD on name or set private variables, NAME=VALUE not by what they were. */
static bool are_private(struct reader *r, int c, int word)
{
    const struct shell *sh = r->s->sh;

    for (; word != SHELL_NO; word = sh->words[word].next) {
        const struct shell_word *w = &sh->words[word];
        size_t len = 0;

        while (w->start + len < w->end && is_name_byte(sh->bytes[w->start + len]))
            len++;
        if (!is_private(r, c, w->start) ||
            next_name(sh, w->start + len, sh->bytes + w->start, len) < w->end)
            return false;
    }
    return true;
}

static bool is_in_loop(const struct shell *sh, int c)
{
    for (int b = sh->commands[c].block; sh->blocks[b].parent != SHELL_NO;
         b = sh->commands[sh->blocks[b].parent].block)
        if (sh->blocks[b].kind == SHELL_BODY || sh->blocks[b].kind == SHELL_FUNCTION_BODY)
            return sh->blocks[b].kind == SHELL_BODY;
    return false;
}

/* Command C of a function is no work: it talks, looks, or is about the arguments. */
static bool stands_by(struct reader *r, int c)
{
    const struct shell *sh = r->s->sh;
    int word = shell_name_word(sh, c);

    if (rc_is_idle(r->s, sh, c))
        return true;
    if (!rc_is_on_screen(sh, c) || !rc_words_only_ask(r->s, c))
        return false;
    if (sh->commands[c].kind == SHELL_FOR)
        return r->f->runs_all || (sh->commands[c].first_word != SHELL_NO &&
                                  is_private(r, c, sh->words[sh->commands[c].first_word].start));
    if (sh->commands[c].kind != SHELL_SIMPLE)
        return false;
    if (word == SHELL_NO)
        return are_private(r, c, sh->commands[c].first_word);
    if (rc_is_named(sh, c, " unset "))
        return are_private(r, c, sh->words[word].next);
    if (rc_is_named(sh, c, " break continue "))
        return is_in_loop(sh, c);
    return rc_is_named(sh, c, " shift return local ") || rc_is_query(r->s, c);
}

/* A stands in a condition of the if that command C is. */
static bool is_condition(const struct shell *sh, int c, int a)
{
    for (int b = sh->commands[c].first_block; b != SHELL_NO; b = sh->blocks[b].next)
        if (sh->blocks[b].kind == SHELL_COND && sh->blocks[b].start <= sh->commands[a].start &&
            sh->commands[a].start < sh->blocks[b].end)
            return true;
    return false;
}

/* Only one of the commands A and B, which is behind it, runs: they are in two branches of an if or
 * a case. */
static bool excludes(const struct shell *sh, int a, int b)
{
    for (int c = b; c != SHELL_NO;) {
        const struct shell_block *block = &sh->blocks[sh->commands[c].block];
        const struct shell_command *around;

        if (block->parent == SHELL_NO)
            return false;
        around = &sh->commands[block->parent];
        if (around->start <= sh->commands[a].start)
            return (around->kind == SHELL_IF || around->kind == SHELL_CASE) &&
                   sh->commands[a].start < block->start && !is_condition(sh, block->parent, a);
        c = block->parent;
    }
    return false;
}

/* C is an exec that ends the script, and not only a subshell. */
static bool ends_script(const struct shell *sh, int c)
{
    if (!rc_is_named(sh, c, " exec "))
        return false;
    for (; sh->blocks[sh->commands[c].block].kind != SHELL_FUNCTION_BODY;
         c = sh->blocks[sh->commands[c].block].parent)
        if (sh->commands[c].kind == SHELL_PAREN || sh->commands[c].op == SHELL_AMP)
            return false;
    return true;
}

static void add_run(struct reader *r, int c)
{
    struct rc_name *f = r->f;

    f->does_more = f->does_more || ends_script(r->s->sh, c);
    for (unsigned i = 0; i < f->nruns; i++)
        f->does_more = f->does_more || !excludes(r->s->sh, f->runs[i], c);
    if (f->nruns < ARRAY_LEN(f->runs))
        f->runs[f->nruns++] = c;
    else
        f->does_more = true;
}

static void read_body(struct reader *r)
{
    const struct shell *sh = r->s->sh;

    for (size_t c = (size_t)r->function + 1;
         c < sh->ncommands && sh->commands[c].start < sh->commands[r->function].end; c++) {
        r->f->talks = r->f->talks || rc_is_talk(r->s, sh, (int)c);
        if (stands_by(r, (int)c))
            continue;
        if (sh->commands[c].kind == SHELL_SIMPLE && program_of(sh, (int)c) != SHELL_NO)
            add_run(r, (int)c);
        else
            r->f->does_more = true;
    }
}

void rc_runners_read(struct rc_script *s)
{
    struct reader r = {.s = s};

    for (size_t c = 0; c < s->sh->ncommands; c++) {
        const struct shell_word *w;

        if (s->sh->commands[c].kind != SHELL_FUNCTION || s->sh->commands[c].first_word == SHELL_NO)
            continue;
        w = &s->sh->words[s->sh->commands[c].first_word];
        r.f = rc_names_find(&s->names, s->sh->bytes + w->start, w->end - w->start);
        r.function = (int)c;
        if (r.f != NULL && r.f->runner != 0)
            read_body(&r);
    }
}

static void add_word(struct rc_words *words, const char *text, size_t len)
{
    words->v = mem_grow(words->v, words->n, &words->cap, sizeof(*words->v));
    words->v[words->n++] = (struct rc_word){.text = mem_strndup(text, len)};
}

/* The number of the parameter at WORD: "$2". 0 when it is none. */
static unsigned number_of(const struct shell *sh, int word)
{
    size_t at = sh->words[word].start, end = sh->words[word].end;

    at += at < end && sh->bytes[at] == '"';
    at += at < end && sh->bytes[at] == '$';
    at += at < end && sh->bytes[at] == '{';
    if (at == sh->words[word].start || at >= end || !isdigit((unsigned char)sh->bytes[at]))
        return 0;
    return (unsigned)(sh->bytes[at] - '0');
}

/* The word behind the program that its function gives it. The program is at W[AT] of the call, and
 * parameter FIRST of the function. */
static void add_given(const struct shell *sh, int word, const struct rc_words *w, size_t at,
                      unsigned first, struct rc_words *given)
{
    unsigned number = number_of(sh, word);
    struct buf text = BUF_INIT;

    if (is_all(sh, word)) {
        for (size_t i = at + 1; i < w->n; i++)
            add_word(given, w->v[i].text, strlen(w->v[i].text));
        return;
    }
    if (number > first) {
        at += number - first;
        if (at < w->n)
            add_word(given, w->v[at].text, strlen(w->v[at].text));
        return;
    }
    shell_expand(&text, sh->bytes + sh->words[word].start,
                 sh->words[word].end - sh->words[word].start, NULL, NULL, NULL);
    add_word(given, buf_str(&text), text.len);
    buf_release(&text);
}

/* The same for one of the commands of the function that run it. */
static bool run_starts(const struct rc_script *s, int c, const struct rc_words *words, size_t at)
{
    int word = program_of(s->file, c);
    unsigned first = number_of(s->file, word);
    struct rc_words given = {0};
    bool starts, known = true;

    first = first > 0 ? first : 1;
    add_word(&given, words->v[at].text, strlen(words->v[at].text));
    if (is_all(s->file, word))
        add_given(s->file, word, words, at, first, &given);
    for (word = s->file->words[word].next; word != SHELL_NO; word = s->file->words[word].next)
        add_given(s->file, word, words, at, first, &given);
    for (size_t i = 0; i < given.n; i++)
        known = known && strchr(given.v[i].text, SHELL_GAP) == NULL;
    if (rc_is_start_script(given.v[0].text))
        starts = rc_says_start(&given, 0);
    else
        starts = !known || !rc_is_daemon(s, rc_basename(given.v[0].text)) ||
                 !rc_only_asks(rc_basename(given.v[0].text), &given, 0);
    rc_words_release(&given);
    return starts;
}

bool rc_runner_starts(const struct rc_script *s, const struct rc_name *f,
                      const struct rc_words *words, size_t at)
{
    if (f->nruns == 0 || rc_basename(words->v[at].text) == NULL)
        return true;
    for (unsigned i = 0; i < f->nruns; i++)
        if (run_starts(s, f->runs[i], words, at))
            return true;
    return false;
}
