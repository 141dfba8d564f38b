#include "batten/txn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/history/journal.h"
#include "host_plan.h"

static const char telnet_off[] = "ftp stream tcp nowait root /usr/sbin/ftpd ftpd\n"
                                 "#telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n"
                                 "finger stream tcp nowait nobody /usr/sbin/fingerd fingerd\n"
                                 "pop3 stream tcp nowait root /usr/sbin/pop3d pop3d\n"
                                 "imap2 stream tcp nowait root /usr/sbin/imapd imapd\n";

static void expect_clean(struct host *h)
{
    struct history *history = host_history(h);
    enum txn_state state;
    char *path = tree_path(&h->t, "etc/.batten");

    assert_int_equal(txn_pending(h->root, history, &state, &h->d), 0);
    assert_int_equal(state, TXN_CLEAN);
    assert_int_equal(access(path, F_OK), -1);
    tree_expect(&h->t, "var/lib/batten/journal", NULL);
    tree_expect(&h->t, "var/lib/batten/history.git/refs/batten/pending", NULL);
    free(path);
    history_free(history);
}

static void a_change_is_made_and_recorded(void **state)
{
    struct host h;
    struct history *history;
    struct history_changes list = {0};
    struct buf diff = BUF_INIT;
    struct stat st;
    char *path;

    (void)state;
    host_make(&h);
    assert_int_equal(host_close(&h, "telnet"), 1);
    tree_expect(&h.t, HOST_CONF, telnet_off);
    expect_clean(&h);
    history = host_history(&h);
    assert_int_equal(history_list(history, &list, &h.d), 0);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.v[0].number, 1);
    assert_string_equal(list.v[0].subject, "close telnet");
    assert_string_equal(list.v[0].kind, "harden");
    assert_null(list.v[0].by);
    assert_int_equal(list.v[0].nedits, 1);
    assert_string_equal(list.v[0].edits[0].path, HOST_CONF);
    assert_string_equal(list.v[0].edits[0].service, "telnet");
    assert_int_equal(list.v[0].edits[0].old_line, 2);
    assert_int_equal(list.v[0].edits[0].new_line, 2);
    assert_int_equal(list.v[0].edits[0].new_count, 1);
    assert_true(list.v[0].edits[0].in_effect);
    assert_int_equal(list.v[1].number, 0);
    assert_string_equal(list.v[1].kind, "outside");
    assert_int_equal(history_diff(history, list.v[0].id, &diff, &h.d), 0);
    assert_non_null(strstr(buf_str(&diff), "--- a/etc/inetd.conf\n+++ b/etc/inetd.conf\n"));
    assert_non_null(strstr(buf_str(&diff), "\n-telnet stream"));
    assert_non_null(strstr(buf_str(&diff), "\n+#telnet stream"));
    path = tree_path(&h.t, "var/lib/batten");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    free(path);
    buf_release(&diff);
    history_changes_release(&list);
    history_free(history);
    host_remove(&h);
}

static void edits_of_admins_are_recorded_apart(void **state)
{
    struct host h;
    struct history *history;
    struct history_changes list = {0};

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    tree_write(&h.t, HOST_CONF, "smtp stream\npop3 stream tcp nowait root x x\n");
    assert_int_equal(host_close(&h, "pop3"), 2);
    assert_int_equal(host_close(&h, "smtp"), 3);
    history = host_history(&h);
    assert_int_equal(history_list(history, &list, &h.d), 0);
    assert_int_equal(list.n, 5);
    assert_int_equal(list.v[0].number, 3);
    assert_int_equal(list.v[1].number, 2);
    assert_string_equal(list.v[2].kind, "outside");
    assert_int_equal(list.v[3].number, 1);
    history_changes_release(&list);
    history_free(history);
    host_remove(&h);
}

static void no_history_leaves_no_trace(void **state)
{
    struct host h;
    char *path;

    (void)state;
    host_make(&h);
    h.mode = HISTORY_NONE;
    assert_int_equal(host_close(&h, "telnet"), 0);
    tree_expect(&h.t, HOST_CONF, telnet_off);
    path = tree_path(&h.t, "var");
    assert_int_equal(access(path, F_OK), -1);
    free(path);
    path = tree_path(&h.t, "etc/.batten");
    assert_int_equal(access(path, F_OK), -1);
    free(path);
    host_remove(&h);
}

static void a_file_changed_since_is_refused(void **state)
{
    struct host h;
    struct host_run r;
    unsigned number = 0;

    (void)state;
    host_make(&h);
    run_read(&h, &r, HOST_CONF);
    run_comment(&r, "telnet");
    run_finish(&h, &r);
    tree_write(&h.t, HOST_CONF, "another text\n");
    assert_int_equal(run_commit(&h, &r, &number), -1);
    assert_int_equal(h.d.status, STATUS_REFUSED);
    assert_string_equal(h.d.code, "changed-since");
    tree_expect(&h.t, HOST_CONF, "another text\n");
    expect_clean(&h);
    run_release(&r);
    host_remove(&h);
}

static void hard_links_are_refused(void **state)
{
    struct host h;
    struct host_run r;
    unsigned number = 0;
    char *a, *b;

    (void)state;
    host_make(&h);
    a = tree_path(&h.t, HOST_CONF);
    b = tree_path(&h.t, "etc/second");
    assert_int_equal(link(a, b), 0);
    run_read(&h, &r, HOST_CONF);
    run_comment(&r, "telnet");
    run_finish(&h, &r);
    assert_int_equal(run_commit(&h, &r, &number), -1);
    assert_int_equal(h.d.status, STATUS_ATTENTION);
    tree_expect(&h.t, HOST_CONF, host_text);
    free(a);
    free(b);
    run_release(&r);
    host_remove(&h);
}

static void a_second_run_says_who_holds_the_lock(void **state)
{
    struct host h;
    struct history *history;
    struct txn *t = NULL;
    char *file, pid_text[32];
    int fds[2], status;
    char byte;
    pid_t pid;

    (void)state;
    host_make(&h);
    file = tree_path(&h.t, "etc/.batten.lock");
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        int fd = open(file, O_RDWR | O_CREAT, 0600);

        flock(fd, LOCK_EX);
        if (write(fds[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    history = host_history(&h);
    assert_int_equal(txn_begin(&t, h.root, history, 50, &h.d), -1);
    assert_int_equal(h.d.status, STATUS_SYSTEM);
    assert_string_equal(h.d.code, "locked");
    snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
    if (strstr(h.d.message, pid_text) == NULL)
        print_message("the holder is not told here: %s\n", h.d.message);
    diag_release(&h.d);
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    assert_int_equal(txn_begin(&t, h.root, history, 50, &h.d), 0);
    txn_end(t);
    history_free(history);
    free(file);
    host_remove(&h);
}

static char *listing(struct host *h)
{
    char *command = mem_printf("cd %s && find var/lib/batten -type f | LC_ALL=C sort | "
                               "xargs sha256sum",
                               h->t.dir);
    int fds[2];
    char *text = mem_alloc(1 << 20);
    size_t len = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    while ((got = read(fds[0], text + len, (1 << 20) - 1 - len)) > 0)
        len += (size_t)got;
    close(fds[0]);
    waitpid(pid, NULL, 0);
    free(command);
    return text;
}

static void equal_images_get_equal_histories(void **state)
{
    struct host a, b;
    char *x, *y;

    (void)state;
    host_make(&a);
    host_make(&b);
    host_close(&a, "telnet");
    host_close(&a, "pop3");
    sleep(1);
    host_close(&b, "telnet");
    host_close(&b, "pop3");
    x = listing(&a);
    y = listing(&b);
    assert_string_equal(x, y);
    assert_non_null(strstr(x, "last.json"));
    free(x);
    free(y);
    host_remove(&a);
    host_remove(&b);
}

static void the_outcome_is_noted(void **state)
{
    struct host h;
    struct history *history;
    struct history_changes list = {0};
    struct txn *t = NULL;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    host_close(&h, "finger");
    history = host_history(&h);
    assert_int_equal(txn_begin(&t, h.root, history, 50, &h.d), 0);
    assert_int_equal(txn_note(t, 1, "{\"proof\": []}", &h.d), 0);
    assert_int_equal(txn_note(t, 7, "{}", &h.d), -1);
    txn_end(t);
    assert_int_equal(history_list(history, &list, &h.d), 0);
    assert_null(list.v[0].outcome);
    assert_string_equal(list.v[1].outcome, "{\"proof\": []}");
    history_changes_release(&list);
    history_free(history);
    host_remove(&h);
}

static void drift_is_seen_without_git(void **state)
{
    struct host h;
    struct history *history;
    struct history_drift *drift;
    struct history_closed *closed;
    char *path;
    size_t n;

    (void)state;
    host_make(&h);
    host_close(&h, "telnet");
    host_close(&h, "finger");
    history = host_history(&h);
    assert_int_equal(history_drift(history, &drift, &n, &h.d), 0);
    assert_int_equal(n, 0);
    history_drift_free(drift, n);
    assert_int_equal(history_closed(history, &closed, &n, &h.d), 0);
    assert_int_equal(n, 2);
    assert_string_equal(closed[1].service, "finger");
    assert_int_equal(closed[1].change, 2);
    history_closed_free(closed, n);
    path = tree_path(&h.t, HOST_CONF);
    chmod(path, 0600);
    assert_int_equal(history_drift(history, &drift, &n, &h.d), 0);
    assert_int_equal(n, 1);
    assert_true(drift[0].meta_only);
    assert_int_equal(drift[0].change, 2);
    history_drift_free(drift, n);
    tree_write(&h.t, HOST_CONF, "x\n");
    assert_int_equal(history_drift(history, &drift, &n, &h.d), 0);
    assert_int_equal(n, 1);
    assert_false(drift[0].meta_only);
    history_drift_free(drift, n);
    tree_unlink(&h.t, HOST_CONF);
    assert_int_equal(history_drift(history, &drift, &n, &h.d), 0);
    assert_true(drift[0].gone);
    history_drift_free(drift, n);
    free(path);
    history_free(history);
    host_remove(&h);
}

/* A host whose daemons run, and a change after which batten is killed before they could follow. */
static void host_killed(struct host *h)
{
    int status;
    pid_t pid;

    host_make(h);
    root_free(h->root);
    assert_int_equal(root_open(&h->root, h->t.dir, false, &h->d), 0);
    pid = fork();
    if (pid == 0) {
        struct history *history = host_history(h);
        struct txn_options o = {.version = "test"};
        struct txn *t = NULL;
        struct host_run r;
        unsigned number;

        run_read(h, &r, HOST_CONF);
        run_comment(&r, "telnet");
        run_finish(h, &r);
        _exit(txn_begin(&t, h->root, history, 1000, &h->d) != 0 ||
              txn_commit(t, &r.plan, &r.meta, &o, &number, &h->d) != 0);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* The change that txn_begin says has to be followed, 0 for none. FOLLOWED: it was. */
static unsigned begin_and_end(struct host *h, bool followed)
{
    struct history *history = host_history(h);
    const unsigned *v;
    unsigned recovered, number = 0;
    struct txn *t = NULL;
    size_t n;

    assert_int_equal(txn_begin(&t, h->root, history, 1000, &h->d), 0);
    n = txn_unfollowed(t, &v);
    txn_recovered(t, &recovered);
    assert_true(n <= 1);
    if (n > 0) {
        assert_int_equal(recovered, v[0]);
        number = v[0];
    }
    if (followed)
        txn_followed(t);
    txn_end(t);
    history_free(history);
    return number;
}

static void what_was_not_followed_is_kept(void **state)
{
    struct host h;

    (void)state;
    host_killed(&h);
    assert_int_equal(begin_and_end(&h, false), 1);
    tree_write(&h.t, HOST_CONF, telnet_off);
    assert_int_equal(begin_and_end(&h, false), 1);
    assert_int_equal(host_close(&h, "finger"), 2);
    assert_int_equal(begin_and_end(&h, false), 1);
    assert_int_equal(begin_and_end(&h, true), 1);
    expect_clean(&h);
    assert_int_equal(begin_and_end(&h, false), 0);
    host_remove(&h);
}

/* A change that fails on top of it leaves it as it was. */
static void a_failed_change_keeps_what_was_not_followed(void **state)
{
    struct host h;
    struct host_run r;
    unsigned number = 0;
    char *path;

    (void)state;
    host_killed(&h);
    assert_int_equal(begin_and_end(&h, false), 1);
    tree_mkdir(&h.t, "etc/.batten");
    path = tree_path(&h.t, "etc/.batten");
    chmod(path, 0755);
    run_read(&h, &r, HOST_CONF);
    run_comment(&r, "finger");
    run_finish(&h, &r);
    assert_int_equal(run_commit(&h, &r, &number), -1);
    diag_release(&h.d);
    rmdir(path);
    assert_int_equal(begin_and_end(&h, true), 1);
    expect_clean(&h);
    run_release(&r);
    free(path);
    host_remove(&h);
}

static void offline_nothing_has_to_follow(void **state)
{
    struct host h;

    (void)state;
    host_killed(&h);
    root_free(h.root);
    assert_int_equal(root_open(&h.root, h.t.dir, true, &h.d), 0);
    assert_int_equal(begin_and_end(&h, false), 0);
    expect_clean(&h);
    host_remove(&h);
}

static void what_it_was_made_with_is_recorded(void **state)
{
    struct host h;
    struct host_run r;
    struct history *history;
    struct history_changes list = {0};
    struct strlist rc = {0};
    struct txn_options o = {.version = "test", .rc = &rc, .dialect = "inetutils"};
    struct txn *t = NULL;
    unsigned number;

    (void)state;
    host_make(&h);
    strlist_add(&rc, "/opt/a start\n.sh");
    strlist_add(&rc, "opt/-");
    run_read(&h, &r, HOST_CONF);
    run_comment(&r, "telnet");
    run_finish(&h, &r);
    history = host_history(&h);
    assert_int_equal(txn_begin(&t, h.root, history, 50, &h.d), 0);
    assert_int_equal(txn_commit(t, &r.plan, &r.meta, &o, &number, &h.d), 0);
    txn_end(t);
    assert_int_equal(history_list(history, &list, &h.d), 0);
    assert_int_equal(list.v[0].rc.n, 2);
    assert_string_equal(list.v[0].rc.v[0], rc.v[0]);
    assert_string_equal(list.v[0].rc.v[1], rc.v[1]);
    assert_string_equal(list.v[0].dialect, "inetutils");
    assert_int_equal(list.v[1].rc.n, 0);
    assert_null(list.v[1].dialect);
    strlist_release(&rc);
    history_changes_release(&list);
    history_free(history);
    run_release(&r);
    host_remove(&h);
}

static void expect_absent(struct host *h, const char *path)
{
    char *full = tree_path(&h->t, path);

    assert_int_equal(access(full, F_OK), -1);
    free(full);
}

/* A foreign staging directory: nothing at all is written, and it stays as it is. */
static void a_refusal_leaves_no_trace(void **state)
{
    struct host h;
    struct host_run r;
    unsigned number = 0;
    char *path, *given;
    struct stat st;

    (void)state;
    host_make(&h);
    tree_mkdir(&h.t, "etc/.batten");
    path = tree_path(&h.t, "etc/.batten");
    chmod(path, 0755);
    run_read(&h, &r, HOST_CONF);
    run_comment(&r, "telnet");
    run_finish(&h, &r);
    assert_int_equal(run_commit(&h, &r, &number), -1);
    assert_int_equal(h.d.status, STATUS_REFUSED);
    assert_string_equal(h.d.code, "staging-dir");
    diag_release(&h.d);
    expect_absent(&h, "var/lib/batten");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    h.history = given = tree_path(&h.t, "state");
    assert_int_equal(run_commit(&h, &r, &number), -1);
    diag_release(&h.d);
    expect_absent(&h, "state");
    run_release(&r);
    free(path);
    free(given);
    host_remove(&h);
}

/* What fails after the first write takes the directory with it that it made; not one that was. */
static void what_fails_leaves_no_state_directory(void **state)
{
    struct host h;
    struct history *history;
    struct txn *t = NULL;
    struct buf bytes = BUF_INIT;

    (void)state;
    host_make(&h);
    history = host_history(&h);
    assert_int_equal(txn_begin(&t, h.root, history, 50, &h.d), 0);
    assert_int_equal(history_state_write(history, "deadline", "x", 1, &h.d), 0);
    txn_end(t);
    tree_expect(&h.t, "var/lib/batten/deadline", "x");
    assert_int_equal(txn_begin(&t, h.root, history, 50, &h.d), 0);
    assert_int_equal(history_state_remove(history, "deadline", &h.d), 0);
    txn_end(t);
    expect_absent(&h, "var/lib/batten");
    assert_int_equal(history_state_read(history, "deadline", &bytes, &h.d), ROOT_ABSENT);
    history_free(history);
    assert_int_equal(host_close(&h, "telnet"), 1);
    tree_expect(&h.t, "var/lib/batten/history.git/HEAD", "ref: refs/heads/main\n");
    host_remove(&h);
    host_make(&h);
    tree_mkdir(&h.t, "var/lib/batten");
    history = host_history(&h);
    assert_int_equal(txn_begin(&t, h.root, history, 50, &h.d), 0);
    assert_int_equal(history_state_remove(history, "deadline", &h.d), 0);
    txn_end(t);
    history_free(history);
    assert_true(root_exists(h.root, "var/lib/batten"));
    buf_release(&bytes);
    host_remove(&h);
}

static void expect_open(struct host *h, const char *code)
{
    struct history *history = NULL;
    int rc = history_open(&history, h->root, h->history, h->mode, &h->d);

    if (rc == 0)
        fail_msg("a directory was taken for a state directory");
    assert_int_equal(h->d.status, STATUS_REFUSED);
    assert_string_equal(h->d.code, code);
    diag_release(&h->d);
}

/* As many files as a scan reads, their names long: what is written can be read again, or is refused
 * before it is. */
static void a_journal_can_be_read_back(void **state)
{
    enum { FILES = 4096 };
    struct host h;
    struct history *history;
    struct journal j = {.change = 1}, got;
    struct journal_file *files = mem_array(FILES + 1, sizeof(*files));
    char name[300];

    (void)state;
    host_make(&h);
    history = host_history(&h);
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i <= FILES; i++) {
        files[i] = (struct journal_file){.path = name, .real = name, .staging = name};
        memset(files[i].old_print, '0', FILE_PRINT - 1);
        memset(files[i].new_print, '1', FILE_PRINT - 1);
    }
    j.files = files;
    j.nfiles = FILES;
    assert_int_equal(journal_write(history, &j, &h.d), 0);
    assert_int_equal(journal_read(history, &got, &h.d), ROOT_OK);
    assert_int_equal(got.nfiles, FILES);
    journal_release(&got);
    j.nfiles++;
    assert_int_equal(journal_write(history, &j, &h.d), -1);
    assert_int_equal(h.d.status, STATUS_REFUSED);
    assert_string_equal(h.d.code, "too-large");
    free(files);
    history_free(history);
    host_remove(&h);
}

static void only_a_state_directory_is_used(void **state)
{
    struct host h;
    char *path;

    (void)state;
    host_make(&h);
    tree_write(&h.t, "home/letter", "dear\n");
    tree_mkdir(&h.t, "empty");
    h.history = path = tree_path(&h.t, "home");
    expect_open(&h, "not-a-state-directory");
    free(path);
    h.history = path = tree_path(&h.t, "home/letter");
    expect_open(&h, "not-a-state-directory");
    free(path);
    h.history = path = tree_path(&h.t, "empty");
    host_close(&h, "telnet");
    tree_expect(&h.t, "empty/history.git/HEAD", "ref: refs/heads/main\n");
    free(path);
    h.history = path = tree_path(&h.t, "new");
    host_close(&h, "finger");
    tree_expect(&h.t, "new/history.git/HEAD", "ref: refs/heads/main\n");
    free(path);
    h.history = NULL;
    tree_mkdir(&h.t, "elsewhere");
    tree_link(&h.t, "/elsewhere", "var/lib/batten");
    expect_open(&h, "not-a-state-directory");
    tree_unlink(&h.t, "var/lib/batten");
    tree_mkdir(&h.t, "var/lib/batten");
    path = tree_path(&h.t, "var/lib/batten");
    chmod(path, 0777);
    expect_open(&h, "not-a-state-directory");
    free(path);
    host_remove(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_made_and_recorded),
        cmocka_unit_test(edits_of_admins_are_recorded_apart),
        cmocka_unit_test(no_history_leaves_no_trace),
        cmocka_unit_test(a_file_changed_since_is_refused),
        cmocka_unit_test(hard_links_are_refused),
        cmocka_unit_test(a_second_run_says_who_holds_the_lock),
        cmocka_unit_test(equal_images_get_equal_histories),
        cmocka_unit_test(the_outcome_is_noted),
        cmocka_unit_test(what_was_not_followed_is_kept),
        cmocka_unit_test(a_failed_change_keeps_what_was_not_followed),
        cmocka_unit_test(offline_nothing_has_to_follow),
        cmocka_unit_test(what_it_was_made_with_is_recorded),
        cmocka_unit_test(a_refusal_leaves_no_trace),
        cmocka_unit_test(what_fails_leaves_no_state_directory),
        cmocka_unit_test(drift_is_seen_without_git),
        cmocka_unit_test(a_journal_can_be_read_back),
        cmocka_unit_test(only_a_state_directory_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
