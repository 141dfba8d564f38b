/*
 * rpcbind.h - what is registered with the port mapper of this host
 *
 * Asked over the loopback in the port mapper's own words (RFC 1833, version 2), within a second.
 * A registration is no proof that anybody listens; a missing one is proof that no client finds the
 * service.
 *
 *     struct rpc_mapping *v;
 *     size_t n;
 *     if (rpcbind_dump(&v, &n) == 0) ...
 *     free(v);
 */
#ifndef BATTEN_RPCBIND_H
#define BATTEN_RPCBIND_H

#include <stdbool.h>
#include <stddef.h>

struct rpc_mapping {
    unsigned long program, version;
    char proto[4]; /* "tcp", "udp", or "" for another */
    int port;
};

/* All registrations, the port mapper's own among them. Caller frees *OUT. -1 when no port mapper
 * answers, or not in time, or with a list that is too long or not whole. */
int rpcbind_dump(struct rpc_mapping **out, size_t *n);

bool rpcbind_has(const struct rpc_mapping *v, size_t n, const struct rpc_mapping *one);

/* For tests: read the body of a dump's reply, LEN bytes behind the record mark. */
int rpcbind_parse(const unsigned char *reply, size_t len, struct rpc_mapping **out, size_t *n);

#endif
