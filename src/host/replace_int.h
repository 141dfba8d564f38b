/*
 * replace_int.h - what the files of host/replace share
 */
#ifndef BATTEN_HOST_REPLACE_INT_H
#define BATTEN_HOST_REPLACE_INT_H

#include "batten/replace.h"

/* One target and its staged file. */
struct staged {
    struct replace_file file;
    char *real; /* the target without symlinks */
    char *base; /* its last component, part of real's copy; owned */
    int parent; /* its directory, open for reading (fsync) */
    int dir;    /* the staging directory, open for reading */
    char *staging;
    char name[24]; /* "new.N" */
    ino_t ino;     /* of the file with the new content */
    bool in;       /* the new content is at the target */
};

/* The directory part of a real path, "" for the root. Caller frees. */
char *replace_parent(const char *real);

/* The staging directory for REAL. Caller frees. */
int replace_staging_for(struct root *root, const char *real, char **dir, struct diag *d);

/* Open the staging directory, made when absent. It must be ours and 0700. -1 on error. */
int replace_staging_open(struct root *root, const char *dir, struct diag *d);

/* Write all LEN bytes to FD. Returns 0 or -1 with errno. */
int replace_write(int fd, const char *bytes, size_t len);

/* FD is a staging directory that batten made: its owner's alone. */
bool replace_staging_ours(int fd);

/* Write the staged file "new.N" of S in its staging directory. */
int replace_write_staged(const struct root *root, struct staged *s, unsigned index, struct diag *d);

/* What is NAME in directory FD: bytes and metadata. ROOT_OK, ROOT_ABSENT, ROOT_ERROR (errno). A
 * thing that is not a regular file, or is over LIMIT bytes, is ROOT_OK with meta->st only. */
enum root_result replace_read_at(int fd, const char *name, size_t limit, struct buf *bytes,
                                 struct file_meta *meta);

/* STATUS_SYSTEM diagnostic for ERRNUM with the hint that fits. Always returns -1. */
int replace_fail(const struct root *root, const char *code, const char *path, int errnum,
                 struct diag *d);

#endif
