/*
 * entry.h - one place in a source that starts one service
 *
 * Entries are made by a starter's parse and owned by the struct parse they were added to. They
 * borrow their source, which must outlive them.
 */
#ifndef BATTEN_ENTRY_H
#define BATTEN_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

struct source;
struct starter;

enum family { FAMILY_IPV4, FAMILY_IPV6, FAMILY_IPV46, FAMILY_UNIX };

/* One socket that the daemon opens for an entry on a fresh start. */
struct socket_spec {
    enum family family; /* IPV46: one dual-stack socket */
    char proto[8];      /* "tcp", "udp", "sctp"; for unix "stream" or "dgram" */
    char *address;      /* "*", a numeric address, or the path of a unix socket */
    int port;           /* -1 where bind chooses, 0 for unix */
};

/* Why an entry is as it is; more than one may be set. */
enum entry_flag {
    ENTRY_INTERNAL = 1 << 0, /* the inetd itself answers, no program */
    ENTRY_RPC = 1 << 1,
    ENTRY_WAIT = 1 << 2,     /* the server takes over the listening socket */
    ENTRY_INDIRECT = 1 << 3, /* rc: started through another script */
    ENTRY_INERT = 1 << 4,    /* the daemon takes the line but it opens nothing */
    ENTRY_REPORT = 1 << 5,   /* rc: an init or rc.d script, left for a later starter */
    ENTRY_LOOSE = 1 << 6,    /* recognised with less than full certainty */
};

struct entry {
    const struct starter *starter;
    const struct source *source;
    size_t start, end;        /* bytes of the physical lines it spans, the last newline included */
    unsigned line, last_line; /* from 1 */
    unsigned column;          /* of the service or start command, in bytes, from 1 */
    bool enabled;             /* false: commented out */

    char *name;    /* the service as written, quotes and address stripped; rc: program's basename */
    char *address; /* address the entry is bound to, "*" when all; rc: NULL */
    char *proto;   /* as written, size options stripped: "tcp", "tcp6", "rpc/udp"; rc: NULL */
    char *user;    /* user column as written, NULL when there is none */
    char *program; /* server program, NULL for an internal service */
    char **argv;   /* the words after the program, argv[0] first; NULL-terminated; never NULL. rc:
                      the whole start command, what stands before the program included */
    char *rpc;     /* RPC name or number, NULL */
    unsigned flags; /* enum entry_flag */

    struct socket_spec *sockets; /* what opens on a fresh start; filled by the starter's finish */
    size_t nsockets;

    /* Entries with the same number not 0 share a port and must be switched together: switching off
     * one would let another open the port later (inetd's retry, the next HUP). */
    unsigned group;

    char *locked; /* why batten will not edit it: a sentence without a stop; NULL when it can */

    void *detail; /* the starter's own; freed by its free_detail */
};

/* Everything a starter found. Zero it, fill it through the starter, release it. */
struct entries {
    struct entry **v;
    size_t n;
    size_t cap;
};

/* A new zeroed entry appended to the list; borrowed. */
struct entry *entries_new(struct entries *list);
void entries_release(struct entries *list);

/* Add a socket to an entry. ADDRESS is copied. */
void entry_add_socket(struct entry *e, enum family family, const char *proto, const char *address,
                      int port);

/* What tells E from other entries of its name in its file: protocol and address, for a start
 * command its words. The same text as long as the same service is started the same way. Caller
 * frees. */
char *entry_ident(const struct entry *e);

const char *family_name(enum family family); /* "ipv4", "ipv6", "ipv46", "unix" */

#endif
