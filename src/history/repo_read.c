#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "repo_int.h"

enum { COMMITS_MAX = 100000, DEPTH_MAX = 64, PATHS_MAX = 65536, NOTE_MAX = 1 << 20 };
enum { PATH_LEN_MAX = 4096, PATH_BYTES_MAX = 16 * 1024 * 1024 };

/* What one run reads of a history, and what an object counts besides its bytes. */
enum { READ_MAX = 1 << 30, OBJECT_COST = 1024 };

int repo_peek(struct repo *repo, const git_oid *oid, git_object_t type, struct diag *d)
{
    char id[REPO_ID];
    size_t len;
    git_object_t have;

    git_oid_tostr(id, sizeof(id), oid);
    if (git_odb_read_header(&len, &have, repo->odb, oid) != 0)
        return repo_damaged(repo, id, "the object is missing or broken", d);
    if (have != type)
        return repo_damaged(repo, id, "the object is of another kind", d);
    if (len > REPO_OBJECT_MAX)
        return repo_damaged(repo, id, "the object is too large", d);
    repo->read += len + OBJECT_COST;
    if (repo->read > READ_MAX)
        return repo_too_large(repo, "its objects hold more than anybody wrote", d);
    return 0;
}

int repo_commit_lookup(struct repo *repo, const char *id, git_commit **commit, struct diag *d)
{
    git_oid oid;

    if (repo_oid(id, &oid, d) != 0 || repo_peek(repo, &oid, GIT_OBJECT_COMMIT, d) != 0)
        return -1;
    if (git_commit_lookup(commit, repo->git, &oid) != 0)
        return repo_damaged(repo, id, "the commit cannot be read", d);
    return 0;
}

static int tree_of(struct repo *repo, const git_oid *oid, git_tree **tree, struct diag *d)
{
    char id[REPO_ID];

    if (repo_peek(repo, oid, GIT_OBJECT_TREE, d) != 0)
        return -1;
    if (git_tree_lookup(tree, repo->git, oid) == 0)
        return 0;
    git_oid_tostr(id, sizeof(id), oid);
    return repo_damaged(repo, id, "the tree cannot be read", d);
}

int repo_tree_lookup(struct repo *repo, const char *id, git_tree **tree, struct diag *d)
{
    git_commit *commit = NULL;
    int rc;

    if (repo_commit_lookup(repo, id, &commit, d) != 0)
        return -1;
    rc = tree_of(repo, git_commit_tree_id(commit), tree, d);
    git_commit_free(commit);
    return rc;
}

enum root_result repo_find(struct repo *repo, const git_tree *tree, const char *path, git_oid *oid,
                           struct diag *d)
{
    git_tree *owned = NULL, *below = NULL;
    const git_tree_entry *entry = NULL;
    enum root_result result = ROOT_ABSENT;

    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        size_t len = strcspn(path, "/");
        char *name = mem_strndup(path, len);

        entry = git_tree_entry_byname(tree, name);
        free(name);
        if (entry == NULL)
            break;
        path += len + (path[len] == '/' ? 1 : 0);
        if (*path == '\0') {
            if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB) {
                git_oid_cpy(oid, git_tree_entry_id(entry));
                result = ROOT_OK;
            }
            break;
        }
        if (git_tree_entry_type(entry) != GIT_OBJECT_TREE)
            break;
        if (tree_of(repo, git_tree_entry_id(entry), &below, d) != 0) {
            result = ROOT_ERROR;
            break;
        }
        git_tree_free(owned);
        tree = owned = below;
    }
    git_tree_free(owned);
    return result;
}

static int blob_bytes(struct repo *repo, const git_oid *oid, struct buf *out, struct diag *d)
{
    git_blob *blob = NULL;

    if (repo_peek(repo, oid, GIT_OBJECT_BLOB, d) != 0)
        return -1;
    if (git_blob_lookup(&blob, repo->git, oid) != 0)
        return repo_git_fail("read a file of the history", d);
    buf_clear(out);
    buf_add(out, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob));
    git_blob_free(blob);
    return 0;
}

enum root_result repo_blob(struct repo *repo, const char *id, const char *path, struct buf *out,
                           struct diag *d)
{
    git_tree *tree = NULL;
    git_oid oid;
    enum root_result result = ROOT_ERROR;

    if (repo_tree_lookup(repo, id, &tree, d) == 0)
        result = repo_find(repo, tree, path, &oid, d);
    if (result == ROOT_OK && blob_bytes(repo, &oid, out, d) != 0)
        result = ROOT_ERROR;
    git_tree_free(tree);
    return result;
}

enum root_result repo_meta(struct repo *repo, const char *id, const char *path, struct buf *out,
                           struct diag *d)
{
    struct buf all = BUF_INIT, head = BUF_INIT;
    enum root_result result = repo_blob(repo, id, REPO_META, &all, d);
    const char *line = buf_str(&all);
    bool mine = false;

    buf_clear(out);
    buf_adds(&head, "file ");
    text_escape(&head, path, strlen(path));
    while (result == ROOT_OK && *line != '\0') {
        size_t len = strcspn(line, "\n");

        if (text_starts(line, "file "))
            mine = len == head.len && memcmp(line, head.data, len) == 0;
        else if (mine)
            buf_add(out, line, len + (line[len] == '\n' ? 1 : 0));
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    buf_release(&head);
    buf_release(&all);
    return result;
}

/* All paths of a commit. Every entry counts, also that of a tree without files. */
struct paths {
    struct repo *repo;
    struct strlist *out;
    size_t entries, bytes;
};

static int add_paths(struct paths *p, const git_tree *tree, const char *dir, unsigned depth,
                     struct diag *d);

static int add_path(struct paths *p, const git_tree_entry *e, const char *path, unsigned depth,
                    struct diag *d)
{
    git_tree *below = NULL;
    int rc;

    p->bytes += strlen(path);
    if (++p->entries > PATHS_MAX || p->bytes > PATH_BYTES_MAX || strlen(path) > PATH_LEN_MAX)
        return repo_too_large(p->repo, "too many files", d);
    if (git_tree_entry_type(e) == GIT_OBJECT_BLOB && strcmp(path, REPO_META) != 0)
        strlist_add(p->out, path);
    if (git_tree_entry_type(e) != GIT_OBJECT_TREE)
        return 0;
    rc = tree_of(p->repo, git_tree_entry_id(e), &below, d);
    if (rc == 0)
        rc = add_paths(p, below, path, depth + 1, d);
    git_tree_free(below);
    return rc;
}

static int add_paths(struct paths *p, const git_tree *tree, const char *dir, unsigned depth,
                     struct diag *d)
{
    int rc = 0;

    if (depth > DEPTH_MAX)
        return repo_damaged(p->repo, dir, "the tree is too deep", d);
    for (size_t i = 0; rc == 0 && i < git_tree_entrycount(tree); i++) {
        const git_tree_entry *e = git_tree_entry_byindex(tree, i);
        char *path = mem_printf("%s%s%s", dir, *dir ? "/" : "", git_tree_entry_name(e));

        rc = add_path(p, e, path, depth, d);
        free(path);
    }
    return rc;
}

static int all_paths(struct repo *repo, const git_tree *tree, struct strlist *out, struct diag *d)
{
    struct paths p = {.repo = repo, .out = out};

    return add_paths(&p, tree, "", 0, d);
}

int repo_paths(struct repo *repo, const char *id, struct strlist *out, struct diag *d)
{
    git_tree *tree = NULL;
    int rc;

    if (repo_tree_lookup(repo, id, &tree, d) != 0)
        return -1;
    rc = all_paths(repo, tree, out, d);
    git_tree_free(tree);
    return rc;
}

int repo_walk(struct repo *repo, const char *from, repo_each *each, void *ctx, struct diag *d)
{
    struct repo_entry e = {0};
    int rc = 0;

    snprintf(e.id, sizeof(e.id), "%s", from);
    for (size_t n = 0; rc == 0 && e.id[0] != '\0'; n++) {
        git_commit *commit = NULL;

        if (n >= COMMITS_MAX)
            return repo_too_large(repo, "too many commits", d);
        if (repo_commit_lookup(repo, e.id, &commit, d) != 0)
            return -1;
        e.parent[0] = '\0';
        if (git_commit_parentcount(commit) > 0)
            git_oid_tostr(e.parent, sizeof(e.parent), git_commit_parent_id(commit, 0));
        e.time = git_commit_time(commit);
        e.offset = git_commit_time_offset(commit);
        e.message = git_commit_message_raw(commit);
        if (strlen(e.message) > REPO_MESSAGE_MAX)
            rc = repo_too_large(repo, "a message is too long", d);
        else
            rc = each(ctx, &e, d);
        git_commit_free(commit);
        memcpy(e.id, e.parent, sizeof(e.id));
    }
    return rc < 0 ? -1 : 0;
}

static enum root_result notes_tree(struct repo *repo, struct diag *d)
{
    char id[REPO_ID];
    enum root_result result = repo_ref_read(repo, REPO_NOTES, id, d);

    if (result != ROOT_OK || (repo->notes != NULL && strcmp(id, repo->notes_id) == 0))
        return result;
    git_tree_free(repo->notes);
    repo->notes = NULL;
    memcpy(repo->notes_id, id, sizeof(repo->notes_id));
    return repo_tree_lookup(repo, id, &repo->notes, d) == 0 ? ROOT_OK : ROOT_ERROR;
}

/* A notes tree holds blobs named by the id they speak of, or fanned out by git as "ab/cdef...". */
enum root_result repo_note_read(struct repo *repo, const char *id, struct buf *out, struct diag *d)
{
    char path[REPO_ID + 2];
    git_oid oid;
    enum root_result result = notes_tree(repo, d);

    if (result != ROOT_OK)
        return result;
    result = repo_find(repo, repo->notes, id, &oid, d);
    if (result == ROOT_ABSENT) {
        snprintf(path, sizeof(path), "%.2s/%s", id, id + 2);
        result = repo_find(repo, repo->notes, path, &oid, d);
    }
    if (result == ROOT_OK && blob_bytes(repo, &oid, out, d) != 0)
        result = ROOT_ERROR;
    if (result == ROOT_OK && out->len > NOTE_MAX) {
        buf_clear(out);
        result = ROOT_ABSENT;
    }
    return result;
}

/* Both sides of PATH; NULL oid: absent on that side. */
static int diff_path(struct repo *repo, const char *path, const git_oid *a, const git_oid *b,
                     struct buf *out, struct diag *d)
{
    struct buf old = BUF_INIT, new = BUF_INIT;
    git_diff_options options;
    git_patch *patch = NULL;
    git_buf text = {0};
    int rc = -1;

    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_FORCE_TEXT;
    if ((a != NULL && blob_bytes(repo, a, &old, d) != 0) ||
        (b != NULL && blob_bytes(repo, b, &new, d) != 0))
        goto out;
    if (git_patch_from_buffers(&patch, a ? buf_str(&old) : NULL, old.len, path,
                               b ? buf_str(&new) : NULL, new.len, path, &options) != 0 ||
        git_patch_to_buf(&text, patch) != 0) {
        repo_git_fail("compare two files", d);
        goto out;
    }
    buf_add(out, text.ptr, text.size);
    rc = 0;
out:
    git_buf_dispose(&text);
    git_patch_free(patch);
    buf_release(&old);
    buf_release(&new);
    return rc;
}

static int diff_paths(struct repo *repo, const git_tree *a, const git_tree *b,
                      const struct strlist *paths, struct buf *out, struct diag *d)
{
    for (size_t i = 0; i < paths->n; i++) {
        git_oid x, y;
        enum root_result in_a = ROOT_ABSENT, in_b;

        if (i > 0 && strcmp(paths->v[i], paths->v[i - 1]) == 0)
            continue;
        if (a != NULL)
            in_a = repo_find(repo, a, paths->v[i], &x, d);
        in_b = repo_find(repo, b, paths->v[i], &y, d);
        if (in_a == ROOT_ERROR || in_b == ROOT_ERROR)
            return -1;
        if (in_a == ROOT_OK && in_b == ROOT_OK && git_oid_equal(&x, &y))
            continue;
        if (diff_path(repo, paths->v[i], in_a == ROOT_OK ? &x : NULL, in_b == ROOT_OK ? &y : NULL,
                      out, d) != 0)
            return -1;
    }
    return 0;
}

int repo_diff(struct repo *repo, const char *id, struct buf *out, struct diag *d)
{
    git_commit *commit = NULL;
    git_tree *a = NULL, *b = NULL;
    struct strlist paths = {0};
    char parent[REPO_ID];
    int rc = -1;

    if (repo_commit_lookup(repo, id, &commit, d) != 0 || repo_tree_lookup(repo, id, &b, d) != 0 ||
        all_paths(repo, b, &paths, d) != 0)
        goto out;
    if (git_commit_parentcount(commit) > 0) {
        git_oid_tostr(parent, sizeof(parent), git_commit_parent_id(commit, 0));
        if (repo_tree_lookup(repo, parent, &a, d) != 0 || all_paths(repo, a, &paths, d) != 0)
            goto out;
    }
    strlist_add(&paths, REPO_META);
    strlist_sort(&paths);
    rc = diff_paths(repo, a, b, &paths, out, d);
out:
    strlist_release(&paths);
    git_tree_free(a);
    git_tree_free(b);
    git_commit_free(commit);
    return rc;
}
