/* The predicted sockets against the real ones, on made-up tables. (With real daemons: tests/live.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../src/history/follow_int.h"
#include "batten/mem.h"
#include "batten/rpcbind.h"

enum { ROWS = 8 };

static char any[] = "*", loopback[] = "127.0.0.1";
static pid_t inetd_pid = 400, other_pid = 500;

struct table {
    struct listener rows[ROWS];
    struct listeners l;
};

static void listen_at(struct table *t, const char *family, const char *proto, int port, pid_t *pid)
{
    struct listener *l = &t->rows[t->l.n++];

    *l = (struct listener){.port = port, .inode = 1000 + t->l.n, .pids = pid, .npids = 1};
    memcpy(l->family, family, strlen(family) + 1);
    memcpy(l->proto, proto, strlen(proto) + 1);
    memcpy(l->address, "*", 2);
    t->l.v = t->rows;
}

struct wanted {
    struct plan_socket rows[ROWS];
    struct plan_sockets s;
};

static struct plan_socket *want(struct wanted *w, enum family family, const char *proto, int port)
{
    struct plan_socket *p = &w->rows[w->s.n++];

    *p = (struct plan_socket){.inetd = true};
    p->spec.family = family;
    p->spec.port = port;
    p->spec.address = any;
    memcpy(p->spec.proto, proto, strlen(proto) + 1);
    w->s.v = w->rows;
    return p;
}

static void each_socket_gets_its_own(void **state)
{
    struct table t = {0};
    struct wanted w = {0};
    bool taken[ROWS] = {false};
    long hit[ROWS];

    (void)state;
    listen_at(&t, "ipv4", "tcp", 23, &inetd_pid);
    listen_at(&t, "ipv6", "tcp", 23, &inetd_pid);
    want(&w, FAMILY_IPV6, "tcp", 23);
    want(&w, FAMILY_IPV4, "tcp", 23);
    want(&w, FAMILY_IPV4, "tcp", 23); /* no third one is there */
    match_sockets(&w.s, &t.l, taken, hit);
    assert_int_equal(hit[0], 1);
    assert_int_equal(hit[1], 0);
    assert_int_equal(hit[2], -1);
}

/* openbsd-inetd's udp entry has an IPv4 socket and a dual one, on one port. */
static void exact_families_come_first(void **state)
{
    struct table t = {0};
    struct wanted w = {0};
    bool taken[ROWS] = {false};
    long hit[ROWS];

    (void)state;
    listen_at(&t, "ipv46", "udp", 69, &inetd_pid);
    listen_at(&t, "ipv4", "udp", 69, &inetd_pid);
    want(&w, FAMILY_IPV4, "udp", 69);
    want(&w, FAMILY_IPV46, "udp", 69);
    match_sockets(&w.s, &t.l, taken, hit);
    assert_int_equal(hit[0], 1);
    assert_int_equal(hit[1], 0);
}

static void a_dual_socket_serves_one_family(void **state)
{
    struct table t = {0};
    struct wanted w = {0};
    bool taken[ROWS] = {false};
    long hit[ROWS];

    (void)state;
    listen_at(&t, "ipv46", "tcp", 23, &inetd_pid);
    want(&w, FAMILY_IPV4, "tcp", 23);
    match_sockets(&w.s, &t.l, taken, hit);
    assert_int_equal(hit[0], 0);
    assert_true(taken[0]);
}

static void what_is_taken_stays_taken(void **state)
{
    struct table t = {0};
    struct wanted w = {0};
    bool taken[ROWS] = {true};
    long hit[ROWS];

    (void)state;
    listen_at(&t, "ipv4", "tcp", 23, &inetd_pid);
    want(&w, FAMILY_IPV4, "tcp", 23);
    match_sockets(&w.s, &t.l, taken, hit);
    assert_int_equal(hit[0], -1);
}

static void addresses_tell_apart(void **state)
{
    struct table t = {0};
    struct wanted w = {0};
    bool taken[ROWS] = {false};
    long hit[ROWS];

    (void)state;
    listen_at(&t, "ipv4", "tcp", 23, &inetd_pid);
    want(&w, FAMILY_IPV4, "tcp", 23)->spec.address = loopback;
    match_sockets(&w.s, &t.l, taken, hit);
    assert_int_equal(hit[0], -1);
    assert_false(any_listener_is(&t.l, &w.rows[0].spec));
}

/* RPC entries of root share one port number: they are counted, by owner and kind. */
static void rpc_sockets_are_counted(void **state)
{
    const struct process inetd = {.pid = 400, .fd = -1};
    struct table t = {0};
    struct wanted w = {0};
    bool taken[ROWS] = {false};

    (void)state;
    for (int i = 0; i < 3; i++)
        listen_at(&t, "ipv4", "udp", 645, &inetd_pid);
    listen_at(&t, "ipv4", "udp", 646, &other_pid);
    listen_at(&t, "ipv4", "tcp", 645, &inetd_pid);
    want(&w, FAMILY_IPV4, "udp", -1);
    want(&w, FAMILY_IPV4, "udp", -1);
    want(&w, FAMILY_IPV46, "udp", -1);
    want(&w, FAMILY_IPV4, "udp", -1)->inetd = false;
    assert_true(spec_is_dynamic(&w.rows[0].spec));
    assert_int_equal(count_dynamic(&w.s, &w.rows[0].spec), 2);
    assert_int_equal(count_untaken(&t.l, taken, &w.rows[0].spec, &inetd, 1), 3);
    taken[1] = true;
    assert_int_equal(count_untaken(&t.l, taken, &w.rows[0].spec, &inetd, 1), 2);
}

static void nothing_to_do_says_nothing(void **state)
{
    const struct follow_options o = {.wait_ms = 1000};
    struct follow_state before = {0};
    struct follow_result r;
    struct plan plan = {0};

    (void)state;
    assert_int_equal(follow_run(&r, &plan, &before, &o, NULL), 0);
    assert_int_equal(r.nsignals + r.nproofs + r.problems.n, 0);
    follow_result_release(&r);
}

/* --- the port mapper's reply
 * --------------------------------------------------------------------*/

static size_t put_words(unsigned char *to, const unsigned long *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 4; k++)
            to[i * 4 + k] = (unsigned char)(words[i] >> (24 - 8 * k));
    return n * 4;
}

static const unsigned long reply[] = {0x62617474, 1,      0, 0,  0,   0, /* accepted, well */
                                      1,          100000, 2, 6,  111,    /* portmapper tcp */
                                      1,          100001, 5, 17, 645,    /* rstatd udp */
                                      1,          7,      1, 99, 1,      /* neither protocol */
                                      0};

static void a_reply_is_read(void **state)
{
    unsigned char bytes[256];
    size_t len = put_words(bytes, reply, ARRAY_LEN(reply)), n;
    struct rpc_mapping *v;

    (void)state;
    assert_int_equal(rpcbind_parse(bytes, len, &v, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(v[1].program, 100001);
    assert_int_equal(v[1].version, 5);
    assert_string_equal(v[1].proto, "udp");
    assert_int_equal(v[1].port, 645);
    assert_string_equal(v[2].proto, "");
    assert_true(rpcbind_has(v, n, &v[1]));
    v[1].port = 646;
    assert_true(rpcbind_has(v, n, &v[1]));
    free(v);
}

/* Cut anywhere and with any word changed: no more is read than is there. */
static void a_torn_reply_does_no_harm(void **state)
{
    unsigned long words[ARRAY_LEN(reply)];
    unsigned char bytes[256];
    struct rpc_mapping *v;
    size_t n;

    (void)state;
    for (size_t len = 0; len < sizeof(reply) / sizeof(reply[0]) * 4; len++) {
        unsigned char *exact = malloc(len + 1);

        put_words(bytes, reply, ARRAY_LEN(reply));
        memcpy(exact, bytes, len);
        assert_int_equal(rpcbind_parse(exact, len, &v, &n), -1);
        assert_null(v);
        free(exact);
    }
    for (size_t i = 0; i < ARRAY_LEN(reply); i++) {
        static const unsigned long values[] = {0, 1, 4, 0x7fffffff, 0x80000000UL, 0xffffffffUL};

        for (size_t k = 0; k < ARRAY_LEN(values); k++) {
            memcpy(words, reply, sizeof(words));
            words[i] = values[k];
            (void)rpcbind_parse(bytes, put_words(bytes, words, ARRAY_LEN(words)), &v, &n);
            free(v);
        }
    }
}

static void a_refusal_is_none(void **state)
{
    unsigned long words[ARRAY_LEN(reply)];
    unsigned char bytes[256];
    struct rpc_mapping *v;
    size_t n;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        memcpy(words, reply, sizeof(words));
        words[i] += 1;
        put_words(bytes, words, ARRAY_LEN(words));
        assert_int_equal(rpcbind_parse(bytes, sizeof(words) / sizeof(words[0]) * 4, &v, &n), -1);
        assert_null(v);
    }
}

/* Two super-servers: after the restart of one the other is no proof that it came back. */
static void the_other_inetd_is_not_the_new_one(void **state)
{
    struct process inetds[] = {
        {.pid = 400, .fd = -1},
        {.pid = 500, .fd = -1}
    };
    struct process list[] = {
        {.pid = 500, .fd = -1},
        {.pid = 600, .fd = -1}
    };
    struct follow f = {.inetds = inetds, .ninetds = 2};

    (void)state;
    assert_false(follow_adopt(&f, &inetds[0], list, 1));
    assert_int_equal(inetds[0].pid, 400);
    assert_true(follow_adopt(&f, &inetds[0], list, 2));
    assert_int_equal(inetds[0].pid, 600);
    assert_int_equal(inetds[1].pid, 500);
    assert_false(follow_adopt(&f, &inetds[1], list, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_socket_gets_its_own),
        cmocka_unit_test(exact_families_come_first),
        cmocka_unit_test(a_dual_socket_serves_one_family),
        cmocka_unit_test(what_is_taken_stays_taken),
        cmocka_unit_test(addresses_tell_apart),
        cmocka_unit_test(rpc_sockets_are_counted),
        cmocka_unit_test(nothing_to_do_says_nothing),
        cmocka_unit_test(a_reply_is_read),
        cmocka_unit_test(a_torn_reply_does_no_harm),
        cmocka_unit_test(a_refusal_is_none),
        cmocka_unit_test(the_other_inetd_is_not_the_new_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
