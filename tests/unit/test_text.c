#include <limits.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/text.h"

static void numbers(void **state)
{
    static const char *const bad[] = {"",
                                      " 1",
                                      "1 ",
                                      "+1",
                                      "--1",
                                      "-",
                                      "0x10",
                                      "1a",
                                      "a",
                                      "1e3",
                                      "1.0",
                                      "65536",
                                      "-1",
                                      "\t23",
                                      "1,",
                                      "23\n",
                                      "٣",
                                      "9223372036854775808",
                                      "99999999999999999999999999"};
    long long n = 77;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (text_number(bad[i], 0, 65535, &n) == 0)
            fail_msg("'%s' was taken for a number", bad[i]);
        assert_int_equal(n, 77);
    }
    assert_int_equal(text_number("0", 0, 65535, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(text_number("65535", 0, 65535, &n), 0);
    assert_int_equal(n, 65535);
    assert_int_equal(text_number("0023", 0, 65535, &n), 0);
    assert_int_equal(n, 23);
    assert_int_equal(text_number("-5", -5, 5, &n), 0);
    assert_int_equal(n, -5);
    assert_int_equal(text_number("9223372036854775807", 0, LLONG_MAX, &n), 0);
    assert_true(n == LLONG_MAX);
    assert_int_equal(text_number("-9223372036854775808", LLONG_MIN, 0, &n), 0);
    assert_true(n == LLONG_MIN);
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        long long ms;
    } good[] = {
        {"0s",         0       },
        {"500ms",      500     },
        {"90s",        90000   },
        {"5m",         300000  },
        {"2h",         7200000 },
        {"24h",        86400000},
        {"86400000ms", 86400000},
        {"1440m",      86400000},
    };
    static const char *const bad[] = {
        "",           "5",    "s",    "ms",     "5 m",  "5M",
        "5d",         "-5s",  "+5s",  "5.5s",   "5ss",  "5s ",
        "25h",        "1e3s", "24h1", "86401s", "5min", "99999999999999999999h",
        "100000001ms"};
    long long ms;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        ms = -1;
        assert_int_equal(text_duration(good[i].text, &ms), 0);
        assert_int_equal(ms, good[i].ms);
    }
    ms = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (text_duration(bad[i], &ms) == 0)
            fail_msg("'%s' was taken for a time", bad[i]);
        assert_int_equal(ms, 77);
    }
}

static void assert_safe_len(const char *bytes, size_t len, const char *want)
{
    struct buf out = BUF_INIT;

    text_safe(&out, bytes, len);
    assert_string_equal(buf_str(&out), want);
    buf_release(&out);
}

static void assert_safe(const char *bytes, const char *want)
{
    assert_safe_len(bytes, strlen(bytes), want);
}

static void safe_text(void **state)
{
    (void)state;
    assert_safe("", "");
    assert_safe("plain text 'quoted' \\", "plain text 'quoted' \\");
    assert_safe("a\tb", "a b");
    assert_safe("\x1b[2J\x07", "\\x1b[2J\\x07");
    assert_safe("a\rb\nc", "a\\x0db\\x0ac");
    assert_safe_len("a\0b", 3, "a\\x00b");
    assert_safe("\x7f", "\\x7f");
    /* UTF-8 stays; C1 controls, also as UTF-8, do not */
    assert_safe("caf\xc3\xa9 \xe6\x9d\xb1 \xf0\x9f\x90\x9a",
                "caf\xc3\xa9 \xe6\x9d\xb1 \xf0\x9f\x90\x9a");
    assert_safe("\xc2\x9b"
                "31m",
                "\\u009b31m");
    assert_safe("\x9b"
                "31m",
                "\\x9b31m");
    /* Latin-1 */
    assert_safe("caf\xe9", "caf\\xe9");
    assert_safe("\xe9t\xe9", "\\xe9t\\xe9");
}

static void safe_text_reorders_nothing(void **state)
{
    static const char *const marks[][2] = {
        {"\xd8\x9c",     "\\u061c"},
        {"\xe2\x80\x8b", "\\u200b"},
        {"\xe2\x80\x8e", "\\u200e"},
        {"\xe2\x80\x8f", "\\u200f"},
        {"\xe2\x80\xa8", "\\u2028"},
        {"\xe2\x80\xaa", "\\u202a"},
        {"\xe2\x80\xae", "\\u202e"},
        {"\xe2\x81\xa6", "\\u2066"},
        {"\xe2\x81\xa9", "\\u2069"},
        {"\xef\xbb\xbf", "\\ufeff"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        assert_safe(marks[i][0], marks[i][1]);
}

/* Bytes that are no UTF-8 (RFC 3629), each byte shown for itself. */
static void invalid_utf8(void **state)
{
    static const struct {
        const char *bytes, *safe;
        size_t replaced;
    } bad[] = {
        {"\x80",             "\\x80",                1},
        {"\xc3",             "\\xc3",                1},
        {"\xc3(",            "\\xc3(",               1},
        {"\xc0\xaf",         "\\xc0\\xaf",           2}, /* overlong slash */
        {"\xe0\x80\xaf",     "\\xe0\\x80\\xaf",      3},
        {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf", 4},
        {"\xed\xa0\x80",     "\\xed\\xa0\\x80",      3}, /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", 4}, /* above U+10FFFF */
        {"\xf8\x88\x80\x80", "\\xf8\\x88\\x80\\x80", 4},
        {"\xff\xfe",         "\\xff\\xfe",           2},
        {"\xe2\x82",         "\\xe2\\x82",           2}, /* cut off */
        {"\xe2\x82x",        "\\xe2\\x82x",          2},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = BUF_INIT;
        size_t found = 0;

        assert_safe(bad[i].bytes, bad[i].safe);
        assert_false(text_utf8(&out, bad[i].bytes, strlen(bad[i].bytes)));
        for (const char *s = buf_str(&out); (s = strstr(s, "\xef\xbf\xbd")) != NULL; s += 3)
            found++;
        assert_int_equal(found, bad[i].replaced);
        buf_release(&out);
    }
}

/* Every pair of bytes, and every lead byte before every continuation: what text_safe gives is
 * printable for a terminal, what text_utf8 gives is UTF-8. */
static void any_bytes(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++) {
            char bytes[4] = {(char)a, (char)b, (char)0x80, (char)0xbf};
            struct buf safe = BUF_INIT, utf8 = BUF_INIT, again = BUF_INIT;

            text_safe(&safe, bytes, sizeof(bytes));
            for (size_t i = 0; i < safe.len; i++) {
                assert_true((unsigned char)safe.data[i] >= 0x20);
                assert_int_not_equal(safe.data[i], 0x7f);
            }
            assert_true(text_utf8(&again, buf_str(&safe), safe.len));
            buf_clear(&again);
            text_utf8(&utf8, bytes, sizeof(bytes));
            assert_true(text_utf8(&again, utf8.data, utf8.len));
            assert_true(buf_equal(&again, utf8.data, utf8.len));
            buf_release(&safe);
            buf_release(&utf8);
            buf_release(&again);
        }
}

static void clean_utf8_is_kept(void **state)
{
    static const char text[] = "a\0b\x01\x1b\xc2\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"
                               "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
    struct buf out = BUF_INIT;

    (void)state;
    assert_true(text_utf8(&out, text, sizeof(text) - 1));
    assert_true(buf_equal(&out, text, sizeof(text) - 1));
    buf_release(&out);
}

static void base64(void **state)
{
    static const char *const pairs[][2] = {
        {"",       ""        },
        {"f",      "Zg=="    },
        {"fo",     "Zm8="    },
        {"foo",    "Zm9v"    },
        {"foob",   "Zm9vYg=="},
        {"fooba",  "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"}
    };
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        buf_clear(&out);
        text_base64(&out, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(buf_str(&out), pairs[i][1]);
    }
    buf_clear(&out);
    text_base64(&out, "\0\xff\xfb\xe9", 4);
    assert_string_equal(buf_str(&out), "AP/76Q==");
    buf_release(&out);
}

static void escapes_come_back(void **state)
{
    struct buf out = BUF_INIT;
    char all[256];
    char *back;
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(all); i++)
        all[i] = (char)i;
    text_escape(&out, all, sizeof(all));
    for (size_t i = 0; i < out.len; i++)
        assert_true(out.data[i] > ' ' && out.data[i] <= '~');
    back = text_unescape(out.data, &len);
    assert_non_null(back);
    assert_int_equal(len, sizeof(all));
    assert_memory_equal(back, all, sizeof(all));
    free(back);
    buf_release(&out);
    back = text_unescape("", &len);
    assert_non_null(back);
    assert_int_equal(len, 0);
    free(back);
}

static void foreign_escapes_are_refused(void **state)
{
    static const char *const bad[] = {"%",   "%2",   "a%", "%zz", "%2f",
                                      "a b", "\x7f", "\n", "%%",  "\xe9"};
    size_t len;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (text_unescape(bad[i], &len) != NULL)
            fail_msg("'%s' was taken for an escaped word", bad[i]);
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("telnet"), 6);
    assert_int_equal(text_width("caf\xe9"), 4); /* Latin-1: an invalid byte is one column */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
        print_message("skip: this system has no C.UTF-8 locale\n");
        skip();
    }
    assert_int_equal(text_width("caf\xc3\xa9"), 4);
    assert_int_equal(text_width("\xe6\x9d\xb1\xe4\xba\xac"), 4);
    assert_int_equal(text_width("e\xcc\x81"), 1); /* a combining accent takes none */
    setlocale(LC_CTYPE, "C");
    assert_int_equal(text_width("caf\xc3\xa9"), 4);
}

static void nearest(void **state)
{
    static const char *const words[] = {"telnet", "finger", "imap", "pop", "ftp", "statd"};
    size_t n = ARRAY_LEN(words);
    char endless[300];

    (void)state;
    assert_string_equal(text_nearest("telent", words, n), "telnet");
    assert_string_equal(text_nearest("figner", words, n), "finger");
    assert_string_equal(text_nearest("fingerd", words, n), "finger");
    assert_string_equal(text_nearest("telnet", words, n), "telnet");
    assert_string_equal(text_nearest("stadt", words, n), "statd");
    assert_null(text_nearest("frobnicate", words, n));
    assert_null(text_nearest("telnet", words, 0));
    assert_null(text_nearest("", words, n));
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    assert_null(text_nearest(endless, words, n));
}

static void paths_and_prefixes(void **state)
{
    (void)state;
    assert_string_equal(text_basename("/usr/sbin/in.telnetd"), "in.telnetd");
    assert_string_equal(text_basename("in.telnetd"), "in.telnetd");
    assert_string_equal(text_basename("/"), "");
    assert_string_equal(text_basename(""), "");
    assert_true(text_starts("telnet", "tel"));
    assert_true(text_starts("telnet", ""));
    assert_true(text_starts("tel", "tel"));
    assert_false(text_starts("te", "tel"));
    assert_false(text_starts("xtel", "tel"));
}

static void bytes_in_order(void **state)
{
    (void)state;
    assert_int_equal(text_compare("a", 1, "a", 1), 0);
    assert_int_equal(text_compare(NULL, 0, NULL, 0), 0);
    assert_true(text_compare(NULL, 0, "a", 1) < 0);
    assert_true(text_compare("a", 1, "ab", 2) < 0);
    assert_true(text_compare("ab", 2, "a", 1) > 0);
    assert_true(text_compare("b", 1, "ab", 2) > 0);
    assert_true(text_compare("\xe9", 1, "z", 1) > 0);
    assert_true(text_compare("a\0b", 3, "a\0c", 3) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(durations),
        cmocka_unit_test(safe_text),
        cmocka_unit_test(safe_text_reorders_nothing),
        cmocka_unit_test(invalid_utf8),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(clean_utf8_is_kept),
        cmocka_unit_test(base64),
        cmocka_unit_test(escapes_come_back),
        cmocka_unit_test(foreign_escapes_are_refused),
        cmocka_unit_test(widths),
        cmocka_unit_test(nearest),
        cmocka_unit_test(paths_and_prefixes),
        cmocka_unit_test(bytes_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
