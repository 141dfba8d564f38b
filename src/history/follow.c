#include "follow_int.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "batten/dialect.h"
#include "batten/mem.h"

void follow_say(const struct follow *f, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    if (f->o->progress == NULL)
        return;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    f->o->progress(f->o->ctx, buf_str(&text));
    buf_release(&text);
}

struct diag *follow_problem(struct follow *f, const char *code, const char *fmt, ...)
{
    struct diag *d = problems_new(&f->result->problems);
    struct buf text = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    diag_set(d, STATUS_ATTENTION, code, "%s", buf_str(&text));
    buf_release(&text);
    return d;
}

void follow_signal_add(struct follow *f, pid_t pid, const char *name, const char *action,
                       const struct diag *why_not)
{
    struct follow_result *r = f->result;
    size_t cap = r->nsignals;
    struct follow_signal *s;

    r->signals = mem_grow(r->signals, r->nsignals, &cap, sizeof(*r->signals));
    s = &r->signals[r->nsignals++];
    *s = (struct follow_signal){.pid = pid, .name = mem_strdup(name), .action = action};
    s->done = why_not == NULL || !diag_isset(why_not);
    s->note = s->done ? NULL : mem_strdup(why_not->message);
    if (f->o->signalled != NULL) {
        s->told = true;
        f->o->signalled(f->o->ctx, s);
    } else if (s->done && pid > 0)
        follow_say(f, "%s: %s (process %ld)", action, name, (long)pid);
    else if (s->done)
        follow_say(f, "%s: %s", action, name);
}

static bool has_work(const struct plan *plan, const struct follow_options *o)
{
    return plan->reload || (plan->ndaemons > 0 && !o->no_stop);
}

/* Whether the port mapper has a say in it. */
static bool concerns_rpc(const struct plan *plan)
{
    const struct plan_sockets *const lists[] = {&plan->closes, &plan->opens, &plan->stays};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (size_t k = 0; k < lists[i]->n; k++)
            if (spec_is_dynamic(&lists[i]->v[k].spec))
                return true;
    return plan->ndaemons > 0;
}

int follow_run(struct follow_result *r, const struct plan *plan, struct follow_state *before,
               const struct follow_options *o, struct diag *d)
{
    struct follow f = {.result = r, .plan = plan, .before = before, .o = o};
    struct problems known = {0};
    struct listeners now = {0};
    const char *dialect = dialect_name(plan->dialect != NULL ? plan->dialect : dialect_default());
    int result = -1;

    *r = (struct follow_result){0};
    if (!has_work(plan, o))
        return 0;
    if (root_open(&f.root, "/", false, d) != 0)
        goto out;
    /* Time has passed since the look: the daemon may have been restarted by hand. */
    if (listeners_read(&now, true, d) != 0 ||
        process_find_inetd(dialect, &now, &f.inetds, &f.ninetds, &known, d) != 0)
        goto out;
    if (concerns_rpc(plan))
        follow_look_rpc(&f);
    f.since = process_now();
    if (plan->reload)
        follow_tell_inetds(&f);
    if (!o->no_stop)
        follow_daemons(&f);
    follow_prove(&f);
    if (plan->reload)
        follow_check_inetds(&f);
    follow_check_rpc(&f);
    result = 0;
out:
    root_free(f.root);
    process_list_free(f.inetds, f.ninetds);
    problems_release(&known);
    listeners_release(&now);
    free(f.mappings);
    free(f.stopped);
    free(f.ended);
    free(f.wants);
    for (size_t i = 0; i < f.nhints; i++)
        free(f.hints[i].text);
    free(f.hints);
    plan_sockets_release(&f.extra);
    return result;
}

void follow_result_release(struct follow_result *r)
{
    for (size_t i = 0; i < r->nsignals; i++) {
        free(r->signals[i].name);
        free(r->signals[i].note);
    }
    for (size_t i = 0; i < r->nproofs; i++) {
        free(r->proofs[i].service);
        free(r->proofs[i].spec.address);
        free(r->proofs[i].holder_name);
    }
    free(r->signals);
    free(r->proofs);
    problems_release(&r->problems);
    *r = (struct follow_result){0};
}
