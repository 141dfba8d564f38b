/* plan_guard: a rollback leaves its neighbours as they are; and what it says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/dialect.h"
#include "batten/lens.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/plan.h"
#include "batten/profile.h"
#include "batten/source.h"
#include "batten/starter.h"

static const char services_file[] =
    "echo 7/tcp\nftp 21/tcp\nssh 22/tcp\ntelnet 23/tcp\nsmtp 25/tcp\ndaytime 13/tcp\n"
    "time 37/tcp\ntftp 69/udp\nfinger 79/tcp\npop3 110/tcp\nimap2 143/tcp\nshell 514/tcp\n";
static const char passwd_file[] = "root:x:0:0::/:/bin/sh\nnobody:x:99:99::/:/bin/false\n";
static const char protocols_file[] = "tcp 6 TCP\nudp 17 UDP\n";

/* One file, as it is now, and a plan for it. */
struct file {
    struct netdb *db;
    struct source source;
    struct parse parse;
    struct plan plan;
    struct diag d;
};

static bool is_daemon(const char *basename)
{
    return catalogue_program(basename) != NULL;
}

static void file_read(struct file *f, const char *starter, const char *dialect, const char *text)
{
    const struct starter *const *all;
    size_t n;

    *f = (struct file){.d = DIAG_INIT};
    f->db = netdb_new();
    netdb_add(f->db, NETDB_SERVICES, services_file, sizeof(services_file) - 1);
    netdb_add(f->db, NETDB_PASSWD, passwd_file, sizeof(passwd_file) - 1);
    netdb_add(f->db, NETDB_PROTOCOLS, protocols_file, sizeof(protocols_file) - 1);
    f->source.path = mem_strdup(strcmp(starter, "inetd") == 0 ? "etc/inetd.conf" : "etc/rc.local");
    f->source.bytes = mem_strdup(text);
    f->source.len = strlen(text);
    f->parse =
        (struct parse){.dialect = dialect_find(dialect), .db = f->db, .is_daemon = is_daemon};
    all = starters(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->name, starter) == 0)
            f->parse.starter = all[i];
    f->parse.starter->parse(&f->parse, &f->source);
    f->parse.starter->finish(&f->parse);
    f->plan.kind = PLAN_ROLLBACK;
}

static void file_release(struct file *f)
{
    plan_release(&f->plan);
    parse_release(&f->parse);
    netdb_free(f->db);
    free(f->source.path);
    free(f->source.bytes);
    diag_release(&f->d);
}

static struct edit *take_back(struct file *f, size_t start, size_t end, const char *old, size_t len)
{
    struct edit *e = edits_new(&f->plan.edits, &f->source, start, end);

    e->kind = "revert";
    e->after = mem_strndup(old, len);
    e->after_len = len;
    e->line = 1;
    for (size_t i = 0; i < start; i++)
        e->line += f->source.bytes[i] == '\n';
    e->undoes_change = 1;
    e->undoes_edit = (unsigned)f->plan.edits.n;
    return e;
}

/* The line that begins with MARK loses its '#'. */
static void bring_back(struct file *f, const char *mark)
{
    const char *line = strstr(f->source.bytes, mark), *end;
    struct edit *e;

    assert_non_null(line);
    end = strchr(line, '\n') + 1;
    e = take_back(f, (size_t)(line - f->source.bytes), (size_t)(end - f->source.bytes), line + 1,
                  (size_t)(end - line - 1));
    e->service = mem_strndup(mark + 1, strcspn(mark + 1, " "));
    e->name = mem_strdup(e->service);
}

static void file_guard(struct file *f)
{
    f->plan.files = mem_alloc(sizeof(*f->plan.files));
    f->plan.nfiles = f->plan.capfiles = 1;
    f->plan.files[0].source = &f->source;
    assert_int_equal(edits_apply(&f->source, &f->plan.edits, &f->plan.files[0].after, &f->d), 0);
    if (plan_guard(&f->plan, &f->parse, 1, &f->d) != 0 ||
        plan_compare(&f->plan, &f->parse, 1, &f->d) != 0)
        fail_msg("%s", f->d.message);
}

static void expect_text(const struct file *f, const char *text)
{
    assert_int_equal(f->plan.nfiles, 1);
    assert_string_equal(buf_str(&f->plan.files[0].after), text);
}

#define TELNET "telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd\n"
#define FINGER "finger stream tcp nowait nobody /usr/sbin/in.fingerd in.fingerd\n"
#define FTP    "ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd -l\n"

static void neighbours_may_have_changed(void **state)
{
    struct file f;

    (void)state;
    file_read(&f, "inetd", "openbsd", "# mine\nsmtp stream tcp nowait root /m m\n#" TELNET FTP);
    bring_back(&f, "#telnet");
    file_guard(&f);
    assert_int_equal(f.plan.nskips, 0);
    expect_text(&f, "# mine\nsmtp stream tcp nowait root /m m\n" TELNET FTP);
    assert_int_equal(f.plan.consequences.n, 1);
    assert_string_equal(f.plan.consequences.v[0], "telnet (23/tcp) opens again");
    file_release(&f);
}

/* An indented line is one of its own under a comment, and a continuation under an entry. */
static void nothing_is_swallowed(void **state)
{
    static const char now[] = "#" TELNET "\tdaytime stream tcp nowait root internal\n#" FINGER FTP;
    struct file f;

    (void)state;
    file_read(&f, "inetd", "openbsd", now);
    bring_back(&f, "#telnet");
    bring_back(&f, "#finger");
    file_guard(&f);
    assert_int_equal(f.plan.nskips, 1);
    assert_string_equal(f.plan.skips[0].code, "conflict");
    assert_string_equal(f.plan.skips[0].path, "etc/inetd.conf");
    assert_int_equal(f.plan.skips[0].line, 1);
    assert_non_null(strstr(f.plan.skips[0].reason, "'daytime' (etc/inetd.conf:2)"));
    assert_int_equal(f.plan.edits.n, 1);
    expect_text(&f, "#" TELNET "\tdaytime stream tcp nowait root internal\n" FINGER FTP);
    assert_int_equal(f.plan.consequences.n, 1);
    assert_string_equal(f.plan.consequences.v[0], "finger (79/tcp) opens again");
    file_release(&f);
}

/* Not even what starts nothing now: it would be words of telnet's. */
static void no_line_of_others_is_taken_in(void **state)
{
    struct file f;

    (void)state;
    file_read(&f, "inetd", "openbsd", "#" TELNET "\t-debug\n" FTP);
    bring_back(&f, "#telnet");
    file_guard(&f);
    assert_int_equal(f.plan.nskips, 1);
    assert_int_equal(f.plan.edits.n, 0);
    assert_int_equal(f.plan.nfiles, 0);
    assert_int_equal(f.plan.opens.n, 0);
    assert_int_equal(f.plan.consequences.n, 0);
    file_release(&f);
}

/* The mirror: an entry that was the tail of another comes to life when that one goes. */
static void nothing_is_woken(void **state)
{
    static const char now[] = TELNET "\tdaytime stream tcp nowait root internal\n" FTP;
    struct file f;
    struct edit *e;

    (void)state;
    file_read(&f, "inetd", "openbsd", now);
    e = take_back(&f, 0, strlen(TELNET), "#" TELNET, strlen(TELNET) + 1);
    e->service = mem_strdup("telnet");
    e->name = mem_strdup("telnet");
    file_guard(&f);
    assert_int_equal(f.plan.nskips, 1);
    assert_non_null(
        strstr(f.plan.skips[0].reason, "'daytime' (etc/inetd.conf:2) would come to life"));
    assert_int_equal(f.plan.edits.n, 0);
    file_release(&f);
}

/* A port that an admin gave to another entry since. */
static void no_socket_of_others_is_taken(void **state)
{
    struct file f;

    (void)state;
    file_read(&f, "inetd", "openbsd",
              "#" TELNET "23 stream tcp nowait root /usr/local/sbin/other other\n" FTP);
    bring_back(&f, "#telnet");
    file_guard(&f);
    assert_int_equal(f.plan.nskips, 1);
    assert_int_equal(f.plan.edits.n, 0);
    file_release(&f);
}

static void daemons_are_told(void **state)
{
    struct file f;

    (void)state;
    file_read(&f, "rcscript", "openbsd", "#!/bin/sh\n# /usr/sbin/named\n/usr/sbin/sshd\n");
    bring_back(&f, "# /usr/sbin/named");
    free(f.plan.edits.v[0].name);
    f.plan.edits.v[0].name = mem_strdup("named");
    file_guard(&f);
    assert_int_equal(f.plan.nskips, 0);
    assert_int_equal(f.plan.ndaemons, 1);
    assert_true(f.plan.daemons[0].start);
    assert_int_equal(f.plan.consequences.n, 1);
    assert_non_null(strstr(f.plan.consequences.v[0], "named is started at boot again"));
    file_release(&f);
}

/* ---- whatever batten closes can be taken back when nobody changed the file ---- */

static int by_start(const void *a, const void *b)
{
    const struct edit *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

static void close_and_take_back(const char *starter, const char *dialect, const char *path)
{
    struct file now, then;
    struct buf bytes = BUF_INIT;
    struct profile *profile = NULL;
    struct findings findings = {0};
    static const char rules[] = "default disable\ndisable named statd portmap mountd nfs smtp\n";
    char piece[4096];
    FILE *in = fopen(path, "r");
    size_t n, moved = 0;

    assert_non_null(in);
    while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
        buf_add(&bytes, piece, n);
    fclose(in);
    if (strlen(buf_str(&bytes)) != bytes.len) {
        buf_release(&bytes);
        return;
    }
    file_read(&then, starter, dialect, buf_str(&bytes));
    then.plan.kind = PLAN_HARDEN;
    assert_int_equal(
        profile_parse(&profile, "test", "test", rules, strlen(rules), NULL, NULL, &then.d), 0);
    findings_make(&findings, &then.parse.entries, profile, then.db);
    if (plan_make(&then.plan, &then.parse, 1, &findings, 0, &then.d) != 0)
        fail_msg("%s: %s", path, then.d.message);
    if (then.plan.nfiles == 1) {
        file_read(&now, starter, dialect, buf_str(&then.plan.files[0].after));
        qsort(then.plan.edits.v, then.plan.edits.n, sizeof(*then.plan.edits.v), by_start);
        for (size_t i = 0; i < then.plan.edits.n; i++) {
            const struct edit *e = &then.plan.edits.v[i];
            struct edit *back = take_back(&now, e->start + moved, e->start + moved + e->after_len,
                                          e->before, e->before_len);

            moved += e->after_len - e->before_len;
            back->name = mem_strdup(e->name);
            back->service = mem_strdup(e->service);
        }
        file_guard(&now);
        if (now.plan.nskips > 0)
            fail_msg("%s: %s:%u: %s", path, dialect, now.plan.skips[0].line,
                     now.plan.skips[0].reason);
        expect_text(&now, buf_str(&bytes));
        file_release(&now);
    }
    findings_release(&findings);
    profile_free(profile);
    file_release(&then);
    buf_release(&bytes);
}

static void take_back_all(const char *starter, const char *kind)
{
    static const char *const dialects[] = {"openbsd", "inetutils", "busybox"};
    const char *dir = getenv("BATTEN_CORPUS");
    char path[4096];
    struct dirent *de;
    unsigned i = 0;
    DIR *d;

    snprintf(path, sizeof(path), "%s/%s", dir && *dir ? dir : "../shared/corpus", kind);
    d = opendir(path);
    if (d == NULL) {
        printf("# skip: no corpus at %s\n", path);
        skip();
    }
    while ((de = readdir(d)) != NULL) {
        if (de->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s/%s", dir && *dir ? dir : "../shared/corpus", kind,
                 de->d_name);
        close_and_take_back(starter, dialects[i++ % ARRAY_LEN(dialects)], path);
    }
    closedir(d);
}

static void every_inetd_file_goes_back(void **state)
{
    (void)state;
    take_back_all("inetd", "inetd");
}

static void every_script_goes_back(void **state)
{
    (void)state;
    take_back_all("rcscript", "rc");
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
        cmocka_unit_test(neighbours_may_have_changed),   cmocka_unit_test(nothing_is_swallowed),
        cmocka_unit_test(no_line_of_others_is_taken_in), cmocka_unit_test(nothing_is_woken),
        cmocka_unit_test(no_socket_of_others_is_taken),  cmocka_unit_test(daemons_are_told),
        cmocka_unit_test(every_inetd_file_goes_back),    cmocka_unit_test(every_script_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, shutdown_lens);
}
