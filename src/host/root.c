#include "batten/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "root_int.h"

enum { READ_CHUNK = 65536, READ_TRIES = 3 };

static void hint_word(struct diag *d, const char *command, const char *word)
{
    struct buf quoted = BUF_INIT;

    text_shell_word(&quoted, word);
    diag_hint(d, "%s %s", command, buf_str(&quoted));
    buf_release(&quoted);
}

void root_hint(struct diag *d, const struct root *root, const char *command, const char *path)
{
    const char *dir = root->dir;
    size_t len = strlen(dir);
    char *word;

    while (len > 0 && dir[len - 1] == '/')
        len--;
    while (*path == '/')
        path++;
    /* A root called "-r" is no option of the command. */
    word = mem_printf("%s%.*s/%s", *dir == '-' ? "./" : "", (int)len, dir, path);
    hint_word(d, command, word);
    free(word);
}

int root_open(struct root **out, const char *dir, bool offline, struct diag *d)
{
    struct root *root;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        diag_set(d, STATUS_REFUSED, "no-root", "cannot use '%s' as root: %s", dir, strerror(errno));
        hint_word(d, "ls -ld", dir);
        return -1;
    }
    root = mem_alloc(sizeof(*root));
    root->fd = fd;
    root->offline = offline;
    root->dir = mem_strdup(dir);
    *out = root;
    return 0;
}

void root_free(struct root *root)
{
    if (root == NULL)
        return;
    close(root->fd);
    free(root->dir);
    free(root);
}

bool root_offline(const struct root *root)
{
    return root->offline;
}

const char *root_dir(const struct root *root)
{
    return root->dir;
}

char *root_absolute(const char *dir)
{
    return realpath(dir, NULL);
}

int root_fd(const struct root *root)
{
    return root->fd;
}

enum root_result root_fail(const struct root *root, const char *path, int errnum, struct diag *d)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return ROOT_ABSENT;
    case ELOOP:
        diag_set(d, STATUS_REFUSED, "link-loop", "symbolic links on the way to '%s' end nowhere",
                 path);
        if (root != NULL)
            root_hint(d, root, "inside the root a link never leads out of it; see namei -l", path);
        break;
    case EACCES:
    case EPERM:
        diag_set(d, STATUS_SYSTEM, "unreadable", "cannot read '%s': %s", path, strerror(errnum));
        diag_hint(d, "run as root: sudo batten audit");
        break;
    case EXDEV:
        diag_set(d, STATUS_REFUSED, "outside", "'%s' leads out of the root", path);
        break;
    default:
        diag_set(d, STATUS_SYSTEM, "unreadable", "cannot read '%s': %s", path, strerror(errnum));
        break;
    }
    diag_at(d, path, 0, 0);
    return ROOT_ERROR;
}

static const char *kind_name(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a fifo";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

/* A regular file of at most MAX bytes, by its descriptor. */
static int check_file(int fd, const char *path, size_t max, struct stat *st, struct diag *d)
{
    if (fstat(fd, st) != 0) {
        root_fail(NULL, path, errno, d);
        return -1;
    }
    if (!S_ISREG(st->st_mode)) {
        diag_set(d, STATUS_REFUSED, "not-a-file", "'%s' is %s, not a file", path,
                 kind_name(st->st_mode));
        diag_at(d, path, 0, 0);
        return -1;
    }
    if (st->st_size > 0 && (unsigned long long)st->st_size > max) {
        diag_set(d, STATUS_REFUSED, "too-large", "'%s' is too large: %lld bytes, at most %zu", path,
                 (long long)st->st_size, max);
        diag_at(d, path, 0, 0);
        return -1;
    }
    return 0;
}

/* Read to the end, at most MAX bytes: the file may grow under us. SIZE is what it should have. */
static int read_bytes(int fd, size_t size, size_t max, struct buf *out)
{
    ssize_t got;

    buf_clear(out);
    buf_reserve(out, size + 1);
    out->data[0] = '\0';
    do {
        size_t room = out->cap - out->len - 1;

        if (room == 0) {
            buf_reserve(out, READ_CHUNK);
            room = out->cap - out->len - 1;
        }
        got = read(fd, out->data + out->len, room < max - out->len + 1 ? room : max - out->len + 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        out->len += (size_t)got;
        out->data[out->len] = '\0';
    } while (got != 0 && out->len <= max);
    return 0;
}

static bool unchanged(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Bytes and metadata that belong together: 1 got them, 0 changed meanwhile, -1 error. */
static int read_once(int fd, const char *path, size_t max, struct buf *out, struct file_meta *meta,
                     struct diag *d)
{
    struct stat after;
    char *real = meta->real;

    meta->real = NULL;
    file_meta_release(meta);
    meta->real = real;
    if (lseek(fd, 0, SEEK_SET) < 0 || check_file(fd, path, max, &meta->st, d) != 0)
        return -1;
    if (read_bytes(fd, (size_t)meta->st.st_size, max, out) != 0) {
        root_fail(NULL, path, errno, d);
        return -1;
    }
    if (out->len > max) {
        diag_set(d, STATUS_REFUSED, "too-large", "'%s' is too large: over %zu bytes", path, max);
        diag_at(d, path, 0, 0);
        return -1;
    }
    if (root_read_xattrs(fd, meta) != 0 || fstat(fd, &after) != 0) {
        root_fail(NULL, path, errno, d);
        return -1;
    }
    return unchanged(&meta->st, &after) ? 1 : 0;
}

/* Open PATH for reading once it is known to be a regular file: opening a device or a fifo may
 * already do something. */
static int open_file(const struct root *root, const char *path, size_t max, char **real,
                     struct diag *d, enum root_result *result)
{
    struct stat st;
    int look = root_open_real(root, path, O_PATH, real), fd = -1;

    if (look < 0) {
        *result = root_fail(root, path, errno, d);
        return -1;
    }
    *result = ROOT_ERROR;
    if (check_file(look, path, max, &st, d) == 0) {
        fd = root_open_plain(root->fd, *real, O_RDONLY, 0);
        if (fd < 0)
            *result = root_fail(root, path, errno, d);
    }
    close(look);
    return fd;
}

enum root_result root_read(const struct root *root, const char *path, size_t max, struct buf *out,
                           struct file_meta *meta, struct diag *d)
{
    struct file_meta got = {0};
    enum root_result result;
    int rc = 0, fd = open_file(root, path, max, &got.real, d, &result);

    if (fd < 0)
        goto out;
    for (int i = 0; i < READ_TRIES && rc == 0; i++)
        rc = read_once(fd, path, max, out, &got, d);
    if (rc == 0) {
        diag_set(d, STATUS_SYSTEM, "changing", "'%s' changes while it is read", path);
        diag_at(d, path, 0, 0);
    }
    result = rc == 1 ? ROOT_OK : ROOT_ERROR;
out:
    if (fd >= 0)
        close(fd);
    if (result == ROOT_OK && meta != NULL)
        *meta = got;
    else
        file_meta_release(&got);
    if (result != ROOT_OK)
        buf_clear(out);
    return result;
}

int root_same(const struct root *root, const char *path, const char *bytes, size_t len,
              struct diag *d)
{
    struct buf now = BUF_INIT;
    struct diag why = DIAG_INIT;
    int rc = -1;

    switch (root_read(root, path, len, &now, NULL, &why)) {
    case ROOT_OK:
        rc = buf_equal(&now, bytes, len) ? 1 : 0;
        break;
    case ROOT_ABSENT:
        rc = 0;
        break;
    case ROOT_ERROR:
        if (strcmp(why.code, "too-large") == 0 || strcmp(why.code, "not-a-file") == 0) {
            rc = 0;
        } else {
            diag_set(d, why.status, why.code, "%s", why.message);
            diag_at(d, path, 0, 0);
        }
        break;
    }
    diag_release(&why);
    buf_release(&now);
    return rc;
}

bool root_exists(const struct root *root, const char *path)
{
    int fd = root_openat(root, path, O_PATH, 0);

    if (fd < 0)
        return false;
    close(fd);
    return true;
}

enum root_result root_open_below(struct root **out, const struct root *root, const char *path,
                                 int flags, struct diag *d)
{
    int fd = root_openat(root, path, O_PATH | O_DIRECTORY | (flags & O_NOFOLLOW), 0);
    struct root *below;

    if (fd < 0 && errno == ENOTDIR) {
        struct stat st;

        if (root_lstat(root, path, &st) != 0)
            return root_fail(root, path, errno, d);
        diag_set(d, STATUS_REFUSED, "not-a-directory", "'%s' is not a directory", path);
        diag_at(d, path, 0, 0);
        return ROOT_ERROR;
    }
    if (fd < 0)
        return root_fail(root, path, errno, d);
    below = mem_alloc(sizeof(*below));
    below->fd = fd;
    below->offline = root->offline;
    below->dir =
        mem_printf("%s%s%s", root->dir, root->dir[strlen(root->dir) - 1] == '/' ? "" : "/", path);
    *out = below;
    return ROOT_OK;
}

int root_lstat(const struct root *root, const char *path, struct stat *st)
{
    int fd = root_openat(root, path, O_PATH | O_NOFOLLOW, 0), rc, saved;

    if (fd < 0)
        return -1;
    rc = fstat(fd, st);
    saved = errno;
    close(fd);
    errno = saved;
    return rc;
}
