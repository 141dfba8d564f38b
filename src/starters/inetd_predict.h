/*
 * inetd_predict.h - what the models of the daemons share; private to src/starters
 *
 * A model walks the lines that inetd_parse read as its daemon would on a fresh start, and says for
 * each which row of the daemon's table it makes or takes over, and which socket that row asks the
 * kernel for. The engine plays the kernel (who gets a port, who gets EADDRINUSE), gives each open
 * socket to the line that owns its row at the end, and puts lines that depend on each other into
 * one group.
 *
 *     model->walk(pr):  for each line:  predict_row(pr, line, key, &want)
 */
#ifndef STARTERS_INETD_PREDICT_H
#define STARTERS_INETD_PREDICT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/entry.h"
#include "batten/netdb.h"

#include "index.h"
#include "inetd.h"

/* dialect.predict_flags: how the file is played through. */
enum predict_flag {
    PREDICT_OPENBSD = 1 << 0,   /* a model of its own */
    PREDICT_INETUTILS = 1 << 1, /* a model of its own */
    PREDICT_BUSYBOX = 1 << 2,   /* a model of its own */
    PREDICT_USERS = 1 << 3,     /* an unknown user or group: the line is skipped */
    PREDICT_NUMBERS = 1 << 4,   /* a port may be given as a number */
    PREDICT_6ONLY = 1 << 5,     /* "tcp6" is IPv6 only; else it serves both */
};

/* A socket as it is asked for. */
struct want {
    bool unixes; /* ADDRESS is a path; FAMILY and PORT do not matter */
    bool stream;
    enum family family;  /* FAMILY_IPV6 with ADDRESS "*": V6ONLY is set */
    const char *address; /* "*", or as inet_ntop writes it; borrowed */
    int port;            /* -1: bind chooses */
};

struct predict {
    struct parse *parse;
    struct inetd_state *state;
    const struct netdb *db;

    struct index rows;      /* struct row by key */
    struct index ports;     /* struct port by transport and number */
    struct index addresses; /* what is bound to one address, by port and address */
    struct port *all_ports;
    struct row **list; /* all rows, in the order made */
    size_t nlist;
    size_t cap;

    size_t *leader;  /* union-find over the lines that must be switched together */
    bool *effective; /* lines that made or took over a row */
    bool stopped;    /* the daemon never gets beyond the line it is at */
};

/* LINE makes the row KEY, or takes it over when there is one. WANT is the socket of a new row; a
 * row that is there keeps what it has. */
void predict_row(struct predict *pr, size_t line, const char *key, const struct want *want);

/* A and B must be switched together, and neither is without effect. */
void predict_join(struct predict *pr, size_t a, size_t b);

/* The daemon spins for ever at LINE: nothing behind it opens. */
void predict_hang(struct predict *pr, size_t line);

/* ---- names ---- */

/* The word before the last ':' of WORD and the rest, as all dialects with addresses split it. */
struct head {
    char *host;          /* NULL when there is no ':' */
    const char *service; /* borrowed from the word */
};
struct head predict_head(const char *word);

enum resolve {
    RESOLVE_NAMES = 1 << 0,  /* look names up in the root's hosts */
    RESOLVE_MAPPED = 1 << 1, /* an IPv4 address will do for IPv6, as ::ffff:a.b.c.d */
};

/* HOST as the daemon binds it, for one family: "*" for the unspecified address. False when there is
 * no such address. */
bool predict_address(const struct predict *pr, const char *host, bool v6, unsigned flags,
                     char out[INET6_ADDRSTRLEN]);

/* A port as strtonum(3) takes it: 1 to 65535, a '+' before it allowed. 0: not one. */
int predict_port_number(const char *word);

/* Whether the BSD daemons answer SERVICE themselves. */
bool predict_builtin(const char *service);

/* ---- the models ---- */

void predict_openbsd(struct predict *pr);
void predict_inetutils(struct predict *pr);
void predict_busybox(struct predict *pr);
void predict_bsd(struct predict *pr); /* freebsd, netbsd, classic: by flags */

#endif
