/*
 * predict_driver.c - what batten predicts for a root, for scripts to compare with a real daemon
 *
 *     predict_driver DIALECT ROOT sockets        one line per socket, sorted
 *     predict_driver DIALECT ROOT entries        one line per enabled entry: number, place, group
 *     predict_driver DIALECT ROOT disable N      switch entry N off, and all of its group
 *     predict_driver DIALECT ROOT compare        standard input is what really is open: 0 when it
 *                                                is the same, else 1 and the differences
 */
#include <dirent.h>

#include "batten/lens.h"

#include "../unit/predict.h"

enum { SOURCES_MAX = 64 };

static struct source sources[SOURCES_MAX];
static size_t nsources;
static const char *root;

static void add_source(const char *path)
{
    char *full = mem_printf("%s/%s", root, path);
    struct buf bytes = BUF_INIT;

    if (nsources < SOURCES_MAX && read_bytes(full, &bytes)) {
        sources[nsources].path = mem_strdup(path);
        sources[nsources].len = bytes.len;
        sources[nsources++].bytes = buf_steal(&bytes);
    }
    buf_release(&bytes);
    free(full);
}

static void add_directory(const char *path)
{
    char *full = mem_printf("%s/%s", root, path);
    struct dirent **names;
    int n = scandir(full, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char *file = mem_printf("%s/%s", path, names[i]->d_name);

        if (names[i]->d_type == DT_REG)
            add_source(file);
        free(file);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    free(full);
}

static void print_entries(const struct parse *p)
{
    for (size_t i = 0; i < p->entries.n; i++) {
        const struct entry *e = p->entries.v[i];

        if (e->enabled)
            printf("%zu %s:%u %s group=%u%s\n", i, e->source->path, e->line, e->name, e->group,
                   e->locked != NULL ? " locked" : "");
    }
}

static int write_sources(const struct edits *edits)
{
    for (size_t i = 0; i < nsources; i++) {
        char *full = mem_printf("%s/%s", root, sources[i].path);
        struct diag d = DIAG_INIT;
        struct buf out = BUF_INIT;
        FILE *f = fopen(full, "w");

        if (f == NULL || edits_apply(&sources[i], edits, &out, &d) != 0 ||
            fwrite(buf_str(&out), 1, out.len, f) != out.len) {
            fprintf(stderr, "%s: cannot be written\n", full);
            return 1;
        }
        fclose(f);
        buf_release(&out);
        free(full);
    }
    return 0;
}

static int disable(const struct parse *p, long long number)
{
    struct edits edits = {0};
    struct diag d = DIAG_INIT;
    const struct entry *wanted = p->entries.v[number];
    int status = disable_group(p, wanted, &edits, &d);

    if (status == 0)
        status = write_sources(&edits);
    else
        fprintf(stderr, "%s: %s\n", wanted->name, d.message);
    edits_release(&edits);
    diag_release(&d);
    return status != 0;
}

/* Whether REAL, "tcp4:*:1022", may be the socket MINE, "tcp4:*:dyn". */
static bool may_be(const char *mine, const char *real)
{
    const char *port = strrchr(mine, ':');

    return port != NULL && strcmp(port, ":dyn") == 0 &&
           strncmp(mine, real, (size_t)(port - mine) + 1) == 0;
}

/* Take a line of REAL that is MINE, or may be when LOOSE, out of the list. */
static bool take(struct strlist *real, const char *mine, bool loose)
{
    for (size_t i = 0; i < real->n; i++) {
        if (strcmp(real->v[i], mine) != 0 && !(loose && may_be(mine, real->v[i])))
            continue;
        *real->v[i] = '\0'; /* no socket looks like this */
        return true;
    }
    return false;
}

static int compare(const struct strlist *mine)
{
    struct strlist real = {0};
    char line[512];
    int status = 0;

    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        strlist_add(&real, line);
    }
    /* Two passes: what bind chose must not be taken for a port that was asked for. */
    for (int loose = 0; loose < 2; loose++)
        for (size_t i = 0; i < mine->n; i++) {
            bool dynamic = may_be(mine->v[i], mine->v[i]);

            if (dynamic != (loose == 1) || take(&real, mine->v[i], loose == 1))
                continue;
            printf("predicted, not open: %s\n", mine->v[i]);
            status = 1;
        }
    for (size_t i = 0; i < real.n; i++)
        if (*real.v[i] != '\0') {
            printf("open, not predicted: %s\n", real.v[i]);
            status = 1;
        }
    strlist_release(&real);
    return status;
}

static int run(const struct parse *p, char **argv)
{
    struct strlist mine = {0};
    long long number;
    int status = 2;

    sockets_of(&mine, p);
    if (strcmp(argv[0], "sockets") == 0) {
        for (size_t i = 0; i < mine.n; i++)
            puts(mine.v[i]);
        status = 0;
    } else if (strcmp(argv[0], "entries") == 0) {
        print_entries(p);
        status = 0;
    } else if (strcmp(argv[0], "compare") == 0) {
        status = compare(&mine);
    } else if (strcmp(argv[0], "disable") == 0 && argv[1] != NULL &&
               text_number(argv[1], 0, (long long)p->entries.n - 1, &number) == 0) {
        status = disable(p, number);
    }
    strlist_release(&mine);
    return status;
}

int main(int argc, char **argv)
{
    struct netdb *db;
    struct parse parse;
    int status;

    if (argc < 4 || dialect_find(argv[1]) == NULL) {
        fputs("usage: predict_driver DIALECT ROOT sockets|entries|disable N|compare\n", stderr);
        return 2;
    }
    if (getenv("BATTEN_LENSES") != NULL)
        lens_set_dir(getenv("BATTEN_LENSES"));
    root = argv[2];
    add_source("etc/inetd.conf");
    if (strcmp(argv[1], "inetutils") == 0)
        add_directory("etc/inetd.d");
    db = netdb_of(root);
    predict_sources(&parse, argv[1], db, sources, nsources);
    status = run(&parse, argv + 3);
    parse_release(&parse);
    for (size_t i = 0; i < nsources; i++) {
        free(sources[i].path);
        free(sources[i].bytes);
    }
    netdb_free(db);
    lens_shutdown();
    return status;
}
