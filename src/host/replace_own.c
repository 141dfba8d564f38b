#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "replace_int.h"
#include "root_int.h"

int replace_fail(const struct root *root, const char *code, const char *path, int errnum,
                 struct diag *d)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        diag_set(d, STATUS_SYSTEM, "no-space", "no space left to write '%s'", path);
        root_hint(d, root, "df -h", path);
        break;
    case EROFS:
        diag_set(d, STATUS_SYSTEM, "read-only", "'%s' is on a read-only file system", path);
        root_hint(d, root, "findmnt -T", path);
        break;
    case EACCES:
    case EPERM:
        diag_set(d, STATUS_SYSTEM, "not-permitted", "not permitted to write '%s': %s", path,
                 strerror(errnum));
        if (geteuid() != 0)
            diag_hint(d, "run as root: sudo batten ...");
        break;
    default:
        diag_set(d, STATUS_SYSTEM, code, "cannot write '%s': %s", path, strerror(errnum));
        break;
    }
    diag_at(d, path, 0, 0);
    return -1;
}

char *replace_parent(const char *real)
{
    const char *slash = strrchr(real, '/');

    return slash ? mem_strndup(real, (size_t)(slash - real)) : mem_strdup("");
}

static const char *last_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int open_dir(struct root *root, const char *path)
{
    return root_openat(root, *path ? path : ".", O_RDONLY | O_DIRECTORY, 0);
}

static int open_parent(struct root *root, const char *path, struct diag *d)
{
    char *parent = replace_parent(path);
    int fd = open_dir(root, parent);

    if (fd < 0)
        replace_fail(root, "write-failed", path, errno, d);
    free(parent);
    return fd;
}

int replace_write(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes += put;
        len -= (size_t)put;
    }
    return 0;
}

static int write_lock(int dir, const char *name, const char *bytes, size_t len, mode_t mode)
{
    int fd, rc, saved;

    /* a crash may have left one: batten's lock is held, so nobody else is writing it */
    unlinkat(dir, name, 0);
    fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    rc = replace_write(fd, bytes, len);
    if (rc == 0 && mode != 0600)
        rc = fchmod(fd, mode);
    if (rc == 0)
        rc = fsync(fd);
    saved = errno;
    if (close(fd) != 0 && rc == 0)
        return -1;
    errno = saved;
    return rc;
}

int replace_own_stage(struct root *root, const char *path, const char *bytes, size_t len,
                      mode_t mode, struct diag *d)
{
    char *lock = mem_printf("%s.lock", last_of(path));
    int dir = open_parent(root, path, d), rc = -1;

    if (dir < 0)
        goto out;
    /* on disk: the old file, if any, and the lock file with all of the new content or a part */
    if (write_lock(dir, lock, bytes, len, mode) != 0) {
        replace_fail(root, "write-failed", path, errno, d);
        unlinkat(dir, lock, 0);
        goto out;
    }
    rc = 0;
out:
    if (dir >= 0)
        close(dir);
    free(lock);
    return rc;
}

int replace_own_commit(struct root *root, const char *path, struct diag *d)
{
    char *lock = mem_printf("%s.lock", last_of(path));
    int dir = open_parent(root, path, d), rc = -1;

    if (dir < 0)
        goto out;
    if (renameat(dir, lock, dir, last_of(path)) != 0) {
        replace_fail(root, "write-failed", path, errno, d);
        unlinkat(dir, lock, 0);
        goto out;
    }
    /* on disk: the new file; after a power cut maybe still the old one */
    rc = fsync(dir) != 0 ? replace_fail(root, "write-failed", path, errno, d) : 0;
out:
    if (dir >= 0)
        close(dir);
    free(lock);
    return rc;
}

void replace_own_cancel(struct root *root, const char *path)
{
    char *lock = mem_printf("%s.lock", last_of(path));
    int dir = open_parent(root, path, NULL);

    if (dir >= 0) {
        unlinkat(dir, lock, 0);
        close(dir);
    }
    free(lock);
}

int replace_own(struct root *root, const char *path, const char *bytes, size_t len, mode_t mode,
                struct diag *d)
{
    if (replace_own_stage(root, path, bytes, len, mode, d) != 0)
        return -1;
    if (replace_own_commit(root, path, d) == 0)
        return 0;
    replace_own_cancel(root, path);
    return -1;
}

int replace_own_remove(struct root *root, const char *path, struct diag *d)
{
    char *lock = mem_printf("%s.lock", last_of(path)), *parent = replace_parent(path);
    int dir = open_dir(root, parent), rc = -1;

    if (dir < 0 && errno == ENOENT) {
        rc = 0;
        goto out;
    }
    if (dir < 0 || (unlinkat(dir, lock, 0) != 0 && errno != ENOENT) ||
        (unlinkat(dir, last_of(path), 0) != 0 && errno != ENOENT) || fsync(dir) != 0)
        replace_fail(root, "write-failed", path, errno, d);
    else
        rc = 0;
out:
    if (dir >= 0)
        close(dir);
    free(parent);
    free(lock);
    return rc;
}

/* One level: 1 made, 0 was there, -1 error. */
static int make_dir(struct root *root, const char *path, mode_t mode, struct diag *d)
{
    int dir = open_parent(root, path, d), fd = -1, rc = -1;

    if (dir < 0)
        return -1;
    if (mkdirat(dir, last_of(path), mode & 0700) != 0) {
        rc = errno == EEXIST ? 0 : replace_fail(root, "write-failed", path, errno, d);
        goto out;
    }
    fd = openat(dir, last_of(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* fchmod: the umask and a set-group-ID bit of the parent have no say */
    if (fd < 0 || fchmod(fd, mode) != 0 || fsync(dir) != 0)
        replace_fail(root, "write-failed", path, errno, d);
    else
        rc = 1;
out:
    if (fd >= 0)
        close(fd);
    close(dir);
    return rc;
}

int replace_own_mkdir(struct root *root, const char *path, mode_t mode, struct diag *d)
{
    int rc = 0;

    for (const char *s = strchr(path, '/'); rc >= 0 && s != NULL; s = strchr(s + 1, '/')) {
        char *part = mem_strndup(path, (size_t)(s - path));

        if (*part != '\0' && !root_exists(root, part))
            rc = make_dir(root, part, 0755, d);
        free(part);
    }
    return rc < 0 ? -1 : (make_dir(root, path, mode, d) < 0 ? -1 : 0);
}

int replace_sync_dir(struct root *root, const char *path, struct diag *d)
{
    int fd = open_dir(root, path), rc = 0;

    if (fd < 0 || fsync(fd) != 0)
        rc = replace_fail(root, "write-failed", path, errno, d);
    if (fd >= 0)
        close(fd);
    return rc;
}

int replace_own_close(struct root *root, struct diag *d)
{
    int fd = open_dir(root, ""), rc = 0;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) != 0))
        rc = replace_fail(root, "write-failed", root_dir(root), errno, d);
    if (fd >= 0)
        close(fd);
    return rc;
}
