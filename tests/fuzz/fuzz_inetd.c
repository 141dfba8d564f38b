/*
 * fuzz_inetd - any bytes as an inetd.conf: the first byte picks the dialect. They are parsed, every
 * entry that may be is commented out, and the edit proof must pass.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/buf.h"
#include "batten/dialect.h"
#include "batten/edit.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/starter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct starter *inetd(void)
{
    size_t n;
    const struct starter *const *all = starters(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->name, "inetd") == 0)
            return all[i];
    abort();
}

static void give_up(const struct diag *d)
{
    fprintf(stderr, "line %u: %s\n", d->line, d->message);
    abort();
}

static void disable_all(struct parse *p, const struct source *source)
{
    const struct entry **gone = mem_array(p->entries.n + 1, sizeof(struct entry *));
    struct edits edits = {0};
    struct buf after = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct source again;
    size_t n = 0;

    for (size_t i = 0; i < p->entries.n; i++) {
        struct entry *e = p->entries.v[i];

        if (!e->enabled || e->locked != NULL)
            continue;
        if (p->starter->disable(p, e, &edits, &d) != 0)
            give_up(&d);
        gone[n++] = e;
    }
    if (edits_apply(source, &edits, &after, &d) != 0)
        give_up(&d);
    if (after.data == NULL)
        buf_adds(&after, "");
    again = (struct source){source->path, after.data, after.len};
    if (starter_prove(p, source, &edits, &again, gone, n, &d) != 0)
        give_up(&d);
    edits_release(&edits);
    buf_release(&after);
    free(gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[] = "etc/inetd.conf";
    size_t ndialects;
    const char *const *names = dialect_names(&ndialects);
    struct netdb *db = netdb_new();
    struct parse p = {.db = db};
    struct source source = {.path = path};

    if (size > 0) {
        p.dialect = dialect_find(names[data[0] % ndialects]);
        p.starter = inetd();
        source.bytes = mem_strndup((const char *)data + 1, size - 1);
        source.len = size - 1;
        p.starter->parse(&p, &source);
        p.starter->finish(&p);
        disable_all(&p, &source);
        parse_release(&p);
        free(source.bytes);
    }
    netdb_free(db);
    return 0;
}
