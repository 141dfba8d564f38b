#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "../../src/cli/cli.h"

struct parsed {
    struct cli c;
    struct diag d;
    int result;
};

static void parse(struct parsed *p, const char *const *words, bool terminal)
{
    char *argv[32];
    int argc = 0;

    *p = (struct parsed){.c = {.terminal = terminal}};
    argv[argc++] = (char *)(uintptr_t) "batten";
    while (words[argc - 1] != NULL && argc < 31) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
        argc++;
    }
    p->result = options_parse(&p->c, argc, argv, &p->d);
}

static void done(struct parsed *p)
{
    diag_release(&p->d);
    options_release(&p->c.o);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_WORDS   ((const char *const[]){NULL})

static void test_default_command(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, NO_WORDS, true);
    assert_int_equal(p.result, 0);
    assert_string_equal(p.c.command->name, "harden");
    done(&p);
    parse(&p, NO_WORDS, false);
    assert_string_equal(p.c.command->name, "audit");
    done(&p);
    parse(&p, WORDS("--profile", "strict"), false);
    assert_string_equal(p.c.command->name, "harden");
    done(&p);
}

static void test_options_stand_anywhere(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p,
          WORDS("--json", "--root", "/srv/y", "audit", "--root=/srv/x", "--rc", "a", "--rc", "b"),
          false);
    assert_int_equal(p.result, 0);
    assert_true(p.c.o.json);
    assert_string_equal(p.c.o.root, "/srv/x");
    assert_int_equal(p.c.o.rc.n, 2);
    assert_string_equal(p.c.o.rc.v[1], "b");
    done(&p);
}

static void test_wrong_use(void **state)
{
    static const char *const wrong[][6] = {
        {"--apply"    },
        {"harden",      "--apply"},
        {"audit",             "--apply"},
        {"--prof","strict"}, /* not abbreviated */
        {"audit",      "--json=yes"},
        {"harden",             "--profile"},
        {"audit","extra"},
        {"close"     },
        {"show"            },
        {"rollback",           "1", "2"},
        {"audit",       "--history", "none"},
        {"audit",        "--color", "pink"},
        {"close",    "telnet", "--wait", "5"},
        {"close",          "telnet", "--wait", "5d"},
        {"close",       "telnet", "--probe", "/bin/true"}, /* no ';' */
        {"close",       "telnet", "--probe", ";"},
        {"log",       "--limit", "0"},
        {"rollback",       "--profile", "strict"},
        {"rollback",       "--entry", "a:1", "--entry", "b:2"},
        {"close",     "a", "--wait=5s", "--wait=6s"},
        {"--no-such"            },
        {"-x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct parsed p;

        parse(&p, wrong[i], false);
        if (p.result == 0)
            fail_msg("case %zu is taken", i);
        assert_int_equal(p.d.status, STATUS_USAGE);
        assert_non_null(p.d.message);
        done(&p);
    }
}

static void test_nearest(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, WORDS("adit"), false);
    assert_string_equal(p.d.hint, "did you mean: batten audit");
    done(&p);
    parse(&p, WORDS("--aply"), false);
    assert_string_equal(p.d.hint, "did you mean --apply? see: batten --help");
    done(&p);
    parse(&p, WORDS("wach"), false);
    assert_null(p.d.hint == NULL ? NULL : strstr(p.d.hint, "watch"));
    done(&p);
}

static void test_times_and_probe(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p,
          WORDS("close", "telnet", "--wait", "90s", "--confirm-within", "5m", "--probe", "/bin/x",
                "-y", ";", "--apply"),
          false);
    assert_int_equal(p.result, 0);
    assert_int_equal(p.c.o.wait_ms, 90000);
    assert_int_equal(p.c.o.confirm_ms, 300000);
    assert_int_equal(p.c.o.probe.n, 2);
    assert_string_equal(p.c.o.probe.v[1], "-y");
    assert_true(p.c.o.apply);
    assert_int_equal(p.c.o.args.n, 1);
    done(&p);
    parse(&p, WORDS("close", "--", "--odd"), false);
    assert_int_equal(p.result, 0);
    assert_string_equal(p.c.o.args.v[0], "--odd");
    done(&p);
}

static void test_json_is_known_on_wrong_use(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, WORDS("--nonsense", "--json"), false);
    assert_int_equal(p.result, -1);
    assert_true(p.c.o.json);
    done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_command), cmocka_unit_test(test_options_stand_anywhere),
        cmocka_unit_test(test_wrong_use),       cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_times_and_probe), cmocka_unit_test(test_json_is_known_on_wrong_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
