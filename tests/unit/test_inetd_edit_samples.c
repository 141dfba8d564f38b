/*
 * Every single entry, and random sets of entries, of the samples and of the real files: commented
 * out, only '#' bytes appear, at the start of the planned lines and nowhere else, and the proof
 * passes; taken away again, the bytes are the old ones (case_expected adds nothing else).
 */
#include "inetd_case.h"

static const char *const dialects[] = {"openbsd", "inetutils", "busybox",
                                       "freebsd", "netbsd",    "classic"};

/* A small generator of its own, so that a failure can be repeated. */
static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) & 0x7fff;
}

static size_t check_singles(struct inetd_case *c)
{
    bool *wanted = mem_array(c->parse.entries.n + 1, sizeof(bool));
    size_t edits = 0;

    for (size_t i = 0; i < c->parse.entries.n; i++) {
        memset(wanted, 0, c->parse.entries.n * sizeof(bool));
        wanted[i] = true;
        edits += case_disable(c, wanted);
    }
    free(wanted);
    return edits;
}

static size_t check_sets(struct inetd_case *c, unsigned *seed, size_t rounds)
{
    bool *wanted = mem_array(c->parse.entries.n + 1, sizeof(bool));
    size_t edits = 0;

    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < c->parse.entries.n; i++)
            wanted[i] = round == 0 || next_random(seed) % 2 == 0;
        edits += case_disable(c, wanted);
    }
    free(wanted);
    return edits;
}

/* All on again and read once more, the entries are the ones of the start. */
static void check_again(const char *dialect, const struct inetd_case *c)
{
    struct inetd_case again;
    struct buf a = BUF_INIT, b = BUF_INIT;

    case_bytes(&again, dialect, c->bytes.data, c->bytes.len);
    case_describe(c, &a);
    case_describe(&again, &b);
    assert_string_equal(buf_str(&a), buf_str(&b));
    case_free(&again);
    buf_release(&a);
    buf_release(&b);
}

static void check_files(const struct strlist *files, bool singles)
{
    size_t edits = 0;
    unsigned seed = 7;

    for (size_t i = 0; i < files->n; i++)
        for (size_t k = 0; k < ARRAY_LEN(dialects); k++) {
            struct inetd_case c;

            case_file(&c, dialects[k], files->v[i]);
            if (singles || k == 0)
                edits += check_singles(&c);
            edits += check_sets(&c, &seed, 3);
            check_again(dialects[k], &c);
            case_free(&c);
        }
    printf("# %zu files, %zu edits in %zu dialects\n", files->n, edits, ARRAY_LEN(dialects));
    assert_true(edits > 0);
}

static void test_samples(void **state)
{
    struct strlist files = {0};

    (void)state;
    case_list(&files, "fixtures/inetd", ".conf");
    strlist_add(&files, "fixtures/inetd/inetutils/inetd.conf");
    assert_true(files.n >= 30);
    check_files(&files, true);
    strlist_release(&files);
}

static void test_corpus(void **state)
{
    const char *corpus = getenv("BATTEN_CORPUS");
    char *dir = mem_printf("%s/inetd", corpus && *corpus ? corpus : "../shared/corpus");
    struct strlist files = {0};

    (void)state;
    case_list(&files, dir, "");
    free(dir);
    if (files.n == 0) {
        printf("# skip: no corpus of real files\n");
        skip();
    }
    check_files(&files, false);
    strlist_release(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_corpus),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
