/* Any bytes as an rc script: all that can be switched off is, and the proof must hold. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "batten/catalogue.h"
#include "batten/diag.h"
#include "batten/edit.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "batten/starter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_daemon(const char *basename)
{
    return catalogue_program(basename) != NULL;
}

static void prove(struct parse *p, const struct starter *starter, const struct source *source)
{
    const struct entry **gone = mem_array(p->entries.n + 1, sizeof(*gone));
    struct edits edits = {0};
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    struct source after = *source;
    size_t n = 0;

    for (size_t i = 0; i < p->entries.n; i++)
        if (starter->disable(p, p->entries.v[i], &edits, NULL) == 0)
            gone[n++] = p->entries.v[i];
    buf_reserve(&out, 1);
    if (edits_apply(source, &edits, &out, &d) == 0) {
        after.bytes = out.data;
        after.len = out.len;
        starter_prove(p, source, &edits, &after, gone, n, &d);
    }
    if (diag_isset(&d)) {
        fprintf(stderr, "line %u: %s\n%s\n", d.line, d.message, buf_str(&out));
        abort();
    }
    buf_release(&out);
    edits_release(&edits);
    free(gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "etc/rc.local";
    struct source source = {path, mem_strndup((const char *)data, size), size};
    struct parse p = {.is_daemon = is_daemon};
    size_t n;
    const struct starter *starter = starters(&n)[n - 1];

    for (size_t i = 0; i < n; i++)
        if (starters(&n)[i]->name[0] == 'r')
            starter = starters(&n)[i];
    starter->parse(&p, &source);
    if (p.entries.n < 100)
        prove(&p, starter, &source);
    parse_release(&p);
    free(source.bytes);
    return 0;
}
