#include "batten/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batten/text.h"

enum {
    PIDFILE_MAX = 32,   /* a number, and room for blanks some scripts add */
    PID_LEAST = 2,      /* 1 is init: no pid file of ours names it */
    PID_MOST = 4194304, /* the kernel's own limit */
};

static int odd(const char *path, const char *what, struct diag *d)
{
    diag_set(d, STATUS_DONE, "pid-file-odd", "pid file '%s' %s and is not believed", path, what);
    diag_at(d, path, 0, 0);
    return -1;
}

static int parse(const char *path, char *text, size_t len, pid_t *pid, struct diag *d)
{
    long long number;

    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        len--;
    text[len] = '\0';
    if (strspn(text, "0123456789") != len || text_number(text, PID_LEAST, PID_MOST, &number) != 0)
        return odd(path, "does not hold a process number", d);
    *pid = (pid_t)number;
    return 1;
}

int process_read_pidfile(const char *path, pid_t *pid, struct diag *d)
{
    char text[PIDFILE_MAX + 2];
    struct stat st;
    ssize_t len;
    int result = -1;
    int fd;

    /* Opened without blocking, so that a fifo in its place cannot hold us. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (fd < 0)
        return odd(path, errno == ELOOP ? "is a symlink" : "cannot be read", d);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        odd(path, "is not a regular file", d);
        goto out;
    }
    len = read(fd, text, sizeof(text) - 1);
    if (len < 0 || len > PIDFILE_MAX || memchr(text, '\0', (size_t)len) != NULL) {
        odd(path, "does not hold a process number", d);
        goto out;
    }
    result = parse(path, text, (size_t)len, pid, d);
out:
    close(fd);
    return result;
}
