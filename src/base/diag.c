#include "batten/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "batten/buf.h"
#include "batten/mem.h"

/* A word of 64 KiB may stand in a message; nobody reads that. */
enum { TEXT_MAX = 4096, MESSAGE_MAX = 1000 };

enum status status_worse(enum status a, enum status b)
{
    static const enum status order[] = {STATUS_INCOMPLETE, STATUS_FAILED, STATUS_SYSTEM,
                                        STATUS_REFUSED,    STATUS_USAGE,  STATUS_ATTENTION,
                                        STATUS_CHANGES,    STATUS_DONE};

    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a;
}

int diag_set(struct diag *d, enum status status, const char *code, const char *fmt, ...)
{
    struct buf b = BUF_INIT;
    va_list ap;

    if (d == NULL || diag_isset(d))
        return -1;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    if (b.len > MESSAGE_MAX) {
        b.len = MESSAGE_MAX;
        buf_adds(&b, "...");
    }
    d->status = status;
    d->code = code;
    d->message = buf_steal(&b);
    return -1;
}

void diag_at(struct diag *d, const char *path, unsigned line, unsigned column)
{
    if (d == NULL || !diag_isset(d) || d->path != NULL)
        return;
    d->path = mem_strdup(path);
    d->line = line;
    d->column = column;
}

void diag_text(struct diag *d, const char *text, size_t len)
{
    if (d == NULL || !diag_isset(d) || d->text != NULL)
        return;
    d->text = mem_strndup(text, len < TEXT_MAX ? len : TEXT_MAX);
}

void diag_hint(struct diag *d, const char *fmt, ...)
{
    struct buf b = BUF_INIT;
    va_list ap;

    if (d == NULL || !diag_isset(d) || d->hint != NULL)
        return;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    d->hint = buf_steal(&b);
}

void diag_release(struct diag *d)
{
    free(d->path);
    free(d->text);
    free(d->message);
    free(d->hint);
    *d = (struct diag)DIAG_INIT;
}

struct diag *problems_new(struct problems *p)
{
    p->v = mem_grow(p->v, p->n, &p->cap, sizeof(*p->v));
    p->v[p->n] = (struct diag)DIAG_INIT;
    return &p->v[p->n++];
}

void problems_release(struct problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        diag_release(&p->v[i]);
    free(p->v);
    *p = (struct problems){0};
}
