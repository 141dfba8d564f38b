#include "../../src/history/repo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "batten/diag.h"
#include "batten/history.h"
#include "batten/mem.h"
#include "tree.h"

struct fixture {
    struct tree t;
    struct root *state;
    struct repo *repo;
    struct diag d;
    struct file_meta meta;
};

static void open_repo(struct fixture *f, enum repo_mode mode)
{
    if (repo_open(&f->repo, f->state, mode, &f->d) != 0)
        fail_msg("%s", f->d.message);
}

static void fixture_open(struct fixture *f)
{
    *f = (struct fixture){.d = DIAG_INIT};
    tree_make(&f->t);
    f->meta.st.st_mode = S_IFREG | 0644;
    assert_int_equal(root_open(&f->state, f->t.dir, true, &f->d), 0);
    open_repo(f, REPO_CREATE);
    assert_non_null(f->repo);
}

static void fixture_close(struct fixture *f)
{
    repo_free(f->repo);
    diag_release(&f->d);
    root_free(f->state);
    tree_remove(&f->t);
}

static void commit(struct fixture *f, const char *parent, const char *path, const char *text,
                   char id[REPO_ID])
{
    struct repo_file file = {path, text, text ? strlen(text) : 0, text ? &f->meta : NULL};
    struct repo_commit c = {.parent = parent,
                            .files = &file,
                            .nfiles = 1,
                            .message = "subject\n\nChange: 1\n",
                            .author = "batten",
                            .time = 1000000000,
                            .offset = 540};

    if (repo_write_commit(f->repo, &c, id, &f->d) != 0)
        fail_msg("%s", f->d.message);
}

static int collect(void *ctx, const struct repo_entry *e, struct diag *d)
{
    (void)d;
    assert_int_equal(e->time, 1000000000);
    assert_int_equal(e->offset, 540);
    assert_string_equal(e->message, "subject\n\nChange: 1\n");
    strlist_add(ctx, e->id);
    return 0;
}

static void commits_and_reads(void **state)
{
    struct fixture f;
    char one[REPO_ID], two[REPO_ID], three[REPO_ID], got[REPO_ID];
    struct buf out = BUF_INIT;
    struct strlist ids = {0}, paths = {0};

    (void)state;
    fixture_open(&f);
    assert_int_equal(repo_ref_read(f.repo, REPO_BRANCH, got, &f.d), ROOT_ABSENT);
    commit(&f, NULL, "etc/inetd.conf", "telnet\nfinger\n", one);
    commit(&f, one, "etc/inetd.d/pop", "pop\n", two);
    commit(&f, two, "etc/inetd.conf", "#telnet\nfinger\n", three);
    assert_int_equal(repo_ref_write(f.repo, REPO_BRANCH, three, &f.d), 0);
    repo_free(f.repo);
    open_repo(&f, REPO_EXISTING);
    assert_int_equal(repo_ref_read(f.repo, REPO_BRANCH, got, &f.d), ROOT_OK);
    assert_string_equal(got, three);
    assert_int_equal(repo_blob(f.repo, one, "etc/inetd.conf", &out, &f.d), ROOT_OK);
    assert_string_equal(buf_str(&out), "telnet\nfinger\n");
    assert_int_equal(repo_blob(f.repo, one, "etc/inetd.d/pop", &out, &f.d), ROOT_ABSENT);
    assert_int_equal(repo_blob(f.repo, three, "etc/inetd.d/pop", &out, &f.d), ROOT_OK);
    assert_int_equal(repo_meta(f.repo, three, "etc/inetd.d/pop", &out, &f.d), ROOT_OK);
    assert_string_equal(buf_str(&out), "mode 0100644\nuid 0\ngid 0\n");
    assert_int_equal(repo_walk(f.repo, three, collect, &ids, &f.d), 0);
    assert_int_equal(ids.n, 3);
    assert_string_equal(ids.v[2], one);
    assert_int_equal(repo_paths(f.repo, three, &paths, &f.d), 0);
    assert_int_equal(paths.n, 2);
    buf_clear(&out);
    assert_int_equal(repo_diff(f.repo, three, &out, &f.d), 0);
    assert_string_equal(buf_str(&out) + (strstr(buf_str(&out), "--- ") - buf_str(&out)),
                        "--- a/etc/inetd.conf\n+++ b/etc/inetd.conf\n@@ -1,2 +1,2 @@\n-telnet\n"
                        "+#telnet\n finger\n");
    commit(&f, three, "etc/inetd.d/pop", NULL, two);
    assert_int_equal(repo_blob(f.repo, two, "etc/inetd.d/pop", &out, &f.d), ROOT_ABSENT);
    assert_int_equal(repo_blob(f.repo, two, REPO_META, &out, &f.d), ROOT_OK);
    assert_string_equal(buf_str(&out), "file etc/inetd.conf\nmode 0100644\nuid 0\ngid 0\n");
    strlist_release(&ids);
    strlist_release(&paths);
    buf_release(&out);
    fixture_close(&f);
}

static void same_input_same_bytes(void **state)
{
    struct fixture f, g;
    char one[REPO_ID], two[REPO_ID];

    (void)state;
    fixture_open(&f);
    fixture_open(&g);
    commit(&f, NULL, "etc/inetd.conf", "telnet\n", one);
    commit(&g, NULL, "etc/inetd.conf", "telnet\n", two);
    assert_string_equal(one, two);
    fixture_close(&f);
    fixture_close(&g);
}

static void notes_are_kept(void **state)
{
    struct fixture f;
    struct repo_commit who = {.author = "batten", .time = 1};
    struct buf out = BUF_INIT;
    char one[REPO_ID], two[REPO_ID], notes[REPO_ID], path[REPO_ID + 2];

    (void)state;
    fixture_open(&f);
    commit(&f, NULL, "etc/inetd.conf", "telnet\n", one);
    commit(&f, one, "etc/inetd.conf", "#telnet\n", two);
    assert_int_equal(repo_note_read(f.repo, one, &out, &f.d), ROOT_ABSENT);
    assert_int_equal(repo_note_write(f.repo, &who, one, "{\"a\": 1}", &f.d), 0);
    assert_int_equal(repo_note_write(f.repo, &who, two, "{\"b\": 1}", &f.d), 0);
    assert_int_equal(repo_note_write(f.repo, &who, one, "{\"a\": 2}", &f.d), 0);
    assert_int_equal(repo_note_read(f.repo, one, &out, &f.d), ROOT_OK);
    assert_string_equal(buf_str(&out), "{\"a\": 2}");
    assert_int_equal(repo_note_read(f.repo, two, &out, &f.d), ROOT_OK);
    assert_string_equal(buf_str(&out), "{\"b\": 1}");
    /* in a directory each, so that the next one does not write all of them anew */
    assert_int_equal(repo_ref_read(f.repo, REPO_NOTES, notes, &f.d), ROOT_OK);
    snprintf(path, sizeof(path), "%.2s/%s", one, one + 2);
    assert_int_equal(repo_blob(f.repo, notes, path, &out, &f.d), ROOT_OK);
    assert_string_equal(buf_str(&out), "{\"a\": 2}");
    buf_release(&out);
    fixture_close(&f);
}

/* Real git takes it for a healthy bare repository. */
static void git_can_read_it(void **state)
{
    struct fixture f;
    char one[REPO_ID], *dir, *command;
    FILE *p;
    int fds[2];
    char line[200] = "";
    pid_t pid;

    (void)state;
    fixture_open(&f);
    commit(&f, NULL, "etc/inetd.conf", "telnet\n", one);
    assert_int_equal(repo_ref_write(f.repo, REPO_BRANCH, one, &f.d), 0);
    dir = tree_path(&f.t, REPO_DIR);
    command = mem_printf("--git-dir=%s", dir);
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        execlp("git", "git", command, "log", "--format=%s %H", (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    p = fdopen(fds[0], "r");
    if (fgets(line, sizeof(line), p) == NULL)
        print_message("no git here\n");
    else
        assert_memory_equal(line + 8, one, 40);
    fclose(p);
    free(dir);
    free(command);
    fixture_close(&f);
}

static void an_absent_history_is_none(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    repo_free(f.repo);
    tree_mkdir(&f.t, "empty");
    root_free(f.state);
    {
        char *dir = tree_path(&f.t, "empty");

        assert_int_equal(root_open(&f.state, dir, true, &f.d), 0);
        free(dir);
    }
    open_repo(&f, REPO_EXISTING);
    assert_null(f.repo);
    fixture_close(&f);
}

static void plant(struct fixture *f, int which)
{
    char *a, *b;

    switch (which) {
    case 0:
        tree_write(&f->t, "history.git/hooks/post-update", "#!/bin/sh\n");
        break;
    case 1:
        tree_write(&f->t, "history.git/config", "[core]\n\tpager = evil\n");
        break;
    case 2:
        tree_write(&f->t, "history.git/objects/info/alternates", "/etc\n");
        break;
    case 3:
        tree_write(&f->t, "history.git/commondir", "/tmp\n");
        break;
    case 4:
        tree_write(&f->t, "history.git/info/attributes", "* diff=evil\n");
        break;
    case 5:
        tree_write(&f->t, "history.git/HEAD", "ref: ../../../etc/passwd\n");
        break;
    case 6:
        tree_write(&f->t, "history.git/refs/heads/main", "ref: refs/../../x\n");
        break;
    case 7:
        tree_link(&f->t, "/tmp", "history.git/refs/heads/link");
        break;
    case 8:
        a = tree_path(&f->t, "history.git/objects");
        b = tree_path(&f->t, "elsewhere");
        assert_int_equal(rename(a, b), 0);
        tree_link(&f->t, "../elsewhere", "history.git/objects");
        free(a);
        free(b);
        break;
    case 9:
        a = tree_path(&f->t, "history.git/config");
        b = tree_path(&f->t, "second-name");
        assert_int_equal(link(a, b), 0);
        free(a);
        free(b);
        break;
    case 10:
        tree_fifo(&f->t, "history.git/packed-refs");
        break;
    case 11:
        tree_mkdir(&f->t, "history.git/worktrees");
        break;
    case 12:
        tree_write(&f->t, "history.git/refs/heads/bad\nname", "x");
        break;
    default:
        a = tree_path(&f->t, "history.git");
        b = tree_path(&f->t, "elsewhere");
        assert_int_equal(rename(a, b), 0);
        tree_link(&f->t, "elsewhere", "history.git");
        free(a);
        free(b);
        break;
    }
}

static void hostile_histories_are_refused(void **state)
{
    (void)state;
    for (int which = 0; which < 14; which++) {
        struct fixture f;
        struct repo *again = NULL;

        fixture_open(&f);
        plant(&f, which);
        for (int mode = REPO_EXISTING; mode <= REPO_CREATE; mode++) {
            if (repo_open(&again, f.state, (enum repo_mode)mode, &f.d) == 0)
                fail_msg("case %d was let in", which);
            assert_int_equal(f.d.status, STATUS_REFUSED);
            assert_string_equal(f.d.code, which == 13 ? f.d.code : "hostile-history");
            assert_null(again);
            diag_release(&f.d);
        }
        fixture_close(&f);
    }
}

static void an_unfinished_history_is_finished(void **state)
{
    struct fixture f;
    char one[REPO_ID];

    (void)state;
    fixture_open(&f);
    repo_free(f.repo);
    tree_unlink(&f.t, "history.git/HEAD");
    tree_write(&f.t, "history.git/HEAD.lock", "ref: re");
    tree_write(&f.t, "history.git/objects/tmp_object_git2_x", "half");
    open_repo(&f, REPO_CREATE);
    commit(&f, NULL, "etc/inetd.conf", "telnet\n", one);
    tree_expect(&f.t, "history.git/HEAD", "ref: refs/heads/main\n");
    assert_int_equal(repo_sweep(f.repo, &f.d), 0);
    tree_expect(&f.t, "history.git/HEAD.lock", NULL);
    tree_expect(&f.t, "history.git/objects/tmp_object_git2_x", NULL);
    fixture_close(&f);
}

/* Forty trees, each of which names the next one twice, and no file at all. */
static void a_tree_of_trees_is_refused(void **state)
{
    static const char script[] =
        "set -e\nt=$(git mktree </dev/null)\n"
        "for i in 1 2 3 4 5 6 7 8; do for k in 1 2 3 4 5; do\n"
        "t=$(printf '040000 tree %s\\ta\\n040000 tree %s\\tb\\n' $t $t | git mktree)\n"
        "done; done\n"
        "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a "
        "git commit-tree -m x $t >refs/heads/main\n";
    struct fixture f;
    struct strlist paths = {0};
    struct buf out = BUF_INIT;
    char tip[REPO_ID], *dir;
    int status;
    pid_t pid;

    (void)state;
    fixture_open(&f);
    dir = tree_path(&f.t, REPO_DIR);
    pid = fork();
    if (pid == 0) {
        if (chdir(dir) == 0 && setenv("GIT_DIR", ".", 1) == 0 &&
            setenv("GIT_CONFIG_NOSYSTEM", "1", 1) == 0)
            execlp("sh", "sh", "-c", script, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    free(dir);
    if (status != 0) {
        fixture_close(&f);
        print_message("# skip: no git here\n");
        skip();
    }
    assert_int_equal(repo_ref_read(f.repo, REPO_BRANCH, tip, &f.d), ROOT_OK);
    assert_int_equal(repo_paths(f.repo, tip, &paths, &f.d), -1);
    assert_string_equal(f.d.code, "too-large");
    assert_int_equal(f.d.status, STATUS_REFUSED);
    diag_release(&f.d);
    strlist_release(&paths);
    assert_int_equal(repo_diff(f.repo, tip, &out, &f.d), -1);
    assert_string_equal(f.d.code, "too-large");
    buf_release(&out);
    fixture_close(&f);
}

/* N commits with MESSAGE are listed, or refused as too large. */
static void expect_listing(const char *message, unsigned n, bool refused)
{
    struct fixture f;
    struct repo_commit c = {.author = "batten", .message = message};
    struct history *h = NULL;
    struct history_changes list = {0};
    char id[REPO_ID], parent[REPO_ID];

    fixture_open(&f);
    for (unsigned i = 0; i < n; i++) {
        memcpy(parent, id, sizeof(parent));
        c.parent = i > 0 ? parent : NULL;
        assert_int_equal(repo_write_commit(f.repo, &c, id, &f.d), 0);
    }
    assert_int_equal(repo_ref_write(f.repo, REPO_BRANCH, id, &f.d), 0);
    assert_int_equal(chmod(f.t.dir, 0700), 0);
    if (history_open(&h, f.state, f.t.dir, HISTORY_READ, &f.d) != 0)
        fail_msg("%s", f.d.message);
    assert_int_equal(history_list(h, &list, &f.d), refused ? -1 : 0);
    if (refused)
        assert_string_equal(f.d.code, "too-large");
    else
        assert_int_equal(list.n, n);
    history_changes_release(&list);
    history_free(h);
    fixture_close(&f);
}

static void a_history_of_many_edits_is_refused(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    buf_adds(&b, "subject\n\n");
    for (unsigned i = 0; i < 60000; i++)
        buf_adds(&b, "Edit: 1,1 1,1 a - a a a\n");
    expect_listing(buf_str(&b), 2, false);
    expect_listing(buf_str(&b), 8, true);
    buf_release(&b);
}

static void a_history_of_long_messages_is_refused(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    while (b.len < REPO_MESSAGE_MAX - 1)
        buf_addc(&b, 'x');
    expect_listing(buf_str(&b), 2, false);
    expect_listing(buf_str(&b), 17, true);
    buf_adds(&b, "xx");
    expect_listing(buf_str(&b), 1, true);
    buf_release(&b);
}

/* The hint names the history that was read, not that of the host. */
static void expect_fsck(struct fixture *f)
{
    char *hint = mem_printf("git -C %s/history.git fsck", f->t.dir);

    assert_string_equal(f->d.hint, hint);
    free(hint);
    diag_release(&f->d);
}

static void a_missing_object_is_told(void **state)
{
    static const char id[REPO_ID] = "0123456789012345678901234567890123456789";
    struct fixture f;
    struct strlist paths = {0};

    (void)state;
    fixture_open(&f);
    assert_int_equal(repo_paths(f.repo, id, &paths, &f.d), -1);
    assert_string_equal(f.d.code, "history-damaged");
    expect_fsck(&f);
    fixture_close(&f);
}

/* Reading the same large object again and again comes to an end. */
static void reading_is_bounded(void **state)
{
    struct fixture f;
    struct buf b = BUF_INIT, out = BUF_INIT;
    char one[REPO_ID];
    enum root_result got = ROOT_OK;
    unsigned n = 0;

    (void)state;
    fixture_open(&f);
    while (b.len < REPO_OBJECT_MAX - 16)
        buf_adds(&b, "0123456789abcde\n");
    commit(&f, NULL, "etc/inetd.conf", buf_str(&b), one);
    for (; got == ROOT_OK && n < 1000; n++)
        got = repo_blob(f.repo, one, "etc/inetd.conf", &out, &f.d);
    assert_int_equal(got, ROOT_ERROR);
    assert_string_equal(f.d.code, "too-large");
    expect_fsck(&f);
    assert_in_range(n, 10, 100);
    buf_release(&b);
    buf_release(&out);
    fixture_close(&f);
}

static void hunks_are_context_free(void **state)
{
    struct hunks h;
    struct diag d = DIAG_INIT;
    static const char a[] = "1\n2\n3\n4\n5\n", b[] = "0\n1\n2\nx\n4\n5\n6\n";

    (void)state;
    assert_int_equal(repo_hunks(a, strlen(a), b, strlen(b), &h, &d), 0);
    assert_int_equal(h.n, 3);
    assert_int_equal(h.v[0].a_start, 0);
    assert_int_equal(h.v[0].a_count, 0);
    assert_int_equal(h.v[0].b_start, 1);
    assert_int_equal(h.v[0].b_count, 1);
    assert_int_equal(h.v[1].a_start, 3);
    assert_int_equal(h.v[1].b_start, 4);
    assert_int_equal(h.v[2].a_start, 5);
    assert_int_equal(h.v[2].a_count, 0);
    assert_int_equal(h.v[2].b_start, 7);
    free(h.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_and_reads),
        cmocka_unit_test(same_input_same_bytes),
        cmocka_unit_test(notes_are_kept),
        cmocka_unit_test(git_can_read_it),
        cmocka_unit_test(an_absent_history_is_none),
        cmocka_unit_test(hostile_histories_are_refused),
        cmocka_unit_test(an_unfinished_history_is_finished),
        cmocka_unit_test(a_tree_of_trees_is_refused),
        cmocka_unit_test(a_history_of_many_edits_is_refused),
        cmocka_unit_test(a_history_of_long_messages_is_refused),
        cmocka_unit_test(a_missing_object_is_told),
        cmocka_unit_test(reading_is_bounded),
        cmocka_unit_test(hunks_are_context_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
