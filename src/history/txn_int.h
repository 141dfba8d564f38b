/*
 * txn_int.h - what the files txn*.c and recover.c share
 */
#ifndef BATTEN_HISTORY_TXN_INT_H
#define BATTEN_HISTORY_TXN_INT_H

#include "batten/txn.h"
#include "history_int.h"
#include "journal.h"

struct lock;

struct txn {
    struct root *root;
    struct history *h;
    struct lock *lock;
    bool journal; /* on disk, to be removed at the end */

    /* what recover did */
    unsigned recovered;
    struct unfollowed follow; /* none with no daemons: an offline root, HISTORY_NONE */
    struct strlist report;
    bool attention; /* a file was left alone */
};

/* The author and the time of a commit: who runs batten and now, or under --root nobody and
 * SOURCE_DATE_EPOCH (0 without), so that equal images get equal histories. */
struct stamp {
    struct buf name; /* the author */
    struct buf by;   /* the "By:" trailer, empty under --root */
    int64_t time;
    int offset;
};
void stamp_make(struct stamp *s, const struct root *root);
void stamp_release(struct stamp *s);

/* The commits of one change, made but not yet on the branch. */
struct record {
    unsigned number;
    char base[REPO_ID]; /* the branch before, "" for none */
    char id[REPO_ID];   /* the commit of the change */
    char *subject;
};

/* Write the commit 'edited outside batten' (if anything differs from the last known state) and the
 * commit of the change. No ref moves. */
int record_make(struct record *r, struct txn *t, const struct plan *plan,
                const struct file_meta *metas, const struct txn_options *o, struct diag *d);
void record_release(struct record *r);

/* The number of the newest change of the branch at commit TIP, 0 for none ("" for no branch). */
int record_newest(struct repo *repo, const char *tip, unsigned *number, struct diag *d);

/* The edits of PLAN as they are recorded, in the order of its files and of their lines. Returns the
 * number; caller frees *OUT (its strings are borrowed from PLAN). */
size_t record_edits(const struct plan *plan, struct history_edit **out);

/* last.json as it is to be once commit ID is the newest. */
int last_make(struct history *h, const char *id, struct buf *out, struct diag *d);

/* "undo/N.sh". Caller frees. */
char *undo_path(unsigned number);

/* The script for commit ID of change N. */
int script_make(struct history *h, unsigned n, const char *id, struct buf *out, struct diag *d);

/* One line to syslog (authpriv) unless the root is offline. */
void txn_log(const struct txn *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* All that is left to do once every file holds its new content: the branch, the pending ref,
 * last.json. Idempotent. */
int txn_settle_history(struct txn *t, const struct journal *j, struct diag *d);

/* Take away what was prepared for a change that is not made. */
void txn_drop(struct txn *t, const struct journal *j);

/* Nothing is left of a change but that daemons may have to follow what was made before it: the
 * journal becomes one about these, or goes. */
int txn_rest(struct txn *t, struct diag *d);

int recover_run(struct txn *t, struct diag *d);

#endif
