#include <string.h>

#include "back.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "carry.h"
#include "cli.h"
#include "deadline.h"
#include "render.h"
#include "survey.h"
#include "watcher.h"

enum { LOCK_WAIT_MS = 3000 };

/* What a crash had left is finished by now. */
static void say_recovered(struct carry *run)
{
    unsigned number;
    const struct strlist *lines = txn_recovered(run->txn, &number);

    for (size_t i = 0; i < lines->n; i++) {
        struct buf line = BUF_INIT;

        text_safe(&line, lines->v[i], strlen(lines->v[i]));
        fprintf(stderr, "batten: recovered: %s\n", buf_str(&line));
        buf_release(&line);
    }
}

static int open_and_lock(struct carry *run, struct diag *d)
{
    if (survey_history(&run->history, run->root, run->c, HISTORY_WRITE, d) == 0 &&
        txn_begin(&run->txn, run->root, run->history, LOCK_WAIT_MS, d) == 0) {
        if (run->c->command->bit != CMD_RECOVER)
            say_recovered(run);
        return back_follow_left(run, d);
    }
    if (d->status == STATUS_SYSTEM && !root_offline(run->root))
        diag_hint(d, "run as root: sudo batten");
    return -1;
}

/* A change whose time ran out while no watcher lived (a reboot, a kill) is undone first. */
static int undo_expired(struct carry *run, const char *reason, struct diag *d)
{
    if (run->c->command->bit == CMD_RECOVER)
        say_recovered(run); /* what it did is gone with the lock */
    txn_end(run->txn);
    history_free(run->history);
    run->txn = NULL;
    run->history = NULL;
    back_expire(run->c, NULL, reason, &run->expired, d);
    return diag_isset(d) ? -1 : open_and_lock(run, d);
}

/* A watcher that was killed, or was stopped with the session, has a successor. */
static void watch_again(struct carry *run, const struct deadline *waiting)
{
    struct diag d = DIAG_INIT;

    if (watcher_lives(run->history))
        return;
    if (watcher_start(run->c, run->history, waiting->token, &d) == 0) {
        run->rewatched = true;
        fprintf(stderr,
                "batten: nobody watched the timer of change %u any more; it is watched again\n",
                waiting->change);
    } else {
        render_diag(stderr, "warning", &d);
    }
    diag_release(&d);
}

int carry_begin(struct carry *run, struct diag *d)
{
    struct deadline waiting;

    if (open_and_lock(run, d) != 0)
        return -1;
    if (run->expiring || deadline_read(&waiting, run->history, NULL) != ROOT_OK)
        return 0;
    /* At boot whatever waits is undone, even under the old boot id (a container). */
    if (run->c->o.boot)
        return undo_expired(run, EXPIRED_BOOT, d);
    if (deadline_left(&waiting) == 0)
        return undo_expired(run, EXPIRED_TIME, d);
    if (run->c->command->bit != CMD_CONFIRM)
        watch_again(run, &waiting);
    return 0;
}
