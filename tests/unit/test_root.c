#include "batten/root.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/host/root_int.h"
#include "batten/diag.h"
#include "batten/mem.h"
#include "tree.h"

static struct root *open_tree(struct tree *t)
{
    struct root *root = NULL;
    struct diag d = DIAG_INIT;

    tree_make(t);
    assert_int_equal(root_open(&root, t->dir, true, &d), 0);
    return root;
}

static void close_tree(struct tree *t, struct root *root)
{
    root_free(root);
    tree_remove(t);
}

/* Read PATH and compare result, code and content. */
static void expect_read(struct root *root, const char *path, enum root_result want,
                        const char *text)
{
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    enum root_result got = root_read(root, path, 4096, &out, NULL, &d);

    if (got != want)
        print_error("%s: %s\n", path, d.message ? d.message : "no message");
    assert_int_equal(got, want);
    if (want == ROOT_OK)
        assert_string_equal(buf_str(&out), text);
    else if (want == ROOT_ERROR)
        assert_string_equal(d.code, text);
    if (want != ROOT_OK)
        assert_int_equal(out.len, 0);
    diag_release(&d);
    buf_release(&out);
}

static void expect_real(struct root *root, const char *path, const char *real)
{
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct file_meta meta = {0};

    assert_int_equal(root_read(root, path, 4096, &out, &meta, &d), ROOT_OK);
    assert_string_equal(meta.real, real);
    file_meta_release(&meta);
    buf_release(&out);
}

/* What a hint tells one to run, for PATH below the root DIR. */
static void expect_hint(const char *dir, const char *path, const char *want)
{
    char *copy = mem_strdup(dir);
    struct root root = {.fd = -1, .dir = copy};
    struct diag d = DIAG_INIT;

    diag_set(&d, STATUS_SYSTEM, "test", "a problem");
    root_hint(&d, &root, "rm -r", path);
    assert_string_equal(d.hint, want);
    diag_release(&d);
    free(copy);
}

/* The host's own files are not meant by a hint about an image, and a name is never a command. */
static void hints_name_the_file_below_the_root(void **state)
{
    (void)state;
    expect_hint("/", "etc/.batten", "rm -r /etc/.batten");
    expect_hint("/srv/r1/", "/etc/.batten", "rm -r /srv/r1/etc/.batten");
    expect_hint("r1", "etc/q;id", "rm -r 'r1/etc/q;id'");
    expect_hint("-r1", "etc/a b", "rm -r './-r1/etc/a b'");
    expect_hint("r1", "etc/it's", "rm -r $'r1/etc/it\\'s'");
    expect_hint("r1", "etc/\033[2J\n$(id)\\", "rm -r $'r1/etc/\\033[2J\\012$(id)\\\\'");
}

static void a_link_loop_is_shown_safely(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    char *want;

    (void)state;
    tree_link(&t, "q;id", "etc/q;id");
    assert_int_equal(root_read(root, "etc/q;id", 4096, &out, NULL, &d), ROOT_ERROR);
    want = mem_printf("'%s/etc/q;id'", t.dir);
    assert_non_null(strstr(d.hint, want));
    free(want);
    diag_release(&d);
    buf_release(&out);
    close_tree(&t, root);
}

static void links_stay_inside(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);

    (void)state;
    tree_write(&t, "etc/inet/inetd.conf", "inside\n");
    tree_write(&t, "../outside-of-root", "outside\n");
    tree_write(&t, "secret", "root level\n");
    tree_link(&t, "inet/inetd.conf", "etc/relative");
    tree_link(&t, "/etc/inet/inetd.conf", "etc/absolute");
    tree_link(&t, "../../../../secret", "etc/up");
    tree_link(&t, "/../outside-of-root", "etc/out");
    tree_link(&t, "/etc", "etc/again");
    tree_link(&t, "loop2", "etc/loop1");
    tree_link(&t, "loop1", "etc/loop2");
    tree_link(&t, "nothing", "etc/dangling");
    for (int without = 0; without < 2; without++) {
        root_without_openat2(without == 1);
        expect_read(root, "etc/inet/inetd.conf", ROOT_OK, "inside\n");
        expect_read(root, "/etc/./inet//inetd.conf", ROOT_OK, "inside\n");
        expect_read(root, "etc/relative", ROOT_OK, "inside\n");
        expect_read(root, "etc/absolute", ROOT_OK, "inside\n");
        expect_read(root, "etc/up", ROOT_OK, "root level\n");
        expect_read(root, "etc/again/again/up", ROOT_OK, "root level\n");
        expect_read(root, "../../secret", ROOT_OK, "root level\n");
        expect_read(root, "etc/out", ROOT_ABSENT, NULL);
        expect_read(root, "etc/loop1", ROOT_ERROR, "link-loop");
        expect_read(root, "etc/dangling", ROOT_ABSENT, NULL);
        expect_read(root, "etc/none/at/all", ROOT_ABSENT, NULL);
        expect_read(root, "secret/below-a-file", ROOT_ABSENT, NULL);
        expect_real(root, "etc/absolute", "etc/inet/inetd.conf");
        expect_real(root, "etc/again/relative", "etc/inet/inetd.conf");
        expect_real(root, "etc/../etc/up", "secret");
        assert_true(root_exists(root, "etc/up"));
        assert_false(root_exists(root, "etc/out"));
        if (without)
            assert_int_equal(root_open_plain(root->fd, "../outside-of-root", O_RDONLY, 0), -1);
        assert_int_equal(root_openat(root, "etc/loop1", O_RDONLY, 0), -1);
        assert_int_equal(errno, ELOOP);
    }
    root_without_openat2(false);
    tree_unlink(&t, "../outside-of-root");
    close_tree(&t, root);
}

static void etc_that_is_its_own_link(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);
    struct strlist found = {0};
    struct diag d = DIAG_INIT;

    (void)state;
    tree_link(&t, "/etc", "etc");
    for (int without = 0; without < 2; without++) {
        root_without_openat2(without == 1);
        expect_read(root, "etc/inetd.conf", ROOT_ERROR, "link-loop");
        assert_int_equal(root_glob(root, "etc/inetd.conf", 10, &found, &d), -1);
        assert_string_equal(d.code, "link-loop");
        assert_int_equal(d.status, STATUS_REFUSED);
        diag_release(&d);
    }
    root_without_openat2(false);
    strlist_release(&found);
    close_tree(&t, root);
}

static void only_files_are_read(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);
    char *sparse;

    (void)state;
    tree_mkdir(&t, "etc/inetd.conf");
    tree_fifo(&t, "etc/fifo");
    tree_link(&t, "/etc/fifo", "etc/fifo-link");
    sparse = tree_path(&t, "etc/sparse");
    tree_write(&t, "etc/sparse", "");
    assert_int_equal(truncate(sparse, (off_t)4 << 30), 0);
    free(sparse);
    expect_read(root, "etc/inetd.conf", ROOT_ERROR, "not-a-file");
    expect_read(root, "etc/fifo", ROOT_ERROR, "not-a-file");
    expect_read(root, "etc/fifo-link", ROOT_ERROR, "not-a-file");
    expect_read(root, "etc/sparse", ROOT_ERROR, "too-large");
    expect_read(root, "", ROOT_ERROR, "not-a-file");
    close_tree(&t, root);
}

static void size_limit_is_exact(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);
    char bytes[4098];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    bytes[4096] = '\0';
    tree_write(&t, "f", bytes);
    expect_read(root, "f", ROOT_OK, bytes);
    bytes[4096] = 'x';
    bytes[4097] = '\0';
    tree_write(&t, "f", bytes);
    expect_read(root, "f", ROOT_ERROR, "too-large");
    tree_write(&t, "f", "");
    expect_read(root, "f", ROOT_OK, "");
    close_tree(&t, root);
}

static void same_compares_bytes(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);
    struct diag d = DIAG_INIT;

    (void)state;
    tree_write(&t, "f", "abc");
    assert_int_equal(root_same(root, "f", "abc", 3, &d), 1);
    assert_int_equal(root_same(root, "f", "abd", 3, &d), 0);
    assert_int_equal(root_same(root, "f", "ab", 2, &d), 0);
    assert_int_equal(root_same(root, "gone", "", 0, &d), 0);
    assert_false(diag_isset(&d));
    close_tree(&t, root);
}

static void metadata_is_complete(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct file_meta meta = {0}, copy;
    char *path;

    (void)state;
    tree_write(&t, "f", "abc");
    path = tree_path(&t, "f");
    assert_int_equal(chmod(path, 02640), 0);
    if (setxattr(path, "user.b", "two\0", 4, 0) != 0 || setxattr(path, "user.a", "", 0, 0) != 0) {
        free(path);
        close_tree(&t, root);
        printf("# skip: this file system has no user attributes\n");
        skip();
    }
    assert_int_equal(root_read(root, "f", 100, &out, &meta, &d), ROOT_OK);
    assert_int_equal(meta.st.st_mode, S_IFREG | 02640);
    assert_int_equal(meta.nxattrs, 2);
    assert_string_equal(meta.xattrs[0].name, "user.a");
    assert_int_equal(meta.xattrs[0].len, 0);
    assert_int_equal(meta.xattrs[1].len, 4);
    assert_memory_equal(meta.xattrs[1].value, "two\0", 4);
    file_meta_copy(&copy, &meta);
    assert_true(file_meta_same(&copy, &meta));
    copy.xattrs[1].value[0] = 'T';
    assert_false(file_meta_same(&copy, &meta));
    copy.xattrs[1].value[0] = 't';
    copy.st.st_mode ^= 04000;
    assert_false(file_meta_same(&copy, &meta));
    file_meta_release(&copy);
    file_meta_release(&meta);
    buf_release(&out);
    free(path);
    close_tree(&t, root);
}

static char *glob_text(struct root *root, const char *pattern)
{
    struct strlist found = {0};
    struct buf text = BUF_INIT;
    struct diag d = DIAG_INIT;

    assert_int_equal(root_glob(root, pattern, 100, &found, &d), 0);
    for (size_t i = 0; i < found.n; i++)
        buf_printf(&text, "%s ", found.v[i]);
    strlist_release(&found);
    return buf_steal(&text);
}

static void expect_glob(struct root *root, const char *pattern, const char *want)
{
    char *got = glob_text(root, pattern);

    assert_string_equal(got, want);
    free(got);
}

static void glob_finds_files(void **state)
{
    struct tree t;
    struct root *root = open_tree(&t);
    struct strlist found = {0};
    struct diag d = DIAG_INIT;

    (void)state;
    tree_write(&t, "etc/inetd.d/pop3", "");
    tree_write(&t, "etc/inetd.d/.hidden", "");
    tree_write(&t, "etc/inetd.d/new\nline", "");
    tree_mkdir(&t, "etc/inetd.d/dir");
    tree_fifo(&t, "etc/inetd.d/fifo");
    tree_link(&t, "/etc/services", "etc/inetd.d/link");
    tree_link(&t, "nowhere", "etc/inetd.d/zz-dangling");
    tree_write(&t, "etc/services", "");
    tree_write(&t, "etc/rc.d/rc.local", "");
    tree_link(&t, "/etc/rc.d", "etc/init.d");
    expect_glob(root, "etc/inetd.d/*",
                "etc/inetd.d/.hidden etc/inetd.d/link etc/inetd.d/new\nline etc/inetd.d/pop3 ");
    expect_glob(root, "etc/inetd.d", "etc/inetd.d ");
    expect_glob(root, "etc/*.d/rc.*", "etc/init.d/rc.local etc/rc.d/rc.local ");
    expect_glob(root, "/etc/services", "etc/services ");
    expect_glob(root, "usr/*/etc/*", "");
    expect_glob(root, "etc/services/*", "");
    assert_int_equal(root_glob(root, "etc/inetd.d/*", 3, &found, &d), -1);
    assert_string_equal(d.code, "too-many-files");
    assert_int_equal(found.n, 0);
    diag_release(&d);
    close_tree(&t, root);
}

static void a_bad_root_is_refused(void **state)
{
    struct root *root = NULL;
    struct diag d = DIAG_INIT;

    (void)state;
    assert_int_equal(root_open(&root, "/nonexistent/root", true, &d), -1);
    assert_int_equal(d.status, STATUS_REFUSED);
    diag_release(&d);
    assert_int_equal(root_open(&root, "/dev/null", true, &d), -1);
    assert_int_equal(d.status, STATUS_REFUSED);
    diag_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_stay_inside),
        cmocka_unit_test(etc_that_is_its_own_link),
        cmocka_unit_test(only_files_are_read),
        cmocka_unit_test(size_limit_is_exact),
        cmocka_unit_test(same_compares_bytes),
        cmocka_unit_test(metadata_is_complete),
        cmocka_unit_test(glob_finds_files),
        cmocka_unit_test(a_bad_root_is_refused),
        cmocka_unit_test(hints_name_the_file_below_the_root),
        cmocka_unit_test(a_link_loop_is_shown_safely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
