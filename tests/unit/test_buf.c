#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batten/buf.h"
#include "batten/mem.h"

static void an_empty_buf_is_a_string(void **state)
{
    struct buf b = BUF_INIT;
    char *stolen;

    (void)state;
    assert_string_equal(buf_str(&b), "");
    assert_true(buf_equal(&b, "", 0));
    assert_false(buf_equal(&b, "x", 1));
    buf_clear(&b);
    buf_add(&b, NULL, 0);
    assert_int_equal(b.len, 0);
    assert_string_equal(buf_str(&b), "");
    buf_release(&b);
    stolen = buf_steal(&b);
    assert_string_equal(stolen, "");
    free(stolen);
}

static void every_length_is_terminated(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        buf_addc(&b, (char)('a' + i % 26));
        assert_int_equal(b.len, i + 1);
        assert_true(b.cap > b.len);
        assert_int_equal(b.data[b.len], '\0');
    }
    for (size_t i = 0; i < 5000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_release(&b);
    assert_null(b.data);
    assert_int_equal(b.cap, 0);
}

/* One piece of every size around the first capacity and its doublings. */
static void pieces_of_every_size(void **state)
{
    char piece[600];

    (void)state;
    memset(piece, 'x', sizeof(piece));
    for (size_t first = 0; first < 140; first++)
        for (size_t second = 0; second < sizeof(piece); second += 7) {
            struct buf b = BUF_INIT;

            buf_add(&b, piece, first);
            buf_add(&b, piece, second);
            assert_int_equal(b.len, first + second);
            assert_int_equal(strlen(buf_str(&b)), first + second);
            buf_release(&b);
        }
}

static void growth_is_geometric(void **state)
{
    struct buf b = BUF_INIT;
    size_t moves = 0, cap = 0;

    (void)state;
    for (size_t i = 0; i < 1000000; i++) {
        buf_addc(&b, 'x');
        if (b.cap != cap) {
            cap = b.cap;
            moves++;
        }
    }
    assert_true(moves < 24);
    buf_release(&b);
}

static void reserve_keeps_what_is_there(void **state)
{
    struct buf b = BUF_INIT;
    const char *before;

    (void)state;
    buf_adds(&b, "kept");
    buf_reserve(&b, 100000);
    assert_true(b.cap >= 100005);
    assert_string_equal(buf_str(&b), "kept");
    before = b.data;
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, 'x');
    assert_ptr_equal(before, b.data);
    buf_release(&b);
}

static void nul_bytes_are_bytes(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    buf_add(&b, "a\0b", 3);
    buf_addc(&b, '\0');
    assert_int_equal(b.len, 4);
    assert_true(buf_equal(&b, "a\0b\0", 4));
    assert_false(buf_equal(&b, "a\0c\0", 4));
    assert_false(buf_equal(&b, "a", 1));
    buf_release(&b);
}

static void clear_keeps_the_memory(void **state)
{
    struct buf b = BUF_INIT;
    size_t cap;

    (void)state;
    buf_adds(&b, "some text");
    cap = b.cap;
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    assert_string_equal(buf_str(&b), "");
    buf_adds(&b, "other");
    assert_string_equal(buf_str(&b), "other");
    buf_release(&b);
}

static void steal_empties(void **state)
{
    struct buf b = BUF_INIT;
    char *s;

    (void)state;
    buf_adds(&b, "mine now");
    s = buf_steal(&b);
    assert_string_equal(s, "mine now");
    assert_int_equal(b.len, 0);
    assert_null(b.data);
    buf_adds(&b, "again");
    assert_string_equal(buf_str(&b), "again");
    free(s);
    buf_release(&b);
}

static void printf_appends(void **state)
{
    struct buf b = BUF_INIT;
    char *wide = mem_alloc(3001);

    (void)state;
    memset(wide, 'w', 3000);
    buf_printf(&b, "%s:%u", "etc/inetd.conf", 12u);
    buf_printf(&b, "%s", "");
    buf_printf(&b, ":%s", wide);
    assert_int_equal(b.len, 17 + 1 + 3000);
    assert_memory_equal(b.data, "etc/inetd.conf:12:www", 21);
    assert_int_equal(strlen(b.data), b.len);
    free(wide);
    buf_release(&b);
}

static void lists_own_their_strings(void **state)
{
    struct strlist l = {0};
    char word[] = "telnet";

    (void)state;
    assert_false(strlist_has(&l, "telnet"));
    strlist_sort(&l);
    strlist_add(&l, word);
    word[0] = 'T';
    assert_true(strlist_has(&l, "telnet"));
    assert_false(strlist_has(&l, "Telnet"));
    strlist_addf(&l, "%d/%s", 79, "tcp");
    for (int i = 0; i < 100; i++)
        strlist_addf(&l, "%03d", (37 * i) % 100);
    assert_int_equal(l.n, 102);
    assert_true(strlist_has(&l, "79/tcp"));
    strlist_sort(&l);
    for (size_t i = 1; i < l.n; i++)
        assert_true(strcmp(l.v[i - 1], l.v[i]) <= 0);
    strlist_release(&l);
    assert_int_equal(l.n, 0);
    assert_null(l.v);
}

static void lists_sort_by_bytes(void **state)
{
    struct strlist l = {0};

    (void)state;
    strlist_add(&l, "\xe9");
    strlist_add(&l, "b");
    strlist_add(&l, "");
    strlist_add(&l, "B");
    strlist_sort(&l);
    assert_string_equal(l.v[0], "");
    assert_string_equal(l.v[1], "B");
    assert_string_equal(l.v[2], "b");
    assert_string_equal(l.v[3], "\xe9");
    strlist_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buf_is_a_string),
        cmocka_unit_test(every_length_is_terminated),
        cmocka_unit_test(pieces_of_every_size),
        cmocka_unit_test(growth_is_geometric),
        cmocka_unit_test(reserve_keeps_what_is_there),
        cmocka_unit_test(nul_bytes_are_bytes),
        cmocka_unit_test(clear_keeps_the_memory),
        cmocka_unit_test(steal_empties),
        cmocka_unit_test(printf_appends),
        cmocka_unit_test(lists_own_their_strings),
        cmocka_unit_test(lists_sort_by_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
