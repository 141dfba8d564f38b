#include "root_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "batten/mem.h"

enum { LINKS_MAX = 40, DEPTH_MAX = 256, TRIES_MAX = 32 };

static bool no_openat2;

void root_without_openat2(bool without)
{
    no_openat2 = without;
}

/* openat2 refuses flags that make no sense together; open(2) used to ignore them. */
static int clean_flags(int flags)
{
    if ((flags & O_PATH) != 0)
        return (flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW)) | O_CLOEXEC;
    return flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
}

static int openat2_in_root(int fd, const char *path, int flags, mode_t mode, unsigned resolve)
{
    struct open_how how = {0};
    long got = -1;

    if (no_openat2) {
        errno = ENOSYS;
        return -1;
    }
    how.flags = (unsigned)clean_flags(flags);
    how.mode = (flags & O_CREAT) != 0 ? mode : 0;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve;
    /* EAGAIN: something was renamed while the kernel walked; it could not be sure to stay inside */
    for (int i = 0; i < TRIES_MAX; i++) {
        got = syscall(SYS_openat2, fd, path, &how, sizeof(how));
        if (got >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)got;
}

/* One walk: the directories passed, the components still to do. */
struct walk {
    int fds[DEPTH_MAX];     /* fds[0] is the root's and not ours */
    size_t lens[DEPTH_MAX]; /* length of real at each depth */
    size_t depth;
    struct buf real;
    struct buf todo;
    unsigned links;
};

static void walk_up(struct walk *w)
{
    if (w->depth == 0)
        return;
    close(w->fds[w->depth--]);
    w->real.len = w->lens[w->depth];
    w->real.data[w->real.len] = '\0';
}

/* Put the target of the symlink NAME in front of what is still to do. */
static int walk_link(struct walk *w, const char *name)
{
    char target[PATH_MAX];
    struct buf todo = BUF_INIT;
    ssize_t len = readlinkat(w->fds[w->depth], name, target, sizeof(target));

    if (len < 0)
        return -1;
    if (++w->links > LINKS_MAX || (size_t)len >= sizeof(target) || w->todo.len > PATH_MAX) {
        errno = ELOOP;
        return -1;
    }
    if (len == 0) {
        errno = ENOENT;
        return -1;
    }
    buf_add(&todo, target, (size_t)len);
    buf_addc(&todo, '/');
    buf_adds(&todo, buf_str(&w->todo));
    if (target[0] == '/')
        while (w->depth > 0)
            walk_up(w);
    buf_release(&w->todo);
    w->todo = todo;
    return 0;
}

/* Take the first component off what is still to do; NULL when nothing is left. Caller frees. */
static char *walk_next(struct walk *w, bool *last)
{
    const char *s = buf_str(&w->todo), *end;
    struct buf rest = BUF_INIT;
    char *name;

    s += strspn(s, "/");
    if (*s == '\0')
        return NULL;
    end = s + strcspn(s, "/");
    name = mem_strndup(s, (size_t)(end - s));
    *last = end[strspn(end, "/")] == '\0';
    buf_adds(&rest, end);
    buf_release(&w->todo);
    w->todo = rest;
    return name;
}

static int walk_enter(struct walk *w, const char *name, bool last)
{
    int fd;

    if (w->depth + 1 >= DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    w->lens[w->depth] = w->real.len;
    if (w->real.len > 0)
        buf_addc(&w->real, '/');
    buf_adds(&w->real, name);
    if (last)
        return 0;
    fd = openat(w->fds[w->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    w->fds[++w->depth] = fd;
    return 0;
}

static int walk_step(struct walk *w, const char *name, bool last, bool follow, bool missing)
{
    struct stat st;

    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) {
        walk_up(w);
        return 0;
    }
    if (fstatat(w->fds[w->depth], name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT && last && missing)
            return walk_enter(w, name, true);
        return -1;
    }
    if (S_ISLNK(st.st_mode) && (!last || follow))
        return walk_link(w, name);
    if (last && !S_ISDIR(st.st_mode))
        return walk_enter(w, name, true);
    return walk_enter(w, name, last && !follow);
}

int root_walk(int fd, const char *path, bool follow, bool missing, char **real)
{
    struct walk *w = mem_alloc(sizeof(*w));
    bool last = false;
    char *name;
    int rc = 0, saved;

    w->fds[0] = fd;
    buf_adds(&w->todo, path);
    buf_reserve(&w->real, 1);
    w->real.data[0] = '\0';
    while (rc == 0 && (name = walk_next(w, &last)) != NULL) {
        rc = walk_step(w, name, last, follow, missing);
        free(name);
    }
    saved = errno;
    if (rc == 0)
        *real = mem_strdup(buf_str(&w->real));
    while (w->depth > 0)
        walk_up(w);
    buf_release(&w->real);
    buf_release(&w->todo);
    free(w);
    errno = saved;
    return rc;
}

/* A path that is its own real path: no '.', '..', doubled or outer slashes. */
static bool is_plain(const char *path)
{
    const char *s = path;

    for (;;) {
        size_t len = strcspn(s, "/");

        if (len == 0 || strncmp(s, ".", len) == 0 || (len == 2 && s[0] == '.' && s[1] == '.'))
            return false;
        if (s[len] == '\0')
            return true;
        s += len + 1;
    }
}

/* O_PATH with O_NOFOLLOW opens the link itself. */
static int refuse_link(int fd)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISLNK(st.st_mode))
        return fd;
    close(fd);
    errno = ELOOP;
    return -1;
}

/* What root_open_plain does where the kernel has no openat2. */
static int open_plain_by_walk(int fd, const char *real, int flags, mode_t mode)
{
    const char *slash;
    int at = fd, next, saved;

    if (*real != '\0' && !is_plain(real)) {
        errno = EXDEV;
        return -1;
    }
    while ((slash = strchr(real, '/')) != NULL) {
        char *name = mem_strndup(real, (size_t)(slash - real));

        next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        saved = errno;
        free(name);
        if (at != fd)
            close(at);
        errno = saved;
        if (next < 0)
            return -1;
        at = next;
        real = slash + 1;
    }
    next = openat(at, *real ? real : ".", clean_flags(flags | O_NOFOLLOW), mode);
    saved = errno;
    if (at != fd)
        close(at);
    errno = saved;
    return (flags & O_PATH) != 0 ? refuse_link(next) : next;
}

int root_open_plain(int fd, const char *real, int flags, mode_t mode)
{
    int got = openat2_in_root(fd, *real ? real : ".", flags, mode, RESOLVE_NO_SYMLINKS);

    if (got < 0 && errno == ENOSYS)
        got = open_plain_by_walk(fd, real, flags, mode);
    return got;
}

int root_openat(const struct root *root, const char *path, int flags, mode_t mode)
{
    char *real = NULL;
    int got = openat2_in_root(root->fd, path, flags, mode, 0), saved;

    if (got >= 0 || errno != ENOSYS)
        return got;
    if (root_walk(root->fd, path, (flags & O_NOFOLLOW) == 0, (flags & O_CREAT) != 0, &real) != 0)
        return -1;
    got = open_plain_by_walk(root->fd, real, flags, mode);
    saved = errno;
    free(real);
    errno = saved;
    return got;
}

int root_open_real(const struct root *root, const char *path, int flags, char **real)
{
    int fd = -1;

    /* a link on the way may change between the walk and the open: then once more */
    for (int i = 0; i < TRIES_MAX; i++) {
        if (i == 0 && is_plain(path))
            *real = mem_strdup(path);
        else if (root_walk(root->fd, path, true, (flags & O_CREAT) != 0, real) != 0)
            return -1;
        fd = root_open_plain(root->fd, *real, flags, 0600);
        if (fd >= 0)
            return fd;
        free(*real);
        *real = NULL;
        if (errno != ELOOP && errno != ENOTDIR)
            return -1;
    }
    return -1;
}
