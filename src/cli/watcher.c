#include "watcher.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <syslog.h>
#include <unistd.h>

#include "back.h"
#include "batten/diag.h"
#include "batten/history.h"
#include "batten/mem.h"
#include "batten/spawn.h"
#include "batten/text.h"
#include "cli.h"
#include "deadline.h"
#include "survey.h"

enum { START_MS = 10000, TICK_MS = 20 };

bool watcher_lives(struct history *h)
{
    int fd = history_state_open(h, DEADLINE_FILE);
    bool lives = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;

    if (fd >= 0)
        close(fd);
    return lives;
}

static void make_words(struct strlist *words, const struct cli *c, const char *token)
{
    char *root = c->o.root ? root_absolute(c->o.root) : NULL;
    char *history = c->o.history ? root_absolute(c->o.history) : NULL;

    strlist_add(words, "watch");
    strlist_add(words, token);
    if (root != NULL)
        strlist_addf(words, "--root=%s", root);
    if (history != NULL)
        strlist_addf(words, "--history=%s", history);
    strlist_addf(words, "--wait=%lldms", c->o.wait_ms);
    if (c->o.no_stop)
        strlist_add(words, "--no-stop");
    free(root);
    free(history);
}

int watcher_start(const struct cli *c, struct history *h, const char *token, struct diag *d)
{
    struct strlist words = {0};
    const char **argv;
    int result;

    make_words(&words, c, token);
    argv = mem_array(words.n + 1, sizeof(*argv));
    for (size_t i = 0; i < words.n; i++)
        argv[i] = words.v[i];
    result = spawn_self(argv, d);
    /* That it was started says nothing: its program may be gone, its memory short. */
    for (int waited = 0; result == 0 && !watcher_lives(h); waited += TICK_MS) {
        if (waited >= START_MS)
            result = diag_set(d, STATUS_SYSTEM, "no-watcher",
                              "the process that would undo the change in time did not start");
        else
            poll(NULL, 0, TICK_MS);
    }
    free(argv);
    strlist_release(&words);
    return result;
}

/* Keep the lock that shows we live; it goes with the process. */
static void show_life(struct history *h)
{
    int fd = history_state_open(h, DEADLINE_FILE);

    while (fd >= 0 && flock(fd, LOCK_SH) != 0 && errno == EINTR)
        ;
}

/* Sleep until the time is over or somebody decided. True: it is over. A file that cannot be read
 * for a while decides nothing. */
static bool sleep_out(struct history *h, const char *token)
{
    struct deadline now, known = {0};

    for (;;) {
        long long left = 1000;

        switch (deadline_read(&now, h, NULL)) {
        case ROOT_ABSENT:
            return false;
        case ROOT_OK:
            if (strcmp(now.token, token) != 0)
                return false;
            known = now;
            break;
        case ROOT_ERROR:
            break;
        }
        if (known.change != 0)
            left = deadline_left(&known);
        if (left == 0)
            return true;
        poll(NULL, 0, left < 1000 ? (int)left : 1000);
    }
}

static void complain(const struct diag *d)
{
    struct buf safe = BUF_INIT;

    text_safe(&safe, d->message, strlen(d->message));
    syslog(LOG_AUTHPRIV | LOG_ERR, "cannot undo the change that was not confirmed: %s",
           buf_str(&safe));
    buf_release(&safe);
}

/* Try STEP until it does: a lock that is held, a full disk, are no reason to give up. */
static enum status insist(struct cli *c, enum status (*step)(struct cli *, struct diag *),
                          struct diag *d)
{
    for (unsigned tries = 0;; tries++) {
        enum status status;

        diag_release(d);
        status = step(c, d);
        if (!diag_isset(d))
            return status;
        if (tries % 60 == 0)
            complain(d);
        poll(NULL, 0, tries < 60 ? 5000 : 60000);
    }
}

static enum status wait_step(struct cli *c, struct diag *d)
{
    struct root *root = NULL;
    struct history *h = NULL;
    enum status status = STATUS_DONE;

    if (survey_root(&root, c, d) == 0 && survey_history(&h, root, c, HISTORY_READ, d) == 0) {
        show_life(h);
        status = sleep_out(h, c->o.args.v[0]) ? STATUS_CHANGES : STATUS_DONE;
    }
    history_free(h);
    root_free(root);
    return status;
}

static enum status undo_step(struct cli *c, struct diag *d)
{
    return back_expire(c, c->o.args.v[0], EXPIRED_TIME, NULL, d);
}

/* The watcher: a process of its own that nobody sees, and that does not give up. */
enum status cmd_watch(struct cli *c, struct diag *d)
{
    openlog("batten", LOG_PID, LOG_AUTHPRIV);
    if (insist(c, wait_step, d) == STATUS_DONE)
        return STATUS_DONE;
    return insist(c, undo_step, d);
}
