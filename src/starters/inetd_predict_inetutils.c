#include "inetd_predict.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/*
 * inetutils-inetd as Debian builds it. Services and addresses go through getaddrinfo(3), which
 * wants the socket type and the protocol to fit; "tcp6" and "udp6" serve both families.
 */

enum column { COL_NAME, COL_TYPE, COL_PROTO, COL_WAIT, COL_USER, COL_SERVER, COL_MIN };

/* What is carried from line to line. */
struct walk {
    struct predict *pr;
    char *left_host;  /* the address of a rejected line: the next one without any gets it */
    size_t left_line; /* and which line that was */
    bool had_default; /* there was a default address */
    bool bad_default; /* the one in force does not resolve */
    size_t mux;       /* the first line served through tcpmux, and its plus one: 0 is none */
    size_t tcpmux;    /* the first line that is tcpmux itself, plus one */
};

/* A line on its way through the daemon. */
struct played {
    struct walk *walk;
    size_t index;
    const char *type;
    const char *proto;
    const char *service; /* what follows the address, and "tcpmux/" */
    const char *hosts;   /* NULL: all */
    bool mux;
};

/* A port as getaddrinfo(3) reads it: any number, of which 16 bits count. -1: not a number. */
static long service_number(const char *service)
{
    char *end;
    int number = (int)strtoul(service, &end, 10);

    return *end != '\0' || number < 0 ? -1 : number & 0xffff;
}

/* The socket type and protocol as getaddrinfo(3) pairs them; NULL when they do not fit. */
static const char *transport_of(const struct predict *pr, const char *type, const char *proto)
{
    static const struct {
        const char *type;
        int number;
        const char *name; /* in services */
    } pairs[] = {
        {"stream", 6,   "tcp"    },
        {"dgram",  17,  "udp"    },
        {"dgram",  136, "udplite"},
        {"stream", 132, "sctp"   },
    };
    int number;

    if (text_starts(proto, "tcp"))
        proto = "tcp";
    else if (text_starts(proto, "udp"))
        proto = "udp";
    number = netdb_protocol(pr->db, proto);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (pairs[i].number == number && strcmp(pairs[i].type, type) == 0)
            return pairs[i].name;
    return NULL;
}

/* *PORT gets the port, -1 where bind chooses. False: unknown service. */
static bool find_port(const struct predict *pr, const char *service, const char *transport,
                      int *port)
{
    long number = *service != '\0' ? service_number(service) : 0;

    if (number < 0)
        number = netdb_port(pr->db, service, transport);
    if (number < 0)
        return false;
    *port = number == 0 ? -1 : (int)number;
    return true;
}

static enum family family_of(const char *proto)
{
    if ((!text_starts(proto, "tcp") && !text_starts(proto, "udp")) || proto[3] != '6')
        return FAMILY_IPV4;
    return strcmp(proto + 3, "6only") == 0 ? FAMILY_IPV6 : FAMILY_IPV46;
}

/* Text that can only be meant as a number is not looked up as a name. */
static bool numeric(const char *host)
{
    return strspn(host, ".0123456789") == strlen(host) ||
           (strchr(host, ':') != NULL && strspn(host, ".:0123456789abcdefABCDEF") > 0);
}

static void play_host(const struct played *p, const char *host, const char *transport)
{
    struct predict *pr = p->walk->pr;
    struct want want = {.stream = strcmp(p->type, "stream") == 0, .family = family_of(p->proto)};
    char address[INET6_ADDRSTRLEN];
    unsigned flags = want.family == FAMILY_IPV46 ? RESOLVE_MAPPED : 0;
    char *key;

    if (!numeric(host))
        flags |= RESOLVE_NAMES;
    if (!find_port(pr, p->service, transport, &want.port) ||
        !predict_address(pr, host, want.family != FAMILY_IPV4, flags, address))
        return;
    want.address = address;
    key = mem_printf("%s %s %d %s %d", p->service, p->proto, want.family != FAMILY_IPV4, address,
                     want.port);
    predict_row(pr, p->index, key, &want);
    free(key);
    if (strcmp(p->service, "tcpmux") == 0 && p->walk->tcpmux == 0)
        p->walk->tcpmux = p->index + 1;
}

static void play_hosts(const struct played *p)
{
    const char *transport = transport_of(p->walk->pr, p->type, p->proto);
    const char *at = p->hosts != NULL ? p->hosts : "*";
    bool more = transport != NULL;

    while (more) {
        size_t len = strcspn(at, ",");
        char *host = mem_strndup(at, len);

        play_host(p, host, transport);
        free(host);
        at += len;
        more = at[0] == ',' && at[1] != '\0';
        at += more;
    }
}

/* Whether the daemon has the user, and the group when one is named, of a line. */
static bool user_known(const struct predict *pr, const char *column)
{
    size_t len = strcspn(column, strchr(column, ':') != NULL ? ":" : ".");
    char *user = mem_strndup(column, len);
    const char *group = column[len] != '\0' ? column + len + 1 : "";
    bool known = netdb_user(pr->db, user) && (*group == '\0' || netdb_group(pr->db, group));

    free(user);
    return known;
}

/* Whether the line gets through the daemon's parser. */
static bool accepted(const struct played *p, const char *server)
{
    bool stream = strcmp(p->type, "stream") == 0;
    bool dgram = strcmp(p->type, "dgram") == 0;

    if (p->mux && (!stream || !text_starts(p->proto, "tcp")))
        return false;
    if (strcmp(server, "internal") != 0)
        return true;
    return ((stream || dgram) && predict_builtin(p->service)) ||
           (stream && strcmp(p->service, "tcpmux") == 0);
}

/* A line served through tcpmux has no socket; the one on port 1 stands for all of them. */
static void play_mux(const struct played *p)
{
    struct walk *walk = p->walk;

    if (walk->mux == 0)
        walk->mux = p->index + 1;
    predict_join(walk->pr, walk->mux - 1, p->index);
    if (strcmp(p->service, "tcpmux") == 0 && walk->tcpmux == 0)
        walk->tcpmux = p->index + 1;
}

/* The addresses LINE asks for; NULL for all. */
static const char *hosts_of(const struct inetd_line *line, const struct head *head)
{
    const char *hosts = head->host != NULL ? head->host : line->default_address;

    return hosts != NULL && strcmp(hosts, "*") == 0 ? NULL : hosts;
}

static void play_line(struct walk *walk, size_t index)
{
    const struct inetd_line *line = walk->pr->state->lines[index];
    struct head head = predict_head(line->fields[COL_NAME]);
    const char *hosts = hosts_of(line, &head);
    struct played p = {.walk = walk,
                       .index = index,
                       .type = line->fields[COL_TYPE],
                       .proto = line->fields[COL_PROTO],
                       .service = head.service,
                       .mux = text_starts(head.service, "tcpmux/")};

    if (p.mux)
        p.service += strlen("tcpmux/");
    if (p.mux && *p.service == '+')
        p.service++;
    if (hosts != NULL) {
        free(walk->left_host);
        walk->left_host = mem_strdup(hosts);
        walk->left_line = index;
    } else if (walk->left_host != NULL) {
        predict_join(walk->pr, walk->left_line,
                     index); /* without that line, this one opens to all */
    }
    p.hosts = walk->left_host;
    if (accepted(&p, line->fields[COL_SERVER])) {
        if (!user_known(walk->pr, line->fields[COL_USER]))
            ; /* the addresses are used up all the same */
        else if (p.mux)
            play_mux(&p);
        else if (!walk->bad_default || head.host != NULL)
            play_hosts(&p);
        free(walk->left_host);
        walk->left_host = NULL;
    }
    free(head.host);
}

/* A "*:" line makes the daemon forget the default address but go on with the memory it was in, and
 * ":" sets one that is empty: neither resolves, so lines without an address of their own open
 * nothing. */
static void note_default(struct walk *walk, const struct inetd_line *line)
{
    bool all, empty;

    if (line->kind != INETD_DEFAULT || line->nfields == 0)
        return;
    all = strcmp(line->fields[0], "*:") == 0;
    empty = strcmp(line->fields[0], ":") == 0;
    walk->bad_default = empty || (all && walk->had_default);
    walk->had_default = walk->had_default || !all;
}

/* With lines served through tcpmux and no tcpmux line, the daemon listens on port 1 by itself. */
static void add_tcpmux(struct walk *walk)
{
    struct played p = {.walk = walk,
                       .index = walk->mux - 1,
                       .type = "stream",
                       .proto = "tcp6",
                       .service = "tcpmux"};

    if (walk->mux == 0)
        return;
    if (walk->tcpmux != 0)
        predict_join(walk->pr, walk->mux - 1, walk->tcpmux - 1);
    else
        play_hosts(&p);
}

void predict_inetutils(struct predict *pr)
{
    struct walk walk = {.pr = pr};

    for (size_t i = 0; i < pr->state->nlines; i++) {
        const struct inetd_line *line = pr->state->lines[i];

        note_default(&walk, line);
        if (line->active && line->nfields >= COL_MIN)
            play_line(&walk, i);
    }
    add_tcpmux(&walk);
    free(walk.left_host);
}
