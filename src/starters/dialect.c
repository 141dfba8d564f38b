#include "batten/dialect.h"

#include <string.h>

#include "batten/mem.h"

#include "inetd_predict.h"

/*
 * line_max: openbsd reads 1023 bytes at a time, the others of the BSD kin what their buffers hold;
 * classic stands for many daemons, so it has no limit of its own.
 */
/* clang-format off */
static const struct dialect dialects[] = {
    {
        .name = "openbsd",
        .flags = DIALECT_INDENT_JOINS | DIALECT_EMPTY_JOINS | DIALECT_ADDRESS | DIALECT_BRACKETS |
                 DIALECT_ADDRESS_APART,
        .line_max = 1023,
        .predict_flags = PREDICT_OPENBSD,
    },
    {
        .name = "inetutils",
        .flags = DIALECT_CR_BLANK | DIALECT_QUOTES | DIALECT_ADDRESS | DIALECT_DIRECTORY,
        .predict_flags = PREDICT_INETUTILS,
    },
    {
        .name = "busybox",
        .flags =
            DIALECT_HASH_INDENTED | DIALECT_HASH_INLINE | DIALECT_BACKSLASH | DIALECT_ADDRESS,
        .predict_flags = PREDICT_BUSYBOX,
    },
    {
        .name = "freebsd",
        .flags = DIALECT_INDENT_JOINS | DIALECT_QUOTES | DIALECT_IPSEC,
        .line_max = 2047,
        .predict_flags = PREDICT_USERS | PREDICT_6ONLY,
    },
    {
        .name = "netbsd",
        .flags = DIALECT_INDENT_JOINS | DIALECT_EMPTY_JOINS | DIALECT_QUOTES | DIALECT_IPSEC |
                 DIALECT_KEYVALUE | DIALECT_INCLUDE | DIALECT_ADDRESS | DIALECT_BRACKETS |
                 DIALECT_ADDRESS_APART,
        .line_max = 2047,
        .predict_flags = PREDICT_NUMBERS | PREDICT_6ONLY,
    },
    {
        .name = "classic",
        .flags = DIALECT_INDENT_JOINS | DIALECT_EMPTY_JOINS | DIALECT_BACKSLASH |
                 DIALECT_SHY_BACKSLASH | DIALECT_NO_USER,
        .predict_flags = PREDICT_NUMBERS,
    },
};
/* clang-format on */

static const char *const names[] = {"openbsd", "inetutils", "busybox",
                                    "freebsd", "netbsd",    "classic"};

const struct dialect *dialect_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(dialects); i++)
        if (strcmp(dialects[i].name, name) == 0)
            return &dialects[i];
    return NULL;
}

const char *dialect_name(const struct dialect *d)
{
    return d->name;
}

const char *const *dialect_names(size_t *n)
{
    *n = ARRAY_LEN(names);
    return names;
}

const struct dialect *dialect_default(void)
{
    return dialect_find("openbsd");
}
