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

static void add_proofs(struct follow *f, const struct plan_sockets *list, bool closed)
{
    struct follow_result *r = f->result;

    for (size_t i = 0; i < list->n; i++) {
        const struct plan_socket *s = &list->v[i];
        struct follow_proof *p = &r->proofs[r->nproofs];

        f->wants[r->nproofs++] = (struct want){
            .socket = s,
            .closed = closed,
            .by_inode = list == &f->extra || (closed && !s->inetd && spec_is_dynamic(&s->spec))};
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

const struct listener *follow_leftover(const struct view *v, const struct plan_socket *s)
{
    for (size_t i = 0; i < v->l.n; i++)
        if (!v->taken[i] && answers_for(&v->l.v[i], s))
            return &v->l.v[i];
    return NULL;
}

const struct listener *follow_stopped_socket(const struct follow *f, const struct view *v,
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

    if (!s->inetd) /* as it likes */
        return true;
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
    if (w->closed && follow_again(f, s) != 0)
        return false;
    if (w->by_inode)
        return follow_stopped_socket(f, v, s) == NULL;
    if (spec_is_dynamic(&s->spec))
        return dynamic_as_wanted(f, v, w);
    return w->closed ? follow_leftover(v, s) == NULL : opened(f, v, s);
}

/* Whether everything is as wanted. Notes when each thing came to be. Nothing is said that a keeper
 * may yet undo: of daemons not before the LAST look. */
static bool judge(struct follow *f, const struct view *v, bool last)
{
    bool settled = last || process_now() >= f->settled;
    bool all = true;

    for (size_t i = 0; i < f->result->nproofs; i++) {
        struct follow_proof *p = &f->result->proofs[i];

        p->ok = as_wanted(f, v, &f->wants[i]);
        if (!p->ok)
            p->ms = -1;
        else if (p->ms < 0)
            p->ms = process_now() - f->since;
        all &= p->ok;
        if (p->ok && !p->told && f->o->proved != NULL && settled &&
            (last || f->wants[i].socket->inetd)) {
            p->told = true;
            f->o->proved(f->o->ctx, p);
        }
    }
    return all;
}

bool follow_is_lost(const struct follow *f, const struct view *v, const struct plan_socket *s)
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
        if (follow_is_lost(f, v, &f->plan->stays.v[i]))
            return true;
    return false;
}

static bool needs_owners(const struct follow *f)
{
    for (size_t i = 0; i < f->plan->closes.n; i++)
        if (spec_is_dynamic(&f->plan->closes.v[i].spec))
            return true;
    return f->plan->opens.n > 0;
}

/* Look until all is as wanted or the time is up, and never less than until all is settled. */
static void poll_until(struct follow *f, long long end)
{
    bool owners = needs_owners(f);
    long long pause = POLL_LEAST_MS;
    long long most = end > f->settled ? end : f->settled;
    struct view v;

    while (look(f, &v, owners) == 0) {
        bool done = judge(f, &v, false) && !misses_something(f, &v);
        bool again = !done && misses_something(f, &v);

        view_release(&v);
        if (process_now() >= (done ? f->settled : most))
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
    follow_find_again(f);
    (void)judge(f, &v, true);
    follow_report(f, &v);
    view_release(&v);
}
