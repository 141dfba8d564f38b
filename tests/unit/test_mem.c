#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/mem.h"

static void memory_is_zeroed(void **state)
{
    unsigned char *p = mem_alloc(10000);
    int *v = mem_array(2500, sizeof(*v));

    (void)state;
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(p[i], 0);
    for (size_t i = 0; i < 2500; i++)
        assert_int_equal(v[i], 0);
    free(p);
    free(v);
}

static void nothing_is_something(void **state)
{
    void *p = mem_alloc(0), *q = mem_array(0, 0), *r = mem_array(0, 8);

    (void)state;
    assert_non_null(p);
    assert_non_null(q);
    assert_non_null(r);
    free(p);
    free(q);
    free(r);
}

static void growth_keeps_and_zeroes(void **state)
{
    struct {
        int a, b;
    } *v = NULL;
    size_t n = 0, cap = 0, moves = 0, last = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        v = mem_grow(v, n, &cap, sizeof(*v));
        assert_true(cap > n);
        assert_int_equal(v[n].a, 0);
        assert_int_equal(v[n].b, 0);
        v[n].a = i;
        v[n++].b = -1;
        moves += cap != last;
        last = cap;
    }
    for (int i = 0; i < 100000; i++)
        assert_int_equal(v[i].a, i);
    assert_true(moves < 20);
    free(v);
}

static void copies(void **state)
{
    char *s = mem_strdup("text"), *cut = mem_strndup("a\0bcd", 3), *none = mem_strndup("x", 0);
    char *made = mem_printf("%s/%d", "tcp", 79);

    (void)state;
    assert_null(mem_strdup(NULL));
    assert_string_equal(s, "text");
    assert_memory_equal(cut, "a\0b\0", 4);
    assert_string_equal(none, "");
    assert_string_equal(made, "tcp/79");
    free(s);
    free(cut);
    free(none);
    free(made);
}

static void grow_without_end(void)
{
    size_t cap = SIZE_MAX / 16;

    free(mem_grow(NULL, cap, &cap, 16));
}

static void reserve_without_end(void)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "some");
    buf_reserve(&b, SIZE_MAX - 2);
}

/* Run F in a child with its messages in a pipe; its exit status, and what it said in TEXT. */
static int status_of(void (*f)(void), char *text, size_t size)
{
    int fds[2], status = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        f();
        _exit(99);
    }
    close(fds[1]);
    got = read(fds[0], text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* An overflowing size must end the program with its own status, never wrap to a small block. */
static void no_memory_ends_with_its_status(void **state)
{
    char said[200];

    (void)state;
    assert_int_equal(status_of(grow_without_end, said, sizeof(said)), STATUS_SYSTEM);
    assert_string_equal(said, "batten: error: out of memory\n");
    assert_int_equal(status_of(reserve_without_end, said, sizeof(said)), STATUS_SYSTEM);
    assert_string_equal(said, "batten: error: out of memory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(nothing_is_something),
        cmocka_unit_test(growth_keeps_and_zeroes),
        cmocka_unit_test(copies),
        cmocka_unit_test(no_memory_ends_with_its_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
