#include "batten/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "batten/buf.h"
#include "batten/text.h"

static void expect_hash(const char *bytes, size_t len, const char *want)
{
    char got[SHA256_HEX];

    sha256_hex(bytes, len, got);
    assert_string_equal(got, want);
}

static void hashes_the_published_vectors(void **state)
{
    static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    char *million = malloc(1000000);

    (void)state;
    expect_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_hash(two, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_non_null(million);
    memset(million, 'a', 1000000);
    expect_hash(million, 1000000,
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void escapes_and_back(void **state)
{
    struct buf word = BUF_INIT;
    char all[256], *back;
    size_t len = 0;

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    text_escape(&word, all, sizeof(all));
    for (size_t i = 0; i < word.len; i++)
        assert_true(word.data[i] > ' ' && word.data[i] <= '~');
    back = text_unescape(buf_str(&word), &len);
    assert_non_null(back);
    assert_int_equal(len, sizeof(all));
    assert_memory_equal(back, all, sizeof(all));
    free(back);
    assert_null(text_unescape("%4", &len));
    assert_null(text_unescape("%", &len));
    assert_null(text_unescape("%zz", &len));
    assert_null(text_unescape("a b", &len));
    buf_release(&word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_the_published_vectors),
        cmocka_unit_test(escapes_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
