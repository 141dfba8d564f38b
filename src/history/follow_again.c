#include "follow_int.h"

#include <string.h>

#include "batten/mem.h"

void follow_ended_add(struct follow *f, const struct plan_daemon *daemon, unsigned long long since)
{
    f->ended = mem_grow(f->ended, f->nended, &f->cap_ended, sizeof(*f->ended));
    f->ended[f->nended++] = (struct ended){.daemon = daemon, .since = since};
}

pid_t follow_again(const struct follow *f, const struct plan_socket *s)
{
    for (size_t i = 0; i < f->nended && !s->inetd; i++)
        if (f->ended[i].again != 0 && strcmp(f->ended[i].daemon->service, s->service) == 0)
            return f->ended[i].again;
    return 0;
}

bool follow_is_new(const struct follow *f, const struct process *p)
{
    for (size_t i = 0; i < f->nended; i++)
        if (p->started >= f->ended[i].since)
            return true;
    return false;
}

/* By the plan itself: what the one script started another one does. */
static bool is_started(const struct plan *plan, const struct plan_daemon *daemon)
{
    for (size_t i = 0; i < plan->ndaemons; i++)
        if (plan->daemons[i].start && strcmp(plan->daemons[i].program, daemon->program) == 0)
            return true;
    return false;
}

static void report_again(struct follow *f, const struct ended *e, const struct process *p)
{
    const struct plan_daemon *daemon = e->daemon;
    struct diag *d;

    d = follow_problem(f, "started-again",
                       "'%s' (%s) runs again: process %ld '%s' was started since it was stopped",
                       daemon->program, daemon->service, (long)p->pid, p->comm);
    diag_at(d, daemon->path, daemon->line, 0);
    diag_hint(d, "%s", follow_holder_hint(f, p->pid));
}

/* One that has not come to listen yet counts, too. */
static void find_one(struct follow *f, struct ended *e)
{
    struct listeners none = {0};
    struct process *list;
    size_t n;

    if (process_find_program(f->root, e->daemon->program, &none, &list, &n, NULL) != 0)
        return;
    for (size_t i = 0; i < n && e->again == 0; i++) {
        if (list[i].started < e->since)
            continue;
        e->again = list[i].pid;
        report_again(f, e, &list[i]);
    }
    process_list_free(list, n);
}

void follow_find_again(struct follow *f)
{
    for (size_t i = 0; i < f->nended; i++)
        if (!is_started(f->plan, f->ended[i].daemon))
            find_one(f, &f->ended[i]);
}
