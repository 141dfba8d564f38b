#include <stdlib.h>
#include <string.h>

#include "batten/history.h"
#include "batten/mem.h"
#include "batten/sha256.h"
#include "batten/source.h"
#include "batten/text.h"
#include "cli.h"
#include "guide_walk.h"

/*
 * The file 'answers' in the state directory: a head line, then a line per answer,
 *
 *     close PATH NAME PORT HASH
 *
 * with PATH and NAME escaped and HASH the first 16 digits of the SHA-256 of the entry's bytes, so
 * that an answer is never offered for a line that has become another one.
 */
static const char file_name[] = "answers";
static const char head[] = "batten-answers 1\n";

/* "PATH NAME PORT HASH" */
static char *key_of(const struct entry *e)
{
    char print[SHA256_HEX];
    struct buf b = BUF_INIT;

    sha256_hex(e->source->bytes + e->start, e->end - e->start, print);
    text_escape(&b, e->source->path, strlen(e->source->path));
    buf_addc(&b, ' ');
    text_escape(&b, e->name, strlen(e->name));
    buf_printf(&b, " %d %.16s", e->nsockets > 0 ? e->sockets[0].port : 0, print);
    return buf_steal(&b);
}

static int open_history(struct walk *w, enum history_mode mode, struct history **h)
{
    const char *dir = w->c->o.history;

    if (dir != NULL && strcmp(dir, "none") == 0)
        return -1;
    return history_open(h, w->survey.root, dir, mode, NULL);
}

static void offer(struct walk *w, const char *key, enum answer a)
{
    for (size_t i = 0; i < w->guide.n; i++) {
        char *mine = key_of(w->guide.v[i].finding->entry);

        if (strcmp(mine, key) == 0) {
            w->guide.v[i].offered = a;
            w->guide.head.offered++;
        }
        free(mine);
    }
}

static void take_line(struct walk *w, const char *line, size_t len)
{
    char *text = mem_strndup(line, len), *key = strchr(text, ' ');

    if (key != NULL) {
        *key++ = '\0';
        if (strcmp(text, "close") == 0)
            offer(w, key, ANSWER_CLOSE);
        else if (strcmp(text, "keep") == 0)
            offer(w, key, ANSWER_KEEP);
    }
    free(text);
}

void answers_load(struct walk *w)
{
    struct history *h = NULL;
    struct buf text = BUF_INIT;
    const char *at;

    if (open_history(w, HISTORY_READ, &h) != 0)
        return;
    if (history_state_read(h, file_name, &text, NULL) == ROOT_OK &&
        text_starts(buf_str(&text), head))
        for (at = buf_str(&text) + sizeof(head) - 1; *at != '\0'; at += *at == '\n') {
            size_t len = strcspn(at, "\n");

            take_line(w, at, len);
            at += len;
        }
    buf_release(&text);
    history_free(h);
}

void answers_save(struct walk *w)
{
    struct history *h = NULL;
    struct buf text = BUF_INIT;

    if (guide_count(&w->guide, ANSWER_NONE) == w->guide.n)
        return;
    buf_adds(&text, head);
    for (size_t i = 0; i < w->guide.n; i++) {
        const struct guide_item *it = &w->guide.v[i];
        enum answer a = it->answer != ANSWER_NONE ? it->answer : it->offered;
        char *key = key_of(it->finding->entry);

        if (a != ANSWER_NONE)
            buf_printf(&text, "%s %s\n", a == ANSWER_CLOSE ? "close" : "keep", key);
        free(key);
    }
    /* Without rights they are lost: nothing else depends on them. */
    if (open_history(w, HISTORY_WRITE, &h) == 0)
        history_state_write(h, file_name, buf_str(&text), text.len, NULL);
    history_free(h);
    buf_release(&text);
}

void answers_forget(struct walk *w)
{
    struct history *h = NULL;

    if (w->guide.head.offered > 0 && open_history(w, HISTORY_WRITE, &h) == 0)
        history_state_remove(h, file_name, NULL);
    history_free(h);
}
