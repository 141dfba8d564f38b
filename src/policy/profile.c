#include "batten/profile.h"

#include <stdlib.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "batten/starter.h"
#include "command.h"
#include "rules.h"

struct builtin {
    const char *file;
    const char *text;
};

static const struct builtin builtins[] = {
#include "profiles.inc"
};

const char *profile_builtin(const char *name, size_t *len)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
        if (strncmp(builtins[i].file, name, n) == 0 &&
            strcmp(builtins[i].file + n, ".profile") == 0) {
            *len = strlen(builtins[i].text);
            return builtins[i].text;
        }
    }
    return NULL;
}

const char *const *profile_builtin_names(size_t *n)
{
    static const char *const names[] = {"jpcert-98-0004", "report", "strict"};

    *n = ARRAY_LEN(names);
    return names;
}

const char *verdict_name(enum verdict v)
{
    switch (v) {
    case VERDICT_DISABLE:
        return "disable";
    case VERDICT_ASK:
        return "ask";
    case VERDICT_KEEP:
        break;
    }
    return "keep";
}

struct profile *profile_new(const char *name)
{
    struct profile *p = mem_alloc(sizeof(*p));

    p->name = mem_strdup(name);
    p->fallback = VERDICT_KEEP;
    return p;
}

static void lists_release(struct profile *p)
{
    struct rule_list *all[] = {&p->by_path, &p->by_program, &p->by_port, &p->others};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        free(all[i]->v);
        *all[i] = (struct rule_list){0};
    }
}

void profile_free(struct profile *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n; i++)
        rule_free(p->rules[i]);
    free(p->rules);
    lists_release(p);
    free(p->name);
    strlist_release(&p->files);
    free(p);
}

const char *profile_name(const struct profile *p)
{
    return p->name;
}

const struct profile_rule *profile_rule_at(const struct profile *p, size_t i)
{
    return i < p->n ? &p->rules[i]->shown : NULL;
}

enum verdict profile_default(const struct profile *p, const struct profile_rule **rule)
{
    if (rule != NULL)
        *rule = p->fallback_rule.file != NULL ? &p->fallback_rule : NULL;
    return p->fallback;
}

const char *profile_label(struct profile *p, const char *label)
{
    strlist_add(&p->files, label);
    return p->files.v[p->files.n - 1];
}

/* ---- rules of which a profile may have one per entry are searched ---- */

static int by_place(const struct rule *r, const struct rule *s)
{
    int order = strcmp(r->path, s->path);

    if (order == 0)
        order = strcmp(r->word, s->word);
    return order != 0 ? order : (r->port > s->port) - (r->port < s->port);
}

static int by_program(const struct rule *r, const struct rule *s)
{
    return strcmp(r->word, s->word);
}

static int by_port(const struct rule *r, const struct rule *s)
{
    int order = strcmp(r->proto, s->proto);

    return order != 0 ? order : (r->port > s->port) - (r->port < s->port);
}

static int by_order(const struct rule *r, const struct rule *s)
{
    return (r->order > s->order) - (r->order < s->order);
}

#define SORTED(name, compare)                                                                      \
    static int name(const void *a, const void *b)                                                  \
    {                                                                                              \
        const struct rule *r = *(const struct rule *const *)a;                                     \
        const struct rule *s = *(const struct rule *const *)b;                                     \
        int order = compare(r, s);                                                                 \
                                                                                                   \
        return order != 0 ? order : by_order(r, s);                                                \
    }
SORTED(sort_place, by_place)
SORTED(sort_program, by_program)
SORTED(sort_port, by_port)

static struct rule_list *list_of(struct profile *p, enum selector_kind kind)
{
    switch (kind) {
    case SELECT_PATH:
    case SELECT_PATH_PORT:
        return &p->by_path;
    case SELECT_PROGRAM:
        return &p->by_program;
    case SELECT_PORT:
        return &p->by_port;
    case SELECT_CLASS:
    case SELECT_NAME:
    case SELECT_STARTER:
    case SELECT_RPC:
        break;
    }
    return &p->others;
}

static void list_sort(struct rule_list *list, int (*compare)(const void *, const void *))
{
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), compare);
}

void profile_index(struct profile *p)
{
    lists_release(p);
    for (size_t i = 0; i < p->n; i++) {
        struct rule_list *list = list_of(p, p->rules[i]->kind);

        list->v = mem_grow(list->v, list->n, &list->cap, sizeof(*list->v));
        list->v[list->n++] = p->rules[i];
    }
    list_sort(&p->by_path, sort_place);
    list_sort(&p->by_program, sort_program);
    list_sort(&p->by_port, sort_port);
}

/* The last rule of the text that COMPARE finds equal to KEY, or NULL. */
static const struct rule *find_last(const struct rule_list *list, const struct rule *key,
                                    int (*compare)(const struct rule *, const struct rule *))
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare(list->v[mid], key) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 && compare(list->v[low - 1], key) == 0 ? list->v[low - 1] : NULL;
}

static const struct rule *stronger(const struct rule *a, const struct rule *b)
{
    static const int weight[] = {
        [SELECT_CLASS] = 0,   [SELECT_NAME] = 1, [SELECT_STARTER] = 2, [SELECT_PORT] = 3,
        [SELECT_PROGRAM] = 3, [SELECT_RPC] = 3,  [SELECT_PATH] = 4,    [SELECT_PATH_PORT] = 5,
    };

    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    if (weight[a->kind] != weight[b->kind])
        return weight[a->kind] > weight[b->kind] ? a : b;
    return a->order > b->order ? a : b;
}

static const struct rule *find_path(const struct profile *p, char *path, char *word, int port)
{
    struct rule key = {.path = path, .word = word, .port = port};

    return find_last(&p->by_path, &key, by_place);
}

static const struct rule *path_rule(const struct profile *p, const struct entry *e,
                                    const struct service *s)
{
    char *service = s != NULL ? mem_strdup(s->name) : NULL, *path = mem_strdup(e->source->path);
    char *words[] = {e->name, service, e->rpc};
    const struct rule *best = NULL;
    long long number;

    for (size_t i = 0; i < ARRAY_LEN(words) && p->by_path.n > 0; i++) {
        if (words[i] == NULL)
            continue;
        best = stronger(best, find_path(p, path, words[i], 0));
        for (size_t k = 0; k < e->nsockets; k++) {
            if (e->sockets[k].port > 0)
                best = stronger(best, find_path(p, path, words[i], e->sockets[k].port));
        }
        number = entry_port_by_name(e);
        if (e->nsockets == 0 && number > 0)
            best = stronger(best, find_path(p, path, words[i], (int)number));
    }
    free(service);
    free(path);
    return best;
}

static const struct rule *port_rule(const struct profile *p, const struct entry *e)
{
    const struct rule *best = NULL;
    struct rule key = {.port = entry_port_by_name(e), .proto = entry_base_proto(e)};

    if (e->nsockets == 0 && key.proto != NULL)
        return find_last(&p->by_port, &key, by_port);
    for (size_t i = 0; i < e->nsockets && p->by_port.n > 0; i++) {
        key.port = e->sockets[i].port;
        key.proto = e->sockets[i].proto;
        best = stronger(best, find_last(&p->by_port, &key, by_port));
    }
    return best;
}

struct program_search {
    const struct profile *profile;
    const struct rule *best;
};

static void look_for_program(struct program_search *find, char *path)
{
    struct rule key = {.word = path};

    find->best = stronger(find->best, find_last(&find->profile->by_program, &key, by_program));
    free(path);
}

/* A bare name is looked for where tcpd and a shell look for it. */
static bool visit_program(void *ctx, const char *const *words, size_t n)
{
    static const char *const dirs[] = {"/usr/sbin", "/usr/bin",     "/sbin",    "/bin",
                                       "/usr/etc",  "/usr/libexec", "/usr/lib", "/etc"};

    (void)n;
    if (strchr(words[0], '/') != NULL)
        look_for_program(ctx, mem_strdup(words[0]));
    for (size_t i = 0; strchr(words[0], '/') == NULL && i < ARRAY_LEN(dirs); i++)
        look_for_program(ctx, mem_printf("%s/%s", dirs[i], words[0]));
    return false;
}

static const struct rule *program_rule(const struct profile *p, const struct entry *e)
{
    struct program_search find = {p, NULL};

    if (p->by_program.n > 0)
        command_walk(e, visit_program, &find);
    return find.best;
}

static enum verdict answer(const struct rule *r, const struct profile_rule **rule)
{
    *rule = &r->shown;
    return r->shown.verdict;
}

enum verdict profile_verdict(const struct profile *p, const struct entry *e,
                             const struct service *s, const struct profile_rule **rule)
{
    const struct rule *best = path_rule(p, e, s);
    const struct profile_rule *ignored;

    if (rule == NULL)
        rule = &ignored;
    *rule = NULL;
    if (best != NULL)
        return answer(best, rule);
    if (!p->report && !p->only && match_backdoor(e))
        return VERDICT_DISABLE;
    best = stronger(port_rule(p, e), program_rule(p, e));
    for (size_t i = 0; i < p->others.n; i++) {
        if (rule_selects(p->others.v[i], e, s))
            best = stronger(best, p->others.v[i]);
    }
    if (best != NULL)
        return answer(best, rule);
    if (e->starter == NULL || strcmp(e->starter->name, "inetd") != 0)
        return VERDICT_KEEP;
    return profile_default(p, rule);
}

int profile_from_selectors(struct profile **out, const char *const *selectors, size_t n,
                           struct diag *d)
{
    struct profile *p = profile_new("command line");

    p->only = true;
    for (size_t i = 0; i < n; i++) {
        if (profile_add(p, VERDICT_DISABLE, selectors[i], STATUS_USAGE, d) != 0) {
            profile_free(p);
            return -1;
        }
        p->rules[p->n - 1]->shown.file = profile_label(p, "command line");
    }
    profile_index(p);
    *out = p;
    return 0;
}
