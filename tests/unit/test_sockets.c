/* Sockets of this very process: what is listed must be what was opened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../src/host/sockets_impl.h"
#include "batten/diag.h"
#include "batten/sockets.h"

/* How many of the next reads a signal interrupts. */
static int interrupts;

ssize_t recv(int fd, void *to, size_t len, int flags)
{
    if (interrupts > 0) {
        interrupts--;
        errno = EINTR;
        return -1;
    }
    return syscall(SYS_recvfrom, fd, to, len, flags, NULL, NULL);
}

static void skip_because(const char *reason)
{
    printf("# skip: %s\n", reason);
    skip();
}

struct opened {
    int fd, port;
};

static struct opened open_at(int family, int type, const char *address, int v6only)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t len = family == AF_INET ? sizeof(four) : sizeof(six);
    struct opened o = {.fd = socket(family, type, 0)};

    if (o.fd < 0)
        return o;
    inet_pton(family, address, family == AF_INET ? (void *)&four.sin_addr : &six.sin6_addr);
    if (family == AF_INET6)
        assert_int_equal(setsockopt(o.fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)), 0);
    if (bind(o.fd, sa, len) != 0) {
        close(o.fd);
        o.fd = -1;
        return o;
    }
    if (type == SOCK_STREAM)
        assert_int_equal(listen(o.fd, 4), 0);
    assert_int_equal(getsockname(o.fd, sa, &len), 0);
    o.port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
    return o;
}

static const struct listener *find(const struct listeners *l, int port, const char *proto)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].port == port && strcmp(l->v[i].proto, proto) == 0)
            return &l->v[i];
    return NULL;
}

static void check_one(const struct opened *o, const char *family, const char *proto,
                      const char *address)
{
    struct diag d = DIAG_INIT;
    const struct listener *l;
    struct listeners all;

    if (o->fd < 0)
        skip_because("no IPv6 here");
    assert_int_equal(listeners_read(&all, true, &d), 0);
    l = find(&all, o->port, proto);
    assert_non_null(l);
    assert_string_equal(l->family, family);
    assert_string_equal(l->address, address);
    assert_int_equal(l->uid, getuid());
    assert_int_equal(l->npids, 1);
    assert_int_equal(l->pids[0], getpid());
    assert_int_not_equal(l->inode, 0);
    listeners_release(&all);
    close(o->fd);
}

static void lists_tcp4(void **state)
{
    struct opened o = open_at(AF_INET, SOCK_STREAM, "127.0.0.1", 0);

    (void)state;
    check_one(&o, "ipv4", "tcp", "127.0.0.1");
}

static void lists_a_wildcard(void **state)
{
    struct opened o = open_at(AF_INET, SOCK_DGRAM, "0.0.0.0", 0);

    (void)state;
    check_one(&o, "ipv4", "udp", "*");
}

static void tells_v6only_from_dual(void **state)
{
    struct opened only = open_at(AF_INET6, SOCK_STREAM, "::", 1);
    struct opened dual = open_at(AF_INET6, SOCK_STREAM, "::", 0);

    (void)state;
    check_one(&only, "ipv6", "tcp", "*");
    check_one(&dual, "ipv46", "tcp", "*");
}

static void tells_v6only_from_dual_udp(void **state)
{
    struct opened only = open_at(AF_INET6, SOCK_DGRAM, "::1", 1);
    struct opened dual = open_at(AF_INET6, SOCK_DGRAM, "::", 0);

    (void)state;
    check_one(&only, "ipv6", "udp", "::1");
    check_one(&dual, "ipv46", "udp", "*");
}

static void leaves_out_what_is_not_listening(void **state)
{
    struct opened server = open_at(AF_INET, SOCK_DGRAM, "127.0.0.1", 0);
    struct opened client = open_at(AF_INET, SOCK_DGRAM, "127.0.0.1", 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)server.port)};
    struct listeners all;
    struct diag d = DIAG_INIT;

    (void)state;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(client.fd, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(listeners_read(&all, false, &d), 0);
    assert_non_null(find(&all, server.port, "udp"));
    assert_null(find(&all, client.port, "udp"));
    assert_null(find(&all, server.port, "tcp"));
    assert_int_equal(find(&all, server.port, "udp")->npids, 0);
    listeners_release(&all);
    close(server.fd);
    close(client.fd);
}

static void two_sockets_of_one_port_are_two(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct opened a = open_at(AF_INET, SOCK_DGRAM, "127.0.0.1", 0);
    struct listeners all;
    struct diag d = DIAG_INIT;
    int b = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;
    size_t n = 0;

    (void)state;
    setsockopt(a.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    setsockopt(b, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    at.sin_port = htons((uint16_t)a.port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(b, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listeners_read(&all, false, &d), 0);
    for (size_t i = 0; i < all.n; i++)
        n += all.v[i].port == a.port && strcmp(all.v[i].proto, "udp") == 0;
    assert_int_equal(n, 2);
    listeners_release(&all);
    close(a.fd);
    close(b);
}

/* The text tables must give what netlink gives, but for the families they cannot tell. */
static void proc_agrees_with_netlink(void **state)
{
    static const struct sock_table tcp4 = {AF_INET, IPPROTO_TCP, 10, "/proc/net/tcp"};
    static const struct sock_table udp4 = {AF_INET, IPPROTO_UDP, 7, "/proc/net/udp"};
    struct opened t = open_at(AF_INET, SOCK_STREAM, "127.0.0.1", 0);
    struct opened u = open_at(AF_INET, SOCK_DGRAM, "127.0.0.1", 0);
    struct listeners net, proc = {0};
    struct diag d = DIAG_INIT;

    (void)state;
    assert_int_equal(listeners_read(&net, false, &d), 0);
    assert_int_equal(listeners_from_proc(&proc, &tcp4), 0);
    assert_int_equal(listeners_from_proc(&proc, &udp4), 0);
    assert_string_equal(find(&proc, t.port, "tcp")->address, "127.0.0.1");
    assert_int_equal(find(&proc, t.port, "tcp")->inode, find(&net, t.port, "tcp")->inode);
    assert_int_equal(find(&proc, u.port, "udp")->inode, find(&net, u.port, "udp")->inode);
    assert_int_equal(find(&proc, u.port, "udp")->uid, getuid());
    listeners_release(&net);
    listeners_release(&proc);
    close(t.fd);
    close(u.fd);
}

static void proc_knows_ipv6(void **state)
{
    static const struct sock_table tcp6 = {AF_INET6, IPPROTO_TCP, 10, "/proc/net/tcp6"};
    struct opened o = open_at(AF_INET6, SOCK_STREAM, "::1", 0);
    struct listeners proc = {0};

    (void)state;
    if (o.fd < 0)
        skip_because("no IPv6 here");
    assert_int_equal(listeners_from_proc(&proc, &tcp6), 0);
    assert_string_equal(find(&proc, o.port, "tcp")->address, "::1");
    listeners_release(&proc);
    close(o.fd);
}

static void a_missing_table_is_an_error(void **state)
{
    static const struct sock_table none = {AF_INET, IPPROTO_TCP, 10, "/proc/net/no-such-table"};
    struct listeners l = {0};

    (void)state;
    assert_int_equal(listeners_from_proc(&l, &none), -1);
}

static void matches_by_reach(void **state)
{
    struct listener v4 = {.family = "ipv4", .proto = "tcp", .address = "*", .port = 23};
    struct listener dual = {.family = "ipv46", .proto = "tcp", .address = "*", .port = 23};
    struct listener mapped = {
        .family = "ipv46", .proto = "tcp", .address = "::ffff:127.0.0.1", .port = 23};

    (void)state;
    assert_true(listener_is(&v4, "ipv4", "tcp", "*", 23));
    assert_false(listener_is(&v4, "ipv6", "tcp", "*", 23));
    assert_false(listener_is(&v4, "ipv46", "tcp", "*", 23));
    assert_false(listener_is(&v4, "ipv4", "udp", "*", 23));
    assert_false(listener_is(&v4, "ipv4", "tcp", "*", 79));
    assert_false(listener_is(&v4, "ipv4", "tcp", "127.0.0.1", 23));
    assert_true(listener_is(&dual, "ipv4", "tcp", "*", 23));
    assert_true(listener_is(&dual, "ipv6", "tcp", "*", 23));
    assert_true(listener_is(&dual, "ipv46", "tcp", "*", 23));
    assert_true(listener_is(&mapped, "ipv4", "tcp", "127.0.0.1", 23));
    assert_true(listener_is(&mapped, "ipv46", "tcp", "::ffff:127.0.0.1", 23));
    assert_false(listener_is(&mapped, "ipv6", "tcp", "127.0.0.1", 23));
}

/* /proc, the way out, could not tell a lone IPv6 socket from one for both families. */
static void a_signal_does_not_end_the_reading(void **state)
{
    struct opened only = open_at(AF_INET6, SOCK_STREAM, "::", 1);

    (void)state;
    interrupts = 8;
    check_one(&only, "ipv6", "tcp", "*");
    assert_int_equal(interrupts, 0);
}

static int bound_unix(const char *name, size_t len)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(at.sun_path, name, len);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
        0);
    return fd;
}

/* Anybody may bind an abstract name; only the file of that name is the service's socket. */
static void an_abstract_name_is_no_file(void **state)
{
    char dir[] = "/tmp/batten-sockets-XXXXXX", path[64], abstract[65] = "";
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/unix", dir);
    memcpy(abstract + 1, path, strlen(path) + 1);
    fd = bound_unix(abstract, strlen(path) + 1);
    assert_false(sockets_unix_bound(path));
    close(fd);
    fd = bound_unix(path, strlen(path));
    assert_true(sockets_unix_bound(path));
    close(fd);
    assert_false(sockets_unix_bound(path));
    (void)unlink(path);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_tcp4),
        cmocka_unit_test(lists_a_wildcard),
        cmocka_unit_test(tells_v6only_from_dual),
        cmocka_unit_test(tells_v6only_from_dual_udp),
        cmocka_unit_test(leaves_out_what_is_not_listening),
        cmocka_unit_test(two_sockets_of_one_port_are_two),
        cmocka_unit_test(proc_agrees_with_netlink),
        cmocka_unit_test(proc_knows_ipv6),
        cmocka_unit_test(a_missing_table_is_an_error),
        cmocka_unit_test(matches_by_reach),
        cmocka_unit_test(a_signal_does_not_end_the_reading),
        cmocka_unit_test(an_abstract_name_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
