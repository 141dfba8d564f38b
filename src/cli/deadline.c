#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/spawn.h"
#include "batten/text.h"
#include "batten/txn.h"
#include "cli.h"
#include "progress.h"

static const char file_name[] = "deadline";
static const char watch_command[] = "watch";

enum { SCRIPT_MAX = 1024 * 1024 };

/* Letters that are not taken for each other when read aloud or typed from another screen. */
static int make_token(char out[7], struct diag *d)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz";
    unsigned char bytes[6];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return diag_set(d, STATUS_SYSTEM, "random", "cannot make a token: %s", strerror(errno));
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = letters[bytes[i] % (sizeof(letters) - 1)];
    out[6] = '\0';
    return 0;
}

static int start_watcher(const struct deadline *dl, const struct cli *c, struct diag *d)
{
    struct strlist words = {0};
    const char **argv;
    char *root = c->o.root ? root_absolute(c->o.root) : NULL;
    char *history = c->o.history ? root_absolute(c->o.history) : NULL;
    int result;

    strlist_add(&words, watch_command);
    strlist_add(&words, dl->token);
    if (root != NULL)
        strlist_addf(&words, "--root=%s", root);
    if (history != NULL)
        strlist_addf(&words, "--history=%s", history);
    strlist_addf(&words, "--wait=%lldms", c->o.wait_ms);
    if (c->o.no_stop)
        strlist_add(&words, "--no-stop");
    argv = mem_array(words.n + 1, sizeof(*argv));
    for (size_t i = 0; i < words.n; i++)
        argv[i] = words.v[i];
    result = spawn_self(argv, d);
    free(argv);
    free(root);
    free(history);
    strlist_release(&words);
    return result;
}

int deadline_arm(struct deadline *out, struct history *h, const struct cli *c, unsigned change,
                 struct diag *d)
{
    struct buf text = BUF_INIT;
    int result = -1;

    *out = (struct deadline){.change = change};
    boot_id(out->boot);
    out->at_ms = boot_clock_ms() + c->o.confirm_ms;
    if (make_token(out->token, d) != 0)
        return -1;
    buf_printf(&text, "batten-deadline 1\nchange %u\ntoken %s\nboot %s\nat %lld\n", change,
               out->token, out->boot, out->at_ms);
    if (history_state_write(h, file_name, buf_str(&text), text.len, d) == 0) {
        result = start_watcher(out, c, d);
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
    ok = text_number(words[0], 1, 1000000000, &change) == 0 && strlen(words[1]) == 6 &&
         strlen(words[2]) == 36 && text_number(words[3], 0, 1LL << 62, &dl->at_ms) == 0;
    if (ok) {
        dl->change = (unsigned)change;
        memcpy(dl->token, words[1], 7);
        memcpy(dl->boot, words[2], 37);
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

static bool runs_recover(const char *text)
{
    for (const char *at = text; (at = strstr(at, "batten recover --boot")) != NULL; at++) {
        const char *line = at;

        while (line > text && line[-1] != '\n')
            line--;
        if (line[strspn(line, " \t")] != '#')
            return true;
    }
    return false;
}

bool deadline_hooked(const struct root *root)
{
    static const char *const scripts[] = {"etc/rc.local", "etc/rc.d/rc.local", "etc/rc",
                                          "etc/init.d/rcS", "etc/rc.d/rcS"};
    bool hooked =
        root_exists(root, "etc/systemd/system/sysinit.target.wants/batten-recover.service");

    for (size_t i = 0; i < ARRAY_LEN(scripts) && !hooked; i++) {
        struct buf text = BUF_INIT;

        if (root_read(root, scripts[i], SCRIPT_MAX, &text, NULL, NULL) == ROOT_OK)
            hooked = runs_recover(buf_str(&text));
        buf_release(&text);
    }
    return hooked;
}

/* Whether DL still waits for a decision. */
static bool is_waiting(struct history *h, const struct deadline *dl)
{
    struct deadline now;

    return deadline_read(&now, h, NULL) == ROOT_OK && strcmp(now.token, dl->token) == 0;
}

static bool enter_pressed(int wait_ms)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    char c;

    return poll(&p, 1, wait_ms) > 0 && read(STDIN_FILENO, &c, 1) == 1 && c == '\n';
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
bool deadline_confirm(struct root *root, struct history *h, const struct deadline *dl)
{
    struct txn *t = NULL;
    bool kept;

    if (txn_begin(&t, root, h, 1000, NULL) != 0)
        return false;
    kept = is_waiting(h, dl) && deadline_clear(h, NULL) == 0;
    txn_end(t);
    return kept;
}

/* What became of it, by what the history says and not by what we meant to do. */
static enum status tell_end(struct cli *c, struct history *h, const struct deadline *dl)
{
    struct history_changes all = {0};
    bool stands = false;

    if (is_waiting(h, dl)) {
        buf_printf(&c->out, "change %u still waits; see: batten status\n", dl->change);
        return STATUS_INCOMPLETE;
    }
    if (history_list(h, &all, NULL) == 0)
        for (size_t i = 0; i < all.n; i++)
            for (size_t k = 0; all.v[i].number == dl->change && k < all.v[i].nedits; k++)
                stands = stands || all.v[i].edits[k].in_effect;
    history_changes_release(&all);
    buf_printf(&c->out, stands ? "change %u is kept\n" : "change %u is undone\n", dl->change);
    return stands ? STATUS_DONE : STATUS_FAILED;
}

enum status deadline_wait(struct cli *c, struct root *root, struct history *h,
                          const struct deadline *dl, bool may_enter)
{
    enum { TICK_MS = 500, GRACE_MS = 30000 };

    while (is_waiting(h, dl) && deadline_left(dl) > 0) {
        count_down(dl, may_enter);
        if (!may_enter)
            poll(NULL, 0, TICK_MS);
        else if (enter_pressed(TICK_MS) && deadline_confirm(root, h, dl))
            break;
    }
    progress_clear();
    /* The watcher does the undoing; it is done when the file is gone. */
    for (long long waited = 0; is_waiting(h, dl) && deadline_left(dl) == 0 && waited < GRACE_MS;
         waited += TICK_MS)
        poll(NULL, 0, TICK_MS);
    return tell_end(c, h, dl);
}
