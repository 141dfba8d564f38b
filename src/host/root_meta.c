#include "root_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "batten/mem.h"
#include "batten/sha256.h"
#include "batten/text.h"

enum { XATTRS_MAX = 1024, XATTR_LIST_LIMIT = 65536, XATTR_VALUE_LIMIT = 65536 };

/* Attributes that speak of the one inode they stand on: a signature or hash of its content, rights
 * tied to its bytes, an overlay's own notes. Copied to a new file they would be wrong. */
static bool is_copied(const char *name)
{
    static const char *const never[] = {"security.ima", "security.evm", "security.capability"};

    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (strcmp(name, never[i]) == 0)
            return false;
    return !text_starts(name, "trusted.overlay.") && !text_starts(name, "user.overlay.");
}

static int by_name(const void *a, const void *b)
{
    const struct xattr *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int read_value(int fd, const char *name, struct file_meta *meta)
{
    char *value = mem_alloc(XATTR_VALUE_LIMIT);
    ssize_t len = fgetxattr(fd, name, value, XATTR_VALUE_LIMIT);
    struct xattr *x;
    int rc = 0;

    if (len >= 0) {
        x = &meta->xattrs[meta->nxattrs++];
        x->name = mem_strdup(name);
        x->value = mem_strndup(value, (size_t)len);
        x->len = (size_t)len;
    } else if (errno != ENODATA) {
        rc = -1; /* ENODATA: removed since the list was made */
    }
    free(value);
    return rc;
}

/* The list of names; -1 with errno. */
static ssize_t read_names(int fd, char *names)
{
    ssize_t len = flistxattr(fd, names, XATTR_LIST_LIMIT);

    if (len < 0 && (errno == ENOTSUP || errno == ENOSYS))
        return 0;
    return len;
}

int root_read_xattrs(int fd, struct file_meta *meta)
{
    char *names = mem_alloc(XATTR_LIST_LIMIT + 1);
    ssize_t len = read_names(fd, names);
    size_t count = 0;
    int rc = len < 0 ? -1 : 0;

    for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1)
        count++;
    if (count > XATTRS_MAX) {
        errno = E2BIG;
        rc = -1;
    }
    if (rc == 0 && count > 0)
        meta->xattrs = mem_array(count, sizeof(*meta->xattrs));
    for (ssize_t at = 0; rc == 0 && at < len; at += (ssize_t)strlen(names + at) + 1)
        if (is_copied(names + at))
            rc = read_value(fd, names + at, meta);
    if (meta->nxattrs > 1)
        qsort(meta->xattrs, meta->nxattrs, sizeof(*meta->xattrs), by_name);
    free(names);
    return rc;
}

void file_meta_release(struct file_meta *m)
{
    for (size_t i = 0; i < m->nxattrs; i++) {
        free(m->xattrs[i].name);
        free(m->xattrs[i].value);
    }
    free(m->xattrs);
    free(m->real);
    *m = (struct file_meta){0};
}

void file_meta_copy(struct file_meta *to, const struct file_meta *from)
{
    struct file_meta copy = {.st = from->st, .real = mem_strdup(from->real)};

    if (from->nxattrs > 0)
        copy.xattrs = mem_array(from->nxattrs, sizeof(*copy.xattrs));
    for (size_t i = 0; i < from->nxattrs; i++) {
        const struct xattr *x = &from->xattrs[i];

        copy.xattrs[i].name = mem_strdup(x->name);
        copy.xattrs[i].value = mem_strndup(x->value, x->len);
        copy.xattrs[i].len = x->len;
    }
    copy.nxattrs = from->nxattrs;
    *to = copy;
}

void file_meta_text(struct buf *out, const struct file_meta *m)
{
    buf_printf(out, "mode %07o\nuid %lu\ngid %lu\n", (unsigned)m->st.st_mode,
               (unsigned long)m->st.st_uid, (unsigned long)m->st.st_gid);
    for (size_t i = 0; i < m->nxattrs; i++) {
        const struct xattr *x = &m->xattrs[i];

        buf_adds(out, "xattr ");
        text_escape(out, x->name, strlen(x->name));
        buf_addc(out, ' ');
        for (size_t k = 0; k < x->len; k++)
            buf_printf(out, "%02x", (unsigned char)x->value[k]);
        buf_addc(out, '\n');
    }
}

void file_print(const struct file_meta *m, const char *bytes, size_t len, char out[FILE_PRINT])
{
    struct buf text = BUF_INIT;
    struct sha256 s;

    file_meta_text(&text, m);
    sha256_init(&s);
    sha256_add(&s, buf_str(&text), text.len + 1);
    sha256_add(&s, bytes, len);
    sha256_end(&s, out);
    buf_release(&text);
}

bool file_meta_same(const struct file_meta *a, const struct file_meta *b)
{
    if (a->st.st_uid != b->st.st_uid || a->st.st_gid != b->st.st_gid ||
        a->st.st_mode != b->st.st_mode || a->nxattrs != b->nxattrs)
        return false;
    for (size_t i = 0; i < a->nxattrs; i++) {
        const struct xattr *x = &a->xattrs[i], *y = &b->xattrs[i];

        if (strcmp(x->name, y->name) != 0 || x->len != y->len ||
            (x->len > 0 && memcmp(x->value, y->value, x->len) != 0))
            return false;
    }
    return true;
}
