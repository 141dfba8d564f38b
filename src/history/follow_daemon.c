#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum {
    INIT_MS = 250,
    KEEPER_MS = 1500,
};

/* --- stop
 * ---------------------------------------------------------------------------------------*/

/* In the plan already, or one of several sockets that look alike. */
static bool is_known(const struct follow *f, const struct listener *l)
{
    const struct plan_sockets *closes = &f->plan->closes;

    for (size_t i = 0; i < f->extra.n; i++) {
        const struct socket_spec *s = &f->extra.v[i].spec;

        if (strcmp(l->family, family_name(s->family)) == 0 &&
            listener_is(l, l->family, s->proto, s->address, s->port))
            return true;
    }

    for (size_t i = 0; i < closes->n; i++)
        if (!closes->v[i].inetd &&
            listener_is(l, family_name(closes->v[i].spec.family), closes->v[i].spec.proto,
                        l->address, closes->v[i].spec.port))
            return true;
    return false;
}

/* Many daemons listen where bind, or their own file, has put them: their sockets are looked up
 * while they live, so that it can be shown that they went. */
static void remember_sockets(struct follow *f, const struct plan_daemon *daemon,
                             const struct process *p, const struct listeners *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct plan_socket s = {0};

        if (!listener_owned_by(&l->v[i], p->pid))
            continue;
        f->stopped = mem_grow(f->stopped, f->nstopped, &f->cap_stopped, sizeof(*f->stopped));
        f->stopped[f->nstopped++] = l->v[i].inode;
        if (is_known(f, &l->v[i]))
            continue;
        spec_of_listener(&s.spec, &l->v[i]);
        plan_socket_add(&f->extra, daemon->service, daemon->path, daemon->line, &s.spec, false);
        free(s.spec.address);
    }
}

/* The sockets by which systemd would start UNIT again for the next client: those alone, and not
 * what depends on them. A socket that stays is reported by the proof. */
static void stop_sockets(struct follow *f, const char *unit)
{
    struct strlist sockets = {0};

    process_unit_sockets(f->root, unit, &sockets);
    for (size_t i = 0; i < sockets.n; i++) {
        const char *const argv[] = {"systemctl", "stop", "--job-mode=ignore-dependencies",
                                    sockets.v[i], NULL};
        const struct process_command c = {
            .path = "usr/bin/systemctl", .argv = argv, .ms = FOLLOW_COMMAND_MS};

        (void)process_run(f->root, &c, NULL);
    }
    strlist_release(&sockets);
}

static int stop_by_unit(struct follow *f, const char *unit, struct diag *d)
{
    const char *const argv[] = {"systemctl", "stop", unit, NULL};
    const struct process_command c = {
        .path = "usr/bin/systemctl", .argv = argv, .ms = FOLLOW_COMMAND_MS};
    struct buf quoted = BUF_INIT;

    stop_sockets(f, unit);
    if (process_run(f->root, &c, d) == 0)
        return 0;
    text_shell_word(&quoted, unit); /* systemd's escapes hold backslashes */
    diag_hint(d, "systemctl stop %s", buf_str(&quoted));
    buf_release(&quoted);
    return -1;
}

static int stop_by_signal(const struct process *p, long long ms, struct diag *d)
{
    int left = process_stop(p, ms, d);

    if (left > 0) {
        diag_set(d, STATUS_ATTENTION, "still-running", "process %ld '%s' does not end on TERM",
                 (long)p->pid, p->comm);
        diag_hint(d, "kill -KILL %ld", (long)p->pid);
    }
    return left == 0 ? 0 : -1;
}

/* Init's inittab and the supervisors (runsv, supervise, a loop of the shell) start a daemon again
 * that ends: at once, or a second later. A daemon that put itself into the background has none. */
static void wait_for_keeper(struct follow *f, const struct process *p)
{
    long long until = process_now() + (p->ppid > 1 ? KEEPER_MS : INIT_MS);

    if (until > f->settled)
        f->settled = until;
}

static void stop_process(struct follow *f, const struct process *p)
{
    struct diag d = DIAG_INIT;
    char *unit = process_unit(f->root, p, follow_unit_name(p->exe != NULL ? p->exe : ""));

    if (!process_alive(p)) /* gone with the one before it */
        goto out;
    if (unit != NULL)
        (void)stop_by_unit(f, unit, &d);
    else if (stop_by_signal(p, f->o->wait_ms, &d) == 0)
        wait_for_keeper(f, p);
    follow_signal_add(f, p->pid, p->comm, "TERM", &d);
    if (diag_isset(&d))
        *problems_new(&f->result->problems) = d;
out:
    free(unit);
}

static bool is_planned(const struct plan_socket *s, const struct plan_daemon *daemon)
{
    return !s->inetd && s->spec.port > 0 && strcmp(s->service, daemon->service) == 0;
}

/* A service whose daemon takes whatever port it gets (rpc.statd) has none in the plan. */
static bool has_ports(const struct follow *f, const struct plan_daemon *daemon)
{
    for (size_t i = 0; i < f->plan->closes.n; i++)
        if (is_planned(&f->plan->closes.v[i], daemon))
            return true;
    return false;
}

static bool is_child_of(pid_t pid, pid_t parent)
{
    struct process p;
    bool yes = process_open(&p, pid, NULL) == 0 && p.ppid == parent;

    process_release(&p);
    return yes;
}

/* P or, where it leaves that to a child, the child. */
static bool holds(const struct listener *l, const struct process *p)
{
    if (listener_owned_by(l, p->pid))
        return true;
    for (size_t i = 0; i < l->npids; i++)
        if (is_child_of(l->pids[i], p->pid))
            return true;
    return false;
}

static bool holds_planned(const struct follow *f, const struct plan_daemon *daemon,
                          const struct process *p, const struct listeners *l)
{
    const struct plan_sockets *closes = &f->plan->closes;

    for (size_t i = 0; i < closes->n; i++) {
        const struct socket_spec *s = &closes->v[i].spec;

        if (!is_planned(&closes->v[i], daemon))
            continue;
        for (size_t k = 0; k < l->n; k++)
            if (l->v[k].port == s->port && strcmp(l->v[k].proto, s->proto) == 0 &&
                holds(&l->v[k], p))
                return true;
    }
    return false;
}

/* The same program, and not the daemon that the script started: a queue run, a second copy on
 * another port. */
static void report_other(struct follow *f, const struct plan_daemon *daemon,
                         const struct process *p)
{
    struct diag *d = follow_problem(f, "not-stopped",
                                    "process %ld '%s' runs '%s' (%s) and holds no socket that is "
                                    "to be closed: not stopped",
                                    (long)p->pid, p->comm, daemon->program, daemon->service);

    diag_at(d, daemon->path, daemon->line, 0);
    diag_hint(d, "if it is to end: kill %ld", (long)p->pid);
}

static void stop_daemon(struct follow *f, const struct plan_daemon *daemon)
{
    bool by_socket = has_ports(f, daemon), *stops, any = false;
    unsigned long long since;
    struct listeners l = {0};
    struct process *list = NULL;
    struct diag d = DIAG_INIT;
    size_t n = 0;

    if (listeners_read(&l, true, &d) != 0 ||
        process_find_program(f->root, daemon->program, &l, &list, &n, &d) != 0) {
        diag_at(&d, daemon->path, daemon->line, 0);
        *problems_new(&f->result->problems) = d;
    }
    stops = mem_array(n + 1, sizeof(*stops));
    for (size_t i = 0; i < n; i++) {
        stops[i] = !by_socket || holds_planned(f, daemon, &list[i], &l);
        if (stops[i])
            remember_sockets(f, daemon, &list[i], &l);
        else
            report_other(f, daemon, &list[i]);
        any |= stops[i];
    }
    since = process_ticks();
    for (size_t i = 0; i < n; i++)
        if (stops[i])
            stop_process(f, &list[i]);
    if (any)
        follow_ended_add(f, daemon, since);
    free(stops);
    process_list_free(list, n);
    listeners_release(&l);
}

/* --- in the right order
 * -------------------------------------------------------------------------*/

static bool is_portmap(const struct plan_daemon *d)
{
    const char *name = text_basename(d->program);

    return strcmp(name, "rpcbind") == 0 || strcmp(name, "portmap") == 0;
}

/* Nothing that speaks RPC starts without the port mapper, or can sign off once it is gone: it is
 * started first and stopped last. */
void follow_daemons(struct follow *f)
{
    const struct plan *plan = f->plan;

    for (int portmap = 0; portmap < 2; portmap++)
        for (size_t i = plan->ndaemons; i-- > 0;)
            if (!plan->daemons[i].start && is_portmap(&plan->daemons[i]) == (portmap == 1))
                stop_daemon(f, &plan->daemons[i]);
    for (int portmap = 1; portmap >= 0; portmap--)
        for (size_t i = 0; i < plan->ndaemons; i++)
            if (plan->daemons[i].start && is_portmap(&plan->daemons[i]) == (portmap == 1))
                follow_start_daemon(f, &plan->daemons[i]);
}
