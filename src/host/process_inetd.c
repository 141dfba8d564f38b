#include "batten/process.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "process_int.h"

enum { REPORTED_MOST = 8 }; /* anybody may run any number of them */

/* What one dialect's daemon is called. */
struct kind {
    const char *dialect;
    const char *exes[4]; /* basenames of the executable */
    const char *applet;  /* the first word it must go by, for programs of many names */
    const char *files[3];
};

static const struct kind kinds[] = {
    {"openbsd",   {"inetd"},                    NULL,    {"/etc/inetd.conf"}                },
    {"inetutils", {"inetutils-inetd", "inetd"}, NULL,    {"/etc/inetd.conf", "/etc/inetd.d"}},
    {"busybox",   {"busybox", "inetd"},         "inetd", {"/etc/inetd.conf"}                },
    {NULL,        {"inetd"},                    NULL,    {"/etc/inetd.conf"}                },
};

static const char *const pid_files[] = {"/run/inetd.pid", "/var/run/inetd.pid"};

struct search {
    const struct kind *kind;
    struct process *found;
    size_t n, cap;
    struct problems *problems;
    struct strlist foreign; /* pids already reported */
};

static const struct kind *kind_of(const char *dialect)
{
    const struct kind *k = kinds;

    while (k->dialect != NULL && strcmp(k->dialect, dialect) != 0)
        k++;
    return k;
}

static bool among(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n && names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Called by any of its names: "inetd", "/usr/sbin/inetd", "busybox inetd". */
static bool goes_by(const struct process *p, const char *applet)
{
    struct strlist argv = {0};
    bool yes = false;

    process_argv(p, &argv);
    for (size_t i = 0; i < argv.n && i < 2 && !yes; i++)
        yes = strcmp(text_basename(argv.v[i]), applet) == 0;
    strlist_release(&argv);
    return yes;
}

/* Only root's can bind the ports and change to the users of the file. Whoever runs a copy, or the
 * very program, under another uid would get his own sockets taken for the host's. Who may write the
 * executable is asked before something is stopped or run, not for a HUP. */
static bool is_hosts(const struct process *p)
{
    return p->uid == 0;
}

/* Its words are read last, and never a user's: where those are kept he could let us wait. */
static bool is_kind(const struct process *p, const struct kind *k)
{
    const char *name = p->exe != NULL ? text_basename(p->exe) : p->comm;

    if (p->exe == NULL && !p->hidden)
        return false; /* a kernel thread */
    if (!among(k->exes, ARRAY_LEN(k->exes), name) &&
        !(k->applet != NULL && text_starts(name, k->exes[0]))) /* "busybox.nosuid" */
        return p->exe == NULL && k->applet != NULL && strcmp(name, k->applet) == 0;
    if (k->applet == NULL || strcmp(name, k->applet) == 0)
        return true;
    return is_hosts(p) && goes_by(p, k->applet);
}

bool process_is_inetd(const struct process *p, const char *dialect)
{
    return is_kind(p, kind_of(dialect));
}

/* A file named on its command line that is none of the dialect's own; NULL when there is none. */
static char *other_file(const struct process *p, const struct kind *k)
{
    struct strlist argv = {0};
    char *other = NULL;
    bool usual = false;

    process_argv(p, &argv);
    for (size_t i = 1; i < argv.n; i++) {
        if (argv.v[i][0] != '/')
            continue;
        if (among(k->files, ARRAY_LEN(k->files), argv.v[i]))
            usual = true;
        else if (other == NULL)
            other = mem_strdup(argv.v[i]);
    }
    if (usual) {
        free(other);
        other = NULL;
    }
    strlist_release(&argv);
    return other;
}

static bool known(const struct search *s, pid_t pid)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->found[i].pid == pid)
            return true;
    return false;
}

/* Say once that P is a super-server, but none of ours. */
static void report_foreign(struct search *s, const struct process *p)
{
    char *pid = mem_printf("%ld", (long)p->pid);
    struct diag *d;

    if (s->foreign.n < REPORTED_MOST && !strlist_has(&s->foreign, pid)) {
        strlist_add(&s->foreign, pid);
        d = problems_new(s->problems);
        if (p->hidden) {
            diag_set(d, STATUS_DONE, "hidden",
                     "only root can see whether process %s '%s' is this host's super-server", pid,
                     p->comm);
            diag_hint(d, "run it as root: sudo batten");
        } else if (!p->ours) {
            diag_set(d, STATUS_DONE, "foreign-inetd",
                     "process %s '%s' is an inetd of a container or chroot and is left alone", pid,
                     p->comm);
        } else {
            diag_set(d, STATUS_DONE, "users-inetd",
                     "process %s '%s' (uid %lu) is not root's inetd and is left alone", pid,
                     p->comm, (unsigned long)p->uid);
        }
    }
    free(pid);
}

/* Take P over, or drop it with the reason. */
static void consider(struct search *s, struct process *p)
{
    char *other = NULL;

    if (!p->ours || !is_hosts(p))
        report_foreign(s, p);
    else if ((other = other_file(p, s->kind)) != NULL)
        diag_set(problems_new(s->problems), STATUS_DONE, "other-config",
                 "process %ld '%s' is an inetd that reads '%s' and is left alone", (long)p->pid,
                 p->comm, other);
    else {
        s->found = mem_grow(s->found, s->n, &s->cap, sizeof(*s->found));
        s->found[s->n++] = *p;
        p = NULL;
    }
    if (p != NULL)
        process_release(p);
    free(other);
}

/* 1 it is a super-server (taken over or reported), 0 it is something else, -1 there is none. */
static int try_pid(struct search *s, pid_t pid)
{
    struct process p;

    if (known(s, pid))
        return 1;
    if (process_open(&p, pid, NULL) != 0)
        return -1;
    if (!is_kind(&p, s->kind)) {
        process_release(&p);
        return 0;
    }
    consider(s, &p);
    return 1;
}

static void try_pid_file(struct search *s, const char *path)
{
    struct diag d = DIAG_INIT;
    struct process p;
    pid_t pid = 0;
    int got = process_read_pidfile(path, &pid, &d);

    if (got < 0)
        *problems_new(s->problems) = d;
    if (got <= 0)
        return;
    got = try_pid(s, pid);
    if (got < 0) {
        diag_set(&d, STATUS_DONE, "pid-file-stale",
                 "pid file '%s' names process %ld, which is not there", path, (long)pid);
    } else if (got == 0) {
        bool there = process_open(&p, pid, NULL) == 0;

        diag_set(&d, STATUS_DONE, "pid-file-lies",
                 "pid file '%s' names process %ld, which is '%s' and not this host's inetd", path,
                 (long)pid, there ? p.comm : "?");
        if (there)
            process_release(&p);
    }
    if (!diag_isset(&d))
        return;
    diag_at(&d, path, 0, 0);
    diag_hint(&d, "an init script's reload may signal that process; check: cat %s", path);
    *problems_new(s->problems) = d;
}

static void try_pid_files(struct search *s)
{
    struct stat st, done[ARRAY_LEN(pid_files)];
    size_t ndone = 0;

    for (size_t i = 0; i < ARRAY_LEN(pid_files); i++) {
        bool again = false;

        if (stat(pid_files[i], &st) == 0) {
            /* /var/run is nearly always /run by another name. */
            for (size_t k = 0; k < ndone && !again; k++)
                again = done[k].st_dev == st.st_dev && done[k].st_ino == st.st_ino;
            done[ndone++] = st;
        }
        if (!again)
            try_pid_file(s, pid_files[i]);
    }
}

static int compare_pids(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

    return (x > y) - (x < y);
}

/* Each once: a user's hundred processes may share a thousand sockets. */
static void try_owners(struct search *s, const struct listeners *l)
{
    size_t n = 0, cap = 0;
    pid_t *all = NULL;

    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < l->v[i].npids; k++) {
            all = mem_grow(all, n, &cap, sizeof(*all));
            all[n++] = l->v[i].pids[k];
        }
    if (n > 1)
        qsort(all, n, sizeof(*all), compare_pids);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || all[i] != all[i - 1])
            (void)try_pid(s, all[i]);
    free(all);
}

static void try_everybody(struct search *s)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;

    while (proc != NULL && (e = readdir(proc)) != NULL)
        if (isdigit((unsigned char)e->d_name[0]))
            (void)try_pid(s, (pid_t)strtol(e->d_name, NULL, 10));
    if (proc != NULL)
        closedir(proc);
}

/* Between fork and exec, and while it serves an internal service, a child looks just as its
 * parent. */
static void drop_children(struct search *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n; i++)
        if (known(s, s->found[i].ppid))
            s->found[i].ppid = -s->found[i].ppid;
    for (size_t i = 0; i < s->n; i++) {
        if (s->found[i].ppid < 0)
            process_release(&s->found[i]);
        else
            s->found[kept++] = s->found[i];
    }
    s->n = kept;
}

int process_find_inetd(const char *dialect, const struct listeners *listeners, struct process **out,
                       size_t *n, struct problems *problems, struct diag *d)
{
    struct search s = {.kind = kind_of(dialect), .problems = problems};

    (void)d;
    try_pid_files(&s);
    try_owners(&s, listeners);
    if (s.n == 0)
        try_everybody(&s);
    drop_children(&s);
    if (s.n > 1)
        diag_set(problems_new(problems), STATUS_DONE, "several-inetds",
                 "%zu super-servers run, pids %ld and %ld among them: each will be told", s.n,
                 (long)s.found[0].pid, (long)s.found[1].pid);
    strlist_release(&s.foreign);
    *out = s.found;
    *n = s.n;
    return 0;
}
