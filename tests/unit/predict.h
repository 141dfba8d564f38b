/*
 * predict.h - for tests: a root read from a directory, and what it is predicted to open, as text
 *
 * Sockets are written as "tcp4:*:23", "tcp6:[::1]:23" (IPv6 only), "udp46:*:69" (both families),
 * "tcp4:*:dyn" (bind chooses), "unix:stream:/run/x".
 */
#ifndef TESTS_PREDICT_H
#define TESTS_PREDICT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/buf.h"
#include "batten/dialect.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/starter.h"
#include "batten/text.h"

/* The bytes of PATH; false when it cannot be read. */
static inline bool read_bytes(const char *path, struct buf *out)
{
    char block[65536];
    size_t n;
    FILE *f = fopen(path, "r");

    if (f == NULL)
        return false;
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_add(out, block, n);
    n = (size_t)ferror(f);
    fclose(f);
    return n == 0;
}

/* The names of the root at DIR. The caller frees. */
static inline struct netdb *netdb_of(const char *dir)
{
    struct netdb *db = netdb_new();

    for (enum netdb_file file = 0; file < NETDB_FILES; file++) {
        char *path = mem_printf("%s/%s", dir, netdb_path(file));
        struct buf bytes = BUF_INIT;

        if (read_bytes(path, &bytes))
            netdb_add(db, file, buf_str(&bytes), bytes.len);
        buf_release(&bytes);
        free(path);
    }
    return db;
}

static inline const struct starter *inetd_starter(void)
{
    size_t n;
    const struct starter *const *all = starters(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->name, "inetd") == 0)
            return all[i];
    return NULL;
}

/* PARSE gets what DIALECT's daemon makes of the sources, N of them. */
static inline void predict_sources(struct parse *parse, const char *dialect, const struct netdb *db,
                                   const struct source *sources, size_t n)
{
    const struct starter *inetd = inetd_starter();

    *parse = (struct parse){.dialect = dialect_find(dialect), .db = db, .starter = inetd};
    for (size_t i = 0; i < n; i++)
        inetd->parse(parse, &sources[i]);
    inetd->finish(parse);
}

/* Append the edits that switch off E, and all that share its group. Returns 0, or -1 with D set. */
static inline int disable_group(const struct parse *parse, const struct entry *e,
                                struct edits *edits, struct diag *d)
{
    for (size_t i = 0; i < parse->entries.n; i++) {
        const struct entry *other = parse->entries.v[i];

        if (!other->enabled || (other != e && (e->group == 0 || other->group != e->group)))
            continue;
        if (parse->starter->disable(parse, other, edits, d) != 0)
            return -1;
    }
    return 0;
}

static inline void add_socket_text(struct strlist *out, const struct socket_spec *s)
{
    const char *number = s->family == FAMILY_IPV4 ? "4" : s->family == FAMILY_IPV6 ? "6" : "46";
    bool colons = strchr(s->address, ':') != NULL;

    if (s->family == FAMILY_UNIX)
        strlist_addf(out, "unix:%s:%s", s->proto, s->address);
    else if (s->port < 0)
        strlist_addf(out, "%s%s:%s%s%s:dyn", s->proto, number, colons ? "[" : "", s->address,
                     colons ? "]" : "");
    else
        strlist_addf(out, "%s%s:%s%s%s:%d", s->proto, number, colons ? "[" : "", s->address,
                     colons ? "]" : "", s->port);
}

static inline void add_entry_sockets(struct strlist *out, const struct entry *e)
{
    for (size_t i = 0; i < e->nsockets; i++)
        add_socket_text(out, &e->sockets[i]);
}

/* All sockets, sorted. */
static inline void sockets_of(struct strlist *out, const struct parse *parse)
{
    for (size_t i = 0; i < parse->entries.n; i++)
        add_entry_sockets(out, parse->entries.v[i]);
    strlist_sort(out);
}

#endif
