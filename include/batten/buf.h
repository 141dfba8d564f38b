/*
 * buf.h - a growable run of bytes
 *
 * A buf always holds a NUL after its last byte, so buf.data is a C string when the content has no
 * NUL of its own. A zeroed struct is an empty buf. Allocation cannot fail (mem.h).
 *
 *     struct buf out = BUF_INIT;
 *     buf_printf(&out, "%s:%u", path, line);
 *     fputs(buf_str(&out), stdout);
 *     buf_release(&out);
 */
#ifndef BATTEN_BUF_H
#define BATTEN_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while nothing was ever added */
    size_t len;
    size_t cap;
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void buf_release(struct buf *b);          /* frees the bytes; the buf is empty and usable again */
void buf_clear(struct buf *b);            /* empties, keeps the memory */
const char *buf_str(const struct buf *b); /* borrowed, never NULL */
char *buf_steal(struct buf *b); /* the bytes, NUL-terminated; caller frees; the buf is empty */

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_reserve(struct buf *b, size_t more); /* room for MORE bytes beyond len */
bool buf_equal(const struct buf *a, const void *bytes, size_t len);

/* A list of strings that the list owns. A zeroed struct is empty. */
struct strlist {
    char **v;
    size_t n;
    size_t cap;
};

void strlist_add(struct strlist *l, const char *s); /* copies */
void strlist_addf(struct strlist *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool strlist_has(const struct strlist *l, const char *s);
void strlist_sort(struct strlist *l); /* byte order */
void strlist_release(struct strlist *l);

#endif
