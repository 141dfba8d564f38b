#include "guide.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "batten/mem.h"
#include "batten/source.h"
#include "batten/text.h"
#include "terminal.h"

struct guide_item *guide_add(struct guide *g, const struct finding *f)
{
    g->v = mem_grow(g->v, g->n, &g->cap, sizeof(*g->v));
    g->v[g->n] = (struct guide_item){.finding = f};
    return &g->v[g->n++];
}

void guide_release(struct guide *g)
{
    for (size_t i = 0; i < g->n; i++) {
        struct guide_facts *f = &g->v[i].facts;

        free(f->now);
        free(f->used);
        free(f->refused);
        free(f->together);
        buf_release(&f->diff);
    }
    free(g->v);
    free(g->head.host);
    free(g->head.super);
    free(g->head.services);
    free(g->head.would);
    free(g->head.rights);
    free(g->head.way_in);
    free(g->profile);
    free(g->confirm);
    free(g->say);
    free(g->sought);
    plan_release(&g->plan);
    buf_release(&g->diff);
    strlist_release(&g->after);
    free(g->locks_out);
    *g = (struct guide){0};
}

void guide_say(struct guide *g, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    free(g->say);
    g->say = buf_steal(&text);
}

const char *guide_name(const struct guide_item *it)
{
    return it->finding->service ? it->finding->service->name : it->finding->entry->name;
}

enum verdict guide_verdict(enum answer a)
{
    return a == ANSWER_CLOSE ? VERDICT_DISABLE : a == ANSWER_KEEP ? VERDICT_KEEP : VERDICT_ASK;
}

enum answer guide_default(const struct guide_item *it)
{
    if (it->offered != ANSWER_NONE)
        return it->offered;
    switch (it->finding->verdict) {
    case VERDICT_DISABLE:
        return ANSWER_CLOSE;
    case VERDICT_KEEP:
        return ANSWER_KEEP;
    case VERDICT_ASK:
        break;
    }
    return ANSWER_NONE;
}

size_t guide_count(const struct guide *g, enum answer a)
{
    size_t n = 0;

    for (size_t i = 0; i < g->n; i++)
        n += g->v[i].answer == a;
    return n;
}

static enum guide_act show(struct guide *g, enum guide_page page)
{
    g->page = page;
    return ACT_SHOW;
}

static enum guide_act next(struct guide *g)
{
    if (g->at + 1 >= g->n)
        return show(g, PAGE_LAST);
    g->at++;
    return show(g, PAGE_FINDING);
}

static enum guide_act previous(struct guide *g)
{
    if (g->at == 0) {
        guide_say(g, "this is the first");
        return ACT_ASK;
    }
    g->at--;
    return show(g, PAGE_FINDING);
}

static enum guide_act answer(struct guide *g, enum answer a)
{
    g->v[g->at].answer = a;
    return next(g);
}

/* Enter: what was answered already stays, else the default. */
static enum guide_act take_default(struct guide *g)
{
    struct guide_item *it = &g->v[g->at];

    if (it->answer != ANSWER_NONE)
        return next(g);
    if (guide_default(it) != ANSWER_NONE)
        return answer(g, guide_default(it));
    guide_say(g, "there is no suggestion here: y closes it, n keeps it");
    return ACT_ASK;
}

/* a: this one and those after it that have no answer yet take their default. Where the profile
 * asks, nobody but the person can answer: the first such finding is shown. */
static enum guide_act all_rest(struct guide *g)
{
    size_t asked = g->n;

    for (size_t i = g->at; i < g->n; i++) {
        struct guide_item *it = &g->v[i];

        if (it->answer == ANSWER_NONE)
            it->answer = guide_default(it);
        if (it->answer == ANSWER_NONE && asked == g->n)
            asked = i;
    }
    if (asked == g->n)
        return show(g, PAGE_LAST);
    if (asked == g->at) {
        guide_say(g, "there is no suggestion here: y closes it, n keeps it");
        return ACT_ASK;
    }
    g->at = asked;
    guide_say(g, "the others are answered; here there is no suggestion");
    return show(g, PAGE_FINDING);
}

/* d: none of the rest is closed. */
static enum guide_act none_rest(struct guide *g)
{
    for (size_t i = g->at; i < g->n; i++)
        if (i == g->at || g->v[i].answer == ANSWER_NONE)
            g->v[i].answer = ANSWER_KEEP;
    return show(g, PAGE_LAST);
}

enum guide_act guide_goto(struct guide *g, const char *text)
{
    long long number;
    char *word = mem_strdup(text + strspn(text, " \t"));

    word[strcspn(word, " \t\r\n")] = '\0';
    if (text_number(word, 1, (long long)g->n, &number) != 0) {
        guide_say(g, "a number from 1 to %zu", g->n);
        free(word);
        return ACT_ASK;
    }
    free(word);
    g->at = (size_t)number - 1;
    return show(g, PAGE_FINDING);
}

static bool has_text(const char *in, const char *text)
{
    return in != NULL && strcasestr(in, text) != NULL;
}

static bool matches(const struct guide_item *it, const char *text)
{
    const struct entry *e = it->finding->entry;
    char *place = mem_printf("%s:%u", e->source->path, e->line);
    bool yes = has_text(guide_name(it), text) || has_text(e->name, text) ||
               has_text(e->program, text) || has_text(place, text);

    for (size_t i = 0; !yes && i < e->nsockets; i++) {
        char *port = mem_printf("%d/%s", e->sockets[i].port, e->sockets[i].proto);

        yes = e->sockets[i].port > 0 && has_text(port, text);
        free(port);
    }
    for (size_t i = 0; !yes && e->argv[i] != NULL; i++)
        yes = has_text(e->argv[i], text);
    free(place);
    return yes;
}

/* The next finding with TEXT in it, from the one after this round to this one again. */
enum guide_act guide_search(struct guide *g, const char *text)
{
    if (*text != '\0') {
        free(g->sought);
        g->sought = mem_strdup(text);
    }
    if (g->sought == NULL) {
        guide_say(g, "type the text to look for: a name, 79/tcp, a program, file:line");
        return ACT_ASK;
    }
    for (size_t i = 1; i <= g->n; i++) {
        size_t at = (g->at + i) % g->n;

        if (!matches(&g->v[at], g->sought))
            continue;
        g->at = at;
        return show(g, PAGE_FINDING);
    }
    guide_say(g, "nothing here has '%s' in it", g->sought);
    return ACT_ASK;
}

static enum guide_act unknown_key(struct guide *g, int key)
{
    if (key > ' ' && key < 0x7f)
        guide_say(g, "'%c' is no key here; ? shows them", key);
    else
        guide_say(g, "that is no key here; ? shows them");
    return ACT_ASK;
}

static enum guide_act key_first(struct guide *g, int key)
{
    switch (key) {
    case KEY_ENTER:
    case 'j':
    case ' ':
        return g->n > 0 ? show(g, PAGE_FINDING) : ACT_QUIT;
    case 'q':
        return ACT_QUIT;
    case '?':
        return ACT_HELP;
    default:
        return unknown_key(g, key);
    }
}

static enum guide_act key_finding(struct guide *g, int key)
{
    switch (key) {
    case KEY_ENTER:
        return take_default(g);
    case 'y':
        return answer(g, ANSWER_CLOSE);
    case 'n':
        return answer(g, ANSWER_KEEP);
    case 'a':
        return all_rest(g);
    case 'd':
        return none_rest(g);
    case 'j':
        return next(g);
    case 'k':
        return previous(g);
    case 'g':
        return ACT_GOTO;
    case '/':
        return ACT_SEARCH;
    case 'i':
        return ACT_EXPLAIN;
    case 'w':
        return ACT_WRITE;
    case 'q':
        return ACT_QUIT;
    case '?':
        return ACT_HELP;
    default:
        return unknown_key(g, key);
    }
}

static enum guide_act apply(struct guide *g, bool timed)
{
    if (g->plan.edits.n == 0)
        guide_say(g, "there is nothing to apply; e goes back, q leaves");
    else if (g->locks_out != NULL && !timed)
        guide_say(g,
                  "this closes %s, which you came in over: t makes the change so that it is "
                  "undone by itself if you are locked out",
                  g->locks_out);
    else
        return timed ? ACT_TIMED : ACT_APPLY;
    return ACT_ASK;
}

static enum guide_act key_last(struct guide *g, int key)
{
    switch (key) {
    case 'y':
    case 't':
        return apply(g, key == 't');
    case 'w':
        return ACT_WRITE;
    case 'e':
    case 'k':
        return show(g, PAGE_FINDING);
    case 'q':
        return ACT_QUIT;
    case '?':
        return ACT_HELP;
    case KEY_ENTER:
        guide_say(g, "Enter does nothing here: y applies, e goes back, q leaves");
        return ACT_ASK;
    default:
        return unknown_key(g, key);
    }
}

enum guide_act guide_key(struct guide *g, int key)
{
    if (key >= 'A' && key <= 'Z')
        key += 'a' - 'A';
    switch (g->page) {
    case PAGE_FIRST:
        return key_first(g, key);
    case PAGE_FINDING:
        return key_finding(g, key);
    case PAGE_LAST:
        return key_last(g, key);
    }
    return ACT_QUIT;
}
