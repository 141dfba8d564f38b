/* Loops that start the words of their list: for d in named nfsd; do $d; done */
#include "rcscript.h"

#include <string.h>

#include "batten/mem.h"

/* Loops with a longer body or list are not looked into. */
enum { LOOP_COMMANDS = 64 };

/* Whether the body of loop C does no more than start and talk: one of its words can then go. Its
 * variable holds one of the words now. */
static bool only_starts(struct rc_script *s, int c)
{
    const struct shell *sh = s->sh;
    size_t n = 0;
    bool only = !rc_is_heard(s, c) && rc_is_on_screen(sh, c);

    for (size_t i = (size_t)c + 1;
         only && i < sh->ncommands && sh->commands[i].start < sh->commands[c].end; i++) {
        struct rc_words words = {0};
        struct rc_hits hits = {0};
        int word = shell_name_word(sh, (int)i);

        if (sh->commands[i].kind == SHELL_SIMPLE && word != SHELL_NO)
            rc_words_get(s, word, &words);
        if (words.n > 0)
            rc_find_words(s, &words, 0, 0, &hits);
        only = n++ < LOOP_COMMANDS && (hits.n > 0 || rc_is_idle(s, sh, (int)i));
        rc_words_release(&words);
        rc_hits_release(&hits);
    }
    return only;
}

/* The daemon that loop C starts when its variable is the word ITEM: the first one. */
static void find_item(struct rc_script *s, int c, const struct rc_words *list, size_t item,
                      struct rc_hits *hits)
{
    const struct shell *sh = s->sh;
    size_t n = 0, before = hits->n;

    for (size_t i = (size_t)c + 1; i < sh->ncommands && n < LOOP_COMMANDS &&
                                   sh->commands[i].start < sh->commands[c].end && hits->n == before;
         i++, n++) {
        struct rc_words words = {0};
        int name = shell_name_word(sh, (int)i);

        if (name != SHELL_NO)
            rc_words_get(s, name, &words);
        if (words.n > 0)
            rc_find_words(s, &words, 0, 0, hits);
        rc_words_release(&words);
        /* a start of its own in the loop, whatever the variable is */
        if (hits->n > before && strstr(hits->v[before].program, list->v[item].text) == NULL)
            rc_hits_cut(hits, before);
    }
    if (hits->n == before)
        return;
    rc_hits_cut(hits, before + 1);
    hits->v[before].split = list->v[item].split;
    hits->v[before].word_start = list->v[item].start;
    hits->v[before].word_end = list->v[item].end;
    rc_hit_set_list(&hits->v[before], list->n);
}

void rc_find_loop(struct rc_script *s, int c, struct rc_hits *hits)
{
    const struct shell_word *variable;
    struct rc_words list = {0};
    size_t before = hits->n, len;
    const char *name;
    int first = s->sh->commands[c].first_word;

    if (first == SHELL_NO || s->sh->words[first].next == SHELL_NO)
        return;
    variable = &s->sh->words[first];
    name = s->sh->bytes + variable->start;
    len = variable->end - variable->start;
    rc_words_get(s, s->sh->words[first].next, &list);
    for (size_t i = 0; i < list.n && i < LOOP_COMMANDS; i++) {
        const char *base = rc_basename(list.v[i].text);

        if (base == NULL || !rc_is_daemon(s, base))
            continue;
        rc_names_set(&s->names, name, len, list.v[i].text);
        find_item(s, c, &list, i, hits);
    }
    if (hits->n > before && !only_starts(s, c))
        for (size_t i = before; i < hits->n; i++)
            if (hits->v[i].locked == NULL)
                hits->v[i].locked = mem_strdup("the loop that starts it does other things too");
    rc_words_release(&list);
}
