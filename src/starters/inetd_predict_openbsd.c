#include "inetd_predict.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "batten/mem.h"
#include "batten/text.h"

/*
 * openbsd-inetd as Debian builds it. A line whose protocol does not end in 4 or 6 is played twice,
 * for IPv4 and then, from the copy it kept of the first physical line alone, for IPv6. So a line
 * split behind its protocol opens IPv4 only, and one split before it is played again for ever.
 */

enum column { COL_TYPE, COL_PROTO, COL_WAIT, COL_USER, COL_SERVER };

/* A line on its way through the daemon. */
struct played {
    struct predict *pr;
    size_t index;
    char **columns; /* what stands behind the service */
    size_t ncolumns;
    size_t first;  /* columns on the first physical line */
    char *hosts;   /* addresses, with commas between */
    char *service; /* the RPC version taken off */
    char *proto;   /* the size options taken off */
    bool rpc;
    bool typed; /* a socket type that the daemon knows */
    bool stream;
};

/* Words that the daemon reads as one line, FIRST of them on its first physical line. */
struct words {
    char **v;
    size_t n;
    size_t first;
};

/* "sndbuf=16k" and the like, LAST: nothing behind it. The daemon looks one byte behind the digits,
 * so that only the last option may go without a unit. */
static bool size_option_ok(char *option, bool last)
{
    char *value = strchr(option, '=');
    char *end;

    if (value == NULL)
        return false;
    *value++ = '\0';
    if (*value < '0' || *value > '9' || strtol(value, &end, 10) < 1)
        return false;
    if (*end == '\0' ? !last : end[1] != '\0')
        return false;
    return strcmp(option, "sndbuf") == 0 || strcmp(option, "rcvbuf") == 0;
}

/* The protocol of COLUMN without its size options, at most two. NULL when they are malformed.
 * The caller frees. */
static char *protocol_of(const char *column)
{
    char *copy = mem_strdup(column);
    char *first = strchr(copy, ',');
    char *second;

    if (first == NULL)
        return copy;
    *first++ = '\0';
    second = strchr(first, ',');
    if (second != NULL)
        *second++ = '\0';
    if (size_option_ok(first, second == NULL) &&
        (second == NULL || (strchr(second, ',') == NULL && size_option_ok(second, true))))
        return copy;
    free(copy);
    return NULL;
}

/* Take "/1-3" off the service of an RPC line; *RPC gets whether the version makes it one: version 0
 * does not. False when there is no good version. */
static bool take_rpc_version(char *service, bool *rpc)
{
    char *version = strchr(service, '/');
    long low, high;
    char *end;

    if (version == NULL)
        return false;
    *version++ = '\0';
    low = strtol(version, &end, 0);
    if (end == version || low < 0 || low > INT_MAX)
        return false;
    *rpc = low != 0;
    if (*end == '\0')
        return true;
    if (*end != '-')
        return false;
    version = end + 1;
    high = strtol(version, &end, 0);
    return end != version && *end == '\0' && high >= low && high <= INT_MAX;
}

/* The port of a line that is not RPC; 0: unknown service. */
static int port_of(const struct played *p, const char *proto, bool v6)
{
    int port = predict_port_number(p->service);
    char *known;

    if (port != 0)
        return port;
    known = mem_strdup(proto);
    if (!v6)
        known[strcspn(known, "0123456789")] = '\0';
    else if (*known != '\0' && strchr("0123456789", known[strlen(known) - 1]) != NULL)
        known[strlen(known) - 1] = '\0';
    port = netdb_port(p->pr->db, p->service, known);
    free(known);
    return port > 0 ? port : 0;
}

static bool known_rpc(const struct played *p)
{
    return predict_port_number(p->service) != 0 || netdb_rpc(p->pr->db, p->service) >= 0;
}

/* One address of one pass. PROTO is what the daemon calls the row by: "tcp6" in the second pass. */
static void play_host(const struct played *p, const char *host, const char *proto, bool v6)
{
    struct want want = {.stream = p->stream, .family = FAMILY_IPV4, .port = -1};
    char address[INET6_ADDRSTRLEN];
    char *key;

    if (!predict_address(p->pr, host, v6, RESOLVE_NAMES, address))
        return;
    if (v6)
        want.family = text_starts(proto, "tcp6") ? FAMILY_IPV6 : FAMILY_IPV46;
    want.address = address;
    if (p->rpc ? !known_rpc(p) : (want.port = port_of(p, proto, v6)) == 0)
        return;
    key = mem_printf("%s %s %s %s", p->service, host, proto, address);
    predict_row(p->pr, p->index, key, &want);
    free(key);
}

/* All addresses of one pass, the last first. */
static void play_pass(const struct played *p, const char *proto, bool v6)
{
    char *hosts = mem_strdup(p->hosts);
    char *comma;

    do {
        comma = strrchr(hosts, ',');
        if (comma != NULL)
            *comma++ = '\0';
        if (*(comma != NULL ? comma : hosts) != '\0')
            play_host(p, comma != NULL ? comma : hosts, proto, v6);
    } while (comma != NULL);
    free(hosts);
}

static void play_unix(const struct played *p)
{
    struct want want = {.unixes = true, .stream = p->stream, .address = p->service};
    char *key = mem_printf("%s %s unix", p->service, p->hosts);

    if (strlen(p->service) < sizeof(((struct sockaddr_un *)0)->sun_path))
        predict_row(p->pr, p->index, key, &want);
    free(key);
}

/* Whether the daemon is to answer a service itself that it does not know. */
static bool bad_internal(const struct played *p)
{
    return p->ncolumns > COL_SERVER && strcmp(p->columns[COL_SERVER], "internal") == 0 &&
           !(predict_builtin(p->service) && p->typed);
}

/* Play the columns behind the service. Returns how many of them the daemon had read when it gave
 * the line up; 0 when it read all of it. */
static size_t play_columns(struct played *p)
{
    size_t len = strlen(p->proto);
    char last = len > 0 ? p->proto[len - 1] : '\0';
    bool is_unix = strcmp(p->proto, "unix") == 0;
    bool twice = !is_unix && last != '4' && last != '6';
    size_t given_up = 0;
    char *proto6;

    if (text_starts(p->proto, "rpc/") && !take_rpc_version(p->service, &p->rpc))
        given_up = COL_PROTO + 1;
    else if (bad_internal(p))
        given_up = COL_SERVER + 1;
    p->typed = p->typed && given_up == 0 && p->ncolumns > COL_SERVER;
    if (p->typed && is_unix)
        play_unix(p);
    else if (p->typed)
        play_pass(p, p->proto, last == '6');
    if (twice && p->first <= COL_PROTO) {
        predict_hang(p->pr, p->index);
    } else if (twice && p->typed && p->first > COL_SERVER) {
        proto6 = mem_printf("%s6", p->proto);
        play_pass(p, proto6, true);
        free(proto6);
    }
    return given_up;
}

/* The address as the daemon keeps it: brackets off, nothing is everything. */
static char *host_of(const char *host)
{
    size_t len = strlen(host);

    if (len == 0)
        return mem_strdup("*");
    if (len > 1 && host[0] == '[' && host[len - 1] == ']')
        return mem_strndup(host + 1, len - 2);
    return mem_strdup(host);
}

/* Play WORDS of the line INDEX. Returns true when the daemon gave them up on their first physical
 * line: it then reads the next one as a line of its own. */
static bool play_words(struct predict *pr, size_t index, const struct words *words)
{
    const struct inetd_line *line = pr->state->lines[index];
    struct head head = predict_head(words->v[0]);
    size_t used = 1, given_up = 0;
    struct played p = {.pr = pr, .index = index};

    if (head.host != NULL)
        p.hosts = host_of(head.host);
    else if (line->address != NULL && words->v == line->fields)
        p.hosts = mem_strdup(line->address); /* it was a word of its own */
    else
        p.hosts = mem_strdup(line->default_address != NULL ? line->default_address : "*");
    if (head.host != NULL && *head.service == '\0' && words->n > 1)
        head.service = words->v[used++];
    p.columns = words->v + used;
    p.ncolumns = words->n - used;
    p.first = words->first > used ? words->first - used : 0;
    p.service = mem_strdup(head.service);
    if (p.ncolumns > COL_PROTO) {
        p.stream = strcmp(p.columns[COL_TYPE], "stream") == 0;
        p.typed = p.stream || strcmp(p.columns[COL_TYPE], "dgram") == 0;
        p.proto = protocol_of(p.columns[COL_PROTO]);
        given_up = p.proto != NULL ? play_columns(&p) : COL_PROTO + 1;
    }
    free(p.proto);
    free(p.service);
    free(p.hosts);
    free(head.host);
    return given_up > 0 && given_up <= p.first && words->n > words->first;
}

/* The words on the physical line at *AT, which is moved behind it. */
static size_t count_words(const char **at, const char *end)
{
    size_t n = 0;
    bool in_word = false;

    for (; *at < end && **at != '\n'; (*at)++) {
        bool blank = **at == ' ' || **at == '\t';

        n += !blank && !in_word;
        in_word = !blank;
    }
    *at += *at < end;
    return n;
}

static void play_line(struct predict *pr, size_t index)
{
    const struct inetd_line *line = pr->state->lines[index];
    struct words words = {line->fields, line->nfields, line->first_fields};
    bool again = play_words(pr, index, &words);
    const char *at, *end;

    if (!again || line->entry == NULL || line->cut)
        return;
    at = line->source->bytes + line->entry->start;
    end = line->source->bytes + line->entry->end;
    count_words(&at, end);
    while (again && at < end && !pr->stopped) {
        words.v += words.first;
        words.n -= words.first;
        words.first = count_words(&at, end);
        if (words.first > words.n)
            return;
        again = words.first == 0 || play_words(pr, index, &words);
    }
}

void predict_openbsd(struct predict *pr)
{
    for (size_t i = 0; i < pr->state->nlines && !pr->stopped; i++) {
        const struct inetd_line *line = pr->state->lines[i];

        if (line->active && line->nfields > 0)
            play_line(pr, i);
    }
}
