#include "batten/rpcbind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/process.h"

enum {
    PORTMAP_PORT = 111,
    PORTMAP_PROGRAM = 100000,
    PORTMAP_VERSION = 2,
    PORTMAP_DUMP = 4,
    RPC_VERSION = 2,
    RPC_REPLY = 1,
    XID = 0x62617474,
    REPLY_MAX = 256 * 1024,
    TIME_MS = 1000, /* for all of it: an answer may come a byte at a time */
    MAPPINGS_MAX = 8192,
};

#define LAST_FRAGMENT 0x80000000U

static int open_portmap(void)
{
    const struct timeval limit = {.tv_sec = TIME_MS / 1000};
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons(PORTMAP_PORT),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int ask(int fd)
{
    /* The record mark, then: xid, call, RPC version, program, version, procedure, and twice no
     * authentication. */
    const uint32_t words[] = {LAST_FRAGMENT | 40,
                              XID,
                              0,
                              RPC_VERSION,
                              PORTMAP_PROGRAM,
                              PORTMAP_VERSION,
                              PORTMAP_DUMP,
                              0,
                              0,
                              0,
                              0};
    uint32_t wire[sizeof(words) / sizeof(words[0])];

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        wire[i] = htonl(words[i]);
    return send(fd, wire, sizeof(wire), MSG_NOSIGNAL) == (ssize_t)sizeof(wire) ? 0 : -1;
}

static int receive(int fd, unsigned char *to, size_t len, long long end)
{
    while (len > 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        long long left = end - process_now();
        ssize_t got;

        if (left <= 0)
            return -1;
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        got = recv(fd, to, len, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return -1;
        to += got;
        len -= (size_t)got;
    }
    return 0;
}

static uint32_t word_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* All fragments of the reply's record. */
static int take_record(int fd, struct buf *out)
{
    long long end = process_now() + TIME_MS;
    unsigned char mark[4];
    uint32_t len;

    do {
        if (receive(fd, mark, sizeof(mark), end) != 0)
            return -1;
        len = word_at(mark) & ~LAST_FRAGMENT;
        if (len > REPLY_MAX - out->len)
            return -1;
        buf_reserve(out, len);
        if (receive(fd, (unsigned char *)out->data + out->len, len, end) != 0)
            return -1;
        out->len += len;
    } while ((word_at(mark) & LAST_FRAGMENT) == 0);
    return 0;
}

static void add(struct rpc_mapping **list, size_t *n, size_t *cap, const unsigned char *p)
{
    struct rpc_mapping *m;
    uint32_t protocol = word_at(p + 8);

    *list = mem_grow(*list, *n, cap, sizeof(**list));
    m = &(*list)[(*n)++];
    *m = (struct rpc_mapping){.program = word_at(p), .version = word_at(p + 4)};
    m->port = (int)(word_at(p + 12) & 0xffff);
    if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
        memcpy(m->proto, protocol == IPPROTO_TCP ? "tcp" : "udp", 4);
}

int rpcbind_parse(const unsigned char *reply, size_t len, struct rpc_mapping **out, size_t *n)
{
    size_t at, cap = 0;

    *out = NULL;
    *n = 0;
    /* xid, reply, accepted, verifier's flavour and length, verifier, accepted well */
    if (len < 24 || word_at(reply) != XID || word_at(reply + 4) != RPC_REPLY ||
        word_at(reply + 8) != 0)
        return -1;
    at = word_at(reply + 16);
    if (at > len - 24 || (at & 3) != 0 || word_at(reply + 20 + at) != 0)
        return -1;
    for (at += 24; at + 20 <= len && word_at(reply + at) == 1 && *n < MAPPINGS_MAX; at += 20)
        add(out, n, &cap, reply + at + 4);
    /* A list without its end would make all behind the cut look lost. */
    if (at + 4 <= len && word_at(reply + at) == 0)
        return 0;
    free(*out);
    *out = NULL;
    *n = 0;
    return -1;
}

int rpcbind_dump(struct rpc_mapping **out, size_t *n)
{
    struct buf reply = BUF_INIT;
    int result = -1;
    int fd;

    *out = NULL;
    *n = 0;
    fd = open_portmap();
    if (fd >= 0 && ask(fd) == 0 && take_record(fd, &reply) == 0)
        result = rpcbind_parse((const unsigned char *)buf_str(&reply), reply.len, out, n);
    if (fd >= 0)
        close(fd);
    buf_release(&reply);
    return result;
}

bool rpcbind_has(const struct rpc_mapping *v, size_t n, const struct rpc_mapping *one)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].program == one->program && v[i].version == one->version &&
            strcmp(v[i].proto, one->proto) == 0 && v[i].port == one->port)
            return true;
    return false;
}
