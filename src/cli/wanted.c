#include "wanted.h"

#include <stdlib.h>
#include <string.h>

#include "batten/history.h"
#include "batten/mem.h"
#include "batten/text.h"

static const char file_name[] = "wanted", head[] = "batten-wanted 1\n";

enum { WANTED_MAX = 4096 };

static char *make_line(const struct wanted_entry *e)
{
    const char *const words[] = {e->path, e->name, e->ident};
    struct buf line = BUF_INIT;

    buf_printf(&line, "%u", e->change);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        buf_addc(&line, ' ');
        text_escape(&line, words[i], strlen(words[i]));
    }
    return buf_steal(&line);
}

void wanted_read(struct wanted *w, struct history *h)
{
    struct buf text = BUF_INIT;
    const char *at;

    if (history_state_read(h, file_name, &text, NULL) == ROOT_OK &&
        text_starts(buf_str(&text), head))
        for (at = buf_str(&text) + sizeof(head) - 1; *at != '\0' && w->lines.n < WANTED_MAX;) {
            size_t len = strcspn(at, "\n");
            char *line = mem_strndup(at, len);

            strlist_add(&w->lines, line);
            free(line);
            at += len + (at[len] == '\n');
        }
    buf_release(&text);
}

bool wanted_has(const struct wanted *w, const struct wanted_entry *e)
{
    char *line;
    bool has;

    if (w->lines.n == 0)
        return false;
    line = make_line(e);
    has = strlist_has(&w->lines, line);
    free(line);
    return has;
}

void wanted_add(struct wanted *w, const struct wanted_entry *e)
{
    char *line = make_line(e);

    if (w->lines.n < WANTED_MAX && !strlist_has(&w->lines, line))
        strlist_add(&w->lines, line);
    free(line);
}

int wanted_write(const struct wanted *w, struct history *h, struct diag *d)
{
    struct buf text = BUF_INIT;
    int result;

    buf_adds(&text, head);
    for (size_t i = 0; i < w->lines.n; i++)
        buf_printf(&text, "%s\n", w->lines.v[i]);
    result = history_state_write(h, file_name, buf_str(&text), text.len, d);
    buf_release(&text);
    return result;
}

void wanted_release(struct wanted *w)
{
    strlist_release(&w->lines);
}
