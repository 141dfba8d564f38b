#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

#include "batten/dialect.h"
#include "batten/mem.h"
#include "batten/text.h"

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
        return follow_stopped_socket(f, v, w->socket);
    if (w->closed)
        return follow_leftover(v, w->socket);
    for (size_t i = 0; i < v->l.n; i++)
        if (v->l.v[i].port == s->port && strcmp(v->l.v[i].proto, s->proto) == 0 &&
            !owned_by_any(&v->l.v[i], f->inetds, f->ninetds))
            return &v->l.v[i];
    return NULL;
}

static void name_holder(struct follow_proof *p)
{
    struct process holder;

    if (p->holder == 0 || process_open(&holder, p->holder, NULL) != 0)
        return;
    p->holder_name = mem_strdup(holder.comm);
    process_release(&holder);
}

/* The owner that is not the super-server itself: the one that keeps the socket. */
static void find_holder(const struct follow *f, const struct view *v, const struct want *w,
                        struct follow_proof *p)
{
    const struct listener *l = holding(f, v, w);

    for (size_t i = 0; l != NULL && i < l->npids; i++) {
        bool inetd = false;

        for (size_t k = 0; k < f->ninetds; k++)
            inetd |= f->inetds[k].pid == l->pids[i];
        if (p->holder == 0 || !inetd)
            p->holder = l->pids[i];
        if (!inetd)
            break;
    }
    name_holder(p);
}

/* Its daemon runs again, said as "started-again". Where bind, or its own file, has put it now is
 * not where it was. */
static bool runs_again(const struct follow *f, const struct view *v, const struct want *w,
                       struct follow_proof *p)
{
    const struct plan_socket *s = w->socket;
    bool same = false;

    if (!w->closed || follow_again(f, s) == 0 || (!w->by_inode && follow_leftover(v, s) != NULL))
        return false;
    p->holder = follow_again(f, s);
    name_holder(p);
    for (size_t i = 0; i < v->l.n && !same; i++)
        same = v->l.v[i].port == s->spec.port && strcmp(v->l.v[i].proto, s->spec.proto) == 0 &&
               listener_owned_by(&v->l.v[i], p->holder);
    if (!same && w->by_inode)
        p->spec.port = -1;
    return true;
}

/* One that was not told, and not the child by which one of those that were serves a client. */
static bool is_other_inetd(const struct follow *f, const struct process *p)
{
    const struct dialect *dialect = f->plan->dialect != NULL ? f->plan->dialect : dialect_default();

    for (size_t i = 0; i < f->ninetds; i++)
        if (f->inetds[i].pid == p->ppid)
            return false;
    return process_is_inetd(p, dialect_name(dialect));
}

/* To kill what is watched over is no use: it is started again. Pid 1 holds what systemd's socket
 * units listen on, and is not to be killed at all; nor is a whole super-server for one port. */
static char *make_hint(struct follow *f, const struct process *p)
{
    char *unit = NULL, *text;
    struct buf quoted = BUF_INIT;

    if (p->pid == 1)
        return mem_strdup(process_has_systemd() ? "systemctl list-sockets" : "ss -lntup");
    if (is_other_inetd(f, p))
        return mem_printf("it is a super-server that was not told, look at it first: ps -fp %ld",
                          (long)p->pid);
    unit = process_unit(f->root, p, NULL);
    if (unit != NULL) {
        text_shell_word(&quoted, unit);
        text = mem_printf("systemctl stop %s", buf_str(&quoted));
    } else if (follow_is_new(f, p) && p->ppid > 1) {
        text = mem_printf("its parent has started it again, see to that first: ps -fp %ld",
                          (long)p->ppid);
    } else if (follow_is_new(f, p)) {
        text = mem_printf("see what has started it again (init's inittab?), then: kill %ld",
                          (long)p->pid);
    } else {
        text = mem_printf("it closes when that process ends: kill %ld", (long)p->pid);
    }
    buf_release(&quoted);
    free(unit);
    return text;
}

const char *follow_holder_hint(struct follow *f, pid_t pid)
{
    struct process p;
    struct hint *h;

    for (size_t i = 0; i < f->nhints; i++)
        if (f->hints[i].pid == pid)
            return f->hints[i].text;
    f->hints = mem_grow(f->hints, f->nhints, &f->cap_hints, sizeof(*f->hints));
    h = &f->hints[f->nhints++];
    h->pid = pid;
    if (process_open(&p, pid, NULL) != 0) {
        h->text = mem_strdup("ss -lntup");
        return h->text;
    }
    h->text = make_hint(f, &p);
    process_release(&p);
    return h->text;
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
        diag_hint(d, "%s", follow_holder_hint(f, p->holder));
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

void follow_report(struct follow *f, const struct view *v)
{
    for (size_t i = 0; i < f->result->nproofs; i++) {
        struct follow_proof *p = &f->result->proofs[i];

        if (p->ok || runs_again(f, v, &f->wants[i], p))
            continue;
        find_holder(f, v, &f->wants[i], p);
        if (p->want_closed)
            report_open(f, p);
        else if (f->ninetds > 0 || !f->wants[i].socket->inetd) /* else said as "no-inetd" */
            report_not_open(f, p);
    }
    for (size_t i = 0; i < f->plan->stays.n; i++) {
        const struct plan_socket *s = &f->plan->stays.v[i];

        if (follow_is_lost(f, v, s))
            follow_problem(f, "port-lost", "'%d/%s' (%s, %s) closed although it is kept",
                           s->spec.port, s->spec.proto, s->service, family_name(s->spec.family));
    }
}
