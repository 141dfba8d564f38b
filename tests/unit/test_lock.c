/* One writer per root; nobody without rights can keep it out, and nothing stays behind. */
#include "batten/lock.h"

#include <sys/file.h>
#include <sys/wait.h>

#include "batten/diag.h"
#include "batten/root.h"
#include "tree.h"

struct fixture {
    struct tree t;
    struct root *root;
    struct diag d;
    struct lock *lock;
    char *file;
};

static void fixture_open(struct fixture *f)
{
    *f = (struct fixture){.d = DIAG_INIT};
    tree_make(&f->t);
    tree_mkdir(&f->t, "etc");
    assert_int_equal(root_open(&f->root, f->t.dir, true, &f->d), 0);
    f->file = tree_path(&f->t, "etc/.batten.lock");
}

static void fixture_close(struct fixture *f)
{
    free(f->file);
    diag_release(&f->d);
    root_free(f->root);
    tree_remove(&f->t);
}

static void refused(struct fixture *f, const char *code)
{
    assert_int_equal(lock_take(&f->lock, f->root, 0, &f->d), -1);
    assert_string_equal(f->d.code, code);
    diag_release(&f->d);
}

static void taken(struct fixture *f)
{
    assert_int_equal(lock_take(&f->lock, f->root, 0, &f->d), 0);
}

static void one_at_a_time(void **state)
{
    struct lock *second = NULL;
    struct fixture f;
    struct stat st;

    (void)state;
    fixture_open(&f);
    taken(&f);
    assert_int_equal(lstat(f.file, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(lock_take(&second, f.root, 30, &f.d), -1);
    assert_string_equal(f.d.code, "locked");
    diag_release(&f.d);
    lock_drop(f.lock);
    assert_int_equal(lstat(f.file, &st), -1); /* the image is as it was */
    taken(&f);
    lock_drop(f.lock);
    fixture_close(&f);
}

/* As any user can: etc itself may be opened by all. */
static void a_lock_on_etc_is_nothing(void **state)
{
    struct fixture f;
    char *etc;
    int fd;

    (void)state;
    fixture_open(&f);
    etc = tree_path(&f.t, "etc");
    fd = open(etc, O_RDONLY | O_DIRECTORY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    taken(&f);
    lock_drop(f.lock);
    close(fd);
    free(etc);
    fixture_close(&f);
}

static void what_a_killed_one_left_is_used(void **state)
{
    struct fixture f;
    struct stat st;
    int fd;

    (void)state;
    fixture_open(&f);
    fd = open(f.file, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    taken(&f);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    lock_drop(f.lock);
    assert_int_equal(lstat(f.file, &st), -1);
    close(fd);
    fixture_close(&f);
}

static void something_else_of_that_name_is_left_alone(void **state)
{
    struct fixture f;
    struct stat st;

    (void)state;
    fixture_open(&f);
    tree_write(&f.t, "etc/.batten.lock", "");
    assert_int_equal(chmod(f.file, 0666), 0); /* anybody could hold it */
    refused(&f, "lock-file");
    assert_int_equal(chmod(f.file, 0600), 0);
    tree_write(&f.t, "etc/.batten.lock", "mine\n");
    assert_int_equal(chmod(f.file, 0600), 0);
    refused(&f, "lock-file");
    tree_expect(&f.t, "etc/.batten.lock", "mine\n");
    tree_unlink(&f.t, "etc/.batten.lock");
    tree_link(&f.t, "elsewhere", "etc/.batten.lock");
    refused(&f, "lock-file");
    tree_unlink(&f.t, "etc/.batten.lock");
    assert_int_equal(mkfifo(f.file, 0600), 0);
    refused(&f, "lock-file");
    assert_int_equal(unlink(f.file), 0);
    assert_int_equal(mkdir(f.file, 0700), 0);
    refused(&f, "lock-file");
    assert_int_equal(lstat(f.file, &st), 0);
    fixture_close(&f);
}

static void no_etc_no_lock(void **state)
{
    struct fixture f;
    char *etc;

    (void)state;
    fixture_open(&f);
    etc = tree_path(&f.t, "etc");
    assert_int_equal(rmdir(etc), 0);
    refused(&f, "no-etc");
    free(etc);
    fixture_close(&f);
}

enum { CROWD = 6, TURNS = 60 };

/* Read, wait a little, write one more: what no two may do at once. */
static void count_one(const char *path)
{
    char text[16] = "";
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    long n = pread(fd, text, sizeof(text) - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;

    usleep(200);
    n = snprintf(text, sizeof(text), "%ld", n + 1);
    if (pwrite(fd, text, (size_t)n, 0) != n)
        _exit(3);
    close(fd);
}

/* The file is removed and made all the time, and still there is one holder. */
static void a_crowd_takes_turns(void **state)
{
    struct fixture f;
    char *path, want[16];
    int status;

    (void)state;
    fixture_open(&f);
    path = tree_path(&f.t, "count");
    for (int i = 0; i < CROWD; i++) {
        if (fork() != 0)
            continue;
        for (int k = 0; k < TURNS; k++) {
            if (lock_take(&f.lock, f.root, 60000, NULL) != 0)
                _exit(2);
            count_one(path);
            lock_drop(f.lock);
            usleep((useconds_t)(rand() % 300));
        }
        _exit(0);
    }
    for (int i = 0; i < CROWD; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    (void)snprintf(want, sizeof(want), "%d", CROWD * TURNS);
    tree_expect(&f.t, "count", want);
    free(path);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(a_lock_on_etc_is_nothing),
        cmocka_unit_test(what_a_killed_one_left_is_used),
        cmocka_unit_test(something_else_of_that_name_is_left_alone),
        cmocka_unit_test(no_etc_no_lock),
        cmocka_unit_test(a_crowd_takes_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
