#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "root_int.h"

/* A directory of an image may hold millions of names; no configuration does. */
enum { NAMES_MAX = 65536 };

struct glob {
    const struct root *root;
    const char *pattern; /* for messages */
    size_t max;
    size_t names; /* directory entries looked at */
    struct strlist *out;
    struct diag *d;
};

static int glob_in(struct glob *g, const char *dir, const char *pattern);

static int too_many(struct glob *g)
{
    diag_set(g->d, STATUS_REFUSED, "too-many-files", "'%s' stands for too many files", g->pattern);
    return -1;
}

static char *join(const char *dir, const char *name)
{
    return mem_printf("%s%s%s", dir, *dir ? "/" : "", name);
}

/* Whether PATH leads to something of KIND: 1, 0, -1. A link that leads nowhere is nothing. */
static int leads_to(struct glob *g, const char *path, mode_t kind)
{
    struct stat st;
    int fd = root_openat(g->root, path, O_PATH, 0), rc = 0;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return 0;
    if (fd < 0 || fstat(fd, &st) != 0) {
        root_fail(g->root, path, errno, g->d);
        rc = -1;
    } else {
        rc = (st.st_mode & S_IFMT) == kind;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

static int glob_found(struct glob *g, const char *path)
{
    if (g->out->n >= g->max)
        return too_many(g);
    strlist_add(g->out, path);
    return 0;
}

static int glob_name(struct glob *g, const char *dir, const char *name, const char *rest)
{
    char *path = join(dir, name);
    int rc = leads_to(g, path, rest != NULL ? S_IFDIR : S_IFREG);

    if (rc > 0)
        rc = rest != NULL ? glob_in(g, path, rest) : glob_found(g, path);
    free(path);
    return rc;
}

/* Every name of DIR that matches WORD. */
static int glob_dir(struct glob *g, const char *dir, const char *word, const char *rest)
{
    int fd = root_openat(g->root, *dir ? dir : ".", O_RDONLY | O_DIRECTORY, 0), rc = 0;
    struct dirent *e;
    DIR *list;

    if (fd < 0)
        return root_fail(g->root, *dir ? dir : ".", errno, g->d) == ROOT_ABSENT ? 0 : -1;
    list = fdopendir(fd);
    if (list == NULL) {
        root_fail(g->root, dir, errno, g->d);
        close(fd);
        return -1;
    }
    while (rc == 0 && (e = readdir(list)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (++g->names > NAMES_MAX)
            rc = too_many(g);
        else if (fnmatch(word, e->d_name, 0) == 0)
            rc = glob_name(g, dir, e->d_name, rest);
    }
    closedir(list);
    return rc;
}

/* A path without wildcards counts whatever it is, so that a directory in a file's place is told. */
static int glob_literal(struct glob *g, const char *path)
{
    int fd = root_openat(g->root, path, O_PATH, 0);

    if (fd < 0)
        return root_fail(g->root, path, errno, g->d) == ROOT_ABSENT ? 0 : -1;
    close(fd);
    return glob_found(g, path);
}

static int glob_in(struct glob *g, const char *dir, const char *pattern)
{
    size_t len = strcspn(pattern, "/");
    char *word = mem_strndup(pattern, len), *path;
    const char *rest = pattern + len + strspn(pattern + len, "/");
    int rc = 0;

    rest = *rest ? rest : NULL;
    if (strpbrk(word, "*?[\\") != NULL) {
        rc = glob_dir(g, dir, word, rest);
    } else {
        path = join(dir, word);
        rc = rest != NULL ? glob_in(g, path, rest) : glob_literal(g, path);
        free(path);
    }
    free(word);
    return rc;
}

int root_glob(const struct root *root, const char *pattern, size_t max, struct strlist *out,
              struct diag *d)
{
    struct strlist found = {0};
    struct glob g = {.root = root, .pattern = pattern, .max = max, .out = &found, .d = d};
    int rc = glob_in(&g, "", pattern + strspn(pattern, "/"));

    strlist_sort(&found);
    for (size_t i = 0; rc == 0 && i < found.n; i++)
        strlist_add(out, found.v[i]);
    strlist_release(&found);
    return rc;
}

enum root_result root_visit(const struct root *root, const char *path, size_t max,
                            root_visitor *visit, void *ctx, struct diag *d)
{
    int fd = root_openat(root, path, O_RDONLY | O_DIRECTORY, 0), rc = 0;
    size_t seen = 0;
    struct dirent *e;
    struct stat st;
    DIR *list;

    if (fd < 0)
        return root_fail(root, path, errno, d);
    list = fdopendir(fd);
    if (list == NULL) {
        root_fail(root, path, errno, d);
        close(fd);
        return ROOT_ERROR;
    }
    while (rc == 0 && (e = readdir(list)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (++seen > max) {
            rc = diag_set(d, STATUS_REFUSED, "too-many-files", "'%s' holds too many files", path);
            diag_at(d, path, 0, 0);
        } else if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            rc = visit(ctx, e->d_name, &st, d);
        } else if (errno != ENOENT) {
            root_fail(root, path, errno, d);
            rc = -1;
        }
    }
    closedir(list);
    return rc == 0 ? ROOT_OK : ROOT_ERROR;
}

static int add_name(void *ctx, const char *name, const struct stat *st, struct diag *d)
{
    (void)st;
    (void)d;
    strlist_add(ctx, name);
    return 0;
}

enum root_result root_list(const struct root *root, const char *path, size_t max,
                           struct strlist *out, struct diag *d)
{
    enum root_result result = root_visit(root, path, max, add_name, out, d);

    strlist_sort(out);
    return result;
}
