#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/replace.h"
#include "batten/text.h"
#include "repo_int.h"

/* The section of each file, sorted by path: "file PATH" and its lines. */
struct sections {
    struct section {
        char *head; /* "file PATH" */
        struct buf lines;
    } * v;
    size_t n;
    size_t cap;
};

static struct section *section_of(struct sections *s, const char *head, size_t len)
{
    for (size_t i = 0; i < s->n; i++)
        if (strlen(s->v[i].head) == len && memcmp(s->v[i].head, head, len) == 0)
            return &s->v[i];
    s->v = mem_grow(s->v, s->n, &s->cap, sizeof(*s->v));
    s->v[s->n].head = mem_strndup(head, len);
    return &s->v[s->n++];
}

static void sections_parse(struct sections *s, const char *text)
{
    struct section *now = NULL;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        if (text_starts(text, "file "))
            now = section_of(s, text, len);
        else if (now != NULL) {
            buf_add(&now->lines, text, len);
            buf_addc(&now->lines, '\n');
        }
        text += len + (text[len] == '\n' ? 1 : 0);
    }
}

static void sections_set(struct sections *s, const struct repo_file *f)
{
    struct buf head = BUF_INIT;
    struct section *now;

    buf_adds(&head, "file ");
    text_escape(&head, f->path, strlen(f->path));
    now = section_of(s, head.data, head.len);
    buf_clear(&now->lines);
    if (f->meta != NULL)
        file_meta_text(&now->lines, f->meta);
    buf_release(&head);
}

static int by_head(const void *a, const void *b)
{
    const struct section *x = a, *y = b;

    return strcmp(x->head, y->head);
}

/* The whole text; a section without lines is a file that is gone. */
static void sections_text(struct sections *s, struct buf *out)
{
    if (s->n > 1)
        qsort(s->v, s->n, sizeof(*s->v), by_head);
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].lines.len > 0)
            buf_printf(out, "%s\n%s", s->v[i].head, s->v[i].lines.data);
}

static void sections_release(struct sections *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].head);
        buf_release(&s->v[i].lines);
    }
    free(s->v);
}

static int meta_blob(struct repo *repo, const struct repo_commit *c, git_oid *oid, struct diag *d)
{
    struct sections s = {0};
    struct buf old = BUF_INIT, text = BUF_INIT;
    int rc = 0;

    if (c->parent != NULL && repo_blob(repo, c->parent, REPO_META, &old, d) == ROOT_ERROR)
        rc = -1;
    sections_parse(&s, buf_str(&old));
    for (size_t i = 0; i < c->nfiles; i++)
        sections_set(&s, &c->files[i]);
    sections_text(&s, &text);
    if (rc == 0 && git_odb_write(oid, repo->odb, buf_str(&text), text.len, GIT_OBJECT_BLOB) != 0)
        rc = repo_git_fail("write the history", d);
    sections_release(&s);
    buf_release(&old);
    buf_release(&text);
    return rc;
}

/* git_tree_create_updated reads the trees on the way by itself: look at them first. */
static int look_ahead(struct repo *repo, git_tree *base, const char *path, struct diag *d)
{
    git_oid ignored;

    return base != NULL && repo_find(repo, base, path, &ignored, d) == ROOT_ERROR ? -1 : 0;
}

static int update_for(struct repo *repo, const struct repo_file *f, git_tree *base,
                      git_tree_update *u, struct diag *d)
{
    git_oid have;

    u->path = f->path;
    if (look_ahead(repo, base, f->path, d) != 0)
        return -1;
    if (f->meta == NULL) {
        u->action = GIT_TREE_UPDATE_REMOVE;
        return base != NULL && repo_find(repo, base, f->path, &have, d) == ROOT_OK ? 1 : 0;
    }
    u->action = GIT_TREE_UPDATE_UPSERT;
    u->filemode =
        (f->meta->st.st_mode & 0100) != 0 ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
    if (git_odb_write(&u->id, repo->odb, f->bytes, f->len, GIT_OBJECT_BLOB) != 0)
        return repo_git_fail("write the history", d);
    return 1;
}

static int write_tree(struct repo *repo, const struct repo_commit *c, git_oid *out, struct diag *d)
{
    git_tree_update *updates = mem_array(c->nfiles + 1, sizeof(*updates));
    git_tree *base = NULL;
    size_t n = 0;
    int rc = -1, got;

    if (c->parent != NULL && repo_tree_lookup(repo, c->parent, &base, d) != 0)
        goto out;
    for (size_t i = 0; i < c->nfiles; i++) {
        got = update_for(repo, &c->files[i], base, &updates[n], d);
        if (got < 0)
            goto out;
        n += (size_t)got;
    }
    updates[n].path = REPO_META;
    updates[n].action = GIT_TREE_UPDATE_UPSERT;
    updates[n].filemode = GIT_FILEMODE_BLOB;
    if (meta_blob(repo, c, &updates[n].id, d) != 0)
        goto out;
    n++;
    if (git_tree_create_updated(out, repo->git, base, n, updates) != 0)
        repo_git_fail("write the history", d);
    else
        rc = 0;
out:
    git_tree_free(base);
    free(updates);
    return rc;
}

static int signature(git_signature **who, const struct repo_commit *c, struct diag *d)
{
    if (git_signature_new(who, c->author, "batten@localhost", c->time, c->offset) != 0)
        return repo_git_fail("write the history", d);
    return 0;
}

/* The commit of TREE_ID, with C's author and time. */
static int commit_tree(struct repo *repo, const git_oid *tree_id, const struct repo_commit *c,
                       char id[REPO_ID], struct diag *d)
{
    git_signature *who = NULL;
    git_commit *parent = NULL;
    git_tree *tree = NULL;
    git_oid commit_id;
    int rc = -1;

    if (signature(&who, c, d) != 0 ||
        (c->parent != NULL && repo_commit_lookup(repo, c->parent, &parent, d) != 0))
        goto out;
    if (git_tree_lookup(&tree, repo->git, tree_id) != 0 ||
        git_commit_create_v(&commit_id, repo->git, NULL, who, who, NULL, c->message, tree,
                            parent ? 1 : 0, parent) != 0) {
        repo_git_fail("write the history", d);
        goto out;
    }
    git_oid_tostr(id, REPO_ID, &commit_id);
    /* each object is synced with the directory it stands in, but not yet the new directories */
    rc = replace_sync_dir(repo->dir, "objects", d);
out:
    git_tree_free(tree);
    git_commit_free(parent);
    git_signature_free(who);
    return rc;
}

int repo_write_commit(struct repo *repo, const struct repo_commit *c, char id[REPO_ID],
                      struct diag *d)
{
    git_oid tree_id;

    return write_tree(repo, c, &tree_id, d) != 0 ? -1 : commit_tree(repo, &tree_id, c, id, d);
}

/* The tree of notes with TEXT for commit ID, in directories by the first two digits: one directory
 * of them all would be written anew for every change. */
static int note_tree(struct repo *repo, git_tree *base, const char *id, const char *text,
                     git_oid *out, struct diag *d)
{
    char path[REPO_ID + 2];
    git_tree_update updates[2] = {
        {.action = GIT_TREE_UPDATE_UPSERT, .path = path}
    };
    git_oid flat;
    size_t n = 1;

    snprintf(path, sizeof(path), "%.2s/%s", id, id + 2);
    updates[0].filemode = GIT_FILEMODE_BLOB;
    if (look_ahead(repo, base, path, d) != 0)
        return -1;
    if (base != NULL && repo_find(repo, base, id, &flat, d) == ROOT_OK)
        updates[n++] = (git_tree_update){.action = GIT_TREE_UPDATE_REMOVE, .path = id};
    if (git_odb_write(&updates[0].id, repo->odb, text, strlen(text), GIT_OBJECT_BLOB) != 0 ||
        git_tree_create_updated(out, repo->git, base, n, updates) != 0)
        return repo_git_fail("write the outcome", d);
    return 0;
}

int repo_note_write(struct repo *repo, const struct repo_commit *who, const char *id,
                    const char *text, struct diag *d)
{
    char notes[REPO_ID] = "";
    struct repo_commit c = *who;
    git_tree *base = NULL;
    git_oid tree_id;
    int rc = -1;

    if (repo_ref_read(repo, REPO_NOTES, notes, d) == ROOT_ERROR ||
        (*notes && repo_tree_lookup(repo, notes, &base, d) != 0))
        goto out;
    c.parent = *notes ? notes : NULL;
    c.message = "outcome\n";
    if (note_tree(repo, base, id, text, &tree_id, d) == 0 &&
        commit_tree(repo, &tree_id, &c, notes, d) == 0)
        rc = repo_ref_write(repo, REPO_NOTES, notes, d);
out:
    git_tree_free(base);
    return rc;
}
