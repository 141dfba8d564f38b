#include "batten/txn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/history/journal.h"
#include "batten/replace.h"
#include "host_plan.h"

static void expect_absent(struct host *h, const char *path)
{
    char *full = tree_path(&h->t, path);

    assert_int_equal(access(full, F_OK), -1);
    free(full);
}

/* What recover says of a change that a crash left with TARGET at the file's place and STAGED in the
 * staging directory; with -1 it is stuck. */
static void expect_recover(struct host *h, const char *target, const char *staged, const char *says)
{
    char conf[] = HOST_CONF, staging[] = "etc/.batten";
    struct journal_file file = {.path = conf, .real = conf, .staging = staging};
    struct journal j = {.change = 1, .files = &file, .nfiles = 1};
    struct history *history = host_history(h);
    struct strlist report = {0};
    struct file_meta meta = {0};
    struct txn *t = NULL;
    struct buf bytes = BUF_INIT;
    char *dir = tree_path(&h->t, "etc/.batten");
    unsigned number;

    tree_write(&h->t, HOST_CONF, host_text);
    assert_int_equal(root_read(h->root, HOST_CONF, SOURCE_MAX, &bytes, &meta, &h->d), ROOT_OK);
    file_print(&meta, host_text, strlen(host_text), file.old_print);
    file_print(&meta, "new\n", 4, file.new_print);
    tree_write(&h->t, HOST_CONF, target);
    tree_write(&h->t, "etc/.batten/new.0", staged);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(journal_write(history, &j, &h->d), 0);
    if (txn_begin(&t, h->root, history, 1000, &h->d) != 0)
        fail_msg("%s", h->d.message);
    txn_recover(t, &number, &report, &h->d);
    assert_true(strlist_has(&report, says));
    expect_absent(h, "etc/.batten/new.0");
    expect_absent(h, "var/lib/batten/journal");
    txn_end(t);
    diag_release(&h->d);
    strlist_release(&report);
    file_meta_release(&meta);
    buf_release(&bytes);
    history_free(history);
    free(dir);
}

/* Somebody writes before the exchange, so that their file comes out, and once more after it. With
 * the same edit again the second is kept beside the first. */
static void what_was_overwritten_is_kept_and_told(void **state)
{
    static const char over[] = "undid change 1: somebody else had overwritten what it wrote";
    struct host h;
    struct buf bytes = BUF_INIT;
    struct strlist names = {0};

    (void)state;
    host_make(&h);
    expect_recover(&h, host_text, "new\n", "undid change 1, which had not begun to take effect");
    expect_absent(&h, "etc/.batten");
    expect_recover(&h, "second\n", "first\n", over);
    expect_recover(&h, "fourth\n", "third\n", over);
    expect_recover(&h, "sixth\n", "fifth\n", over);
    tree_expect(&h.t, HOST_CONF, "sixth\n");
    assert_int_equal(root_list(h.root, "etc/.batten", 10, &names, &h.d), ROOT_OK);
    for (size_t i = 0; i < names.n; i++) {
        char *path = mem_printf("etc/.batten/%s", names.v[i]);

        assert_int_equal(root_read(h.root, path, 100, &bytes, NULL, &h.d), ROOT_OK);
        free(path);
        names.v[i][0] = buf_str(&bytes)[0];
        buf_release(&bytes);
    }
    assert_int_equal(names.n, 3);
    assert_int_equal(names.v[0][0] + names.v[1][0] + names.v[2][0], 'f' + 't' + 'f');
    strlist_release(&names);
    host_remove(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_overwritten_is_kept_and_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
