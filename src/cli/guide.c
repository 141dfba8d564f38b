#include "guide.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/source.h"
#include "batten/text.h"
#include "cli.h"
#include "guide_screen.h"
#include "guide_walk.h"
#include "render.h"
#include "screen.h"

enum { DEFAULT_TIMER_MS = 300000 };

static void size_screen(struct screen *s, const struct walk *w, struct buf *out)
{
    *s = (struct screen){.out = out, .c = w->c};
    terminal_size(&s->width, &s->height);
}

/* The last screen needs a plan; where none can be made the person goes back to the answers. */
static void enter_last(struct walk *w)
{
    struct diag d = DIAG_INIT;

    if (walk_plan(w, &d) != 0) {
        guide_say(&w->guide, "no plan can be made of these answers: %s",
                  diag_isset(&d) ? d.message : "?");
        w->guide.page = PAGE_FINDING;
    }
    diag_release(&d);
}

/* Where nothing is found there is nothing to ask. */
static enum status say_nothing(struct walk *w)
{
    struct screen s;

    size_screen(&s, w, &w->c->out);
    screen_first(&s, &w->guide);
    return STATUS_DONE;
}

static void show_page(struct walk *w)
{
    struct buf text = BUF_INIT;
    struct screen s;

    if (w->guide.page == PAGE_LAST)
        enter_last(w);
    size_screen(&s, w, &text);
    buf_addc(&text, '\n');
    switch (w->guide.page) {
    case PAGE_FIRST:
        screen_first(&s, &w->guide);
        break;
    case PAGE_FINDING:
        walk_facts(w, w->guide.at);
        screen_finding(&s, &w->guide);
        break;
    case PAGE_LAST:
        screen_last(&s, &w->guide);
        break;
    }
    terminal_page(&w->terminal, buf_str(&text));
    buf_release(&text);
    /* A key typed for the finding before must not be taken for consent. */
    if (w->guide.page == PAGE_LAST)
        terminal_forget(&w->terminal);
}

static void show_extra(struct walk *w, void (*screen)(struct screen *, const struct guide *))
{
    struct buf text = BUF_INIT;
    struct screen s;

    size_screen(&s, w, &text);
    buf_addc(&text, '\n');
    screen(&s, &w->guide);
    terminal_page(&w->terminal, buf_str(&text));
    buf_release(&text);
}

static void ask(struct walk *w)
{
    struct buf text = BUF_INIT;
    struct screen s;

    size_screen(&s, w, &text);
    screen_question(&s, &w->guide);
    terminal_print(buf_str(&text));
    free(w->guide.say);
    w->guide.say = NULL;
    buf_release(&text);
}

/* Keys are not echoed by the terminal: what was taken is shown in words. */
static void echo_key(struct walk *w, int key)
{
    const char *word = guide_key_word(&w->guide, key);
    char text[2] = {(char)key, '\0'};

    if (w->terminal.lines)
        return;
    if (word != NULL)
        terminal_print(word);
    else if (key > ' ' && key < 0x7f)
        terminal_print(text);
    terminal_print("\n");
}

static enum guide_act ask_more(struct walk *w, const struct buf *rest, const char *prompt,
                               enum guide_act (*then)(struct guide *, const char *))
{
    struct buf line = BUF_INIT;
    enum guide_act act = ACT_ASK;

    if (rest->len > 0)
        act = then(&w->guide, buf_str(rest));
    else if (terminal_line(&w->terminal, prompt, &line) == 0)
        act = then(&w->guide, buf_str(&line));
    buf_release(&line);
    return act;
}

static void write_profile(struct walk *w, const struct buf *rest)
{
    struct buf line = BUF_INIT, prompt = BUF_INIT;

    if (rest->len > 0) {
        walk_write(w, buf_str(rest));
        return;
    }
    buf_adds(&prompt, "write to (a name, or a path with a '/') [");
    if (w->c->o.root == NULL)
        buf_adds(&prompt, "/etc/batten/profiles/");
    buf_adds(&prompt, "site]: ");
    if (terminal_line(&w->terminal, buf_str(&prompt), &line) == 0)
        walk_write(w, buf_str(&line));
    buf_release(&line);
    buf_release(&prompt);
}

/* Everything a key asks for short of the end; what is left is ACT_APPLY, ACT_TIMED or ACT_QUIT. */
static enum guide_act serve(struct walk *w, enum guide_act act, const struct buf *rest)
{
    if (act == ACT_GOTO)
        act = ask_more(w, rest, "number: ", guide_goto);
    else if (act == ACT_SEARCH)
        act = ask_more(w, rest, "search: ", guide_search);
    else if (act == ACT_WRITE)
        write_profile(w, rest);
    else if (act == ACT_HELP)
        show_extra(w, screen_help);
    else if (act == ACT_EXPLAIN)
        show_extra(w, screen_explain);
    if (act == ACT_SHOW)
        show_page(w);
    return act;
}

/* The questions, until one of ACT_APPLY, ACT_TIMED, ACT_QUIT; ACT_ASK when the terminal ended. */
static enum guide_act converse(struct walk *w)
{
    struct buf rest = BUF_INIT;
    enum guide_act act = ACT_SHOW;

    show_page(w);
    do {
        int key;

        ask(w);
        key = terminal_key(&w->terminal, &rest);
        if (key == KEY_END) {
            act = ACT_ASK;
            break;
        }
        if (key == KEY_REDRAW) {
            show_page(w);
            continue;
        }
        echo_key(w, key);
        act = serve(w, guide_key(&w->guide, key), &rest);
    } while (act != ACT_APPLY && act != ACT_TIMED && act != ACT_QUIT);
    buf_release(&rest);
    return act;
}

/* --- after the last screen -----------------------------------------------------------------------
 */

static bool same_entry(const struct entry *a, const struct entry *b)
{
    size_t len = a->end - a->start;

    return strcmp(a->source->path, b->source->path) == 0 && a->line == b->line &&
           len == b->end - b->start &&
           memcmp(a->source->bytes + a->start, b->source->bytes + b->start, len) == 0;
}

/* The files are read again before they are changed; an answer is for the very line it was given
 * to, everything else is kept. */
static void set_verdicts(void *ctx, struct findings *f)
{
    const struct walk *w = ctx;

    for (size_t i = 0; i < f->n; i++) {
        f->v[i].verdict = VERDICT_KEEP;
        for (size_t j = 0; j < w->guide.n; j++)
            if (w->guide.v[j].answer == ANSWER_CLOSE &&
                same_entry(w->guide.v[j].finding->entry, f->v[i].entry))
                f->v[i].verdict = VERDICT_DISABLE;
    }
}

/* The change is made and recorded; what follows may be cut short. */
static void settled(void *ctx)
{
    struct walk *w = ctx;
    int sig = terminal_signal();

    terminal_forget(&w->terminal);
    terminal_close(&w->terminal);
    if (sig != 0)
        raise(sig); /* the timer runs on without us and undoes it */
}

static enum status apply(struct walk *w, bool timed, struct diag *d)
{
    struct cli *c = w->c;
    struct decided decided = {.set = set_verdicts,
                              .settled = settled,
                              .ctx = w,
                              .name = "guided",
                              .diff = buf_str(&w->guide.diff)};
    enum status status;

    c->decided = &decided;
    c->o.apply = true;
    if (timed && c->o.confirm_ms == 0)
        c->o.confirm_ms = DEFAULT_TIMER_MS;
    /* What the HUP publishes besides was on the last screen. */
    c->o.accept_pending = c->o.accept_pending || w->look.looked;
    terminal_hold(&w->terminal);
    status = harden_run(c, d);
    c->decided = NULL;
    if (diag_isset(d))
        answers_save(w);
    else
        answers_forget(w);
    return status;
}

static enum status finish(struct walk *w, enum guide_act act, struct diag *d)
{
    if (act == ACT_APPLY || act == ACT_TIMED)
        return apply(w, act == ACT_TIMED, d);
    if (act != ACT_QUIT)
        answers_save(w);
    buf_adds(&w->c->out, "nothing was changed\n");
    return STATUS_DONE;
}

enum status guide_run(struct cli *c, struct diag *d)
{
    struct walk w = {.c = c};
    enum status status = STATUS_SYSTEM;
    enum guide_act act;

    if (walk_look(&w, d) != 0)
        goto out;
    if (w.guide.n == 0) {
        status = say_nothing(&w);
        goto out;
    }
    answers_load(&w);
    w.guide.confirm = c->o.confirm_ms > 0 ? mem_printf("%lld seconds", c->o.confirm_ms / 1000)
                                          : mem_strdup("5 minutes");
    if (terminal_open(&w.terminal, d) != 0)
        goto out;
    act = converse(&w);
    if (act == ACT_ASK)
        terminal_print("\n");
    status = finish(&w, act, d);
    terminal_close(&w.terminal);
    c->signal = terminal_signal();
out:
    walk_release(&w);
    return status;
}
