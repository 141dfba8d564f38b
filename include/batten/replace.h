/*
 * replace.h - the only writer of files that daemons or shells read
 *
 * A batch: stage every new content, then swap each in with one rename exchange, then clear up. The
 * staged files live in etc/.batten (0700, no daemon reads it), with the owner, mode and extended
 * attributes of the file they replace, fsynced. Nothing is written in place.
 *
 * An exchange works only within one mount. A target on another mount than etc is staged in a
 * .batten directory of the same kind at the top of its own mount. Where that top is a directory
 * whose name ends in ".d" (inetd.d on a mount of its own, say), a daemon may read what stands in
 * it: such a target is refused (code "own-mount").
 *
 * The staged files are named "part.N" while they are written and "new.N" once they are complete and
 * fsynced, N counting from 0 in the order of staging; after the exchange "new.N" holds the old
 * content. So whatever a crash leaves can be told apart (replace_settle).
 *
 *     struct replace *r = replace_new(root);
 *     replace_stage(r, &file, &d);  // nothing visible yet
 *     replace_swap(r, &d);          // point of no return at its first exchange
 *     replace_finish(r, &d);        // old contents removed
 *     replace_free(r);              // before swap: removes what was staged
 */
#ifndef BATTEN_REPLACE_H
#define BATTEN_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/root.h"

struct diag;
struct replace;

/* What is said yes to on the command line. */
enum replace_flag { REPLACE_BREAK_LINKS = 1 << 0 };

/* Ask, before any write, whether PATH can be replaced: immutable flag (code "immutable"), bind
 * mount ("bind-mount"), read-only mount ("read-only"), a mount with no place to stage
 * ("own-mount"), more than one hard link ("hard-links"), free space for LEN bytes ("no-space").
 * Fails with STATUS_ATTENTION (hard links) or STATUS_SYSTEM and a hint. */
int replace_check(struct root *root, const char *path, const struct file_meta *meta, size_t len,
                  unsigned flags, struct diag *d);

/* The directory that PATH is staged in, relative to the root ("etc/.batten"). Caller frees. */
int replace_staging(struct root *root, const char *path, char **dir, struct diag *d);

struct replace *replace_new(struct root *root);

/* Stage LEN new BYTES for PATH, whose content was OLD (OLDLEN bytes) with META when it was read.
 * The new file gets META as well; it is never more readable than it ends up. What FILE points to
 * must stay until replace_free. Fails with STATUS_SYSTEM (codes "stage-failed", "no-space",
 * "metadata-lost") and nothing left behind. */
struct replace_file {
    const char *path; /* as read; resolved inside the root again */
    const char *old;
    size_t old_len;
    const struct file_meta *meta;
    const char *bytes;
    size_t len;
};
int replace_stage(struct replace *r, const struct replace_file *file, struct diag *d);

/* Exchange all staged files in, in order, and sync the directories. What comes out of each is
 * compared with OLD and META; a foreign content is exchanged back. When one fails, those already in
 * are exchanged back (STATUS_REFUSED, code "changed-since", or STATUS_SYSTEM) or, if even that
 * fails, left for replace_settle (STATUS_INCOMPLETE). */
int replace_swap(struct replace *r, struct diag *d);

/* After a swap: bring all old contents back, as a failing replace_swap does. 0, or -1 with
 * STATUS_INCOMPLETE. */
int replace_undo(struct replace *r, struct diag *d);

/* Remove the old contents and the staging directories. */
int replace_finish(struct replace *r, struct diag *d);

/* Leave what is staged where it is, for replace_settle. */
void replace_keep(struct replace *r);
void replace_free(struct replace *r);

/* One file of a batch that was cut short by a crash. The prints are those of file_print. */
struct replace_record {
    const char *real;    /* path without symlinks */
    const char *staging; /* its staging directory */
    unsigned index;      /* N of "new.N" */
    const char *old_print;
    const char *new_print;
};

/* What is at a place. */
enum replace_found { FOUND_ABSENT, FOUND_OLD, FOUND_NEW, FOUND_FOREIGN };

/* What is at the target of REC, and what at its staged file. */
int replace_look(struct root *root, const struct replace_record *rec, enum replace_found *target,
                 enum replace_found *staged, struct diag *d);

/* Bring REC to its new content (FORWARD) or to its old one, and remove what was staged for it. A
 * target that is neither is left alone; a foreign content that an exchange had brought out goes
 * back to its place, or where the place was written again since stays in the staging directory as
 * "kept.N.PRINT", with ".1", ".2" ... behind where that is there already. *FOUND gets what the
 * target holds afterwards, REPORT a sentence per thing done. Idempotent. */
int replace_settle(struct root *root, const struct replace_record *rec, bool forward,
                   enum replace_found *found, struct strlist *report, struct diag *d);

/* Remove the staging directory DIR if it is empty, and what an unfinished staging left in it. */
void replace_clear(struct root *root, const char *dir);

/*
 * Batten's own small files, in directories that only batten writes. They are written beside their
 * place as "PATH.lock" (a name git respects for refs), fsynced, renamed, the directory fsynced: a
 * reader sees the old or the new content. Codes "write-failed", "no-space", "read-only".
 */
int replace_own(struct root *root, const char *path, const char *bytes, size_t len, mode_t mode,
                struct diag *d);

/* The same in two steps: all space is taken before, and only a rename is left to do. Cancel removes
 * what stage wrote. */
int replace_own_stage(struct root *root, const char *path, const char *bytes, size_t len,
                      mode_t mode, struct diag *d);
int replace_own_commit(struct root *root, const char *path, struct diag *d);
void replace_own_cancel(struct root *root, const char *path);

/* Remove such a file, its leftover .lock too, and sync the directory. Absent is no error. */
int replace_own_remove(struct root *root, const char *path, struct diag *d);

/* Remove the directory PATH and what is in it, links as links; what cannot be removed stays. Only
 * for a directory that this run made and nobody else may write to. */
void replace_own_remove_tree(struct root *root, const char *path);

/* Make the directory PATH with exactly MODE unless it is there; its parents with 0755. */
int replace_own_mkdir(struct root *root, const char *path, mode_t mode, struct diag *d);

/* Give the directory that ROOT is the mode 0700. */
int replace_own_close(struct root *root, struct diag *d);

/* The staging directory of the mount that etc is on ("etc/.batten"), made when CREATE. It is ours
 * and 0700, else STATUS_REFUSED, code "staging-dir". Caller frees *DIR. ROOT_ABSENT without CREATE
 * when it is not there. */
enum root_result replace_etc_staging(struct root *root, bool create, char **dir, struct diag *d);

/* fsync the directory PATH. */
int replace_sync_dir(struct root *root, const char *path, struct diag *d);

#endif
