/*
 * The samples of fixtures/inetd against their NAME.expect: first line 'dialect NAME', then a line
 * for every entry and problem (case_describe). With BATTEN_REGEN set they are written anew.
 */
#include "inetd_case.h"

#define SAMPLES "fixtures/inetd"

static void first_line(const struct buf *b, char *out, size_t size)
{
    size_t n = strcspn(buf_str(b), "\n");

    snprintf(out, size, "%.*s", (int)n, buf_str(b));
}

static void check_sample(const char *expect)
{
    char *path = mem_strndup(expect, strlen(expect) - strlen(".expect"));
    char head[64], *file = mem_printf("%s.conf", path);
    struct buf want = BUF_INIT, got = BUF_INIT;
    struct inetd_case c;

    assert_true(case_load(&want, expect));
    first_line(&want, head, sizeof(head));
    assert_true(text_starts(head, "dialect "));
    case_file(&c, head + strlen("dialect "), file);
    buf_printf(&got, "%s\n", head);
    case_describe(&c, &got);
    if (getenv("BATTEN_REGEN") != NULL) {
        FILE *f = fopen(expect, "w");

        assert_non_null(f);
        fwrite(got.data, 1, got.len, f);
        fclose(f);
    } else if (strcmp(buf_str(&got), buf_str(&want)) != 0) {
        fail_msg("%s: expected\n%sbut found\n%s", file, buf_str(&want), buf_str(&got));
    }
    case_free(&c);
    buf_release(&want);
    buf_release(&got);
    free(file);
    free(path);
}

static void test_samples(void **state)
{
    struct strlist list = {0};

    (void)state;
    case_list(&list, SAMPLES, ".expect");
    assert_true(list.n >= 30);
    for (size_t i = 0; i < list.n; i++)
        check_sample(list.v[i]);
    strlist_release(&list);
}

static void test_every_sample_has_an_expectation(void **state)
{
    struct strlist confs = {0}, expects = {0};

    (void)state;
    case_list(&confs, SAMPLES, ".conf");
    case_list(&expects, SAMPLES, ".expect");
    for (size_t i = 0; i < confs.n; i++) {
        char *want =
            mem_printf("%.*s.expect", (int)(strlen(confs.v[i]) - strlen(".conf")), confs.v[i]);

        if (!strlist_has(&expects, want))
            fail_msg("%s is missing", want);
        free(want);
    }
    strlist_release(&confs);
    strlist_release(&expects);
}

/* inetutils reads inetd.conf and then every regular file of inetd.d, whatever its name. */
static void test_inetutils_directory(void **state)
{
    static const char *const names[] = {"inetd.conf", "inetd.d/.kpop.swp", "inetd.d/finger.bak",
                                        "inetd.d/imap"};
    struct parse p = {.dialect = dialect_find("inetutils")};
    struct buf bytes[ARRAY_LEN(names)] = {BUF_INIT};
    struct source sources[ARRAY_LEN(names)];
    struct strlist paths = {0};
    size_t on = 0;

    (void)state;
    case_starter()->paths(&p, &paths);
    assert_int_equal(paths.n, 2);
    assert_string_equal(paths.v[0], "etc/inetd.conf");
    assert_string_equal(paths.v[1], "etc/inetd.d/*");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = mem_printf(SAMPLES "/inetutils/%s", names[i]);
        char *name = mem_printf("etc/%s", names[i]);

        assert_true(case_load(&bytes[i], path));
        sources[i] = (struct source){name, bytes[i].data, bytes[i].len};
        case_starter()->parse(&p, &sources[i]);
        free(path);
    }
    for (size_t i = 0; i < p.entries.n; i++) {
        const struct entry *e = p.entries.v[i];

        on += e->enabled;
        /* The default address of inetd.conf's last lines holds for the files behind it. */
        if (strcmp(e->source->path, "etc/inetd.d/imap") == 0)
            assert_string_equal(e->address, "127.0.0.1");
    }
    assert_int_equal(on, 13);
    assert_int_equal(p.entries.v[p.entries.n - 1]->source->path == sources[3].path, 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        buf_release(&bytes[i]);
        free(sources[i].path);
    }
    parse_release(&p);
    strlist_release(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_every_sample_has_an_expectation),
        cmocka_unit_test(test_inetutils_directory),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
