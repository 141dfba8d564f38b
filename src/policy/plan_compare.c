#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/openings.h"
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

static void add_all(struct plan_sockets *to, const struct parse *p, const struct openings *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct entry *e = from->v[i].entry;

        plan_socket_add(to, service_name(p, e), e->source->path, e->line, from->v[i].spec, true);
    }
}

static void compare_sockets(struct pair *p)
{
    struct openings old = {0}, new = {0}, goes = {0}, comes = {0}, stays = {0};

    openings_add(&old, p->before);
    openings_add(&new, &p->after);
    openings_minus(&goes, &old, &new);
    openings_minus(&comes, &new, &old);
    openings_minus(&stays, &old, &goes);
    add_all(&p->plan->closes, p->before, &goes);
    add_all(&p->plan->opens, &p->after, &comes);
    add_all(&p->plan->stays, p->before, &stays);
    openings_release(&old);
    openings_release(&new);
    openings_release(&goes);
    openings_release(&comes);
    openings_release(&stays);
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

/* What tells one back door from another; its line may change. */
struct backdoor {
    char *key;
    const struct entry *e;
};

static int by_key(const void *a, const void *b)
{
    const struct backdoor *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order != 0 ? order : (x->e->line > y->e->line) - (x->e->line < y->e->line);
}

/* The back doors that P has on, sorted. Caller releases. */
static struct backdoor *find_backdoors(const struct parse *p, size_t *n)
{
    struct backdoor *v = mem_array(p->entries.n + 1, sizeof(*v));

    *n = 0;
    for (size_t i = 0; i < p->entries.n; i++) {
        const struct entry *e = p->entries.v[i];
        char *ident;

        if (!e->enabled || !match_backdoor(e))
            continue;
        ident = entry_ident(e);
        v[*n].key = mem_printf("%s %s %s", e->source->path, e->name, ident);
        v[(*n)++].e = e;
        free(ident);
    }
    if (*n > 1)
        qsort(v, *n, sizeof(*v), by_key);
    return v;
}

static void release_backdoors(struct backdoor *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(v[i].key);
    free(v);
}

/* The PLACES of the back doors that are on after and were not before. */
static void compare_backdoors(const struct pair *p, struct strlist *places)
{
    size_t nold, nnew, k = 0;
    struct backdoor *old = find_backdoors(p->before, &nold);
    struct backdoor *new = find_backdoors(&p->after, &nnew);

    for (size_t i = 0; i < nnew; i++) {
        while (k < nold && strcmp(old[k].key, new[i].key) < 0)
            k++;
        if (k < nold && strcmp(old[k].key, new[i].key) == 0)
            k++;
        else
            strlist_addf(places, "%s:%u", new[i].e->source->path, new[i].e->line);
    }
    release_backdoors(old, nold);
    release_backdoors(new, nnew);
}

int plan_compare(struct plan *plan, const struct parse *parses, size_t nparses, struct diag *d)
{
    struct strlist backdoors = {0};

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
        if (differs && plan->kind == PLAN_ROLLBACK)
            compare_backdoors(&p, &backdoors);
        parse_release(&p.after);
        free(p.sources);
    }
    plan->backdoor = backdoors.n > 0;
    if (plan->kind == PLAN_ROLLBACK)
        work_back_consequences(plan, &backdoors);
    strlist_release(&backdoors);
    return 0;
}
