/* Words of a command, expanded, and the starts found in them. */
#include "rcscript.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

bool rc_is_in(const char *word, const char *list)
{
    size_t len = strlen(word);

    if (len == 0)
        return false;
    for (const char *p = list; (p = strstr(p, word)) != NULL; p++)
        if (p > list && p[-1] == ' ' && p[len] == ' ')
            return true;
    return false;
}

bool rc_is_daemon(const struct rc_script *s, const char *name)
{
    return s->p->is_daemon != NULL && s->p->is_daemon(name);
}

/* TEXT is what the word W of the script stands for, or a part of it. */
static void add_word(struct rc_words *words, const char *text, size_t len,
                     const struct rc_script *s, const struct shell_word *w)
{
    bool gap = s->names.inexact || memchr(text, SHELL_GAP, len) != NULL;
    const char *shown = gap ? s->sh->bytes + w->start : text;

    words->v = mem_grow(words->v, words->n, &words->cap, sizeof(*words->v));
    words->v[words->n++] = (struct rc_word){mem_strndup(text, len),
                                            mem_strndup(shown, gap ? w->end - w->start : len),
                                            w->start,
                                            w->end,
                                            false,
                                            false};
}

/* An unquoted variable with blanks in its value is several words. */
static void add_split(struct rc_words *words, const char *text, const struct rc_script *s,
                      const struct shell_word *w)
{
    while (*text != '\0') {
        size_t len = strcspn(text, " \t\n");

        if (len > 0)
            add_word(words, text, len, s, w);
        text += len;
        text += strspn(text, " \t\n");
    }
}

void rc_words_get(struct rc_script *s, int word, struct rc_words *words)
{
    for (; word != SHELL_NO; word = s->sh->words[word].next) {
        const struct shell_word *w = &s->sh->words[word];
        struct buf text = BUF_INIT;
        size_t before = words->n;
        bool split = false;

        s->names.uncertain = s->names.inexact = false;
        shell_expand(&text, s->sh->bytes + w->start, w->end - w->start, rc_names_lookup, &s->names,
                     &split);
        if (split)
            add_split(words, buf_str(&text), s, w);
        else
            add_word(words, buf_str(&text), text.len, s, w);
        for (size_t i = before; i < words->n; i++) {
            words->v[i].uncertain = s->names.uncertain;
            words->v[i].split = words->n - before > 1;
        }
        buf_release(&text);
    }
}

void rc_words_release(struct rc_words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        free(words->v[i].text);
        free(words->v[i].shown);
    }
    free(words->v);
    *words = (struct rc_words){0};
}

const char *rc_basename(const char *text)
{
    const char *base = text_basename(text);

    return *base == '\0' || strchr(base, SHELL_GAP) != NULL ? NULL : base;
}

void rc_hit_set_list(struct rc_hit *hit, size_t n)
{
    hit->list = n > 1;
    hit->nlist = n;
    if (hit->list && hit->split && hit->locked == NULL)
        hit->locked = mem_strdup("it is one of several words in one variable");
}

void rc_hits_cut(struct rc_hits *hits, size_t n)
{
    for (size_t i = n; i < hits->n; i++) {
        for (size_t k = 0; hits->v[i].argv[k] != NULL; k++)
            free(hits->v[i].argv[k]);
        free(hits->v[i].argv);
        free(hits->v[i].name);
        free(hits->v[i].program);
        free(hits->v[i].locked);
    }
    hits->n = n < hits->n ? n : hits->n;
}

void rc_hits_release(struct rc_hits *hits)
{
    rc_hits_cut(hits, 0);
    free(hits->v);
    *hits = (struct rc_hits){0};
}

struct rc_hit *rc_hits_add(struct rc_hits *hits, const char *name, const struct rc_words *w,
                           size_t at, size_t nargs)
{
    struct rc_hit *hit;

    hits->v = mem_grow(hits->v, hits->n, &hits->cap, sizeof(*hits->v));
    hit = &hits->v[hits->n++];
    *hit = (struct rc_hit){.name = mem_strdup(name)};
    hit->program = mem_strdup(strchr(w->v[at].text, SHELL_GAP) ? w->v[at].shown : w->v[at].text);
    hit->at = at;
    hit->argv = mem_array(nargs + 2, sizeof(char *));
    for (size_t i = 0; i <= nargs; i++)
        hit->argv[i] = mem_strdup(w->v[at + i].shown);
    hit->split = w->v[at].split;
    hit->word_start = w->v[at].start;
    hit->word_end = w->v[at].end;
    return hit;
}
