/* sockets_impl.h - shared by sockets.c and sockets_proc.c */
#ifndef BATTEN_SOCKETS_IMPL_H
#define BATTEN_SOCKETS_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "batten/sockets.h"

/* One of the four tables the kernel keeps. */
struct sock_table {
    int family;          /* AF_INET, AF_INET6 */
    int protocol;        /* IPPROTO_TCP, IPPROTO_UDP */
    unsigned char state; /* TCP_LISTEN; an unconnected UDP socket is in TCP_CLOSE */
    const char *proc;    /* its text form */
};

/* Append a listener of TABLE. ADDR: 4 or 16 bytes in network order. */
struct listener *listeners_add(struct listeners *l, const struct sock_table *table,
                               const void *addr, int port, bool v6only);

/* Read TABLE's text form. It does not tell V6ONLY: a wildcard TCP socket beside an IPv4 one of the
 * same port must have it, all others are taken for dual. -1 when the file cannot be read. */
int listeners_from_proc(struct listeners *l, const struct sock_table *table);

/* Fill in the pids by walking /proc. */
void listeners_find_owners(struct listeners *l);

#endif
