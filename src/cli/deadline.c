#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/spawn.h"
#include "batten/text.h"
#include "batten/txn.h"
#include "cli.h"
#include "progress.h"
#include "watcher.h"

static const char file_name[] = DEADLINE_FILE, probe_line[] = "for its probe\n";

/* Letters that are not taken for each other when read aloud or typed from another screen. */
static const char token_letters[] = "abcdefghijkmnpqrstuvwxyz";

static int make_token(char out[7], struct diag *d)
{
    unsigned char bytes[6];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return diag_set(d, STATUS_SYSTEM, "random", "cannot make a token: %s", strerror(errno));
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = token_letters[bytes[i] % (sizeof(token_letters) - 1)];
    out[6] = '\0';
    return 0;
}

int deadline_arm(struct deadline *out, struct history *h, const struct cli *c, unsigned change,
                 struct diag *d)
{
    struct buf text = BUF_INIT;
    int result = -1;

    *out = (struct deadline){.change = change, .for_probe = out->for_probe};
    boot_id(out->boot);
    out->at_ms = boot_clock_ms() + c->o.confirm_ms;
    if (make_token(out->token, d) != 0)
        return -1;
    buf_printf(&text, "batten-deadline 1\nchange %u\ntoken %s\nboot %s\nat %lld\n%s", change,
               out->token, out->boot, out->at_ms, out->for_probe ? probe_line : "");
    if (history_state_write(h, file_name, buf_str(&text), text.len, d) == 0) {
        result = watcher_start(c, h, out->token, d);
        if (result != 0)
            history_state_remove(h, file_name, NULL);
    }
    buf_release(&text);
    return result;
}

/* One 'NAME VALUE' line; *AT moves behind it. Empty when it is not that line. */
static char *take_line(const char **at, const char *name)
{
    size_t len = strcspn(*at, "\n"), skip = strlen(name);
    char *value;

    if (strncmp(*at, name, skip) != 0 || (*at)[skip] != ' ' || (*at)[len] != '\n')
        return mem_strdup("");
    value = mem_strndup(*at + skip + 1, len - skip - 1);
    *at += len + 1;
    return value;
}

/* LEN characters of SET: what is shown, and given to the watcher, is nothing else. */
static bool is_made_of(const char *word, size_t len, const char *set)
{
    return strlen(word) == len && strspn(word, set) == len;
}

static bool parse(struct deadline *dl, const char *text)
{
    static const char head[] = "batten-deadline 1\n";
    long long change = 0;
    char *words[4];
    bool ok;

    if (!text_starts(text, head))
        return false;
    text += sizeof(head) - 1;
    words[0] = take_line(&text, "change");
    words[1] = take_line(&text, "token");
    words[2] = take_line(&text, "boot");
    words[3] = take_line(&text, "at");
    ok = text_number(words[0], 1, 1000000000, &change) == 0 &&
         is_made_of(words[1], 6, token_letters) && is_made_of(words[2], 36, "0123456789abcdef-") &&
         text_number(words[3], 0, 1LL << 62, &dl->at_ms) == 0;
    if (ok) {
        dl->change = (unsigned)change;
        memcpy(dl->token, words[1], 7);
        memcpy(dl->boot, words[2], 37);
        dl->for_probe = strcmp(text, probe_line) == 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        free(words[i]);
    return ok;
}

enum root_result deadline_read(struct deadline *out, struct history *h, struct diag *d)
{
    struct buf text = BUF_INIT;
    enum root_result result = history_state_read(h, file_name, &text, d);

    *out = (struct deadline){0};
    if (result == ROOT_OK && !parse(out, buf_str(&text))) {
        diag_set(d, STATUS_REFUSED, "bad-deadline",
                 "the file 'deadline' in the state directory is not as batten writes it");
        diag_hint(d, "look at it, then remove it; the change it stood for is in: batten log");
        result = ROOT_ERROR;
    }
    buf_release(&text);
    return result;
}

int deadline_clear(struct history *h, struct diag *d)
{
    return history_state_remove(h, file_name, d);
}

long long deadline_left(const struct deadline *dl)
{
    char now[37];
    long long left = dl->at_ms - boot_clock_ms();

    boot_id(now);
    return strcmp(now, dl->boot) == 0 && left > 0 ? left : 0;
}

/* Whether DL still waits for a decision. What cannot be read now was not decided. */
static bool is_waiting(struct history *h, const struct deadline *dl)
{
    struct deadline now;

    switch (deadline_read(&now, h, NULL)) {
    case ROOT_OK:
        return strcmp(now.token, dl->token) == 0;
    case ROOT_ABSENT:
        return false;
    case ROOT_ERROR:
        break;
    }
    return true;
}

/* Nobody can press a key any more (end of input) when *MAY_ENTER becomes false. */
static bool enter_pressed(int wait_ms, bool *may_enter)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    ssize_t n;
    char c;

    if (poll(&p, 1, wait_ms) <= 0)
        return false;
    n = read(STDIN_FILENO, &c, 1);
    *may_enter = n > 0 || (n < 0 && errno == EINTR);
    return n == 1 && c == '\n';
}

static void count_down(const struct deadline *dl, bool may_enter)
{
    char text[96];

    snprintf(text, sizeof(text), "undone in %lld s unless confirmed%s ",
             deadline_left(dl) / 1000 + 1,
             may_enter ? "; Enter keeps it" : "; confirm from another session");
    progress_show(text);
}

/* Under the lock, so that the watcher cannot be undoing it at the same moment. */
int deadline_confirm(struct root *root, struct history *h, const struct deadline *dl,
                     struct diag *d)
{
    enum { LOCK_WAIT_MS = 3000 };
    struct txn *t = NULL;
    int kept = -1;

    if (txn_begin(&t, root, h, LOCK_WAIT_MS, d) != 0)
        return -1;
    if (!is_waiting(h, dl))
        kept = 0;
    else if (deadline_clear(h, d) == 0)
        kept = 1;
    txn_end(t);
    return kept;
}

int deadline_standing(struct history *h, unsigned change, size_t *edits, size_t *standing,
                      struct diag *d)
{
    struct history_changes all = {0};
    int result = history_list(h, &all, d);

    *edits = *standing = 0;
    for (size_t i = 0; result == 0 && i < all.n; i++)
        for (size_t k = 0; all.v[i].number == change && k < all.v[i].nedits; k++) {
            *edits += 1;
            *standing += all.v[i].edits[k].in_effect;
        }
    history_changes_release(&all);
    return result;
}

/* What became of it, by what the history says and not by what we meant to do. */
static enum status tell_end(struct cli *c, struct history *h, const struct deadline *dl)
{
    size_t edits, standing;

    if (is_waiting(h, dl) || deadline_standing(h, dl->change, &edits, &standing, NULL) != 0) {
        buf_printf(&c->out, "change %u still waits; see: batten status\n", dl->change);
        return STATUS_INCOMPLETE;
    }
    if (standing == edits && edits > 0) {
        buf_printf(&c->out, "change %u is kept\n", dl->change);
        return STATUS_DONE;
    }
    buf_printf(&c->out, "change %u is undone", dl->change);
    if (standing > 0)
        buf_printf(&c->out, ", but for %zu of its %zu edits, whose lines were changed since",
                   standing, edits);
    buf_addc(&c->out, '\n');
    return STATUS_FAILED;
}

enum status deadline_wait(struct cli *c, struct root *root, struct history *h,
                          const struct deadline *dl, bool may_enter)
{
    enum { TICK_MS = 500, GRACE_MS = 30000 };

    /* An Enter that was typed before the question stood there is no answer to it. */
    if (may_enter)
        tcflush(STDIN_FILENO, TCIFLUSH);
    while (is_waiting(h, dl) && deadline_left(dl) > 0) {
        count_down(dl, may_enter);
        if (!may_enter)
            poll(NULL, 0, TICK_MS);
        else if (enter_pressed(TICK_MS, &may_enter) && deadline_confirm(root, h, dl, NULL) == 1)
            break;
    }
    progress_clear();
    /* The watcher does the undoing; it is done when the file is gone. */
    for (long long waited = 0; is_waiting(h, dl) && deadline_left(dl) == 0 && waited < GRACE_MS;
         waited += TICK_MS)
        poll(NULL, 0, TICK_MS);
    return tell_end(c, h, dl);
}
