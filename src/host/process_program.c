#include "batten/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/root.h"
#include "batten/text.h"
#include "process_int.h"

enum {
    ORDINARY_UID = 1000,
    NOBODY_UID = 65534,
    PLACES_MAX = 8,
};

static const char *const usual_dirs[] = {"usr/sbin",       "usr/bin",       "sbin", "bin",
                                         "usr/local/sbin", "usr/local/bin", NULL};

void process_argv(const struct process *p, struct strlist *out)
{
    char text[PROC_TEXT_MAX];
    int dir = proc_dir(p->pid);
    ssize_t len = dir < 0 ? -1 : proc_read(dir, "cmdline", text, sizeof(text));

    if (dir >= 0)
        close(dir);
    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(text + at) + 1)
        strlist_add(out, text + at);
}

/* --- the processes a command can have started
 * ---------------------------------------------------*/

struct place {
    char *path; /* absolute */
    dev_t dev;
    ino_t ino;
};

struct wanted {
    const char *name;
    struct place places[PLACES_MAX];
    size_t n;
};

static void add_place(struct wanted *w, struct root *root, const char *path)
{
    struct stat st;
    int fd;

    if (w->n == PLACES_MAX)
        return;
    fd = root_openat(root, path, O_PATH, 0);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        w->places[w->n].path = mem_printf("/%s", path);
        w->places[w->n].dev = st.st_dev;
        w->places[w->n++].ino = st.st_ino;
    }
    close(fd);
}

static void find_places(struct wanted *w, struct root *root, const char *program)
{
    w->name = text_basename(program);
    if (program[0] == '/') {
        add_place(w, root, program + 1);
        return;
    }
    for (size_t i = 0; usual_dirs[i] != NULL; i++) {
        char *path = mem_printf("%s/%s", usual_dirs[i], program);

        add_place(w, root, path);
        free(path);
    }
}

static void places_release(struct wanted *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->places[i].path);
    w->n = 0;
}

/* A program of many names is the one it was called by. */
static bool called(const struct process *p, const char *name)
{
    struct strlist argv = {0};
    bool yes = strcmp(p->comm, name) == 0;

    process_argv(p, &argv);
    for (size_t i = 0; i < argv.n && i < 2 && !yes; i++)
        yes = strcmp(text_basename(argv.v[i]), name) == 0;
    strlist_release(&argv);
    return yes;
}

/* The same file; or, after an upgrade of the package, the same path. */
static bool runs(const struct process *p, const struct wanted *w)
{
    for (size_t i = 0; i < w->n; i++) {
        if (strcmp(p->exe, w->places[i].path) == 0)
            return true;
        if (p->exe_dev == w->places[i].dev && p->exe_ino == w->places[i].ino)
            return strcmp(text_basename(p->exe), w->name) == 0 || called(p, w->name);
    }
    return false;
}

static bool can_be(const struct process *p, const struct wanted *w)
{
    if (p->exe == NULL || !p->ours || !p->trusted_exe || p->pid == getpid())
        return false;
    if (p->uid >= ORDINARY_UID && p->uid != NOBODY_UID)
        return false;
    return runs(p, w);
}

struct list {
    struct process *v;
    size_t n, cap;
};

static void collect(struct list *list, const struct wanted *w)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    struct process p;

    while (proc != NULL && (e = readdir(proc)) != NULL) {
        if (!isdigit((unsigned char)e->d_name[0]) ||
            process_open(&p, (pid_t)strtol(e->d_name, NULL, 10), NULL) != 0)
            continue;
        if (can_be(&p, w)) {
            list->v = mem_grow(list->v, list->n, &list->cap, sizeof(*list->v));
            list->v[list->n++] = p;
        } else {
            process_release(&p);
        }
    }
    if (proc != NULL)
        closedir(proc);
}

static bool listens(pid_t pid, const struct listeners *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < l->v[i].npids; k++)
            if (l->v[i].pids[k] == pid)
                return true;
    return false;
}

static bool has_parent_in(const struct list *list, const struct process *p)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].pid == p->ppid)
            return true;
    return false;
}

static void keep_only(struct list *list, const bool *keep)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (keep[i])
            list->v[kept++] = list->v[i];
        else
            process_release(&list->v[i]);
    }
    list->n = kept;
}

/* The master, not the sessions it serves: those end by themselves. */
static void drop_sessions(struct list *list, const struct listeners *l)
{
    bool *keep = mem_array(list->n + 1, sizeof(*keep));
    bool any = false;

    for (size_t i = 0; i < list->n; i++)
        keep[i] = !has_parent_in(list, &list->v[i]);
    for (size_t i = 0; i < list->n; i++)
        any |= keep[i] && listens(list->v[i].pid, l);
    for (size_t i = 0; i < list->n && any; i++)
        keep[i] = keep[i] && listens(list->v[i].pid, l);
    keep_only(list, keep);
    free(keep);
}

int process_find_program(struct root *root, const char *program, const struct listeners *listeners,
                         struct process **out, size_t *n, struct diag *d)
{
    struct wanted w = {0};
    struct list list = {0};

    *out = NULL;
    *n = 0;
    if (program[0] != '/' && strchr(program, '/') != NULL)
        return diag_set(d, STATUS_ATTENTION, "relative-program",
                        "program '%s' has a path relative to who knows where", program);
    find_places(&w, root, program);
    if (w.n > 0)
        collect(&list, &w);
    drop_sessions(&list, listeners);
    places_release(&w);
    *out = list.v;
    *n = list.n;
    return 0;
}
