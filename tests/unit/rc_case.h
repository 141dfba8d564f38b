/* A script through the rc starter: what it finds, and what it makes of it. */
#ifndef TESTS_RC_CASE_H
#define TESTS_RC_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../rc/rc_starter.h"
#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/edit.h"
#include "batten/mem.h"
#include "batten/source.h"

struct rc_case {
    struct source source;
    struct parse p;
};

static inline void rc_case_init(struct rc_case *c, const char *path, const char *text, size_t len)
{
    *c = (struct rc_case){.p = {.is_daemon = is_daemon}};
    c->source.path = mem_strdup(path);
    c->source.bytes = mem_strndup(text, len);
    c->source.len = len;
    rc_starter()->parse(&c->p, &c->source);
}

static inline void rc_case_release(struct rc_case *c)
{
    parse_release(&c->p);
    free(c->source.path);
    free(c->source.bytes);
}

/* "LINE:COLUMN NAME [off] [indirect] [loose] [report] [locked: WHY]" per entry, a line each. */
static inline void rc_case_dump(const struct rc_case *c, struct buf *out)
{
    for (size_t i = 0; i < c->p.entries.n; i++) {
        const struct entry *e = c->p.entries.v[i];

        buf_printf(out, "%u:%u %s", e->line, e->column, e->name);
        buf_adds(out, e->enabled ? "" : " off");
        buf_adds(out, e->flags & ENTRY_INDIRECT ? " indirect" : "");
        buf_adds(out, e->flags & ENTRY_LOOSE ? " loose" : "");
        buf_adds(out, e->flags & ENTRY_REPORT ? " report" : "");
        if (e->locked != NULL)
            buf_printf(out, " locked: %s", e->locked);
        buf_addc(out, '\n');
    }
}

/* Switch off the enabled entries called one of NAMES (blanks around each; NULL: all). The new
 * bytes, proved, go to OUT; "refused LINE: WHY" for the others to REFUSED. */
static inline void rc_case_edit(struct rc_case *c, const char *names, struct buf *out,
                                struct buf *refused)
{
    const struct entry **gone = mem_array(c->p.entries.n + 1, sizeof(*gone));
    struct edits edits = {0};
    struct diag d = DIAG_INIT;
    struct source after;
    size_t n = 0;

    for (size_t i = 0; i < c->p.entries.n; i++) {
        const struct entry *e = c->p.entries.v[i];
        char *padded = mem_printf(" %s ", e->name);

        if (e->enabled && (names == NULL || strstr(names, padded) != NULL)) {
            if (rc_starter()->disable(&c->p, e, &edits, &d) == 0)
                gone[n++] = e;
            else
                buf_printf(refused, "%u: %s\n", e->line, d.message);
            diag_release(&d);
        }
        free(padded);
    }
    assert_int_equal(edits_apply(&c->source, &edits, out, &d), 0);
    after = c->source;
    after.bytes = out->data != NULL ? out->data : c->source.bytes;
    after.len = out->len;
    if (starter_prove(&c->p, &c->source, &edits, &after, gone, n, &d) != 0)
        print_error("%s:%u: %s\n%s", c->source.path, d.line, d.message, buf_str(out));
    assert_false(diag_isset(&d));
    edits_release(&edits);
    free(gone);
}

#endif
