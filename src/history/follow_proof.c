#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum {
    POLL_LEAST_MS = 4,
    POLL_MOST_MS = 50,
    AGAIN_MS = 1000, /* when what did not come back gets its second HUP */
};

/* What one look at the kernel's tables says. */
struct view {
    struct listeners l;
    bool *taken; /* by what is to stay or to open */
};

static void add_proofs(struct follow *f, const struct plan_sockets *list, bool closed)
{
    struct follow_result *r = f->result;

    for (size_t i = 0; i < list->n; i++) {
        const struct plan_socket *s = &list->v[i];
        struct follow_proof *p = &r->proofs[r->nproofs];

        f->wants[r->nproofs++] =
            (struct want){.socket = s, .closed = closed, .by_inode = list == &f->extra};
        *p = (struct follow_proof){.want_closed = closed, .ms = -1};
        p->service = mem_strdup(s->service);
        p->spec = s->spec;
        p->spec.address = mem_strdup(s->spec.address);
    }
}

static int look(const struct follow *f, struct view *v, bool owners)
{
    long *hit;

    *v = (struct view){0};
    if (listeners_read(&v->l, owners, NULL) != 0)
        return -1;
    v->taken = mem_array(v->l.n + 1, sizeof(*v->taken));
    hit = mem_array(f->plan->stays.n + f->plan->opens.n + 1, sizeof(*hit));
    match_sockets(&f->plan->stays, &v->l, v->taken, hit);
    match_sockets(&f->plan->opens, &v->l, v->taken, hit);
    free(hit);
    return 0;
}

static void view_release(struct view *v)
{
    listeners_release(&v->l);
    free(v->taken);
}

/* A daemon of its own listens where its own file says: any address counts. */
static bool answers_for(const struct listener *l, const struct plan_socket *s)
{
    const char *address = s->inetd ? s->spec.address : l->address;

    return listener_is(l, family_name(s->spec.family), s->spec.proto, address, s->spec.port);
}

/* A listener that answers for S and that nothing else accounts for, or NULL. */
static const struct listener *leftover(const struct view *v, const struct plan_socket *s)
{
    for (size_t i = 0; i < v->l.n; i++)
        if (!v->taken[i] && answers_for(&v->l.v[i], s))
            return &v->l.v[i];
    return NULL;
}

/* The sockets of a daemon that was stopped are known by their inodes. */
static const struct listener *stopped_socket(const struct follow *f, const struct view *v,
                                             const struct plan_socket *s)
{
    for (size_t i = 0; i < v->l.n; i++)
        for (size_t k = 0; k < f->nstopped; k++)
            if (v->l.v[i].inode == f->stopped[k] &&
                (spec_is_dynamic(&s->spec) || answers_for(&v->l.v[i], s)))
                return &v->l.v[i];
    return NULL;
}

/* An RPC entry's socket has no number of its own: what counts is how many there are. */
static bool dynamic_as_wanted(const struct follow *f, const struct view *v, const struct want *w)
{
    const struct plan_socket *s = w->socket;
    size_t want, here;

    if (!s->inetd)
        return !w->closed || stopped_socket(f, v, s) == NULL;
    want = count_dynamic(&f->plan->stays, &s->spec) + count_dynamic(&f->plan->opens, &s->spec);
    here = count_untaken(&v->l, v->taken, &s->spec, f->inetds, f->ninetds);
    return w->closed ? here <= want : here >= want;
}

/* Open is what the super-server itself listens on: the child of a 'wait' entry may still hold the
 * old socket, which keeps the port from coming back for good. Which families a daemon of its own
 * serves is up to its own file. */
static bool opened(const struct follow *f, const struct view *v, const struct plan_socket *s)
{
    for (size_t i = 0; i < v->l.n; i++) {
        const struct listener *l = &v->l.v[i];

        if (!s->inetd && l->port == s->spec.port && strcmp(l->proto, s->spec.proto) == 0)
            return true;
        if (s->inetd && answers_for(l, s) &&
            (f->ninetds == 0 || owned_by_any(l, f->inetds, f->ninetds)))
            return true;
    }
    return false;
}

static bool as_wanted(const struct follow *f, const struct view *v, const struct want *w)
{
    const struct plan_socket *s = w->socket;

    if (s->spec.family == FAMILY_UNIX)
        return sockets_unix_bound(s->spec.address) != w->closed;
    if (w->by_inode)
        return stopped_socket(f, v, s) == NULL;
    if (spec_is_dynamic(&s->spec))
        return dynamic_as_wanted(f, v, w);
    return w->closed ? leftover(v, s) == NULL : opened(f, v, s);
}

/* Whether everything is as wanted. Notes when each thing came to be. */
static bool judge(struct follow *f, const struct view *v)
{
    bool all = true;

    for (size_t i = 0; i < f->result->nproofs; i++) {
        struct follow_proof *p = &f->result->proofs[i];

        p->ok = as_wanted(f, v, &f->wants[i]);
        if (!p->ok)
            p->ms = -1;
        else if (p->ms < 0)
            p->ms = process_now() - f->since;
        all &= p->ok;
        if (p->ok && !p->told && f->o->proved != NULL) {
            p->told = true;
            f->o->proved(f->o->ctx, p);
        }
    }
    return all;
}

/* A kept socket that was there before and is not now. */
static bool is_lost(const struct follow *f, const struct view *v, const struct plan_socket *s)
{
    return s->spec.family != FAMILY_UNIX && any_listener_is(&f->before->listeners, &s->spec) &&
           !any_listener_is(&v->l, &s->spec);
}

static bool misses_something(const struct follow *f, const struct view *v)
{
    for (size_t i = 0; i < f->result->nproofs; i++)
        if (!f->result->proofs[i].want_closed && !f->result->proofs[i].ok)
            return true;
    for (size_t i = 0; i < f->plan->stays.n; i++)
        if (is_lost(f, v, &f->plan->stays.v[i]))
            return true;
    return false;
}

/* --- what is not as wanted
 * ----------------------------------------------------------------------*/

static char *subject(const struct follow_proof *p)
{
    const struct socket_spec *s = &p->spec;

    if (s->family == FAMILY_UNIX)
        return mem_printf("'%s' (%s)", s->address, p->service);
    if (s->port < 0)
        return mem_printf("the %s socket of '%s' (%s)", s->proto, p->service,
                          family_name(s->family));
    return mem_printf("'%d/%s' (%s, %s)", s->port, s->proto, p->service, family_name(s->family));
}

static const struct listener *holding(const struct follow *f, const struct view *v,
                                      const struct want *w)
{
    const struct socket_spec *s = &w->socket->spec;

    if (w->by_inode || (w->closed && spec_is_dynamic(s)))
        return stopped_socket(f, v, w->socket);
    if (w->closed)
        return leftover(v, w->socket);
    for (size_t i = 0; i < v->l.n; i++)
        if (v->l.v[i].port == s->port && strcmp(v->l.v[i].proto, s->proto) == 0 &&
            !owned_by_any(&v->l.v[i], f->inetds, f->ninetds))
            return &v->l.v[i];
    return NULL;
}

/* The owner that is not the super-server itself: the one that keeps the socket. */
static void find_holder(const struct follow *f, const struct view *v, const struct want *w,
                        struct follow_proof *p)
{
    const struct listener *l = holding(f, v, w);
    struct process holder;

    for (size_t i = 0; l != NULL && i < l->npids; i++) {
        bool inetd = false;

        for (size_t k = 0; k < f->ninetds; k++)
            inetd |= f->inetds[k].pid == l->pids[i];
        if (p->holder == 0 || !inetd)
            p->holder = l->pids[i];
        if (!inetd)
            break;
    }
    if (p->holder == 0 || process_open(&holder, p->holder, NULL) != 0)
        return;
    p->holder_name = mem_strdup(holder.comm);
    process_release(&holder);
}

/* The process that has started P since the look before the change; 0: P was there, or it is init's.
 */
static pid_t keeper_of(const struct follow *f, const struct process *p)
{
    const struct listeners *l = &f->before->listeners;

    for (size_t i = 0; i < l->n; i++)
        if (listener_owned_by(&l->v[i], p->pid))
            return 0;
    return f->nstopped > 0 && p->ppid > 1 ? p->ppid : 0;
}

/* To kill what is watched over is no use: it is started again. Pid 1 holds what systemd's socket
 * units listen on, and is not to be killed at all. */
static void hint_at_holder(const struct follow *f, const struct follow_proof *p, struct diag *d)
{
    struct process holder = {.fd = -1};
    struct buf quoted = BUF_INIT;
    char *unit = NULL;
    pid_t keeper = 0;

    if (process_open(&holder, p->holder, NULL) == 0) {
        unit = process_unit(f->root, &holder, NULL);
        keeper = keeper_of(f, &holder);
    }
    if (p->holder == 1) {
        diag_hint(d, process_has_systemd() ? "systemctl list-sockets" : "ss -lntup");
    } else if (unit != NULL) {
        text_shell_word(&quoted, unit);
        diag_hint(d, "systemctl stop %s", buf_str(&quoted));
    } else if (keeper > 0) {
        diag_hint(d, "its parent has started it again, see to that first: ps -fp %ld",
                  (long)keeper);
    } else {
        diag_hint(d, "it closes when that process ends: kill %ld", (long)p->holder);
    }
    buf_release(&quoted);
    free(unit);
    process_release(&holder);
}

static void report_open(struct follow *f, const struct follow_proof *p)
{
    char *what = subject(p);
    struct diag *d;
    bool inetd = false;

    for (size_t k = 0; k < f->ninetds; k++)
        inetd |= f->inetds[k].pid == p->holder;
    if (p->holder == 0) {
        d = follow_problem(f, "port-open", "%s is still open, and no process is seen to hold it",
                           what);
        diag_hint(d, "ss -lntup");
    } else if (inetd) {
        d = follow_problem(f, "port-open", "%s is still open: the super-server has not closed it",
                           what);
        diag_hint(d, "kill -HUP %ld", (long)p->holder);
    } else {
        d = follow_problem(f, "port-open", "%s is still open, held by process %ld '%s'", what,
                           (long)p->holder, p->holder_name != NULL ? p->holder_name : "?");
        hint_at_holder(f, p, d);
    }
    free(what);
}

static void report_not_open(struct follow *f, const struct follow_proof *p)
{
    char *what = subject(p);
    struct diag *d;

    if (p->holder != 0)
        d = follow_problem(f, "port-not-open", "%s did not open: process %ld '%s' holds the port",
                           what, (long)p->holder, p->holder_name != NULL ? p->holder_name : "?");
    else
        d = follow_problem(f, "port-not-open", "%s did not open", what);
    if (f->ninetds > 0)
        diag_hint(d, "when nothing else holds the port: kill -HUP %ld", (long)f->inetds[0].pid);
    else
        diag_hint(d, "%s", follow_start_hint(f));
    free(what);
}

static void report(struct follow *f, const struct view *v)
{
    for (size_t i = 0; i < f->result->nproofs; i++) {
        struct follow_proof *p = &f->result->proofs[i];

        if (p->ok)
            continue;
        find_holder(f, v, &f->wants[i], p);
        if (p->want_closed)
            report_open(f, p);
        else if (f->ninetds > 0 || !f->wants[i].socket->inetd) /* else said as "no-inetd" */
            report_not_open(f, p);
    }
    for (size_t i = 0; i < f->plan->stays.n; i++) {
        const struct plan_socket *s = &f->plan->stays.v[i];

        if (is_lost(f, v, s))
            follow_problem(f, "port-lost", "'%d/%s' (%s, %s) closed although it is kept",
                           s->spec.port, s->spec.proto, s->service, family_name(s->spec.family));
    }
}

static bool needs_owners(const struct follow *f)
{
    for (size_t i = 0; i < f->plan->closes.n; i++)
        if (spec_is_dynamic(&f->plan->closes.v[i].spec))
            return true;
    return f->plan->opens.n > 0;
}

/* Look until all is as wanted or the time is up. */
static void poll_until(struct follow *f, long long end)
{
    bool owners = needs_owners(f);
    long long pause = POLL_LEAST_MS;
    struct view v;

    while (look(f, &v, owners) == 0) {
        bool done = judge(f, &v) && !misses_something(f, &v);
        bool again = !done && misses_something(f, &v);

        view_release(&v);
        if (process_now() >= (done ? f->settled : end))
            return;
        if (again && process_now() - f->since >= AGAIN_MS)
            follow_tell_again(f);
        process_sleep(pause);
        pause = pause * 2 > POLL_MOST_MS ? POLL_MOST_MS : pause * 2;
    }
}

void follow_prove(struct follow *f)
{
    struct follow_result *r = f->result;
    bool acted = f->told || f->nstopped > 0 || r->nsignals > 0;
    long long wait = acted ? f->o->wait_ms : 0;
    size_t n = f->plan->closes.n + f->extra.n + f->plan->opens.n;
    struct view v;

    r->proofs = mem_array(n + 1, sizeof(*r->proofs));
    f->wants = mem_array(n + 1, sizeof(*f->wants));
    add_proofs(f, &f->plan->closes, true);
    add_proofs(f, &f->extra, true);
    add_proofs(f, &f->plan->opens, false);
    if (wait > 0)
        follow_say(f, "waiting for %zu sockets", r->nproofs);
    poll_until(f, process_now() + wait);
    if (look(f, &v, true) != 0) {
        follow_problem(f, "no-proof", "cannot ask the kernel who listens now");
        return;
    }
    (void)judge(f, &v);
    report(f, &v);
    view_release(&v);
}
