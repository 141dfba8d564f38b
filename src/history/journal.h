/*
 * journal.h - what a running transaction is about, for whoever comes after a crash
 *
 * One small file, written whole before anything is staged and removed when everything is done: in
 * the state directory, or with no history in the root's etc/.batten.
 */
#ifndef BATTEN_HISTORY_JOURNAL_H
#define BATTEN_HISTORY_JOURNAL_H

#include "history_int.h"

struct journal_file {
    char *path; /* as the plan names it */
    char *real; /* without symlinks */
    char *staging;
    char old_print[FILE_PRINT];
    char new_print[FILE_PRINT];
};

/* Changes whose daemons have not followed, oldest first. */
enum { FOLLOW_MAX = 16 };
struct unfollowed {
    unsigned v[FOLLOW_MAX];
    size_t n;
};

/* Without files it is only about the changes in FOLLOW. */
struct journal {
    unsigned change;    /* 0 with no history */
    char base[REPO_ID]; /* the branch before, "" for none */
    char id[REPO_ID];   /* the commit of the change, "" with no history */
    struct journal_file *files;
    size_t nfiles;
    struct unfollowed follow; /* made before this one */
};

int journal_write(struct history *h, const struct journal *j, struct diag *d);

/* ROOT_OK with J filled (journal_release), ROOT_ABSENT, ROOT_ERROR: damaged, code
 * "journal-damaged". */
enum root_result journal_read(struct history *h, struct journal *j, struct diag *d);
int journal_remove(struct history *h, struct diag *d);
void journal_release(struct journal *j);

#endif
