#include "journal.h"

#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/replace.h"
#include "batten/text.h"

/*
 *     batten-journal 1
 *     change N
 *     base ID|-
 *     id ID|-
 *     follow N                                          (for each change to be followed again)
 *     file OLD_PRINT NEW_PRINT STAGING REAL PATH        (escaped words)
 *     end
 */

enum { JOURNAL_MAX = 8 << 20, FILES_MAX = 4096, CHANGE_MAX = 1000000000 };

static void add_word(struct buf *out, const char *word)
{
    buf_addc(out, ' ');
    text_escape(out, word, strlen(word));
}

static void format(struct buf *out, const struct journal *j)
{
    buf_printf(out, "batten-journal 1\nchange %u\nbase %s\nid %s\n", j->change,
               j->base[0] ? j->base : "-", j->id[0] ? j->id : "-");
    for (size_t i = 0; i < j->follow.n; i++)
        buf_printf(out, "follow %u\n", j->follow.v[i]);
    for (size_t i = 0; i < j->nfiles; i++) {
        const struct journal_file *f = &j->files[i];

        buf_printf(out, "file %s %s", f->old_print, f->new_print);
        add_word(out, f->staging);
        add_word(out, f->real);
        add_word(out, f->path);
        buf_addc(out, '\n');
    }
    buf_adds(out, "end\n");
}

/* The root and the path below it that hold the journal; PATH NULL: the place is not there. */
static int place(struct history *h, bool create, struct root **root, char **path, struct diag *d)
{
    char *dir = NULL;

    *path = NULL;
    if (h->mode != HISTORY_NONE) {
        if (history_state(h, create, d) != 0)
            return -1;
        *root = h->state;
        *path = h->state ? mem_strdup("journal") : NULL;
        return 0;
    }
    *root = h->root;
    switch (replace_etc_staging(h->root, create, &dir, d)) {
    case ROOT_OK:
        *path = mem_printf("%s/journal", dir);
        break;
    case ROOT_ABSENT:
        break;
    case ROOT_ERROR:
        return -1;
    }
    free(dir);
    return 0;
}

int journal_write(struct history *h, const struct journal *j, struct diag *d)
{
    struct buf text = BUF_INIT;
    struct root *root = NULL;
    char *path = NULL;
    int rc = 0;

    format(&text, j);
    if (j->nfiles > FILES_MAX || text.len > JOURNAL_MAX) {
        rc =
            diag_set(d, STATUS_REFUSED, "too-large", "one change cannot hold %zu files", j->nfiles);
        diag_hint(d, "close fewer services at a time");
    }
    if (rc == 0)
        rc = place(h, true, &root, &path, d);
    if (rc == 0)
        rc = path ? replace_own(root, path, text.data, text.len, 0600, d)
                  : diag_set(d, STATUS_SYSTEM, "write-failed", "no place for the journal");
    free(path);
    buf_release(&text);
    return rc;
}

int journal_remove(struct history *h, struct diag *d)
{
    struct root *root;
    char *path, *slash;
    int rc = place(h, false, &root, &path, d);

    if (rc == 0 && path != NULL)
        rc = replace_own_remove(root, path, d);
    if (rc == 0 && path != NULL && (slash = strrchr(path, '/')) != NULL) {
        *slash = '\0';
        replace_clear(root, path);
    }
    free(path);
    return rc;
}

static bool take(char *out, size_t size, const char *word)
{
    if (strcmp(word, "-") == 0) {
        out[0] = '\0';
        return true;
    }
    if (strlen(word) != size - 1 || strspn(word, "0123456789abcdef") != size - 1)
        return false;
    memcpy(out, word, size);
    return true;
}

static bool read_file(struct journal *j, size_t *cap, char *const words[6])
{
    struct journal_file *f;
    size_t len;

    if (j->nfiles >= FILES_MAX)
        return false;
    j->files = mem_grow(j->files, j->nfiles, cap, sizeof(*j->files));
    f = &j->files[j->nfiles++];
    f->staging = text_unescape(words[3], &len);
    f->real = text_unescape(words[4], &len);
    f->path = text_unescape(words[5], &len);
    return take(f->old_print, sizeof(f->old_print), words[1]) &&
           take(f->new_print, sizeof(f->new_print), words[2]) && f->staging != NULL &&
           f->real != NULL && f->path != NULL;
}

/* One line: 1 the end, 0 understood, -1 not. */
static int read_line(struct journal *j, size_t *cap, char *line)
{
    char *words[7], *save = NULL;
    size_t n = 0;
    long long number;

    for (char *w = strtok_r(line, " ", &save); w != NULL && n < 7; w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    if (n == 1 && strcmp(words[0], "end") == 0)
        return 1;
    if (n == 6 && strcmp(words[0], "file") == 0)
        return read_file(j, cap, words) ? 0 : -1;
    if (n != 2)
        return -1;
    if (strcmp(words[0], "batten-journal") == 0)
        return strcmp(words[1], "1") == 0 ? 0 : -1;
    if (strcmp(words[0], "base") == 0)
        return take(j->base, sizeof(j->base), words[1]) ? 0 : -1;
    if (strcmp(words[0], "id") == 0)
        return take(j->id, sizeof(j->id), words[1]) ? 0 : -1;
    if (text_number(words[1], 0, CHANGE_MAX, &number) != 0)
        return -1;
    if (strcmp(words[0], "follow") == 0 && number > 0 && j->follow.n < FOLLOW_MAX) {
        j->follow.v[j->follow.n++] = (unsigned)number;
        return 0;
    }
    if (strcmp(words[0], "change") != 0)
        return -1;
    j->change = (unsigned)number;
    return 0;
}

static int parse(struct journal *j, char *text)
{
    char *save = NULL;
    size_t cap = 0;
    int got = 0;

    for (char *line = strtok_r(text, "\n", &save); line != NULL && got == 0;
         line = strtok_r(NULL, "\n", &save))
        got = read_line(j, &cap, line);
    return got == 1 ? 0 : -1;
}

enum root_result journal_read(struct history *h, struct journal *j, struct diag *d)
{
    struct buf text = BUF_INIT;
    enum root_result result = ROOT_ABSENT;
    struct root *root;
    char *path;

    *j = (struct journal){0};
    if (place(h, false, &root, &path, d) != 0)
        return ROOT_ERROR;
    if (path != NULL)
        result = root_read(root, path, JOURNAL_MAX, &text, NULL, d);
    if (result == ROOT_OK && parse(j, text.data) != 0) {
        diag_set(d, STATUS_REFUSED, "journal-damaged", "the journal is not as batten writes it");
        diag_at(d, path, 0, 0);
        result = ROOT_ERROR;
        journal_release(j);
    }
    free(path);
    buf_release(&text);
    return result;
}

void journal_release(struct journal *j)
{
    for (size_t i = 0; i < j->nfiles; i++) {
        free(j->files[i].path);
        free(j->files[i].real);
        free(j->files[i].staging);
    }
    free(j->files);
    *j = (struct journal){0};
}
