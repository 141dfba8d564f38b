#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/sha256.h"
#include "batten/source.h"
#include "batten/text.h"
#include "history_int.h"

enum { LAST_MAX = 4 * 1024 * 1024, ROWS_MAX = 65536 };

/* last.json as an object, NULL when there is none. */
static int last_load(struct history *h, json_t **out, struct diag *d)
{
    struct buf text = BUF_INIT;
    int rc = 0;

    *out = NULL;
    if (h->state == NULL)
        return 0;
    switch (root_read(h->state, "last.json", LAST_MAX, &text, NULL, d)) {
    case ROOT_ABSENT:
        break;
    case ROOT_ERROR:
        rc = -1;
        break;
    case ROOT_OK:
        *out = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(*out)) {
            rc = diag_set(d, STATUS_REFUSED, "history-damaged",
                          "'%s/last.json' is not as batten writes it", h->dir);
            diag_hint(d, "batten recover");
        }
        break;
    }
    if (rc != 0) {
        json_decref(*out);
        *out = NULL;
    }
    buf_release(&text);
    return rc;
}

/* The string KEY of ROW unescaped, NULL when it is not one. Caller frees. */
static char *text_of(const json_t *row, const char *key)
{
    const char *word = json_string_value(json_object_get(row, key));
    size_t len = 0;
    char *text = word ? text_unescape(word, &len) : NULL;

    if (text != NULL && strlen(text) == len)
        return text;
    free(text);
    return NULL;
}

/* Rows of earlier versions have none. */
static char *ident_of(const json_t *row)
{
    return json_object_get(row, "ident") == NULL ? mem_strdup("") : text_of(row, "ident");
}

static unsigned number_of(const json_t *row, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(row, key));

    return n > 0 && n <= 1000000000 ? (unsigned)n : 0;
}

static bool hash_is(const json_t *row, const char *key, const char *bytes, size_t len)
{
    const char *want = json_string_value(json_object_get(row, key));
    char print[SHA256_HEX];

    sha256_hex(bytes, len, print);
    return want != NULL && strcmp(want, print) == 0;
}

/* 1 differs (DRIFT filled but for path), 0 same, -1 cannot be told. */
static int compare(struct history *h, const char *path, const json_t *row,
                   struct history_drift *drift, struct diag *d)
{
    struct buf bytes = BUF_INIT, meta_text = BUF_INIT;
    struct file_meta meta = {0};
    int rc = 1;

    drift->change = number_of(row, "change");
    switch (root_read(h->root, path, SOURCE_MAX, &bytes, &meta, d)) {
    case ROOT_ABSENT:
        drift->gone = true;
        break;
    case ROOT_ERROR:
        rc = -1;
        break;
    case ROOT_OK:
        file_meta_text(&meta_text, &meta);
        if (!hash_is(row, "bytes", buf_str(&bytes), bytes.len))
            break;
        drift->meta_only = true;
        if (hash_is(row, "meta", buf_str(&meta_text), meta_text.len))
            rc = 0;
        break;
    }
    file_meta_release(&meta);
    buf_release(&meta_text);
    buf_release(&bytes);
    return rc;
}

int history_drift(struct history *h, struct history_drift **out, size_t *n, struct diag *d)
{
    json_t *last, *files;
    size_t rows;
    int rc = last_load(h, &last, d);

    *out = NULL;
    *n = 0;
    files = json_object_get(last, "files");
    rows = json_array_size(files) < ROWS_MAX ? json_array_size(files) : ROWS_MAX;
    if (rows > 0)
        *out = mem_array(rows, sizeof(**out));
    for (size_t i = 0; i < rows; i++) {
        const json_t *row = json_array_get(files, i);
        char *path = text_of(row, "path");
        struct history_drift drift = {0};
        struct diag ignored = DIAG_INIT;

        /* what cannot be read now (a directory in its place, say) has changed for sure */
        if (path != NULL && compare(h, path, row, &drift, &ignored) != 0) {
            drift.path = path;
            (*out)[(*n)++] = drift;
        } else {
            free(path);
        }
        diag_release(&ignored);
    }
    json_decref(last);
    return rc;
}

void history_drift_free(struct history_drift *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(v[i].path);
    free(v);
}

static void closed_release(struct history_closed *c)
{
    free(c->path);
    free(c->service);
    free(c->name);
    free(c->ident);
}

int history_closed(struct history *h, struct history_closed **out, size_t *n, struct diag *d)
{
    json_t *last, *closed;
    size_t rows;
    int rc = last_load(h, &last, d);

    *out = NULL;
    *n = 0;
    closed = json_object_get(last, "closed");
    rows = json_array_size(closed) < ROWS_MAX ? json_array_size(closed) : ROWS_MAX;
    if (rows > 0)
        *out = mem_array(rows, sizeof(**out));
    for (size_t i = 0; i < rows; i++) {
        const json_t *row = json_array_get(closed, i);
        struct history_closed c = {.path = text_of(row, "path"),
                                   .service = text_of(row, "service"),
                                   .name = text_of(row, "name"),
                                   .ident = ident_of(row),
                                   .change = number_of(row, "change"),
                                   .time = json_integer_value(json_object_get(row, "time"))};

        if (c.path != NULL && c.service != NULL && c.name != NULL && c.ident != NULL)
            (*out)[(*n)++] = c;
        else
            closed_release(&c);
    }
    json_decref(last);
    return rc;
}

void history_closed_free(struct history_closed *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        closed_release(&v[i]);
    free(v);
}
