/*
 * index.h - things by name; private to src/starters
 *
 * A balanced tree, so that names made to attack cost no more than others. A zeroed struct is empty.
 *
 *     struct index rows = {0};
 *     void **place = index_at(&rows, key);
 *     if (*place == NULL)
 *         *place = ...;
 *     index_release(&rows);
 */
#ifndef STARTERS_INDEX_H
#define STARTERS_INDEX_H

#include <stdbool.h>

struct index {
    void *root;
};

/* Where the thing called KEY is kept; it holds NULL when it was made by this call. Stays where it
 * is. */
void **index_at(struct index *ix, const char *key);

bool index_has(struct index *ix, const char *key);

void index_release(struct index *ix); /* the things themselves are the caller's */

#endif
