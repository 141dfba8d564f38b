#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/sha256.h"
#include "batten/text.h"
#include "txn_int.h"

/*
 * last.json says what batten last wrote, so that a look at the host needs no git:
 *     {"schema": 1,
 *      "files": [{"path", "change", "size", "bytes": SHA256, "meta": SHA256 of file_meta_text}],
 *      "closed": [{"path", "service", "name", "ident", "change", "time"}]}
 * Strings are escaped as text_escape does.
 */

static json_t *escaped(const char *s)
{
    struct buf word = BUF_INIT;
    json_t *value;

    text_escape(&word, s, strlen(s));
    value = json_string(buf_str(&word));
    buf_release(&word);
    return value;
}

static unsigned newest_change(const struct history_changes *list, const char *path)
{
    for (size_t i = 0; i < list->n; i++)
        for (size_t k = 0; list->v[i].number != 0 && k < list->v[i].nedits; k++)
            if (strcmp(list->v[i].edits[k].path, path) == 0)
                return list->v[i].number;
    return 0;
}

static json_t *file_row(const char *path, unsigned change, const struct buf *bytes,
                        const struct buf *meta)
{
    json_t *row = json_object();
    char print[SHA256_HEX];

    json_object_set_new(row, "path", escaped(path));
    json_object_set_new(row, "change", json_integer(change));
    json_object_set_new(row, "size", json_integer((json_int_t)bytes->len));
    sha256_hex(buf_str(bytes), bytes->len, print);
    json_object_set_new(row, "bytes", json_string(print));
    sha256_hex(buf_str(meta), meta->len, print);
    json_object_set_new(row, "meta", json_string(print));
    return row;
}

static int add_files(json_t *files, struct repo *repo, const char *id,
                     const struct history_changes *list, struct diag *d)
{
    struct strlist paths = {0};
    struct buf bytes = BUF_INIT, meta = BUF_INIT;
    int rc = repo_paths(repo, id, &paths, d);

    for (size_t i = 0; rc == 0 && i < paths.n; i++) {
        if (repo_blob(repo, id, paths.v[i], &bytes, d) == ROOT_ERROR ||
            repo_meta(repo, id, paths.v[i], &meta, d) == ROOT_ERROR)
            rc = -1;
        else
            json_array_append_new(
                files, file_row(paths.v[i], newest_change(list, paths.v[i]), &bytes, &meta));
    }
    strlist_release(&paths);
    buf_release(&bytes);
    buf_release(&meta);
    return rc;
}

static int by_entry(const void *a, const void *b)
{
    const struct effect *x = *(const struct effect *const *)a;
    const struct effect *y = *(const struct effect *const *)b;
    int order = strcmp(x->edit->path, y->edit->path);

    if (order == 0)
        order = strcmp(x->edit->name, y->edit->name);
    if (order == 0)
        order = strcmp(x->edit->ident, y->edit->ident);
    return order != 0 ? order : (x < y) - (x > y); /* the newest first */
}

static bool same_name(const struct effect *x, const struct effect *y)
{
    return strcmp(x->edit->path, y->edit->path) == 0 && strcmp(x->edit->name, y->edit->name) == 0;
}

/* Of the N edits of one name, sorted by_entry, the newest of each entry come first in V. An edit of
 * an earlier version has no ident: it may be any of that name. Returns how many. */
static size_t newest_of_name(const struct effect **v, size_t n)
{
    const struct effect *newest = v[0], *any = v[0]->edit->ident[0] == '\0' ? v[0] : NULL;
    const struct effect *last = NULL;
    size_t to = 0;

    for (size_t i = 1; i < n; i++)
        newest = v[i] > newest ? v[i] : newest;
    for (size_t i = 0; i < n; i++) {
        const struct effect *x = v[i];
        bool first = last == NULL || strcmp(x->edit->ident, last->edit->ident) != 0;

        last = x;
        if (first && (x == any ? x == newest : any == NULL || x > any))
            v[to++] = x;
    }
    return to;
}

static void add_row(json_t *closed, const struct effect *x)
{
    json_t *row = json_object();

    json_object_set_new(row, "path", escaped(x->edit->path));
    json_object_set_new(row, "service", escaped(x->edit->service));
    json_object_set_new(row, "name", escaped(x->edit->name));
    json_object_set_new(row, "ident", escaped(x->edit->ident));
    json_object_set_new(row, "change", json_integer(x->change->number));
    json_object_set_new(row, "time", json_integer(x->change->time));
    json_array_append_new(closed, row);
}

static int by_age(const void *a, const void *b)
{
    const struct effect *x = *(const struct effect *const *)a;
    const struct effect *y = *(const struct effect *const *)b;

    return (x > y) - (x < y);
}

/* What stands closed: for each entry the newest edit that closed it, if it holds. One that was
 * turned on by hand, closed again and then rolled back is wanted: the older edit says nothing. Of
 * more than CLOSED_MAX the newest are kept. */
static void add_closed(json_t *closed, const struct history_changes *list)
{
    enum { CLOSED_MAX = 8192 };
    struct effects e;
    const struct effect **v;
    size_t n = 0, to = 0;

    effects_make(&e, list);
    v = mem_array(e.n, sizeof(*v));
    for (size_t i = 0; i < e.n; i++)
        if (e.v[i].root == i)
            v[n++] = &e.v[i];
    if (n > 1)
        qsort(v, n, sizeof(*v), by_entry);
    for (size_t i = 0, end; i < n; i = end) {
        size_t kept;

        for (end = i + 1; end < n && same_name(v[i], v[end]);)
            end++;
        kept = newest_of_name(v + i, end - i);
        for (size_t k = 0; k < kept; k++)
            if (effect_holds(&e, (size_t)(v[i + k] - e.v)))
                v[to++] = v[i + k];
    }
    if (to > 1)
        qsort(v, to, sizeof(*v), by_age);
    for (size_t i = to > CLOSED_MAX ? to - CLOSED_MAX : 0; i < to; i++)
        add_row(closed, v[i]);
    free(v);
    effects_release(&e);
}

int last_make(struct history *h, const char *id, struct buf *out, struct diag *d)
{
    struct history_changes list = {0};
    struct repo *repo = NULL;
    json_t *top = json_object(), *files = json_array(), *closed = json_array();
    char *text = NULL;
    int rc = -1;

    json_object_set_new(top, "schema", json_integer(1));
    json_object_set_new(top, "files", files);
    json_object_set_new(top, "closed", closed);
    if (history_repo(h, false, &repo, d) != 0 || history_list_from(h, id, &list, d) != 0 ||
        add_files(files, repo, id, &list, d) != 0)
        goto out;
    add_closed(closed, &list);
    text = json_dumps(top, JSON_INDENT(1));
    buf_adds(out, text ? text : "{}");
    buf_addc(out, '\n');
    rc = 0;
out:
    free(text);
    json_decref(top);
    history_changes_release(&list);
    return rc;
}
