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
 *      "closed": [{"path", "service", "name", "change", "time"}]}
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

/* What stands closed: the edits of hardenings that hold, not the ones that took something back. */
static void add_closed(json_t *closed, const struct history_changes *list)
{
    struct effects e;

    effects_make(&e, list);
    for (size_t i = 0; i < e.n; i++) {
        json_t *row;

        if (e.v[i].root != i || !effect_holds(&e, i))
            continue;
        row = json_object();
        json_object_set_new(row, "path", escaped(e.v[i].edit->path));
        json_object_set_new(row, "service", escaped(e.v[i].edit->service));
        json_object_set_new(row, "name", escaped(e.v[i].edit->name));
        json_object_set_new(row, "change", json_integer(e.v[i].change->number));
        json_object_set_new(row, "time", json_integer(e.v[i].change->time));
        json_array_append_new(closed, row);
    }
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
