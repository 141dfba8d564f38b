/*
 * Any bytes as a history: it is refused or read, never more. The input is cut at NULs into
 * sections. The first byte says what they are:
 *
 *     'm'  a commit made by batten's own writer: message, the file before, after and now; listed
 *          and rolled back
 *     else the files of a state directory, one section each, "=" for the right content
 */
#include <fcntl.h>
#include <ftw.h>
#include <git2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/history/history_int.h"
#include "../../src/history/repo.h"
#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/replace.h"
#include "batten/rollback.h"
#include "batten/source.h"
#include "batten/txn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTIONS = 12, INPUT_MAX = 65536 };

struct section {
    const char *bytes;
    size_t len;
};

static char host[64];
static struct source now;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

static void write_file(struct root *root, const char *path, struct section s)
{
    char *up = mem_strdup(path);
    struct diag ignored = DIAG_INIT;

    if (strrchr(up, '/') != NULL) {
        *strrchr(up, '/') = '\0';
        replace_own_mkdir(root, up, 0700, &ignored);
    }
    replace_own(root, path, s.bytes, s.len, 0600, &ignored);
    diag_release(&ignored);
    free(up);
}

static enum root_result read_now(void *ctx, const char *path, const struct source **out,
                                 struct diag *d)
{
    (void)ctx;
    (void)d;
    if (strcmp(path, "etc/inetd.conf") != 0)
        return ROOT_ABSENT;
    *out = &now;
    return ROOT_OK;
}

/* Everything that reads a history. */
static void use(struct root *root)
{
    struct rollback_request all = {.all = true}, one = {.change = 1};
    struct history *h = NULL;
    struct history_changes list = {0};
    struct history_drift *drift = NULL;
    struct history_closed *closed = NULL;
    struct plan plan = {0}, other = {0};
    struct buf out = BUF_INIT;
    enum txn_state state;
    size_t n;

    if (history_open(&h, root, NULL, HISTORY_READ, NULL) != 0)
        return;
    if (history_list(h, &list, NULL) == 0 && list.n > 0)
        history_diff(h, list.v[0].id, &out, NULL);
    history_script(h, 0, &out, NULL);
    history_drift(h, &drift, &n, NULL);
    history_drift_free(drift, n);
    history_closed(h, &closed, &n, NULL);
    history_closed_free(closed, n);
    txn_pending(root, h, &state, NULL);
    rollback_plan(&plan, h, &all, read_now, NULL, NULL);
    rollback_plan(&other, h, &one, read_now, NULL, NULL);
    plan_release(&plan);
    plan_release(&other);
    buf_release(&out);
    history_changes_release(&list);
    history_free(h);
}

static void commit(struct repo *repo, const char *parent, struct section file, const char *message,
                   char id[REPO_ID])
{
    struct file_meta meta = {.st = {.st_mode = S_IFREG | 0644}};
    struct repo_file f = {"etc/inetd.conf", file.bytes, file.len, &meta};
    struct repo_commit c = {
        .parent = parent, .files = &f, .nfiles = 1, .message = message, .author = "batten"};

    if (repo_write_commit(repo, &c, id, NULL) != 0)
        abort();
}

static void as_message(struct root *root, const struct section *s)
{
    struct root *state = NULL;
    struct repo *repo = NULL;
    char *message = mem_strndup(s[0].bytes, s[0].len), first[REPO_ID], id[REPO_ID];

    now = (struct source){.path = (char *)(uintptr_t) "etc/inetd.conf",
                          .bytes = mem_strndup(s[3].bytes, s[3].len),
                          .len = s[3].len};
    if (replace_own_mkdir(root, STATE_DIR, 0700, NULL) != 0 ||
        root_open_below(&state, root, STATE_DIR, 0, NULL) != ROOT_OK ||
        repo_open(&repo, state, REPO_CREATE, NULL) != 0)
        abort();
    commit(repo, NULL, s[1], "edited outside batten\n\nKind: outside\n", first);
    commit(repo, first, s[2], message, id);
    if (repo_ref_write(repo, REPO_BRANCH, id, NULL) != 0)
        abort();
    repo_free(repo);
    root_free(state);
    use(root);
    free(message);
    free(now.bytes);
}

static void as_files(struct root *root, const struct section *s)
{
    static const char *const paths[SECTIONS] = {
        "history.git/config",
        "history.git/HEAD",
        "history.git/refs/heads/main",
        "history.git/packed-refs",
        "history.git/objects/aa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        "history.git/objects/pack/pack-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.idx",
        "history.git/objects/pack/pack-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.pack",
        "history.git/refs/notes/commits",
        "journal",
        "last.json",
        "history.git/objects/info/alternates",
        "history.git/refs/batten/pending",
    };
    const struct section right[SECTIONS] = {
        {repo_config_text,                             strlen(repo_config_text)},
        {repo_head_text,                               strlen(repo_head_text)  },
        {"aabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n", 41                      },
    };

    for (size_t i = 0; i < SECTIONS; i++) {
        char *path = mem_printf("%s/%s", STATE_DIR, paths[i]);
        bool is_right = s[i].len == 1 && s[i].bytes[0] == '=';

        if (s[i].len > 0)
            write_file(root, path, is_right && right[i].bytes ? right[i] : s[i]);
        free(path);
    }
    now = (struct source){0};
    use(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct section s[SECTIONS] = {
        {"", 0}
    };
    struct root *root = NULL;
    const char *at = (const char *)data + 1, *end = (const char *)data + size;
    static bool started;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    /* once, not anew in every run */
    if (!started && git_libgit2_init() < 0)
        abort();
    started = true;
    for (size_t i = 0; i < SECTIONS; i++) {
        const char *nul = memchr(at, '\0', (size_t)(end - at));

        s[i] = (struct section){at, (size_t)((nul ? nul : end) - at)};
        at = nul ? nul + 1 : end;
    }
    snprintf(host, sizeof(host), "/dev/shm/fuzz-history.XXXXXX");
    if (mkdtemp(host) == NULL || root_open(&root, host, true, NULL) != 0)
        abort();
    if (data[0] == 'm')
        as_message(root, s);
    else
        as_files(root, s);
    root_free(root);
    nftw(host, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
