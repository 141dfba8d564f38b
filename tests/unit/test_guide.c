#include "guide_made.h"

#include "../../src/cli/terminal.h"

static struct made m;

static int set_up(void **state)
{
    (void)state;
    made_init(&m);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    made_release(&m);
    return 0;
}

static enum guide_act press(const char *keys)
{
    enum guide_act act = ACT_SHOW;

    for (; *keys != '\0'; keys++) {
        free(m.g.say);
        m.g.say = NULL;
        act = guide_key(&m.g, *keys);
    }
    return act;
}

static void assert_answers(const char *wanted)
{
    static const char letters[] = "-yn";
    char got[MADE_MAX + 1] = "";

    for (size_t i = 0; i < m.g.n; i++)
        got[i] = letters[m.g.v[i].answer];
    assert_string_equal(got, wanted);
}

static void first_screen(void **state)
{
    (void)state;
    assert_int_equal(press("x"), ACT_ASK);
    assert_non_null(m.g.say);
    assert_int_equal(press("?"), ACT_HELP);
    assert_int_equal(press("y"), ACT_ASK);
    assert_int_equal(m.g.page, PAGE_FIRST);
    assert_int_equal(press("\n"), ACT_SHOW);
    assert_int_equal(m.g.page, PAGE_FINDING);
    assert_int_equal(m.g.at, 0);
    assert_answers("-----");
}

static void first_screen_quits(void **state)
{
    (void)state;
    assert_int_equal(press("q"), ACT_QUIT);
}

static void yes_and_no(void **state)
{
    (void)state;
    assert_int_equal(press("\nyny"), ACT_SHOW);
    assert_answers("yny--");
    assert_int_equal(m.g.at, 3);
    assert_int_equal(press("YN"), ACT_SHOW);
    assert_answers("ynyyn");
    assert_int_equal(m.g.page, PAGE_LAST);
}

static void enter_takes_the_default(void **state)
{
    (void)state;
    press("\n\n\n\n\n");
    assert_answers("yyyn-");
    assert_int_equal(m.g.at, 4);
    assert_int_equal(press("\n"), ACT_ASK);
    assert_non_null(m.g.say);
    assert_answers("yyyn-");
}

static void enter_keeps_an_answer(void **state)
{
    (void)state;
    press("\nnk");
    assert_int_equal(m.g.at, 0);
    press("\n");
    assert_answers("n----");
    assert_int_equal(m.g.at, 1);
}

static void offered_is_the_default(void **state)
{
    (void)state;
    m.g.v[0].offered = ANSWER_KEEP;
    m.g.v[4].offered = ANSWER_CLOSE;
    press("\n\n");
    assert_answers("n----");
    press("a");
    assert_answers("nyyny");
    assert_int_equal(m.g.page, PAGE_LAST);
}

static void all_the_rest(void **state)
{
    (void)state;
    press("\nyjna");
    assert_answers("y-nn-");
    assert_int_equal(m.g.page, PAGE_FINDING);
    assert_int_equal(m.g.at, 4);
    assert_int_equal(press("a"), ACT_ASK);
    assert_int_equal(press("n"), ACT_SHOW);
    assert_int_equal(m.g.page, PAGE_LAST);
    assert_answers("y-nnn");
}

static void none_of_the_rest(void **state)
{
    (void)state;
    press("\nyyd");
    assert_answers("yynnn");
    assert_int_equal(m.g.page, PAGE_LAST);
    press("ekkkd");
    assert_answers("nynnn");
}

static void none_spares_later_answers(void **state)
{
    (void)state;
    press("\njjykkd");
    assert_answers("-nynn");
}

static void next_and_previous(void **state)
{
    (void)state;
    press("\n");
    assert_int_equal(press("k"), ACT_ASK);
    assert_int_equal(m.g.at, 0);
    press("jjjj");
    assert_int_equal(m.g.at, 4);
    assert_int_equal(m.g.page, PAGE_FINDING);
    press("j");
    assert_int_equal(m.g.page, PAGE_LAST);
    press("e");
    assert_int_equal(m.g.page, PAGE_FINDING);
    assert_int_equal(m.g.at, 4);
    assert_answers("-----");
}

static void go_to(void **state)
{
    (void)state;
    assert_int_equal(press("\ng"), ACT_GOTO);
    assert_int_equal(guide_goto(&m.g, " 4 "), ACT_SHOW);
    assert_int_equal(m.g.at, 3);
    assert_int_equal(guide_goto(&m.g, "6"), ACT_ASK);
    assert_int_equal(guide_goto(&m.g, "0"), ACT_ASK);
    assert_int_equal(guide_goto(&m.g, "x"), ACT_ASK);
    assert_int_equal(guide_goto(&m.g, ""), ACT_ASK);
    assert_int_equal(m.g.at, 3);
}

static void search(void **state)
{
    (void)state;
    assert_int_equal(press("\n/"), ACT_SEARCH);
    assert_int_equal(guide_search(&m.g, ""), ACT_ASK);
    assert_int_equal(guide_search(&m.g, "IMAP"), ACT_SHOW);
    assert_int_equal(m.g.at, 2);
    assert_int_equal(guide_search(&m.g, "79/tcp"), ACT_SHOW);
    assert_int_equal(m.g.at, 1);
    assert_int_equal(guide_search(&m.g, "inetd.conf:15"), ACT_SHOW);
    assert_int_equal(m.g.at, 4);
    assert_int_equal(guide_search(&m.g, "sbin/in.t"), ACT_SHOW);
    assert_int_equal(m.g.at, 0);
    assert_int_equal(guide_search(&m.g, ""), ACT_SHOW);
    assert_int_equal(m.g.at, 3);
    assert_int_equal(guide_search(&m.g, "nothing like it"), ACT_ASK);
    assert_non_null(strstr(m.g.say, "nothing like it"));
    assert_int_equal(m.g.at, 3);
}

static void other_keys(void **state)
{
    (void)state;
    press("\n");
    assert_int_equal(press("i"), ACT_EXPLAIN);
    assert_int_equal(press("w"), ACT_WRITE);
    assert_int_equal(press("?"), ACT_HELP);
    assert_int_equal(press("x"), ACT_ASK);
    assert_int_equal(guide_key(&m.g, KEY_OTHER), ACT_ASK);
    assert_int_equal(guide_key(&m.g, 7), ACT_ASK);
    assert_int_equal(press("q"), ACT_QUIT);
    assert_answers("-----");
}

static void last_screen(void **state)
{
    struct source source = {.path = (char[]){"x"}, .bytes = (char[]){"a\n"}, .len = 2};

    (void)state;
    press("\nd");
    assert_int_equal(m.g.page, PAGE_LAST);
    /* With nothing to change there is nothing to say yes to. */
    assert_int_equal(press("y"), ACT_ASK);
    assert_int_equal(press("t"), ACT_ASK);
    edits_new(&m.g.plan.edits, &source, 0, 2);
    assert_int_equal(press("\n"), ACT_ASK);
    assert_non_null(m.g.say);
    assert_int_equal(press("n"), ACT_ASK);
    assert_int_equal(press("w"), ACT_WRITE);
    assert_int_equal(press("?"), ACT_HELP);
    assert_int_equal(press("y"), ACT_APPLY);
    assert_int_equal(press("t"), ACT_TIMED);
    assert_int_equal(press("q"), ACT_QUIT);
    assert_int_equal(press("e"), ACT_SHOW);
    assert_int_equal(m.g.page, PAGE_FINDING);
}

/* A change that may lock its maker out is made with the timer or not at all. */
static void own_way_in(void **state)
{
    struct source source = {.path = (char[]){"x"}, .bytes = (char[]){"a\n"}, .len = 2};

    (void)state;
    press("\nd");
    edits_new(&m.g.plan.edits, &source, 0, 2);
    m.g.locks_out = mem_strdup("telnet");
    assert_int_equal(press("y"), ACT_ASK);
    assert_non_null(strstr(m.g.say, "telnet"));
    assert_int_equal(press("t"), ACT_TIMED);
}

static void no_findings(void **state)
{
    struct guide g = {0};

    (void)state;
    assert_int_equal(guide_key(&g, KEY_ENTER), ACT_QUIT);
    guide_release(&g);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(first_screen),
        TEST(first_screen_quits),
        TEST(yes_and_no),
        TEST(enter_takes_the_default),
        TEST(enter_keeps_an_answer),
        TEST(offered_is_the_default),
        TEST(all_the_rest),
        TEST(none_of_the_rest),
        TEST(none_spares_later_answers),
        TEST(next_and_previous),
        TEST(go_to),
        TEST(search),
        TEST(other_keys),
        TEST(last_screen),
        TEST(own_way_in),
        TEST(no_findings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
