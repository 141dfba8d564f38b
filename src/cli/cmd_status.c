#include <stdlib.h>
#include <string.h>

#include "batten/history.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "batten/txn.h"
#include "cli.h"
#include "deadline.h"
#include "drift.h"
#include "json.h"
#include "render.h"
#include "survey.h"
#include "watcher.h"

struct state {
    struct root *root;
    struct history *history;
    enum txn_state pending;
    struct scan scan;
    struct drift drift;
    bool waits;   /* a change waits to be confirmed */
    bool watched; /* and a process will undo it in time */
    struct deadline deadline;
};

static int look(struct state *s, const struct cli *c, struct diag *d)
{
    if (survey_root(&s->root, c, d) != 0 ||
        survey_history(&s->history, s->root, c, HISTORY_READ, d) != 0 ||
        txn_pending(s->root, s->history, &s->pending, d) != 0)
        return -1;
    switch (deadline_read(&s->deadline, s->history, d)) {
    case ROOT_OK:
        s->waits = true;
        s->watched = watcher_lives(s->history);
        break;
    case ROOT_ABSENT:
        break;
    case ROOT_ERROR:
        return -1;
    }
    if (scan_run(&s->scan, s->root, &c->o, d) != 0)
        return -1;
    return drift_look(&s->drift, s->history, &s->scan, d);
}

static const char *pending_text(enum txn_state state)
{
    switch (state) {
    case TXN_CLEAN:
        return NULL;
    case TXN_BEFORE_SWAP:
        return "a change was prepared and not begun";
    case TXN_SWAPPING:
        return "a change was interrupted between two files";
    case TXN_SWAPPED:
        return "a change was made and not recorded to the end";
    }
    return NULL;
}

static void say(struct cli *c, const struct state *s)
{
    const char *pending = pending_text(s->pending);
    struct buf where = BUF_INIT;

    render_where(&where, c);
    if (pending != NULL) {
        buf_printf(&c->out, "%s; run: batten recover", pending);
        render_where(&c->out, c);
        buf_addc(&c->out, '\n');
    }
    if (s->waits && s->deadline.for_probe && deadline_left(&s->deadline) > 0)
        buf_printf(&c->out,
                   "change %u waits for its probe, and is undone if that fails or has not ended in "
                   "%lld s; to keep it all the same: batten confirm %s%s\n",
                   s->deadline.change, deadline_left(&s->deadline) / 1000, s->deadline.token,
                   buf_str(&where));
    else if (s->waits && deadline_left(&s->deadline) > 0)
        buf_printf(&c->out, "change %u is undone in %lld s unless confirmed: batten confirm %s%s\n",
                   s->deadline.change, deadline_left(&s->deadline) / 1000, s->deadline.token,
                   buf_str(&where));
    if (s->waits && deadline_left(&s->deadline) > 0 && !s->watched)
        buf_printf(&c->out,
                   "nobody watches its timer any more, it would not be undone; run: "
                   "batten recover%s\n",
                   buf_str(&where));
    if (s->waits && deadline_left(&s->deadline) == 0)
        buf_printf(&c->out,
                   "change %u was not confirmed in time, and is not undone yet; run: "
                   "batten recover%s\n",
                   s->deadline.change, buf_str(&where));
    drift_text(c, &s->drift);
    if (pending == NULL && s->drift.nfiles + s->drift.nopen == 0)
        buf_adds(&c->out, "all files are as batten left them\n");
    buf_release(&where);
}

static void say_json(struct cli *c, const struct state *s)
{
    json_t *o = json_start(c);

    json_object_set_new(o, "recover", json_boolean(s->pending != TXN_CLEAN));
    json_text(o, "pending", pending_text(s->pending));
    drift_json(o, &s->drift);
    json_object_set_new(o, "waiting", s->waits ? json_integer(s->deadline.change) : json_null());
    json_object_set_new(o, "seconds_left",
                        s->waits ? json_integer(deadline_left(&s->deadline) / 1000) : json_null());
    json_object_set_new(o, "for_probe",
                        s->waits ? json_boolean(s->deadline.for_probe) : json_null());
    json_object_set_new(o, "watched", s->waits ? json_boolean(s->watched) : json_null());
    json_finish(&c->out, o);
}

enum status cmd_status(struct cli *c, struct diag *d)
{
    struct state s = {0};
    enum status status = STATUS_SYSTEM;

    if (look(&s, c, d) == 0) {
        status = s.drift.nfiles + s.drift.nopen > 0 ? STATUS_ATTENTION : STATUS_DONE;
        if (s.waits && !s.watched)
            status = STATUS_ATTENTION;
        if (s.pending != TXN_CLEAN || (s.waits && deadline_left(&s.deadline) == 0))
            status = STATUS_INCOMPLETE;
        if (c->o.json)
            say_json(c, &s);
        else
            say(c, &s);
    }
    drift_release(&s.drift);
    scan_release(&s.scan);
    history_free(s.history);
    root_free(s.root);
    return status;
}
