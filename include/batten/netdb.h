/*
 * netdb.h - the names a root knows: services, protocols, rpc, passwd, group, hosts
 *
 * Pure: parses bytes that the caller read from the root's own files; the host's own databases are
 * never asked. A name absent here is unknown to the daemons of that root. Where several lines have
 * the same name the first counts, as in the C library. Case matters everywhere but in host names.
 *
 *     struct netdb *db = netdb_new();
 *     netdb_add(db, NETDB_SERVICES, bytes, len);
 *     int port = netdb_port(db, "telnet", "tcp");     // 23, or -1
 *     netdb_free(db);
 */
#ifndef BATTEN_NETDB_H
#define BATTEN_NETDB_H

#include <stdbool.h>
#include <stddef.h>

struct netdb;

enum netdb_file {
    NETDB_SERVICES,
    NETDB_PROTOCOLS,
    NETDB_RPC,
    NETDB_PASSWD,
    NETDB_GROUP,
    NETDB_HOSTS,
    NETDB_FILES /* how many there are */
};

struct netdb *netdb_new(void);
void netdb_free(struct netdb *db); /* NULL is fine */

/* Where a root keeps FILE, relative to it: "etc/services". Constant. */
const char *netdb_path(enum netdb_file file);

/* Take in the bytes of one file (services(5), protocols(5), rpc(5), passwd(5), group(5), hosts(5)).
 * Lines that do not parse are skipped, as the C library does. May be called more than once per
 * file. */
void netdb_add(struct netdb *db, enum netdb_file file, const char *bytes, size_t len);

/* Whether any bytes of FILE were taken in; without them nothing is known of its names. */
bool netdb_has(const struct netdb *db, enum netdb_file file);

int netdb_port(const struct netdb *db, const char *service, const char *proto); /* -1: unknown */
const char *netdb_service(const struct netdb *db, int port, const char *proto); /* NULL: unknown */
int netdb_protocol(const struct netdb *db, const char *name);                   /* -1: unknown */
long netdb_rpc(const struct netdb *db, const char *name); /* program number, -1: unknown */
bool netdb_user(const struct netdb *db, const char *name);
long netdb_uid(const struct netdb *db, const char *name); /* -1: unknown */
bool netdb_group(const struct netdb *db, const char *name);

/* The first numeric address of HOST in the root's hosts file, IPv6 if V6, as text; NULL when there
 * is none. "localhost" is known even without that file. Borrowed from DB. */
const char *netdb_host(const struct netdb *db, const char *host, bool v6);

#endif
