#include "inetd_predict.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "batten/mem.h"
#include "batten/text.h"

/*
 * busybox inetd with its default options: no RPC, so such lines are parse errors. It refuses
 * whatever it does not know, but for users, which it looks up when a client comes. A socket for
 * IPv6 serves both families.
 */

enum column { COL_NAME, COL_TYPE, COL_PROTO, COL_WAIT, COL_USER, COL_SERVER, COL_MIN };

/* A number as bb_strtou takes it, up to END; -1 when it is none. */
static long number_of(const char *word)
{
    long long number;

    if (*word < '0' || *word > '9' || text_number(word, 0, 0xffffffffLL, &number) != 0)
        return -1;
    return (long)number;
}

/* Whether the wait column is wait or nowait, with a good limit behind a dot; *WAITS gets which. */
static bool wait_ok(const char *column, bool *waits)
{
    size_t len = strcspn(column, ".");
    char *word = mem_strndup(column, len);
    bool ok;

    *waits = !text_starts(word, "no");
    ok = strcmp(*waits ? word : word + 2, "wait") == 0 &&
         (column[len] == '\0' || number_of(column + len + 1) >= 0);
    free(word);
    return ok;
}

/* Whether socket type and protocol fit together; the type is not looked at for IPv6 raw sockets and
 * the like, which the kernel then refuses. */
static bool transport_ok(const char *type, const char *proto)
{
    if (strcmp(proto, "unix") == 0)
        return strcmp(type, "stream") == 0 || strcmp(type, "dgram") == 0;
    if (strcmp(proto, "tcp") == 0 || strcmp(proto, "tcp6") == 0)
        return strcmp(type, "stream") == 0;
    return (strcmp(proto, "udp") == 0 || strcmp(proto, "udp6") == 0) && strcmp(type, "dgram") == 0;
}

/* Whether a line with these columns gets through the daemon's parser. */
static bool accepted(char *const *fields, const char *service)
{
    bool stream = strcmp(fields[COL_TYPE], "stream") == 0;
    bool waits;

    if (!transport_ok(fields[COL_TYPE], fields[COL_PROTO]) || !wait_ok(fields[COL_WAIT], &waits))
        return false;
    if (strcmp(fields[COL_SERVER], "internal") != 0 || strlen(service) > strlen("discard"))
        return true;
    return predict_builtin(service) && waits != stream;
}

static bool find_port(const struct predict *pr, const char *service, const char *proto, int *port)
{
    char *transport = mem_strndup(proto, 3);
    long number = number_of(service);

    if (number < 0 || number > 0xffff)
        number = netdb_port(pr->db, service, transport);
    free(transport);
    *port = number == 0 ? -1 : (int)number;
    return number >= 0;
}

static void play_host(struct predict *pr, size_t index, const char *host, const char *service)
{
    char *const *fields = pr->state->lines[index]->fields;
    const char *proto = fields[COL_PROTO];
    bool v6 = proto[3] == '6';
    struct want want = {.unixes = strcmp(proto, "unix") == 0,
                        .stream = strcmp(fields[COL_TYPE], "stream") == 0,
                        .family = v6 ? FAMILY_IPV46 : FAMILY_IPV4};
    char address[INET6_ADDRSTRLEN];
    char *path =
        mem_strndup(service, strnlen(service, sizeof(((struct sockaddr_un *)0)->sun_path) - 1));
    char *key = mem_printf("%s %s %s", host, service, proto);
    size_t len = strlen(host);
    char *bare = len > 1 && host[0] == '[' && host[len - 1] == ']' ? mem_strndup(host + 1, len - 2)
                                                                   : mem_strdup(host);

    want.address = want.unixes ? path : address;
    if (want.unixes || (find_port(pr, service, proto, &want.port) &&
                        predict_address(pr, bare, v6, RESOLVE_NAMES, address)))
        predict_row(pr, index, key, &want);
    free(bare);
    free(key);
    free(path);
}

static void play_line(struct predict *pr, size_t index)
{
    const struct inetd_line *line = pr->state->lines[index];
    struct head head = predict_head(line->fields[COL_NAME]);
    const char *at = head.host;
    bool more = accepted(line->fields, head.service);

    if (at == NULL)
        at = line->default_address != NULL ? line->default_address : "*";
    while (more) {
        size_t len = strcspn(at, ",");
        char *host = mem_strndup(at, len);

        play_host(pr, index, host, head.service);
        free(host);
        at += len;
        more = *at == ',';
        at += more;
    }
    free(head.host);
}

void predict_busybox(struct predict *pr)
{
    bool empty_default = false; /* ":" names an address that does not resolve */

    for (size_t i = 0; i < pr->state->nlines; i++) {
        const struct inetd_line *line = pr->state->lines[i];

        if (line->kind == INETD_DEFAULT && line->nfields > 0)
            empty_default = strcmp(line->fields[0], ":") == 0;
        if (!line->active || line->nfields < COL_MIN)
            continue;
        if (!empty_default || strchr(line->fields[COL_NAME], ':') != NULL)
            play_line(pr, i);
    }
}
