#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "back.h"
#include "batten/diag.h"
#include "batten/mem.h"
#include "carry.h"
#include "cli.h"
#include "deadline.h"
#include "json.h"
#include "render.h"
#include "survey.h"

static int check_token(const struct cli *c, const struct deadline *dl, struct diag *d)
{
    if (c->o.args.n == 1 && strcasecmp(c->o.args.v[0], dl->token) == 0)
        return 0;
    if (c->o.args.n == 0)
        diag_set(d, STATUS_USAGE, "usage", "change %u waits: confirm it by its token", dl->change);
    else
        diag_set(d, STATUS_REFUSED, "wrong-token", "'%s' is not the token of change %u",
                 c->o.args.v[0], dl->change);
    diag_hint(d, "batten status");
    return -1;
}

static void say_kept(struct cli *c, const struct deadline *dl)
{
    if (!c->o.root)
        syslog(LOG_AUTHPRIV | LOG_NOTICE, "confirm: change %u is kept", dl->change);
    if (c->o.json) {
        json_t *o = json_start(c);

        json_object_set_new(o, "change", json_integer(dl->change));
        json_object_set_new(o, "confirmed", json_true());
        json_finish(&c->out, o);
    } else {
        buf_printf(&c->out, "change %u is kept\n", dl->change);
    }
}

/* The newest change is the undoing of one that was not confirmed: it came too late. */
static bool came_late(struct history *h, unsigned *change)
{
    struct history_changes all = {0};
    size_t i = 0;

    *change = 0;
    if (history_list(h, &all, NULL) == 0) {
        while (i < all.n && all.v[i].number == 0)
            i++;
        if (i < all.n && back_is_expiry(&all.v[i]) && all.v[i].nedits > 0)
            *change = all.v[i].edits[0].undoes_change;
    }
    history_changes_release(&all);
    return *change != 0;
}

static void say_none(struct carry *run, struct diag *d)
{
    unsigned change = 0;

    if (run->expired.change != 0) {
        back_expired(&run->expired, d);
    } else if (came_late(run->history, &change)) {
        diag_set(d, STATUS_FAILED, "expired",
                 "too late: change %u was not confirmed in time and is undone", change);
        diag_hint(d, "batten log");
    } else {
        diag_set(d, STATUS_REFUSED, "no-timer", "no change waits to be confirmed");
        diag_hint(d, "batten log");
    }
}

enum status cmd_confirm(struct cli *c, struct diag *d)
{
    struct carry run = {.c = c};
    struct deadline dl;
    struct root *root = NULL;
    enum status status = STATUS_SYSTEM;

    if (survey_root(&root, c, d) != 0)
        goto out;
    run.root = root;
    if (carry_begin(&run, d) != 0)
        goto out;
    switch (deadline_read(&dl, run.history, d)) {
    case ROOT_ABSENT:
        say_none(&run, d);
        break;
    case ROOT_OK:
        if (check_token(c, &dl, d) != 0 || deadline_clear(run.history, d) != 0)
            break;
        say_kept(c, &dl);
        status = STATUS_DONE;
        break;
    case ROOT_ERROR:
        break;
    }
out:
    carry_release(&run);
    root_free(root);
    return status;
}
