#include "inetd_predict.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/*
 * freebsd, netbsd and classic, after their manual pages: "tcp" and "tcp4" are IPv4, "tcp46" is one
 * socket for both families, "tcp6" is IPv6 alone or both by dialect; an RPC line gets a port that
 * bind chooses; a line served through tcpmux has no socket of its own and is reached through the
 * tcpmux line. What a manual page leaves open is taken to open.
 */

/* A line on its way through the daemon. */
struct played {
    struct predict *pr;
    size_t index;
    const char *service;
    const char *hosts;
    unsigned fitting; /* the transports that the socket type allows */
    bool rpc;
};

enum transport { TRANSPORT_TCP = 1 << 0, TRANSPORT_UDP = 1 << 1 };

/* The transports that a protocol column, at *REST, stands for, which is moved behind them. Those
 * that do not fit the socket type are left out; a tli endpoint has none to fit. */
static unsigned transports_of(const struct played *p, const char **rest)
{
    static const struct {
        const char *word;
        unsigned transports;
    } words[] = {
        {"tcp",        TRANSPORT_TCP                },
        {"udp",        TRANSPORT_UDP                },
        {"circuit_",   TRANSPORT_TCP                },
        {"datagram_",  TRANSPORT_UDP                },
        {"*",          TRANSPORT_TCP | TRANSPORT_UDP},
        {"sunrpc_tcp", TRANSPORT_TCP                },
        {"sunrpc_udp", TRANSPORT_UDP                },
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!text_starts(*rest, words[i].word))
            continue;
        *rest += strlen(words[i].word);
        return words[i].transports & p->fitting;
    }
    return 0;
}

static enum family family_of(const struct predict *pr, const char *rest)
{
    if (text_starts(rest, "46"))
        return FAMILY_IPV46;
    if (text_starts(rest, "6only"))
        return FAMILY_IPV6;
    if (*rest == '6' && (pr->parse->dialect->predict_flags & PREDICT_6ONLY) != 0)
        return FAMILY_IPV6;
    return *rest == '6' ? FAMILY_IPV46 : FAMILY_IPV4;
}

/* The port of the line's service; 0: unknown. */
static int port_of(const struct played *p, const char *transport)
{
    int port = 0;

    if ((p->pr->parse->dialect->predict_flags & PREDICT_NUMBERS) != 0)
        port = predict_port_number(p->service);
    if (port == 0)
        port = netdb_port(p->pr->db, p->service, transport);
    return port;
}

static void play_host(const struct played *p, const char *host, const char *proto,
                      enum transport transport, enum family family)
{
    char address[INET6_ADDRSTRLEN];
    struct want want = {
        .stream = transport == TRANSPORT_TCP, .family = family, .address = address, .port = -1};
    char *key;

    if (!predict_address(p->pr, host, family != FAMILY_IPV4, RESOLVE_NAMES, address))
        return;
    if (!p->rpc && (want.port = port_of(p, transport == TRANSPORT_TCP ? "tcp" : "udp")) <= 0)
        return;
    key = mem_printf("%s %s %d %s", p->service, proto, (int)transport, address);
    predict_row(p->pr, p->index, key, &want);
    free(key);
}

static void play_net(struct played *p, const char *proto)
{
    const char *rest = proto;
    const char *at = p->hosts != NULL && *p->hosts != '\0' ? p->hosts : "*";
    unsigned transports;
    bool more;

    if (text_starts(rest, "rpc/")) {
        p->rpc = true;
        rest += strlen("rpc/");
    } else if (text_starts(rest, "sunrpc_")) {
        p->rpc = true;
    }
    transports = transports_of(p, &rest);
    more = transports != 0;
    while (more) {
        size_t len = strcspn(at, ",");
        char *host = mem_strndup(at, len);

        if ((transports & TRANSPORT_TCP) != 0)
            play_host(p, host, proto, TRANSPORT_TCP, family_of(p->pr, rest));
        if ((transports & TRANSPORT_UDP) != 0)
            play_host(p, host, proto, TRANSPORT_UDP, family_of(p->pr, rest));
        free(host);
        at += len;
        more = *at == ',';
        at += more;
    }
}

static void play_unix(const struct played *p)
{
    struct want want = {
        .unixes = true, .stream = p->fitting == TRANSPORT_TCP, .address = p->service};
    char *key = mem_printf("%s unix", p->service);

    predict_row(p->pr, p->index, key, &want);
    free(key);
}

/* Whether user and group of a column are known; a login class behind '/' is not looked at. */
static bool user_known(const struct predict *pr, const char *column)
{
    size_t len = strcspn(column, ":./");
    size_t group_at = len + (column[len] == ':' || column[len] == '.');
    char *user = mem_strndup(column, len);
    char *group = mem_strndup(column + group_at, strcspn(column + group_at, "/"));
    bool known = netdb_user(pr->db, user) &&
                 (group_at == len || *group == '\0' || netdb_group(pr->db, group));

    free(user);
    free(group);
    return known;
}

static bool accepted(const struct predict *pr, const struct inetd_line *line, const char *service)
{
    if (line->socket == NULL || line->proto == NULL)
        return false;
    if ((pr->parse->dialect->predict_flags & PREDICT_USERS) == 0 || line->user == NULL)
        return true;
    if (line->server != NULL && strcmp(line->server, "internal") == 0 &&
        !predict_builtin(service) && strcmp(service, "tcpmux") != 0 && strcmp(service, "auth") != 0)
        return false;
    return user_known(pr, line->user);
}

static unsigned fitting_of(const char *socket)
{
    if (strcmp(socket, "tli") == 0)
        return TRANSPORT_TCP | TRANSPORT_UDP;
    if (strcmp(socket, "stream") == 0)
        return TRANSPORT_TCP;
    return strcmp(socket, "dgram") == 0 ? TRANSPORT_UDP : 0;
}

static void play_line(struct predict *pr, size_t index)
{
    const struct inetd_line *line = pr->state->lines[index];
    struct played p = {.pr = pr, .index = index};
    char *service;
    char *proto;

    if (line->entry == NULL || line->off || !accepted(pr, line, line->entry->name))
        return;
    service = mem_strdup(line->entry->name);
    proto = mem_strndup(line->proto, strcspn(line->proto, ",/"));
    p.service = service;
    p.hosts = line->entry->address;
    p.fitting = fitting_of(line->socket);
    if (text_starts(line->proto, "rpc/")) {
        free(proto);
        proto = mem_strndup(line->proto, 4 + strcspn(line->proto + 4, ",/"));
        service[strcspn(service, "/")] = '\0';
    }
    if (text_starts(service, "tcpmux/"))
        predict_join(pr, index, index);
    else if (strcmp(proto, "unix") == 0)
        play_unix(&p);
    else
        play_net(&p, proto);
    free(proto);
    free(service);
}

void predict_bsd(struct predict *pr)
{
    for (size_t i = 0; i < pr->state->nlines; i++)
        if (pr->state->lines[i]->active)
            play_line(pr, i);
}
