/*
 * mem.h - allocation that cannot fail
 *
 * Every function here returns memory the caller frees with free(), or does not return: when memory
 * is exhausted the process says so and ends with status 4. That is safe at any point, because a
 * change is built to survive being killed at any point (see txn.h), and it keeps every caller free
 * of a failure branch that no test could reach.
 *
 *     char *name = mem_strndup(line + from, to - from);
 *     ...
 *     free(name);
 */
#ifndef BATTEN_MEM_H
#define BATTEN_MEM_H

#include <stddef.h>

_Noreturn void mem_exhausted(void); /* says so and ends with status 4 */

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

void *mem_alloc(size_t size);               /* zeroed */
void *mem_array(size_t count, size_t size); /* zeroed, overflow checked */

/* Grow ARRAY (of elements of SIZE bytes, COUNT used, *CAP allocated) to hold one more. Returns the
 * possibly moved array. Growth is geometric, so n appends cost O(n). */
void *mem_grow(void *array, size_t count, size_t *cap, size_t size);

char *mem_strdup(const char *s);              /* NULL gives NULL */
char *mem_strndup(const char *s, size_t len); /* always terminated; S may hold any byte */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
