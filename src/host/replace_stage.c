#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "replace_int.h"
#include "root_int.h"

bool replace_staging_ours(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 07777) == 0700;
}

int replace_staging_open(struct root *root, const char *dir, struct diag *d)
{
    int fd;

    if (replace_own_mkdir(root, dir, 0700, d) != 0)
        return -1;
    fd = root_open_plain(root->fd, dir, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0 && replace_staging_ours(fd))
        return fd;
    diag_set(d, STATUS_REFUSED, "staging-dir",
             "'%s' is not a directory that batten made: it must be its owner's alone", dir);
    diag_at(d, dir, 0, 0);
    root_hint(d, root, "look at it, then: rm -r", dir);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Attributes that the new file inherited (a default ACL) and the old one does not have. */
static int drop_inherited(int fd, const struct file_meta *want)
{
    struct file_meta have = {0};
    int rc = root_read_xattrs(fd, &have);

    for (size_t i = 0; rc == 0 && i < have.nxattrs; i++) {
        bool wanted = false;

        for (size_t k = 0; k < want->nxattrs; k++)
            wanted = wanted || strcmp(have.xattrs[i].name, want->xattrs[k].name) == 0;
        if (!wanted && fremovexattr(fd, have.xattrs[i].name) != 0 && errno != ENODATA)
            rc = -1;
    }
    file_meta_release(&have);
    return rc;
}

/* Owner first, then attributes, the mode last: each step only ever narrows or reaches the end. The
 * directory is closed to all others anyway. */
static int set_meta(int fd, const struct file_meta *want)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -1;
    if ((st.st_uid != want->st.st_uid || st.st_gid != want->st.st_gid) &&
        fchown(fd, want->st.st_uid, want->st.st_gid) != 0)
        return -1;
    if (drop_inherited(fd, want) != 0)
        return -1;
    for (size_t i = 0; i < want->nxattrs; i++) {
        const struct xattr *x = &want->xattrs[i];

        if (fsetxattr(fd, x->name, x->value, x->len, 0) != 0)
            return -1;
    }
    return fchmod(fd, want->st.st_mode & 07777);
}

/* What is there now must be what was wanted; a file system may drop attributes in silence. */
static bool meta_took(int fd, const struct file_meta *want)
{
    struct file_meta have = {0};
    bool same =
        fstat(fd, &have.st) == 0 && root_read_xattrs(fd, &have) == 0 && file_meta_same(&have, want);

    file_meta_release(&have);
    return same;
}

int replace_write_staged(const struct root *root, struct staged *s, unsigned index, struct diag *d)
{
    const struct file_meta *want = s->file.meta;
    struct stat st;
    char part[24];
    int fd, rc = -1;

    snprintf(part, sizeof(part), "part.%u", index);
    snprintf(s->name, sizeof(s->name), "new.%u", index);
    fd = openat(s->dir, part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return replace_fail(root, "stage-failed", s->real, errno, d);
    /* on disk: part.N, ours alone, incomplete; recover removes it */
    if (replace_write(fd, s->file.bytes, s->file.len) != 0 || set_meta(fd, want) != 0) {
        replace_fail(root, "stage-failed", s->real, errno, d);
        goto out;
    }
    if (!meta_took(fd, want) || fstat(fd, &st) != 0) {
        diag_set(d, STATUS_SYSTEM, "metadata-lost",
                 "cannot give a new '%s' the owner, mode and attributes of the old one", s->real);
        diag_at(d, s->real, 0, 0);
        goto out;
    }
    if (fsync(fd) != 0 || renameat2(s->dir, part, s->dir, s->name, RENAME_NOREPLACE) != 0) {
        if (errno == EEXIST)
            diag_set(d, STATUS_REFUSED, "staging-dir", "'%s/%s' was left by another run",
                     s->staging, s->name);
        diag_hint(d, "batten recover, with the --history of that run");
        replace_fail(root, "stage-failed", s->real, errno, d);
        goto out;
    }
    /* on disk: new.N, complete; nobody has seen it */
    s->ino = st.st_ino;
    rc = 0;
out:
    if (rc != 0)
        unlinkat(s->dir, part, 0);
    close(fd);
    return rc;
}

enum root_result replace_read_at(int fd, const char *name, size_t limit, struct buf *bytes,
                                 struct file_meta *meta)
{
    enum root_result result = ROOT_ERROR;
    int file = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    ssize_t got = 0;

    *meta = (struct file_meta){0};
    buf_clear(bytes);
    if (file < 0)
        return errno == ENOENT ? ROOT_ABSENT : ROOT_ERROR;
    if (fstat(file, &meta->st) != 0)
        goto out;
    result = ROOT_OK;
    if (!S_ISREG(meta->st.st_mode) || (size_t)meta->st.st_size > limit)
        goto out;
    close(file);
    result = ROOT_ERROR;
    file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0 || fstat(file, &meta->st) != 0 || root_read_xattrs(file, meta) != 0)
        goto out;
    do {
        buf_reserve(bytes, 65536);
        got = read(file, bytes->data + bytes->len, 65536);
        bytes->len += got > 0 ? (size_t)got : 0;
        bytes->data[bytes->len] = '\0';
    } while ((got > 0 && bytes->len <= limit) || (got < 0 && errno == EINTR));
    result = got < 0 ? ROOT_ERROR : ROOT_OK;
out:
    if (file >= 0)
        close(file);
    if (result != ROOT_OK)
        file_meta_release(meta);
    return result;
}
