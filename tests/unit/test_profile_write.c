#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/lens.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/profile.h"
#include "batten/source.h"
#include "batten/starter.h"

#include "tree.h"

static const struct starter inetd = {.name = "inetd"}, rcscript = {.name = "rcscript"};

/* In place of the real table: names are all that profiles ask of it. */
const struct starter *const *starters(size_t *n)
{
    static const struct starter *const all[] = {&inetd, &rcscript};

    *n = ARRAY_LEN(all);
    return all;
}

/* A host of made-up entries. */
struct host {
    struct source *sources;
    size_t nsources;
    struct entries entries;
    struct findings findings;
};

static void add(struct host *h, size_t source, const char *name, int port, const char *program)
{
    static char *none[] = {NULL};
    struct entry *e;

    h->entries.v = mem_grow(h->entries.v, h->entries.n, &h->entries.cap, sizeof(struct entry *));
    e = h->entries.v[h->entries.n++] = mem_alloc(sizeof(*e));
    e->source = &h->sources[source];
    e->starter = strstr(e->source->path, "rc.") != NULL ? &rcscript : &inetd;
    e->line = (unsigned)h->entries.n;
    e->enabled = true;
    e->name = mem_strdup(name);
    e->program = mem_strdup(program);
    e->argv = none;
    if (e->starter == &inetd)
        e->proto = mem_strdup("tcp");
    if (port > 0) {
        e->sockets = mem_array(1, sizeof(*e->sockets));
        e->nsockets = 1;
        e->sockets[0].port = port;
        memcpy(e->sockets[0].proto, "tcp", 4);
    }
}

static void host_init(struct host *h, const char *const *paths, size_t n)
{
    *h = (struct host){.sources = mem_array(n, sizeof(struct source)), .nsources = n};
    for (size_t i = 0; i < n; i++)
        h->sources[i].path = mem_strdup(paths[i]);
}

static void host_release(struct host *h)
{
    for (size_t i = 0; i < h->entries.n; i++) {
        struct entry *e = h->entries.v[i];

        free(e->name);
        free(e->program);
        free(e->proto);
        free(e->sockets);
        free(e);
    }
    for (size_t i = 0; i < h->nsources; i++)
        free(h->sources[i].path);
    free(h->entries.v);
    free(h->sources);
    findings_release(&h->findings);
}

/* How many findings the written text gives another verdict than V. */
static size_t wrong(const struct host *h, const enum verdict *v, int *rc, struct buf *text)
{
    struct profile *p = NULL;
    struct diag d = DIAG_INIT;
    size_t n = 0;

    buf_clear(text);
    *rc = profile_write(text, h->findings.v, v, h->findings.n);
    if (profile_parse(&p, "written", "written", buf_str(text), text->len, NULL, NULL, &d) != 0)
        fail_msg("%u:%u: %s\n%s", d.line, d.column, d.message, buf_str(text));
    for (size_t i = 0; i < h->findings.n; i++)
        n += profile_verdict(p, h->findings.v[i].entry, h->findings.v[i].service, NULL) != v[i];
    profile_free(p);
    return n;
}

static void by_name_where_it_is_enough(void **state)
{
    static const char *const paths[] = {"etc/inetd.conf"};
    static const enum verdict v[] = {VERDICT_DISABLE, VERDICT_KEEP, VERDICT_KEEP, VERDICT_ASK};
    struct buf text = BUF_INIT;
    struct host h;
    int rc;

    (void)state;
    host_init(&h, paths, 1);
    add(&h, 0, "telnet", 23, "/usr/sbin/in.telnetd");
    add(&h, 0, "ftp", 21, "/usr/sbin/in.ftpd");
    add(&h, 0, "mine", 4711, "/opt/mine");
    add(&h, 0, "finger", 79, "/usr/sbin/in.fingerd");
    findings_make(&h.findings, &h.entries, NULL, NULL);
    assert_int_equal(wrong(&h, v, &rc, &text), 0);
    assert_int_equal(rc, 0);
    assert_string_equal(strchr(buf_str(&text), '\n') + 1, "profile-version 1\n"
                                                          "default keep\n\n"
                                                          "disable telnet\n"
                                                          "ask finger\n"
                                                          "keep ftp\n");
    buf_release(&text);
    host_release(&h);
}

/* telnet on 23 closed, telnet on 2323 kept: one service, two names. */
static void by_path_where_names_are_not(void **state)
{
    static const char *const paths[] = {"etc/inetd.conf"};
    static const enum verdict v[] = {VERDICT_DISABLE, VERDICT_KEEP};
    static const enum verdict back[] = {VERDICT_KEEP, VERDICT_DISABLE};
    struct buf text = BUF_INIT;
    struct host h;
    int rc;

    (void)state;
    host_init(&h, paths, 1);
    add(&h, 0, "telnet", 23, "/usr/sbin/in.telnetd");
    add(&h, 0, "2323", 2323, "/usr/sbin/in.telnetd");
    findings_make(&h.findings, &h.entries, NULL, NULL);
    assert_int_equal(wrong(&h, v, &rc, &text), 0);
    assert_int_equal(rc, 0);
    assert_null(strstr(buf_str(&text), "disable telnet\n"));
    assert_int_equal(wrong(&h, back, &rc, &text), 0);
    assert_int_equal(rc, 0);
    buf_release(&text);
    host_release(&h);
}

/* The same name at two ports (an address apart) needs the port. */
static void by_port_where_paths_are_not(void **state)
{
    static const char *const paths[] = {"etc/inetd.conf"};
    static const enum verdict v[] = {VERDICT_DISABLE, VERDICT_KEEP};
    struct buf text = BUF_INIT;
    struct host h;
    int rc;

    (void)state;
    host_init(&h, paths, 1);
    add(&h, 0, "telnet", 23, "/usr/sbin/in.telnetd");
    add(&h, 0, "telnet", 2323, "/usr/sbin/in.telnetd");
    findings_make(&h.findings, &h.entries, NULL, NULL);
    assert_int_equal(wrong(&h, v, &rc, &text), 0);
    assert_int_equal(rc, 0);
    assert_non_null(strstr(buf_str(&text), "disable /etc/inetd.conf:telnet/23\n"));
    buf_release(&text);
    host_release(&h);
}

/* Nothing tells these two apart: said, and neither is closed. */
static void twins(void **state)
{
    static const char *const paths[] = {"etc/inetd.conf"};
    static const enum verdict v[] = {VERDICT_KEEP, VERDICT_DISABLE};
    struct buf text = BUF_INIT;
    struct host h;
    int rc;

    (void)state;
    host_init(&h, paths, 1);
    add(&h, 0, "telnet", 23, "/usr/sbin/in.telnetd");
    add(&h, 0, "telnet", 23, "/usr/sbin/in.telnetd");
    findings_make(&h.findings, &h.entries, NULL, NULL);
    assert_int_equal(wrong(&h, v, &rc, &text), 1);
    assert_int_equal(rc, -1);
    buf_release(&text);
    host_release(&h);
}

static void backdoor_kept_by_path(void **state)
{
    static const char *const paths[] = {"etc/inetd.conf"};
    static const enum verdict v[] = {VERDICT_KEEP, VERDICT_DISABLE};
    static const enum verdict w[] = {VERDICT_DISABLE, VERDICT_ASK};
    struct buf text = BUF_INIT;
    struct host h;
    int rc;

    (void)state;
    host_init(&h, paths, 1);
    add(&h, 0, "ingreslock", 1524, "/bin/sh");
    add(&h, 0, "31337", 31337, "/bin/bash");
    findings_make(&h.findings, &h.entries, NULL, NULL);
    assert_int_equal(wrong(&h, v, &rc, &text), 0);
    assert_int_equal(rc, 0);
    assert_non_null(strstr(buf_str(&text), "keep /etc/inetd.conf:ingreslock\n"));
    assert_int_equal(wrong(&h, w, &rc, &text), 0);
    buf_release(&text);
    host_release(&h);
}

/* ---- the property: what is written is read back to the same decisions ---- */

static unsigned dice(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % n;
}

static void random_host(struct host *h, unsigned *seed)
{
    static const char *const paths[] = {"etc/inetd.conf", "etc/inetd.d/a b#c:d", "etc/rc.local",
                                        "etc/rc.d/rc.inet2", "class"};
    static const char *const names[] = {"telnet",    "23",      "finger",   "imap2", "imap",
                                        "pop3",      "mine",    "#x",       "a:b",   "rstatd/1-3",
                                        "/tmp/sock", "with sp", "\xe9t\\é", "pop",   "shell",
                                        "named",     "statd",   "program"};
    static const char *const programs[] = {"/usr/sbin/in.telnetd", "/usr/sbin/imapd", "/opt/x",
                                           "/bin/sh", "/usr/sbin/named"};
    unsigned n = 1 + dice(seed, 40);

    host_init(h, paths, ARRAY_LEN(paths));
    for (unsigned i = 0; i < n; i++) {
        size_t at = dice(seed, ARRAY_LEN(paths));
        bool rc = strstr(paths[at], "rc.") != NULL;

        /* An rc entry always has a row; no two are twins. */
        if (rc)
            add(h, at, dice(seed, 2) ? "named" : "in.telnetd", 0,
                dice(seed, 2) ? "/usr/sbin/named" : "/usr/sbin/in.telnetd");
        else
            add(h, at, names[dice(seed, ARRAY_LEN(names))], 1000 + (int)i,
                programs[dice(seed, ARRAY_LEN(programs))]);
    }
    findings_make(&h->findings, &h->entries, NULL, NULL);
}

/* Entries that no selector tells apart get one verdict, as they would from a person who was told.
 */
static bool twins_of(const struct entry *a, const struct entry *b)
{
    return a->source == b->source && a->nsockets == 0 && b->nsockets == 0;
}

static void reads_back_the_same(void **state)
{
    static const enum verdict all[] = {VERDICT_KEEP, VERDICT_DISABLE, VERDICT_ASK};
    struct buf text = BUF_INIT;

    (void)state;
    for (unsigned round = 1; round <= 1500; round++) {
        unsigned seed = round;
        enum verdict v[64];
        struct host h;
        int rc;

        random_host(&h, &seed);
        for (size_t i = 0; i < h.findings.n; i++) {
            v[i] = all[dice(&seed, round % 2 ? 2 : 3)];
            for (size_t k = 0; k < i; k++) {
                if (twins_of(h.findings.v[i].entry, h.findings.v[k].entry))
                    v[i] = v[k];
            }
        }
        if (wrong(&h, v, &rc, &text) != 0 || rc != 0)
            fail_msg("round %u: rc %d\n%s", round, rc, buf_str(&text));
        host_release(&h);
    }
    buf_release(&text);
}

static void ten_thousand(void **state)
{
    static const char *const paths[] = {"etc/inetd.conf"};
    enum { N = 10000 };
    enum verdict *v = mem_array(N, sizeof(*v));
    struct buf text = BUF_INIT;
    struct timespec from, to;
    struct host h;
    double seconds;
    int rc;

    (void)state;
    not_under_valgrind();
    host_init(&h, paths, 1);
    for (int i = 0; i < N; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%d", 1000 + i);
        add(&h, 0, name, 1000 + i, "/usr/sbin/in.telnetd");
        v[i] = i % 3 ? VERDICT_DISABLE : VERDICT_KEEP;
    }
    findings_make(&h.findings, &h.entries, NULL, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    assert_int_equal(wrong(&h, v, &rc, &text), 0);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    print_message("10,000 decisions written and read in %.3f s\n", seconds);
    assert_true(seconds < 5);
    buf_release(&text);
    host_release(&h);
    free(v);
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
        cmocka_unit_test(by_name_where_it_is_enough),
        cmocka_unit_test(by_path_where_names_are_not),
        cmocka_unit_test(by_port_where_paths_are_not),
        cmocka_unit_test(twins),
        cmocka_unit_test(backdoor_kept_by_path),
        cmocka_unit_test(reads_back_the_same),
        cmocka_unit_test(ten_thousand),
    };

    return cmocka_run_group_tests(tests, NULL, shutdown_lens);
}
