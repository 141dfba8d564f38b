#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/replace.h"
#include "batten/text.h"
#include "txn_int.h"

/*
 * What a crash left (the states are in txn.c) is judged by what is on disk: the journal says which
 * files were to become what, the prints of the files say how far it got. Each step may be cut short
 * again; the next run begins anew and finds less to do.
 */

/* A script for every change there can be. */
enum { SCRIPTS_MAX = 1000000 };

static struct replace_record record_of(const struct journal *j, size_t i)
{
    return (struct replace_record){.real = j->files[i].real,
                                   .staging = j->files[i].staging,
                                   .index = (unsigned)i,
                                   .old_print = j->files[i].old_print,
                                   .new_print = j->files[i].new_print};
}

/* Of how many files the new content is or was at its place; stands there; was overwritten there, as
 * the file shows that came out for it; was never there. */
struct progress {
    size_t exchanged;
    size_t new;
    size_t overwritten;
    size_t untouched;
};

static int look(struct root *root, const struct journal *j, struct progress *p, struct diag *d)
{
    *p = (struct progress){0};
    for (size_t i = 0; i < j->nfiles; i++) {
        struct replace_record rec = record_of(j, i);
        enum replace_found target, staged;

        if (replace_look(root, &rec, &target, &staged, d) != 0)
            return -1;
        p->exchanged += target == FOUND_NEW || staged == FOUND_OLD;
        p->new += target == FOUND_NEW;
        p->overwritten += target != FOUND_NEW && staged == FOUND_FOREIGN;
        p->untouched += staged == FOUND_NEW || target == FOUND_OLD;
    }
    return 0;
}

/* The branch names the change already. */
static bool branch_moved(struct history *h, const struct journal *j)
{
    char tip[REPO_ID];

    return j->id[0] != '\0' && history_tip(h, tip, NULL) == ROOT_OK && strcmp(tip, j->id) == 0;
}

/* 1, 0, or -1 when it cannot be told. */
static int has_pending(struct history *h, struct diag *d)
{
    struct stat st;

    if (h->state == NULL)
        return 0;
    if (root_lstat(h->state, REPO_DIR "/" REPO_PENDING, &st) == 0)
        return 1;
    if (errno == ENOENT || errno == ENOTDIR)
        return 0;
    return diag_set(d, STATUS_SYSTEM, "history-failed", "cannot look at '%s': %s", REPO_PENDING,
                    strerror(errno));
}

int txn_pending(struct root *root, struct history *h, enum txn_state *state, struct diag *d)
{
    struct journal j;
    struct progress p;
    int rc = 0;

    *state = TXN_CLEAN;
    switch (journal_read(h, &j, d)) {
    case ROOT_ERROR:
        return -1;
    case ROOT_ABSENT:
        rc = has_pending(h, d);
        if (rc > 0)
            *state = TXN_BEFORE_SWAP;
        return rc < 0 ? -1 : 0;
    case ROOT_OK:
        break;
    }
    rc = look(root, &j, &p, d);
    if (rc == 0 && (p.new == j.nfiles || branch_moved(h, &j)))
        *state = TXN_SWAPPED;
    else if (rc == 0)
        *state = p.exchanged > 0 ? TXN_SWAPPING : TXN_BEFORE_SWAP;
    journal_release(&j);
    return rc;
}

int txn_settle_history(struct txn *t, const struct journal *j, struct diag *d)
{
    struct buf last = BUF_INIT;
    struct repo *repo;
    char tip[REPO_ID] = "";
    int rc = -1;

    if (history_is_none(t->h))
        return 0;
    if (history_repo(t->h, true, &repo, d) != 0 ||
        repo_ref_read(repo, REPO_BRANCH, tip, d) == ROOT_ERROR)
        return -1;
    if (strcmp(tip, j->id) != 0 && strcmp(tip, j->base) != 0) {
        diag_set(d, STATUS_INCOMPLETE, "history-moved",
                 "the history moved on since change %u was begun", j->change);
        diag_hint(d, "git -C '%s/%s' log", t->h->dir, REPO_DIR);
        return -1;
    }
    if ((strcmp(tip, j->id) == 0 || repo_ref_write(repo, REPO_BRANCH, j->id, d) == 0) &&
        last_make(t->h, j->id, &last, d) == 0 &&
        replace_own(t->h->state, "last.json", buf_str(&last), last.len, 0600, d) == 0 &&
        repo_ref_remove(repo, REPO_PENDING, d) == 0)
        rc = 0;
    buf_release(&last);
    return rc;
}

static int settle_files(struct txn *t, const struct journal *j, bool forward, struct diag *d)
{
    for (size_t i = 0; i < j->nfiles; i++) {
        struct replace_record rec = record_of(j, i);
        enum replace_found found;

        if (replace_settle(t->root, &rec, forward, &found, &t->report, d) != 0)
            return -1;
        if (found == FOUND_FOREIGN || found == FOUND_ABSENT)
            t->attention = true;
        if (forward && found == FOUND_OLD) {
            t->attention = true;
            strlist_addf(&t->report, "left '%s' alone: its new content is gone", rec.real);
        }
    }
    return 0;
}

static void clear_staging(struct txn *t, const struct journal *j)
{
    char *etc = NULL;

    for (size_t i = 0; i < j->nfiles; i++)
        replace_clear(t->root, j->files[i].staging);
    if (replace_etc_staging(t->root, false, &etc, NULL) == ROOT_OK)
        replace_clear(t->root, etc);
    free(etc);
}

/* The scripts of changes that were never made, or not written to their end. */
static int sweep_scripts(struct txn *t, struct repo *repo, struct diag *d)
{
    struct strlist names = {0};
    char tip[REPO_ID] = "";
    unsigned newest = 0;
    enum root_result got = root_list(t->h->state, "undo", SCRIPTS_MAX, &names, d);
    int rc = got == ROOT_ERROR ? -1 : 0;

    if (got == ROOT_OK && (repo_ref_read(repo, REPO_BRANCH, tip, d) == ROOT_ERROR ||
                           record_newest(repo, tip, &newest, d) != 0))
        rc = -1;
    for (size_t i = 0; rc == 0 && i < names.n; i++) {
        unsigned long number = strtoul(names.v[i], NULL, 10);
        char *path = undo_path((unsigned)number), *name = strchr(path, '/') + 1;

        if (number > newest && strcmp(name, names.v[i]) == 0)
            rc = replace_own_remove(t->h->state, path, d);
        else if (text_starts(names.v[i], name) && strcmp(names.v[i] + strlen(name), ".lock") == 0)
            replace_own_cancel(t->h->state, path);
        free(path);
    }
    strlist_release(&names);
    return rc;
}

static int sweep(struct txn *t, struct diag *d)
{
    struct repo *repo = NULL;

    if (t->h->state == NULL)
        return 0;
    replace_own_cancel(t->h->state, "last.json");
    replace_own_cancel(t->h->state, "journal");
    if (history_repo(t->h, true, &repo, d) != 0)
        return -1;
    return sweep_scripts(t, repo, d) != 0 ? -1 : repo_sweep(repo, d);
}

/* Without daemons a change counts as followed once it is made. */
static bool has_daemons(const struct txn *t)
{
    return !root_offline(t->root) && !history_is_none(t->h);
}

static int go_forward(struct txn *t, const struct journal *j, struct diag *d)
{
    if (settle_files(t, j, true, d) != 0 || txn_settle_history(t, j, d) != 0)
        return -1;
    clear_staging(t, j);
    t->journal = true; /* until the daemons have followed */
    if (has_daemons(t) && j->change != 0 && t->follow.n < FOLLOW_MAX)
        t->follow.v[t->follow.n++] = j->change;
    if (t->follow.n > 0 && txn_rest(t, d) != 0)
        return -1;
    t->recovered = j->change;
    if (j->change != 0)
        strlist_addf(&t->report, "finished change %u", j->change);
    else
        strlist_add(&t->report, "finished the change");
    return 0;
}

/* What was finished before and is still to be followed. */
static void follow_again(struct txn *t)
{
    t->journal = t->follow.n > 0;
    for (size_t i = 0; i < t->follow.n; i++) {
        t->recovered = t->follow.v[i];
        strlist_addf(&t->report, "finished change %u before, its daemons have to follow",
                     t->recovered);
    }
}

/* Where an earlier recover was cut short what it found cannot be told any more. */
static void report_undone(struct txn *t, const struct journal *j, const struct progress *p)
{
    const char *how = "";

    if (p->overwritten > 0)
        how = ": somebody else had overwritten what it wrote";
    else if (p->untouched == j->nfiles)
        how = ", which had not begun to take effect";
    if (j->change != 0)
        strlist_addf(&t->report, "undid change %u%s", j->change, how);
    else
        strlist_addf(&t->report, "undid the change%s", how);
}

static int go_back(struct txn *t, const struct journal *j, const struct progress *p, struct diag *d)
{
    if (settle_files(t, j, false, d) != 0)
        return -1;
    clear_staging(t, j);
    txn_drop(t, j);
    if (txn_rest(t, d) != 0)
        return -1;
    follow_again(t);
    report_undone(t, j, p);
    return 0;
}

/* Pending without a journal: the commits were written and nothing else. */
static int drop_pending(struct txn *t, struct diag *d)
{
    struct journal none = {0};
    struct history_changes list = {0};
    char id[REPO_ID];
    struct repo *repo = NULL;

    if (history_repo(t->h, true, &repo, d) != 0)
        return -1;
    if (repo_ref_read(repo, REPO_PENDING, id, NULL) == ROOT_OK &&
        history_list_from(t->h, id, &list, NULL) == 0 && list.n > 0)
        none.change = list.v[0].number;
    history_changes_release(&list);
    txn_drop(t, &none);
    strlist_add(&t->report, "dropped a change that was recorded and not begun");
    return 0;
}

static void log_report(struct txn *t)
{
    for (size_t i = 0; i < t->report.n; i++)
        txn_log(t, "recover: %s", t->report.v[i]);
}

static int recover_journal(struct txn *t, const struct journal *j, struct diag *d)
{
    struct progress p;

    if (has_daemons(t))
        t->follow = j->follow;
    if (j->nfiles == 0) {
        follow_again(t);
        t->journal = true;
        return 0;
    }
    if (look(t->root, j, &p, d) != 0)
        return -1;
    if (p.exchanged > 0 || branch_moved(t->h, j))
        return go_forward(t, j, d);
    return go_back(t, j, &p, d);
}

int recover_run(struct txn *t, struct diag *d)
{
    struct journal j;
    int rc = 0;

    switch (journal_read(t->h, &j, d)) {
    case ROOT_ERROR:
        return -1;
    case ROOT_ABSENT:
        /* the very first steps may leave an empty directory */
        clear_staging(t, &j);
        rc = has_pending(t->h, d);
        if (rc > 0)
            rc = drop_pending(t, d);
        break;
    case ROOT_OK:
        rc = recover_journal(t, &j, d);
        break;
    }
    if (rc == 0 && t->report.n > 0) {
        rc = sweep(t, d);
        log_report(t);
    }
    if (rc != 0 && d != NULL && d->status != STATUS_REFUSED)
        d->status = STATUS_INCOMPLETE;
    journal_release(&j);
    return rc;
}

int txn_recover(struct txn *t, unsigned *number, struct strlist *report, struct diag *d)
{
    *number = t->recovered;
    if (sweep(t, d) != 0)
        return -1;
    for (size_t i = 0; i < t->report.n; i++)
        strlist_add(report, t->report.v[i]);
    if (!t->attention)
        return 0;
    diag_set(d, STATUS_ATTENTION, "left-alone",
             "a file was left alone because somebody else wrote it meanwhile");
    diag_hint(d, "batten status");
    return -1;
}
