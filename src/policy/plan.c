#include "batten/plan.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "work.h"

/* ---- the struct ---- */

void plan_add_skip(struct plan *plan, const struct finding *f, const char *path, unsigned line,
                   const char *code, const char *fmt, ...)
{
    struct buf reason = BUF_INIT;
    struct plan_skip *s;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&reason, fmt, ap);
    va_end(ap);
    plan->skips = mem_grow(plan->skips, plan->nskips, &plan->capskips, sizeof(*plan->skips));
    s = &plan->skips[plan->nskips++];
    *s = (struct plan_skip){f, mem_strdup(path), line, code, buf_steal(&reason)};
}

void plan_socket_add(struct plan_sockets *list, const char *service, const char *path,
                     unsigned line, const struct socket_spec *spec, bool inetd)
{
    struct plan_socket *s;

    list->v = mem_grow(list->v, list->n, &list->cap, sizeof(*list->v));
    s = &list->v[list->n++];
    *s = (struct plan_socket){mem_strdup(service), mem_strdup(path), line, *spec, inetd};
    s->spec.address = mem_strdup(spec->address);
}

void plan_sockets_release(struct plan_sockets *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->v[i].service);
        free(list->v[i].path);
        free(list->v[i].spec.address);
    }
    free(list->v);
    *list = (struct plan_sockets){0};
}

void plan_release(struct plan *plan)
{
    free(plan->profile);
    free(plan->reason);
    edits_release(&plan->edits);
    for (size_t i = 0; i < plan->nfiles; i++)
        buf_release(&plan->files[i].after);
    free(plan->files);
    plan_sockets_release(&plan->closes);
    plan_sockets_release(&plan->opens);
    plan_sockets_release(&plan->stays);
    for (size_t i = 0; i < plan->ndaemons; i++) {
        free(plan->daemons[i].service);
        free(plan->daemons[i].program);
        strlist_release(&plan->daemons[i].argv);
        free(plan->daemons[i].path);
    }
    free(plan->daemons);
    for (size_t i = 0; i < plan->nskips; i++) {
        free(plan->skips[i].path);
        free(plan->skips[i].reason);
    }
    free(plan->skips);
    strlist_release(&plan->consequences);
    *plan = (struct plan){0};
}

/* ---- edits ---- */

static void edit_free(struct edit *e)
{
    free(e->before);
    free(e->after);
    free(e->service);
    free(e->name);
    free(e->ident);
}

/* Take out the edits of what was dropped. */
static void drop_edits(struct work *w)
{
    struct edits *list = &w->plan->edits;
    size_t to = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (work_live(w, list->v[i].entry))
            list->v[to++] = list->v[i];
        else
            edit_free(&list->v[i]);
    }
    list->n = to;
}

static void make_edits(struct work *w)
{
    struct edits *list = &w->plan->edits;

    for (size_t i = 0; i < w->n; i++) {
        const struct item *it = &w->items[i];
        struct diag d = DIAG_INIT;
        size_t before = list->n;

        if (w->units[it->unit].dropped)
            continue;
        if (it->parse->starter->disable(it->parse, it->e, list, &d) != 0)
            work_drop(w, it, "locked", d.message != NULL ? d.message : "it cannot be edited");
        for (size_t k = before; k < list->n; k++) {
            list->v[k].service = mem_strdup(work_service(it->f));
            list->v[k].name = mem_strdup(it->e->name);
            list->v[k].ident = entry_ident(it->e);
        }
        diag_release(&d);
    }
    drop_edits(w);
}

static int by_place(const void *a, const void *b)
{
    const struct edit *x = *(const struct edit *const *)a, *y = *(const struct edit *const *)b;

    if (x->source != y->source)
        return strcmp(x->source->path, y->source->path) < 0 ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return (x > y) - (x < y);
}

/* Two entries on one line: the first is edited now, the second by the next run. */
static void drop_overlaps(struct work *w)
{
    struct edits *list = &w->plan->edits;
    const struct edit **sorted = mem_array(list->n + 1, sizeof(*sorted));
    const struct edit *last = NULL;
    const struct item *item;

    for (size_t i = 0; i < list->n; i++)
        sorted[i] = &list->v[i];
    qsort(sorted, list->n, sizeof(*sorted), by_place);
    for (size_t i = 0; i < list->n; i++) {
        const struct edit *e = sorted[i];

        if (last == NULL || last->source != e->source || e->start >= last->end) {
            last = e;
            continue;
        }
        item = work_item(w, e->entry);
        if (item != NULL && e->entry != last->entry)
            work_drop(w, item, "locked",
                      "its line is changed for another entry already; run batten again");
        if (e->end > last->end)
            last = e;
    }
    free(sorted);
    drop_edits(w);
}

/* ---- files, and the proof of each ---- */

static bool has_edits(const struct plan *plan, const struct source *source)
{
    for (size_t i = 0; i < plan->edits.n; i++) {
        if (plan->edits.v[i].source == source)
            return true;
    }
    return false;
}

static int prove(struct work *w, const struct parse *p, const struct plan_file *file,
                 struct diag *d)
{
    const struct entry **gone = mem_array(w->n + 1, sizeof(*gone));
    struct source after = *file->source;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < w->n; i++) {
        if (w->items[i].e->source == file->source && !w->units[w->items[i].unit].dropped)
            gone[n++] = w->items[i].e;
    }
    after.bytes = file->after.data;
    after.len = file->after.len;
    rc = starter_prove(p, file->source, &w->plan->edits, &after, gone, n, d);
    free(gone);
    return rc;
}

static int make_files(struct work *w, const struct parse *p, struct diag *d)
{
    struct plan *plan = w->plan;
    size_t n;
    const struct source **sources = work_sources(p, &n);
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        struct plan_file *file;

        if (!has_edits(plan, sources[i]))
            continue;
        plan->files = mem_grow(plan->files, plan->nfiles, &plan->capfiles, sizeof(*plan->files));
        file = &plan->files[plan->nfiles++];
        *file = (struct plan_file){.source = sources[i]};
        rc = edits_apply(sources[i], &plan->edits, &file->after, d);
        if (rc == 0)
            rc = prove(w, p, file, d);
        if (strcmp(p->starter->name, "inetd") == 0)
            plan->reload = true;
    }
    free(sources);
    return rc;
}

/* ---- sockets and daemons ---- */

/* What a daemon of its own may hold: the ports of its row, at any address. */
void work_daemon_sockets(struct plan_sockets *list, const struct service *service,
                         const struct entry *e)
{
    static const enum family families[] = {FAMILY_IPV4, FAMILY_IPV6};
    char any[] = "*";

    if (service == NULL)
        return;
    for (const struct service_port *p = service->ports; p->port != 0; p++) {
        for (size_t k = 0; k < ARRAY_LEN(families); k++) {
            struct socket_spec spec = {families[k], "", any, p->port};

            memcpy(spec.proto, p->proto, strlen(p->proto) + 1);
            plan_socket_add(list, service->name, e->source->path, e->line, &spec, false);
        }
    }
}

/* The start command, where it can be given to exec as it stands. */
static void plain_argv(struct strlist *out, const struct entry *e)
{
    bool plain = (e->flags & ENTRY_LOOSE) == 0;

    for (size_t i = 0; e->argv[i] != NULL && plain; i++)
        plain = strpbrk(e->argv[i], "$`*?[]{}()<>|&;~\\\"'") == NULL;
    for (size_t i = 0; e->argv[i] != NULL && plain; i++)
        strlist_add(out, e->argv[i]);
}

bool work_add_daemon(struct plan *plan, const struct entry *e, const char *service)
{
    const char *program = e->program != NULL ? e->program : e->name;
    struct plan_daemon *daemon;

    for (size_t i = 0; i < plan->ndaemons; i++) {
        if (strcmp(plan->daemons[i].program, program) == 0)
            return false;
    }
    plan->daemons =
        mem_grow(plan->daemons, plan->ndaemons, &plan->capdaemons, sizeof(*plan->daemons));
    daemon = &plan->daemons[plan->ndaemons++];
    *daemon = (struct plan_daemon){.service = mem_strdup(service),
                                   .program = mem_strdup(program),
                                   .path = mem_strdup(e->source->path),
                                   .line = e->line};
    plain_argv(&daemon->argv, e);
    return true;
}

static void add_sockets(struct plan *plan, const struct finding *f, bool closes)
{
    const struct entry *e = f->entry;

    for (size_t i = 0; i < e->nsockets; i++)
        plan_socket_add(closes ? &plan->closes : &plan->stays, work_service(f), e->source->path,
                        e->line, &e->sockets[i], true);
}

static void make_sockets(struct work *w)
{
    for (size_t i = 0; i < w->findings->n; i++) {
        const struct finding *f = &w->findings->v[i];
        bool live = work_live(w, f->entry);

        if (!f->entry->enabled)
            continue;
        if (live && strcmp(f->entry->starter->name, "rcscript") == 0) {
            if (work_add_daemon(w->plan, f->entry, work_service(f)))
                work_daemon_sockets(&w->plan->closes, f->service, f->entry);
        } else
            add_sockets(w->plan, f, live);
    }
}

/* ---- the plan ---- */

static int check_all(const struct plan *plan, unsigned flags, struct diag *d)
{
    if ((flags & PLAN_ALL_OR_NOTHING) == 0)
        return 0;
    for (size_t i = 0; i < plan->nskips; i++) {
        const struct plan_skip *s = &plan->skips[i];

        if (strcmp(s->code, "ask") == 0)
            continue;
        diag_set(d, STATUS_REFUSED, "all-or-nothing", "not everything can be closed: %s",
                 s->reason);
        diag_at(d, s->path, s->line, 0);
        diag_hint(d, "leave out --all-or-nothing, or keep it in the profile");
        return -1;
    }
    return 0;
}

int plan_make(struct plan *plan, const struct parse *parses, size_t nparses,
              const struct findings *findings, unsigned flags, struct diag *d)
{
    struct work w = {.plan = plan,
                     .parses = parses,
                     .nparses = nparses,
                     .findings = findings,
                     .dovecot = (flags & PLAN_DOVECOT) != 0};
    int rc = -1;

    if (nparses > 0)
        plan->dialect = parses[0].dialect;
    work_collect(&w);
    work_check_groups(&w);
    make_edits(&w);
    drop_overlaps(&w);
    work_check_sockets(&w);
    drop_edits(&w);
    if (check_all(plan, flags, d) != 0)
        goto out;
    for (size_t i = 0; i < nparses; i++) {
        if (make_files(&w, &parses[i], d) != 0)
            goto out;
    }
    make_sockets(&w);
    work_consequences(&w);
    rc = 0;
out:
    work_release(&w);
    return rc;
}
