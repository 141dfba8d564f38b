#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "batten/text.h"
#include "replace_int.h"
#include "root_int.h"

enum { STAGED_MAX = 65536, KEPT_MAX = 10000 };

/* The two places of a record: the target and the staged file. */
struct places {
    int parent; /* -1: the directory is gone */
    int dir;    /* -1: no staging directory */
    char *base;
    char name[24];
    enum replace_found target, slot;
};

static int look_at(int fd, const char *name, const struct replace_record *rec,
                   enum replace_found *found)
{
    struct buf bytes = BUF_INIT;
    struct file_meta meta = {0};
    char print[FILE_PRINT];
    enum root_result got = ROOT_ABSENT;
    bool whole;

    if (fd >= 0)
        got = replace_read_at(fd, name, SOURCE_MAX, &bytes, &meta);
    *found = FOUND_ABSENT;
    if (got == ROOT_OK) {
        file_print(&meta, buf_str(&bytes), bytes.len, print);
        *found = FOUND_FOREIGN;
        whole = S_ISREG(meta.st.st_mode) && (size_t)meta.st.st_size == bytes.len;
        if (whole && strcmp(print, rec->old_print) == 0)
            *found = FOUND_OLD;
        else if (whole && strcmp(print, rec->new_print) == 0)
            *found = FOUND_NEW;
    }
    file_meta_release(&meta);
    buf_release(&bytes);
    return got == ROOT_ERROR ? -1 : 0;
}

static int settle_fail(const struct replace_record *rec, struct diag *d)
{
    diag_set(d, STATUS_INCOMPLETE, "incomplete", "cannot bring '%s' to an end: %s", rec->real,
             strerror(errno));
    diag_at(d, rec->real, 0, 0);
    diag_hint(d, "batten recover");
    return -1;
}

/* A directory that may be gone. */
static int open_maybe(struct root *root, const char *path, int *fd)
{
    *fd = root_open_plain(root->fd, path, O_RDONLY | O_DIRECTORY, 0);
    return *fd >= 0 || errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

static int places_open(struct root *root, const struct replace_record *rec, struct places *p,
                       struct diag *d)
{
    char *up = replace_parent(rec->real);
    int rc;

    *p = (struct places){.parent = -1, .dir = -1};
    p->base = mem_strdup(rec->real + strlen(up) + (*up ? 1 : 0));
    snprintf(p->name, sizeof(p->name), "new.%u", rec->index);
    rc = open_maybe(root, up, &p->parent);
    if (rc == 0)
        rc = open_maybe(root, rec->staging, &p->dir);
    if (rc == 0)
        rc = look_at(p->parent, p->base, rec, &p->target);
    if (rc == 0)
        rc = look_at(p->dir, p->name, rec, &p->slot);
    free(up);
    return rc == 0 ? 0 : settle_fail(rec, d);
}

static void places_release(struct places *p)
{
    if (p->parent >= 0)
        close(p->parent);
    if (p->dir >= 0)
        close(p->dir);
    free(p->base);
}

int replace_look(struct root *root, const struct replace_record *rec, enum replace_found *target,
                 enum replace_found *staged, struct diag *d)
{
    struct places p;
    int rc = places_open(root, rec, &p, d);

    *target = p.target;
    *staged = p.slot;
    places_release(&p);
    return rc;
}

static int exchange(const struct places *p)
{
    return renameat2(p->dir, p->name, p->parent, p->base, RENAME_EXCHANGE);
}

/* Exchange the two. Should what comes out not be what was seen there, somebody wrote it since and
 * it goes back. */
static int swap_places(struct places *p, const struct replace_record *rec)
{
    enum replace_found was = p->target, put = p->slot;

    if (exchange(p) != 0 || look_at(p->dir, p->name, rec, &p->slot) != 0)
        return -1;
    p->target = put;
    if (p->slot != was && p->slot != FOUND_ABSENT) {
        p->target = p->slot;
        if (exchange(p) != 0 || look_at(p->dir, p->name, rec, &p->slot) != 0)
            return -1;
    }
    return fsync(p->parent) != 0 || fsync(p->dir) != 0 ? -1 : 0;
}

/* The slot holds what somebody else wrote, that an exchange had brought out, and the target by now
 * something newer or nothing. Nothing of a person's is ever deleted, nor what an earlier recover
 * kept of the same edit. */
static int keep_slot(struct places *p, const struct replace_record *rec, struct strlist *report)
{
    char kept[64];
    int rc = -1;

    errno = EEXIST;
    for (int i = 0; rc != 0 && errno == EEXIST && i < KEPT_MAX; i++) {
        snprintf(kept, sizeof(kept), i > 0 ? "kept.%u.%.8s.%d" : "kept.%u.%.8s", rec->index,
                 rec->new_print, i);
        rc = renameat2(p->dir, p->name, p->dir, kept, RENAME_NOREPLACE);
    }
    if (rc != 0)
        return -1;
    strlist_addf(report, "kept a version of '%s' that batten did not write as '%s/%s'", rec->real,
                 rec->staging, kept);
    return 0;
}

static const char *const found_words[] = {"absent", "old", "new", "neither old nor new"};

static int settle_places(struct places *p, const struct replace_record *rec, bool forward,
                         struct strlist *report)
{
    enum replace_found was = p->target;
    enum replace_found want = forward ? FOUND_NEW : FOUND_OLD;

    /*
     * target  slot     how it came about             what to do
     * old     new      not exchanged yet             exchange if forward
     * new     old      exchanged                     exchange back if not forward
     * new     foreign  somebody wrote just before    give them their file back
     *                  the exchange
     * other   foreign  and once more since           keep the slot under another name
     * else             somebody wrote afterwards     leave the target alone
     */
    if ((was == FOUND_NEW && p->slot == FOUND_FOREIGN) ||
        ((was == FOUND_OLD || was == FOUND_NEW) && was != want && p->slot == want))
        if (swap_places(p, rec) != 0)
            return -1;
    if (p->slot == FOUND_FOREIGN && keep_slot(p, rec, report) != 0)
        return -1;
    if (p->dir >= 0 && unlinkat(p->dir, p->name, 0) != 0 && errno != ENOENT)
        return -1;
    if (p->target == FOUND_FOREIGN || p->target == FOUND_ABSENT)
        strlist_addf(report, "left '%s' alone: it is %s", rec->real, found_words[p->target]);
    else if (p->target != was)
        strlist_addf(report, "'%s' has its %s content", rec->real, found_words[p->target]);
    return 0;
}

int replace_settle(struct root *root, const struct replace_record *rec, bool forward,
                   enum replace_found *found, struct strlist *report, struct diag *d)
{
    struct places p;
    int rc = places_open(root, rec, &p, d);

    if (rc == 0 && settle_places(&p, rec, forward, report) != 0)
        rc = settle_fail(rec, d);
    *found = p.target;
    places_release(&p);
    return rc;
}

void replace_clear(struct root *root, const char *dir)
{
    struct strlist names = {0};
    char *up = replace_parent(dir);
    int fd = root_open_plain(root->fd, dir, O_RDONLY | O_DIRECTORY, 0);
    int parent = root_open_plain(root->fd, up, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0 || parent < 0 || !replace_staging_ours(fd))
        goto out;
    /* only names that batten gives to what is unfinished: "new.N" is never removed here */
    if (root_list(root, dir, STAGED_MAX, &names, NULL) == ROOT_OK)
        for (size_t i = 0; i < names.n; i++)
            if (text_starts(names.v[i], "part.") || strcmp(names.v[i], "journal.lock") == 0)
                unlinkat(fd, names.v[i], 0);
    if (unlinkat(parent, dir + strlen(up) + (*up ? 1 : 0), AT_REMOVEDIR) == 0)
        fsync(parent);
out:
    if (parent >= 0)
        close(parent);
    if (fd >= 0)
        close(fd);
    strlist_release(&names);
    free(up);
}
