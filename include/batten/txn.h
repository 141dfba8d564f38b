/*
 * txn.h - carry a plan out so that a kill at any point leaves the old or the new state
 *
 * lock -> commit "outside" -> change commit and refs/batten/pending -> stage all -> swap all ->
 * move the branch, drop pending -> (caller follows) -> note. Each state is commented in txn.c with
 * what is on disk and what undoes it.
 *
 *     struct txn *t;
 *     txn_begin(&t, root, history, wait_ms, &d);   // takes the lock
 *     if (txn_unfollowed(t, &numbers) > 0) { ... follow again ...; txn_followed(t); }
 *     ... read, plan ...
 *     txn_commit(t, &plan, metas, &request, &number, &d);     // files are changed
 *     follow_run(...)
 *     txn_note(t, number, json, &d);
 *     txn_end(t);
 */
#ifndef BATTEN_TXN_H
#define BATTEN_TXN_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/history.h"
#include "batten/plan.h"
#include "batten/root.h"

struct diag;
struct txn;

struct txn_options {
    bool break_links;
    const char *version; /* batten's, for the trailer */

    /* What an undo has to know to see the files as this run did; each may be NULL. */
    const struct strlist *rc; /* --rc files */
    const char *dialect;      /* where it was forced */
};

/* Take the lock (flock on the root's etc), waiting up to WAIT_MS. STATUS_SYSTEM, code "locked",
 * with the holder's pid when somebody else has it. Runs recover first if a crash left work
 * (txn_recovered). The history is to be read only after this. */
int txn_begin(struct txn **out, struct root *root, struct history *h, long long wait_ms,
              struct diag *d);
void txn_end(struct txn *t);

/* Change the files of PLAN; METAS[i] is the metadata of plan->files[i] as it was read. *NUMBER gets
 * the change's number (0 with HISTORY_NONE). On failure nothing is changed, but for
 * STATUS_INCOMPLETE. */
int txn_commit(struct txn *t, const struct plan *plan, const struct file_meta *metas,
               const struct txn_options *o, unsigned *number, struct diag *d);

/* What txn_begin or txn_recover had to do: a sentence each, borrowed, empty when nothing; and the
 * change that was finished, whose daemons have to follow again, or 0. */
const struct strlist *txn_recovered(const struct txn *t, unsigned *number);

/* The changes that were finished and whose daemons have not followed, oldest first; borrowed. None
 * with an offline root or HISTORY_NONE: there a change counts as followed at once. */
size_t txn_unfollowed(const struct txn *t, const unsigned **numbers);

/* The daemons have followed them. Unless this is said, txn_end leaves a journal behind, a change
 * committed meanwhile carries it on, and the next txn_begin reports them again. */
void txn_followed(struct txn *t);

/* Record the outcome of change NUMBER as a git note. */
int txn_note(struct txn *t, unsigned number, const char *json, struct diag *d);

/* What a crash left half done. */
enum txn_state { TXN_CLEAN, TXN_BEFORE_SWAP, TXN_SWAPPING, TXN_SWAPPED };
int txn_pending(struct root *root, struct history *h, enum txn_state *state, struct diag *d);

/* Finish or undo it; the lock is held (T). REPORT gets a sentence per thing done. *NUMBER gets the
 * change that was finished, 0 when it was undone: the caller then follows again. txn_begin has done
 * it already: then this says what it did. STATUS_ATTENTION (with everything done) when a file was
 * left alone because somebody else wrote it. Idempotent; until txn_end a crash begins it anew. */
int txn_recover(struct txn *t, unsigned *number, struct strlist *report, struct diag *d);

#endif
