/* rc_starter.h - the rc starter alone, for the drivers of the tests */
#ifndef TESTS_RC_RC_STARTER_H
#define TESTS_RC_RC_STARTER_H

#include <stdbool.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/starter.h"

static inline bool is_daemon(const char *basename)
{
    return catalogue_program(basename) != NULL;
}

static inline const struct starter *rc_starter(void)
{
    size_t n;
    const struct starter *const *all = starters(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->name, "rcscript") == 0)
            return all[i];
    return NULL;
}

#endif
