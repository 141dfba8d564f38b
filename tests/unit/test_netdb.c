#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "batten/buf.h"
#include "batten/netdb.h"

static struct netdb *db_of(enum netdb_file file, const char *text)
{
    struct netdb *db = netdb_new();

    netdb_add(db, file, text, strlen(text));
    return db;
}

static void test_services(void **state)
{
    struct netdb *db = db_of(NETDB_SERVICES, "# a comment\n"
                                             "telnet\t23/tcp\n"
                                             "imap2 143/tcp imap imap4 # mail\n"
                                             "  indented 7/udp\n"
                                             "last 99/tcp");

    (void)state;
    assert_int_equal(netdb_port(db, "telnet", "tcp"), 23);
    assert_int_equal(netdb_port(db, "telnet", "udp"), -1);
    assert_int_equal(netdb_port(db, "Telnet", "tcp"), -1);
    assert_int_equal(netdb_port(db, "imap4", "tcp"), 143);
    assert_int_equal(netdb_port(db, "mail", "tcp"), -1);
    assert_int_equal(netdb_port(db, "indented", "udp"), 7);
    assert_int_equal(netdb_port(db, "last", "tcp"), 99);
    assert_string_equal(netdb_service(db, 143, "tcp"), "imap2");
    assert_null(netdb_service(db, 143, "udp"));
    netdb_free(db);
}

static void test_first_line_wins(void **state)
{
    struct netdb *db = db_of(NETDB_SERVICES, "a 1/tcp same\nsame 2/tcp\nb 1/tcp\n");

    (void)state;
    assert_int_equal(netdb_port(db, "same", "tcp"), 1);
    assert_string_equal(netdb_service(db, 1, "tcp"), "a");
    netdb_add(db, NETDB_SERVICES, "a 7/tcp\nc 3/tcp\n", 16);
    assert_int_equal(netdb_port(db, "a", "tcp"), 1);
    assert_int_equal(netdb_port(db, "c", "tcp"), 3);
    netdb_free(db);
}

static void test_bad_service_lines(void **state)
{
    struct netdb *db = db_of(NETDB_SERVICES, "noport\nx y/tcp\nx 5 tcp\nbig 65559/tcp\n#off 9/tcp\n"
                                             "huge 99999999999/tcp\nok 8/tcp\r\n/ 1/tcp\n\n \n");

    (void)state;
    assert_int_equal(netdb_port(db, "x", "tcp"), -1);
    assert_int_equal(netdb_port(db, "noport", "tcp"), -1);
    assert_int_equal(netdb_port(db, "huge", "tcp"), -1);
    assert_int_equal(netdb_port(db, "#off", "tcp"), -1);
    assert_int_equal(netdb_port(db, "big", "tcp"), 23);
    assert_int_equal(netdb_port(db, "ok", "tcp"), 8);
    netdb_free(db);
}

static void test_protocols_and_rpc(void **state)
{
    struct netdb *db = db_of(NETDB_PROTOCOLS, "ip 0 IP\ntcp 6 TCP # text\nbad x\n");

    (void)state;
    netdb_add(db, NETDB_RPC, "rusersd 100002 rusers\n", 22);
    assert_int_equal(netdb_protocol(db, "tcp"), 6);
    assert_int_equal(netdb_protocol(db, "TCP"), 6);
    assert_int_equal(netdb_protocol(db, "Tcp"), -1);
    assert_int_equal(netdb_protocol(db, "bad"), -1);
    assert_int_equal(netdb_rpc(db, "rusers"), 100002);
    assert_int_equal(netdb_rpc(db, "tcp"), -1);
    netdb_free(db);
}

static void test_accounts(void **state)
{
    struct netdb *db = db_of(NETDB_PASSWD, "root:x:0:0:root:/root:/bin/sh\n+::::::\n-x:x:1:1:::\n"
                                           "#off:x:2:2:::\nshort:x\nbin:*:2:2::/:/bin/false\n");

    (void)state;
    netdb_add(db, NETDB_GROUP, "tty:x:5:\n", 9);
    assert_true(netdb_user(db, "root"));
    assert_int_equal(netdb_uid(db, "root"), 0);
    assert_int_equal(netdb_uid(db, "bin"), 2);
    assert_int_equal(netdb_uid(db, "nobody"), -1);
    assert_false(netdb_user(db, "+"));
    assert_false(netdb_user(db, "-x"));
    assert_false(netdb_user(db, "short"));
    assert_false(netdb_user(db, "tty"));
    assert_true(netdb_group(db, "tty"));
    assert_false(netdb_group(db, "root"));
    netdb_free(db);
}

static void test_hosts(void **state)
{
    struct netdb *db = netdb_new();

    (void)state;
    assert_string_equal(netdb_host(db, "localhost", false), "127.0.0.1");
    assert_string_equal(netdb_host(db, "LOCALHOST", true), "::1");
    assert_null(netdb_host(db, "mail", false));
    netdb_add(db, NETDB_HOSTS, "10.0.0.1 Mail m # x\n10.0.0.2 mail\nfe80::1 mail\nbad mail\n", 55);
    assert_string_equal(netdb_host(db, "mail", false), "10.0.0.1");
    assert_string_equal(netdb_host(db, "M", false), "10.0.0.1");
    assert_string_equal(netdb_host(db, "mail", true), "fe80::1");
    assert_null(netdb_host(db, "x", false));
    netdb_free(db);
}

static void test_empty(void **state)
{
    struct netdb *db = netdb_new();

    (void)state;
    assert_false(netdb_has(db, NETDB_SERVICES));
    assert_int_equal(netdb_port(db, "telnet", "tcp"), -1);
    netdb_add(db, NETDB_SERVICES, "", 0);
    assert_false(netdb_has(db, NETDB_SERVICES));
    netdb_add(db, NETDB_SERVICES, "a\0b 1/tcp\nc 2/tcp\n", 18);
    assert_true(netdb_has(db, NETDB_SERVICES));
    assert_int_equal(netdb_port(db, "c", "tcp"), 2);
    assert_string_equal(netdb_path(NETDB_HOSTS), "etc/hosts");
    netdb_free(db);
    netdb_free(NULL);
}

static void test_many_names(void **state)
{
    struct netdb *db = netdb_new();
    struct buf text = BUF_INIT;

    (void)state;
    for (int i = 1; i < 60000; i++)
        buf_printf(&text, "name%d %d/tcp\n", i, i);
    netdb_add(db, NETDB_SERVICES, text.data, text.len);
    for (int i = 1; i < 60000; i += 97) {
        buf_clear(&text);
        buf_printf(&text, "name%d", i);
        assert_int_equal(netdb_port(db, text.data, "tcp"), i);
        assert_string_equal(netdb_service(db, i, "tcp"), text.data);
    }
    buf_release(&text);
    netdb_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services),
        cmocka_unit_test(test_first_line_wins),
        cmocka_unit_test(test_bad_service_lines),
        cmocka_unit_test(test_protocols_and_rpc),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_many_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
