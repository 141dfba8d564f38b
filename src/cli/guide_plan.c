#include <stdlib.h>
#include <string.h>

#include "batten/dialect.h"
#include "batten/diff.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "guide_walk.h"
#include "render.h"

/* The findings again, with the answers in the place of the profile's verdicts. */
static void decide(struct walk *w, struct findings *out)
{
    const struct findings *all = &w->survey.findings;

    free(w->decided);
    w->decided = mem_array(all->n + 1, sizeof(*w->decided));
    for (size_t i = 0; i < all->n; i++) {
        w->decided[i] = all->v[i];
        w->decided[i].verdict = VERDICT_KEEP;
    }
    for (size_t i = 0; i < w->guide.n; i++)
        if (w->guide.v[i].answer == ANSWER_CLOSE)
            w->decided[w->guide.v[i].finding - all->v].verdict = VERDICT_DISABLE;
    *out = (struct findings){.v = w->decided, .n = all->n};
}

static void say_pending(struct walk *w, const struct plan_sockets *list, const char *verb)
{
    for (size_t i = 0; i < list->n; i++) {
        char *port = render_spec(&list->v[i].spec);

        strlist_addf(&w->guide.after,
                     "the HUP will also %s %s (%s): %s:%u was edited earlier and "
                     "never published",
                     verb, port, list->v[i].service, list->v[i].path, list->v[i].line);
        free(port);
    }
}

static void say_inetd(struct walk *w)
{
    const struct follow_state *now = &w->look.before;

    if (w->look.looked && now->ninetds == 0)
        strlist_add(&w->guide.after, "no super-server runs: nothing is signalled");
    for (size_t i = 0; w->look.looked && i < now->ninetds; i++)
        strlist_addf(&w->guide.after,
                     "%s[%d] gets one HUP and reads its files again; sessions "
                     "that are open go on",
                     now->inetds[i].comm, (int)now->inetds[i].pid);
    if (w->look.looked) {
        say_pending(w, &now->pending_open, "open");
        say_pending(w, &now->pending_close, "close");
    }
}

static void say_after(struct walk *w)
{
    const struct plan *plan = &w->guide.plan;

    strlist_release(&w->guide.after);
    if (plan->edits.n == 0)
        return;
    if (root_offline(w->survey.root)) {
        strlist_add(&w->guide.after, "an image: its files are changed, nothing is signalled");
        return;
    }
    if (plan->reload)
        say_inetd(w);
    for (size_t i = 0; i < plan->ndaemons; i++)
        strlist_addf(&w->guide.after,
                     w->c->o.no_stop ? "%s, started by %s:%u, is left running"
                                     : "%s, started by %s:%u, is stopped",
                     plan->daemons[i].service, plan->daemons[i].path, plan->daemons[i].line);
}

/* With --cut-me-off the person has said so already. */
static void look_at_way_in(struct walk *w)
{
    const struct plan_sockets *closes = &w->guide.plan.closes;

    free(w->guide.locks_out);
    w->guide.locks_out = NULL;
    for (size_t i = 0; i < closes->n && !w->c->o.cut_me_off; i++) {
        const struct socket_spec *s = &closes->v[i].spec;

        if (w->guide.locks_out == NULL && s->port > 0 &&
            session_over(&w->session, s->proto, s->port) != NULL)
            w->guide.locks_out = mem_strdup(closes->v[i].service);
    }
}

int walk_plan(struct walk *w, struct diag *d)
{
    struct guide *g = &w->guide;
    struct findings decided;
    struct diag look = DIAG_INIT;
    int result;

    plan_release(&g->plan);
    g->plan = (struct plan){.kind = PLAN_HARDEN, .dialect = w->survey.scan.dialect};
    buf_clear(&g->diff);
    decide(w, &decided);
    result = plan_make(&g->plan, w->survey.scan.parses, w->survey.scan.nparses, &decided,
                       survey_plan_flags(&w->survey), d);
    if (result == 0)
        result = diff_plan(&g->diff, &g->plan, d);
    if (result == 0 && carry_look(&w->look, &w->survey.scan, &look) != 0)
        render_diag(stderr, "warning", &look);
    diag_release(&look);
    look_at_way_in(w);
    say_after(w);
    return result;
}
