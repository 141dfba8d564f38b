#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back.h"
#include "batten/mem.h"
#include "batten/spawn.h"
#include "batten/text.h"
#include "cli.h"
#include "guide.h"
#include "json.h"
#include "render.h"
#include "scripts.h"
#include "survey.h"

/* One run of harden or close: what was found, what is to be done. */
struct harden {
    struct cli *c;
    struct survey survey;
    struct carry run;
    bool undone;
};

enum { PROBE_MS = 10000 };

/* close has no profile: its operands are made into one that disables only what they select. */
static int make_profile(struct harden *h, struct profile **out, struct diag *d)
{
    const struct options *o = &h->c->o;

    if (h->c->command->bit == CMD_CLOSE)
        return profile_from_selectors(out, (const char *const *)o->args.v, o->args.n, d);
    return survey_profile(out, h->survey.root, o->profile, d);
}

static int make_plan(struct harden *h, struct diag *d)
{
    struct profile *profile = NULL;
    struct plan *plan = &h->run.plan;
    unsigned flags = h->c->o.all_or_nothing ? PLAN_ALL_OR_NOTHING : 0;

    survey_clear(&h->survey);
    plan_release(plan);
    *plan = (struct plan){0};
    if ((h->survey.root == NULL && survey_root(&h->survey.root, h->c, d) != 0) ||
        make_profile(h, &profile, d) != 0 || survey_make(&h->survey, h->c, profile, d) != 0)
        return -1;
    h->run.root = h->survey.root;
    plan->kind = h->c->command->bit == CMD_CLOSE ? PLAN_CLOSE : PLAN_HARDEN;
    if (h->c->decided != NULL)
        h->c->decided->set(h->c->decided->ctx, &h->survey.findings);
    if (plan->kind == PLAN_HARDEN)
        plan->profile = mem_strdup(h->c->decided ? h->c->decided->name : profile_name(profile));
    plan->reason = mem_strdup(h->c->o.reason);
    plan->dialect = h->survey.scan.dialect;
    flags |= survey_plan_flags(&h->survey);
    if (plan_make(plan, h->survey.scan.parses, h->survey.scan.nparses, &h->survey.findings, flags,
                  d) != 0)
        return -1;
    return scripts_check(plan, d);
}

/* Nothing that could be read says anything about what could not: without rights, no change. */
static int check_read(const struct harden *h, struct diag *d)
{
    if (!h->survey.scan.denied)
        return 0;
    diag_set(d, STATUS_SYSTEM, "unreadable", "not every file could be read, nothing was changed");
    diag_hint(d, "run as root: sudo batten");
    return -1;
}

/* What could not be read is told before anything is said to be absent. */
static int check_read_first(const struct harden *h, struct diag *d)
{
    if (h->c->command->bit == CMD_CLOSE && (h->survey.scan.denied || h->survey.scan.unread))
        render_problems(h->c, &h->survey.scan.problems);
    return h->c->command->bit == CMD_CLOSE ? check_read(h, d) : 0;
}

/* A selector that selects nothing is most likely a slip of the pen. */
static int check_selected(struct harden *h, struct diag *d)
{
    const struct findings *all = &h->survey.findings;

    if (h->c->command->bit != CMD_CLOSE)
        return 0;
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].verdict == VERDICT_DISABLE)
            return 0;
    diag_set(d, STATUS_REFUSED, "nothing-selected", "no entry here is selected by '%s'",
             h->c->o.args.v[0]);
    diag_hint(d, "batten audit --all");
    return -1;
}

/* The files as they were when the plan was made; compared again under the lock. */
static bool is_unchanged(const struct harden *h, struct diag *d)
{
    const struct scan *s = &h->survey.scan;

    for (size_t i = 0; i < s->nfiles; i++)
        if (root_same(h->survey.root, s->files[i]->source.path, s->files[i]->source.bytes,
                      s->files[i]->source.len, d) != 1)
            return false;
    return true;
}

static enum status base_status(const struct harden *h)
{
    enum status status = h->run.plan.nskips > 0 ? STATUS_ATTENTION : STATUS_DONE;

    if (h->survey.scan.unread)
        status = status_worse(status, STATUS_ATTENTION);
    return status;
}

static void say_pending(struct harden *h)
{
    const struct plan_sockets *lists[] = {&h->run.before.pending_open,
                                          &h->run.before.pending_close};

    for (size_t i = 0; h->run.looked && i < ARRAY_LEN(lists); i++)
        for (size_t j = 0; j < lists[i]->n; j++) {
            char *port = render_spec(&lists[i]->v[j].spec);

            buf_printf(&h->c->out, "the HUP will also %s %s, edited earlier and never published\n",
                       i == 0 ? "open" : "close", port);
            free(port);
        }
}

static void say_how_to_apply(struct harden *h)
{
    struct cli *c = h->c;

    if (h->run.plan.edits.n == 0) {
        buf_adds(&c->out, h->run.plan.nskips ? "nothing else to do\n" : "nothing to do\n");
        return;
    }
    buf_printf(&c->out, "\nnothing was changed; to make this change: batten");
    if (h->run.plan.kind == PLAN_CLOSE)
        buf_adds(&c->out, " close");
    for (size_t i = 0; h->run.plan.kind == PLAN_CLOSE && i < c->o.args.n; i++) {
        buf_addc(&c->out, ' ');
        render_shell_word(&c->out, c->o.args.v[i]);
    }
    if (h->run.plan.kind == PLAN_HARDEN) {
        buf_adds(&c->out, " --profile ");
        render_shell_word(&c->out, c->o.profile ? c->o.profile : DEFAULT_PROFILE);
    }
    render_where(&c->out, c);
    if (h->run.before.pending_open.n + h->run.before.pending_close.n > 0)
        buf_adds(&c->out, " --accept-pending");
    buf_adds(&c->out, " --apply\n");
}

static void finish_json(struct harden *h)
{
    json_t *o = json_survey(h->c, &h->survey);

    json_plan(o, &h->run.plan, buf_str(&h->run.diff));
    if (h->c->o.apply) {
        json_object_set_new(o, "change", h->run.number ? json_integer(h->run.number) : json_null());
        json_follow(o, &h->run.result);
        json_text(o, "token",
                  h->run.deadline.change && !h->run.only_probe ? h->run.deadline.token : NULL);
        json_object_set_new(o, "reboot_undoes",
                            h->run.deadline.change && !h->run.only_probe
                                ? json_boolean(h->run.reboot_undoes)
                                : json_null());
        json_object_set_new(o, "undone", json_boolean(h->undone));
    }
    json_finish(&h->c->out, o);
}

static enum status dry_run(struct harden *h, struct diag *d)
{
    struct diag look = DIAG_INIT;

    if (carry_diff(&h->run, d) != 0 || carry_shells(&h->run, &h->survey.scan, d) != 0)
        return STATUS_SYSTEM;
    if (carry_look(&h->run, &h->survey.scan, &look) != 0 && !h->c->o.quiet)
        render_diag(stderr, "warning", &look);
    diag_release(&look);
    if (!h->c->o.json) {
        say_pending(h);
        render_plan(h->c, &h->run.plan, buf_str(&h->run.diff));
        say_how_to_apply(h);
    }
    return status_worse(base_status(h), h->run.plan.edits.n ? STATUS_CHANGES : STATUS_DONE);
}

/* In the guide a person agreed to one diff and to no other. */
static int check_agreed(const struct harden *h, struct diag *d)
{
    const struct decided *decided = h->c->decided;

    if (decided == NULL || strcmp(decided->diff, buf_str(&h->run.diff)) == 0)
        return 0;
    diag_set(d, STATUS_REFUSED, "changed-since",
             "the files were changed while you looked at them, nothing was done");
    diag_hint(d, "batten");
    return -1;
}

static int probe_run(const struct strlist *words, struct diag *d)
{
    char **argv = mem_array(words->n + 1, sizeof(*argv));
    int result;

    memcpy(argv, words->v, words->n * sizeof(*argv));
    result = spawn_probe(argv, PROBE_MS, d);
    free(argv);
    return result;
}

static enum status undo_probed(struct harden *h, enum status status, struct diag *d)
{
    struct expired undone = {0};
    enum status back = back_expire(h->c, h->run.deadline.token, EXPIRED_PROBE, &undone, d);

    if (diag_isset(d)) {
        if (!h->c->o.json)
            carry_last_lines(&h->run); /* it stands */
        return back;
    }
    h->undone = back == STATUS_FAILED;
    if (h->undone)
        back_say_expired(&undone);
    return h->undone ? STATUS_FAILED : status; /* else somebody confirmed it meanwhile */
}

/* Somebody decided while the probe ran: confirmed, or undone? What stands tells. */
static enum status decided_meanwhile(struct harden *h, enum status status, struct diag *d)
{
    size_t edits, standing;

    if (deadline_standing(h->run.history, h->run.number, &edits, &standing, d) != 0)
        return STATUS_SYSTEM;
    if (edits > 0 && standing == edits)
        return status;
    h->undone = true;
    diag_set(d, STATUS_FAILED, "probe-failed",
             "the probe took so long that the change was undone meanwhile");
    return STATUS_FAILED;
}

static enum status keep_probed(struct harden *h, enum status status, struct diag *d)
{
    struct carry *run = &h->run;

    switch (deadline_confirm(run->root, run->history, &run->deadline, d)) {
    case 1:
        if (!run->c->o.json)
            carry_last_lines(run);
        return status;
    case 0:
        return decided_meanwhile(h, status, d);
    default:
        /* The change stands and will be undone: somebody has to look. */
        d->status = STATUS_INCOMPLETE;
        diag_hint(d, "batten confirm %s", run->deadline.token);
        return STATUS_INCOMPLETE;
    }
}

/* The health check, and then the timer. The lock is let go first: whoever confirms or undoes takes
 * it. */
static enum status settle(struct harden *h, enum status status, struct diag *d)
{
    struct cli *c = h->c;
    struct carry *run = &h->run;
    struct diag probe = DIAG_INIT;

    txn_end(run->txn);
    run->txn = NULL;
    if (c->o.probe.n > 0 && probe_run(&c->o.probe, &probe) != 0) {
        render_diag(stderr, "error", &probe);
        *problems_new(&run->result.problems) = probe;
        return undo_probed(h, status, d);
    }
    if (run->only_probe)
        return keep_probed(h, status, d);
    if (c->o.probe.n > 0 && !c->o.json)
        carry_last_lines(run);
    if (c->terminal && !c->o.json && !c->o.quiet) {
        render_now(c);
        if (c->decided != NULL)
            c->decided->settled(c->decided->ctx);
        status = status_worse(
            status, deadline_wait(c, run->root, run->history, &run->deadline, !run->own_way_in));
    }
    return status;
}

/* Closing a back door does not put out whoever came in by it. */
static void warn_backdoors(const struct harden *h)
{
    const struct findings *all = &h->survey.findings;

    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].backdoor && all->v[i].entry->enabled) {
            fputs("batten: warning: a back door is open here: this host may have been taken over; "
                  "rebuild it and beware of its backups\n",
                  stderr);
            return;
        }
}

/* Whether a crash or an expired timer left something to finish first. */
static bool is_work_left(const struct harden *h)
{
    struct history *history = NULL;
    enum txn_state state = TXN_CLEAN;
    struct deadline waiting;
    bool left = false;

    if (survey_history(&history, h->survey.root, h->c, HISTORY_READ, NULL) == 0)
        left = (txn_pending(h->survey.root, history, &state, NULL) == 0 && state != TXN_CLEAN) ||
               (deadline_read(&waiting, history, NULL) == ROOT_OK && deadline_left(&waiting) == 0);
    history_free(history);
    return left;
}

static enum status nothing_to_do(struct harden *h)
{
    if (!h->c->o.json) {
        render_plan(h->c, &h->run.plan, "");
        say_how_to_apply(h);
    }
    return base_status(h);
}

static enum status apply(struct harden *h, struct diag *d)
{
    enum status status;

    if (check_read(h, d) != 0 ||
        (h->c->o.probe.n > 0 && spawn_probe_ready(h->c->o.probe.v[0], d) != 0))
        return STATUS_SYSTEM;
    if (h->run.plan.edits.n == 0 && !is_work_left(h))
        return nothing_to_do(h);
    if (carry_begin(&h->run, d) != 0)
        return STATUS_SYSTEM;
    if (h->run.expired.change != 0)
        back_say_expired(&h->run.expired);
    if (!is_unchanged(h, d) && (diag_isset(d) || make_plan(h, d) != 0))
        return STATUS_SYSTEM;
    if (h->run.plan.edits.n == 0)
        return nothing_to_do(h);
    if (carry_diff(&h->run, d) != 0 || check_agreed(h, d) != 0 ||
        carry_look(&h->run, &h->survey.scan, d) != 0)
        return STATUS_SYSTEM;
    warn_backdoors(h);
    if (!h->c->o.json && h->c->o.verbose)
        render_plan(h->c, &h->run.plan, buf_str(&h->run.diff));
    /* A probe alone is a timer too, so that a kill between change and verdict undoes it. */
    h->run.only_probe = h->c->o.probe.n > 0 && h->c->o.confirm_ms == 0;
    if (h->run.only_probe)
        h->c->o.confirm_ms = h->c->o.wait_ms + PROBE_MS * 12; /* stops, ports, the probe */
    status = status_worse(carry_out(&h->run, &h->survey.scan, d), base_status(h));
    return !diag_isset(d) && h->run.deadline.change > 0 ? settle(h, status, d) : status;
}

static enum status harden(struct cli *c, struct diag *d)
{
    struct harden h = {.c = c, .run = {.c = c}};
    enum status status = STATUS_REFUSED;

    if (make_plan(&h, d) != 0 || check_read_first(&h, d) != 0 || check_selected(&h, d) != 0)
        goto out;
    render_problems(c, &h.survey.scan.problems);
    for (size_t i = 0; i < h.survey.scan.nparses; i++)
        render_problems(c, &h.survey.scan.parses[i].problems);
    status = c->o.apply ? apply(&h, d) : dry_run(&h, d);
    if (c->o.json && !diag_isset(d))
        finish_json(&h);
out:
    carry_release(&h.run);
    survey_release(&h.survey);
    return status;
}

enum status harden_run(struct cli *c, struct diag *d)
{
    return harden(c, d);
}

enum status cmd_harden(struct cli *c, struct diag *d)
{
    bool guided = c->terminal && c->o.profile == NULL && !c->o.apply && !c->o.json;

    return guided ? guide_run(c, d) : harden(c, d);
}

enum status cmd_close(struct cli *c, struct diag *d)
{
    return harden(c, d);
}
