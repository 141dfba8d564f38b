/*
 * guide_made.h - findings made by hand, for tests of the guide's state and screens
 */
#ifndef BATTEN_TESTS_GUIDE_MADE_H
#define BATTEN_TESTS_GUIDE_MADE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "batten/catalogue.h"
#include "batten/entry.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/source.h"

#include "../../src/cli/guide.h"

enum { MADE_MAX = 16 };

struct made {
    struct source source;
    struct entries entries;
    struct finding f[MADE_MAX];
    struct profile_rule rule;
    size_t n;
    struct guide g;
};

static inline __attribute__((unused)) struct entry *
made_add(struct made *m, const char *name, int port, const char *service, enum verdict v)
{
    struct entry *e = entries_new(&m->entries);
    struct finding *f = &m->f[m->n++];

    e->source = &m->source;
    e->line = e->last_line = (unsigned)m->n + 10;
    e->enabled = true;
    e->name = mem_strdup(name);
    e->proto = mem_strdup("tcp");
    e->user = mem_strdup("root");
    e->program = mem_printf("/usr/sbin/in.%sd", name);
    free(e->argv);
    e->argv = mem_array(2, sizeof(*e->argv));
    e->argv[0] = mem_printf("in.%sd", name);
    if (port > 0)
        entry_add_socket(e, FAMILY_IPV4, "tcp", "*", port);
    *f = (struct finding){.entry = e,
                          .service = service ? catalogue_find(service) : NULL,
                          .severity = SEVERITY_LOW,
                          .verdict = v,
                          .rule = &m->rule};
    if (f->service != NULL)
        f->severity = f->service->severity;
    return e;
}

/* telnet, finger and imap to be closed, time kept, ftp asked for. */
static inline __attribute__((unused)) void made_init(struct made *m)
{
    static char path[] = "etc/inetd.conf";

    *m = (struct made){.source = {.path = path}};
    m->rule = (struct profile_rule){
        .verdict = VERDICT_DISABLE, .selector = "telnet", .file = "jpcert-98-0004", .line = 5};
    made_add(m, "telnet", 23, "telnet", VERDICT_DISABLE);
    made_add(m, "finger", 79, "finger", VERDICT_DISABLE);
    made_add(m, "imap2", 143, "imap", VERDICT_DISABLE);
    made_add(m, "time", 37, "time", VERDICT_KEEP);
    made_add(m, "ftp", 21, "ftp", VERDICT_ASK);
    m->f[3].rule = m->f[4].rule = NULL;
    for (size_t i = 0; i < m->n; i++)
        guide_add(&m->g, &m->f[i]);
    m->g.profile = mem_strdup("jpcert-98-0004");
    m->g.confirm = mem_strdup("5 minutes");
}

static inline __attribute__((unused)) void made_release(struct made *m)
{
    guide_release(&m->g);
    entries_release(&m->entries);
}

#endif
