#include "inetd_predict.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/text.h"

/* One port of one transport, with what is bound to it so far. */
struct port {
    char *key;
    unsigned n4, n6;   /* sockets that take IPv4, and IPv6, traffic */
    bool any4, any6;   /* one of them is bound to all addresses */
    bool clash;        /* two sockets wanted the same traffic */
    size_t first_line; /* the first that wanted this port */
    struct port *next;
};

/* A row of the daemon's table. */
struct row {
    size_t owner; /* the last line that set it */
    struct want want;
    char *address;     /* want.address */
    struct port *port; /* NULL where bind chooses and for unix sockets */
    bool open;
};

/* ---- lines that must be switched together ---- */

static size_t leader_of(struct predict *pr, size_t line)
{
    while (pr->leader[line] != line) {
        pr->leader[line] = pr->leader[pr->leader[line]];
        line = pr->leader[line];
    }
    return line;
}

static void unite(struct predict *pr, size_t a, size_t b)
{
    a = leader_of(pr, a);
    b = leader_of(pr, b);
    if (a < b)
        pr->leader[b] = a;
    else
        pr->leader[a] = b;
}

void predict_join(struct predict *pr, size_t a, size_t b)
{
    pr->effective[a] = true;
    pr->effective[b] = true;
    unite(pr, a, b);
}

/* ---- the kernel ---- */

static bool is_mapped(const struct want *want)
{
    return want->family != FAMILY_IPV4 && text_starts(want->address, "::ffff:") &&
           strchr(want->address, '.') != NULL;
}

static bool takes4(const struct want *want)
{
    if (want->family == FAMILY_IPV4 || is_mapped(want))
        return true;
    return want->family == FAMILY_IPV46 && strcmp(want->address, "*") == 0;
}

static bool takes6(const struct want *want)
{
    return want->family != FAMILY_IPV4 && !is_mapped(want);
}

static char *address_key(const struct row *row)
{
    const char *address = row->want.address;

    if (is_mapped(&row->want))
        address += strlen("::ffff:");
    return mem_printf("%s %s", row->port->key, address);
}

/* Whether what ROW wants overlaps with what is bound to its port. */
static bool overlaps(struct predict *pr, const struct row *row)
{
    const struct port *port = row->port;
    bool four = takes4(&row->want);
    bool six = takes6(&row->want);
    char *key;
    bool taken;

    if ((four && port->any4) || (six && port->any6))
        return true;
    if (strcmp(row->want.address, "*") == 0)
        return (four && port->n4 > 0) || (six && port->n6 > 0);
    key = address_key(row);
    taken = index_has(&pr->addresses, key);
    free(key);
    return taken;
}

static struct port *port_of(struct predict *pr, size_t line, const struct want *want)
{
    char *key = mem_printf("%s %d", want->stream ? "tcp" : "udp", want->port);
    void **place = index_at(&pr->ports, key);
    struct port *port = *place;

    if (port != NULL) {
        free(key);
        return port;
    }
    port = mem_alloc(sizeof(*port));
    port->key = key;
    port->first_line = line;
    port->next = pr->all_ports;
    pr->all_ports = port;
    *place = port;
    return port;
}

/* Bind ROW: a stream socket gets EADDRINUSE where another listens; every daemon sets SO_REUSEADDR,
 * so datagram sockets share. */
static void bind_row(struct predict *pr, struct row *row)
{
    struct port *port = row->port;
    bool any = strcmp(row->want.address, "*") == 0;
    bool taken;

    row->open = true;
    if (port == NULL)
        return;
    taken = overlaps(pr, row);
    port->clash = port->clash || taken;
    if (taken && row->want.stream) {
        row->open = false;
        return;
    }
    port->n4 += takes4(&row->want);
    port->n6 += takes6(&row->want);
    port->any4 = port->any4 || (any && takes4(&row->want));
    port->any6 = port->any6 || (any && takes6(&row->want));
    if (!any) {
        char *key = address_key(row);

        *index_at(&pr->addresses, key) = row;
        free(key);
    }
}

void predict_row(struct predict *pr, size_t line, const char *key, const struct want *want)
{
    void **place;
    struct row *row;

    if (want->family == FAMILY_IPV6 && !want->unixes && is_mapped(want))
        return; /* the kernel binds no IPv4 address where V6ONLY is set */
    place = index_at(&pr->rows, key);
    row = *place;
    pr->effective[line] = true;
    if (row != NULL) {
        unite(pr, line, row->owner);
        row->owner = line;
        return;
    }
    row = mem_alloc(sizeof(*row));
    *place = row;
    row->owner = line;
    row->address = mem_strdup(want->address);
    row->want = *want;
    row->want.address = row->address;
    if (want->family == FAMILY_IPV46 && strcmp(want->address, "*") != 0 && !is_mapped(want))
        row->want.family = FAMILY_IPV6; /* bound to one address it takes no other traffic */
    if (!want->unixes && want->port >= 0)
        row->port = port_of(pr, line, want);
    pr->list = mem_grow(pr->list, pr->nlist, &pr->cap, sizeof(struct row *));
    pr->list[pr->nlist++] = row;
    bind_row(pr, row);
}

void predict_hang(struct predict *pr, size_t line)
{
    const struct inetd_line *l = pr->state->lines[line];
    struct diag *d = problems_new(&pr->parse->problems);

    pr->stopped = true;
    pr->effective[line] = true;
    pr->parse->hung = 1;
    diag_set(d, STATUS_ATTENTION, "daemon-hangs",
             "inetd spins for ever on '%s', whose protocol is not on its first line",
             l->nfields > 0 ? l->fields[0] : "");
    diag_at(d, l->source->path, l->line, 1);
    diag_hint(d, "write the entry on one line, then kill inetd with SIGKILL and start it again");
}

/* ---- names ---- */

struct head predict_head(const char *word)
{
    const char *colon = strrchr(word, ':');
    struct head head = {NULL, word};

    if (colon != NULL) {
        head.host = mem_strndup(word, (size_t)(colon - word));
        head.service = colon + 1;
    }
    return head;
}

static bool address6(const char *text, char out[INET6_ADDRSTRLEN])
{
    char *plain = mem_strndup(text, strcspn(text, "%"));
    struct in6_addr addr;
    bool ok = inet_pton(AF_INET6, plain, &addr) == 1;

    free(plain);
    if (ok && IN6_IS_ADDR_UNSPECIFIED(&addr))
        memcpy(out, "*", 2);
    else if (ok)
        inet_ntop(AF_INET6, &addr, out, INET6_ADDRSTRLEN);
    return ok;
}

/* Also "127.1" and the other short forms: the resolver takes them. */
static bool address4(const char *text, bool mapped, char out[INET6_ADDRSTRLEN])
{
    struct in_addr addr;
    char plain[INET_ADDRSTRLEN];
    struct buf b = BUF_INIT;

    if (*text == '\0' || inet_aton(text, &addr) == 0)
        return false;
    inet_ntop(AF_INET, &addr, plain, sizeof(plain));
    if (mapped)
        buf_adds(&b, "::ffff:");
    buf_adds(&b, !mapped && addr.s_addr == INADDR_ANY ? "*" : plain);
    memcpy(out, buf_str(&b), b.len + 1);
    buf_release(&b);
    return true;
}

bool predict_address(const struct predict *pr, const char *host, bool v6, unsigned flags,
                     char out[INET6_ADDRSTRLEN])
{
    bool mapped = v6 && (flags & RESOLVE_MAPPED) != 0;
    const char *known = NULL;

    if (strcmp(host, "*") == 0) {
        memcpy(out, "*", 2);
        return true;
    }
    if (v6 ? address6(host, out) : address4(host, false, out))
        return true;
    if (mapped && address4(host, true, out))
        return true;
    if ((flags & RESOLVE_NAMES) == 0)
        return false;
    known = netdb_host(pr->db, host, v6);
    if (known != NULL)
        return v6 ? address6(known, out) : address4(known, false, out);
    known = mapped ? netdb_host(pr->db, host, false) : NULL;
    return known != NULL && address4(known, true, out);
}

int predict_port_number(const char *word)
{
    const char *digits = *word == '+' ? word + 1 : word;
    long long port;

    if (*digits < '0' || *digits > '9' || text_number(digits, 1, 65535, &port) != 0)
        return 0;
    return (int)port;
}

bool predict_builtin(const char *service)
{
    static const char *const names[] = {"echo", "discard", "time", "daytime", "chargen"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], service) == 0)
            return true;
    return false;
}

/* ---- the result ---- */

static void give_sockets(struct predict *pr)
{
    for (size_t i = 0; i < pr->nlist; i++) {
        const struct row *row = pr->list[i];
        struct entry *entry = pr->state->lines[row->owner]->entry;
        const struct want *want = &row->want;

        if (row->port != NULL && row->port->clash)
            unite(pr, row->owner, row->port->first_line);
        if (!row->open || entry == NULL)
            continue;
        if (want->unixes)
            entry_add_socket(entry, FAMILY_UNIX, want->stream ? "stream" : "dgram", want->address,
                             0);
        else
            entry_add_socket(entry, want->family, want->stream ? "tcp" : "udp", want->address,
                             want->port);
    }
}

/* Number the sets that hold two entries or more, in the order of their first lines. */
static void give_groups(struct predict *pr)
{
    size_t n = pr->state->nlines;
    unsigned *members = mem_array(n + 1, sizeof(*members));
    unsigned *number = mem_array(n + 1, sizeof(*number));
    unsigned next = 1;

    for (size_t i = 0; i < n; i++)
        if (pr->state->lines[i]->entry != NULL)
            members[leader_of(pr, i)]++;
    for (size_t i = 0; i < n; i++) {
        struct entry *entry = pr->state->lines[i]->entry;
        size_t leader = leader_of(pr, i);

        if (entry == NULL || members[leader] < 2)
            continue;
        if (number[leader] == 0)
            number[leader] = next++;
        entry->group = number[leader];
    }
    free(members);
    free(number);
}

static void give_inert(struct predict *pr)
{
    for (size_t i = 0; i < pr->state->nlines; i++) {
        const struct inetd_line *line = pr->state->lines[i];

        if (line->entry != NULL && line->active && !pr->effective[i] && !pr->stopped)
            line->entry->flags |= ENTRY_INERT;
    }
}

static void release(struct predict *pr)
{
    index_release(&pr->rows);
    index_release(&pr->ports);
    index_release(&pr->addresses);
    while (pr->all_ports != NULL) {
        struct port *port = pr->all_ports;

        pr->all_ports = port->next;
        free(port->key);
        free(port);
    }
    for (size_t i = 0; i < pr->nlist; i++) {
        free(pr->list[i]->address);
        free(pr->list[i]);
    }
    free(pr->list);
    free(pr->leader);
    free(pr->effective);
}

void inetd_finish(struct parse *p)
{
    struct predict pr = {.parse = p, .state = inetd_state(p), .db = p->db};
    unsigned flags = p->dialect->predict_flags;

    pr.leader = mem_array(pr.state->nlines + 1, sizeof(*pr.leader));
    pr.effective = mem_array(pr.state->nlines + 1, sizeof(*pr.effective));
    for (size_t i = 0; i < pr.state->nlines; i++)
        pr.leader[i] = i;
    if ((flags & PREDICT_OPENBSD) != 0)
        predict_openbsd(&pr);
    else if ((flags & PREDICT_INETUTILS) != 0)
        predict_inetutils(&pr);
    else if ((flags & PREDICT_BUSYBOX) != 0)
        predict_busybox(&pr);
    else
        predict_bsd(&pr);
    give_sockets(&pr);
    give_groups(&pr);
    give_inert(&pr);
    release(&pr);
}
