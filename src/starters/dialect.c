#include "batten/dialect.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

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

/* ---- which dialect a root speaks ---- */

/*
 * The daemons themselves, and where several systems keep theirs at one path, what else only one of
 * them has. Debian's busybox has no inetd, so on a Debian root an unnamed one is openbsd's.
 */
static const struct dialect_sign signs[] = {
    {"inetutils", "usr/sbin/inetutils-inetd"               },
    {"openbsd",   "var/lib/dpkg/info/openbsd-inetd.md5sums"},
    {"freebsd",   "libexec/ld-elf.so.1"                    },
    {"freebsd",   "usr/libexec/ld-elf.so.1"                },
    {"netbsd",    "libexec/ld.elf_so"                      },
    {"netbsd",    "usr/libexec/ld.elf_so"                  },
    {"classic",   "kernel/genunix"                         },
    {"classic",   "platform/sun4u/kernel"                  },
    {"classic",   "usr/lib/boot/unix"                      },
    {"classic",   "stand/vmunix"                           },
    {"classic",   "vmunix"                                 },
    {"classic",   "usr/etc/inetd"                          },
    {"classic",   "etc/inetd"                              },
    {"inetutils", "usr/libexec/inetd"                      },
    {"openbsd",   "etc/init.d/openbsd-inetd"               },
    {"openbsd",   "var/lib/dpkg/status"                    },
    {"busybox",   "bin/busybox"                            },
    {"busybox",   "usr/bin/busybox"                        },
    {"openbsd",   "usr/sbin/inetd"                         },
};

const struct dialect_sign *dialect_signs(size_t *n)
{
    *n = ARRAY_LEN(signs);
    return signs;
}

enum { WORDS = 6 }; /* NAME TYPE PROTO WAIT USER PROGRAM */

/* Cut LINE into its first words; those it has not are empty. */
static void cut_words(char *line, const char *words[WORDS])
{
    for (size_t i = 0; i < WORDS; i++) {
        line += strspn(line, " \t\r");
        words[i] = line;
        line += strcspn(line, " \t\r");
        if (*line != '\0')
            *line++ = '\0';
    }
}

static bool is_wait(const char *word)
{
    return text_starts(word, "wait") || text_starts(word, "nowait");
}

/* The dialect of an entry, by what only one of them has in its columns. */
static const char *columns_speak(const char *const words[WORDS])
{
    const char *limit = words[3] + strcspn(words[3], "/:");

    if (strcmp(words[1], "tli") == 0)
        return "classic";
    if (strcmp(words[1], "stream") != 0 && strcmp(words[1], "dgram") != 0)
        return NULL;
    if (text_starts(words[2], "sunrpc_") || text_starts(words[2], "rpc/tico") ||
        text_starts(words[2], "rpc/datagram") || text_starts(words[2], "rpc/circuit") ||
        text_starts(words[2], "rpc/*"))
        return "classic";
    if (strcmp(words[2], "tcp6only") == 0 || strcmp(words[2], "udp6only") == 0)
        return "inetutils";
    if (strcmp(words[3], "swait") == 0 || *words[5] == '?')
        return "classic";
    if (is_wait(words[3]) && *words[4] == '/')
        return "classic"; /* the program where the user should be */
    if (is_wait(words[3]) && limit[0] == '/')
        return limit[1] >= '0' && limit[1] <= '9' ? "freebsd" : "classic";
    if (is_wait(words[3]) && limit[0] == ':')
        return "netbsd";
    return strchr(words[4], '/') != NULL ? "freebsd" : NULL;
}

/* The dialect LINE alone speaks for; NULL for none. LINE is cut up. */
static const char *line_speaks(char *line)
{
    bool comment = *line == '#';
    const char *words[WORDS];

    if (comment && (strstr(line, "$FreeBSD") != NULL || strstr(line, "$NetBSD") != NULL))
        return strstr(line, "$FreeBSD") != NULL ? "freebsd" : "netbsd";
    if (text_starts(line, "#<off>#") || text_starts(line, "#:INTERNAL:"))
        return "openbsd"; /* the hand of Debian's update-inetd */
    cut_words(line + strspn(line, "# \t"), words);
    if (!comment && strcmp(words[0], ".include") == 0)
        return "netbsd";
    if (!comment && (strcmp(words[1], "on") == 0 || strcmp(words[1], "off") == 0) &&
        (*words[2] == '\0' || strcmp(words[3], "=") == 0 || strchr(words[2], '=') != NULL))
        return "netbsd";
    return columns_speak(words);
}

const struct dialect *dialect_from_text(const char *bytes, size_t len)
{
    const char *name = NULL;

    for (size_t at = 0; at < len && name == NULL;) {
        const char *newline = memchr(bytes + at, '\n', len - at);
        size_t end = newline != NULL ? (size_t)(newline - bytes) : len;
        char *line = mem_strndup(bytes + at, end - at);

        name = line_speaks(line);
        free(line);
        at = end + 1;
    }
    return name != NULL ? dialect_find(name) : NULL;
}

const struct dialect *dialect_default(void)
{
    return dialect_find("openbsd");
}
