#include "batten/starter.h"

#include <stdlib.h>

#include "batten/mem.h"

#include "inetd.h"
#include "rcscript.h"

const struct starter starter_inetd = {
    .name = "inetd",
    .paths = inetd_paths,
    .parse = inetd_parse,
    .finish = inetd_finish,
    .disable = inetd_disable,
    .free_parse = inetd_free_parse,
    .resume = inetd_resume,
};

static const struct starter *const table[] = {&starter_inetd, &starter_rcscript};

const struct starter *const *starters(size_t *n)
{
    *n = ARRAY_LEN(table);
    return table;
}

void parse_add_source(struct parse *p, const struct source *source)
{
    p->sources = mem_grow(p->sources, p->nsources, &p->capsources, sizeof(*p->sources));
    p->sources[p->nsources++] = source;
}

void parse_release(struct parse *p)
{
    free(p->sources);
    p->sources = NULL;
    p->nsources = p->capsources = 0;
    entries_release(&p->entries);
    problems_release(&p->problems);
    strlist_release(&p->more);
    if (p->starter != NULL && p->starter->free_parse != NULL)
        p->starter->free_parse(p);
    p->detail = NULL;
}
