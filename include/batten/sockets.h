/*
 * sockets.h - who listens now, as the kernel says (sock_diag)
 */
#ifndef BATTEN_SOCKETS_H
#define BATTEN_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct diag;

/* One listening TCP socket or one bound, unconnected UDP socket of this network namespace. */
struct listener {
    char family[8];   /* "ipv4", "ipv6", "ipv46" (a v6 socket without V6ONLY) */
    char proto[8];    /* "tcp", "udp" */
    char address[46]; /* "*" or numeric */
    int port;
    unsigned long inode;
    uid_t uid;
    pid_t *pids; /* owners that /proc let us see, sorted, pid 1 behind the others */
    size_t npids;
};

struct listeners {
    struct listener *v;
    size_t n;
    size_t cap;
    bool owners_hidden; /* /proc of other users could not be read */
};

/* All listeners, by netlink sock_diag; falls back to /proc/net when the kernel has none. OWNERS:
 * also walk /proc to find the pids. */
int listeners_read(struct listeners *out, bool owners, struct diag *d);
void listeners_release(struct listeners *l);

/* Whether L serves FAMILY/PROTO/ADDRESS/PORT as predicted: same proto and port, address equal, and
 * the family's traffic reaches it. */
bool listener_is(const struct listener *l, const char *family, const char *proto,
                 const char *address, int port);

/* Whether PID is among the owners of L. */
bool listener_owned_by(const struct listener *l, pid_t pid);

/* Whether a UNIX socket is bound to PATH in this network namespace. */
bool sockets_unix_bound(const char *path);

/* One end of an open TCP connection. */
struct connection {
    char family[8]; /* "ipv4", "ipv6" */
    char local[46], remote[46];
    int local_port, remote_port;
    unsigned long inode;
};

struct connections {
    struct connection *v;
    size_t n;
    size_t cap;
};

/* The established TCP connections of this network namespace. */
int connections_read(struct connections *out, struct diag *d);
void connections_release(struct connections *c);

/* The socket inodes PID holds, appended to *OUT (N of them, caller frees). -1 when /proc does not
 * show them. */
int sockets_of_process(pid_t pid, unsigned long **out, size_t *n);

#endif
