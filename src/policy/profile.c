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

void profile_free(struct profile *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n; i++)
        rule_free(p->rules[i]);
    free(p->rules);
    free(p->by_path);
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

/* ---- PATH rules are searched: a profile written from a large host has one per entry ---- */

static int compare_key(const struct rule *r, const char *path, const char *word, int port)
{
    int order = strcmp(r->path, path);

    if (order == 0)
        order = strcmp(r->word, word);
    return order != 0 ? order : (r->port > port) - (r->port < port);
}

static int compare_rules(const void *a, const void *b)
{
    const struct rule *r = *(const struct rule *const *)a, *s = *(const struct rule *const *)b;
    int order = compare_key(r, s->path, s->word, s->port);

    return order != 0 ? order : (r->order > s->order) - (r->order < s->order);
}

void profile_index(struct profile *p)
{
    free(p->by_path);
    p->by_path = mem_array(p->n + 1, sizeof(struct rule *));
    p->nby_path = 0;
    for (size_t i = 0; i < p->n; i++) {
        if (p->rules[i]->kind >= SELECT_PATH)
            p->by_path[p->nby_path++] = p->rules[i];
    }
    if (p->nby_path > 1)
        qsort(p->by_path, p->nby_path, sizeof(*p->by_path), compare_rules);
}

/* The last rule of the text with exactly this key, or NULL. */
static const struct rule *find_path(const struct profile *p, const char *path, const char *word,
                                    int port)
{
    size_t low = 0, high = p->nby_path;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare_key(p->by_path[mid], path, word, port) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0 || compare_key(p->by_path[low - 1], path, word, port) != 0)
        return NULL;
    return p->by_path[low - 1];
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

static const struct rule *path_rule(const struct profile *p, const struct entry *e,
                                    const struct service *s)
{
    const char *words[] = {e->name, s != NULL ? s->name : NULL, e->rpc};
    const char *path = e->source->path;
    const struct rule *best = NULL;
    long long number;

    for (size_t i = 0; i < ARRAY_LEN(words) && p->nby_path > 0; i++) {
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
    return best;
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
    for (size_t i = 0; i < p->n; i++) {
        if (p->rules[i]->kind < SELECT_PATH && rule_selects(p->rules[i], e, s))
            best = stronger(best, p->rules[i]);
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
