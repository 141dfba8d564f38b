/* Logs and login records of a made-up root, as seen on one day of November 2026. */
#include <time.h>
#include <utmp.h>

#include "tree.h"

#include "../../src/host/evidence_int.h"
#include "batten/evidence.h"
#include "batten/root.h"

enum { NOW = 1795082400, DAY = 86400 }; /* 2026-11-19T10:00:00Z */

static struct tree tree;
static struct root *root;

static int set_up(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    tree_make(&tree);
    return root_open(&root, tree.dir, true, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    root_free(root);
    tree_remove(&tree);
    return 0;
}

static void look(struct evidence *found, const char *word, bool logins, bool transfers)
{
    struct evidence_query q = {.logins = logins, .transfers = transfers};

    strlist_add(&q.words, word);
    *found = (struct evidence){0};
    evidence_read(found, 1, &q, root, NOW);
    strlist_release(&q.words);
}

static void assert_text(const struct evidence *found, const char *wanted)
{
    struct buf b = BUF_INIT;

    evidence_text(&b, found, NOW);
    assert_string_equal(buf_str(&b), wanted);
    buf_release(&b);
}

static void check(const char *word, const char *wanted)
{
    struct evidence found;

    look(&found, word, false, false);
    assert_text(&found, wanted);
    evidence_release(&found);
}

static void assert_line(const char *text, int64_t time, const char *word, const char *host)
{
    struct log_line l;

    assert_true(log_line_read(&l, text, strlen(text), NOW));
    log_line_understand(&l);
    assert_int_equal(l.time, time);
    assert_int_equal(l.word.len, strlen(word));
    assert_memory_equal(l.word.at, word, l.word.len);
    assert_int_equal(l.host.len, strlen(host));
    assert_memory_equal(l.host.at, host, l.host.len);
}

static void lines(void **state)
{
    (void)state;
    assert_line("Nov 18 10:00:00 a in.telnetd[7]: connect from 10.0.0.5", NOW - DAY, "in.telnetd",
                "10.0.0.5");
    assert_line("Nov  1 10:00:00 a ftpd[7]: connection from b.example (10.0.0.6)", NOW - 18 * DAY,
                "ftpd", "b.example");
    assert_line("2026-11-18T11:00:00.123456+01:00 a /usr/sbin/in.ftpd[7]: connect from b",
                NOW - DAY, "in.ftpd", "b");
    assert_line("2026-11-19T10:00:00Z a sshd[7]: Accepted password for amy from ::1 port 7", NOW,
                "sshd", "::1");
    assert_line("Nov 19 10:00:00 a daemon.info telnetd[7]: connect from c", NOW, "telnetd", "c");
    assert_line("Nov 19 10:00:00 a xinetd[7]: START: telnet pid=9 from=10.0.0.7", NOW, "telnet",
                "10.0.0.7");
    assert_line("Nov 19 10:00:00 a inetd[7]: refused connection from d, service imap2 (tcp)", NOW,
                "imap2", "d");
    assert_line("Nov 19 10:00:00 a imapd[7]: Login user=amy host=e [10.0.0.8]", NOW, "imapd", "e");
    assert_line("Nov 19 10:00:00 a sshd[7]: Failed password for amy from f port 7", NOW, "sshd",
                "");
    assert_line("Nov 19 10:00:00 a in.telnetd[7]: ttloop: peer died", NOW, "in.telnetd", "");
}

/* A date to come is one of last year. */
static void years(void **state)
{
    (void)state;
    assert_line("Dec 19 10:00:00 a in.ftpd[7]: connect from b", NOW - 335LL * DAY, "in.ftpd", "b");
}

static void no_lines(void **state)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "Nov 19 10:00:00",
                                        "Nov 19 10:00:00 ",
                                        "Xyz 19 10:00:00 a b: c",
                                        "Nov 1a 10:00:00 a b: c",
                                        "2026-11-19T10:00:00",
                                        "2026-11-19T10:00:00+",
                                        "2026-11-19T10:00:00+01:00",
                                        "2026-99-99T99:99:99Z a b: c",
                                        "Nov 19 10:00:00 a",
                                        "Nov 19 10:00:00 a b",
                                        "Nov 19 10:00:00 a b[",
                                        "Nov 19 10:00:00 a xinetd: START: from=",
                                        "Nov 19 10:00:00 a inetd: service  from "};
    struct log_line l;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *exact =
            mem_strndup(texts[i], strlen(texts[i])); /* so that a step over the end shows */

        if (log_line_read(&l, exact, strlen(exact), NOW))
            log_line_understand(&l);
        assert_int_equal(l.host.len, 0);
        free(exact);
    }
}

static void nothing_to_read(void **state)
{
    (void)state;
    check("in.telnetd", "no log could be read");
}

static void no_sign(void **state)
{
    (void)state;
    tree_write(&tree, "var/log/syslog", "Nov 13 10:00:01 a in.ftpd[7]: connect from b\n");
    check("in.telnetd", "no sign of use in the 6 days the logs cover");
    check("in.ftp", "no sign of use in the 6 days the logs cover");
    check("in.ftpd2", "no sign of use in the 6 days the logs cover");
    check("in.ftpd", "1 connection from 1 host in 6 days, last 6 days ago");
}

static void counts(void **state)
{
    (void)state;
    tree_write(&tree, "var/log/auth.log",
               "Nov 18 10:00:00 a in.telnetd[7]: connect from b\n"
               "Nov 19 09:00:00 a in.telnetd[8]: connect from c\n"
               "Nov 19 09:00:01 a in.telnetd[9]: refused connect from evil\n"
               "no date at all\n"
               "Nov 19 09:00:02 a in.telnetd[9]: connect from c");
    tree_write(&tree, "var/log/auth.log.1", "Sep 18 10:00:00 a in.telnetd[7]: connect from z\n");
    check("in.telnetd", "3 connections from 2 hosts in 30 days, last today; 1 refused");
}

/* The same line in two files is one connection. */
static void not_twice(void **state)
{
    static const char text[] = "Nov 18 10:00:00 a in.ftpd[7]: connect from b\n";

    (void)state;
    tree_write(&tree, "var/log/daemon.log", text);
    tree_write(&tree, "var/log/syslog", text);
    check("in.ftpd", "1 connection from 1 host in 1 day, last yesterday");
}

static void add_record(struct buf *out, short type, const char *line, const char *host, int64_t t)
{
    struct utmp u = {.ut_type = type};

    snprintf(u.ut_line, sizeof(u.ut_line), "%s", line);
    snprintf(u.ut_host, sizeof(u.ut_host), "%s", host);
    u.ut_tv.tv_sec = (int)t;
    buf_add(out, &u, sizeof(u));
}

static void write_wtmp(const struct buf *b)
{
    tree_write_bytes(&tree, "var/log/wtmp", b->data, b->len);
}

static void logins(void **state)
{
    struct buf b = BUF_INIT;
    struct evidence found;

    (void)state;
    add_record(&b, USER_PROCESS, "pts/0", "old.example", NOW - 40 * DAY);
    add_record(&b, USER_PROCESS, "pts/0", "b.example", NOW - 3 * DAY);
    add_record(&b, USER_PROCESS, "pts/1", "c.example", NOW - DAY);
    add_record(&b, DEAD_PROCESS, "pts/1", "", NOW - DAY);
    add_record(&b, USER_PROCESS, "tty1", "", NOW);
    add_record(&b, USER_PROCESS, "pts/2", ":0", NOW);
    add_record(&b, USER_PROCESS, "pts/3", "tmux(9).%0", NOW);
    add_record(&b, USER_PROCESS, "ftp123", "d.example", NOW);
    buf_adds(&b, "torn");
    write_wtmp(&b);
    buf_release(&b);
    look(&found, "in.telnetd", true, false);
    assert_text(&found, "2 logins from 2 hosts in 30 days, last yesterday");
    evidence_release(&found);
    look(&found, "in.ftpd", false, true);
    assert_text(&found, "1 login from 1 host in 30 days, last today");
    evidence_release(&found);
    check("in.fingerd", "no log could be read");
}

/* Only the end of a big file is read, only regular files are, and every byte is somebody's. */
static void bounded(void **state)
{
    static char junk[5 * 1024 * 1024];
    char *path = tree_path(&tree, "var/log/messages");
    struct evidence found;
    FILE *f;

    (void)state;
    tree_parents(&tree, "var/log/messages");
    f = fopen(path, "w");
    assert_non_null(f);
    fputs("Nov 18 10:00:00 a in.telnetd[7]: connect from too.far.back\n", f);
    for (size_t i = 0; i < sizeof(junk); i++)
        junk[i] = (char)(i * 7919 % 251);
    assert_int_equal(fwrite(junk, 1, sizeof(junk), f), sizeof(junk));
    fputs("\nNov 18 10:00:00 a in.telnetd[7]: connect from b\n", f);
    fclose(f);
    free(path);
    tree_fifo(&tree, "var/log/syslog");
    tree_mkdir(&tree, "var/log/auth.log");
    check("in.telnetd", "1 connection from 1 host in 1 day, last yesterday");
    write_wtmp(&(struct buf){.data = junk, .len = sizeof(junk)});
    look(&found, "in.telnetd", true, true);
    assert_true(found.wtmp_read);
    evidence_release(&found);
}

/* No link of an image leads to the logs of this host. */
static void confined(void **state)
{
    (void)state;
    tree_write(&tree, "real.log", "Nov 18 10:00:00 a in.telnetd[7]: connect from b\n");
    tree_parents(&tree, "var/log/syslog");
    tree_link(&tree, "/real.log", "var/log/syslog");
    tree_link(&tree, "../../../../../../../../../var/log/dpkg.log", "var/log/messages");
    check("in.telnetd", "1 connection from 1 host in 1 day, last yesterday");
}

static void many_hosts(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    for (int i = 0; i < 500; i++)
        buf_printf(&b, "Nov 18 10:00:00 a in.telnetd[7]: connect from h%d\n", i);
    tree_write(&tree, "var/log/syslog", buf_str(&b));
    check("in.telnetd", "500 connections from 100 or more hosts in 1 day, last yesterday");
    buf_release(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lines),   TEST(years),    TEST(no_lines),   TEST(nothing_to_read),
        TEST(no_sign), TEST(counts),   TEST(not_twice),  TEST(logins),
        TEST(bounded), TEST(confined), TEST(many_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
