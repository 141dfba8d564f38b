#include "follow_int.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/dialect.h"
#include "batten/mem.h"
#include "batten/text.h"

enum {
    STOP_MS = 5000,
    START_MS = 10000,
    FIND_MS = 2000,    /* from the end of the start command to the new daemon */
    SETTLE_MS = 40,    /* a reload takes 7 to 25 ms: what it does to the daemon shows after that */
    SPIN_MS = 120,     /* one look at the processor time */
    SPIN_LOOKS = 3,    /* all of them busy: no reload takes that long */
    BUSY_PERCENT = 12, /* the processor may be shared */
};

static const struct init_script {
    const char *dialect, *path;
} init_scripts[] = {
    {"openbsd",   "etc/init.d/openbsd-inetd"  },
    {"inetutils", "etc/init.d/inetutils-inetd"},
    {"busybox",   "etc/init.d/inetd"          },
};

static const char *dialect_of(const struct follow *f)
{
    return dialect_name(f->plan->dialect != NULL ? f->plan->dialect : dialect_default());
}

static const char *init_script(const struct follow *f)
{
    for (size_t i = 0; i < ARRAY_LEN(init_scripts); i++)
        if (strcmp(init_scripts[i].dialect, dialect_of(f)) == 0 &&
            root_exists(f->root, init_scripts[i].path))
            return init_scripts[i].path;
    return NULL;
}

const char *follow_start_hint(const struct follow *f)
{
    static char hint[128];
    const char *script = init_script(f);

    if (script == NULL && process_has_systemd())
        return "systemctl start inetd";
    if (script == NULL)
        return strcmp(dialect_of(f), "inetutils") == 0 ? "/usr/sbin/inetutils-inetd"
                                                       : "/usr/sbin/inetd";
    /* A package's unit goes by its script's name. */
    if (process_has_systemd())
        (void)snprintf(hint, sizeof(hint), "systemctl start %s", text_basename(script));
    else
        (void)snprintf(hint, sizeof(hint), "/%s start", script);
    return hint;
}

/* openbsd-inetd exits on a HUP that finds no file; the others keep what they had. */
static bool config_is_there(const struct follow *f)
{
    return root_exists(f->root, "etc/inetd.conf") ||
           (strcmp(dialect_of(f), "inetutils") == 0 && root_exists(f->root, "etc/inetd.d"));
}

/* A daemon that has just been started would die of a HUP, or lose it: give it time. */
static int hup(struct process *p, long long wait_ms, struct diag *d)
{
    long long end = process_now() + wait_ms;

    while (process_refresh(p) == 0 && !p->catches_hup && process_now() < end)
        process_sleep(20);
    if (process_signal(p, SIGHUP, d) == 0)
        return 0;
    if (strcmp(d->code, "hup-not-caught") == 0)
        diag_hint(d, "when it has started: kill -HUP %ld", (long)p->pid);
    return -1;
}

static void tell_one(struct follow *f, struct process *p)
{
    struct diag d = DIAG_INIT;

    if (hup(p, f->o->wait_ms, &d) == 0)
        f->told = true;
    follow_signal_add(f, p->pid, p->comm, "HUP", &d);
    if (diag_isset(&d))
        *problems_new(&f->result->problems) = d;
}

static bool is_known(const struct follow *f, pid_t pid)
{
    for (size_t i = 0; i < f->ninetds; i++)
        if (f->inetds[i].pid == pid)
            return true;
    return false;
}

bool follow_adopt(struct follow *f, struct process *old, struct process *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_known(f, list[i].pid))
            continue;
        process_release(old);
        *old = list[i];
        list[i].fd = -1;
        list[i].exe = NULL;
        return true;
    }
    return false;
}

/* Wait for the daemon that a restart has started. */
static bool find_new(struct follow *f, struct process *old)
{
    long long end = process_now() + FIND_MS;

    do {
        struct problems ignored = {0};
        struct listeners l = {0};
        struct process *list = NULL;
        size_t n = 0;
        bool found = listeners_read(&l, true, NULL) == 0 &&
                     process_find_inetd(dialect_of(f), &l, &list, &n, &ignored, NULL) == 0 &&
                     follow_adopt(f, old, list, n);

        process_list_free(list, n);
        listeners_release(&l);
        problems_release(&ignored);
        if (found)
            return true;
        process_sleep(20);
    } while (process_now() < end);
    return false;
}

/* Stopped by us and not by the script: that one would believe the pid file. */
static int restart_by_script(struct follow *f, const struct process *p, const char *script,
                             struct diag *d)
{
    const char *const argv[] = {script, "start", NULL};
    const struct process_command c = {.path = script, .argv = argv, .ms = START_MS};
    int left = process_stop(p, STOP_MS, d);

    if (left < 0)
        return -1;
    if (left > 0)
        return diag_set(d, STATUS_ATTENTION, "still-running",
                        "process %ld '%s' does not end on TERM", (long)p->pid, p->comm);
    return process_run(f->root, &c, d);
}

static int restart_by_unit(struct follow *f, const char *unit, struct diag *d)
{
    const char *const argv[] = {"systemctl", "restart", unit, NULL};
    const struct process_command c = {.path = "usr/bin/systemctl", .argv = argv, .ms = START_MS};

    return process_run(f->root, &c, d);
}

/* 0 done (well or badly: said either way), -1 there is no way to do it. */
static int restart_one(struct follow *f, struct process *p)
{
    const char *script = init_script(f);
    char *unit = process_unit(f->root, p, script != NULL ? text_basename(script) : NULL);
    struct diag d = DIAG_INIT;
    pid_t was = p->pid;
    int done;

    if (unit == NULL && script == NULL)
        return -1;
    done = unit != NULL ? restart_by_unit(f, unit, &d) : restart_by_script(f, p, script, &d);
    free(unit);
    if (done == 0 && !find_new(f, p))
        diag_set(&d, STATUS_ATTENTION, "inetd-gone",
                 "the super-server (process %ld) was restarted and does not run", (long)was);
    diag_hint(&d, "%s", follow_start_hint(f));
    follow_signal_add(f, p->pid, p->comm, "restart", &d);
    if (diag_isset(&d))
        *problems_new(&f->result->problems) = d;
    else
        f->result->signals[f->result->nsignals - 1].note =
            mem_strdup(f->rpc_unknown ? "a HUP could have dropped its RPC registrations"
                                      : "a HUP would have dropped its RPC registrations");
    f->told = true;
    f->restarted = true;
    f->told_twice = true; /* a fresh start is not helped by a HUP */
    return 0;
}

static size_t count_inetd(const struct plan_sockets *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++)
        n += list->v[i].inetd;
    return n;
}

void follow_tell_inetds(struct follow *f)
{
    struct diag *d;
    bool restart;

    if (f->ninetds == 0) {
        if (count_inetd(&f->plan->opens) == 0)
            return;
        d = follow_problem(f, "no-inetd",
                           "no super-server is running: %zu sockets open from its next start",
                           count_inetd(&f->plan->opens));
        diag_hint(d, "%s", follow_start_hint(f));
        return;
    }
    if (!config_is_there(f)) {
        d = follow_problem(f, "config-missing",
                           "'/etc/inetd.conf' is missing: the super-server is not told, it could "
                           "end");
        diag_hint(d, "when the file is back: kill -HUP %ld", (long)f->inetds[0].pid);
        return;
    }
    restart = follow_hup_drops_rpc(f);
    f->since = process_now();
    for (size_t i = 0; i < f->ninetds; i++)
        if (!restart || restart_one(f, &f->inetds[i]) != 0)
            tell_one(f, &f->inetds[i]);
}

void follow_tell_again(struct follow *f)
{
    if (f->told_twice || !f->told || !config_is_there(f))
        return;
    f->told_twice = true;
    for (size_t i = 0; i < f->ninetds; i++)
        if (process_alive(&f->inetds[i]))
            tell_one(f, &f->inetds[i]);
}

/* openbsd-inetd can be brought to read the same line for ever; it then answers to nothing. */
static bool spins(struct process *p)
{
    long long per_second = sysconf(_SC_CLK_TCK);
    long long least = SPIN_MS * (per_second > 0 ? per_second : 100) * BUSY_PERCENT / 100 / 1000;

    for (int look = 0; look < SPIN_LOOKS; look++) {
        unsigned long long before;

        if (process_refresh(p) != 0 || !p->running_state)
            return false;
        before = p->cpu_ticks;
        process_sleep(SPIN_MS);
        if (process_refresh(p) != 0 || (long long)(p->cpu_ticks - before) < least)
            return false;
    }
    return true;
}

void follow_check_inetds(struct follow *f)
{
    long long early = SETTLE_MS - (process_now() - f->since);
    struct diag *d;

    if (f->told && early > 0)
        process_sleep(early);
    for (size_t i = 0; i < f->ninetds && f->told; i++) {
        struct process *p = &f->inetds[i];

        if (!process_alive(p)) {
            d = follow_problem(f, "inetd-gone", "the super-server (process %ld) has ended",
                               (long)p->pid);
            diag_hint(d, "%s", follow_start_hint(f));
        } else if (spins(p)) {
            d = follow_problem(f, "inetd-spins",
                               "the super-server (process %ld) spins and serves nobody",
                               (long)p->pid);
            diag_hint(d, "kill -KILL %ld; %s", (long)p->pid, follow_start_hint(f));
        }
    }
}
