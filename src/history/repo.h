/*
 * repo.h - the git repository below the state directory
 *
 * repo*.c are the only users of libgit2, and of libgit2 only the object store, the builders of
 * trees and commits, and diffs of buffers: there is no repository of libgit2's on disk, so no
 * config, hook, attribute, alternate or ref of a file is ever interpreted by it. The object store
 * is reached through the descriptor of history.git. Refs are small files written by host/replace.
 * Objects of a hostile history are asked for their size before they are read.
 *
 * On disk the result is an ordinary bare repository: HEAD, config, refs/, objects/. Its tree
 * mirrors the root; ".batten-meta" beside it holds what git does not: per file a line "file PATH"
 * (escaped as text_escape does) and the lines of file_meta_text.
 *
 *     struct repo *repo;
 *     repo_open(&repo, state, REPO_CREATE, &d);      // NULL when there is none yet
 *     repo_write_commit(repo, &commit, id, &d);
 *     repo_ref_write(repo, REPO_BRANCH, id, &d);
 *     repo_free(repo);
 */
#ifndef BATTEN_HISTORY_REPO_H
#define BATTEN_HISTORY_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batten/buf.h"
#include "batten/root.h"

struct diag;
struct repo;

enum { REPO_ID = 41, REPO_OBJECT_MAX = 16 * 1024 * 1024 };

/* A longer message is not read (STATUS_REFUSED, code "too-large"), and not to be written. */
enum { REPO_MESSAGE_MAX = 4 * 1024 * 1024 };

#define REPO_DIR     "history.git"
#define REPO_BRANCH  "refs/heads/main"
#define REPO_PENDING "refs/batten/pending"
#define REPO_NOTES   "refs/notes/commits"
#define REPO_META    ".batten-meta"

/* The content of history.git/config and HEAD; any other is foreign. */
extern const char repo_config_text[];
extern const char repo_head_text[];

enum repo_mode { REPO_EXISTING, REPO_CREATE };

/* STATE is the state directory. *OUT is NULL when there is no repository and MODE is EXISTING. The
 * walk (walk.h) comes first; libgit2 is started only here. Caller frees. */
int repo_open(struct repo **out, struct root *state, enum repo_mode mode, struct diag *d);
void repo_free(struct repo *repo);

/* The id a ref holds: ROOT_OK, ROOT_ABSENT, ROOT_ERROR. Loose, then packed-refs. */
enum root_result repo_ref_read(struct repo *repo, const char *name, char id[REPO_ID],
                               struct diag *d);
int repo_ref_write(struct repo *repo, const char *name, const char *id, struct diag *d);
/* The same in two steps (replace_own_stage). */
int repo_ref_stage(struct repo *repo, const char *name, const char *id, struct diag *d);
int repo_ref_commit(struct repo *repo, const char *name, struct diag *d);
void repo_ref_cancel(struct repo *repo, const char *name);
int repo_ref_remove(struct repo *repo, const char *name, struct diag *d);

/* One file to record: its bytes and metadata, or its absence (META NULL). */
struct repo_file {
    const char *path;
    const char *bytes;
    size_t len;
    const struct file_meta *meta;
};

struct repo_commit {
    const char *parent; /* id, or NULL */
    const struct repo_file *files;
    size_t nfiles;
    const char *message;
    const char *author; /* name; the address is batten@localhost */
    int64_t time;
    int offset; /* minutes east of UTC */
};

/* Write blobs, trees and the commit, all fsynced. No ref moves. */
int repo_write_commit(struct repo *repo, const struct repo_commit *c, char id[REPO_ID],
                      struct diag *d);

/* A commit as it is read; owned by repo_walk, valid during the call. */
struct repo_entry {
    char id[REPO_ID];
    char parent[REPO_ID]; /* "" for the first */
    int64_t time;
    int offset;
    const char *message;
};

/* Call EACH for commit FROM and its first parents, newest first, until it returns not 0. */
typedef int repo_each(void *ctx, const struct repo_entry *e, struct diag *d);
int repo_walk(struct repo *repo, const char *from, repo_each *each, void *ctx, struct diag *d);

/* The bytes of PATH in commit ID: ROOT_OK, ROOT_ABSENT, ROOT_ERROR. */
enum root_result repo_blob(struct repo *repo, const char *id, const char *path, struct buf *out,
                           struct diag *d);

/* The lines of file_meta_text recorded for PATH in commit ID; empty when there are none. */
enum root_result repo_meta(struct repo *repo, const char *id, const char *path, struct buf *out,
                           struct diag *d);

/* All paths in commit ID, metadata aside. */
int repo_paths(struct repo *repo, const char *id, struct strlist *out, struct diag *d);

/* The unified diff of commit ID against its parent. */
int repo_diff(struct repo *repo, const char *id, struct buf *out, struct diag *d);

/* Notes, as `git log` shows them. */
int repo_note_write(struct repo *repo, const struct repo_commit *who, const char *id,
                    const char *text, struct diag *d);
enum root_result repo_note_read(struct repo *repo, const char *id, struct buf *out, struct diag *d);

/* Remove what a crash left in the object store and the refs: tmp_* and *.lock files. */
int repo_sweep(struct repo *repo, struct diag *d);

/* One stretch of lines that differs between two texts, context-free. Lines count from 1; a count of
 * 0 means the stretch stands behind line START (0: before the first). */
struct hunk {
    unsigned a_start, a_count;
    unsigned b_start, b_count;
};

struct hunks {
    struct hunk *v;
    size_t n;
    size_t cap;
};

/* The hunks that lead from A to B, in order. Needs no repository. Caller frees hunks.v. */
int repo_hunks(const char *a, size_t alen, const char *b, size_t blen, struct hunks *out,
               struct diag *d);

#endif
