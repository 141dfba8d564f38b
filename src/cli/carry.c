#include "carry.h"

#include <stdlib.h>
#include <string.h>

#include "batten/dialect.h"
#include "batten/diff.h"
#include "batten/mem.h"
#include "batten/session.h"
#include "batten/shcheck.h"
#include "batten/text.h"
#include "cli.h"
#include "hook.h"
#include "json.h"
#include "progress.h"
#include "render.h"
#include "survey.h"

int carry_look(struct carry *run, const struct scan *scan, struct diag *d)
{
    struct plan_sockets now = {0};
    int result;

    if (root_offline(run->root) || run->looked)
        return 0;
    scan_predicted(scan, &now);
    result = follow_look(&run->before, dialect_name(scan->dialect), &now, d);
    run->looked = result == 0;
    plan_sockets_release(&now);
    return result;
}

int carry_diff(struct carry *run, struct diag *d)
{
    buf_clear(&run->diff);
    return diff_plan(&run->diff, &run->plan, d);
}

static bool is_script(const struct scan *scan, const struct source *source)
{
    for (size_t i = 0; i < scan->nparses; i++) {
        const struct parse *p = &scan->parses[i];

        for (size_t k = 0; k < p->nsources; k++)
            if (p->sources[k] == source && strcmp(p->starter->name, "rcscript") == 0)
                return true;
    }
    return false;
}

int carry_shells(struct carry *run, const struct scan *scan, struct diag *d)
{
    for (size_t i = 0; i < run->plan.nfiles; i++) {
        const struct plan_file *f = &run->plan.files[i];

        if (!is_script(scan, f->source))
            continue;
        if (shell_check_change(f->source->bytes, f->source->len, buf_str(&f->after), f->after.len,
                               d) != 0) {
            diag_at(d, f->source->path, 0, 0);
            return -1;
        }
    }
    return 0;
}

/* An edit that was never published would be by our HUP; nobody asked for that. */
static int check_pending(struct carry *run, struct diag *d)
{
    const struct follow_state *b = &run->before;
    const struct plan_sockets *list = b->pending_open.n ? &b->pending_open : &b->pending_close;
    char *port;

    if (!run->looked || !run->plan.reload || run->c->o.accept_pending || list->n == 0)
        return 0;
    port = render_spec(&list->v[0].spec);
    diag_set(d, STATUS_ATTENTION, "pending-edits",
             "nothing was changed: the HUP would also %s %s, an edit made earlier that no HUP has "
             "published",
             b->pending_open.n ? "open" : "close", port);
    if (list->v[0].line > 0)
        diag_at(d, list->v[0].path, list->v[0].line, 0);
    diag_hint(d, "look at the file, then add --accept-pending");
    free(port);
    return -1;
}

/* Whoever closes the service his own session came in over may not come in again. */
static int check_lock_out(struct carry *run, struct diag *d)
{
    const struct options *o = &run->c->o;
    struct session session = {0};
    const struct session_way *way = NULL;
    const struct plan_socket *closed = NULL;

    if (root_offline(run->root) || run->plan.kind == PLAN_ROLLBACK)
        return 0;
    session_find(&session);
    for (size_t i = 0; i < run->plan.closes.n && way == NULL; i++) {
        closed = &run->plan.closes.v[i];
        way = session_over(&session, closed->spec.proto, closed->spec.port);
    }
    run->own_way_in = way != NULL;
    if (way != NULL && o->confirm_ms == 0 && !o->cut_me_off) {
        diag_set(d, STATUS_REFUSED, "lock-out",
                 "this session came in over '%s' (%d/%s), which would be closed", closed->service,
                 closed->spec.port, closed->spec.proto);
        diag_hint(d, "add --confirm-within 5m, so that it is undone if you cannot come back");
    }
    session_release(&session);
    return diag_isset(d) ? -1 : 0;
}

int carry_check(struct carry *run, struct diag *d)
{
    if (check_pending(run, d) != 0)
        return -1;
    return check_lock_out(run, d);
}

static int commit(struct carry *run, const struct scan *scan, struct diag *d)
{
    struct file_meta *metas = mem_array(run->plan.nfiles, sizeof(*metas));
    struct txn_options o = {.break_links = run->c->o.break_links,
                            .version = BATTEN_VERSION,
                            .rc = &run->c->o.rc,
                            .dialect = run->c->o.dialect};
    int result;

    for (size_t i = 0; i < run->plan.nfiles; i++) {
        const struct scan_file *f = scan_file(scan, run->plan.files[i].source->path);

        if (f != NULL)
            metas[i] = f->meta; /* borrowed: the scan keeps it */
    }
    result = txn_commit(run->txn, &run->plan, metas, &o, &run->number, d);
    run->c->changed = run->c->changed || result == 0;
    free(metas);
    return result;
}

static void say_edits(struct carry *run)
{
    const struct plan *plan = &run->plan;
    struct buf *out = &run->c->out;
    bool back = plan->kind == PLAN_ROLLBACK;

    if (run->number > 0)
        buf_printf(out, "change %u%s ", run->number, back ? " takes back" : ":");
    buf_printf(out, "%zu %s", plan->edits.n, plan->edits.n == 1 ? "edit" : "edits");
    if (back && plan->undoes > 0)
        buf_printf(out, " of change %u", plan->undoes);
    else if (back)
        buf_adds(out, " of several changes");
    buf_adds(out, " in");
}

/* A rollback has no plan printed before: what it does is said with it. */
static void say_what(struct carry *run)
{
    struct buf *out = &run->c->out;

    say_edits(run);
    for (size_t i = 0; i < run->plan.nfiles; i++) {
        const char *path = run->plan.files[i].source->path;

        buf_adds(out, i ? ", " : " ");
        text_safe(out, path, strlen(path));
    }
    buf_adds(out, root_offline(run->root) ? "; offline: nothing was signalled\n" : "\n");
    if (run->plan.kind == PLAN_ROLLBACK && !run->told)
        render_consequences(run->c, &run->plan, "  ");
}

static void progress(void *ctx, const char *text)
{
    (void)ctx;
    progress_show(text);
}

static void signalled(void *ctx, const struct follow_signal *s)
{
    render_signal(ctx, s);
    render_now(ctx);
}

static void proved(void *ctx, const struct follow_proof *p)
{
    render_proof(ctx, p);
    render_now(ctx);
}

/* On a terminal each signal and each proof is shown as it comes. */
static bool is_watched(const struct carry *run)
{
    return run->c->terminal && !run->c->o.json && !run->c->o.quiet && !root_offline(run->root);
}

static int follow(struct carry *run, struct diag *d)
{
    struct follow_options o = {
        .wait_ms = run->c->o.wait_ms, .no_stop = run->c->o.no_stop, .progress = progress};
    int result;

    if (root_offline(run->root))
        return 0;
    if (is_watched(run)) {
        say_what(run);
        render_now(run->c);
        o.signalled = signalled;
        o.proved = proved;
        o.ctx = run->c;
    }
    result = follow_run(&run->result, &run->plan, &run->before, &o, d);
    progress_clear();
    return result;
}

static int note(struct carry *run, struct diag *d)
{
    struct buf text = BUF_INIT;
    json_t *o;
    int result;

    if (root_offline(run->root) || run->number == 0)
        return 0;
    o = json_object();
    json_follow(o, &run->result);
    json_finish(&text, o);
    result = txn_note(run->txn, run->number, buf_str(&text), d);
    buf_release(&text);
    return result;
}

static enum status outcome(const struct carry *run)
{
    bool attention = run->plan.nskips > 0 || run->result.problems.n > 0;

    for (size_t i = 0; i < run->result.nproofs; i++)
        attention = attention || !run->result.proofs[i].ok;
    return attention ? STATUS_ATTENTION : STATUS_DONE;
}

void carry_last_lines(struct carry *run)
{
    struct buf where = BUF_INIT;
    struct buf *out = &run->c->out;

    if (run->number == 0)
        return;
    render_where(&where, run->c);
    buf_printf(out, "\nchange  batten show %u%s\n", run->number, buf_str(&where));
    if (!run->expiring)
        buf_printf(out, "undo    batten rollback %u%s\n", run->number, buf_str(&where));
    if (run->deadline.change > 0 && !run->only_probe)
        buf_printf(out, "keep    batten confirm %s%s   (within %lld s, or it is undone)\n",
                   run->deadline.token, buf_str(&where), deadline_left(&run->deadline) / 1000);
    buf_release(&where);
}

static void warn_reboot(const struct carry *run)
{
    struct diag d = DIAG_INIT;

    if (run->only_probe || run->reboot_undoes || root_offline(run->root))
        return;
    diag_set(&d, STATUS_ATTENTION, "no-boot-hook",
             "a reboot will not undo this change: nothing runs 'batten recover --boot' at boot");
    diag_hint(&d, "batten help confirm");
    render_diag(stderr, "warning", &d);
    diag_release(&d);
}

/* Only one change may wait for its confirmation at a time; what is undone is always the newest. */
static int arm(struct carry *run, struct diag *d)
{
    struct history_changes all = {0};
    struct deadline waiting;
    unsigned next = 1;
    int result = -1;

    switch (deadline_read(&waiting, run->history, d)) {
    case ROOT_OK:
        run->waiting = waiting.change;
        if (run->plan.kind == PLAN_ROLLBACK)
            return 0;
        diag_set(d, STATUS_REFUSED, "unconfirmed", "change %u still waits to be confirmed",
                 waiting.change);
        diag_hint(d, "batten status");
        return -1;
    case ROOT_ERROR:
        return -1;
    case ROOT_ABSENT:
        break;
    }
    if (run->c->o.confirm_ms == 0 || run->plan.kind == PLAN_ROLLBACK)
        return 0;
    run->deadline.for_probe = run->only_probe;
    if (history_list(run->history, &all, d) == 0) {
        for (size_t i = 0; i < all.n; i++)
            next = all.v[i].number >= next ? all.v[i].number + 1 : next;
        result = deadline_arm(&run->deadline, run->history, run->c, next, d);
        run->reboot_undoes = hook_installed(run->root);
        if (result == 0)
            warn_reboot(run);
    }
    history_changes_release(&all);
    return result;
}

/* Who takes it back is to know it, whatever is printed. */
static void warn_backdoor(const struct carry *run)
{
    if (run->plan.kind == PLAN_ROLLBACK && run->plan.backdoor)
        fputs("batten: warning: a back door opens again: this host may have been taken over; "
              "rebuild it and beware of its backups\n",
              stderr);
}

/* A rollback that left nothing of the change that waits has decided about it. */
static void settle_waiting(struct carry *run)
{
    size_t edits, standing;

    if (run->waiting > 0 && !run->expiring &&
        deadline_standing(run->history, run->waiting, &edits, &standing, NULL) == 0 &&
        standing == 0)
        deadline_clear(run->history, NULL);
}

enum status carry_out(struct carry *run, const struct scan *scan, struct diag *d)
{
    struct cli *c = run->c;

    if (carry_check(run, d) != 0 || carry_shells(run, scan, d) != 0 || arm(run, d) != 0)
        return d->status;
    warn_backdoor(run);
    if (commit(run, scan, d) != 0) {
        /* Incomplete: the files may be the new ones after recover, so the timer goes on. */
        if (run->deadline.change > 0 && d->status != STATUS_INCOMPLETE)
            deadline_clear(run->history, NULL);
        return d->status;
    }
    /* The files are changed: from here on everything that goes wrong is told, nothing undone. */
    if (follow(run, d) == 0)
        txn_followed(run->txn);
    if (diag_isset(d) || note(run, d) != 0) {
        render_diag(stderr, "warning", d);
        *problems_new(&run->result.problems) = *d;
        *d = (struct diag)DIAG_INIT;
    }
    settle_waiting(run);
    if (!c->o.json) {
        if (!is_watched(run))
            say_what(run);
        render_follow(c, &run->result);
        render_skips(c, &run->plan);
        if (run->deadline.change == 0 || c->o.probe.n == 0)
            carry_last_lines(run);
    }
    return outcome(run);
}

void carry_release(struct carry *run)
{
    follow_result_release(&run->result);
    follow_result_release(&run->left);
    if (run->looked)
        follow_state_release(&run->before);
    plan_release(&run->plan);
    buf_release(&run->diff);
    txn_end(run->txn);
    history_free(run->history);
    *run = (struct carry){0};
}
