#include "repo.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/sys/config.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/replace.h"
#include "batten/text.h"
#include "repo_int.h"
#include "walk.h"

enum { REF_BYTES = 64, PACKED_REFS_MAX = 1 << 20, SWEEP_MAX = 65536 };

const char repo_config_text[] = "[core]\n"
                                "\trepositoryformatversion = 0\n"
                                "\tfilemode = true\n"
                                "\tbare = true\n"
                                "\tlogallrefupdates = false\n"
                                "[gc]\n"
                                "\tauto = 0\n"
                                "[receive]\n"
                                "\tdenyNonFastForwards = true\n";
const char repo_head_text[] = "ref: " REPO_BRANCH "\n";

int repo_git_fail(const char *what, struct diag *d)
{
    const git_error *e = git_error_last();

    return diag_set(d, STATUS_SYSTEM, "history-failed", "cannot %s: %s", what,
                    e && e->message ? e->message : "unknown error");
}

static void hint_fsck(const struct repo *repo, struct diag *d)
{
    struct buf dir = BUF_INIT;

    text_shell_word(&dir, root_dir(repo->dir));
    diag_hint(d, "git -C %s fsck", buf_str(&dir));
    buf_release(&dir);
}

int repo_damaged(const struct repo *repo, const char *id, const char *why, struct diag *d)
{
    diag_set(d, STATUS_REFUSED, "history-damaged", "the history is damaged at '%s': %s", id, why);
    hint_fsck(repo, d);
    return -1;
}

int repo_too_large(const struct repo *repo, const char *what, struct diag *d)
{
    diag_set(d, STATUS_REFUSED, "too-large", "the history is too large to be read: %s", what);
    hint_fsck(repo, d);
    return -1;
}

int repo_oid(const char *id, git_oid *oid, struct diag *d)
{
    if (strlen(id) == REPO_ID - 1 && git_oid_fromstr(oid, id) == 0)
        return 0;
    return diag_set(d, STATUS_REFUSED, "history-damaged", "'%s' is not an object of the history",
                    id);
}

/* libgit2 is process-wide: no config of a user or the system, everything on disk before a ref says
 * so, and nobody's ownership checks but those of walk.c. */
static int start_libgit2(struct diag *d)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA};

    if (git_libgit2_init() < 0)
        return repo_git_fail("start libgit2", d);
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
    git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    return 0;
}

/* Whether PATH is there: 1, 0, -1. An error is not an absence. */
static int is_there(struct root *dir, const char *path, struct diag *d)
{
    struct stat st;

    if (root_lstat(dir, path, &st) == 0)
        return 1;
    if (errno == ENOENT)
        return 0;
    return diag_set(d, STATUS_SYSTEM, "history-failed", "cannot look at '%s': %s", path,
                    strerror(errno));
}

/* The object store through the descriptor of history.git: a path that was swapped for a link since
 * the walk leads nowhere else. */
static int open_odb(struct repo *repo, struct diag *d)
{
    char objects[64];
    git_odb_backend *loose = NULL, *pack = NULL;
    git_config *config = NULL;
    int rc = -1, packs = is_there(repo->dir, "objects/pack", d);

    snprintf(objects, sizeof(objects), "/proc/self/fd/%d/objects", root_fd(repo->dir));
    if (access(objects, X_OK) != 0) {
        diag_set(d, STATUS_SYSTEM, "history-failed",
                 "cannot use '/proc/self/fd': is /proc mounted?");
        diag_hint(d, "mount -t proc proc /proc");
        return -1;
    }
    if (git_odb_new(&repo->odb) != 0 ||
        git_odb_backend_loose(&loose, objects, -1, 1, 0700, 0400) != 0 ||
        git_odb_add_backend(repo->odb, loose, 2) != 0)
        goto out;
    loose = NULL;
    if (packs < 0)
        goto out;
    if (packs > 0) {
        if (git_odb_backend_pack(&pack, objects) != 0 ||
            git_odb_add_backend(repo->odb, pack, 1) != 0)
            goto out;
        pack = NULL;
    }
    if (git_repository_wrap_odb(&repo->git, repo->odb) != 0 || git_config_new(&config) != 0 ||
        git_repository_set_config(repo->git, config) != 0)
        goto out;
    rc = 0;
out:
    if (rc != 0)
        repo_git_fail("open the history", d);
    if (loose != NULL)
        loose->free(loose);
    if (pack != NULL)
        pack->free(pack);
    git_config_free(config);
    return rc;
}

/* Make what is missing. Every step is done again after a crash, so an unfinished repository is
 * simply finished. */
static int make_file(struct root *dir, const char *name, const char *text, struct diag *d)
{
    int there = is_there(dir, name, d);

    return there != 0 ? there : replace_own(dir, name, text, strlen(text), 0600, d);
}

static int make_layout(struct root *dir, struct diag *d)
{
    static const char *const dirs[] = {"objects", "refs", "refs/heads", "refs/notes",
                                       "refs/batten"};

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
        if (replace_own_mkdir(dir, dirs[i], 0700, d) != 0)
            return -1;
    if (make_file(dir, "config", repo_config_text, d) < 0 ||
        make_file(dir, "HEAD", repo_head_text, d) < 0)
        return -1;
    return 0;
}

static int open_dir(struct root **dir, struct root *state, enum repo_mode mode, bool *litter,
                    struct diag *d)
{
    switch (root_open_below(dir, state, REPO_DIR, O_NOFOLLOW, d)) {
    case ROOT_OK:
        break;
    case ROOT_ERROR:
        return diag_set(d, STATUS_REFUSED, "hostile-history", "'%s' is not a directory", REPO_DIR);
    case ROOT_ABSENT:
        if (mode != REPO_CREATE)
            return 0;
        if (replace_own_mkdir(state, REPO_DIR, 0700, d) != 0)
            return -1;
        if (root_open_below(dir, state, REPO_DIR, O_NOFOLLOW, d) != ROOT_OK)
            return diag_set(d, STATUS_SYSTEM, "history-failed", "cannot open '%s'", REPO_DIR);
        break;
    }
    if (walk_check(*dir, litter, d) != 0)
        return -1;
    return mode == REPO_CREATE ? make_layout(*dir, d) : 0;
}

int repo_open(struct repo **out, struct root *state, enum repo_mode mode, struct diag *d)
{
    struct repo *repo;
    struct root *dir = NULL;
    bool litter = false;
    int there = 0;

    *out = NULL;
    if (open_dir(&dir, state, mode, &litter, d) == 0)
        there = dir ? is_there(dir, "objects", d) : 0;
    else
        there = -1;
    /* a first run that was cut short before it had an object store left nothing to read */
    if (there <= 0) {
        root_free(dir);
        return there;
    }
    repo = mem_alloc(sizeof(*repo));
    repo->dir = dir;
    if (start_libgit2(d) != 0) {
        root_free(dir);
        free(repo);
        return -1;
    }
    if (open_odb(repo, d) != 0 || (mode == REPO_CREATE && litter && repo_sweep(repo, d) != 0)) {
        repo_free(repo);
        return -1;
    }
    *out = repo;
    return 0;
}

void repo_free(struct repo *repo)
{
    if (repo == NULL)
        return;
    git_tree_free(repo->notes);
    git_repository_free(repo->git);
    git_odb_free(repo->odb);
    git_libgit2_shutdown();
    root_free(repo->dir);
    free(repo);
}

static bool is_id(const char *s)
{
    return strspn(s, "0123456789abcdef") == REPO_ID - 1;
}

/* "ID NAME" lines; comments and peeled lines are others. */
static enum root_result packed_ref(struct repo *repo, const char *name, char id[REPO_ID],
                                   struct diag *d)
{
    struct buf bytes = BUF_INIT;
    enum root_result result = root_read(repo->dir, "packed-refs", PACKED_REFS_MAX, &bytes, NULL, d);
    char *save = NULL;

    if (result != ROOT_OK)
        goto out;
    result = ROOT_ABSENT;
    for (char *line = strtok_r(bytes.data, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        if (!is_id(line) || line[REPO_ID - 1] != ' ' || strcmp(line + REPO_ID, name) != 0)
            continue;
        snprintf(id, REPO_ID, "%s", line);
        result = ROOT_OK;
    }
out:
    buf_release(&bytes);
    return result;
}

enum root_result repo_ref_read(struct repo *repo, const char *name, char id[REPO_ID],
                               struct diag *d)
{
    struct buf bytes = BUF_INIT;
    enum root_result result = root_read(repo->dir, name, REF_BYTES, &bytes, NULL, d);

    if (result == ROOT_ABSENT) {
        result = packed_ref(repo, name, id, d);
    } else if (result == ROOT_OK) {
        if (is_id(buf_str(&bytes)))
            snprintf(id, REPO_ID, "%s", buf_str(&bytes));
        else
            result = repo_damaged(repo, name, "not an id", d) == 0 ? ROOT_OK : ROOT_ERROR;
    }
    buf_release(&bytes);
    return result;
}

int repo_ref_stage(struct repo *repo, const char *name, const char *id, struct diag *d)
{
    char line[REPO_ID + 1];

    snprintf(line, sizeof(line), "%s\n", id);
    return replace_own_stage(repo->dir, name, line, strlen(line), 0600, d);
}

int repo_ref_commit(struct repo *repo, const char *name, struct diag *d)
{
    return replace_own_commit(repo->dir, name, d);
}

void repo_ref_cancel(struct repo *repo, const char *name)
{
    replace_own_cancel(repo->dir, name);
}

int repo_ref_write(struct repo *repo, const char *name, const char *id, struct diag *d)
{
    return repo_ref_stage(repo, name, id, d) != 0 ? -1 : repo_ref_commit(repo, name, d);
}

int repo_ref_remove(struct repo *repo, const char *name, struct diag *d)
{
    return replace_own_remove(repo->dir, name, d);
}

struct sweep {
    struct repo *repo;
    const char *dir;
    struct strlist found;
    struct strlist dirs;
};

static int sweep_visit(void *ctx, const char *name, const struct stat *st, struct diag *d)
{
    struct sweep *s = ctx;
    size_t len = strlen(name);

    (void)d;
    if (S_ISDIR(st->st_mode))
        strlist_addf(&s->dirs, "%s%s%s", s->dir, *s->dir ? "/" : "", name);
    else if (text_starts(name, "tmp_object") ||
             (len > 5 && strcmp(name + len - 5, ".lock") == 0 && !text_starts(s->dir, "objects")))
        strlist_addf(&s->found, "%s%s%s", s->dir, *s->dir ? "/" : "", name);
    return 0;
}

static int sweep_dir(struct repo *repo, const char *dir, struct diag *d)
{
    struct sweep s = {.repo = repo, .dir = dir};
    int rc =
        root_visit(repo->dir, *dir ? dir : ".", SWEEP_MAX, sweep_visit, &s, d) == ROOT_OK ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < s.found.n; i++)
        rc = replace_own_remove(repo->dir, s.found.v[i], d);
    for (size_t i = 0; rc == 0 && i < s.dirs.n; i++)
        rc = sweep_dir(repo, s.dirs.v[i], d);
    strlist_release(&s.found);
    strlist_release(&s.dirs);
    return rc;
}

int repo_sweep(struct repo *repo, struct diag *d)
{
    return sweep_dir(repo, "", d);
}
