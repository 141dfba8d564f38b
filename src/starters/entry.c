#include "batten/entry.h"

#include <stdio.h>
#include <stdlib.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/starter.h"

struct entry *entries_new(struct entries *list)
{
    struct entry *e = mem_alloc(sizeof(*e));

    list->v = mem_grow(list->v, list->n, &list->cap, sizeof(struct entry *));
    list->v[list->n++] = e;
    e->argv = mem_alloc(sizeof(char *));
    return e;
}

static void entry_free(struct entry *e)
{
    if (e->starter != NULL && e->starter->free_detail != NULL)
        e->starter->free_detail(e);
    for (size_t i = 0; i < e->nsockets; i++)
        free(e->sockets[i].address);
    for (size_t i = 0; e->argv[i] != NULL; i++)
        free(e->argv[i]);
    free(e->sockets);
    free(e->argv);
    free(e->name);
    free(e->address);
    free(e->proto);
    free(e->user);
    free(e->program);
    free(e->rpc);
    free(e->locked);
    free(e);
}

void entries_release(struct entries *list)
{
    for (size_t i = 0; i < list->n; i++)
        entry_free(list->v[i]);
    free(list->v);
    *list = (struct entries){0};
}

char *entry_ident(const struct entry *e)
{
    enum { IDENT_MAX = 200 };
    struct buf words = BUF_INIT;
    char *ident;

    if (e->proto != NULL)
        buf_printf(&words, "%s/%s", e->proto, e->address != NULL ? e->address : "*");
    for (size_t i = 0; e->proto == NULL && e->argv[i] != NULL && words.len <= IDENT_MAX; i++)
        buf_printf(&words, "%s%s", i ? " " : "", e->argv[i]);
    ident = mem_strndup(buf_str(&words), words.len < IDENT_MAX ? words.len : IDENT_MAX);
    buf_release(&words);
    return ident;
}

void entry_add_socket(struct entry *e, enum family family, const char *proto, const char *address,
                      int port)
{
    struct socket_spec *sockets = mem_array(e->nsockets + 1, sizeof(*sockets));

    for (size_t i = 0; i < e->nsockets; i++)
        sockets[i] = e->sockets[i];
    free(e->sockets);
    e->sockets = sockets;
    sockets += e->nsockets++;
    sockets->family = family;
    snprintf(sockets->proto, sizeof(sockets->proto), "%s", proto);
    sockets->address = mem_strdup(address);
    sockets->port = port;
}

const char *family_name(enum family family)
{
    switch (family) {
    case FAMILY_IPV4:
        return "ipv4";
    case FAMILY_IPV6:
        return "ipv6";
    case FAMILY_IPV46:
        return "ipv46";
    case FAMILY_UNIX:
        return "unix";
    }
    return "unknown";
}
