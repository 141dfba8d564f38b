/* Variables of a script that hold constants, and its functions. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* Longer values name no program. */
enum { VALUE_MAX = 1024 };

static size_t hash(const char *name, size_t len)
{
    size_t h = 2166136261u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)name[i]) * 16777619u;
    return h;
}

struct rc_name *rc_names_find(const struct rc_names *names, const char *name, size_t len)
{
    int i = names->buckets[hash(name, len) & (names->nbuckets - 1)];

    for (; i >= 0; i = names->v[i].next)
        if (strncmp(names->v[i].name, name, len) == 0 && names->v[i].name[len] == '\0')
            return &names->v[i];
    return NULL;
}

/* Twice the buckets: what loops have are names, too. */
static void rehash(struct rc_names *names)
{
    names->nbuckets *= 2;
    free(names->buckets);
    names->buckets = mem_array(names->nbuckets, sizeof(*names->buckets));
    for (size_t i = 0; i < names->nbuckets; i++)
        names->buckets[i] = -1;
    for (size_t i = 0; i < names->n; i++) {
        const char *name = names->v[i].name;
        size_t bucket = hash(name, strlen(name)) & (names->nbuckets - 1);

        names->v[i].next = names->buckets[bucket];
        names->buckets[bucket] = (int)i;
    }
}

struct rc_name *rc_names_add(struct rc_names *names, const char *name, size_t len)
{
    struct rc_name *found = rc_names_find(names, name, len);
    size_t bucket;

    if (found != NULL)
        return found;
    if (names->n >= names->nbuckets)
        rehash(names);
    bucket = hash(name, len) & (names->nbuckets - 1);
    names->v = mem_grow(names->v, names->n, &names->cap, sizeof(*names->v));
    found = &names->v[names->n];
    *found = (struct rc_name){
        .name = mem_strndup(name, len), .first_call = SHELL_NO, .next = names->buckets[bucket]};
    names->buckets[bucket] = (int)names->n++;
    return found;
}

/* Nothing is no other program: what it names is not started then. */
static bool same_program(const char *a, const char *b)
{
    return *a == '\0' || *b == '\0' || strcmp(text_basename(a), text_basename(b)) == 0;
}

static void assign(struct rc_name *n, const char *value, bool certain)
{
    static const char gap[] = {SHELL_GAP, '\0'};

    if (strlen(value) > VALUE_MAX)
        value = gap;
    if (n->only == NULL || *n->only == '\0') {
        free(n->only);
        n->only = mem_strdup(value);
    } else if (!same_program(n->only, value))
        n->mixed = true;
    n->exact = certain;
    if (!certain && *value == '\0' && n->value != NULL)
        return;
    if (certain || n->value == NULL)
        n->uncertain = false;
    else if (!same_program(n->value, value))
        n->uncertain = true;
    free(n->value);
    n->value = mem_strdup(value);
}

void rc_names_set(struct rc_names *names, const char *name, size_t len, const char *value)
{
    assign(rc_names_add(names, name, len), value, true);
}

const char *rc_names_lookup(void *ctx, const char *name, size_t len)
{
    struct rc_names *names = ctx;
    const struct rc_name *n = rc_names_find(names, name, len);

    names->inexact = names->inexact || n == NULL || n->value == NULL || !n->exact;
    if (n == NULL || n->only == NULL)
        return NULL;
    if (n->value == NULL) {
        names->uncertain = names->uncertain || n->mixed;
        return n->only;
    }
    names->uncertain = names->uncertain || n->uncertain;
    return n->value;
}

/* Whether the command runs whenever the script does, as far as its blocks go. */
static bool is_unconditional(const struct shell *sh, int c)
{
    int block = sh->commands[c].block;

    while (sh->blocks[block].kind == SHELL_LIST || sh->blocks[block].kind == SHELL_COND)
        block = sh->commands[sh->blocks[block].parent].block;
    return sh->blocks[block].kind == SHELL_FILE;
}

/* NAME=VALUE or NAME at a word. */
static void assign_word(struct rc_names *names, const struct shell *sh, int word, bool certain)
{
    static const char gap[] = {SHELL_GAP, '\0'};
    const struct shell_word *w = &sh->words[word];
    const char *text = sh->bytes + w->start;
    size_t len = w->end - w->start;
    const char *equals = memchr(text, '=', len);
    struct buf value = BUF_INIT;
    size_t name;

    if (equals == NULL || equals == text)
        return;
    name = (size_t)(equals - text);
    if (text[name - 1] == '+') {
        assign(rc_names_add(names, text, name - 1), gap, false);
        return;
    }
    names->inexact = false;
    shell_expand(&value, equals + 1, len - name - 1, rc_names_lookup, names, NULL);
    assign(rc_names_add(names, text, name), buf_str(&value), certain);
    if (names->inexact)
        rc_names_add(names, text, name)->exact = false;
    buf_release(&value);
}

/* : ${NAME:=VALUE} */
static void assign_default(struct rc_names *names, const struct shell *sh, int word)
{
    const char *text = sh->bytes + sh->words[word].start;
    size_t len = sh->words[word].end - sh->words[word].start, i = 0;
    struct buf value = BUF_INIT;

    if (len > 0 && text[0] == '"') {
        text++;
        len -= 2;
    }
    if (len < 5 || memcmp(text, "${", 2) != 0)
        return;
    for (i = 2; i < len && text[i] != ':' && text[i] != '=' && text[i] != '}';)
        i++;
    if (memchr(text + i, '=', len - i) == NULL)
        return;
    shell_expand(&value, text, len, rc_names_lookup, names, NULL);
    assign(rc_names_add(names, text + 2, i - 2), buf_str(&value), true);
    rc_names_add(names, text + 2, i - 2)->exact = false;
    buf_release(&value);
}

static void forget_words(struct rc_names *names, const struct shell *sh, int word)
{
    static const char gap[] = {SHELL_GAP, '\0'};

    for (; word != SHELL_NO; word = sh->words[word].next)
        if (sh->bytes[sh->words[word].start] != '-')
            assign(rc_names_add(names, sh->bytes + sh->words[word].start,
                                sh->words[word].end - sh->words[word].start),
                   gap, false);
}

static bool is_one(const struct shell *sh, int word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (shell_word_is(sh, word, *list))
            return true;
    return false;
}

void rc_names_pass(struct rc_names *names, const struct shell *sh, int c)
{
    static const char *const setters[] = {"export",  "readonly", "local", "typeset",
                                          "declare", "set",      NULL};
    static const char *const forgetters[] = {"read", "getopts", "unset", "mapfile", NULL};
    static const char gap[] = {SHELL_GAP, '\0'};
    const struct shell_command *command = &sh->commands[c];
    int name = shell_name_word(sh, c);
    bool certain = is_unconditional(sh, c);

    if (command->kind == SHELL_FOR && command->first_word != SHELL_NO) {
        const struct shell_word *w = &sh->words[command->first_word];

        assign(rc_names_add(names, sh->bytes + w->start, w->end - w->start), gap, false);
        return;
    }
    if (command->kind != SHELL_SIMPLE)
        return;
    if (name == SHELL_NO || is_one(sh, name, setters)) {
        int word = name == SHELL_NO ? command->first_word : sh->words[name].next;

        for (; word != SHELL_NO; word = sh->words[word].next)
            assign_word(names, sh, word, certain);
    } else if (shell_word_is(sh, name, ":")) {
        for (int word = sh->words[name].next; word != SHELL_NO; word = sh->words[word].next)
            assign_default(names, sh, word);
    } else if (is_one(sh, name, forgetters)) {
        forget_words(names, sh, sh->words[name].next);
    }
}

/* ---- functions ---- */

/* "$1" and its kin: the number; 0 for what is none, 10 for all of them. */
static unsigned parameter(const struct shell *sh, int word)
{
    const char *s = sh->bytes + sh->words[word].start;
    size_t len = sh->words[word].end - sh->words[word].start;

    if (len >= 2 && s[0] == '"' && s[len - 1] == '"') {
        s++;
        len -= 2;
    }
    if (len == 4 && memcmp(s, "${", 2) == 0 && s[3] == '}') {
        s++;
    } else if (len != 2 || s[0] != '$') {
        return 0;
    }
    if (s[1] == '@' || s[1] == '*')
        return 10;
    return s[1] >= '1' && s[1] <= '9' ? (unsigned)(s[1] - '0') : 0;
}

/* The word that names the program of C, behind the wrappers that take no words of their own. */
static int program_word(const struct shell *sh, int c)
{
    static const char *const plain[] = {"exec",   "eval",    "nohup",    "setsid",  "nice",
                                        "daemon", "command", "startsrc", "builtin", NULL};
    int word = shell_name_word(sh, c);

    while (word != SHELL_NO &&
           (is_one(sh, word, plain) ||
            (sh->bytes[sh->words[word].start] == '-' && word != shell_name_word(sh, c))))
        word = sh->words[word].next;
    return word;
}

/* for NAME in "$@" (or without a list): the body runs $NAME. */
static bool runs_loop_variable(const struct shell *sh, int loop)
{
    const struct shell_command *l = &sh->commands[loop];
    const struct shell_word *name;
    int list;

    if (l->first_word == SHELL_NO)
        return false;
    name = &sh->words[l->first_word];
    list = name->next;
    if (list != SHELL_NO && (parameter(sh, list) != 10 || sh->words[list].next != SHELL_NO))
        return false;
    for (size_t c = (size_t)loop + 1; c < sh->ncommands && sh->commands[c].start < l->end; c++) {
        int word = program_word(sh, (int)c);
        const char *s;
        size_t len;

        if (word == SHELL_NO)
            continue;
        s = sh->bytes + sh->words[word].start;
        len = sh->words[word].end - sh->words[word].start;
        if (len == name->end - name->start + 1 && s[0] == '$' &&
            memcmp(s + 1, sh->bytes + name->start, len - 1) == 0)
            return true;
    }
    return false;
}

static void read_function(struct rc_names *names, const struct shell *sh, int f)
{
    const struct shell_word *w = &sh->words[sh->commands[f].first_word];
    struct rc_name *n = rc_names_add(names, sh->bytes + w->start, w->end - w->start);
    unsigned shifted = 0;

    n->function = true;
    rc_calls_function(n, sh, f);
    for (size_t c = (size_t)f + 1; c < sh->ncommands && sh->commands[c].start < sh->commands[f].end;
         c++) {
        int word = program_word(sh, (int)c);
        unsigned number = word == SHELL_NO ? 0 : parameter(sh, word);

        if (sh->commands[c].kind == SHELL_FOR && runs_loop_variable(sh, (int)c)) {
            n->runner = 1;
            n->runs_all = true;
            return;
        }
        if (shell_word_is(sh, shell_name_word(sh, (int)c), "shift"))
            shifted++;
        if (number != 0) {
            n->runner = (number == 10 ? 1 : number) + shifted;
            return;
        }
    }
}

void rc_names_init(struct rc_names *names, const struct shell *sh)
{
    *names = (struct rc_names){.nbuckets = 64};
    names->buckets = mem_array(names->nbuckets, sizeof(*names->buckets));
    for (size_t i = 0; i < names->nbuckets; i++)
        names->buckets[i] = -1;
    for (size_t c = 0; c < sh->ncommands; c++) {
        if (sh->commands[c].kind == SHELL_FUNCTION && sh->commands[c].first_word != SHELL_NO)
            read_function(names, sh, (int)c);
        rc_names_pass(names, sh, (int)c);
    }
    rc_calls_read(names, sh);
    rc_waits_read(names, sh);
    for (size_t i = 0; i < names->n; i++) {
        free(names->v[i].value);
        names->v[i].value = NULL;
        names->v[i].uncertain = false;
    }
}

void rc_names_release(struct rc_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->v[i].name);
        free(names->v[i].value);
        free(names->v[i].only);
    }
    free(names->v);
    free(names->buckets);
    free(names->next_call);
    *names = (struct rc_names){0};
}
