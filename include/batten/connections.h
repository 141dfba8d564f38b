/*
 * connections.h - who is connected now: established TCP connections of this network namespace
 *
 *     struct connections all = {0};
 *     if (connections_read(&all) == 0)
 *         ...all.v[i].port, all.v[i].peer...
 *     connections_release(&all);
 */
#ifndef BATTEN_CONNECTIONS_H
#define BATTEN_CONNECTIONS_H

#include <stddef.h>

struct connection {
    int port;      /* the local one */
    char peer[46]; /* numeric; an IPv4 peer of a dual-stack socket as IPv4 */
    int peer_port;
};

struct connections {
    struct connection *v;
    size_t n;
    size_t cap;
};

/* Established connections, at most CONNECTIONS_MAX. -1 when the kernel's table cannot be read. */
enum { CONNECTIONS_MAX = 65536 };
int connections_read(struct connections *out);
void connections_release(struct connections *c);

#endif
