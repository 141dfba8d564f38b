/*
 * root_int.h - what the files of host/root share, and host/replace with them
 */
#ifndef BATTEN_HOST_ROOT_INT_H
#define BATTEN_HOST_ROOT_INT_H

#include <stdbool.h>

#include "batten/root.h"

struct root {
    int fd; /* O_PATH */
    bool offline;
    char *dir;
};

/* Resolve PATH below FD as openat2 with RESOLVE_IN_ROOT would, component by component. *REAL gets
 * the path without any symlink, "" for the root itself; the caller frees it. FOLLOW: also follow
 * the last component. What does not exist fails with ENOENT, but for the last component when
 * MISSING is true. Returns 0 or -1 with errno. */
int root_walk(int fd, const char *path, bool follow, bool missing, char **real);

/* Open REAL, a path without symlinks, below FD; a symlink anywhere in it fails with ELOOP. */
int root_open_plain(int fd, const char *real, int flags, mode_t mode);

/* As root_openat, and *REAL gets the path without symlinks (caller frees). */
int root_open_real(const struct root *root, const char *path, int flags, char **real);

/* Fill META's extended attributes from the open file FD. Returns 0 or -1 with errno. */
int root_read_xattrs(int fd, struct file_meta *meta);

/* Let the next opens behave as on a kernel without openat2 (tests). */
void root_without_openat2(bool without);

/* The error of ERRNUM on PATH, in words. ROOT may be NULL once PATH is open. Returns ROOT_ABSENT or
 * ROOT_ERROR. */
enum root_result root_fail(const struct root *root, const char *path, int errnum, struct diag *d);

/* The hint "COMMAND WORD", WORD being PATH below ROOT as a person types it in a shell of this host:
 * with the root's own directory in front, quoted where it has to be. */
void root_hint(struct diag *d, const struct root *root, const char *command, const char *path);

#endif
