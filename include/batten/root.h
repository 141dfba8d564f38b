/*
 * root.h - the root directory: the only way to any path on the host or in an image
 *
 * A root is a directory descriptor. Every path is relative to it ("etc/inetd.conf") and is resolved
 * by openat2 with RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS, or by a walk of components where the
 * kernel has no openat2, so that no symlink leads outside. Files are opened first and looked at
 * through the descriptor afterwards; only regular files are read, without blocking on anything
 * else.
 *
 *     struct root *root;
 *     root_open(&root, "/srv/image", true, &d);
 *     switch (root_read(root, "etc/inetd.conf", SOURCE_MAX, &bytes, &meta, &d)) {
 *     case ROOT_OK: ...
 *     case ROOT_ABSENT: ...
 *     case ROOT_ERROR: ...                   // D says why
 *     }
 *     root_free(root);
 */
#ifndef BATTEN_ROOT_H
#define BATTEN_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "batten/buf.h"

struct diag;
struct root;

enum root_result { ROOT_OK, ROOT_ABSENT, ROOT_ERROR };

struct xattr {
    char *name;
    char *value;
    size_t len;
};

/* What a file is besides its bytes. */
struct file_meta {
    struct stat st;
    char *real;           /* the path below the root after symlinks: what a write replaces */
    struct xattr *xattrs; /* sorted by name; never security.ima, evm, capability */
    size_t nxattrs;
};

void file_meta_release(struct file_meta *m);
void file_meta_copy(struct file_meta *to, const struct file_meta *from);

/* Same owner, group, full mode and extended attributes. */
bool file_meta_same(const struct file_meta *a, const struct file_meta *b);

/* Append owner, group, full mode and extended attributes as lines of text ("mode 0100644", "uid 0",
 * "gid 0", "xattr NAME HEX"): equal texts mean file_meta_same. NAME has every byte outside
 * printable ASCII, and '%', as %XX. */
void file_meta_text(struct buf *out, const struct file_meta *m);

/* The SHA-256 of metadata and bytes together, in hex: what a file is. */
enum { FILE_PRINT = 65 };
void file_print(const struct file_meta *m, const char *bytes, size_t len, char out[FILE_PRINT]);

/* DIR is "/" or the argument of --root. OFFLINE: --root was given. Fails with STATUS_REFUSED when
 * DIR does not exist or is not a directory. Caller frees. */
int root_open(struct root **out, const char *dir, bool offline, struct diag *d);
void root_free(struct root *root);
bool root_offline(const struct root *root);
const char *root_dir(const struct root *root); /* as given; borrowed */
/* DIR, an argument of the command line, as an absolute path without links; NULL when it cannot be
 * followed. Caller frees. */
char *root_absolute(const char *dir);
int root_fd(const struct root *root);

/* Open PATH below the root; FLAGS as open(2), O_CLOEXEC|O_NOCTTY|O_NONBLOCK added. Returns the
 * descriptor or -1 with errno. */
int root_openat(const struct root *root, const char *path, int flags, mode_t mode);

/* The bytes and metadata of a regular file of at most MAX bytes; nothing else is ever opened for
 * reading. META may be NULL. A dangling symlink is ROOT_ABSENT. Errors have code and status:
 * "not-a-file", "too-large", "link-loop", "outside" with STATUS_REFUSED; "unreadable", "changing"
 * with STATUS_SYSTEM. OUT is empty unless ROOT_OK. */
enum root_result root_read(const struct root *root, const char *path, size_t max, struct buf *out,
                           struct file_meta *meta, struct diag *d);

/* The bytes that are there now against the ones given: 1 same, 0 different, -1 error. */
int root_same(const struct root *root, const char *path, const char *bytes, size_t len,
              struct diag *d);

bool root_exists(const struct root *root, const char *path);

/* A root at the directory PATH of ROOT. With O_NOFOLLOW in FLAGS a symlink as last component is
 * refused (code "not-a-directory"). ROOT_ABSENT (nothing set) when it is not there. Caller frees.
 */
enum root_result root_open_below(struct root **out, const struct root *root, const char *path,
                                 int flags, struct diag *d);

/* The names in the directory PATH but "." and "..", sorted, at most MAX: ROOT_OK, ROOT_ABSENT or
 * ROOT_ERROR (code "too-many-files", ...). */
enum root_result root_list(const struct root *root, const char *path, size_t max,
                           struct strlist *out, struct diag *d);

/* Call VISIT for each entry of the directory PATH (not "." and ".."), with what lstat says, in no
 * order, at most MAX; a VISIT that does not return 0 ends it with ROOT_ERROR. */
typedef int root_visitor(void *ctx, const char *name, const struct stat *st, struct diag *d);
enum root_result root_visit(const struct root *root, const char *path, size_t max,
                            root_visitor *visit, void *ctx, struct diag *d);

/* lstat(2) inside the root. Returns 0 or -1 with errno. */
int root_lstat(const struct root *root, const char *path, struct stat *st);

/* The paths that match PATTERN (components in the language of fnmatch(3)) are appended to OUT,
 * sorted by bytes. Symlinked directories are followed inside the root. What a wildcard matches in
 * the last component counts only if it leads to a regular file, as for the daemons; a literal last
 * component counts if it is there, whatever it is. Absent directories are no error. Fails (nothing
 * appended) with code "too-many-files" beyond MAX, "link-loop" or "unreadable". */
int root_glob(const struct root *root, const char *pattern, size_t max, struct strlist *out,
              struct diag *d);

#endif
