#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum {
    COMMAND_MS = 15000,
    DAEMON_MS = 3000, /* a daemon still in the foreground after that is taken for a started one */
};

/* Daemons whose init script or unit is not called as their program is. */
static const struct other_name {
    const char *program, *script, *unit;
} other_names[] = {
    {"rpc.statd",  "nfs-common",        "rpc-statd" },
    {"rpc.mountd", "nfs-kernel-server", "nfs-mountd"},
    {"rpc.nfsd",   "nfs-kernel-server", "nfs-server"},
    {"portmap",    "rpcbind",           "rpcbind"   },
    {"named",      "named",             "named"     },
    {"in.named",   "bind9",             "bind9"     },
};

static const struct other_name *other_name(const char *program)
{
    for (size_t i = 0; i < ARRAY_LEN(other_names); i++)
        if (strcmp(other_names[i].program, program) == 0)
            return &other_names[i];
    return NULL;
}

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

static int stop_by_unit(struct follow *f, const char *unit, struct diag *d)
{
    const char *const argv[] = {"systemctl", "stop", unit, NULL};
    const struct process_command c = {.path = "usr/bin/systemctl", .argv = argv, .ms = COMMAND_MS};
    struct buf quoted = BUF_INIT;

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

static void stop_process(struct follow *f, const struct process *p)
{
    const struct other_name *other = other_name(p->exe != NULL ? text_basename(p->exe) : "");
    struct diag d = DIAG_INIT;
    char *unit = process_unit(f->root, p, other != NULL ? other->unit : NULL);

    if (!process_alive(p)) /* gone with the one before it */
        goto out;
    if (unit != NULL)
        (void)stop_by_unit(f, unit, &d);
    else
        (void)stop_by_signal(p, f->o->wait_ms, &d);
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
    bool by_socket = has_ports(f, daemon), *stops;
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
    }
    for (size_t i = 0; i < n; i++)
        if (stops[i])
            stop_process(f, &list[i]);
    free(stops);
    process_list_free(list, n);
    listeners_release(&l);
}

/* --- start
 * --------------------------------------------------------------------------------------*/

static bool unit_exists(const struct follow *f, const char *name)
{
    static const char *const dirs[] = {"etc/systemd/system", "usr/lib/systemd/system",
                                       "lib/systemd/system"};
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(dirs) && !found; i++) {
        char *path = mem_printf("%s/%s.service", dirs[i], name);

        found = root_exists(f->root, path);
        free(path);
    }
    return found;
}

/* 1 there is no such unit, else as process_run. */
static int start_by_unit(struct follow *f, const char *name, struct diag *d)
{
    const char *argv[] = {"systemctl", "start", name, NULL};
    const struct process_command c = {.path = "usr/bin/systemctl", .argv = argv, .ms = COMMAND_MS};

    if (!process_has_systemd() || !unit_exists(f, name))
        return 1;
    return process_run(f->root, &c, d);
}

static int start_by_script(struct follow *f, const char *name, struct diag *d)
{
    char *path = mem_printf("etc/init.d/%s", name);
    const char *const argv[] = {path, "start", NULL};
    const struct process_command c = {.path = path, .argv = argv, .ms = COMMAND_MS};
    int result = 1;

    if (root_exists(f->root, path))
        result = process_run(f->root, &c, d);
    free(path);
    return result;
}

/* The first of the usual places that has PROGRAM, below the root. Caller frees; NULL. */
static char *find_program(const struct follow *f, const char *program)
{
    static const char *const dirs[] = {"usr/sbin", "usr/bin",        "sbin",
                                       "bin",      "usr/local/sbin", "usr/local/bin"};

    if (program[0] == '/')
        return mem_strdup(program + 1);
    for (size_t i = 0; i < ARRAY_LEN(dirs) && strchr(program, '/') == NULL; i++) {
        char *path = mem_printf("%s/%s", dirs[i], program);

        if (root_exists(f->root, path))
            return path;
        free(path);
    }
    return NULL;
}

/* The command that stands in the script again. */
static int start_by_command(struct follow *f, const struct plan_daemon *daemon, struct diag *d)
{
    struct process_command c = {.daemon = true, .ms = DAEMON_MS};
    const char **argv;
    char *path;
    int result;

    if (daemon->argv.n == 0)
        return 1;
    path = find_program(f, daemon->argv.v[0]);
    if (path == NULL)
        return 1;
    argv = mem_array(daemon->argv.n + 1, sizeof(*argv));
    for (size_t i = 0; i < daemon->argv.n; i++)
        argv[i] = daemon->argv.v[i];
    c.path = path;
    c.argv = argv;
    result = process_run(f->root, &c, d);
    free(argv);
    free(path);
    return result;
}

static bool runs_already(struct follow *f, const struct plan_daemon *daemon)
{
    struct listeners none = {0};
    struct process *list;
    size_t n;

    if (process_find_program(f->root, daemon->program, &none, &list, &n, NULL) != 0)
        return false;
    process_list_free(list, n);
    return n > 0;
}

static bool comes_up(struct follow *f, const struct plan_daemon *daemon)
{
    long long end = process_now() + f->o->wait_ms;

    while (!runs_already(f, daemon)) {
        if (process_now() >= end)
            return false;
        process_sleep(20);
    }
    return true;
}

static void print_command(struct follow *f, const struct plan_daemon *daemon)
{
    struct buf command = BUF_INIT;
    struct diag *d;

    for (size_t i = 0; i < daemon->argv.n; i++) {
        buf_adds(&command, i > 0 ? " " : "");
        text_shell_word(&command, daemon->argv.v[i]);
    }
    if (daemon->argv.n == 0)
        text_shell_word(&command, daemon->program);
    d = follow_problem(f, "start-by-hand", "'%s' (%s) has to be started by hand", daemon->program,
                       daemon->service);
    diag_at(d, daemon->path, daemon->line, 0);
    diag_hint(d, "%s", buf_str(&command));
    buf_release(&command);
}

/* As the host starts it: its unit, then the very command the script holds again, then its init
 * script (whose options may be others). */
static void start_daemon(struct follow *f, const struct plan_daemon *daemon)
{
    const char *name = text_basename(daemon->program);
    const struct other_name *other = other_name(name);
    struct diag d = DIAG_INIT;
    int result;

    if (runs_already(f, daemon))
        return;
    result = start_by_unit(f, other != NULL ? other->unit : name, &d);
    if (result == 1)
        result = start_by_command(f, daemon, &d);
    if (result == 1)
        result = start_by_script(f, other != NULL ? other->script : name, &d);
    if (result == 1) {
        print_command(f, daemon);
        return;
    }
    if (result == 0 && !comes_up(f, daemon))
        diag_set(&d, STATUS_ATTENTION, "start-failed", "'%s' (%s) was started and does not run",
                 daemon->program, daemon->service);
    follow_signal_add(f, 0, name, "start", &d);
    if (diag_isset(&d)) {
        diag_at(&d, daemon->path, daemon->line, 0);
        *problems_new(&f->result->problems) = d;
    }
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
                start_daemon(f, &plan->daemons[i]);
}
