#include "walk.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/root.h"
#include "batten/text.h"
#include "repo.h"

enum { OBJECTS_MAX = 1000000, NAMES_MAX = 4096, REF_DEPTH = 8, REF_BYTES = 64, LITTER_MAX = 16 };

/* What a directory of the repository may hold. */
enum place { TOP, INFO, REFS, OBJECTS, FAN, PACK, OBJECT_INFO };

/* Temporary files that a crash left in objects/. libgit2 links an object to its name before it
 * removes the temporary one: those two names of one file are no attack. */
struct litter {
    ino_t v[LITTER_MAX];
    size_t n;
    bool found; /* these or any other */
};

struct walk {
    const struct root *repo;
    const char *dir; /* "" for the top */
    enum place place;
    unsigned depth;
    struct litter *litter;
    struct strlist dirs;  /* below DIR, to be walked */
    struct strlist files; /* whose content is to be checked */
};

static int hostile(const char *dir, const char *name, const char *why, struct diag *d)
{
    char *path = mem_printf("%s/%s%s%s", REPO_DIR, dir, *dir ? "/" : "", name);
    struct buf safe = BUF_INIT;

    text_safe(&safe, path, strlen(path));
    diag_set(d, STATUS_REFUSED, "hostile-history", "the history is not as batten makes it: '%s' %s",
             buf_str(&safe), why);
    diag_at(d, path, 0, 0);
    diag_hint(d, "move it away and look at it; --history DIR names another state directory");
    buf_release(&safe);
    free(path);
    return -1;
}

static bool is_hex(const char *s, size_t len)
{
    return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

static bool ends(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

static bool in_list(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

static bool ref_name(const char *s)
{
    return s[0] != '.' && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789._-+@")] == '\0';
}

static bool dir_allowed(enum place place, const char *name)
{
    static const char *const top[] = {"refs", "objects", "info", NULL};
    static const char *const objects[] = {"pack", "info", NULL};

    switch (place) {
    case TOP:
        return in_list(name, top);
    case REFS:
        return ref_name(name);
    case OBJECTS:
        return in_list(name, objects) || is_hex(name, 2);
    case INFO:
    case FAN:
    case PACK:
    case OBJECT_INFO:
        break;
    }
    return false;
}

static bool pack_allowed(const char *name)
{
    static const char *const ends_of[] = {".pack", ".idx", ".rev", ".bitmap", ".keep", ".mtimes"};

    if (strcmp(name, "multi-pack-index") == 0 || text_starts(name, "tmp_"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(ends_of); i++)
        if (text_starts(name, "pack-") && ends(name, ends_of[i]))
            return true;
    return false;
}

static bool file_allowed(enum place place, const char *name)
{
    static const char *const top[] = {"HEAD",        "config",      "packed-refs",      "gc.pid",
                                      "gc.log",      "description", "packed-refs.new",  "HEAD.lock",
                                      "gc.pid.lock", "config.lock", "packed-refs.lock", NULL};
    static const char *const infos[] = {"refs", "exclude", NULL};
    static const char *const object_infos[] = {"packs", "commit-graph", NULL};

    switch (place) {
    case TOP:
        return in_list(name, top);
    case INFO:
        return in_list(name, infos);
    case REFS:
        return ref_name(name);
    case OBJECTS:
        return text_starts(name, "tmp_");
    case FAN:
        return is_hex(name, 38) || text_starts(name, "tmp_");
    case PACK:
        return pack_allowed(name);
    case OBJECT_INFO:
        return in_list(name, object_infos);
    }
    return false;
}

static bool is_litter(const struct walk *w, const char *name, const struct stat *st)
{
    if (!text_starts(name, "tmp_") && !ends(name, ".lock"))
        return false;
    w->litter->found = true;
    if (w->place == OBJECTS && w->litter->n < LITTER_MAX)
        w->litter->v[w->litter->n++] = st->st_ino;
    return true;
}

static bool links_allowed(const struct walk *w, const struct stat *st)
{
    bool known = false;

    if (st->st_nlink == 1)
        return true;
    for (size_t i = 0; i < w->litter->n; i++)
        known = known || w->litter->v[i] == st->st_ino;
    return known && w->place == FAN && st->st_nlink == 2;
}

static int visit(void *ctx, const char *name, const struct stat *st, struct diag *d)
{
    struct walk *w = ctx;

    if (st->st_uid != geteuid() && st->st_uid != 0)
        return hostile(w->dir, name, "belongs to somebody else", d);
    if (S_ISDIR(st->st_mode)) {
        if (!dir_allowed(w->place, name))
            return hostile(w->dir, name, "has no place there", d);
        strlist_add(&w->dirs, name);
        return 0;
    }
    if (S_ISLNK(st->st_mode))
        return hostile(w->dir, name, "is a symbolic link", d);
    if (!S_ISREG(st->st_mode))
        return hostile(w->dir, name, "is no file", d);
    if (!file_allowed(w->place, name))
        return hostile(w->dir, name, "has no place there", d);
    /* never read, only removed: whatever else it is linked to stays */
    if (is_litter(w, name, st))
        return 0;
    if (!links_allowed(w, st))
        return hostile(w->dir, name, "has another hard link", d);
    if (w->place == TOP || w->place == REFS || w->place == FAN)
        strlist_add(&w->files, name);
    return 0;
}

/* A loose object is a zlib stream (RFC 1950). What is none libgit2 reads as if it came out of a
 * pack, and where nothing follows its head, for ever. */
static int check_object(const struct walk *w, const char *path, const char *name, struct diag *d)
{
    unsigned char head[2] = {0, 0};
    int fd = root_openat(w->repo, path, O_RDONLY, 0);
    ssize_t got = fd >= 0 ? read(fd, head, sizeof(head)) : -1;

    if (fd >= 0)
        close(fd);
    if (got == (ssize_t)sizeof(head) && (head[0] & 0x8f) == 8 &&
        (head[0] * 256 + head[1]) % 31 == 0)
        return 0;
    return hostile(w->dir, name, "is not an object", d);
}

static int check_content(const struct walk *w, const char *name, struct diag *d)
{
    const char *want = NULL;
    char *path = mem_printf("%s%s%s", w->dir, *w->dir ? "/" : "", name);
    struct buf bytes = BUF_INIT;
    int rc = 0;

    if (w->place == TOP && strcmp(name, "config") == 0)
        want = repo_config_text;
    else if (w->place == TOP && strcmp(name, "HEAD") == 0)
        want = repo_head_text;
    if (w->place == FAN) {
        rc = check_object(w, path, name, d);
    } else if (want != NULL) {
        int same = root_same(w->repo, path, want, strlen(want), d);

        rc = same == 0 ? hostile(w->dir, name, "is not what batten writes", d) : same - 1;
    } else if (w->place == REFS) {
        if (root_read(w->repo, path, REF_BYTES, &bytes, NULL, d) != ROOT_OK)
            rc = hostile(w->dir, name, "is not a ref", d);
        else if (bytes.len != 41 || strspn(bytes.data, "0123456789abcdef") != 40 ||
                 bytes.data[40] != '\n')
            rc = hostile(w->dir, name, "is not a ref", d);
    }
    buf_release(&bytes);
    free(path);
    return rc;
}

static enum place place_below(enum place place, const char *name)
{
    if (place == REFS || strcmp(name, "refs") == 0)
        return REFS;
    if (strcmp(name, "info") == 0)
        return place == TOP ? INFO : OBJECT_INFO;
    if (place == TOP)
        return OBJECTS;
    return strcmp(name, "pack") == 0 ? PACK : FAN;
}

static int walk_dir(const struct walk *up, const char *dir, enum place place, struct diag *d)
{
    struct walk w = {
        .repo = up->repo, .dir = dir, .place = place, .depth = up->depth + 1, .litter = up->litter};
    size_t max = place == FAN || place == PACK ? OBJECTS_MAX : NAMES_MAX;
    int rc = 0;

    if (w.depth > REF_DEPTH)
        return hostile(dir, "", "is too deep", d);
    if (root_visit(w.repo, *dir ? dir : ".", max, visit, &w, d) != ROOT_OK)
        rc =
            diag_set(d, STATUS_REFUSED, "hostile-history", "cannot look at '%s/%s'", REPO_DIR, dir);
    for (size_t i = 0; rc == 0 && i < w.files.n; i++)
        rc = check_content(&w, w.files.v[i], d);
    for (size_t i = 0; rc == 0 && i < w.dirs.n; i++) {
        char *path = mem_printf("%s%s%s", dir, *dir ? "/" : "", w.dirs.v[i]);

        rc = walk_dir(&w, path, place_below(place, w.dirs.v[i]), d);
        free(path);
    }
    strlist_release(&w.dirs);
    strlist_release(&w.files);
    return rc;
}

int walk_check(const struct root *repo, bool *litter, struct diag *d)
{
    struct litter found = {.n = 0};
    struct walk w = {.repo = repo, .litter = &found};
    int rc = walk_dir(&w, "", TOP, d);

    *litter = found.found;
    return rc;
}
