#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/lens.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/profile.h"
#include "batten/source.h"
#include "batten/starter.h"

static const struct starter inetd = {.name = "inetd"}, rcscript = {.name = "rcscript"};

/* In place of the real table: names are all that profiles ask of it. */
const struct starter *const *starters(size_t *n)
{
    static const struct starter *const all[] = {&inetd, &rcscript};

    *n = ARRAY_LEN(all);
    return all;
}

/* One entry, made of string constants. */
struct made {
    struct entry e;
    struct source source;
    struct socket_spec sockets[2];
    char *argv[4];
    char text[4][128];
};

static char *keep(struct made *m, size_t i, const char *s)
{
    snprintf(m->text[i], sizeof(m->text[i]), "%s", s);
    return m->text[i];
}

static struct entry *entry(struct made *m, const char *path, const char *name, int port,
                           const char *program)
{
    memset(m, 0, sizeof(*m));
    m->source.path = keep(m, 0, path);
    m->e.source = &m->source;
    m->e.starter = strstr(path, "rc.") != NULL ? &rcscript : &inetd;
    m->e.name = keep(m, 1, name);
    m->e.enabled = true;
    m->e.argv = m->argv;
    if (program != NULL)
        m->e.program = keep(m, 2, program);
    if (m->e.starter == &inetd)
        m->e.proto = keep(m, 3, "tcp");
    if (port != 0) {
        m->sockets[0].port = port;
        snprintf(m->sockets[0].proto, sizeof(m->sockets[0].proto), "tcp");
        m->e.sockets = m->sockets;
        m->e.nsockets = 1;
    }
    return &m->e;
}

static struct profile *parse(const char *text)
{
    struct profile *p = NULL;
    struct diag d = DIAG_INIT;

    if (profile_parse(&p, "site", "site.profile", text, strlen(text), NULL, NULL, &d) != 0)
        fail_msg("%u:%u: %s", d.line, d.column, d.message);
    return p;
}

static const char *verdict(const struct profile *p, const struct entry *e)
{
    return verdict_name(profile_verdict(p, e, match_entry(e, NULL), NULL));
}

/* The verdict of a profile TEXT for one entry. */
static const char *say(const char *text, const struct entry *e)
{
    struct profile *p = parse(text);
    const char *v = verdict(p, e);

    profile_free(p);
    return v;
}

static void each_selector(void **state)
{
    struct made m;
    struct entry *e = entry(&m, "etc/inetd.conf", "telnet", 23, "/usr/sbin/in.telnetd");

    (void)state;
    assert_string_equal(say("", e), "keep");
    assert_string_equal(say("disable telnet\n", e), "disable");
    assert_string_equal(say("disable finger\n", e), "keep");
    assert_string_equal(say("disable telnetd\n", e), "disable");
    assert_string_equal(say("disable telnet@inetd\n", e), "disable");
    assert_string_equal(say("disable telnet@rcscript\n", e), "keep");
    assert_string_equal(say("disable 23/tcp", e), "disable");
    assert_string_equal(say("disable 23/udp", e), "keep");
    assert_string_equal(say("ask etc/inetd.conf:telnet", e), "ask");
    assert_string_equal(say("ask /etc/inetd.conf:telnet/23", e), "ask");
    assert_string_equal(say("ask /etc/inetd.conf:telnet/24", e), "keep");
    assert_string_equal(say("ask /etc/inetd.d/x:telnet", e), "keep");
    assert_string_equal(say("disable program:/usr/sbin/in.telnetd", e), "disable");
    assert_string_equal(say("disable program:/usr/sbin/telnetd", e), "keep");
    assert_string_equal(say("disable class:cleartext", e), "disable");
    assert_string_equal(say("disable class:rpc", e), "keep");
    assert_string_equal(say("disable finger telnet # both\n", e), "disable");
    assert_string_equal(say("# disable telnet\n\n \t\r\n", e), "keep");
    assert_string_equal(say("  disable\ttelnet  \r\n", e), "disable");
    assert_string_equal(say("profile-version 1\ndefault disable\n", e), "disable");
    m.e.rpc = m.text[1];
    keep(&m, 1, "rusersd");
    m.e.program = NULL;
    assert_string_equal(say("disable rpc:rusersd", e), "disable");
    assert_string_equal(say("disable rpc:100002", e), "disable");
    assert_string_equal(say("disable rpc:100001", e), "keep");
}

static void program_behind_tcpd(void **state)
{
    struct made m;
    struct entry *e = entry(&m, "etc/inetd.conf", "x", 9999, "/usr/sbin/tcpd");
    char argv0[] = "/usr/sbin/in.telnetd";

    (void)state;
    m.argv[0] = argv0;
    assert_string_equal(say("disable program:/usr/sbin/in.telnetd", e), "disable");
}

/* PATH, then program and PORT, NAME@STARTER, NAME, class, default; then the later line. */
static void precedence(void **state)
{
    static const char *const weaker_first[] = {"default %s\n",
                                               "%s class:cleartext\n",
                                               "%s telnet\n",
                                               "%s telnet@inetd\n",
                                               "%s 23/tcp\n",
                                               "%s etc/inetd.conf:telnet\n",
                                               "%s etc/inetd.conf:telnet/23\n"};
    struct made m;
    struct entry *e = entry(&m, "etc/inetd.conf", "telnet", 23, "/usr/sbin/in.telnetd");

    (void)state;
    for (size_t weak = 0; weak < ARRAY_LEN(weaker_first); weak++) {
        for (size_t strong = weak + 1; strong < ARRAY_LEN(weaker_first); strong++) {
            struct buf b = BUF_INIT;
            char line[128];

            for (int order = 0; order < 2; order++) {
                size_t first = order ? weak : strong, second = order ? strong : weak;

                buf_clear(&b);
                for (int i = 0; i < 2; i++) {
                    size_t at = i ? second : first;
                    const char *mark = strstr(weaker_first[at], "%s");

                    snprintf(line, sizeof(line), "%.*s%s%s", (int)(mark - weaker_first[at]),
                             weaker_first[at], at == strong ? "ask" : "disable", mark + 2);
                    buf_adds(&b, line);
                }
                if (strcmp(say(buf_str(&b), e), "ask") != 0)
                    fail_msg("%s", buf_str(&b));
            }
            buf_release(&b);
        }
    }
    assert_string_equal(say("disable telnet\nkeep telnet\n", e), "keep");
    assert_string_equal(say("keep telnet\ndisable telnet\n", e), "disable");
    assert_string_equal(say("keep 23/tcp\nask program:/usr/sbin/in.telnetd\n", e), "ask");
    assert_string_equal(say("ask program:/usr/sbin/in.telnetd\nkeep 23/tcp\n", e), "keep");
    assert_string_equal(say("ask etc/inetd.conf:telnet\nkeep etc/inetd.conf:telnet\n", e), "keep");
}

static void default_is_for_inetd(void **state)
{
    struct made m;
    struct entry *e = entry(&m, "etc/rc.local", "named", 0, "/usr/sbin/named");

    (void)state;
    assert_string_equal(say("default disable\n", e), "keep");
    assert_string_equal(say("disable named\n", e), "disable");
    assert_string_equal(say("disable etc/rc.local:named\n", e), "disable");
}

static void backdoor_rule(void **state)
{
    struct made m;
    struct entry *e = entry(&m, "etc/inetd.conf", "ingreslock", 1524, "/bin/sh");
    const struct profile_rule *rule;
    struct profile *p;
    struct diag d = DIAG_INIT;
    const char *selector = "finger", *text;
    size_t len;

    (void)state;
    assert_string_equal(say("", e), "disable");
    assert_string_equal(say("keep ingreslock 1524/tcp program:/bin/sh\n", e), "disable");
    assert_string_equal(say("keep etc/inetd.conf:ingreslock\n", e), "keep");
    text = profile_builtin("report", &len);
    assert_int_equal(profile_parse(&p, "report", "report", text, len, NULL, NULL, &d), 0);
    assert_string_equal(verdict(p, e), "keep");
    profile_free(p);
    assert_int_equal(profile_from_selectors(&p, &selector, 1, &d), 0);
    assert_string_equal(verdict(p, e), "keep");
    profile_free(p);
    selector = "class:backdoor";
    assert_int_equal(profile_from_selectors(&p, &selector, 1, &d), 0);
    assert_int_equal(profile_verdict(p, e, NULL, &rule), VERDICT_DISABLE);
    assert_string_equal(rule->selector, "class:backdoor");
    profile_free(p);
}

/* A text, where the first error stands, a word of its message and its hint. */
struct wrong {
    const char *text;
    unsigned line, column;
    const char *message;
    const char *hint;
};

static void errors(void **state)
{
    static const struct wrong all[] = {
        {"disable telent\n",               1, 9,  "unknown service 'telent'",           "did you mean 'telnet'?"   },
        {"keep ssh\n\n  disabel telnet\n", 3, 3,  "unknown word 'disabel'",
         "did you mean 'disable'?"                                                                                 },
        {"default disabled\n",             1, 9,  "unknown verdict 'disabled'",         "did you mean 'disable'?"  },
        {"default\n",                      1, 1,  "a word is missing behind 'default'", "write default keep"       },
        {"default keep keep\n",            1, 14, "too many words",                     "write default keep"       },
        {"disable\n",                      1, 1,  "a word is missing",                  "write disable telnet"     },
        {"disable finger telnet@inted\n",  1, 16, "unknown starter 'inted'",
         "did you mean 'inetd'?"                                                                                   },
        {"disable class:maul\n",           1, 9,  "unknown class 'maul'",               "did you mean 'mail'?"     },
        {"disable 79\n",                   1, 9,  "the protocol is missing",            "write 79/tcp or 79/udp"   },
        {"disable 79/tpc\n",               1, 9,  "unknown protocol 'tpc'",             "did you mean 'tcp'?"      },
        {"disable 99999/tcp\n",            1, 9,  "is not a port",                      "79/tcp"                   },
        {"disable program:telnetd\n",      1, 9,  "not an absolute path",               "program:/usr/sbin/telnetd"},
        {"disable etc/inetd.conf:\n",      1, 9,  "a path and a name",                  "/etc/inetd.conf:telnet"   },
        {"disable :telnet\n",              1, 9,  "a path and a name",                  "/etc/inetd.conf:telnet"   },
        {"disable rpc:\n",                 1, 9,  "unknown RPC service ''",             "batten help profile"      },
        {"wrap telnet\n",                  1, 1,  "'wrap' cannot be carried out",       "batten help profile"      },
        {"profile-version 2\n",            1, 17, "profile version '2' is not known",   "batten --version"         },
        {"include jpcert\n",               1, 9,  "unknown profile 'jpcert'",           "batten profile list"      },
        {"include strikt\n",               1, 9,  "unknown profile 'strikt'",           "did you mean 'strict'?"   },
        {"include ../x\n",                 1, 9,  "is not the name of a profile",       "batten profile list"      },
        {"disable telnet\x03\n",           1, 0,  "not the text of a profile",          "batten help profile"      },
        {"disable telnet\rx\n",            1, 0,  "not the text of a profile",          "batten help profile"      },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const struct wrong *w = &all[i];
        struct profile *p = NULL;
        struct diag d = DIAG_INIT;

        if (profile_parse(&p, "x", "x.profile", w->text, strlen(w->text), NULL, NULL, &d) == 0)
            fail_msg("accepted: %s", w->text);
        if (d.line != w->line || (w->column != 0 && d.column != w->column) ||
            strstr(d.message, w->message) == NULL || strstr(d.hint, w->hint) == NULL)
            fail_msg("%s: %u:%u: %s; %s", w->text, d.line, d.column, d.message, d.hint);
        assert_string_equal(d.path, "x.profile");
        assert_int_equal(d.status, STATUS_REFUSED);
        diag_release(&d);
    }
}

static void error_far_down(void **state)
{
    struct buf b = BUF_INIT;
    struct profile *p = NULL;
    struct diag d = DIAG_INIT;

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_adds(&b, i % 3 == 0 ? "# comment\n" : "disable telnet finger\n");
    buf_adds(&b, "\tkeep  nosuchthing # why\n");
    assert_int_not_equal(profile_parse(&p, "x", "x.profile", buf_str(&b), b.len, NULL, NULL, &d),
                         0);
    assert_int_equal(d.line, 1001);
    assert_int_equal(d.column, 8);
    assert_string_equal(d.text, "\tkeep  nosuchthing # why");
    diag_release(&d);
    buf_release(&b);
}

static int load(void *ctx, const char *name, struct buf *out, struct diag *d)
{
    unsigned *calls = ctx;

    (*calls)++;
    if (strcmp(name, "self") == 0)
        buf_adds(out, "include self\ninclude self\n");
    else if (strcmp(name, "close") == 0)
        buf_adds(out, "disable telnet\ndefault ask\n");
    else if (strcmp(name, "bad") == 0)
        buf_adds(out, "keep ssh\nkeep shs\n");
    else
        return diag_set(d, STATUS_REFUSED, "unknown-profile", "unknown profile '%s'", name);
    return 0;
}

static void includes(void **state)
{
    static const char before[] = "keep telnet\ninclude close\n";
    static const char after[] = "include close\nkeep telnet\ndefault keep\n";
    static const char bad[] = "\ninclude bad\n", self[] = "include self\n";
    struct made m, n;
    struct entry *e = entry(&m, "etc/inetd.conf", "telnet", 23, NULL);
    struct entry *other = entry(&n, "etc/inetd.conf", "mine", 4711, NULL);
    const struct profile_rule *rule;
    struct diag d = DIAG_INIT;
    struct profile *p;
    unsigned calls = 0;

    (void)state;
    assert_int_equal(profile_parse(&p, "x", "x", before, sizeof(before) - 1, load, &calls, &d), 0);
    assert_int_equal(profile_verdict(p, e, match_entry(e, NULL), &rule), VERDICT_DISABLE);
    assert_string_equal(rule->file, "close");
    assert_int_equal(rule->line, 1);
    assert_string_equal(verdict(p, other), "ask");
    profile_free(p);
    assert_int_equal(profile_parse(&p, "x", "x", after, sizeof(after) - 1, load, &calls, &d), 0);
    assert_string_equal(verdict(p, e), "keep");
    assert_string_equal(verdict(p, other), "keep");
    assert_string_equal(profile_rule_at(p, 0)->selector, "telnet");
    assert_string_equal(profile_rule_at(p, 1)->file, "x");
    assert_null(profile_rule_at(p, 2));
    profile_free(p);
    assert_int_not_equal(profile_parse(&p, "x", "x", bad, sizeof(bad) - 1, load, &calls, &d), 0);
    assert_string_equal(d.path, "bad");
    assert_int_equal(d.line, 2);
    diag_release(&d);
    calls = 0;
    assert_int_not_equal(profile_parse(&p, "x", "x", self, sizeof(self) - 1, load, &calls, &d), 0);
    assert_string_equal(d.code, "include");
    assert_true(calls <= 9);
    diag_release(&d);
}

static const char *builtin_says(const char *name, const struct entry *e)
{
    size_t len;
    const char *text = profile_builtin(name, &len);
    struct profile *p = NULL;
    struct diag d = DIAG_INIT;
    const char *v;

    assert_non_null(text);
    if (profile_parse(&p, name, name, text, len, NULL, NULL, &d) != 0)
        fail_msg("%s:%u:%u: %s", name, d.line, d.column, d.message);
    v = verdict(p, e);
    profile_free(p);
    return v;
}

static void builtins(void **state)
{
    static const char *const closed[] = {"finger", "telnet", "imap2", "imaps", "pop3", "pop3s"};
    static const char *const open[] = {"ftp", "ssh", "time", "shell"};
    struct made m;
    size_t n, len;
    const char *const *names = profile_builtin_names(&n);

    (void)state;
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_non_null(profile_builtin(names[i], &len));
    assert_null(profile_builtin("jpcert", &len));
    assert_null(profile_builtin("", &len));
    for (size_t i = 0; i < ARRAY_LEN(closed); i++)
        assert_string_equal(
            builtin_says("jpcert-98-0004", entry(&m, "etc/inetd.conf", closed[i], 0, NULL)),
            "disable");
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        assert_string_equal(
            builtin_says("jpcert-98-0004", entry(&m, "etc/inetd.conf", open[i], 0, NULL)), "keep");
    entry(&m, "etc/rc.local", "rpc.statd", 0, "/sbin/rpc.statd");
    assert_string_equal(builtin_says("jpcert-98-0004", &m.e), "disable");
    assert_string_equal(builtin_says("report", &m.e), "keep");
    entry(&m, "etc/rc.local", "inetd", 0, "/usr/sbin/inetd");
    assert_string_equal(builtin_says("strict", &m.e), "keep");
    entry(&m, "etc/inetd.conf", "ssh", 22, NULL);
    assert_string_equal(builtin_says("strict", &m.e), "keep");
    entry(&m, "etc/inetd.conf", "mine", 4711, NULL);
    assert_string_equal(builtin_says("strict", &m.e), "disable");
    assert_string_equal(builtin_says("jpcert-98-0004", &m.e), "keep");
}

/* strict names every row of the catalogue. */
static void strict_is_whole(void **state)
{
    size_t n, len;
    const struct service *rows = catalogue(&n);
    const char *text = profile_builtin("strict", &len);
    struct diag d = DIAG_INIT;
    struct profile *p;

    (void)state;
    assert_int_equal(profile_parse(&p, "strict", "strict", text, len, NULL, NULL, &d), 0);
    for (size_t i = 0; i < n; i++) {
        struct made m;
        struct entry *e = entry(&m, "etc/rc.local", rows[i].name, 0, NULL);
        bool stays = strcmp(rows[i].name, "ssh") == 0 || strcmp(rows[i].name, "inetd") == 0;

        if (profile_verdict(p, e, &rows[i], NULL) != (stays ? VERDICT_KEEP : VERDICT_DISABLE))
            fail_msg("%s", rows[i].name);
    }
    profile_free(p);
}

static void builtin_is_the_file(void **state)
{
    size_t n, len;
    const char *const *names = profile_builtin_names(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const char *text = profile_builtin(names[i], &len);
        char path[128], bytes[16384];
        FILE *f;

        snprintf(path, sizeof(path), "src/share/profiles/%s.profile", names[i]);
        f = fopen(path, "r");
        assert_non_null(f);
        assert_int_equal(fread(bytes, 1, sizeof(bytes), f), len);
        assert_memory_equal(bytes, text, len);
        fclose(f);
    }
}

static void from_selectors(void **state)
{
    static const char *const good[] = {"finger", "23/tcp", "class:rpc"};
    static const char *const bad[] = {"finger", "telent"};
    struct made m;
    struct diag d = DIAG_INIT;
    struct profile *p = NULL;

    (void)state;
    assert_int_equal(profile_from_selectors(&p, good, 3, &d), 0);
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.conf", "telnet", 23, NULL)), "disable");
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.conf", "ftp", 21, NULL)), "keep");
    profile_free(p);
    assert_int_not_equal(profile_from_selectors(&p, bad, 2, &d), 0);
    assert_int_equal(d.status, STATUS_USAGE);
    assert_string_equal(d.hint, "did you mean 'telnet'?");
    diag_release(&d);
}

/* ---- fixtures/profiles: each is read, or refused where its first line says ---- */

static void read_file(const char *path, struct buf *out)
{
    char bytes[4096];
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
        buf_add(out, bytes, n);
    fclose(f);
}

static void check_fixture(const char *path)
{
    struct buf b = BUF_INIT;
    struct profile *p = NULL;
    struct diag d = DIAG_INIT;
    char *place, *want = NULL;
    int rc;

    read_file(path, &b);
    rc = profile_parse(&p, "x", path, buf_str(&b), b.len, NULL, NULL, &d);
    if (strncmp(buf_str(&b), "# error ", 8) == 0)
        want = mem_strndup(b.data + 8, strcspn(b.data + 8, "\n"));
    if (want == NULL && rc != 0)
        fail_msg("%s:%u:%u: %s", path, d.line, d.column, d.message);
    if (want != NULL) {
        assert_int_not_equal(rc, 0);
        place = mem_printf("%u:%u %s", d.line, d.column, d.message);
        if (strncmp(place, want, strlen(want)) != 0)
            fail_msg("%s: %s", path, place);
        free(place);
    }
    free(want);
    profile_free(p);
    diag_release(&d);
    buf_release(&b);
}

static void fixtures(void **state)
{
    struct dirent *de;
    DIR *dir = opendir("fixtures/profiles");
    unsigned n = 0;

    (void)state;
    assert_non_null(dir);
    while ((de = readdir(dir)) != NULL) {
        char path[512];

        if (de->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "fixtures/profiles/%s", de->d_name);
        check_fixture(path);
        n++;
    }
    closedir(dir);
    assert_true(n >= 9);
}

static void office(void **state)
{
    struct buf b = BUF_INIT;
    struct made m;
    struct profile *p;

    (void)state;
    read_file("fixtures/profiles/office.profile", &b);
    p = parse(buf_str(&b));
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.conf", "telnet", 23, NULL)), "disable");
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.conf", "telnet", 2323, NULL)), "keep");
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.conf", "mine", 4711, NULL)), "disable");
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.conf", "netbios-ssn", 139, NULL)), "keep");
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.conf", "printer", 515, NULL)), "disable");
    assert_string_equal(verdict(p, entry(&m, "etc/rc.local", "lpd", 0, "/usr/sbin/lpd")), "keep");
    assert_string_equal(verdict(p, entry(&m, "etc/rc.local", "mysqld", 0, "/usr/sbin/mysqld")),
                        "ask");
    profile_free(p);
    buf_release(&b);
    read_file("fixtures/profiles/escapes.profile", &b);
    p = parse(buf_str(&b));
    assert_string_equal(verdict(p, entry(&m, "etc/inetd.d/old list", "telnet", 23, NULL)),
                        "disable");
    assert_string_equal(profile_rule_at(p, 1)->selector,
                        "/etc/inetd.d/old\\040list:\\043mine/4711");
    profile_free(p);
    buf_release(&b);
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
        cmocka_unit_test(each_selector),
        cmocka_unit_test(program_behind_tcpd),
        cmocka_unit_test(precedence),
        cmocka_unit_test(default_is_for_inetd),
        cmocka_unit_test(backdoor_rule),
        cmocka_unit_test(errors),
        cmocka_unit_test(error_far_down),
        cmocka_unit_test(includes),
        cmocka_unit_test(builtins),
        cmocka_unit_test(strict_is_whole),
        cmocka_unit_test(builtin_is_the_file),
        cmocka_unit_test(from_selectors),
        cmocka_unit_test(fixtures),
        cmocka_unit_test(office),
    };

    return cmocka_run_group_tests(tests, NULL, shutdown_lens);
}
