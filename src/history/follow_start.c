#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum {
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

const char *follow_unit_name(const char *program)
{
    const char *name = text_basename(program);
    const struct other_name *other = other_name(name);

    return other != NULL ? other->unit : name;
}

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

/* The unit and, where they are on, the sockets that were stopped with it. */
static int start_unit(struct follow *f, const char *unit, struct diag *d)
{
    struct strlist sockets = {0};
    const char **argv;
    struct process_command c = {.path = "usr/bin/systemctl", .ms = FOLLOW_COMMAND_MS};
    size_t n = 0;
    int result;

    process_unit_sockets(f->root, unit, &sockets);
    argv = mem_array(sockets.n + 4, sizeof(*argv));
    argv[n++] = "systemctl";
    argv[n++] = "start";
    for (size_t i = 0; i < sockets.n; i++)
        if (process_unit_enabled(f->root, sockets.v[i]))
            argv[n++] = sockets.v[i];
    argv[n++] = unit;
    c.argv = argv;
    result = process_run(f->root, &c, d);
    free(argv);
    strlist_release(&sockets);
    return result;
}

/* 1 there is no such unit or, ENABLED, the boot does not start it; else as process_run. */
static int start_by_unit(struct follow *f, const char *name, bool enabled, struct diag *d)
{
    char *unit;
    int result = 1;

    if (!process_has_systemd() || !unit_exists(f, name))
        return 1;
    unit = mem_printf("%s.service", name);
    if (!enabled || process_unit_enabled(f->root, unit))
        result = start_unit(f, unit, d);
    free(unit);
    return result;
}

static int start_by_script(struct follow *f, const char *name, struct diag *d)
{
    char *path = mem_printf("etc/init.d/%s", name);
    const char *const argv[] = {path, "start", NULL};
    const struct process_command c = {.path = path, .argv = argv, .ms = FOLLOW_COMMAND_MS};
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

/* As the host starts it: its unit where that is on, then the very command the script holds again,
 * then a unit that is off, then its init script (whose options may be others). */
void follow_start_daemon(struct follow *f, const struct plan_daemon *daemon)
{
    const char *name = text_basename(daemon->program), *unit = follow_unit_name(daemon->program);
    const struct other_name *other = other_name(name);
    struct diag d = DIAG_INIT;
    int result;

    if (runs_already(f, daemon))
        return;
    result = start_by_unit(f, unit, true, &d);
    if (result == 1)
        result = start_by_command(f, daemon, &d);
    if (result == 1)
        result = start_by_unit(f, unit, false, &d);
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
