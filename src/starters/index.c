#include "index.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"

struct named {
    char *key;
    void *thing;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->key, ((const struct named *)b)->key);
}

static void free_named(void *p)
{
    struct named *named = p;

    free(named->key);
    free(named);
}

void **index_at(struct index *ix, const char *key)
{
    struct named *named = mem_alloc(sizeof(*named));
    struct named **found;

    named->key = mem_strdup(key);
    found = tsearch(named, &ix->root, by_key);
    if (*found != named)
        free_named(named);
    return &(*found)->thing;
}

bool index_has(struct index *ix, const char *key)
{
    struct named wanted = {mem_strdup(key), NULL};
    bool has = tfind(&wanted, &ix->root, by_key) != NULL;

    free(wanted.key);
    return has;
}

void index_release(struct index *ix)
{
    tdestroy(ix->root, free_named);
    ix->root = NULL;
}
