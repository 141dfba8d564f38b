#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "work.h"

/* One starter's files before and after. */
struct pair {
    struct plan *plan;
    const struct parse *before;
    struct parse after;
    struct source *sources; /* of AFTER */
};

static const struct plan_file *new_bytes(const struct plan *plan, const struct source *source)
{
    for (size_t i = 0; i < plan->nfiles; i++)
        if (strcmp(plan->files[i].source->path, source->path) == 0)
            return &plan->files[i];
    return NULL;
}

/* Read the files again with the plan's bytes; whether any of them differ. */
static bool read_again(struct pair *p)
{
    size_t n;
    const struct source **old = work_sources(p->before, &n);
    bool differs = false;

    p->after = (struct parse){.dialect = p->before->dialect,
                              .db = p->before->db,
                              .is_daemon = p->before->is_daemon,
                              .starter = p->before->starter};
    p->sources = mem_array(n, sizeof(*p->sources));
    for (size_t i = 0; i < n; i++) {
        const struct plan_file *file = new_bytes(p->plan, old[i]);

        p->sources[i] = *old[i];
        if (file != NULL) {
            p->sources[i].bytes = file->after.data;
            p->sources[i].len = file->after.len;
            differs = true;
        }
        p->before->starter->parse(&p->after, &p->sources[i]);
    }
    p->before->starter->finish(&p->after);
    free(old);
    return differs;
}

static const char *service_name(const struct parse *p, const struct entry *e)
{
    const struct service *s = match_entry(e, p->db);

    return s != NULL ? s->name : e->name;
}

/* A key that tells sockets apart as the kernel would show them. */
struct opened {
    char *key;
    const struct entry *entry;
    const struct socket_spec *spec;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct opened *)a)->key, ((const struct opened *)b)->key);
}

static struct opened *opened(const struct parse *p, size_t *n)
{
    struct opened *list = NULL;
    size_t cap = 0;

    *n = 0;
    for (size_t i = 0; i < p->entries.n; i++) {
        const struct entry *e = p->entries.v[i];

        for (size_t k = 0; e->enabled && k < e->nsockets; k++) {
            const struct socket_spec *s = &e->sockets[k];

            list = mem_grow(list, *n, &cap, sizeof(*list));
            list[(*n)++] =
                (struct opened){mem_printf("%s %s %s %d %s", family_name(s->family), s->proto,
                                           s->address, s->port, s->port > 0 ? "" : e->name),
                                e, s};
        }
    }
    if (*n > 1)
        qsort(list, *n, sizeof(*list), by_key);
    return list;
}

static void opened_free(struct opened *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i].key);
    free(list);
}

static void add(struct plan_sockets *to, const struct parse *p, const struct opened *o)
{
    plan_socket_add(to, service_name(p, o->entry), o->entry->source->path, o->entry->line, o->spec,
                    true);
}

/* Both lists are sorted: one walk tells what goes, what comes and what stays. */
static void compare_sockets(struct pair *p)
{
    size_t nold, nnew, i = 0, k = 0;
    struct opened *old = opened(p->before, &nold), *new = opened(&p->after, &nnew);

    while (i < nold || k < nnew) {
        int order = i == nold ? 1 : k == nnew ? -1 : strcmp(old[i].key, new[k].key);

        if (order < 0)
            add(&p->plan->closes, p->before, &old[i++]);
        else if (order > 0)
            add(&p->plan->opens, &p->after, &new[k++]);
        else
            add(&p->plan->stays, p->before, &old[i++]), k++;
    }
    opened_free(old, nold);
    opened_free(new, nnew);
}

static bool starts(const struct parse *p, const struct entry *e)
{
    for (size_t i = 0; i < p->entries.n; i++) {
        const struct entry *other = p->entries.v[i];

        if (other->enabled && strcmp(other->name, e->name) == 0 &&
            strcmp(other->source->path, e->source->path) == 0)
            return true;
    }
    return false;
}

/* Daemons that FROM starts and TO does not. */
static void compare_daemons(struct plan *plan, const struct parse *from, const struct parse *to,
                            bool stop)
{
    struct plan_sockets *sockets = stop ? &plan->closes : &plan->opens;

    for (size_t i = 0; i < from->entries.n; i++) {
        const struct entry *e = from->entries.v[i];

        if (!e->enabled || starts(to, e) || !work_add_daemon(plan, e, service_name(from, e)))
            continue;
        plan->daemons[plan->ndaemons - 1].start = !stop;
        if (stop)
            work_daemon_sockets(sockets, match_entry(e, from->db), e);
    }
}

int plan_compare(struct plan *plan, const struct parse *parses, size_t nparses, struct diag *d)
{
    (void)d;
    for (size_t i = 0; i < nparses; i++) {
        struct pair p = {.plan = plan, .before = &parses[i]};
        bool differs = read_again(&p);

        if (strcmp(parses[i].starter->name, "inetd") == 0) {
            plan->reload = plan->reload || differs;
            compare_sockets(&p);
        } else if (differs) {
            compare_daemons(plan, &parses[i], &p.after, true);
            compare_daemons(plan, &p.after, &parses[i], false);
        }
        parse_release(&p.after);
        free(p.sources);
    }
    return 0;
}
