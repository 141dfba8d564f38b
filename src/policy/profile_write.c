#include <stdlib.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "rules.h"

/* How a finding is written; each is more specific than the one before. */
enum level { LEVEL_NAME, LEVEL_PATH, LEVEL_PORT };

struct writer {
    const struct finding *f;
    const enum verdict *v;
    size_t n;
    unsigned char *level; /* of each finding, enum level */
};

/* Each service's verdict, where all its findings have the same; else not UNIFORM. */
struct tally {
    bool seen, mixed, written;
    enum verdict verdict;
};

static struct tally *tallies(const struct writer *w)
{
    size_t rows;
    const struct service *first = catalogue(&rows);
    struct tally *t = mem_array(rows, sizeof(*t));

    for (size_t i = 0; i < w->n; i++) {
        struct tally *mine;

        if (w->f[i].service == NULL)
            continue;
        mine = &t[w->f[i].service - first];
        mine->mixed = mine->mixed || (mine->seen && mine->verdict != w->v[i]);
        mine->seen = true;
        mine->verdict = w->v[i];
    }
    return t;
}

/* Sorted and without repeats the ports of an entry are few; each gets its own selector. */
static void write_ports(struct strlist *out, const struct entry *e)
{
    int by_name = e->nsockets == 0 ? entry_port_by_name(e) : 0;
    struct buf b = BUF_INIT;

    if (by_name > 0) {
        selector_write(&b, e->source->path, e->name, by_name);
        strlist_add(out, buf_str(&b));
    }
    for (size_t k = 0; k < e->nsockets; k++) {
        if (e->sockets[k].port <= 0)
            continue;
        buf_clear(&b);
        selector_write(&b, e->source->path, e->name, e->sockets[k].port);
        if (!strlist_has(out, buf_str(&b)))
            strlist_add(out, buf_str(&b));
    }
    buf_release(&b);
}

/* The selectors of finding I at its level; may be none. */
static void selectors_of(const struct writer *w, size_t i, struct tally *t, struct strlist *out)
{
    const struct finding *f = &w->f[i];
    struct buf b = BUF_INIT;
    size_t rows;

    if (w->level[i] == LEVEL_PORT)
        write_ports(out, f->entry);
    if (w->level[i] == LEVEL_PATH) {
        selector_write(&b, f->entry->source->path, f->entry->name, 0);
        strlist_add(out, buf_str(&b));
    }
    if (w->level[i] == LEVEL_NAME && f->service != NULL) {
        struct tally *mine = &t[f->service - catalogue(&rows)];

        if (!mine->written)
            strlist_add(out, f->service->name);
        mine->written = true;
    }
    buf_release(&b);
}

/* What the text will mean, without the way through the text. Where two findings cannot be told
 * apart the later line wins: that is the one that changes less. */
static struct profile *rules_of(const struct writer *w, struct strlist *lines)
{
    static const enum verdict passes[] = {VERDICT_DISABLE, VERDICT_ASK, VERDICT_KEEP};
    struct profile *p = profile_new("written");
    struct tally *t = tallies(w);

    for (size_t i = 0; i < w->n * ARRAY_LEN(passes); i++) {
        enum verdict v = passes[i / w->n];
        struct strlist selectors = {0};

        if (w->v[i % w->n] == v)
            selectors_of(w, i % w->n, t, &selectors);
        for (size_t k = 0; k < selectors.n; k++) {
            if (profile_add(p, v, selectors.v[k], STATUS_REFUSED, NULL) == 0 && lines != NULL)
                strlist_addf(lines, "%s %s", verdict_name(v), selectors.v[k]);
        }
        strlist_release(&selectors);
    }
    free(t);
    profile_index(p);
    return p;
}

static void first_levels(struct writer *w)
{
    struct tally *t = tallies(w);
    size_t rows;
    const struct service *first = catalogue(&rows);

    for (size_t i = 0; i < w->n; i++) {
        const struct service *s = w->f[i].service;
        bool by_name = s != NULL ? !t[s - first].mixed : w->v[i] == VERDICT_KEEP;

        w->level[i] = by_name ? LEVEL_NAME : LEVEL_PATH;
    }
    free(t);
}

/* Make those more specific whose verdict comes out wrong. Returns how many are wrong; *RAISED
 * tells whether any could be raised. */
static size_t raise_wrong(struct writer *w, bool *raised)
{
    struct profile *p = rules_of(w, NULL);
    size_t wrong = 0;

    *raised = false;
    for (size_t i = 0; i < w->n; i++) {
        if (profile_verdict(p, w->f[i].entry, w->f[i].service, NULL) == w->v[i])
            continue;
        wrong++;
        if (w->level[i] < LEVEL_PORT) {
            w->level[i]++;
            *raised = true;
        }
    }
    profile_free(p);
    return wrong;
}

int profile_write(struct buf *out, const struct finding *f, const enum verdict *v, size_t n)
{
    struct writer w = {f, v, n, mem_array(n + 1, 1)};
    struct strlist lines = {0};
    bool raised = true;
    size_t wrong = 1;

    first_levels(&w);
    while (wrong > 0 && raised)
        wrong = raise_wrong(&w, &raised);
    profile_free(rules_of(&w, &lines));
    buf_adds(out, "# written by batten: the decisions of one run, for this host\n"
                  "profile-version 1\n"
                  "default keep\n\n");
    for (size_t i = 0; i < lines.n; i++) {
        buf_adds(out, lines.v[i]);
        buf_addc(out, '\n');
    }
    strlist_release(&lines);
    free(w.level);
    return wrong > 0 ? -1 : 0;
}
