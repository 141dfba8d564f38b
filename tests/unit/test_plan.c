#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batten/diag.h"
#include "batten/dialect.h"
#include "batten/lens.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/openings.h"
#include "batten/plan.h"
#include "batten/profile.h"
#include "batten/source.h"
#include "batten/starter.h"

enum { FILES_MAX = 4 };

/* A host: a few files of one starter, read and decided. */
struct host {
    struct netdb *db;
    struct source sources[FILES_MAX];
    size_t nsources;
    struct parse parse;
    struct profile *profile;
    struct findings findings;
    struct plan plan;
    struct diag d;
};

static const char services_file[] =
    "echo 7/tcp\necho 7/udp\ndiscard 9/tcp\nftp 21/tcp\nssh 22/tcp\ntelnet 23/tcp\nsmtp 25/tcp\n"
    "time 37/tcp\ntime 37/udp\ntftp 69/udp\nfinger 79/tcp\npop3 110/tcp pop-3\nauth 113/tcp ident\n"
    "imap2 143/tcp imap\nexec 512/tcp\nlogin 513/tcp\nshell 514/tcp\ntalk 517/udp\nntalk 518/udp\n"
    "tcpmux 1/tcp\n";

static const char passwd_file[] = "root:x:0:0::/:/bin/sh\nnobody:x:99:99::/:/bin/false\n";

static const char protocols_file[] = "ip 0 IP\ntcp 6 TCP\nudp 17 UDP\n";
static const char rpc_file[] = "portmapper 100000\nrstatd 100001 rstat\nrusersd 100002 rusers\n"
                               "mountd 100005 mount\nwalld 100008 rwall\nrquotad 100011\n"
                               "sprayd 100012 spray\n";

static void host_file(struct host *h, const char *path, const char *text, size_t len)
{
    struct source *s = &h->sources[h->nsources++];

    s->path = mem_strdup(path);
    s->bytes = mem_strndup(text, len);
    s->len = len;
}

static const struct starter *real_inetd(void)
{
    size_t n;

    return starters(&n)[0];
}

static void host_read(struct host *h, const struct starter *starter, const char *dialect,
                      const char *profile)
{
    h->db = netdb_new();
    netdb_add(h->db, NETDB_SERVICES, services_file, sizeof(services_file) - 1);
    netdb_add(h->db, NETDB_PASSWD, passwd_file, sizeof(passwd_file) - 1);
    netdb_add(h->db, NETDB_PROTOCOLS, protocols_file, sizeof(protocols_file) - 1);
    netdb_add(h->db, NETDB_RPC, rpc_file, sizeof(rpc_file) - 1);
    h->parse.dialect = dialect_find(dialect);
    h->parse.db = h->db;
    h->parse.starter = starter;
    for (size_t i = 0; i < h->nsources; i++)
        starter->parse(&h->parse, &h->sources[i]);
    starter->finish(&h->parse);
    if (profile_parse(&h->profile, "test", "test", profile, strlen(profile), NULL, NULL, &h->d) !=
        0)
        fail_msg("%s", h->d.message);
    findings_make(&h->findings, &h->parse.entries, h->profile, h->db);
}

static int host_plan(struct host *h, unsigned flags)
{
    return plan_make(&h->plan, &h->parse, 1, &h->findings, flags, &h->d);
}

static void host_release(struct host *h)
{
    plan_release(&h->plan);
    findings_release(&h->findings);
    profile_free(h->profile);
    parse_release(&h->parse);
    netdb_free(h->db);
    for (size_t i = 0; i < h->nsources; i++) {
        free(h->sources[i].path);
        free(h->sources[i].bytes);
    }
    diag_release(&h->d);
    memset(h, 0, sizeof(*h));
}

/* One etc/inetd.conf, planned. */
static void make(struct host *h, const char *dialect, const char *text, const char *profile)
{
    memset(h, 0, sizeof(*h));
    host_file(h, "etc/inetd.conf", text, strlen(text));
    host_read(h, real_inetd(), dialect, profile);
    if (host_plan(h, 0) != 0)
        fail_msg("%s", h->d.message);
}

static bool says(const struct host *h, const char *part)
{
    for (size_t i = 0; i < h->plan.consequences.n; i++) {
        if (strstr(h->plan.consequences.v[i], part) != NULL)
            return true;
    }
    return false;
}

#define TELNET "telnet\tstream\ttcp\tnowait\troot\t/usr/sbin/tcpd\t/usr/sbin/in.telnetd\n"
#define FTP    "ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd -l\n"
#define FINGER "finger stream tcp nowait nobody /usr/sbin/in.fingerd in.fingerd\n"

static void closes_one(void **state)
{
    struct host h;

    (void)state;
    make(&h, "openbsd", "# mine\n" TELNET FTP "time stream tcp nowait root internal\n",
         "disable telnet\n");
    assert_int_equal(h.plan.nfiles, 1);
    assert_string_equal(buf_str(&h.plan.files[0].after),
                        "# mine\n#" TELNET FTP "time stream tcp nowait root internal\n");
    assert_int_equal(h.plan.edits.n, 1);
    assert_string_equal(h.plan.edits.v[0].service, "telnet");
    assert_string_equal(h.plan.edits.v[0].name, "telnet");
    assert_int_equal(h.plan.nskips, 0);
    assert_true(h.plan.reload);
    assert_int_equal(h.plan.closes.n, 2);
    assert_int_equal(h.plan.closes.v[0].spec.port, 23);
    assert_true(h.plan.closes.v[0].inetd);
    assert_int_equal(h.plan.stays.n, 4);
    assert_true(
        says(&h, "telnet (23/tcp) will refuse new connections; running sessions stay open"));
    assert_false(says(&h, "nothing to start"));
    host_release(&h);
}

static void nothing_to_do(void **state)
{
    struct host h;

    (void)state;
    make(&h, "openbsd", "#" TELNET FTP, "disable telnet\n");
    assert_int_equal(h.plan.edits.n, 0);
    assert_int_equal(h.plan.nfiles, 0);
    assert_int_equal(h.plan.nskips, 0);
    assert_false(h.plan.reload);
    host_release(&h);
}

static void ask_is_left(void **state)
{
    struct host h;

    (void)state;
    make(&h, "openbsd", TELNET FTP, "disable telnet\nask ftp\n");
    assert_int_equal(h.plan.edits.n, 1);
    assert_int_equal(h.plan.nskips, 1);
    assert_string_equal(h.plan.skips[0].code, "ask");
    assert_int_equal(h.plan.skips[0].line, 2);
    host_release(&h);
    memset(&h, 0, sizeof(h));
    host_file(&h, "etc/inetd.conf", TELNET FTP, strlen(TELNET FTP));
    host_read(&h, real_inetd(), "openbsd", "disable telnet\nask ftp\n");
    assert_int_equal(host_plan(&h, PLAN_ALL_OR_NOTHING), 0);
    host_release(&h);
}

static char *long_line(void)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "finger stream tcp nowait nobody /usr/sbin/in.fingerd in.fingerd ");
    while (b.len < 1022)
        buf_addc(&b, 'x');
    buf_addc(&b, '\n');
    buf_adds(&b, TELNET);
    return buf_steal(&b);
}

static void locked_is_left(void **state)
{
    struct host h;
    char *text = long_line();

    (void)state;
    make(&h, "openbsd", text, "disable telnet finger\n");
    assert_int_equal(h.plan.edits.n, 1);
    assert_int_equal(h.plan.nskips, 1);
    assert_string_equal(h.plan.skips[0].code, "locked");
    assert_ptr_equal(h.plan.skips[0].finding, &h.findings.v[0]);
    plan_release(&h.plan);
    assert_int_not_equal(host_plan(&h, PLAN_ALL_OR_NOTHING), 0);
    assert_int_equal(h.d.status, STATUS_REFUSED);
    assert_string_equal(h.d.code, "all-or-nothing");
    assert_int_equal(h.d.line, 1);
    host_release(&h);
    free(text);
}

#define NUMBER "23 stream tcp nowait root /opt/other other\n"

static void shared_port(void **state)
{
    struct host h;

    (void)state;
    make(&h, "openbsd", TELNET FTP NUMBER, "disable program:/usr/sbin/in.telnetd\n");
    assert_int_equal(h.plan.edits.n, 0);
    assert_int_equal(h.plan.nskips, 1);
    assert_string_equal(h.plan.skips[0].code, "shared-port");
    assert_non_null(strstr(h.plan.skips[0].reason, "'23' (etc/inetd.conf:3)"));
    host_release(&h);
    make(&h, "openbsd", TELNET FTP NUMBER, "disable 23/tcp\nask etc/inetd.conf:23\n");
    assert_int_equal(h.plan.edits.n, 0);
    assert_int_equal(h.plan.nskips, 2);
    host_release(&h);
    make(&h, "openbsd", TELNET FTP NUMBER, "disable telnet\n");
    assert_int_equal(h.plan.edits.n, 2);
    assert_int_equal(h.plan.nskips, 0);
    assert_true(says(&h, "share a port and are closed together"));
    host_release(&h);
}

/* inetutils reads on from file to file: a default address holds in the next one. */
static void default_address_of_another_file(void **state)
{
    struct host h = {0};

    (void)state;
    host_file(&h, "etc/inetd.conf", "127.0.0.1:\n", 11);
    host_file(&h, "etc/inetd.d/mine", TELNET FTP, strlen(TELNET FTP));
    host_read(&h, real_inetd(), "inetutils", "disable telnet\n");
    assert_int_equal(host_plan(&h, 0), 0);
    assert_int_equal(h.plan.nskips, 0);
    assert_int_equal(h.plan.nfiles, 1);
    assert_ptr_equal(h.plan.files[0].source, &h.sources[1]);
    assert_string_equal(h.plan.closes.v[0].spec.address, "127.0.0.1");
    host_release(&h);
}

static void sentences(void **state)
{
    struct host h;

    (void)state;
    make(&h, "openbsd",
         "imap2 stream tcp nowait root /usr/sbin/imapd imapd\n"
         "talk dgram udp wait root /usr/sbin/in.talkd in.talkd\n"
         "31337 stream tcp nowait root /bin/sh sh -i\n"
         "kpop stream tcp nowait root /usr/sbin/popper popper\n"
         "time dgram udp wait root internal\n",
         "disable imap talk pop time\n");
    assert_int_equal(h.plan.nskips, 0);
    assert_int_equal(h.plan.edits.n, 5);
    assert_true(says(&h, "etc/inetd.conf:3 is a back door"));
    assert_false(says(&h, "Dovecot"));
    assert_true(says(&h, "talk (517/udp) will not be started again; a server that is running"));
    assert_true(says(&h, "kpop opens nothing as things are"));
    assert_true(says(&h, "inetd is left with nothing to start"));
    assert_non_null(strstr(h.plan.consequences.v[0], "back door"));
    plan_release(&h.plan);
    h.plan = (struct plan){0};
    assert_int_equal(host_plan(&h, PLAN_DOVECOT), 0);
    assert_true(says(&h, "imap closed here lets Dovecot"));
    host_release(&h);
}

/* ---- a starter made up for the test: 'NAME PORT', '#' comments out ---- */

static const struct starter fake, fake_rc;

static void fake_parse(struct parse *p, const struct source *s)
{
    size_t at = 0;
    unsigned line = 0;

    parse_add_source(p, s);
    while (at < s->len) {
        const char *newline = memchr(s->bytes + at, '\n', s->len - at);
        size_t end = newline != NULL ? (size_t)(newline - s->bytes) + 1 : s->len;
        struct entry *e = entries_new(&p->entries);
        char *text = mem_strndup(s->bytes + at, end - at);
        char *word = text + (text[0] == '#');

        word[strcspn(word, " \n")] = '\0';
        e->starter = strstr(s->path, "rc.") != NULL ? &fake_rc : &fake;
        e->source = s;
        e->start = at;
        e->end = end;
        e->line = e->last_line = ++line;
        e->column = 1;
        e->enabled = text[0] != '#';
        e->name = mem_strdup(word);
        e->program = mem_printf("/usr/sbin/%s", word);
        free(e->argv);
        e->argv = mem_array(3, sizeof(char *));
        e->argv[0] = mem_strdup(word);
        e->argv[1] = mem_strdup("-D");
        if (e->starter == &fake)
            e->proto = mem_strdup("tcp");
        free(text);
        at = end;
    }
}

/* Names in capitals open the door behind them once they are gone. */
static void fake_finish(struct parse *p)
{
    for (size_t i = 0; i < p->entries.n; i++) {
        struct entry *e = p->entries.v[i];

        if (!e->enabled || e->proto == NULL)
            continue;
        entry_add_socket(e, FAMILY_IPV4, "tcp", "*", 1000 + (int)i);
        if (i > 0 && !p->entries.v[i - 1]->enabled && p->entries.v[i - 1]->name[0] <= 'Z')
            entry_add_socket(e, FAMILY_IPV4, "tcp", "*", 5000 + (int)i);
    }
}

static int fake_disable(const struct parse *p, const struct entry *e, struct edits *edits,
                        struct diag *d)
{
    struct edit *edit;

    (void)p;
    if (strcmp(e->name, "never") == 0)
        return diag_set(d, STATUS_ATTENTION, "locked", "it is not to be");
    edit = edits_new(edits, e->source, e->start, e->end);
    edit->entry = e;
    edit->line = e->line;
    edit->last_line = e->last_line;
    edit->kind = "comment";
    edit->after = mem_printf("#%.*s", (int)(e->end - e->start), e->source->bytes + e->start);
    edit->after_len = e->end - e->start + 1;
    return 0;
}

static const struct starter fake = {
    .name = "inetd", .parse = fake_parse, .finish = fake_finish, .disable = fake_disable};
static const struct starter fake_rc = {
    .name = "rcscript", .parse = fake_parse, .finish = fake_finish, .disable = fake_disable};

static void make_fake(struct host *h, const struct starter *starter, const char *text,
                      const char *profile)
{
    memset(h, 0, sizeof(*h));
    host_file(h, starter == &fake ? "etc/fake" : "etc/rc.fake", text, strlen(text));
    host_read(h, starter, "openbsd", profile);
    if (host_plan(h, 0) != 0)
        fail_msg("%s", h->d.message);
}

static void never_widens(void **state)
{
    struct host h;

    (void)state;
    make_fake(&h, &fake, "a\nB\nc\nd\nE\nf\ng\nnever\n",
              "default disable\nkeep etc/fake:c etc/fake:f\n");
    assert_string_equal(buf_str(&h.plan.files[0].after), "#a\nB\nc\n#d\nE\nf\n#g\nnever\n");
    assert_int_equal(h.plan.nskips, 3);
    assert_int_equal(h.plan.edits.n, 3);
    assert_string_equal(h.plan.skips[0].code, "locked");
    assert_string_equal(h.plan.skips[1].code, "widens");
    assert_string_equal(h.plan.skips[1].finding->entry->name, "B");
    assert_non_null(strstr(h.plan.skips[1].reason, "'c' (etc/fake:3) would listen on"));
    assert_string_equal(h.plan.skips[2].finding->entry->name, "E");
    for (size_t i = 0; i < h.plan.closes.n; i++)
        assert_int_not_equal(h.plan.closes.v[i].spec.port, 1001);
    host_release(&h);
}

static void rc_daemons(void **state)
{
    struct host h;

    (void)state;
    make_fake(&h, &fake_rc, "named\nsshd\nrpc.statd\nnamed\n", "disable named statd\n");
    assert_int_equal(h.plan.edits.n, 3);
    assert_false(h.plan.reload);
    assert_int_equal(h.plan.ndaemons, 2);
    assert_string_equal(h.plan.daemons[0].service, "named");
    assert_string_equal(h.plan.daemons[0].program, "/usr/sbin/named");
    assert_int_equal(h.plan.daemons[0].argv.n, 2);
    assert_false(h.plan.daemons[0].start);
    assert_int_equal(h.plan.closes.n, 4);
    assert_false(h.plan.closes.v[0].inetd);
    assert_int_equal(h.plan.closes.v[0].spec.port, 53);
    assert_true(says(&h, "named is not started at boot any more, and stopped where it runs"));
    assert_true(says(&h, "/etc/resolv.conf"));
    host_release(&h);
}

/* ---- the promise, over many files: nothing opens, what stays open is named ---- */

static void reread(struct host *h, struct openings *out, struct parse *again, struct source *after)
{
    *again = (struct parse){.dialect = h->parse.dialect, .db = h->db, .starter = h->parse.starter};
    *after = h->sources[0];
    if (h->plan.nfiles > 0) {
        after->bytes = h->plan.files[0].after.data;
        after->len = h->plan.files[0].after.len;
    }
    h->parse.starter->parse(again, after);
    h->parse.starter->finish(again);
    openings_add(out, again);
}

static size_t left_open(const struct host *h)
{
    size_t n = 0;

    for (size_t i = 0; i < h->findings.n; i++) {
        if (!h->findings.v[i].entry->enabled || h->findings.v[i].verdict == VERDICT_KEEP)
            continue;
        for (size_t k = 0; k < h->plan.edits.n; k++) {
            if (h->plan.edits.v[k].entry == h->findings.v[i].entry)
                n--;
        }
        n++;
    }
    return n;
}

static void check_promise(const char *path, const char *dialect, unsigned seed)
{
    static const enum verdict random_verdicts[] = {VERDICT_KEEP, VERDICT_DISABLE, VERDICT_DISABLE,
                                                   VERDICT_ASK};
    struct host h = {0};
    struct openings before = {0}, after = {0}, wider = {0};
    struct parse again;
    struct source text;
    struct buf bytes = BUF_INIT;
    char piece[4096];
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&bytes, piece, n);
    fclose(f);
    host_file(&h, "etc/inetd.conf", buf_str(&bytes), bytes.len);
    host_read(&h, real_inetd(), dialect, "default disable\n");
    for (size_t i = 0; i < h.findings.n && seed > 0; i++) {
        seed = seed * 1103515245u + 12345u;
        h.findings.v[i].verdict = random_verdicts[(seed >> 16) % 4];
    }
    if (host_plan(&h, 0) != 0)
        fail_msg("%s: %s: %s", path, dialect, h.d.message);
    openings_add(&before, &h.parse);
    reread(&h, &after, &again, &text);
    openings_minus(&wider, &after, &before);
    if (wider.n > 0)
        fail_msg("%s: %s: opens %d", path, dialect, wider.v[0].spec->port);
    if (left_open(&h) != h.plan.nskips)
        fail_msg("%s: %s: %zu left, %zu skipped", path, dialect, left_open(&h), h.plan.nskips);
    if (after.n != h.plan.stays.n)
        fail_msg("%s: %s: %zu open, %zu stay", path, dialect, after.n, h.plan.stays.n);
    openings_release(&before);
    openings_release(&after);
    openings_release(&wider);
    parse_release(&again);
    buf_release(&bytes);
    host_release(&h);
}

static void promise_over_corpus(void **state)
{
    static const char *const dialects[] = {"openbsd", "inetutils", "busybox"};
    const char *dir = getenv("BATTEN_CORPUS");
    char path[4096];
    struct dirent *de;
    unsigned seed = 0;
    DIR *d;

    (void)state;
    snprintf(path, sizeof(path), "%s/inetd", dir != NULL ? dir : "../shared/corpus");
    d = opendir(path);
    if (d == NULL) {
        printf("# skip: no corpus at %s\n", path);
        skip();
    }
    while ((de = readdir(d)) != NULL) {
        if (de->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/inetd/%s", dir != NULL ? dir : "../shared/corpus",
                 de->d_name);
        check_promise(path, dialects[seed % ARRAY_LEN(dialects)], seed % 2 ? seed : 0);
        seed++;
    }
    closedir(d);
}

/* ---- size ---- */

static double seconds_for(size_t n)
{
    struct host h = {0};
    struct buf b = BUF_INIT;
    struct timespec from, to;

    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%zu stream tcp nowait root /usr/sbin/in.telnetd in.telnetd\n", i + 1000);
    host_file(&h, "etc/inetd.conf", buf_str(&b), b.len);
    host_read(&h, real_inetd(), "openbsd", "disable telnet\n");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_int_equal(host_plan(&h, 0), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    assert_int_equal(h.plan.edits.n, n);
    assert_int_equal(h.plan.nskips, 0);
    assert_true(h.plan.consequences.n < 60);
    host_release(&h);
    buf_release(&b);
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static void stays_linear(void **state)
{
    double small, large;

    (void)state;
    seconds_for(100);
    small = seconds_for(1000);
    large = seconds_for(8000);
    print_message("1,000 entries %.3f s, 8,000 entries %.3f s\n", small, large);
    assert_true(large < small * 8 * 2.5 + 0.2);
}

static int shutdown_lens(void **state)
{
    (void)state;
    lens_shutdown();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_one),   cmocka_unit_test(nothing_to_do),
        cmocka_unit_test(ask_is_left),  cmocka_unit_test(locked_is_left),
        cmocka_unit_test(shared_port),  cmocka_unit_test(default_address_of_another_file),
        cmocka_unit_test(sentences),    cmocka_unit_test(never_widens),
        cmocka_unit_test(rc_daemons),   cmocka_unit_test(promise_over_corpus),
        cmocka_unit_test(stays_linear),
    };

    return cmocka_run_group_tests(tests, NULL, shutdown_lens);
}
