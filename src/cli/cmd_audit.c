#include <stdlib.h>
#include <string.h>

#include "alert.h"
#include "batten/dialect.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "batten/txn.h"
#include "cli.h"
#include "drift.h"
#include "json.h"
#include "others.h"
#include "render.h"
#include "survey.h"

/* Who listens for an entry: "inetd[411]", "no", "?" when the owner is hidden, "-" offline. */
static char *who_listens(const struct survey *s, const struct entry *e)
{
    const struct listener *l = NULL;
    struct process p = {.fd = -1};
    char *text;

    if (!s->live || e->nsockets == 0)
        return mem_strdup("-");
    for (size_t i = 0; i < e->nsockets && l == NULL; i++)
        l = survey_listener(s, &e->sockets[i]);
    if (l == NULL)
        return mem_strdup(e->sockets[0].port > 0 ? "no" : "-");
    if (l->npids == 0)
        return mem_strdup("yes, owner ?");
    if (process_open(&p, l->pids[0], NULL) == 0)
        text = mem_printf("%s[%d]", p.comm, (int)l->pids[0]);
    else
        text = mem_printf("pid %d", (int)l->pids[0]);
    process_release(&p);
    return text;
}

static enum role severity_role(enum severity s)
{
    if (s == SEVERITY_BACKDOOR || s == SEVERITY_HIGH)
        return ROLE_DANGER;
    return s == SEVERITY_MEDIUM ? ROLE_WARN : ROLE_PLAIN;
}

/* What becomes of an entry; one that batten does not edit is for a person. */
static const char *verdict_word(const struct finding *f)
{
    if (!f->entry->enabled)
        return "-";
    return survey_by_hand(f) ? "by hand" : verdict_name(f->verdict);
}

/* Widths of an 80 column screen: risk 8, port 9, service 11, state 5, listens 14, where 20. */
static void audit_row(struct cli *c, const struct survey *s, const struct finding *f)
{
    const struct entry *e = f->entry;
    char *port = render_port(e), *who = who_listens(s, e);
    char *where = mem_printf("%s:%u", e->source->path, e->line);

    render_role(&c->out, c, severity_role(f->severity));
    render_cell(&c->out, severity_name(f->severity), 8, false);
    render_role(&c->out, c, ROLE_PLAIN);
    buf_addc(&c->out, ' ');
    render_cell(&c->out, port, 9, false);
    buf_addc(&c->out, ' ');
    render_cell(&c->out, f->service ? f->service->name : e->name, 11, false);
    buf_addc(&c->out, ' ');
    render_cell(&c->out, !e->enabled ? "off" : e->flags & ENTRY_INERT ? "inert" : "on", 5, false);
    buf_addc(&c->out, ' ');
    render_cell(&c->out, who, 14, false);
    buf_addc(&c->out, ' ');
    render_cell(&c->out, where, 20, true);
    buf_printf(&c->out, " %s\n", verdict_word(f));
    free(port);
    free(who);
    free(where);
}

/* Off entries are shown when somebody listens all the same: that is wrong. */
static bool is_shown(const struct cli *c, const struct survey *s, const struct finding *f)
{
    if (c->o.all || f->entry->enabled)
        return true;
    for (size_t i = 0; i < f->entry->nsockets; i++)
        if (survey_listener(s, &f->entry->sockets[i]) != NULL)
            return true;
    return false;
}

static void audit_table(struct cli *c, const struct survey *s)
{
    bool any = false;

    for (size_t i = 0; i < s->findings.n; i++) {
        if (!is_shown(c, s, &s->findings.v[i]))
            continue;
        if (!any)
            render_text(&c->out, c, ROLE_HEAD,
                        "RISK     PORT      SERVICE     STATE LISTENS        STARTED BY           "
                        "VERDICT");
        if (!any)
            buf_addc(&c->out, '\n');
        any = true;
        audit_row(c, s, &s->findings.v[i]);
    }
    if (!any)
        buf_adds(&c->out, s->scan.nfiles > 0 ? "nothing that was read starts a network service\n"
                                             : "no file was found that batten reads\n");
}

/* Starters that are there and not read: an answer that leaves them out must say so. */
static void audit_unread(struct cli *c, const struct survey *s)
{
    static const char *const unread[] = {"etc/xinetd.conf", "etc/xinetd.d", "etc/rlinetd.conf",
                                         "etc/rc.conf"};

    for (size_t i = 0; i < ARRAY_LEN(unread); i++)
        if (root_exists(s->root, unread[i]))
            buf_printf(&c->out, "not read, and may start more: %s\n", unread[i]);
}

static void audit_head(struct cli *c, const struct survey *s)
{
    if (c->o.quiet)
        return;
    buf_adds(&c->out, c->o.root ? "image " : "host ");
    text_safe(&c->out, root_dir(s->root), strlen(root_dir(s->root)));
    buf_printf(&c->out, ", inetd dialect %s (%s)\n\n", dialect_name(s->scan.dialect),
               s->scan.dialect_why);
}

static void audit_backdoors(struct cli *c, const struct survey *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->findings.n; i++)
        n += s->findings.v[i].backdoor && s->findings.v[i].entry->enabled;
    if (n == 0)
        return;
    render_text(&c->out, c, ROLE_DANGER,
                n == 1 ? "a back door is open: this host may have been taken over; rebuild it and "
                         "beware of its backups"
                       : "back doors are open: this host may have been taken over; rebuild it and "
                         "beware of its backups");
    buf_adds(&c->out, "\n\n");
}

static void audit_last_line(struct cli *c, const struct survey *s)
{
    struct survey_counts n = survey_count(s);

    buf_printf(&c->out, "\n%zu of %zu entries on", n.enabled, n.entries);
    if (s->live)
        buf_printf(&c->out, ", %zu listening", n.listening);
    if (n.undecided > 0)
        buf_printf(&c->out, ", %zu to be decided", n.undecided);
    if (n.to_change == 0) {
        buf_printf(&c->out, "; '%s' would close nothing\n", profile_name(s->profile));
        return;
    }
    buf_printf(&c->out, "; '%s' would close %zu", profile_name(s->profile),
               n.to_change - n.by_hand);
    if (n.by_hand > 0)
        buf_printf(&c->out, " and leave %zu to you", n.by_hand);
    if (n.to_change > n.by_hand) {
        buf_adds(&c->out, ": batten");
        render_where(&c->out, c);
        buf_adds(&c->out, " --profile ");
        render_shell_word(&c->out, c->o.profile ? c->o.profile : DEFAULT_PROFILE);
        buf_adds(&c->out, " --apply");
    }
    buf_addc(&c->out, '\n');
}

/* Where the reason is told why it cannot be edited. */
static void audit_by_hand(struct cli *c, const struct survey *s)
{
    for (size_t i = 0; i < s->findings.n; i++) {
        const struct finding *f = &s->findings.v[i];
        char *place;

        if (!survey_by_hand(f))
            continue;
        place = mem_printf("%s:%u", f->entry->source->path, f->entry->line);
        buf_adds(&c->out, "by hand: batten does not edit such an entry; why: batten explain ");
        render_shell_word(&c->out, place);
        render_where(&c->out, c);
        buf_addc(&c->out, '\n');
        free(place);
        return;
    }
}

static enum status audit_status(const struct survey *s)
{
    enum status status = STATUS_DONE;

    if (survey_count(s).to_change > 0)
        status = STATUS_CHANGES;
    if (s->scan.unread)
        status = status_worse(status, STATUS_ATTENTION);
    if (s->scan.denied)
        status = status_worse(status, STATUS_SYSTEM);
    return status;
}

/* What batten itself left: a change half done, files and services that were changed since. Without
 * rights to the state directory there is nothing to say. */
static enum status look_back(const struct cli *c, struct survey *s, struct drift *drift)
{
    struct history *h = NULL;
    enum txn_state pending = TXN_CLEAN;

    struct diag d = DIAG_INIT;

    if (survey_history(&h, s->root, c, HISTORY_READ, &d) == 0 &&
        txn_pending(s->root, h, &pending, &d) == 0)
        drift_look(drift, h, &s->scan, &d);
    history_free(h);
    if (diag_isset(&d) && d.status == STATUS_REFUSED) {
        diag_hint(&d, "batten status");
        *problems_new(&s->scan.problems) = d;
        s->scan.unread = true;
        d = (struct diag)DIAG_INIT;
    }
    diag_release(&d);
    return pending == TXN_CLEAN ? STATUS_DONE : STATUS_INCOMPLETE;
}

static void audit_drift(struct cli *c, const struct drift *drift, enum status back)
{
    if (drift->nfiles + drift->nopen > 0)
        buf_addc(&c->out, '\n');
    drift_text(c, drift);
    if (back != STATUS_INCOMPLETE)
        return;
    buf_adds(&c->out, "\na change was left half done; run: batten recover");
    render_where(&c->out, c);
    buf_addc(&c->out, '\n');
}

enum status cmd_audit(struct cli *c, struct diag *d)
{
    struct survey s = {0};
    struct drift drift = {0};
    enum status status = STATUS_SYSTEM, back;

    if (survey_make(&s, c, NULL, d) != 0)
        goto out;
    back = look_back(c, &s, &drift);
    status = status_worse(audit_status(&s), back);
    render_problems(c, &s.scan.problems);
    for (size_t i = 0; i < s.scan.nparses; i++)
        render_problems(c, &s.scan.parses[i].problems);
    if (c->o.json) {
        json_t *o = json_survey(c, &s);

        json_object_set_new(o, "recover", json_boolean(back == STATUS_INCOMPLETE));
        drift_json(o, &drift);
        json_object_set_new(o, "other_listeners", others_json(&s));
        json_object_set_new(o, "alert", alert_json(&s));
        json_finish(&c->out, o);
        goto out;
    }
    audit_head(c, &s);
    audit_backdoors(c, &s);
    audit_table(c, &s);
    audit_by_hand(c, &s);
    audit_unread(c, &s);
    others_text(c, &s);
    audit_drift(c, &drift, back);
    alert_text(c, &s);
    audit_last_line(c, &s);
out:
    drift_release(&drift);
    survey_release(&s);
    return status;
}
