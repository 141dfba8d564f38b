#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "batten/follow.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"

void render_skips(struct cli *c, const struct plan *plan)
{
    if (plan->nskips == 0)
        return;
    render_text(&c->out, c, ROLE_HEAD, "left alone:");
    buf_addc(&c->out, '\n');
    for (size_t i = 0; i < plan->nskips; i++) {
        const struct plan_skip *s = &plan->skips[i];

        buf_adds(&c->out, "  ");
        text_safe(&c->out, s->path, strlen(s->path));
        if (s->line > 0)
            buf_printf(&c->out, ":%u", s->line);
        buf_adds(&c->out, ": ");
        if (s->finding != NULL) {
            text_safe(&c->out, s->finding->entry->name, strlen(s->finding->entry->name));
            buf_adds(&c->out, ": ");
        }
        text_safe(&c->out, s->reason, strlen(s->reason));
        buf_addc(&c->out, '\n');
    }
    buf_addc(&c->out, '\n');
}

void render_consequences(struct cli *c, const struct plan *plan, const char *indent)
{
    for (size_t i = 0; i < plan->consequences.n; i++) {
        buf_adds(&c->out, indent);
        text_safe(&c->out, plan->consequences.v[i], strlen(plan->consequences.v[i]));
        buf_addc(&c->out, '\n');
    }
}

void render_plan(struct cli *c, const struct plan *plan, const char *diff)
{
    render_consequences(c, plan, "");
    if (plan->consequences.n > 0)
        buf_addc(&c->out, '\n');
    render_skips(c, plan);
    render_diff(&c->out, c, diff, strlen(diff));
}

void render_signal(struct cli *c, const struct follow_signal *s)
{
    const char *verb = strcmp(s->action, "HUP") == 0     ? "sent HUP to"
                       : strcmp(s->action, "TERM") == 0  ? "stopped"
                       : strcmp(s->action, "start") == 0 ? "started"
                                                         : "restarted";

    buf_adds(&c->out, "  ");
    if (!s->done)
        render_text(&c->out, c, ROLE_WARN, "not ");
    buf_printf(&c->out, "%s ", verb);
    text_safe(&c->out, s->name ? s->name : "?", s->name ? strlen(s->name) : 1);
    if (s->pid > 0)
        buf_printf(&c->out, "[%d]", (int)s->pid);
    if (s->note != NULL) {
        buf_adds(&c->out, ": ");
        text_safe(&c->out, s->note, strlen(s->note));
    }
    buf_addc(&c->out, '\n');
}

void render_proof(struct cli *c, const struct follow_proof *p)
{
    char *port = render_spec(&p->spec);
    const char *word = p->want_closed == p->ok ? "closed" : "open";

    buf_adds(&c->out, "  ");
    render_cell(&c->out, p->service ? p->service : "-", 10, false);
    buf_printf(&c->out, " %s %s ", family_name(p->spec.family), port);
    if (p->ok)
        render_text(&c->out, c, ROLE_GOOD, word);
    else
        buf_printf(&c->out, "still %s", word);
    if (p->ok && p->ms >= 0)
        buf_printf(&c->out, " after %lld ms", p->ms);
    if (!p->ok && p->holder > 0) {
        buf_adds(&c->out, ", held by ");
        text_safe(&c->out, p->holder_name ? p->holder_name : "?",
                  p->holder_name ? strlen(p->holder_name) : 1);
        buf_printf(&c->out, "[%d]", (int)p->holder);
    }
    buf_addc(&c->out, '\n');
    free(port);
}

void render_follow(struct cli *c, const struct follow_result *r)
{
    for (size_t i = 0; i < r->nsignals; i++)
        if (!r->signals[i].told)
            render_signal(c, &r->signals[i]);
    for (size_t i = 0; i < r->nproofs; i++)
        if (!r->proofs[i].told || !r->proofs[i].ok)
            render_proof(c, &r->proofs[i]);
    for (size_t i = 0; i < r->problems.n; i++) {
        buf_adds(&c->out, "  ");
        render_text(&c->out, c, ROLE_WARN, "attention: ");
        text_safe(&c->out, r->problems.v[i].message, strlen(r->problems.v[i].message));
        buf_addc(&c->out, '\n');
        if (r->problems.v[i].hint != NULL) {
            buf_adds(&c->out, "  hint: ");
            text_safe(&c->out, r->problems.v[i].hint, strlen(r->problems.v[i].hint));
            buf_addc(&c->out, '\n');
        }
    }
}
