#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "replace_int.h"
#include "root_int.h"

/* Blocks and inodes beyond the file itself: the staging directory, a directory's new block. */
enum { SPARE_BYTES = 65536, SPARE_INODES = 2 };

/* The mount that FD is on. Kernels that do not tell: the device, which is almost the same. */
static unsigned long long mount_of(int fd)
{
    struct statx x;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &x) != 0)
        return 0;
    if ((x.stx_mask & STATX_MNT_ID) != 0)
        return x.stx_mnt_id;
    return (unsigned long long)x.stx_dev_major << 32 | x.stx_dev_minor;
}

static unsigned long long mount_of_path(struct root *root, const char *real)
{
    int fd = root_open_plain(root->fd, real, O_PATH, 0);
    unsigned long long id = fd < 0 ? 0 : mount_of(fd);

    if (fd >= 0)
        close(fd);
    return id;
}

static char *etc_of(struct root *root)
{
    char *real = NULL;
    int fd = root_open_real(root, "etc", O_PATH | O_DIRECTORY, &real);

    if (fd >= 0)
        close(fd);
    return real;
}

/* The top of the mount that the directory DIR is on; DIR is consumed, caller frees. */
static char *mount_top(struct root *root, char *dir)
{
    unsigned long long mount = mount_of_path(root, dir);

    while (*dir != '\0') {
        char *up = replace_parent(dir);

        if (mount_of_path(root, up) != mount) {
            free(up);
            return dir;
        }
        free(dir);
        dir = up;
    }
    return dir;
}

/* A directory that daemons read whole, by the custom of its name. */
static bool is_read_whole(const char *dir)
{
    size_t len = strlen(dir);

    return len >= 2 && strcmp(dir + len - 2, ".d") == 0;
}

int replace_staging_for(struct root *root, const char *real, char **dir, struct diag *d)
{
    char *parent = replace_parent(real), *etc = etc_of(root), *top;

    if (etc != NULL && mount_of_path(root, etc) == mount_of_path(root, parent)) {
        *dir = mem_printf("%s%s.batten", etc, *etc ? "/" : "");
        free(parent);
        free(etc);
        return 0;
    }
    free(etc);
    top = mount_top(root, parent);
    if (is_read_whole(top)) {
        diag_set(d, STATUS_SYSTEM, "own-mount",
                 "cannot replace '%s': '%s' is a mount of its own, with no place for a new file",
                 real, top);
        diag_at(d, real, 0, 0);
        root_hint(d, root, "umount", top);
        free(top);
        return -1;
    }
    *dir = mem_printf("%s%s.batten", top, *top ? "/" : "");
    free(top);
    return 0;
}

int replace_staging(struct root *root, const char *path, char **dir, struct diag *d)
{
    char *real = NULL;
    int fd = root_open_real(root, path, O_PATH, &real), rc;

    if (fd < 0) {
        if (root_fail(root, path, errno, d) == ROOT_ABSENT)
            diag_set(d, STATUS_REFUSED, "changed-since", "'%s' is gone", path);
        return -1;
    }
    close(fd);
    rc = replace_staging_for(root, real, dir, d);
    free(real);
    return rc;
}

enum root_result replace_etc_staging(struct root *root, bool create, char **dir, struct diag *d)
{
    char *etc = etc_of(root);
    struct stat st;
    int fd;

    *dir = NULL;
    if (etc == NULL)
        return root_fail(root, "etc", errno, d);
    *dir = mem_printf("%s%s.batten", etc, *etc ? "/" : "");
    free(etc);
    if (!create && root_lstat(root, *dir, &st) != 0) {
        free(*dir);
        *dir = NULL;
        return errno == ENOENT ? ROOT_ABSENT : root_fail(root, "etc/.batten", errno, d);
    }
    fd = replace_staging_open(root, *dir, d);
    if (fd >= 0) {
        close(fd);
        return ROOT_OK;
    }
    free(*dir);
    *dir = NULL;
    return ROOT_ERROR;
}

/* The immutable and append-only flags of FD; file systems without them have none. */
static int check_flags(struct root *root, int fd, const char *real, struct diag *d)
{
    int flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0)
        return 0;
    if ((flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) == 0)
        return 0;
    diag_set(d, STATUS_SYSTEM, "immutable", "'%s' has the %s flag", real,
             (flags & FS_IMMUTABLE_FL) != 0 ? "immutable" : "append-only");
    diag_at(d, real, 0, 0);
    root_hint(d, root, (flags & FS_IMMUTABLE_FL) != 0 ? "chattr -i" : "chattr -a", real);
    return -1;
}

static int check_mount(struct root *root, int fd, int parent, const char *real, struct diag *d)
{
    struct statx x;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x) != 0)
        return replace_fail(root, "unreadable", real, errno, d);
    if ((x.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 && mount_of(fd) == mount_of(parent))
        return 0;
    diag_set(d, STATUS_SYSTEM, "bind-mount", "'%s' is a mount point: it cannot be replaced", real);
    diag_at(d, real, 0, 0);
    root_hint(d, root, "umount", real);
    return -1;
}

static int check_space(const struct root *root, int parent, const char *real, size_t len,
                       struct diag *d)
{
    struct statvfs fs;
    unsigned long long blocks, have;

    if (fstatvfs(parent, &fs) != 0)
        return replace_fail(root, "unreadable", real, errno, d);
    if ((fs.f_flag & ST_RDONLY) != 0)
        return replace_fail(root, "read-only", real, EROFS, d);
    blocks = (len + SPARE_BYTES) / (fs.f_frsize ? fs.f_frsize : 1) + 1;
    have = geteuid() == 0 ? fs.f_bfree : fs.f_bavail;
    if (fs.f_blocks > 0 && have < blocks)
        return replace_fail(root, "no-space", real, ENOSPC, d);
    if (fs.f_files > 0 && fs.f_ffree < SPARE_INODES)
        return replace_fail(root, "no-space", real, ENOSPC, d);
    return 0;
}

static int check_links(const char *real, const struct file_meta *meta, unsigned flags,
                       struct diag *d)
{
    if (meta->st.st_nlink <= 1 || (flags & REPLACE_BREAK_LINKS) != 0)
        return 0;
    diag_set(d, STATUS_ATTENTION, "hard-links",
             "'%s' has %lu hard links: the other names would keep the old content", real,
             (unsigned long)meta->st.st_nlink);
    diag_at(d, real, 0, 0);
    diag_hint(d, "give --break-links to change this name only");
    return -1;
}

int replace_check(struct root *root, const char *path, const struct file_meta *meta, size_t len,
                  unsigned flags, struct diag *d)
{
    char *real = NULL, *up = NULL, *staging = NULL;
    int fd = root_open_real(root, path, O_RDONLY, &real), parent = -1, rc = -1;

    if (fd < 0) {
        if (root_fail(root, path, errno, d) == ROOT_ABSENT)
            diag_set(d, STATUS_REFUSED, "changed-since", "'%s' is gone", path);
        goto out;
    }
    up = replace_parent(real);
    parent = root_open_plain(root->fd, up, O_RDONLY | O_DIRECTORY, 0);
    if (parent < 0) {
        replace_fail(root, "unreadable", up, errno, d);
        goto out;
    }
    if (check_links(real, meta, flags, d) != 0 || check_flags(root, fd, real, d) != 0 ||
        check_flags(root, parent, up, d) != 0 || check_mount(root, fd, parent, real, d) != 0 ||
        check_space(root, parent, real, len, d) != 0 ||
        replace_staging_for(root, real, &staging, d) != 0)
        goto out;
    rc = 0;
out:
    if (parent >= 0)
        close(parent);
    if (fd >= 0)
        close(fd);
    free(staging);
    free(up);
    free(real);
    return rc;
}
