#include "batten/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "replace_int.h"
#include "root_int.h"

enum { TRIES_MAX = 1000 };

struct replace {
    struct root *root;
    struct staged *v;
    size_t n;
    size_t cap;
    bool keep; /* what is staged is needed by replace_settle */
};

struct replace *replace_new(struct root *root)
{
    struct replace *r = mem_alloc(sizeof(*r));

    r->root = root;
    return r;
}

static void staged_release(struct staged *s)
{
    if (s->parent >= 0)
        close(s->parent);
    if (s->dir >= 0)
        close(s->dir);
    free(s->real);
    free(s->base);
    free(s->staging);
}

static int open_places(struct replace *r, struct staged *s, struct diag *d)
{
    int fd = root_open_real(r->root, s->file.path, O_PATH, &s->real);
    char *up;

    if (fd < 0) {
        if (root_fail(r->root, s->file.path, errno, d) == ROOT_ABSENT)
            diag_set(d, STATUS_REFUSED, "changed-since", "'%s' is gone", s->file.path);
        return -1;
    }
    close(fd);
    up = replace_parent(s->real);
    s->base = mem_strdup(s->real + strlen(up) + (*up ? 1 : 0));
    s->parent = root_open_plain(r->root->fd, up, O_RDONLY | O_DIRECTORY, 0);
    if (s->parent < 0)
        replace_fail(r->root, "stage-failed", up, errno, d);
    free(up);
    if (s->parent < 0 || replace_staging_for(r->root, s->real, &s->staging, d) != 0)
        return -1;
    s->dir = replace_staging_open(r->root, s->staging, d);
    return s->dir < 0 ? -1 : 0;
}

int replace_stage(struct replace *r, const struct replace_file *file, struct diag *d)
{
    struct staged s = {.file = *file, .parent = -1, .dir = -1};

    if (open_places(r, &s, d) != 0 || replace_write_staged(r->root, &s, (unsigned)r->n, d) != 0) {
        if (s.staging != NULL)
            replace_clear(r->root, s.staging);
        staged_release(&s);
        return -1;
    }
    r->v = mem_grow(r->v, r->n, &r->cap, sizeof(*r->v));
    r->v[r->n++] = s;
    return 0;
}

static int exchange(const struct staged *s)
{
    return renameat2(s->dir, s->name, s->parent, s->base, RENAME_EXCHANGE);
}

/* Whether the staged name holds BYTES with META: 1, 0, -1 with errno. */
static int slot_holds(const struct staged *s, const char *bytes, size_t len,
                      const struct file_meta *meta)
{
    struct buf now = BUF_INIT;
    struct file_meta have = {0};
    enum root_result got = replace_read_at(s->dir, s->name, SOURCE_MAX, &now, &have);
    int rc = got == ROOT_ERROR ? -1 : 0;

    if (got == ROOT_OK)
        rc = S_ISREG(have.st.st_mode) && (size_t)have.st.st_size == now.len &&
             buf_equal(&now, bytes, len) && file_meta_same(&have, meta);
    file_meta_release(&have);
    buf_release(&now);
    return rc;
}

static int inode_of(int dir, const char *name, ino_t *ino)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    *ino = st.st_ino;
    return 0;
}

/* Bring the old content of S back. What comes out should be our file, as it was written; if
 * somebody put another in its place meanwhile, that one is the newest and goes back in, and so on,
 * until an exchange brings out what the one before had put in. */
static int exchange_back(struct staged *s)
{
    ino_t put = 0, expected = s->ino, out;
    int same = 0;

    for (int i = 0; same == 0; i++) {
        if (i == TRIES_MAX || inode_of(s->dir, s->name, &put) != 0 || exchange(s) != 0 ||
            inode_of(s->dir, s->name, &out) != 0)
            return -1;
        same = out == expected;
        if (same && out == s->ino)
            same = slot_holds(s, s->file.bytes, s->file.len, s->file.meta);
        expected = put;
    }
    if (same < 0)
        return -1;
    s->in = false;
    return 0;
}

static int swap_failed(const struct replace *r, const struct staged *s, int errnum, struct diag *d)
{
    if (errnum == EINVAL || errnum == ENOSYS) {
        diag_set(d, STATUS_SYSTEM, "no-exchange",
                 "the file system of '%s' cannot exchange two files", s->real);
        diag_at(d, s->real, 0, 0);
        return -1;
    }
    if (errnum == ENOENT) {
        diag_set(d, STATUS_REFUSED, "changed-since", "'%s' went away", s->file.path);
        diag_at(d, s->file.path, 0, 0);
        return -1;
    }
    return replace_fail(r->root, "swap-failed", s->real, errnum, d);
}

static int changed_since(const struct staged *s, struct diag *d)
{
    diag_set(d, STATUS_REFUSED, "changed-since", "'%s' was changed by somebody else meanwhile",
             s->file.path);
    diag_at(d, s->file.path, 0, 0);
    diag_hint(d, "run batten again: it plans with the file as it is now");
    return -1;
}

/* The path must still lead to where it led when the file was staged. */
static int check_place(struct replace *r, const struct staged *s, struct diag *d)
{
    char *real = NULL;
    int fd = root_open_real(r->root, s->file.path, O_PATH, &real);
    bool same = fd >= 0 && strcmp(real, s->real) == 0;

    if (fd >= 0)
        close(fd);
    free(real);
    return same ? 0 : changed_since(s, d);
}

static int swap_one(struct replace *r, struct staged *s, struct diag *d)
{
    int held;

    if (check_place(r, s, d) != 0)
        return -1;
    if (exchange(s) != 0)
        return swap_failed(r, s, errno, d);
    /* on disk: the new content at the target, new.N holds what was there */
    s->in = true;
    held = slot_holds(s, s->file.old, s->file.old_len, s->file.meta);
    if (held == 1)
        return 0;
    return held == 0 ? changed_since(s, d) : swap_failed(r, s, errno, d);
}

static int sync_places(struct replace *r, struct diag *d)
{
    for (size_t i = 0; i < r->n; i++)
        if (fsync(r->v[i].parent) != 0 || fsync(r->v[i].dir) != 0)
            return replace_fail(r->root, "sync-failed", r->v[i].real, errno, d);
    return 0;
}

/* Take back what is in, the last first. */
static int take_back(struct replace *r)
{
    int rc = 0;

    for (size_t i = r->n; i-- > 0;)
        if (r->v[i].in && exchange_back(&r->v[i]) != 0)
            rc = -1;
    for (size_t i = 0; i < r->n; i++) {
        /* whether these reach the disk or not, recover finds the old or the new content */
        fsync(r->v[i].parent);
        fsync(r->v[i].dir);
    }
    return rc;
}

static int incomplete(struct replace *r, struct diag *d)
{
    r->keep = true;
    if (d != NULL)
        diag_release(d);
    diag_set(d, STATUS_INCOMPLETE, "incomplete",
             "some files hold the new content and could not be changed back: %s", strerror(errno));
    diag_hint(d, "batten recover");
    return -1;
}

int replace_swap(struct replace *r, struct diag *d)
{
    int rc = sync_places(r, d);

    /* on disk: every new.N complete, every target old */
    for (size_t i = 0; rc == 0 && i < r->n; i++)
        rc = swap_one(r, &r->v[i], d);
    if (rc == 0)
        rc = sync_places(r, d);
    if (rc == 0)
        return 0;
    return take_back(r) == 0 ? -1 : incomplete(r, d);
}

int replace_undo(struct replace *r, struct diag *d)
{
    return take_back(r) == 0 ? 0 : incomplete(r, d);
}

int replace_finish(struct replace *r, struct diag *d)
{
    int rc = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (unlinkat(r->v[i].dir, r->v[i].name, 0) != 0 && errno != ENOENT)
            rc = replace_fail(r->root, "clear-failed", r->v[i].staging, errno, d);
        r->v[i].in = false;
    }
    for (size_t i = 0; i < r->n; i++)
        replace_clear(r->root, r->v[i].staging);
    return rc;
}

void replace_keep(struct replace *r)
{
    r->keep = true;
}

void replace_free(struct replace *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++) {
        if (!r->keep && !r->v[i].in)
            unlinkat(r->v[i].dir, r->v[i].name, 0);
        if (!r->keep)
            replace_clear(r->root, r->v[i].staging);
        staged_release(&r->v[i]);
    }
    free(r->v);
    free(r);
}
