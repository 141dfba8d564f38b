#include "batten/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/host/root_int.h"
#include "batten/diag.h"
#include "batten/mem.h"
#include "tree.h"

static const char old_text[] = "telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n";
static const char new_text[] = "#telnet stream tcp nowait root /usr/sbin/telnetd telnetd\n";

struct fixture {
    struct tree t;
    struct root *root;
    struct diag d;
    struct file_meta meta;
    struct replace *r;
};

static void fixture_open(struct fixture *f)
{
    struct buf bytes = BUF_INIT;

    *f = (struct fixture){.d = DIAG_INIT};
    tree_make(&f->t);
    tree_write(&f->t, "etc/inetd.conf", old_text);
    assert_int_equal(root_open(&f->root, f->t.dir, true, &f->d), 0);
    assert_int_equal(root_read(f->root, "etc/inetd.conf", 4096, &bytes, &f->meta, &f->d), ROOT_OK);
    f->r = replace_new(f->root);
    buf_release(&bytes);
}

static void fixture_close(struct fixture *f)
{
    replace_free(f->r);
    file_meta_release(&f->meta);
    diag_release(&f->d);
    root_free(f->root);
    tree_remove(&f->t);
}

static int stage(struct fixture *f, const char *path)
{
    struct replace_file file = {.path = path,
                                .old = old_text,
                                .old_len = strlen(old_text),
                                .meta = &f->meta,
                                .bytes = new_text,
                                .len = strlen(new_text)};

    return replace_stage(f->r, &file, &f->d);
}

static void expect_no_staging(struct fixture *f)
{
    char *path = tree_path(&f->t, "etc/.batten");

    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

static void swaps_and_clears(void **state)
{
    struct fixture f;
    char *path, value[8];
    struct stat st;

    (void)state;
    fixture_open(&f);
    path = tree_path(&f.t, "etc/inetd.conf");
    assert_int_equal(chmod(path, 0640), 0);
    setxattr(path, "user.note", "kept", 4, 0);
    f.meta.st.st_mode = S_IFREG | 0640;
    file_meta_release(&f.meta);
    replace_free(f.r);
    f.r = replace_new(f.root);
    {
        struct buf bytes = BUF_INIT;

        root_read(f.root, "etc/inetd.conf", 4096, &bytes, &f.meta, &f.d);
        buf_release(&bytes);
    }
    assert_int_equal(stage(&f, "etc/inetd.conf"), 0);
    tree_expect(&f.t, "etc/inetd.conf", old_text);
    assert_int_equal(replace_swap(f.r, &f.d), 0);
    tree_expect(&f.t, "etc/inetd.conf", new_text);
    tree_expect(&f.t, "etc/.batten/new.0", old_text);
    assert_int_equal(replace_finish(f.r, &f.d), 0);
    tree_expect(&f.t, "etc/inetd.conf", new_text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    if (f.meta.nxattrs > 0) {
        assert_int_equal(getxattr(path, "user.note", value, sizeof(value)), 4);
        assert_memory_equal(value, "kept", 4);
    }
    expect_no_staging(&f);
    free(path);
    fixture_close(&f);
}

static void staging_is_private(void **state)
{
    struct fixture f;
    struct stat st;
    char *path;

    (void)state;
    fixture_open(&f);
    umask(0);
    assert_int_equal(stage(&f, "etc/inetd.conf"), 0);
    path = tree_path(&f.t, "etc/.batten");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    umask(022);
    replace_free(f.r);
    f.r = NULL;
    expect_no_staging(&f);
    tree_expect(&f.t, "etc/inetd.conf", old_text);
    free(path);
    fixture_close(&f);
}

static void foreign_staging_is_refused(void **state)
{
    struct fixture f;
    char *path;

    (void)state;
    fixture_open(&f);
    tree_mkdir(&f.t, "elsewhere");
    tree_link(&f.t, "/elsewhere", "etc/.batten");
    assert_int_equal(stage(&f, "etc/inetd.conf"), -1);
    assert_string_equal(f.d.code, "staging-dir");
    diag_release(&f.d);
    tree_unlink(&f.t, "etc/.batten");
    tree_mkdir(&f.t, "etc/.batten");
    path = tree_path(&f.t, "etc/.batten");
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(stage(&f, "etc/inetd.conf"), -1);
    assert_string_equal(f.d.code, "staging-dir");
    assert_non_null(strstr(f.d.hint, path)); /* and not the host's own */
    free(path);
    fixture_close(&f);
}

static void a_symlink_stays(void **state)
{
    struct fixture f;
    char *path;
    struct stat st;

    (void)state;
    fixture_open(&f);
    tree_write(&f.t, "etc/inet/inetd.conf", old_text);
    tree_unlink(&f.t, "etc/inetd.conf");
    tree_link(&f.t, "/etc/inet/inetd.conf", "etc/inetd.conf");
    assert_int_equal(stage(&f, "etc/inetd.conf"), 0);
    assert_int_equal(replace_swap(f.r, &f.d), 0);
    assert_int_equal(replace_finish(f.r, &f.d), 0);
    path = tree_path(&f.t, "etc/inetd.conf");
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    tree_expect(&f.t, "etc/inet/inetd.conf", new_text);
    free(path);
    fixture_close(&f);
}

static void foreign_content_goes_back(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    tree_write(&f.t, "etc/rc.local", old_text);
    assert_int_equal(stage(&f, "etc/rc.local"), 0);
    assert_int_equal(stage(&f, "etc/inetd.conf"), 0);
    tree_write(&f.t, "etc/inetd.conf", "the admin was here\n");
    assert_int_equal(replace_swap(f.r, &f.d), -1);
    assert_int_equal(f.d.status, STATUS_REFUSED);
    assert_string_equal(f.d.code, "changed-since");
    replace_free(f.r);
    f.r = NULL;
    tree_expect(&f.t, "etc/inetd.conf", "the admin was here\n");
    tree_expect(&f.t, "etc/rc.local", old_text);
    expect_no_staging(&f);
    fixture_close(&f);
}

/* What the child in a_crowded_file writes last. */
enum { CROWD_WRITES = 10000 };

static void crowd(const char *path)
{
    char *other = mem_printf("%s.foreign", path), text[32];

    for (int i = 1; i <= CROWD_WRITES; i++) {
        int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC, 0644), len;

        len = snprintf(text, sizeof(text), "foreign %d\n", i);
        if (fd < 0 || write(fd, text, (size_t)len) != len || close(fd) != 0 ||
            rename(other, path) != 0)
            _exit(1);
    }
    _exit(0);
}

/* However often somebody puts a new file in the place, the last of them is there in the end. */
static void a_crowded_file(void **state)
{
    struct fixture f;
    char *path, last[32], *now;
    int status;
    pid_t pid;

    (void)state;
    not_under_valgrind();
    fixture_open(&f);
    path = tree_path(&f.t, "etc/inetd.conf");
    pid = fork();
    if (pid == 0)
        crowd(path);
    while (waitpid(pid, &status, WNOHANG) == 0) {
        replace_free(f.r);
        f.r = replace_new(f.root);
        assert_int_equal(stage(&f, "etc/inetd.conf"), 0);
        if (replace_swap(f.r, &f.d) == 0)
            replace_finish(f.r, &f.d);
        diag_release(&f.d);
    }
    assert_int_equal(status, 0);
    snprintf(last, sizeof(last), "foreign %d\n", CROWD_WRITES);
    now = tree_read(&f.t, "etc/inetd.conf");
    assert_string_equal(now, last);
    free(now);
    free(path);
    fixture_close(&f);
}

static void a_changed_mode_is_foreign_too(void **state)
{
    struct fixture f;
    char *path;

    (void)state;
    fixture_open(&f);
    path = tree_path(&f.t, "etc/inetd.conf");
    assert_int_equal(stage(&f, "etc/inetd.conf"), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(replace_swap(f.r, &f.d), -1);
    assert_string_equal(f.d.code, "changed-since");
    tree_expect(&f.t, "etc/inetd.conf", old_text);
    free(path);
    fixture_close(&f);
}

static void a_retargeted_link_is_noticed(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    tree_write(&f.t, "etc/a/inetd.conf", old_text);
    tree_write(&f.t, "etc/b/inetd.conf", old_text);
    tree_link(&f.t, "a", "etc/current");
    assert_int_equal(stage(&f, "etc/current/inetd.conf"), 0);
    tree_unlink(&f.t, "etc/current");
    tree_link(&f.t, "b", "etc/current");
    assert_int_equal(replace_swap(f.r, &f.d), -1);
    assert_string_equal(f.d.code, "changed-since");
    tree_expect(&f.t, "etc/a/inetd.conf", old_text);
    tree_expect(&f.t, "etc/b/inetd.conf", old_text);
    fixture_close(&f);
}

static void undo_brings_the_old_back(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    assert_int_equal(stage(&f, "etc/inetd.conf"), 0);
    assert_int_equal(replace_swap(f.r, &f.d), 0);
    assert_int_equal(replace_undo(f.r, &f.d), 0);
    tree_expect(&f.t, "etc/inetd.conf", old_text);
    replace_free(f.r);
    f.r = NULL;
    expect_no_staging(&f);
    fixture_close(&f);
}

static void check_says(struct fixture *f, const char *path, unsigned flags, const char *code)
{
    int rc = replace_check(f->root, path, &f->meta, 100, flags, &f->d);

    if (code == NULL) {
        assert_int_equal(rc, 0);
    } else {
        assert_int_equal(rc, -1);
        assert_string_equal(f->d.code, code);
        assert_non_null(f->d.hint);
    }
    diag_release(&f->d);
}

static void hard_links_are_told(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.meta.st.st_nlink = 2;
    check_says(&f, "etc/inetd.conf", 0, "hard-links");
    check_says(&f, "etc/inetd.conf", REPLACE_BREAK_LINKS, NULL);
    fixture_close(&f);
}

static void the_immutable_flag_is_told(void **state)
{
    struct fixture f;
    char *path;
    int fd, flags = 0, set;

    (void)state;
    fixture_open(&f);
    path = tree_path(&f.t, "etc/inetd.conf");
    fd = open(path, O_RDONLY);
    set = ioctl(fd, FS_IOC_GETFLAGS, &flags);
    flags |= FS_IMMUTABLE_FL;
    if (set != 0 || ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0) {
        printf("# skip: no immutable flag here\n");
        close(fd);
        free(path);
        fixture_close(&f);
        skip();
    }
    check_says(&f, "etc/inetd.conf", 0, "immutable");
    flags &= ~FS_IMMUTABLE_FL;
    assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
    check_says(&f, "etc/inetd.conf", 0, NULL);
    close(fd);
    free(path);
    fixture_close(&f);
}

/* In a mount namespace of its own: returns through the exit status, 77 where there is none. */
static void mounts_in_child(void)
{
    struct fixture f;
    char *etc, *conf, *other;

    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", "", MS_REC | MS_PRIVATE, NULL) != 0)
        _exit(77);
    fixture_open(&f);
    etc = tree_path(&f.t, "etc");
    conf = tree_path(&f.t, "etc/inetd.conf");
    tree_write(&f.t, "opt/conf/inetd.conf", old_text);
    other = tree_path(&f.t, "opt");
    assert_int_equal(mount(conf, conf, "", MS_BIND, NULL), 0);
    check_says(&f, "etc/inetd.conf", 0, "bind-mount");
    assert_int_equal(umount(conf), 0);

    assert_int_equal(mount(etc, etc, "", MS_BIND, NULL), 0);
    assert_int_equal(mount(NULL, etc, "", MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
    check_says(&f, "etc/inetd.conf", 0, "read-only");
    assert_int_equal(umount(etc), 0);

    assert_int_equal(mount("t", other, "tmpfs", 0, "size=64k,nr_inodes=20"), 0);
    tree_write(&f.t, "opt/conf/inetd.conf", old_text);
    {
        char *dir = NULL;
        struct buf bytes = BUF_INIT;

        assert_int_equal(replace_staging(f.root, "opt/conf/inetd.conf", &dir, &f.d), 0);
        assert_string_equal(dir, "opt/.batten");
        free(dir);
        file_meta_release(&f.meta);
        root_read(f.root, "opt/conf/inetd.conf", 4096, &bytes, &f.meta, &f.d);
        buf_release(&bytes);
    }
    check_says(&f, "opt/conf/inetd.conf", 0, "no-space");
    assert_int_equal(stage(&f, "opt/conf/inetd.conf"), 0);
    assert_int_equal(replace_swap(f.r, &f.d), 0);
    assert_int_equal(replace_finish(f.r, &f.d), 0);
    tree_expect(&f.t, "opt/conf/inetd.conf", new_text);
    replace_free(f.r);
    f.r = NULL;
    assert_int_equal(umount2(other, MNT_DETACH), 0);
    free(etc);
    free(conf);
    free(other);
    fixture_close(&f);
    _exit(0);
}

static void mounts_are_told(void **state)
{
    pid_t pid;
    int status = 0;

    (void)state;
    not_under_valgrind();
    pid = fork();
    if (pid == 0)
        mounts_in_child();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        printf("# skip: no mount namespace here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* What recover does for each state a crash can leave: target, slot, direction, what must be. */
static void settles_every_state(void **state)
{
    static const char other[] = "somebody else\n", third[] = "a third\n";
    static const struct {
        const char *target, *slot;
        bool forward;
        const char *want;
        enum replace_found found;
    } cases[] = {
        {old_text, new_text, false, old_text, FOUND_OLD    },
        {old_text, new_text, true,  new_text, FOUND_NEW    },
        {old_text, NULL,     false, old_text, FOUND_OLD    },
        {new_text, old_text, true,  new_text, FOUND_NEW    },
        {new_text, old_text, false, old_text, FOUND_OLD    },
        {new_text, NULL,     true,  new_text, FOUND_NEW    },
        {new_text, other,    true,  other,    FOUND_FOREIGN},
        {other,    new_text, true,  other,    FOUND_FOREIGN},
        {other,    old_text, true,  other,    FOUND_FOREIGN},
        {other,    third,    true,  other,    FOUND_FOREIGN},
        {old_text, third,    false, old_text, FOUND_OLD    },
        {NULL,     third,    true,  NULL,     FOUND_ABSENT },
        {NULL,     old_text, true,  NULL,     FOUND_ABSENT },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;
        struct strlist report = {0};
        enum replace_found found;
        char old_print[FILE_PRINT], new_print[FILE_PRINT], *dir;
        struct replace_record rec = {"etc/inetd.conf", "etc/.batten", 0, old_print, new_print};

        fixture_open(&f);
        file_print(&f.meta, old_text, strlen(old_text), old_print);
        file_print(&f.meta, new_text, strlen(new_text), new_print);
        tree_unlink(&f.t, "etc/inetd.conf");
        if (cases[i].target != NULL)
            tree_write(&f.t, "etc/inetd.conf", cases[i].target);
        tree_write(&f.t, "etc/.batten/part.3", "half");
        dir = tree_path(&f.t, "etc/.batten");
        assert_int_equal(chmod(dir, 0700), 0);
        if (cases[i].slot != NULL)
            tree_write(&f.t, "etc/.batten/new.0", cases[i].slot);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(replace_settle(f.root, &rec, cases[i].forward, &found, &report, &f.d),
                             0);
            replace_clear(f.root, "etc/.batten");
            tree_expect(&f.t, "etc/inetd.conf", cases[i].want);
            tree_expect(&f.t, "etc/.batten/new.0", NULL);
            tree_expect(&f.t, "etc/.batten/part.3", NULL);
            assert_int_equal(found, cases[i].found);
        }
        if (cases[i].slot == third)
            assert_int_equal(access(dir, F_OK), 0);
        else
            expect_no_staging(&f);
        strlist_release(&report);
        free(dir);
        fixture_close(&f);
    }
}

static void own_files_are_replaced(void **state)
{
    struct fixture f;
    struct stat st;
    char *path;

    (void)state;
    fixture_open(&f);
    assert_int_equal(replace_own_mkdir(f.root, "var/lib/batten", 0700, &f.d), 0);
    assert_int_equal(replace_own_mkdir(f.root, "var/lib/batten", 0700, &f.d), 0);
    tree_write(&f.t, "var/lib/batten/journal.lock", "left by a crash");
    assert_int_equal(replace_own(f.root, "var/lib/batten/journal", "one", 3, 0600, &f.d), 0);
    assert_int_equal(replace_own(f.root, "var/lib/batten/journal", "two", 3, 0600, &f.d), 0);
    tree_expect(&f.t, "var/lib/batten/journal", "two");
    tree_expect(&f.t, "var/lib/batten/journal.lock", NULL);
    path = tree_path(&f.t, "var/lib/batten");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(replace_own_remove(f.root, "var/lib/batten/journal", &f.d), 0);
    assert_int_equal(replace_own_remove(f.root, "var/lib/batten/journal", &f.d), 0);
    tree_expect(&f.t, "var/lib/batten/journal", NULL);
    free(path);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swaps_and_clears),
        cmocka_unit_test(staging_is_private),
        cmocka_unit_test(foreign_staging_is_refused),
        cmocka_unit_test(a_symlink_stays),
        cmocka_unit_test(foreign_content_goes_back),
        cmocka_unit_test(a_crowded_file),
        cmocka_unit_test(a_changed_mode_is_foreign_too),
        cmocka_unit_test(a_retargeted_link_is_noticed),
        cmocka_unit_test(undo_brings_the_old_back),
        cmocka_unit_test(hard_links_are_told),
        cmocka_unit_test(the_immutable_flag_is_told),
        cmocka_unit_test(mounts_are_told),
        cmocka_unit_test(settles_every_state),
        cmocka_unit_test(own_files_are_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
