#include <poll.h>
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
    diag_hint(d, "the token was printed when the change was made; see: batten status");
    return -1;
}

static void say_kept(struct cli *c, const struct deadline *dl)
{
    if (!c->o.root)
        syslog(LOG_AUTHPRIV | LOG_NOTICE, "change %u confirmed", dl->change);
    if (c->o.json) {
        json_t *o = json_start(c);

        json_object_set_new(o, "change", json_integer(dl->change));
        json_object_set_new(o, "confirmed", json_true());
        json_finish(&c->out, o);
    } else {
        buf_printf(&c->out, "change %u is kept\n", dl->change);
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
        diag_set(d, STATUS_REFUSED, "no-timer", "no change waits to be confirmed");
        diag_hint(d, "batten log");
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

/* Sleep until the time is over or somebody decided. True: it is over. */
static bool sleep_out(struct history *h, const char *token)
{
    struct deadline dl;

    while (deadline_read(&dl, h, NULL) == ROOT_OK && strcmp(dl.token, token) == 0) {
        long long left = deadline_left(&dl);

        if (left == 0)
            return true;
        poll(NULL, 0, left < 1000 ? (int)left : 1000);
    }
    return false;
}

/* The watcher: a process of its own that nobody sees. It does not give up: a lock that is held, a
 * full disk, are tried again, and told to syslog, for as long as the change waits. */
enum status cmd_watch(struct cli *c, struct diag *d)
{
    struct root *root = NULL;
    struct history *h = NULL;
    const char *token = c->o.args.v[0];
    enum status status = STATUS_DONE;
    bool over = false;

    if (survey_root(&root, c, d) == 0 && survey_history(&h, root, c, HISTORY_READ, d) == 0)
        over = sleep_out(h, token);
    history_free(h);
    root_free(root);
    for (unsigned tries = 0; over; tries++) {
        diag_release(d);
        status = back_expire(c, token, "not confirmed in time", d);
        if (!diag_isset(d))
            break;
        if (tries % 60 == 0)
            syslog(LOG_AUTHPRIV | LOG_ERR, "cannot undo the change that was not confirmed: %s",
                   d->message);
        poll(NULL, 0, tries < 60 ? 5000 : 60000);
    }
    return status;
}
