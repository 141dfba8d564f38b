#include "batten/match.h"

#include <stdlib.h>
#include <string.h>

#include "batten/entry.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/source.h"
#include "batten/starter.h"
#include "batten/text.h"
#include "command.h"

/* ---- by program ---- */

struct by_program {
    const struct service *row;
    char *program; /* the basename that matched */
};

/* rc scripts start daemons through other scripts: rc.inetd, init.d/portmap. */
static const struct service *row_of_script(const char *path)
{
    const char *name = text_basename(path);
    const struct service *row;

    if (!text_starts(name, "rc.") && strstr(path, "init.d/") == NULL &&
        strstr(path, "rc.d/") == NULL)
        return NULL;
    if (text_starts(name, "rc."))
        name += 3;
    row = catalogue_program(name);
    return row != NULL ? row : catalogue_find(name);
}

static bool visit_program(void *ctx, const char *const *words, size_t n)
{
    struct by_program *by = ctx;
    const char *name = text_basename(words[0]);

    (void)n;
    by->row = catalogue_program(name);
    if (by->row == NULL)
        by->row = row_of_script(words[0]);
    if (by->row == NULL)
        return false;
    by->program = mem_strdup(name);
    return true;
}

/* ---- by name and port ---- */

/* "tcp6", "udp46" and "tcp6only" are kinds of "tcp" and "udp"; NULL for rpc and unix. */
static const char *base_proto(const char *proto)
{
    if (proto == NULL || strncasecmp(proto, "tcp", 3) == 0)
        return "tcp";
    return strncasecmp(proto, "udp", 3) == 0 ? "udp" : NULL;
}

static const struct service *row_of_name(const char *written)
{
    const struct service *row;
    const char *slash;
    char *name;

    if (written == NULL || written[0] == '/')
        return NULL;
    if (text_starts(written, "tcpmux/"))
        written += strlen("tcpmux/");
    if (*written == '+')
        written++;
    slash = strchr(written, '/'); /* rstatd/1-3 */
    name = mem_strndup(written, slash != NULL ? (size_t)(slash - written) : strlen(written));
    row = catalogue_find(name);
    free(name);
    return row;
}

static const struct service *row_of_port(const struct entry *e, const struct netdb *db)
{
    const char *proto = base_proto(e->proto);
    const struct service *row = NULL;
    long long number;

    if (proto != NULL && e->name != NULL) {
        if (text_number(e->name, 1, 65535, &number) == 0)
            row = catalogue_port((int)number, proto);
        else if (db != NULL)
            row = catalogue_port(netdb_port(db, e->name, proto), proto);
    }
    for (size_t i = 0; i < e->nsockets && row == NULL; i++)
        row = catalogue_port(e->sockets[i].port, e->sockets[i].proto);
    return row;
}

static const struct service *row_of_rpc(const char *rpc)
{
    const struct service *row;
    char *name;

    if (rpc == NULL)
        return NULL;
    name = mem_strndup(rpc, strcspn(rpc, "/"));
    row = catalogue_rpc(name);
    free(name);
    return row;
}

const struct service *match_entry(const struct entry *e, const struct netdb *db)
{
    bool inetd_like = e->proto != NULL;
    const struct service *by_name = inetd_like ? row_of_name(e->name) : NULL;
    const struct service *by_port = NULL;
    struct by_program by = {NULL, NULL};
    const struct service *row;

    command_walk(e, visit_program, &by);
    row = by.row;
    if (row == NULL || by_name == NULL)
        by_port = row_of_port(e, db);
    if (row == NULL)
        row = by_name;
    else if (by_name != NULL && catalogue_runs(by_name, by.program))
        row = by_name; /* imapd on the line of imaps is imaps */
    else if (by_port != NULL && catalogue_runs(by_port, by.program))
        row = by_port;
    if (row == NULL)
        row = row_of_rpc(e->rpc);
    if (row == NULL)
        row = by_port;
    if (row == NULL && e->program != NULL && e->argv[0] != NULL)
        row = catalogue_program(text_basename(e->argv[0]));
    if (row == NULL && !inetd_like)
        row = catalogue_program(e->name);
    free(by.program);
    return row;
}

/* ---- findings ---- */

static void finding_make(struct finding *f, const struct entry *e, const struct profile *profile,
                         const struct netdb *db)
{
    f->entry = e;
    f->service = match_entry(e, db);
    f->backdoor = match_backdoor(e);
    f->severity = f->backdoor          ? SEVERITY_BACKDOOR
                  : f->service != NULL ? f->service->severity
                                       : SEVERITY_LOW;
    f->verdict = VERDICT_KEEP;
    if (profile != NULL)
        f->verdict = profile_verdict(profile, e, f->service, &f->rule);
}

void findings_make(struct findings *out, const struct entries *entries,
                   const struct profile *profile, const struct netdb *db)
{
    for (size_t i = 0; i < entries->n; i++) {
        out->v = mem_grow(out->v, out->n, &out->cap, sizeof(*out->v));
        out->v[out->n] = (struct finding){0};
        finding_make(&out->v[out->n++], entries->v[i], profile, db);
    }
}

static int compare(const void *a, const void *b)
{
    const struct finding *f = a, *g = b;
    int order;

    if (f->severity != g->severity)
        return f->severity > g->severity ? -1 : 1;
    if (f->entry->enabled != g->entry->enabled)
        return f->entry->enabled ? -1 : 1;
    order = strcmp(f->entry->source->path, g->entry->source->path);
    if (order != 0)
        return order;
    if (f->entry->line != g->entry->line)
        return f->entry->line < g->entry->line ? -1 : 1;
    return (f->entry->column > g->entry->column) - (f->entry->column < g->entry->column);
}

void findings_sort(struct findings *f)
{
    if (f->n > 1)
        qsort(f->v, f->n, sizeof(*f->v), compare);
}

void findings_release(struct findings *f)
{
    free(f->v);
    *f = (struct findings){0};
}
