#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "history_int.h"

/*
 * An edit, one line, words escaped as text_escape does, "-" for nothing:
 *     Edit: OLD_LINE,OLD_COUNT NEW_LINE,NEW_COUNT KIND CHANGE.EDIT SERVICE NAME PATH IDENT
 */

enum { EDITS_MAX = 65536, RC_MAX = 256, NUMBER_MAX = 1000000000 };

static void add_word(struct buf *out, const char *word)
{
    buf_addc(out, ' ');
    if (word == NULL || *word == '\0')
        buf_addc(out, '-');
    else if (strcmp(word, "-") == 0)
        buf_adds(out, "%2D");
    else
        text_escape(out, word, strlen(word));
}

/* Free text on one line: a line break would begin another trailer. */
static void add_text(struct buf *out, const char *key, const char *text)
{
    struct buf safe = BUF_INIT;

    if (text == NULL)
        return;
    text_safe(&safe, text, strlen(text));
    buf_printf(out, "%s: %s\n", key, buf_str(&safe));
    buf_release(&safe);
}

/* A path or name that is to be read back as it is. */
static void add_exact(struct buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    buf_printf(out, "%s:", key);
    add_word(out, text);
    buf_addc(out, '\n');
}

static void add_edit(struct buf *out, const struct history_edit *e)
{
    buf_printf(out, "Edit: %u,%u %u,%u", e->old_line, e->old_count, e->new_line, e->new_count);
    add_word(out, e->kind);
    if (e->undoes_change != 0)
        buf_printf(out, " %u.%u", e->undoes_change, e->undoes_edit);
    else
        buf_adds(out, " -");
    add_word(out, e->service);
    add_word(out, e->name);
    add_word(out, e->path);
    add_word(out, e->ident);
    buf_addc(out, '\n');
}

static void add_entries(struct buf *out, const struct history_change *c)
{
    for (size_t i = 0; i < c->nedits; i++) {
        buf_adds(out, "Entry: ");
        text_escape(out, c->edits[i].path, strlen(c->edits[i].path));
        buf_printf(out, ":%u\n", c->edits[i].old_line);
    }
}

void trailers_write(struct buf *out, const struct trailers *t)
{
    const struct history_change *c = &t->change;

    buf_printf(out, "%s\n\n", c->subject);
    if (c->number != 0)
        buf_printf(out, "Change: %u\n", c->number);
    buf_printf(out, "Kind: %s\n", c->kind);
    for (size_t i = 0; i < t->services.n; i++)
        add_text(out, "Service", t->services.v[i]);
    add_entries(out, c);
    if (strcmp(c->kind, "harden") == 0 || strcmp(c->kind, "close") == 0)
        buf_adds(out, "Verdict: disable\n");
    add_text(out, "Profile", c->profile);
    add_text(out, "Reason", c->reason);
    add_text(out, "By", c->by);
    for (size_t i = 0; i < c->rc.n; i++)
        add_exact(out, "Rc", c->rc.v[i]);
    add_exact(out, "Dialect", c->dialect);
    if (t->reload)
        buf_adds(out, "Reload: inetd\n");
    add_text(out, "Batten", t->version);
    for (size_t i = 0; i < c->nedits; i++)
        add_edit(out, &c->edits[i]);
}

/* "A,B" or "A.B". */
static int read_pair(const char *word, char mark, unsigned *a, unsigned *b)
{
    const char *s = strchr(word, mark);
    long long x, y;
    char *first;
    int bad;

    if (s == NULL)
        return -1;
    first = mem_strndup(word, (size_t)(s - word));
    bad = text_number(first, 0, NUMBER_MAX, &x) != 0 || text_number(s + 1, 0, NUMBER_MAX, &y) != 0;
    free(first);
    if (bad)
        return -1;
    *a = (unsigned)x;
    *b = (unsigned)y;
    return 0;
}

static char *read_word(const char *word)
{
    size_t len = 0;
    char *s;

    if (strcmp(word, "-") == 0)
        return mem_strdup("");
    s = text_unescape(word, &len);
    if (s != NULL && strlen(s) != len) {
        free(s);
        return NULL;
    }
    return s;
}

static void edit_release(struct history_edit *e)
{
    free(e->path);
    free(e->service);
    free(e->name);
    free(e->kind);
    free(e->ident);
}

static bool edit_fill(struct history_edit *e, char *const words[8])
{
    if (read_pair(words[0], ',', &e->old_line, &e->old_count) != 0 ||
        read_pair(words[1], ',', &e->new_line, &e->new_count) != 0)
        return false;
    if (strcmp(words[3], "-") != 0 &&
        read_pair(words[3], '.', &e->undoes_change, &e->undoes_edit) != 0)
        return false;
    e->kind = read_word(words[2]);
    e->service = read_word(words[4]);
    e->name = read_word(words[5]);
    e->path = read_word(words[6]);
    /* edits of earlier versions have seven words */
    e->ident = words[7] != NULL ? read_word(words[7]) : mem_strdup("");
    return e->ident != NULL && e->kind != NULL && e->service != NULL && e->name != NULL &&
           e->path != NULL && e->path[0] != '\0';
}

static void read_edit(struct history_change *c, const char *value)
{
    char *copy = mem_strdup(value), *words[8] = {NULL}, *save = NULL;
    struct history_edit e = {0};
    size_t n = 0;

    for (char *w = strtok_r(copy, " ", &save); w != NULL && n < 8; w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    if (n >= 7 && c->nedits < EDITS_MAX && edit_fill(&e, words)) {
        size_t cap = c->nedits;

        /* grown by doubling: a power of two says the room is full */
        if ((cap & (cap - 1)) == 0) {
            struct history_edit *more = mem_array(cap ? cap * 2 : 1, sizeof(*more));

            if (cap > 0)
                memcpy(more, c->edits, cap * sizeof(*more));
            free(c->edits);
            c->edits = more;
        }
        c->edits[c->nedits++] = e;
    } else {
        edit_release(&e);
    }
    free(copy);
}

static void read_exact(struct history_change *c, const char *key, const char *value)
{
    char *word = read_word(value);

    if (word != NULL && strcmp(key, "Rc") == 0 && c->rc.n < RC_MAX)
        strlist_add(&c->rc, word);
    if (word != NULL && strcmp(key, "Dialect") == 0 && c->dialect == NULL) {
        c->dialect = word;
        word = NULL;
    }
    free(word);
}

static void read_trailer(struct history_change *c, const char *key, const char *value)
{
    const struct {
        const char *key;
        char **field;
    } texts[] = {
        {"Kind",    &c->kind   },
        {"Profile", &c->profile},
        {"Reason",  &c->reason },
        {"By",      &c->by     },
    };
    long long number;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (strcmp(key, texts[i].key) == 0 && *texts[i].field == NULL)
            *texts[i].field = mem_strdup(value);
    if (strcmp(key, "Change") == 0 && c->number == 0 &&
        text_number(value, 1, NUMBER_MAX, &number) == 0)
        c->number = (unsigned)number;
    if (strcmp(key, "Edit") == 0)
        read_edit(c, value);
    if (strcmp(key, "Rc") == 0 || strcmp(key, "Dialect") == 0)
        read_exact(c, key, value);
}

void trailers_read(struct history_change *c, const char *message)
{
    size_t len = strcspn(message, "\n");

    c->subject = mem_strndup(message, len);
    for (message += len; *message != '\0'; message += len) {
        const char *colon;

        message += strspn(message, "\n");
        len = strcspn(message, "\n");
        colon = memchr(message, ':', len);
        if (colon != NULL && colon[1] == ' ' && (size_t)(colon - message) + 2 <= len) {
            char *key = mem_strndup(message, (size_t)(colon - message));
            char *value = mem_strndup(colon + 2, len - (size_t)(colon - message) - 2);

            read_trailer(c, key, value);
            free(key);
            free(value);
        }
    }
    if (c->kind == NULL)
        c->kind = mem_strdup("outside");
}

bool trailers_reload(const char *message)
{
    return strstr(message, "\nReload: inetd\n") != NULL;
}

void history_change_release(struct history_change *c)
{
    for (size_t i = 0; i < c->nedits; i++)
        edit_release(&c->edits[i]);
    free(c->edits);
    free(c->kind);
    free(c->subject);
    free(c->by);
    free(c->profile);
    free(c->reason);
    strlist_release(&c->rc);
    free(c->dialect);
    free(c->outcome);
    *c = (struct history_change){0};
}
