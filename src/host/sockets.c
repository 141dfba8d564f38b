#include "batten/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "sockets_impl.h"

enum {
    STATE_ESTABLISHED = 1,
    STATE_CLOSE = 7, /* TCP_CLOSE and TCP_LISTEN of the kernel; libc's copy is not everywhere */
    STATE_LISTEN = 10,
    DUMP_TRIES = 4, /* a dump that changed under the reader is read again */
    REPLY_MAX = 32768,
};

static const struct sock_table tables[] = {
    {AF_INET,  IPPROTO_TCP, STATE_LISTEN, "/proc/net/tcp" },
    {AF_INET6, IPPROTO_TCP, STATE_LISTEN, "/proc/net/tcp6"},
    {AF_INET,  IPPROTO_UDP, STATE_CLOSE,  "/proc/net/udp" },
    {AF_INET6, IPPROTO_UDP, STATE_CLOSE,  "/proc/net/udp6"},
};

struct listener *listeners_add(struct listeners *l, const struct sock_table *table,
                               const void *addr, int port, bool v6only)
{
    static const unsigned char any[16];
    size_t len = table->family == AF_INET ? 4 : 16;
    struct listener *new;
    const char *family = "ipv4";

    l->v = mem_grow(l->v, l->n, &l->cap, sizeof(*l->v));
    new = &l->v[l->n++];
    *new = (struct listener){.port = port};
    if (table->family == AF_INET6)
        family = v6only ? "ipv6" : "ipv46";
    memcpy(new->family, family, strlen(family) + 1);
    memcpy(new->proto, table->protocol == IPPROTO_TCP ? "tcp" : "udp", 4);
    if (memcmp(addr, any, len) == 0)
        memcpy(new->address, "*", 2);
    else
        inet_ntop(table->family, addr, new->address, sizeof(new->address));
    return new;
}

static int ask(int fd, const struct sock_table *table)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 diag;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .diag = {.sdiag_family = (unsigned char)table->family,
                   .sdiag_protocol = (unsigned char)table->protocol,
                   .idiag_states = 1U << table->state       },
    };
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    return sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel,
                  sizeof(kernel)) == (ssize_t)sizeof(request)
               ? 0
               : -1;
}

/* The attributes behind a message: does it carry V6ONLY, and set? (The kernel headers' macros would
 * cast const away.) */
static bool is_v6only(const char *at, size_t left)
{
    const struct rtattr *attr;

    for (; left >= sizeof(*attr);
         at += RTA_ALIGN(attr->rta_len), left -= RTA_ALIGN(attr->rta_len)) {
        attr = (const void *)at;
        if (attr->rta_len < sizeof(*attr) || RTA_ALIGN(attr->rta_len) > left)
            return false;
        if (attr->rta_type == INET_DIAG_SKV6ONLY && attr->rta_len > RTA_LENGTH(0))
            return at[RTA_LENGTH(0)] != 0;
    }
    return false;
}

/* Where a dump goes: to the one list or the other. */
struct sink {
    struct listeners *listeners;
    struct connections *connections;
};

static void text_address(int family, const void *addr, char *to, size_t size)
{
    if (inet_ntop(family, addr, to, (socklen_t)size) == NULL)
        to[0] = '\0';
}

static void take_connection(struct connections *c, const struct inet_diag_msg *msg)
{
    int family = msg->idiag_family;
    struct connection *new;

    c->v = mem_grow(c->v, c->n, &c->cap, sizeof(*c->v));
    new = &c->v[c->n++];
    *new = (struct connection){.local_port = ntohs(msg->id.idiag_sport),
                               .remote_port = ntohs(msg->id.idiag_dport),
                               .inode = msg->idiag_inode};
    memcpy(new->family, family == AF_INET ? "ipv4" : "ipv6", 5);
    text_address(family, msg->id.idiag_src, new->local, sizeof(new->local));
    text_address(family, msg->id.idiag_dst, new->remote, sizeof(new->remote));
}

static void take_message(const struct sink *to, const struct sock_table *table,
                         const struct nlmsghdr *h)
{
    const char *body = (const char *)h + NLMSG_HDRLEN;
    const struct inet_diag_msg *msg = (const void *)body;
    struct listener *new;

    if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)) || msg->id.idiag_sport == 0)
        return;
    if (to->connections != NULL) {
        take_connection(to->connections, msg);
        return;
    }
    new = listeners_add(to->listeners, table, msg->id.idiag_src, ntohs(msg->id.idiag_sport),
                        is_v6only(body + sizeof(*msg), h->nlmsg_len - NLMSG_LENGTH(sizeof(*msg))));
    new->inode = msg->idiag_inode;
    new->uid = msg->idiag_uid;
}

/* One reply: 1 the dump is over, 0 more to come, -1 failed, -2 it changed meanwhile. */
static int take_reply(const struct sink *to, const struct sock_table *table, const char *reply,
                      size_t len)
{
    const struct nlmsghdr *h;
    bool changed = false;

    for (size_t at = 0; at + sizeof(*h) <= len; at += NLMSG_ALIGN(h->nlmsg_len)) {
        h = (const void *)(reply + at);
        if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > len - at || h->nlmsg_type == NLMSG_ERROR)
            return -1;
        if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
            changed = true;
        if (h->nlmsg_type == NLMSG_DONE)
            return changed ? -2 : 1;
        if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY)
            take_message(to, table, h);
    }
    return changed ? -2 : 0;
}

static void drop_from(struct listeners *l, size_t n)
{
    while (l->n > n)
        free(l->v[--l->n].pids);
}

static int dump_once(const struct sink *to, const struct sock_table *table)
{
    const struct timeval limit = {.tv_sec = 2};
    char *reply = mem_alloc(REPLY_MAX);
    int result = -1;
    int fd;

    fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        result = ask(fd, table);
    }
    while (result == 0) {
        ssize_t len = recv(fd, reply, REPLY_MAX, 0);

        if (len > 0)
            result = take_reply(to, table, reply, (size_t)len);
        else if (len == 0 || errno != EINTR)
            result = -1;
    }
    if (fd >= 0)
        close(fd);
    free(reply);
    return result;
}

static int dump(struct listeners *l, const struct sock_table *table)
{
    const struct sink to = {.listeners = l};
    size_t n = l->n;
    int result = -1;

    for (int try = 0; try < DUMP_TRIES; try++) {
        drop_from(l, n);
        result = dump_once(&to, table);
        if (result != -2)
            break;
    }
    if (result == -1)
        drop_from(l, n);
    return result == -1 ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
    const struct listener *x = a, *y = b;
    int c;

    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    c = strcmp(x->proto, y->proto);
    if (c == 0)
        c = strcmp(x->family, y->family);
    if (c == 0)
        c = strcmp(x->address, y->address);
    if (c == 0)
        c = (x->inode > y->inode) - (x->inode < y->inode);
    return c;
}

int listeners_read(struct listeners *out, bool owners, struct diag *d)
{
    *out = (struct listeners){0};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        if (dump(out, &tables[i]) == 0 || listeners_from_proc(out, &tables[i]) == 0)
            continue;
        if (errno == ENOENT && tables[i].family == AF_INET6)
            continue; /* a kernel without IPv6 */
        diag_set(d, STATUS_SYSTEM, "no-sockets", "cannot ask the kernel who listens: %s",
                 strerror(errno));
        diag_hint(d, "check that /proc is mounted: ls /proc/net");
        listeners_release(out);
        return -1;
    }
    if (out->n > 1)
        qsort(out->v, out->n, sizeof(*out->v), compare);
    if (owners)
        listeners_find_owners(out);
    return 0;
}

void listeners_release(struct listeners *l)
{
    drop_from(l, 0);
    free(l->v);
    *l = (struct listeners){0};
}

/* "::ffff:127.0.0.1" is an IPv6 socket's way to say 127.0.0.1. */
static const char *unmapped(const char *address)
{
    static const char prefix[] = "::ffff:";

    return text_starts(address, prefix) && strchr(address, '.') != NULL
               ? address + sizeof(prefix) - 1
               : address;
}

bool listener_is(const struct listener *l, const char *family, const char *proto,
                 const char *address, int port)
{
    const char *here = unmapped(l->address), *there = unmapped(address);
    bool dual = strcmp(l->family, "ipv46") == 0;

    if (l->port != port || strcmp(l->proto, proto) != 0 || strcmp(here, there) != 0)
        return false;
    if (here != l->address) /* only IPv4 traffic reaches a mapped address */
        return strcmp(family, "ipv4") == 0 || there != address;
    return strcmp(l->family, family) == 0 || (dual && strcmp(family, "unix") != 0);
}

bool listener_owned_by(const struct listener *l, pid_t pid)
{
    for (size_t i = 0; i < l->npids; i++)
        if (l->pids[i] == pid)
            return true;
    return false;
}

int connections_read(struct connections *out, struct diag *d)
{
    static const struct sock_table both[] = {
        {AF_INET,  IPPROTO_TCP, STATE_ESTABLISHED, NULL},
        {AF_INET6, IPPROTO_TCP, STATE_ESTABLISHED, NULL},
    };
    const struct sink to = {.connections = out};

    *out = (struct connections){0};
    for (size_t i = 0; i < ARRAY_LEN(both); i++)
        /* What came or went during the dump is of no interest: our own connection stays. */
        if (dump_once(&to, &both[i]) == -1) {
            connections_release(out);
            return diag_set(d, STATUS_SYSTEM, "no-sockets",
                            "cannot ask the kernel who is connected: %s", strerror(errno));
        }
    return 0;
}

void connections_release(struct connections *c)
{
    free(c->v);
    *c = (struct connections){0};
}
