/* Which commands start a daemon. */
#include "rcscript.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum { TEXT_DEPTH = 4 };

/* A program that stands for a name: NAMED or named_program for named. */
static char *name_of_variable(const struct rc_script *s, const struct rc_word *w)
{
    static const char *const tails[] = {"_program", "_bin", "_daemon", "_cmd", NULL};
    const char *text = s->sh->bytes + w->start;
    size_t len = w->end - w->start, from = 0;
    char *name, *found = NULL;

    while (from < len && strchr("\"${", text[from]) != NULL)
        from++;
    if (from == 0 || text[from - 1] == '"')
        return NULL;
    name = mem_strndup(text + from, len - from);
    for (char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && *p != '_')
            *p = '\0';
        else
            *p = (char)tolower((unsigned char)*p);
        if (*p == '\0')
            break;
    }
    for (const char *const *t = tails; *t != NULL; t++) {
        size_t n = strlen(name), k = strlen(*t);

        if (n > k && strcmp(name + n - k, *t) == 0)
            name[n - k] = '\0';
    }
    if (rc_is_daemon(s, name))
        found = mem_strdup(name);
    free(name);
    return found;
}

/* The daemon that is started where the variable is empty: ${x:-named}. Caller frees. */
static char *name_of_default(const struct rc_script *s, const struct rc_word *w)
{
    const char *text = s->sh->bytes + w->start;
    size_t len = w->end - w->start, at = 0;
    struct buf value = BUF_INIT;
    const char *base;
    char *name = NULL;

    if (len > 2 && text[0] == '"') {
        text++;
        len -= 2;
    }
    if (len < 3 || memcmp(text, "${", 2) != 0 || text[len - 1] != '}')
        return NULL;
    for (at = 2; at < len && (isalnum((unsigned char)text[at]) || text[at] == '_');)
        at++;
    at += text[at] == ':';
    if (at < len && strchr("-=", text[at]) != NULL)
        shell_expand(&value, text + at + 1, len - at - 2, NULL, NULL, NULL);
    base = rc_basename(buf_str(&value));
    if (base != NULL && rc_is_daemon(s, base))
        name = mem_strdup(base);
    buf_release(&value);
    return name;
}

/* The program at WORDS[AT] is only known when the script runs. */
static void find_computed(struct rc_script *s, const struct rc_words *w, size_t at, unsigned depth,
                          struct rc_hits *hits)
{
    static const char only_gap[] = {SHELL_GAP, '\0'};
    struct rc_hit *hit;
    char *name;

    if (depth > 0 || strcmp(w->v[at].text, only_gap) != 0)
        return;
    name = name_of_variable(s, &w->v[at]);
    if (name == NULL)
        name = name_of_default(s, &w->v[at]);
    if (name == NULL)
        return;
    hit = rc_hits_add(hits, name, w, at, w->n - at - 1);
    hit->loose = true;
    hit->locked = mem_printf("its program '%.*s' is not a constant of this file",
                             (int)(w->v[at].end - w->v[at].start), s->sh->bytes + w->v[at].start);
    free(name);
}

static void find_program(struct rc_script *s, const struct rc_words *w, size_t at, unsigned depth,
                         struct rc_hits *hits)
{
    const char *name = rc_basename(w->v[at].text);

    if (name == NULL)
        find_computed(s, w, at, depth, hits);
    else if (rc_is_daemon(s, name) && !rc_only_asks(name, w, at))
        rc_hits_add(hits, name, w, at, w->n - at - 1);
}

/* ---- through a command line in a word ---- */

/* What is behind the program may be anything, what it is itself may not. */
static void lock_uncertain(struct rc_hit *hit, const struct rc_words *words)
{
    for (size_t i = 0; i < words->n && i <= hit->at; i++) {
        if (!words->v[i].uncertain || hit->loose)
            continue;
        hit->loose = true;
        if (hit->locked == NULL)
            hit->locked = mem_strdup("a variable in it is set in more than one way");
    }
}

/* The starts in TEXT. Beside them it may only talk and look, and, where it is run by a shell of its
 * OWN, change that shell. */
static void find_text(struct rc_script *s, const char *text, bool own, unsigned depth,
                      struct rc_hits *hits)
{
    struct shell *sh;
    struct rc_script inner = *s;
    bool others = false, talks = false;
    size_t before = hits->n;

    if (depth >= TEXT_DEPTH || strlen(text) > SOURCE_LINE_MAX)
        return;
    sh = shell_parse(text, strlen(text));
    inner.sh = sh;
    for (size_t c = 0; c < sh->ncommands; c++) {
        struct rc_words words = {0};
        size_t found = hits->n;
        int name = shell_name_word(sh, (int)c);

        if (name != SHELL_NO)
            rc_words_get(&inner, name, &words);
        if (words.n > 0)
            rc_find_words(&inner, &words, 0, depth + 1, hits);
        for (size_t i = found; i < hits->n; i++)
            lock_uncertain(&hits->v[i], &words);
        talks = talks || rc_is_talk(s, sh, (int)c);
        others = others || (hits->n == found && !rc_is_idle(s, sh, (int)c) &&
                            !(own && rc_is_setting(sh, (int)c)));
        rc_words_release(&words);
    }
    for (size_t i = before; i < hits->n; i++) {
        if ((others || hits->n - before > 1) && hits->v[i].locked == NULL)
            hits->v[i].locked = mem_strdup("it is one of several commands in one string");
        hits->v[i].talks = hits->v[i].talks || talks;
        hits->v[i].replaces = hits->v[i].replaces && !own;
        hits->v[i].list = false;
        hits->v[i].at = SIZE_MAX; /* a word of another command */
    }
    shell_free(sh);
}

void rc_find_text(struct rc_script *s, const char *text, unsigned depth, struct rc_hits *hits)
{
    find_text(s, text, true, depth, hits);
}

static void find_joined(struct rc_script *s, const struct rc_words *w, size_t at, unsigned depth,
                        struct rc_hits *hits)
{
    struct buf text = BUF_INIT;

    for (size_t i = at; i < w->n; i++) {
        buf_adds(&text, i > at ? " " : "");
        buf_adds(&text, w->v[i].text);
    }
    find_text(s, buf_str(&text), false, depth, hits);
    buf_release(&text);
}

/* ---- */

static void find_list(struct rc_script *s, const struct rc_words *w, size_t at, bool services,
                      struct rc_hits *hits)
{
    size_t before = hits->n;

    for (size_t i = at; i < w->n; i++) {
        const char *name = rc_basename(w->v[i].text);

        if (services)
            rc_find_service(s, w, i, true, hits);
        else if (name != NULL && rc_is_daemon(s, name))
            rc_hits_add(hits, name, w, i, 0)->list = true;
    }
    for (size_t i = before; i < hits->n; i++) {
        hits->v[i].list_at = at;
        rc_hit_set_list(&hits->v[i], w->n - at);
    }
}

/* What listens in place of the program behind it. */
static void set_listener(struct rc_hits *hits, size_t from, const struct rc_word *listener)
{
    for (size_t i = from; listener != NULL && i < hits->n; i++) {
        free(hits->v[i].program);
        hits->v[i].program = mem_strdup(listener->shown);
    }
}

static bool is_listener(const char *text)
{
    return rc_is_in(text_basename(text), " tcpsvd udpsvd tcpserver ");
}

/* The last layer of a command: what is there is a start or is none. */
static void find_inner(struct rc_script *s, const struct rc_words *words, size_t at,
                       enum rc_wrap_kind kind, unsigned depth, struct rc_hits *hits)
{
    switch (kind) {
    case RC_WRAP_NONE:
        if (!rc_find_script(s, words, at, hits))
            find_program(s, words, at, depth, hits);
        break;
    case RC_WRAP_LIST:
        find_list(s, words, at, false, hits);
        break;
    case RC_WRAP_TEXT:
        rc_find_text(s, words->v[at].text, depth, hits);
        break;
    case RC_WRAP_JOIN:
        find_joined(s, words, at, depth, hits);
        break;
    case RC_WRAP_NAME:
        rc_find_service(s, words, at, false, hits);
        break;
    case RC_WRAP_NAMES:
        find_list(s, words, at, true, hits);
        break;
    case RC_WRAP_SCRIPT:
        rc_find_script(s, words, at, hits);
        break;
    case RC_WRAP_SKIP:
    case RC_WRAP_STOP:
    default:
        break;
    }
}

/* Why a start behind the word TEXT is not edited, or NULL. *TALKS becomes true where the word is a
 * function that prints. */
static const char *why_locked(const struct rc_script *s, const char *text, bool *talks)
{
    const struct rc_name *f = rc_names_find(&s->names, text, strlen(text));

    if (f != NULL && f->function)
        *talks = *talks || f->talks;
    if (f != NULL && f->function)
        return f->does_more ? "the function that runs it does other things too" : NULL;
    return strcmp(text, "coproc") == 0 ? "'coproc' hands its output to the script" : NULL;
}

void rc_find_words(struct rc_script *s, const struct rc_words *words, size_t at, unsigned depth,
                   struct rc_hits *hits)
{
    const struct rc_word *listener = NULL;
    const char *why = NULL;
    bool replaces = false, talks = false;
    size_t before = hits->n;

    for (unsigned layers = 0; layers < 16 && at < words->n; layers++) {
        size_t inner = at;
        enum rc_wrap_kind kind = rc_unwrap(s, words, &inner);

        why = why != NULL ? why : why_locked(s, words->v[at].text, &talks);
        replaces = replaces || strcmp(words->v[at].text, "exec") == 0;
        if (kind != RC_WRAP_SKIP) {
            find_inner(s, words, inner, kind, depth, hits);
            break;
        }
        if (listener == NULL && is_listener(words->v[at].text))
            listener = &words->v[at];
        at = inner;
    }
    for (size_t i = before; i < hits->n; i++) {
        hits->v[i].talks = hits->v[i].talks || talks;
        hits->v[i].replaces = hits->v[i].replaces || replaces;
        if (why != NULL && hits->v[i].locked == NULL)
            hits->v[i].locked = mem_strdup(why);
    }
    set_listener(hits, before, listener);
}

/* How many of the words in front are the shell's own, or a function of the file with its words. */
static size_t count_builtins(const struct rc_script *s, const struct rc_words *words)
{
    size_t at = 0;

    while (at + 1 < words->n) {
        const char *text = words->v[at].text;
        const struct rc_name *f = rc_names_find(&s->names, text, strlen(text));

        if (f != NULL && f->function && at + f->runner < words->n)
            at += f->runner > 0 ? f->runner : 1;
        else if (rc_is_in(text, " exec eval command builtin "))
            at++;
        else
            break;
    }
    return at;
}

/* argv becomes the whole command from word FROM on, as it could be run again; of a list it has the
 * one word. */
static void set_argv(struct rc_hit *hit, const struct rc_words *words, size_t from)
{
    size_t end = hit->list ? hit->list_at : words->n, n = 0;

    for (size_t i = 0; hit->argv[i] != NULL; i++)
        free(hit->argv[i]);
    free(hit->argv);
    hit->argv = mem_array(words->n + 2, sizeof(char *));
    for (size_t i = from; i < end; i++)
        hit->argv[n++] = mem_strdup(words->v[i].shown);
    hit->own = hit->at >= from && hit->at < end ? hit->at - from : n;
    if (hit->list)
        hit->argv[n] = mem_strdup(words->v[hit->at].shown);
}

bool rc_is_worth(struct rc_script *s, int word)
{
    const struct shell_word *w = &s->sh->words[word];
    const char *text = s->sh->bytes + w->start;
    size_t len = w->end - w->start;
    char name[64];
    const char *base;

    for (size_t i = 0; i < len; i++)
        if (text[i] == '$' || text[i] == '`' || text[i] == '"' || text[i] == '\'' ||
            text[i] == '\\')
            return true;
    if (len >= sizeof(name))
        return true;
    memcpy(name, text, len);
    name[len] = '\0';
    base = text_basename(name);
    return rc_is_daemon(s, base) || rc_may_wrap(s, name) || rc_is_start_script(name);
}

void rc_find(struct rc_script *s, int c, struct rc_hits *hits)
{
    struct rc_words words = {0};
    int name = shell_name_word(s->sh, c);
    size_t before = hits->n;

    if (name == SHELL_NO || !rc_is_worth(s, name))
        return;
    rc_words_get(s, name, &words);
    if (words.n > 0)
        rc_find_words(s, &words, 0, 0, hits);
    for (size_t i = before; i < hits->n; i++) {
        set_argv(&hits->v[i], &words, count_builtins(s, &words));
        lock_uncertain(&hits->v[i], &words);
    }
    rc_words_release(&words);
}
