#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/replace.h"
#include "history_int.h"

enum { STATE_FILES = 4096, STATE_FILE_MAX = 4 * 1024 * 1024 };

/* What batten keeps in its state directory; "answers" are those of an unfinished guided run. */
static bool is_known(const char *name)
{
    static const char *const known[] = {REPO_DIR, "journal", "deadline", "last.json",
                                        "undo",   "answers", "wanted"};
    size_t len = strlen(name);

    if (len > 5 && strcmp(name + len - 5, ".lock") == 0)
        len -= 5;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strlen(known[i]) == len && memcmp(name, known[i], len) == 0)
            return true;
    return false;
}

static int not_state(const struct history *h, const char *why, struct diag *d)
{
    diag_set(d, STATUS_REFUSED, "not-a-state-directory", "'%s' is not a state directory: %s",
             h->dir, why);
    diag_hint(d, "name another with --history DIR; batten makes it");
    return -1;
}

/* Batten writes only into a directory that is its own: to be seen by what is in it. */
static int check_state(struct history *h, struct diag *d)
{
    struct strlist names = {0};
    struct stat st;
    int rc = 0;

    if (fstat(root_fd(h->state), &st) != 0)
        return not_state(h, strerror(errno), d);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return not_state(h, "it belongs to somebody else", d);
    if ((st.st_mode & 022) != 0)
        return not_state(h, "others may write to it", d);
    if (root_list(h->state, ".", STATE_FILES, &names, d) != ROOT_OK) {
        strlist_release(&names);
        return -1;
    }
    if (!strlist_has(&names, REPO_DIR))
        for (size_t i = 0; rc == 0 && i < names.n; i++)
            if (!is_known(names.v[i]))
                rc = not_state(h, "it holds files that are not batten's", d);
    strlist_release(&names);
    return rc;
}

/* The directory that a --history path stands in, and its last component. */
static int open_parent(struct root **parent, const char *dir, const char **last, struct diag *d)
{
    const char *slash = strrchr(dir, '/');
    char *up = slash == NULL  ? mem_strdup(".")
               : slash == dir ? mem_strdup("/")
                              : mem_strndup(dir, (size_t)(slash - dir));
    int rc = root_open(parent, up, true, d);

    *last = slash ? slash + 1 : dir;
    free(up);
    return rc;
}

static int make_given(struct history *h, struct diag *d)
{
    struct root *parent = NULL;
    const char *last;
    int rc;

    if (open_parent(&parent, h->dir, &last, d) != 0)
        return -1;
    rc = replace_own_mkdir(parent, last, 0700, d);
    root_free(parent);
    return rc;
}

static int open_state(struct history *h, struct diag *d)
{
    struct diag why = DIAG_INIT;
    int rc = 0;

    if (h->given) {
        if (access(h->dir, F_OK) != 0 && errno == ENOENT)
            return 0;
        if (root_open(&h->state, h->dir, true, &why) != 0)
            rc = not_state(h, "it cannot be opened as a directory", d);
    } else if (root_open_below(&h->state, h->root, STATE_DIR, O_NOFOLLOW, &why) == ROOT_ERROR) {
        if (strcmp(why.code, "unreadable") == 0)
            rc = diag_set(d, why.status, why.code, "%s", why.message);
        else
            rc = not_state(h, "it is a symbolic link or no directory", d);
    }
    diag_release(&why);
    return rc == 0 && h->state != NULL ? check_state(h, d) : rc;
}

int history_state(struct history *h, bool create, struct diag *d)
{
    if (h->mode == HISTORY_NONE || (h->state != NULL && !create))
        return 0;
    if (h->state == NULL && open_state(h, d) != 0)
        return -1;
    if (!create)
        return 0;
    if (h->state == NULL) {
        /* on disk afterwards: an empty directory, which is a state directory */
        if ((h->given ? make_given(h, d) : replace_own_mkdir(h->root, STATE_DIR, 0700, d)) != 0 ||
            open_state(h, d) != 0)
            return -1;
        if (h->state == NULL)
            return not_state(h, "it went away", d);
        h->made = true;
    }
    return replace_own_close(h->state, d);
}

static bool holds_nothing(struct history *h)
{
    struct strlist names = {0};
    char tip[REPO_ID];
    bool nothing = root_list(h->state, ".", STATE_FILES, &names, NULL) == ROOT_OK;

    for (size_t i = 0; i < names.n; i++)
        nothing = nothing && (strcmp(names.v[i], REPO_DIR) == 0 || strcmp(names.v[i], "undo") == 0);
    strlist_release(&names);
    return nothing && history_tip(h, tip, NULL) == ROOT_ABSENT;
}

void history_unmake(struct history *h)
{
    struct root *parent = NULL;
    const char *last;

    if (!h->made || h->state == NULL || !holds_nothing(h))
        return;
    repo_free(h->repo);
    root_free(h->state);
    h->repo = NULL;
    h->state = NULL;
    h->made = false;
    if (!h->given)
        replace_own_remove_tree(h->root, STATE_DIR);
    else if (open_parent(&parent, h->dir, &last, NULL) == 0)
        replace_own_remove_tree(parent, last);
    root_free(parent);
}

int history_open(struct history **out, struct root *root, const char *dir, enum history_mode mode,
                 struct diag *d)
{
    struct history *h = mem_alloc(sizeof(*h));
    size_t len;

    h->root = root;
    h->mode = mode;
    h->given = dir != NULL;
    h->dir = dir ? mem_strdup(dir)
                 : mem_printf("%s/%s", strcmp(root_dir(root), "/") == 0 ? "" : root_dir(root),
                              STATE_DIR);
    for (len = strlen(h->dir); len > 1 && h->dir[len - 1] == '/'; len--)
        h->dir[len - 1] = '\0';
    if (mode == HISTORY_NONE && !root_offline(root)) {
        diag_set(d, STATUS_USAGE, "history-none", "no history is for images only");
        diag_hint(d, "use it with --root DIR");
        history_free(h);
        return -1;
    }
    if (history_state(h, false, d) != 0) {
        history_free(h);
        return -1;
    }
    *out = h;
    return 0;
}

void history_free(struct history *h)
{
    if (h == NULL)
        return;
    repo_free(h->repo);
    root_free(h->state);
    free(h->dir);
    free(h);
}

bool history_is_none(const struct history *h)
{
    return h->mode == HISTORY_NONE;
}

int history_repo(struct history *h, bool create, struct repo **out, struct diag *d)
{
    *out = NULL;
    if (h->mode == HISTORY_NONE || history_state(h, create, d) != 0)
        return h->mode == HISTORY_NONE ? 0 : -1;
    if (h->repo == NULL && h->state != NULL &&
        repo_open(&h->repo, h->state, create ? REPO_CREATE : REPO_EXISTING, d) != 0)
        return -1;
    *out = h->repo;
    return 0;
}

enum root_result history_state_read(struct history *h, const char *name, struct buf *out,
                                    struct diag *d)
{
    if (h->state == NULL)
        return ROOT_ABSENT;
    return root_read(h->state, name, STATE_FILE_MAX, out, NULL, d);
}

int history_state_write(struct history *h, const char *name, const char *bytes, size_t len,
                        struct diag *d)
{
    if (history_state(h, true, d) != 0)
        return -1;
    if (h->state == NULL)
        return diag_set(d, STATUS_REFUSED, "no-history", "there is no state directory to keep '%s'",
                        name);
    return replace_own(h->state, name, bytes, len, 0600, d);
}

int history_state_open(struct history *h, const char *name)
{
    return h->state == NULL ? -1 : root_openat(h->state, name, O_RDONLY | O_NOFOLLOW, 0);
}

int history_state_remove(struct history *h, const char *name, struct diag *d)
{
    return h->state == NULL ? 0 : replace_own_remove(h->state, name, d);
}
