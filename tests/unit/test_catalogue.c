#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/mem.h"

static void name_is(const struct service *s, const char *name)
{
    assert_non_null(s);
    assert_string_equal(s->name, name);
}

static void rows_are_complete(void **state)
{
    size_t n;
    const struct service *rows = catalogue(&n);

    (void)state;
    assert_true(n >= 80);
    for (size_t i = 0; i < n; i++) {
        const struct service *s = &rows[i];

        assert_true(s->name[0] != '\0');
        assert_non_null(s->classes[0]);
        /* One sentence each, to be printed behind other words. */
        assert_true(strlen(s->what) > 15 && s->what[strlen(s->what) - 1] != '.');
        assert_true(strlen(s->why) > 15 && s->why[strlen(s->why) - 1] != '.');
        assert_true(s->source[0] != '\0');
        assert_true(strlen(s->what) <= 90);
        assert_true(strlen(s->why) <= 95);
        assert_true(s->severity < SEVERITY_BACKDOOR);
        assert_true(s->programs[0] != NULL || s->ports[0].port != 0 || s->rpc[0] != NULL);
    }
}

/* A name or alias, a port and an RPC name belong to one row only. */
static void words_are_unique(void **state)
{
    size_t n;
    const struct service *rows = catalogue(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(catalogue_find(rows[i].name), &rows[i]);
        for (const char *const *a = rows[i].aliases; *a != NULL; a++) {
            if (catalogue_find(*a) != &rows[i])
                fail_msg("alias %s of %s belongs to %s", *a, rows[i].name,
                         catalogue_find(*a)->name);
        }
        for (const char *const *a = rows[i].rpc; *a != NULL; a++) {
            if (catalogue_rpc(*a) != &rows[i])
                fail_msg("rpc %s of %s belongs to %s", *a, rows[i].name, catalogue_rpc(*a)->name);
        }
        for (const struct service_port *p = rows[i].ports; p->port != 0; p++) {
            if (catalogue_port(p->port, p->proto) != &rows[i])
                fail_msg("port %d/%s of %s", p->port, p->proto, rows[i].name);
        }
        for (const char *const *a = rows[i].programs; *a != NULL; a++) {
            assert_true(catalogue_runs(&rows[i], *a));
            assert_non_null(catalogue_program(*a));
        }
    }
}

/* The closed list that profiles, messages and trailers rely on. */
static void names_of_the_list(void **state)
{
    static const char *const names[] = {
        "telnet",  "finger", "imap",    "imaps",   "pop",       "pops",    "ftp",
        "tftp",    "shell",  "login",   "exec",    "talk",      "uucp",    "systat",
        "netstat", "echo",   "discard", "chargen", "daytime",   "time",    "comsat",
        "rusersd", "rstatd", "rwalld",  "sprayd",  "rexd",      "rquotad", "ttdbserver",
        "cmsd",    "kcms",   "sadmind", "bootps",  "printer",   "swat",    "linuxconf",
        "amanda",  "ident",  "ssh",     "named",   "statd",     "lockd",   "portmap",
        "mountd",  "nfs",    "ypserv",  "ypbind",  "rwhod",     "routed",  "gated",
        "timed",   "snmp",   "smtp",    "httpd",   "inetd",     "xdm",     "ntpd",
        "samba",   "mysql",  "upnp",    "cwmp",    "ingreslock"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        name_is(catalogue_find(names[i]), names[i]);
    assert_null(catalogue_find("nosuch"));
    assert_null(catalogue_find(""));
    assert_null(catalogue_find(NULL));
}

static void aliases(void **state)
{
    (void)state;
    name_is(catalogue_find("imap2"), "imap");
    name_is(catalogue_find("imap4"), "imap");
    name_is(catalogue_find("pop3"), "pop");
    name_is(catalogue_find("pop-2"), "pop");
    name_is(catalogue_find("kpop"), "pop");
    name_is(catalogue_find("pop3s"), "pops");
    name_is(catalogue_find("ntalk"), "talk");
    name_is(catalogue_find("auth"), "ident");
    name_is(catalogue_find("rpcbind"), "portmap");
    name_is(catalogue_find("sendmail"), "smtp");
}

static void programs_ports_rpc(void **state)
{
    (void)state;
    name_is(catalogue_program("in.telnetd"), "telnet");
    name_is(catalogue_program("utelnetd"), "telnet");
    name_is(catalogue_program("imap4d"), "imap");
    name_is(catalogue_program("dropbear"), "ssh");
    name_is(catalogue_program("rpc.statd"), "statd");
    name_is(catalogue_program("rpc.rstatd"), "rstatd");
    name_is(catalogue_program("rpcbind"), "portmap");
    assert_null(catalogue_program("sh"));
    assert_null(catalogue_program("cat"));
    name_is(catalogue_port(23, "tcp"), "telnet");
    name_is(catalogue_port(514, "tcp"), "shell");
    assert_null(catalogue_port(514, "udp"));
    name_is(catalogue_port(512, "udp"), "comsat");
    name_is(catalogue_port(2049, "udp"), "nfs");
    assert_null(catalogue_port(23, "udp"));
    assert_null(catalogue_port(0, "tcp"));
    assert_null(catalogue_port(-1, "tcp"));
    name_is(catalogue_rpc("100024"), "statd");
    name_is(catalogue_rpc("rusersd"), "rusersd");
    name_is(catalogue_rpc("100083"), "ttdbserver");
    assert_null(catalogue_rpc("1"));
}

static void classes_and_nearest(void **state)
{
    (void)state;
    assert_true(catalogue_is_class("rpc"));
    assert_true(catalogue_is_class("cleartext"));
    assert_true(catalogue_is_class("backdoor"));
    assert_true(catalogue_is_class("mail"));
    assert_true(catalogue_is_class("dns"));
    assert_false(catalogue_is_class("telnet"));
    assert_true(catalogue_has_class(catalogue_find("imap"), "mail"));
    assert_false(catalogue_has_class(catalogue_find("imap"), "dns"));
    assert_string_equal(catalogue_nearest("telent"), "telnet");
    assert_string_equal(catalogue_nearest("fingr"), "finger");
    assert_null(catalogue_nearest("zzzzzzzzz"));
    assert_string_equal(severity_name(SEVERITY_BACKDOOR), "backdoor");
    assert_string_equal(severity_name(SEVERITY_INFO), "info");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),  cmocka_unit_test(words_are_unique),
        cmocka_unit_test(names_of_the_list),  cmocka_unit_test(aliases),
        cmocka_unit_test(programs_ports_rpc), cmocka_unit_test(classes_and_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
