#include "batten/txn.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/lock.h"
#include "batten/mem.h"
#include "batten/replace.h"
#include "batten/source.h"
#include "txn_int.h"

/*
 * The states of a change. A kill or a power cut in any of them is mended by recover.c; what it
 * does is said with each.
 *
 * CLEAN      no journal, no refs/batten/pending, nothing in etc/.batten.
 *            Nothing to undo.
 * RECORDED   the objects of the commits are in the repository; no ref names them, or only
 *            refs/batten/pending does; maybe undo/N.sh. Targets old.
 *            Back: drop pending and undo/N.sh. (Objects nobody names are harmless.)
 * JOURNALLED the journal names the targets, where they are staged and what they are to be.
 *            Targets old.
 *            Back: as above, then remove the journal.
 * STAGED     etc/.batten holds new.N (complete) and maybe part.N; last.json.lock and main.lock
 *            hold what is to come. Targets old.
 *            Back: remove them, then as above.
 * SWAPPING   some targets are new, their old content is new.N. This is the point of no return.
 *            Forward: exchange the others in.
 * SWAPPED    all targets are new and synced; the branch is where it was.
 *            Forward: move the branch to the commit, then as below.
 * MOVED      the branch names the commit; pending, last.json and new.N may still be as before.
 *            Forward: drop pending, write last.json, remove new.N.
 * FOLLOWING  only the journal is left: the daemons may not have followed.
 *            Forward: it is cut down to the number of the change, the caller follows again, then
 *            it goes. Until then each journal of a later change carries the number on.
 *
 * Should a step fail (not a crash), what was done is undone at once: up to STAGED by removing it,
 * in SWAPPING and SWAPPED by exchanging back. From MOVED on the change is made; a failure then is
 * STATUS_INCOMPLETE and recover finishes it.
 */

/* Everything of one txn_commit. */
struct run {
    struct txn *t;
    const struct plan *plan;
    const struct file_meta *metas;
    const struct txn_options *o;
    struct record record;
    struct journal journal;
    struct replace *replace;
};

int txn_begin(struct txn **out, struct root *root, struct history *h, long long wait_ms,
              struct diag *d)
{
    struct txn *t = mem_alloc(sizeof(*t));

    t->root = root;
    t->h = h;
    if (lock_take(&t->lock, root, wait_ms, d) != 0 || recover_run(t, d) != 0) {
        txn_end(t);
        return -1;
    }
    *out = t;
    return 0;
}

void txn_end(struct txn *t)
{
    if (t == NULL)
        return;
    /* FOLLOWING -> CLEAN; if it cannot be removed the daemons follow once more than needed */
    if (t->journal)
        txn_rest(t, NULL);
    if (t->lock != NULL)
        history_unmake(t->h);
    lock_drop(t->lock);
    strlist_release(&t->report);
    free(t);
}

int txn_rest(struct txn *t, struct diag *d)
{
    struct journal rest = {.follow = t->follow};

    return rest.follow.n > 0 ? journal_write(t->h, &rest, d) : journal_remove(t->h, d);
}

void txn_followed(struct txn *t)
{
    t->follow.n = 0;
}

size_t txn_unfollowed(const struct txn *t, const unsigned **numbers)
{
    *numbers = t->follow.v;
    return t->follow.n;
}

const struct strlist *txn_recovered(const struct txn *t, unsigned *number)
{
    *number = t->recovered;
    return &t->report;
}

/* The file is still what the plan was made for. */
static int check_file(struct run *r, size_t i, struct diag *d)
{
    const struct source *s = r->plan->files[i].source;
    struct buf now = BUF_INIT;
    struct file_meta meta = {0};
    enum root_result got = root_read(r->t->root, s->path, SOURCE_MAX, &now, &meta, d);
    int rc = got == ROOT_ERROR ? -1 : 0;

    if (got == ROOT_ABSENT || (got == ROOT_OK && (!buf_equal(&now, s->bytes, s->len) ||
                                                  !file_meta_same(&meta, &r->metas[i])))) {
        rc = diag_set(d, STATUS_REFUSED, "changed-since",
                      "'%s' was changed by somebody else meanwhile", s->path);
        diag_at(d, s->path, 0, 0);
        diag_hint(d, "run batten again: it plans with the file as it is now");
    }
    if (rc == 0)
        rc = replace_check(r->t->root, s->path, &meta, r->plan->files[i].after.len,
                           r->o->break_links ? REPLACE_BREAK_LINKS : 0, d);
    file_meta_release(&meta);
    buf_release(&now);
    return rc;
}

/* CLEAN -> RECORDED */
static int write_record(struct run *r, struct diag *d)
{
    struct txn *t = r->t;
    struct repo *repo;
    struct buf script = BUF_INIT;
    char *path;
    int rc;

    if (record_make(&r->record, t, r->plan, r->metas, r->o, d) != 0)
        return -1;
    r->journal.change = r->record.number;
    memcpy(r->journal.base, r->record.base, sizeof(r->journal.base));
    memcpy(r->journal.id, r->record.id, sizeof(r->journal.id));
    if (history_repo(t->h, true, &repo, d) != 0 ||
        repo_ref_write(repo, REPO_PENDING, r->record.id, d) != 0)
        return -1;
    path = undo_path(r->record.number);
    rc = script_make(t->h, r->record.number, r->record.id, &script, d);
    if (rc == 0)
        rc = replace_own_mkdir(t->h->state, "undo", 0700, d);
    if (rc == 0)
        rc = replace_own(t->h->state, path, buf_str(&script), script.len, 0700, d);
    free(path);
    buf_release(&script);
    return rc;
}

/* What is refused is refused before anything is on disk: a staging directory that is not ours, a
 * mount without a place for one. */
static int make_journal(struct run *r, struct diag *d)
{
    struct journal *j = &r->journal;
    char *etc = NULL;
    enum root_result staging = replace_etc_staging(r->t->root, false, &etc, d);

    free(etc);
    if (staging == ROOT_ERROR)
        return -1;

    if (r->t->follow.n == FOLLOW_MAX) {
        diag_set(d, STATUS_REFUSED, "not-followed",
                 "the daemons have not followed the last %d changes", FOLLOW_MAX);
        diag_hint(d, "batten recover");
        return -1;
    }
    j->follow = r->t->follow;
    j->files = mem_array(r->plan->nfiles, sizeof(*j->files));
    for (size_t i = 0; i < r->plan->nfiles; i++) {
        const struct plan_file *p = &r->plan->files[i];
        struct journal_file *f = &j->files[j->nfiles++];

        f->path = mem_strdup(p->source->path);
        f->real = mem_strdup(r->metas[i].real);
        file_print(&r->metas[i], p->source->bytes, p->source->len, f->old_print);
        file_print(&r->metas[i], buf_str(&p->after), p->after.len, f->new_print);
        if (replace_staging(r->t->root, p->source->path, &f->staging, d) != 0)
            return -1;
    }
    return 0;
}

/* RECORDED -> JOURNALLED */
static int write_journal(struct run *r, struct diag *d)
{
    r->t->journal = true;
    return journal_write(r->t->h, &r->journal, d);
}

static int stage_history(struct run *r, struct diag *d)
{
    struct history *h = r->t->h;
    struct buf last = BUF_INIT;
    struct repo *repo;
    int rc = history_repo(h, true, &repo, d);

    if (rc == 0)
        rc = last_make(h, r->record.id, &last, d);
    if (rc == 0)
        rc = replace_own_stage(h->state, "last.json", buf_str(&last), last.len, 0600, d);
    if (rc == 0)
        rc = repo_ref_stage(repo, REPO_BRANCH, r->record.id, d);
    buf_release(&last);
    return rc;
}

/* JOURNALLED -> STAGED */
static int stage_all(struct run *r, struct diag *d)
{
    for (size_t i = 0; i < r->plan->nfiles; i++) {
        const struct plan_file *p = &r->plan->files[i];
        struct replace_file file = {.path = p->source->path,
                                    .old = p->source->bytes,
                                    .old_len = p->source->len,
                                    .meta = &r->metas[i],
                                    .bytes = buf_str(&p->after),
                                    .len = p->after.len};

        if (replace_stage(r->replace, &file, d) != 0)
            return -1;
    }
    return history_is_none(r->t->h) ? 0 : stage_history(r, d);
}

/* Back to CLEAN from any state before MOVED; the targets are old again. */
static void drop_all(struct run *r)
{
    replace_free(r->replace);
    r->replace = NULL;
    txn_drop(r->t, &r->journal);
    if (r->t->journal && txn_rest(r->t, NULL) == 0)
        r->t->journal = r->t->follow.n > 0;
}

/* The branch could not be moved for sure: it may name the commit already, and only the sync have
 * failed. It must not do so when the files are old. */
static int keep_branch(struct repo *repo, const struct journal *j)
{
    char tip[REPO_ID] = "";
    enum root_result got = repo_ref_read(repo, REPO_BRANCH, tip, NULL);

    if (got == ROOT_ABSENT || (got == ROOT_OK && strcmp(tip, j->base) == 0))
        return 0;
    if (got == ROOT_ERROR)
        return -1;
    return j->base[0] ? repo_ref_write(repo, REPO_BRANCH, j->base, NULL)
                      : repo_ref_remove(repo, REPO_BRANCH, NULL);
}

/* SWAPPED -> MOVED. When the branch cannot move, the targets go back. */
static int move_branch(struct run *r, struct diag *d)
{
    struct repo *repo = NULL;

    if (history_is_none(r->t->h) ||
        (history_repo(r->t->h, true, &repo, d) == 0 && repo_ref_commit(repo, REPO_BRANCH, d) == 0))
        return 0;
    if (keep_branch(repo, &r->journal) != 0)
        d->status = STATUS_INCOMPLETE;
    else if (replace_undo(r->replace, d) == 0)
        d->status = STATUS_FAILED;
    return -1;
}

/* MOVED -> FOLLOWING */
static int finish(struct run *r, struct diag *d)
{
    struct history *h = r->t->h;
    struct repo *repo;
    int rc = 0;

    if (!history_is_none(h) &&
        (history_repo(h, true, &repo, d) != 0 || repo_ref_remove(repo, REPO_PENDING, d) != 0 ||
         replace_own_commit(h->state, "last.json", d) != 0))
        rc = -1;
    if (replace_finish(r->replace, d) != 0)
        rc = -1;
    if (rc != 0)
        d->status = STATUS_INCOMPLETE;
    return rc;
}

/* From CLEAN up to MOVED. */
static int run_steps(struct run *r, struct diag *d)
{
    for (size_t i = 0; i < r->plan->nfiles; i++)
        if (check_file(r, i, d) != 0)
            return -1;
    if (make_journal(r, d) != 0 || (!history_is_none(r->t->h) && write_record(r, d) != 0))
        return -1;
    if (write_journal(r, d) != 0 || stage_all(r, d) != 0 || replace_swap(r->replace, d) != 0)
        return -1;
    return move_branch(r, d);
}

/* What is on disk stays there. */
static void leave_for_recover(struct run *r, struct diag *d)
{
    replace_keep(r->replace);
    r->t->journal = false;
    free(d->hint);
    d->hint = mem_strdup("batten recover");
    txn_log(r->t, "incomplete: %s", d->message);
}

static const char *kind_text(const struct plan *plan)
{
    return plan->kind == PLAN_ROLLBACK ? "rollback" : "apply";
}

int txn_commit(struct txn *t, const struct plan *plan, const struct file_meta *metas,
               const struct txn_options *o, unsigned *number, struct diag *d)
{
    struct diag own = DIAG_INIT;
    struct run r = {.t = t, .plan = plan, .metas = metas, .o = o};
    int rc;

    d = d ? d : &own;
    *number = 0;
    if (plan->nfiles == 0)
        return 0;
    r.replace = replace_new(t->root);
    rc = run_steps(&r, d);
    if (rc == 0) {
        *number = r.record.number;
        rc = finish(&r, d);
        txn_log(t, "%s: change %u: %s", kind_text(plan), *number,
                r.record.subject ? r.record.subject : "no history");
    } else if (d->status != STATUS_INCOMPLETE) {
        drop_all(&r);
    }
    if (rc != 0 && d->status == STATUS_INCOMPLETE)
        leave_for_recover(&r, d);
    replace_free(r.replace);
    record_release(&r.record);
    journal_release(&r.journal);
    diag_release(&own);
    return rc;
}

void txn_drop(struct txn *t, const struct journal *j)
{
    struct repo *repo = NULL;
    char *path;

    if (history_is_none(t->h) || t->h->state == NULL ||
        history_repo(t->h, false, &repo, NULL) != 0 || repo == NULL)
        return;
    replace_own_cancel(t->h->state, "last.json");
    repo_ref_cancel(repo, REPO_BRANCH);
    if (j->change != 0) {
        path = undo_path(j->change);
        replace_own_remove(t->h->state, path, NULL);
        free(path);
    }
    repo_ref_remove(repo, REPO_PENDING, NULL);
}

static int find_change(void *ctx, const struct repo_entry *e, struct diag *d)
{
    struct history_change *want = ctx, c = {0};
    int stop;

    (void)d;
    trailers_read(&c, e->message);
    stop = c.number != 0 && c.number <= want->number;
    if (c.number == want->number)
        memcpy(want->id, e->id, sizeof(want->id));
    history_change_release(&c);
    return stop;
}

int txn_note(struct txn *t, unsigned number, const char *json, struct diag *d)
{
    struct history_change want = {.number = number};
    struct repo *repo = NULL;
    struct stamp stamp;
    char tip[REPO_ID];
    int rc = -1;

    if (history_is_none(t->h) || number == 0)
        return 0;
    stamp_make(&stamp, t->root);
    if (history_repo(t->h, true, &repo, d) == 0 &&
        repo_ref_read(repo, REPO_BRANCH, tip, d) == ROOT_OK &&
        repo_walk(repo, tip, find_change, &want, d) == 0) {
        struct repo_commit who = {
            .author = buf_str(&stamp.name), .time = stamp.time, .offset = stamp.offset};

        rc = want.id[0] ? repo_note_write(repo, &who, want.id, json, d)
                        : diag_set(d, STATUS_USAGE, "no-change", "there is no change %u", number);
    }
    stamp_release(&stamp);
    return rc;
}
