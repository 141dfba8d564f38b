#include "batten/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf)BUF_INIT;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_steal(struct buf *b)
{
    char *s = b->data ? b->data : mem_strdup("");

    *b = (struct buf)BUF_INIT;
    return s;
}

void buf_reserve(struct buf *b, size_t more)
{
    size_t cap = b->cap ? b->cap : 64;
    char *data;

    if (more >= SIZE_MAX / 4 - b->len)
        mem_exhausted();
    if (b->len + more + 1 <= b->cap)
        return;
    while (cap - 1 < b->len + more)
        cap *= 2;
    data = mem_alloc(cap);
    if (b->len > 0)
        memcpy(data, b->data, b->len);
    free(b->data);
    b->data = data;
    b->cap = cap;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    buf_reserve(b, len);
    if (len > 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int len;

    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0)
        return;
    buf_reserve(b, (size_t)len);
    vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
    b->len += (size_t)len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(b, fmt, ap);
    va_end(ap);
}

bool buf_equal(const struct buf *a, const void *bytes, size_t len)
{
    return a->len == len && (len == 0 || memcmp(a->data, bytes, len) == 0);
}

void strlist_add(struct strlist *l, const char *s)
{
    l->v = mem_grow(l->v, l->n, &l->cap, sizeof(*l->v));
    l->v[l->n++] = mem_strdup(s);
}

void strlist_addf(struct strlist *l, const char *fmt, ...)
{
    struct buf b = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    strlist_add(l, buf_str(&b));
    buf_release(&b);
}

bool strlist_has(const struct strlist *l, const char *s)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i], s) == 0)
            return true;
    return false;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *l)
{
    if (l->n > 1)
        qsort(l->v, l->n, sizeof(*l->v), compare_strings);
}

void strlist_release(struct strlist *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct strlist){0};
}
