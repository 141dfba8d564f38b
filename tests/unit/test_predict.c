/*
 * The models of the daemons: tests/live/predict/cases.txt holds what the real ones open for each
 * small file (tests/live/predict.bats asks them again); here batten must say the same. Then what no
 * list of sockets shows: who owns them, what must be switched together, what is without effect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "batten/openings.h"

#include "predict.h"

#define CASES "tests/live/predict/cases.txt"
#define NAMES "tests/live/predict/names.txt"

static struct netdb *db;

/* The file that a block '@services' of NAMES stands for; NETDB_FILES: none. */
static enum netdb_file file_of(const char *word)
{
    enum netdb_file file = 0;

    while (file < NETDB_FILES && strcmp(text_basename(netdb_path(file)), word) != 0)
        file++;
    return file;
}

static int read_names(void **state)
{
    struct buf bytes = BUF_INIT;
    enum netdb_file file = NETDB_FILES;
    char *save = NULL;

    (void)state;
    if (!read_bytes(NAMES, &bytes))
        return -1;
    db = netdb_new();
    for (char *line = strtok_r(bytes.data, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        if (*line == '@')
            file = file_of(line + 1);
        else if (file != NETDB_FILES)
            netdb_add(db, file, line, strlen(line));
    }
    buf_release(&bytes);
    return 0;
}

static int free_names(void **state)
{
    (void)state;
    netdb_free(db);
    return 0;
}

/* ---- the cases ---- */

/* What DIALECT is predicted to open for TEXT, as one string; the caller frees. */
static char *opens(const char *dialect, const struct buf *text)
{
    char path[] = "etc/inetd.conf";
    char *bytes = mem_strndup(buf_str(text), text->len);
    struct source source = {path, bytes, text->len};
    struct strlist list = {0};
    struct parse parse;
    struct buf out = BUF_INIT;

    predict_sources(&parse, dialect, db, &source, 1);
    sockets_of(&list, &parse);
    for (size_t i = 0; i < list.n; i++)
        buf_printf(&out, "%s%s", i > 0 ? "," : "", list.v[i]);
    if (list.n == 0)
        buf_adds(&out, "-");
    strlist_release(&list);
    parse_release(&parse);
    free(bytes);
    return buf_steal(&out);
}

/* Compare '@DIALECT SOCKETS' with what is predicted for TEXT; false, and said, when they differ. */
static bool check(const char *name, const char *line, const struct buf *text)
{
    char *dialect = mem_strndup(line + 1, strcspn(line, " ") - 1);
    const char *wanted = line + strcspn(line, " ") + 1;
    char *got = opens(dialect, text);
    bool same = strcmp(got, wanted) == 0;

    if (!same)
        printf("# %s, %s\n#   daemon: %s\n#   batten: %s\n", name, dialect, wanted, got);
    free(got);
    free(dialect);
    return same;
}

static void add_line(struct buf *text, const char *line)
{
    size_t len = strlen(line);
    bool cr = len >= 2 && strcmp(line + len - 2, "\\r") == 0;

    buf_add(text, line, cr ? len - 2 : len);
    buf_adds(text, cr ? "\r\n" : "\n");
}

static void test_cases(void **state)
{
    struct buf bytes = BUF_INIT, text = BUF_INIT;
    const char *name = "";
    unsigned n = 0, bad = 0;
    char *at, *line;

    (void)state;
    assert_true(read_bytes(CASES, &bytes));
    for (at = bytes.data; (line = strsep(&at, "\n")) != NULL && at != NULL;) {
        if (text_starts(line, "@case ")) {
            name = line + strlen("@case ");
            buf_clear(&text);
        } else if (*line == '@') {
            n++;
            bad += !check(name, line, &text);
        } else {
            add_line(&text, line);
        }
    }
    printf("# %u of %u agree\n", n - bad, n);
    assert_true(n > 150);
    assert_int_equal(bad, 0);
    buf_release(&text);
    buf_release(&bytes);
}

/* ---- owners, groups, effect ---- */

/* A text on its way through one dialect. */
struct root {
    struct source sources[2];
    struct parse parse;
};

static void play(struct root *r, const char *dialect, const char *text, const char *second)
{
    static char path[] = "etc/inetd.conf", more[] = "etc/inetd.d/more";

    r->sources[0] = (struct source){path, mem_strdup(text), strlen(text)};
    r->sources[1] = (struct source){more, mem_strdup(second), second != NULL ? strlen(second) : 0};
    predict_sources(&r->parse, dialect, db, r->sources, second != NULL ? 2 : 1);
}

static void done(struct root *r)
{
    parse_release(&r->parse);
    free(r->sources[0].bytes);
    free(r->sources[1].bytes);
}

/* The groups of all entries as digits, "0" for none, and '-' for those without effect. */
static const char *groups(const struct root *r)
{
    static char out[16];
    size_t n = r->parse.entries.n;

    assert_true(n < sizeof(out));
    for (size_t i = 0; i < n; i++) {
        const struct entry *e = r->parse.entries.v[i];

        assert_true(e->group < 10);
        out[i] = (e->flags & ENTRY_INERT) != 0 ? '-' : (char)('0' + e->group);
    }
    out[n] = '\0';
    return out;
}

static void assert_groups(const char *dialect, const char *text, const char *wanted)
{
    struct root r;

    play(&r, dialect, text, NULL);
    assert_string_equal(groups(&r), wanted);
    done(&r);
}

#define END        " root /bin/cat cat\n"
#define TCP(name)  name " stream tcp nowait" END
#define TCP4(name) name " stream tcp4 nowait" END
#define TCP6(name) name " stream tcp6 nowait" END
#define UDP(name)  name " dgram udp wait" END
#define UDP4(name) name " dgram udp4 wait" END
#define UDP6(name) name " dgram udp6 wait" END

static void test_groups_by_port(void **state)
{
    (void)state;
    assert_groups("openbsd", TCP("telnet") TCP("finger"), "00");
    assert_groups("openbsd", TCP("ident") TCP("telnet") TCP("auth"), "101");
    assert_groups("openbsd", TCP("23") TCP("79") TCP("telnet") TCP("finger"), "1212");
    assert_groups("inetutils", TCP("telnet") TCP6("telnet"), "11");
    assert_groups("busybox", TCP("telnet") TCP6("telnet"), "11");
    assert_groups("openbsd", TCP4("telnet") TCP6("telnet"), "00");
    assert_groups("openbsd", TCP("telnet") TCP6("telnet"), "11");
    assert_groups("openbsd", TCP4("127.0.0.1:telnet") TCP4("127.0.0.2:telnet"), "00");
    assert_groups("openbsd", TCP4("127.0.0.1:telnet") TCP4("telnet"), "11");
}

static void test_groups_of_duplicates(void **state)
{
    (void)state;
    assert_groups("openbsd", TCP("telnet") TCP("telnet") TCP("telnet"), "111");
    assert_groups("inetutils", TCP("telnet") TCP("finger") TCP("telnet"), "101");
    assert_groups("openbsd", TCP("nosuch") TCP("nosuch"), "--");
}

static void test_groups_of_datagrams(void **state)
{
    (void)state;
    assert_groups("openbsd", UDP4("tftp") UDP6("tftp"), "11");
    assert_groups("openbsd", UDP("69") UDP("tftp") UDP("talk"), "110");
    assert_groups("openbsd", "rstatd/1 dgram rpc/udp wait" END "rusersd/1 dgram rpc/udp wait" END,
                  "00");
}

static void test_groups_of_tcpmux(void **state)
{
    (void)state;
    assert_groups("inetutils", TCP("tcpmux/a") TCP("telnet") TCP("tcpmux/b"), "101");
    assert_groups("inetutils", "tcpmux stream tcp nowait root internal\n" TCP("tcpmux/b"), "11");
    assert_groups("openbsd", TCP("tcpmux/a") TCP("tcpmux/b"), "--");
}

/* inetutils gives the address of a line it rejects to the next one: alone that would be wider. */
static void test_group_by_left_address(void **state)
{
    (void)state;
    assert_groups("inetutils", "127.0.0.1:telnet stream tcp nowait root internal\n" TCP("finger"),
                  "11");
}

static void test_group_over_files(void **state)
{
    struct root r;

    (void)state;
    play(&r, "inetutils", "127.0.0.1:\n" TCP("telnet"), TCP("finger") TCP("telnet"));
    assert_string_equal(groups(&r), "101");
    assert_int_equal(r.parse.entries.v[0]->nsockets, 0);
    assert_int_equal(r.parse.entries.v[2]->nsockets, 1);
    assert_string_equal(r.parse.entries.v[1]->sockets[0].address, "127.0.0.1");
    done(&r);
}

static void test_last_duplicate_owns(void **state)
{
    struct root r;

    (void)state;
    play(&r, "openbsd", TCP("telnet") TCP("telnet"), NULL);
    assert_int_equal(r.parse.entries.v[0]->nsockets, 0);
    assert_int_equal(r.parse.entries.v[1]->nsockets, 2);
    done(&r);
}

static void test_first_of_two_names_owns(void **state)
{
    struct root r;

    (void)state;
    play(&r, "openbsd", TCP("ident") TCP("auth"), NULL);
    assert_int_equal(r.parse.entries.v[0]->nsockets, 2);
    assert_int_equal(r.parse.entries.v[1]->nsockets, 0);
    done(&r);
}

static void test_disabled_opens_nothing(void **state)
{
    struct root r;

    (void)state;
    play(&r, "openbsd", "#" TCP("telnet") TCP("finger") "#" TCP("finger"), NULL);
    assert_string_equal(groups(&r), "000");
    assert_int_equal(r.parse.entries.v[0]->nsockets, 0);
    assert_int_equal(r.parse.entries.v[1]->nsockets, 2);
    done(&r);
}

static void test_hang_is_said(void **state)
{
    struct root r;
    const struct diag *d = NULL;

    (void)state;
    play(&r, "openbsd", TCP("pop3") "\n\t" TCP("telnet") TCP("finger") TCP("nosuch"), NULL);
    assert_int_equal(r.parse.hung, 1);
    for (size_t i = 0; i < r.parse.problems.n; i++)
        if (strcmp(r.parse.problems.v[i].code, "daemon-hangs") == 0)
            d = &r.parse.problems.v[i];
    assert_non_null(d);
    assert_string_equal(d->path, "etc/inetd.conf");
    assert_true(d->line == 2 || d->line == 3);
    assert_string_equal(groups(&r), "0000"); /* what would open without the hang is not inert */
    done(&r);
    play(&r, "inetutils", TCP("pop3") "\n\t" TCP("telnet"), NULL);
    assert_int_equal(r.parse.hung, 0);
    done(&r);
}

static void test_openings(void **state)
{
    struct root a, b;
    struct openings before = {0}, after = {0}, out = {0};

    (void)state;
    play(&a, "openbsd", UDP("69") UDP("tftp") TCP4("telnet"), NULL);
    play(&b, "openbsd", UDP("69") TCP("telnet"), NULL);
    openings_add(&before, &a.parse);
    openings_add(&after, &b.parse);
    assert_int_equal(before.n, 5);
    openings_minus(&out, &after, &before);
    assert_int_equal(out.n, 1);
    assert_int_equal(out.v[0].spec->family, FAMILY_IPV6);
    assert_string_equal(out.v[0].entry->name, "telnet");
    openings_release(&out);
    openings_minus(&out, &before, &after);
    assert_int_equal(out.n, 2);
    assert_int_equal(out.v[0].spec->port, 69);
    openings_release(&out);
    openings_release(&before);
    openings_release(&after);
    done(&a);
    done(&b);
}

/* ---- the dialects that follow a manual page ---- */

static void assert_opens(const char *dialect, const char *text, const char *wanted)
{
    struct buf b = BUF_INIT;
    char *got;

    buf_adds(&b, text);
    got = opens(dialect, &b);
    assert_string_equal(got, wanted);
    free(got);
    buf_release(&b);
}

static void test_freebsd(void **state)
{
    (void)state;
    assert_opens("freebsd", TCP("telnet") TCP6("telnet"), "tcp4:*:23,tcp6:*:23");
    assert_opens("freebsd", "telnet stream tcp46 nowait/3/10" END, "tcp46:*:23");
    assert_opens("freebsd", "telnet stream tcp nowait root/daemon /x x\n", "tcp4:*:23");
    assert_opens("freebsd", "telnet stream tcp nowait nosuch /x x\n", "-");
    assert_opens("freebsd", TCP("23"), "-");
    assert_opens("freebsd", "rstatd/1-3 dgram rpc/udp wait" END, "udp4:*:dyn");
    assert_opens("freebsd", "tcpmux stream tcp nowait root internal\n" TCP("tcpmux/x"), "tcp4:*:1");
    assert_opens("freebsd", "/run/x stream unix nowait" END, "unix:stream:/run/x");
    assert_opens("freebsd", "telnet stream tcp nowait root internal\n", "-");
}

static void test_netbsd(void **state)
{
    (void)state;
    assert_opens("netbsd", TCP("telnet") TCP6("telnet"), "tcp4:*:23,tcp6:*:23");
    assert_opens("netbsd", TCP("8080"), "tcp4:*:8080");
    assert_opens("netbsd", "127.0.0.1:\n" TCP("telnet"), "tcp4:127.0.0.1:23");
    assert_opens("netbsd", "telnet stream tcp,sndbuf=4k nowait" END, "tcp4:*:23");
    assert_opens("netbsd",
                 "telnet on protocol = tcp, wait = no, user = root, exec = /x, args = x;\n",
                 "tcp4:*:23");
    assert_opens("netbsd",
                 "telnet off protocol = tcp, wait = no, user = root, exec = /x, args = x;\n", "-");
}

static void test_classic(void **state)
{
    (void)state;
    assert_opens("classic", TCP("telnet"), "tcp4:*:23");
    assert_opens("classic", TCP6("telnet"), "tcp46:*:23");
    assert_opens("classic", "telnet stream tcp nowait /usr/etc/telnetd telnetd\n", "tcp4:*:23");
    assert_opens("classic", "rusersd/2-3 tli rpc/datagram_v wait root /x x\n", "udp4:*:dyn");
    assert_opens("classic", "rstatd dgram sunrpc_udp wait root /x x 100001 1-3\n", "udp4:*:dyn");
    assert_opens("classic", "rstatd/2 tli rpc/* wait root /x x\n", "tcp4:*:dyn,udp4:*:dyn");
    assert_opens("classic", "rstatd/2 dgram rpc/tcp wait root /x x\n", "-");
    assert_opens("classic", "nosuch stream tcp nowait root /x x\n", "-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_groups_by_port),
        cmocka_unit_test(test_groups_of_duplicates),
        cmocka_unit_test(test_groups_of_datagrams),
        cmocka_unit_test(test_groups_of_tcpmux),
        cmocka_unit_test(test_group_by_left_address),
        cmocka_unit_test(test_group_over_files),
        cmocka_unit_test(test_last_duplicate_owns),
        cmocka_unit_test(test_first_of_two_names_owns),
        cmocka_unit_test(test_disabled_opens_nothing),
        cmocka_unit_test(test_hang_is_said),
        cmocka_unit_test(test_openings),
        cmocka_unit_test(test_freebsd),
        cmocka_unit_test(test_netbsd),
        cmocka_unit_test(test_classic),
    };

    return cmocka_run_group_tests(tests, read_names, free_names);
}
