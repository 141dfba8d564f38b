#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/dialect.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/process.h"
#include "batten/text.h"
#include "cli.h"
#include "progress.h"

enum { FILES_MAX = 4096, DEPTH_MAX = 8 };

/* All sources of a root together; one is at most SOURCE_MAX. */
#define TOTAL_MAX ((size_t)32 * 1024 * 1024)

static void read_names(struct scan *s)
{
    for (enum netdb_file file = 0; file < NETDB_FILES; file++) {
        struct buf bytes = BUF_INIT;
        struct diag d = DIAG_INIT;

        switch (root_read(s->root, netdb_path(file), SOURCE_MAX, &bytes, NULL, &d)) {
        case ROOT_OK:
            netdb_add(s->db, file, buf_str(&bytes), bytes.len);
            break;
        case ROOT_ERROR:
            *problems_new(&s->problems) = d;
            d = (struct diag)DIAG_INIT;
            break;
        case ROOT_ABSENT:
            break;
        }
        diag_release(&d);
        buf_release(&bytes);
    }
}

static const struct dialect *dialect_installed(const struct scan *s)
{
    size_t n;
    const struct dialect_sign *signs = dialect_signs(&n);

    for (size_t i = 0; i < n; i++)
        if (root_exists(s->root, signs[i].path))
            return dialect_find(signs[i].dialect);
    return NULL;
}

static const struct dialect *dialect_by_text(const struct scan *s)
{
    struct buf bytes = BUF_INIT;
    const struct dialect *found = NULL;

    if (root_read(s->root, "etc/inetd.conf", SOURCE_MAX, &bytes, NULL, NULL) == ROOT_OK)
        found = dialect_from_text(buf_str(&bytes), bytes.len);
    buf_release(&bytes);
    return found;
}

/* Every small system has a busybox, and most that have one run another inetd: on the running host
 * the executable that runs decides. */
static const struct dialect *dialect_running(void)
{
    struct listeners none = {0};
    struct problems problems = {0};
    struct process *list = NULL;
    const struct dialect *found = NULL;
    size_t n = 0;

    if (process_find_inetd("busybox", &none, &list, &n, &problems, NULL) == 0 && n > 0 &&
        list[0].exe != NULL && strcmp(text_basename(list[0].exe), "inetd") == 0)
        found = dialect_find("openbsd");
    process_list_free(list, n);
    problems_release(&problems);
    return found;
}

static int choose_dialect(struct scan *s, const char *forced, struct diag *d)
{
    if (forced != NULL) {
        size_t n;
        const char *const *names = dialect_names(&n), *near;

        s->dialect = dialect_find(forced);
        s->dialect_why = "given";
        if (s->dialect != NULL)
            return 0;
        near = text_nearest(forced, names, n);
        diag_set(d, STATUS_USAGE, "unknown-dialect", "unknown dialect '%s'", forced);
        diag_hint(d, "--dialect %s", near ? near : names[0]);
        return -1;
    }
    s->dialect = dialect_installed(s);
    s->dialect_why = "installed";
    if (s->dialect == dialect_find("busybox") && !root_offline(s->root)) {
        const struct dialect *running = dialect_running();

        s->dialect_why = running ? "running" : s->dialect_why;
        s->dialect = running ? running : s->dialect;
    }
    if (s->dialect == NULL) {
        s->dialect = dialect_by_text(s);
        s->dialect_why = "the file's own words";
    }
    if (s->dialect == NULL) {
        s->dialect = dialect_default();
        s->dialect_why = "assumed";
    }
    return 0;
}

const struct scan_file *scan_file(const struct scan *s, const char *path)
{
    for (size_t i = 0; i < s->nfiles; i++)
        if (strcmp(s->files[i]->source.path, path) == 0)
            return s->files[i];
    return NULL;
}

static bool already_read(const struct scan *s, const struct file_meta *meta)
{
    for (size_t i = 0; i < s->nfiles; i++) {
        const struct stat *st = &s->files[i]->meta.st;

        if (st->st_dev == meta->st.st_dev && st->st_ino == meta->st.st_ino)
            return true;
    }
    return false;
}

static void scan_file_free(struct scan_file *f)
{
    free(f->source.path);
    free(f->source.bytes);
    file_meta_release(&f->meta);
    free(f);
}

static void add_problem(struct scan *s, struct diag *d)
{
    if (!diag_isset(d))
        return;
    if (strcmp(d->code, "unreadable") == 0)
        s->denied = true;
    else
        s->unread = true;
    *problems_new(&s->problems) = *d;
    *d = (struct diag)DIAG_INIT;
}

static enum root_result read_file(struct scan *s, const char *path, struct scan_file **out,
                                  struct diag *d)
{
    struct scan_file *f = mem_alloc(sizeof(*f));
    struct buf bytes = BUF_INIT;
    enum root_result result = root_read(s->root, path, SOURCE_MAX, &bytes, &f->meta, d);

    f->source.path = mem_strdup(path);
    f->source.len = bytes.len;
    f->source.bytes = buf_steal(&bytes);
    if (result != ROOT_OK) {
        scan_file_free(f);
        f = NULL;
    }
    *out = f;
    return result;
}

static void keep_file(struct scan *s, struct scan_file *f)
{
    s->files = mem_grow(s->files, s->nfiles, &s->files_cap, sizeof(*s->files));
    s->files[s->nfiles++] = f;
    progress_count("files read", s->nfiles);
}

/* An image may name any number of large files: memory stays bounded, and what is left out is told.
 */
static bool too_much(struct scan *s, const struct scan_file *f)
{
    struct diag d = DIAG_INIT;

    if (f->source.len <= TOTAL_MAX - s->total) {
        s->total += f->source.len;
        return false;
    }
    diag_set(&d, STATUS_ATTENTION, "too-much",
             "not read: the files of this root are more than %zu MiB together", TOTAL_MAX >> 20);
    diag_at(&d, f->source.path, 0, 0);
    add_problem(s, &d);
    return true;
}

/* Read one path and hand it to the starter; a file reached by two names is read once. */
static void take_file(struct scan *s, struct parse *p, const char *path)
{
    struct scan_file *f;
    struct diag d = DIAG_INIT;

    if (read_file(s, path, &f, &d) == ROOT_ERROR)
        add_problem(s, &d);
    if (f == NULL)
        return;
    if (already_read(s, &f->meta) || too_much(s, f)) {
        scan_file_free(f);
        return;
    }
    keep_file(s, f);
    p->starter->parse(p, &f->source);
}

enum root_result scan_extra(struct scan *s, const char *path, const struct scan_file **out,
                            struct diag *d)
{
    struct scan_file *f;
    enum root_result result = read_file(s, path, &f, d);

    if (f != NULL)
        keep_file(s, f);
    *out = f;
    return result;
}

/* Patterns as the person wrote them are below the root too. */
static const char *below_root(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

/* A file that a person named by --rc must be there. */
static void check_named(struct scan *s, const struct options *o)
{
    for (size_t i = 0; i < o->rc.n; i++) {
        struct diag d = DIAG_INIT;

        if (root_exists(s->root, below_root(o->rc.v[i])))
            continue;
        diag_set(&d, STATUS_ATTENTION, "no-file", "there is no file '%s'", o->rc.v[i]);
        diag_hint(&d, "paths given by --rc are below the root");
        add_problem(s, &d);
    }
}

static void take_pattern(struct scan *s, struct parse *p, const char *pattern)
{
    struct strlist paths = {0};
    struct diag d = DIAG_INIT;

    if (root_glob(s->root, pattern, FILES_MAX, &paths, &d) != 0)
        add_problem(s, &d);
    for (size_t i = 0; i < paths.n && s->nfiles < FILES_MAX; i++)
        if (scan_file(s, paths.v[i]) == NULL)
            take_file(s, p, paths.v[i]);
    strlist_release(&paths);
}

static void scan_starter(struct scan *s, struct parse *p, const struct options *o)
{
    struct strlist wanted = {0};

    p->starter->paths(p, &wanted);
    if (strcmp(p->starter->name, "rcscript") == 0)
        for (size_t i = 0; i < o->rc.n; i++)
            strlist_add(&wanted, below_root(o->rc.v[i]));
    for (unsigned depth = 0; depth <= DEPTH_MAX && wanted.n > 0; depth++) {
        for (size_t i = 0; i < wanted.n; i++)
            take_pattern(s, p, below_root(wanted.v[i]));
        strlist_release(&wanted);
        wanted = p->more;
        p->more = (struct strlist){0};
    }
    if (wanted.n > 0) {
        diag_set(problems_new(&s->problems), STATUS_ATTENTION, "too-deep",
                 "files include each other more than %d deep: '%s' is not read", DEPTH_MAX,
                 wanted.v[0]);
        s->unread = true;
    }
    strlist_release(&wanted);
    p->starter->finish(p);
    /* a lens that could not be loaded, say: the file was not understood for no fault of its own */
    for (size_t i = 0; i < p->problems.n; i++)
        s->unread = s->unread || p->problems.v[i].status == STATUS_SYSTEM;
}

static void gather_entries(struct scan *s)
{
    for (size_t i = 0; i < s->nparses; i++) {
        const struct entries *from = &s->parses[i].entries;

        for (size_t j = 0; j < from->n; j++) {
            s->entries.v =
                mem_grow(s->entries.v, s->entries.n, &s->entries.cap, sizeof(*s->entries.v));
            s->entries.v[s->entries.n++] = from->v[j];
        }
    }
}

static bool is_daemon(const char *basename)
{
    return catalogue_program(basename) != NULL;
}

int scan_run(struct scan *s, struct root *root, const struct options *o, struct diag *d)
{
    const struct starter *const *all;

    if (!root_exists(root, "etc")) {
        diag_set(d, STATUS_REFUSED, "no-etc", "'%s' is not a root: it has no 'etc'",
                 root_dir(root));
        diag_hint(d, "--root takes the directory that holds etc, usr and var");
        return -1;
    }
    s->root = root;
    s->db = netdb_new();
    if (choose_dialect(s, o->dialect, d) != 0)
        return -1;
    read_names(s);
    check_named(s, o);
    all = starters(&s->nparses);
    s->parses = mem_array(s->nparses, sizeof(*s->parses));
    for (size_t i = 0; i < s->nparses; i++) {
        struct parse *p = &s->parses[i];

        p->starter = all[i];
        p->dialect = s->dialect;
        p->db = s->db;
        p->is_daemon = is_daemon;
        scan_starter(s, p, o);
    }
    gather_entries(s);
    if (s->nfiles == 0 && root_offline(root)) {
        struct diag *none = problems_new(&s->problems);

        diag_set(none, STATUS_ATTENTION, "nothing-read",
                 "no file was found below '%s' that batten reads", root_dir(root));
        diag_hint(none, "if this is the right image, name its start scripts: --rc FILE");
    }
    return 0;
}

void scan_predicted(const struct scan *s, struct plan_sockets *out)
{
    for (size_t i = 0; i < s->entries.n; i++) {
        const struct entry *e = s->entries.v[i];

        if (strcmp(e->starter->name, "inetd") != 0)
            continue;
        for (size_t j = 0; j < e->nsockets; j++)
            plan_socket_add(out, e->name, e->source->path, e->line, &e->sockets[j], true);
    }
}

void scan_release(struct scan *s)
{
    for (size_t i = 0; i < s->nparses; i++)
        parse_release(&s->parses[i]);
    free(s->parses);
    free(s->entries.v);
    for (size_t i = 0; i < s->nfiles; i++)
        scan_file_free(s->files[i]);
    free(s->files);
    problems_release(&s->problems);
    netdb_free(s->db);
    *s = (struct scan){0};
}
