/* What a rollback means for the people of this host, in sentences. */
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "work.h"

/* More sentences than this nobody reads: the rest is counted. */
enum { SENTENCES_MAX = 40 };

static void add_port(struct buf *out, const struct socket_spec *s)
{
    struct buf safe = BUF_INIT;

    text_utf8(&safe, s->address, strlen(s->address));
    if (s->family == FAMILY_UNIX)
        buf_adds(out, buf_str(&safe));
    else if (s->port <= 0)
        buf_printf(out, "rpc/%s", s->proto);
    else if (strcmp(s->address, "*") == 0)
        buf_printf(out, "%d/%s", s->port, s->proto);
    else
        buf_printf(out, "%s:%d/%s", buf_str(&safe), s->port, s->proto);
    buf_release(&safe);
}

static bool same_place(const struct plan_socket *a, const struct plan_socket *b)
{
    return a->line == b->line && strcmp(a->service, b->service) == 0 &&
           strcmp(a->path, b->path) == 0;
}

static int by_place(const void *a, const void *b)
{
    const struct plan_socket *x = *(const struct plan_socket *const *)a;
    const struct plan_socket *y = *(const struct plan_socket *const *)b;
    int order = strcmp(x->path, y->path);

    if (order == 0)
        order = (x->line > y->line) - (x->line < y->line);
    if (order == 0)
        order = strcmp(x->service, y->service);
    return order != 0 ? order : (x > y) - (x < y);
}

/* "telnet (23/tcp) HAPPENS": one entry's sockets, N of them. */
static void add_entry(struct strlist *out, const struct plan_socket *const *v, size_t n,
                      const char *happens)
{
    struct strlist seen = {0};
    struct buf b = BUF_INIT, port = BUF_INIT;

    text_utf8(&b, v[0]->service, strlen(v[0]->service));
    for (size_t i = 0; i < n; i++) {
        buf_clear(&port);
        add_port(&port, &v[i]->spec);
        if (strlist_has(&seen, buf_str(&port)))
            continue;
        buf_printf(&b, "%s%s", seen.n > 0 ? ", " : " (", buf_str(&port));
        strlist_add(&seen, buf_str(&port));
    }
    buf_printf(&b, ") %s", happens);
    strlist_add(out, buf_str(&b));
    strlist_release(&seen);
    buf_release(&port);
    buf_release(&b);
}

static void add_entries(struct strlist *out, const struct plan_sockets *list, const char *happens)
{
    const struct plan_socket **v = mem_array(list->n + 1, sizeof(*v));
    size_t n = 0, to;

    for (size_t i = 0; i < list->n; i++)
        if (list->v[i].inetd)
            v[n++] = &list->v[i];
    if (n > 1)
        qsort(v, n, sizeof(*v), by_place);
    for (size_t i = 0; i < n; i = to) {
        for (to = i + 1; to < n && same_place(v[i], v[to]);)
            to++;
        add_entry(out, v + i, to - i, happens);
    }
    free(v);
}

static void add_daemons(struct strlist *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->ndaemons; i++) {
        const struct plan_daemon *daemon = &plan->daemons[i];
        struct buf b = BUF_INIT;

        text_utf8(&b, daemon->service, strlen(daemon->service));
        buf_adds(&b, daemon->start
                         ? " is started at boot again, and now where this host runs ("
                         : " is not started at boot any more, and stopped where it runs (");
        text_utf8(&b, daemon->program, strlen(daemon->program));
        buf_addc(&b, ')');
        strlist_add(out, buf_str(&b));
        buf_release(&b);
    }
}

static void add_backdoors(struct strlist *out, const struct strlist *places)
{
    for (size_t i = 0; i < places->n; i++)
        strlist_addf(out,
                     "%s is a back door, which opens again: this host may have been taken over; "
                     "rebuild it and beware of its backups",
                     places->v[i]);
}

void work_back_consequences(struct plan *plan, const struct strlist *places)
{
    struct strlist all = {0};

    add_backdoors(&all, places);
    add_entries(&all, &plan->opens, "opens again");
    add_entries(&all, &plan->closes, "is closed again; running sessions stay open");
    add_daemons(&all, plan);
    for (size_t i = 0; i < all.n && i < SENTENCES_MAX; i++)
        strlist_add(&plan->consequences, all.v[i]);
    if (all.n > SENTENCES_MAX)
        strlist_addf(&plan->consequences, "and so on for %zu more", all.n - SENTENCES_MAX);
    strlist_release(&all);
}
