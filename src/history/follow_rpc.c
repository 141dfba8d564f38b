#include "follow_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/dialect.h"

enum { RPC_POLL_MS = 20, PORTMAP_PORT = 111 };

/* Where systemd alone holds the port, whoever asks starts the port mapper. */
static bool portmap_runs(void)
{
    struct listeners l;
    bool runs = false;

    if (listeners_read(&l, true, NULL) != 0)
        return false;
    for (size_t i = 0; i < l.n && !runs; i++)
        runs = l.v[i].port == PORTMAP_PORT && strcmp(l.v[i].proto, "tcp") == 0 &&
               l.v[i].npids > 0 && l.v[i].pids[0] != 1;
    listeners_release(&l);
    return runs;
}

void follow_look_rpc(struct follow *f)
{
    f->rpc_unknown = portmap_runs() && rpcbind_dump(&f->mappings, &f->nmappings) != 0;
}

static bool keeps_rpc(const struct follow *f)
{
    const struct socket_spec *s;
    const struct plan_sockets *const lists[] = {&f->plan->stays, &f->plan->opens};

    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < lists[i]->n; k++) {
            s = &lists[i]->v[k].spec;
            if (lists[i]->v[k].inetd && spec_is_dynamic(s))
                return true;
        }
    return false;
}

/* openbsd-inetd takes every RPC program of its file out of the port mapper at any HUP, and puts
 * none back. Anybody may register so much that the list cannot be had: what is not known is taken
 * for registered. */
bool follow_hup_drops_rpc(struct follow *f)
{
    if (f->plan->dialect == NULL || strcmp(dialect_name(f->plan->dialect), "openbsd") != 0)
        return false;
    return (f->nmappings > 0 || f->rpc_unknown) && keeps_rpc(f);
}

/* Whether one of OWNED's sockets is where M points. */
static bool points_at(const struct rpc_mapping *m, const struct listeners *l,
                      const struct process *list, size_t n)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].port == m->port && strcmp(l->v[i].proto, m->proto) == 0 &&
            owned_by_any(&l->v[i], list, n))
            return true;
    return false;
}

static const char *service_of(const struct rpc_mapping *m)
{
    const struct service *s;
    char number[24];

    (void)snprintf(number, sizeof(number), "%lu", m->program);
    s = catalogue_rpc(number);
    return s != NULL ? s->name : NULL;
}

static bool has_program(const struct rpc_mapping *v, size_t n, const struct rpc_mapping *one)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].program == one->program && v[i].version == one->version)
            return true;
    return false;
}

/* A registration that went and that no closed service explains. */
static bool was_kept(const struct follow *f, const struct rpc_mapping *m)
{
    const struct plan_sockets *closes = &f->plan->closes;
    const char *service = service_of(m);

    for (size_t i = 0; i < closes->n; i++) {
        if (!spec_is_dynamic(&closes->v[i].spec))
            continue;
        if (service == NULL || strcmp(service, closes->v[i].service) == 0)
            return false;
    }
    return true;
}

static void report_lost(struct follow *f, const struct rpc_mapping *m)
{
    const char *service = service_of(m);
    struct diag *d;

    d = follow_problem(f, "rpc-lost",
                       "RPC program %lu (%s) is no longer registered with the port mapper: no "
                       "client finds it",
                       m->program, service != NULL ? service : "unknown");
    diag_hint(d, "stop the super-server, then: %s", follow_start_hint(f));
}

static void report_stale(struct follow *f, const struct rpc_mapping *m)
{
    struct diag *d;

    d = follow_problem(f, "rpc-stale",
                       "RPC program %lu version %lu is still registered, but nobody serves it",
                       m->program, m->version);
    diag_hint(d, "rpcinfo -d %lu %lu", m->program, m->version);
}

static bool is_lost(const struct follow *f, const struct rpc_mapping *m,
                    const struct rpc_mapping *now, size_t n)
{
    return !has_program(now, n, m) && was_kept(f, m) &&
           points_at(m, &f->before->listeners, f->before->inetds, f->before->ninetds);
}

/* Versions and protocols are registered one by one; a program is reported once. */
static void check_lost(struct follow *f, const struct rpc_mapping *now, size_t n)
{
    unsigned long reported = 0;

    for (size_t i = 0; i < f->nmappings; i++) {
        const struct rpc_mapping *m = &f->mappings[i];

        if (m->program == reported || !is_lost(f, m, now, n))
            continue;
        report_lost(f, m);
        reported = m->program;
    }
}

/* A daemon that was restarted registers its programs after it has opened its sockets. */
static int dump_settled(const struct follow *f, struct rpc_mapping **now, size_t *n)
{
    long long end = f->since + (f->restarted ? f->o->wait_ms : 0);

    for (;;) {
        bool lost = false;

        if (rpcbind_dump(now, n) != 0)
            return -1;
        for (size_t i = 0; i < f->nmappings && !lost; i++)
            lost = is_lost(f, &f->mappings[i], *now, *n);
        if (!lost || process_now() >= end)
            return 0;
        free(*now);
        process_sleep(RPC_POLL_MS);
    }
}

static bool anybody_listens(const struct listeners *l, const struct rpc_mapping *m)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].port == m->port && strcmp(l->v[i].proto, m->proto) == 0)
            return true;
    return false;
}

/* What was registered before and points nowhere since a daemon was stopped. */
static void check_stale(struct follow *f, const struct rpc_mapping *now, size_t n)
{
    struct listeners l;

    if (listeners_read(&l, false, NULL) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (!anybody_listens(&l, &now[i]) && anybody_listens(&f->before->listeners, &now[i]) &&
            rpcbind_has(f->mappings, f->nmappings, &now[i]))
            report_stale(f, &now[i]);
    listeners_release(&l);
}

/* Whether anybody who may be registered was told or stopped. */
static bool touches_rpc(const struct follow *f)
{
    for (size_t i = 0; i < f->nended; i++) {
        const struct service *s = catalogue_find(f->ended[i].daemon->service);

        if (s != NULL && s->rpc[0] != NULL)
            return true;
    }
    return f->told && keeps_rpc(f);
}

static void report_unknown(struct follow *f)
{
    struct diag *d;

    if (!touches_rpc(f))
        return;
    d = follow_problem(f, "rpc-unknown",
                       "the port mapper runs and could not be asked %s: whether what is kept is "
                       "still registered there, and what is stopped no longer, is not known",
                       f->rpc_unknown ? "before" : "afterwards");
    diag_hint(d, "rpcinfo -p");
}

void follow_check_rpc(struct follow *f)
{
    struct rpc_mapping *now;
    size_t n;

    if ((f->nmappings == 0 && !f->rpc_unknown) || !portmap_runs())
        return;
    if (f->rpc_unknown || dump_settled(f, &now, &n) != 0) {
        report_unknown(f);
        return;
    }
    check_lost(f, now, n);
    if (f->nstopped > 0)
        check_stale(f, now, n);
    free(now);
}
