#include "batten/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/diag.h"

void mem_exhausted(void)
{
    static const char message[] = "batten: error: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, message, sizeof(message) - 1);

    (void)ignored;
    _exit(STATUS_SYSTEM);
}

void *mem_alloc(size_t size)
{
    return mem_array(1, size);
}

void *mem_array(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (p == NULL)
        mem_exhausted();
    return p;
}

void *mem_grow(void *array, size_t count, size_t *cap, size_t size)
{
    size_t want;

    if (count < *cap)
        return array;
    want = *cap ? *cap * 2 : 8;
    if (want < *cap || want > SIZE_MAX / size)
        mem_exhausted();
    array = realloc(array, want * size);
    if (array == NULL)
        mem_exhausted();
    memset((char *)array + *cap * size, 0, (want - *cap) * size);
    *cap = want;
    return array;
}

char *mem_strdup(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t len)
{
    char *copy = mem_alloc(len + 1);

    if (len > 0)
        memcpy(copy, s, len);
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    char *s = NULL;

    va_start(ap, fmt);
    if (vasprintf(&s, fmt, ap) < 0)
        mem_exhausted();
    va_end(ap);
    return s;
}
