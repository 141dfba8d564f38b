/* The screens of the guide against the texts in tests/cli/golden, so that a change of layout is
 * seen. BATTEN_GOLDEN=write makes them anew. */
#include <stdio.h>
#include <stdlib.h>

#include "guide_made.h"

#include <locale.h>

#include "../../src/cli/cli.h"
#include "../../src/cli/guide_screen.h"
#include "../../src/cli/screen.h"
#include "batten/text.h"

static struct cli plain;

typedef void screen_fn(struct screen *s, const struct guide *g);

static void draw(struct buf *out, screen_fn *fn, const struct guide *g, unsigned width,
                 unsigned height)
{
    struct screen s = {.out = out, .c = &plain, .width = width, .height = height};

    fn(&s, g);
}

static void read_all(struct buf *out, const char *path)
{
    FILE *f = fopen(path, "r");
    char part[4096];
    size_t n;

    if (f == NULL)
        fail_msg("%s is missing; make golden writes it", path);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_add(out, part, n);
    fclose(f);
}

static void check_golden(const char *name, const struct buf *got)
{
    char *path = mem_printf("tests/cli/golden/guide-%s.txt", name);
    const char *mode = getenv("BATTEN_GOLDEN");
    struct buf wanted = BUF_INIT;

    if (mode != NULL && strcmp(mode, "write") == 0) {
        FILE *f = fopen(path, "w");

        assert_non_null(f);
        fputs(buf_str(got), f);
        assert_int_equal(fclose(f), 0);
    }
    read_all(&wanted, path);
    assert_string_equal(buf_str(got), buf_str(&wanted));
    buf_release(&wanted);
    free(path);
}

static void assert_fits(const struct buf *text, size_t width)
{
    for (const char *at = buf_str(text); *at != '\0';) {
        size_t len = strcspn(at, "\n");
        char *line = mem_strndup(at, len);

        if (text_width(line) > width)
            fail_msg("wider than %zu: %s", width, line);
        free(line);
        at += len + (at[len] == '\n');
    }
}

static void golden(const char *name, screen_fn *fn, const struct guide *g, unsigned width,
                   unsigned height)
{
    struct buf out = BUF_INIT;

    draw(&out, fn, g, width, height);
    draw(&out, screen_question, g, width, height);
    buf_addc(&out, '\n');
    assert_fits(&out, width);
    check_golden(name, &out);
    buf_release(&out);
}

static void fill(struct made *m)
{
    struct guide_head *h = &m->g.head;
    struct guide_facts *f;

    made_init(m);
    f = &m->g.v[0].facts;
    h->host = mem_strdup("this host, 'alpha'");
    h->super = mem_strdup("inetd, dialect openbsd (installed); running: inetd[411]");
    h->services = mem_strdup("5 of 40 are on, 4 listen now");
    h->would = mem_strdup("'jpcert-98-0004' would close 3 of them and keep 1; 1 is left to you");
    f->now = mem_strdup("listening: inetd[411]; 2 sessions open now, from 10.0.0.5 and 10.0.0.9");
    f->used = mem_strdup("14 logins from 3 hosts in 30 days, last yesterday");
    buf_adds(&f->diff, "@@ etc/inetd.conf:11 @@\n"
                       "-telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.telnetd\n"
                       "+#telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.telnetd\n");
    f->known = true;
}

static void first(void **state)
{
    struct made m;

    (void)state;
    fill(&m);
    golden("first", screen_first, &m.g, 80, 24);
    golden("first-200", screen_first, &m.g, 200, 60);
    made_release(&m);
}

static void first_with_warnings(void **state)
{
    struct made m;

    (void)state;
    fill(&m);
    m.f[0].backdoor = true;
    m.g.head.offered = 3;
    m.g.head.rights = mem_strdup("not every file could be read: sudo batten");
    m.g.head.way_in = mem_strdup("you came in over telnet, which is listed here: closing it may "
                                 "lock you out once you leave");
    golden("first-warnings", screen_first, &m.g, 80, 24);
    made_release(&m);
}

static void first_empty(void **state)
{
    struct made m;
    size_t n;

    (void)state;
    fill(&m);
    n = m.g.n;
    m.g.n = 0;
    golden("first-empty", screen_first, &m.g, 80, 24);
    m.g.n = n;
    made_release(&m);
}

static void finding(void **state)
{
    struct made m;

    (void)state;
    fill(&m);
    m.g.page = PAGE_FINDING;
    golden("finding", screen_finding, &m.g, 80, 24);
    golden("finding-200", screen_finding, &m.g, 200, 60);
    golden("finding-40", screen_finding, &m.g, 40, 24);
    m.g.v[0].answer = ANSWER_KEEP;
    guide_say(&m.g, "'x' is no key here; ? shows them");
    golden("finding-answered", screen_finding, &m.g, 80, 24);
    made_release(&m);
}

static void finding_without_suggestion(void **state)
{
    struct made m;

    (void)state;
    fill(&m);
    m.g.page = PAGE_FINDING;
    m.g.at = 4;
    m.g.v[4].facts.refused = mem_strdup("the line has a NUL byte");
    m.g.v[4].facts.together = mem_strdup("its port with etc/inetd.conf:30 (ftps)");
    m.g.v[4].offered = ANSWER_KEEP;
    golden("finding-ask", screen_finding, &m.g, 80, 24);
    made_release(&m);
}

static void finding_backdoor(void **state)
{
    struct made m;
    struct entry *e;

    (void)state;
    fill(&m);
    e = made_add(&m, "ingreslock", 1524, "ingreslock", VERDICT_DISABLE);
    free(e->program);
    e->program = mem_strdup("/bin/sh");
    m.f[5].backdoor = true;
    m.f[5].rule = NULL;
    guide_add(&m.g, &m.f[5]);
    m.g.page = PAGE_FINDING;
    m.g.at = 5;
    golden("finding-backdoor", screen_finding, &m.g, 80, 24);
    made_release(&m);
}

/* Whatever a file holds, no screen is wider than the terminal, none has a byte a terminal would
 * obey, and a finding fits the screen's height. */
static void hostile(void **state)
{
    static const unsigned widths[] = {40, 41, 57, 80, 200};
    struct made m;
    struct buf *diff;

    (void)state;
    fill(&m);
    m.g.page = PAGE_FINDING;
    free(m.entries.v[0]->name);
    m.entries.v[0]->name = mem_strdup("\033[2Jtel\xe9net\xc2\x9b"
                                      "1m\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\r\n");
    free(m.entries.v[0]->program);
    m.entries.v[0]->program = mem_strdup("/usr/\xe6\x97\xa5\xe6\x9c\xac/\033]0;x\007/aaaaaaaaaaaa");
    m.f[0].service = NULL;
    diff = &m.g.v[0].facts.diff;
    for (int i = 0; i < 3000; i++)
        buf_adds(diff, i % 500 == 499 ? "\n" : "\xe6\x97\xa5\033[1m \xff\t");
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        struct buf out = BUF_INIT;

        draw(&out, screen_finding, &m.g, widths[i], 24);
        draw(&out, screen_question, &m.g, widths[i], 24);
        assert_fits(&out, widths[i]);
        assert_true(widths[i] < 80 || screen_rows(&out) <= 24);
        draw(&out, screen_explain, &m.g, widths[i], 24);
        for (size_t at = 0; at < out.len; at++)
            assert_true(out.data[at] == '\n' || (unsigned char)out.data[at] >= ' ');
        assert_null(strstr(buf_str(&out), "\xc2\x9b"));
        buf_release(&out);
    }
    made_release(&m);
}

static void explain(void **state)
{
    struct made m;

    (void)state;
    fill(&m);
    m.g.page = PAGE_FINDING;
    golden("explain", screen_explain, &m.g, 80, 24);
    made_release(&m);
}

static void help(void **state)
{
    struct made m;

    (void)state;
    fill(&m);
    golden("help-first", screen_help, &m.g, 80, 24);
    m.g.page = PAGE_FINDING;
    golden("help-finding", screen_help, &m.g, 80, 24);
    m.g.page = PAGE_LAST;
    golden("help-last", screen_help, &m.g, 80, 24);
    made_release(&m);
}

static void last(void **state)
{
    struct source source = {.path = (char[]){"etc/inetd.conf"}, .bytes = (char[]){"a\n"}, .len = 2};
    struct made m;

    (void)state;
    fill(&m);
    m.g.page = PAGE_LAST;
    golden("last-nothing", screen_last, &m.g, 80, 24);
    m.g.v[0].answer = m.g.v[1].answer = m.g.v[2].answer = ANSWER_CLOSE;
    m.g.v[3].answer = ANSWER_KEEP;
    edits_new(&m.g.plan.edits, &source, 0, 2);
    strlist_add(&m.g.plan.consequences, "nobody can log in by telnet on 23/tcp any more");
    strlist_add(&m.g.after, "inetd[411] gets one HUP and reads its files again; sessions that are "
                            "open go on");
    buf_adds(&m.g.diff, "--- a/etc/inetd.conf\n+++ b/etc/inetd.conf\n@@ -11 +11 @@\n"
                        "-telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.telnetd\n"
                        "+#telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.telnetd\n");
    golden("last", screen_last, &m.g, 80, 24);
    made_release(&m);
}

static void colours_mark_roles(void **state)
{
    struct cli coloured = {.color = true};
    struct screen s = {.c = &coloured, .width = 80, .height = 24};
    struct buf with = BUF_INIT, without = BUF_INIT, stripped = BUF_INIT;
    struct made m;

    (void)state;
    fill(&m);
    m.g.page = PAGE_FINDING;
    s.out = &with;
    screen_finding(&s, &m.g);
    draw(&without, screen_finding, &m.g, 80, 24);
    assert_non_null(strstr(buf_str(&with), "\033["));
    for (size_t i = 0; i < with.len; i++) {
        if (with.data[i] == '\033')
            i += strcspn(with.data + i, "m");
        else
            buf_addc(&stripped, with.data[i]);
    }
    assert_string_equal(buf_str(&stripped), buf_str(&without));
    buf_release(&with);
    buf_release(&without);
    buf_release(&stripped);
    made_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first),
        cmocka_unit_test(first_with_warnings),
        cmocka_unit_test(first_empty),
        cmocka_unit_test(finding),
        cmocka_unit_test(finding_without_suggestion),
        cmocka_unit_test(finding_backdoor),
        cmocka_unit_test(hostile),
        cmocka_unit_test(explain),
        cmocka_unit_test(help),
        cmocka_unit_test(last),
        cmocka_unit_test(colours_mark_roles),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
