#include "batten/catalogue.h"

#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define NONE                                                                                       \
    (const char *const[])                                                                          \
    {                                                                                              \
        NULL                                                                                       \
    }
#define PORTS(...)                                                                                 \
    (const struct service_port[])                                                                  \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0, NULL                                                                                \
        }                                                                                          \
    }
#define PORTS_NONE                                                                                 \
    (const struct service_port[])                                                                  \
    {                                                                                              \
        {                                                                                          \
            0, NULL                                                                                \
        }                                                                                          \
    }
#define TCP(n)                                                                                     \
    {                                                                                              \
        n, "tcp"                                                                                   \
    }
#define UDP(n)                                                                                     \
    {                                                                                              \
        n, "udp"                                                                                   \
    }

/* Columns: name, aliases, ports, programs, RPC names and numbers, classes, severity, what, why,
 * source. A program may stand in several rows (imapd serves imap and imaps): the first one is the
 * answer where nothing but the program is known. */
#define ROW(...) {__VA_ARGS__},

static const struct service rows[] = {
#include "catalogue_login.inc"

#include "catalogue_small.inc"

#include "catalogue_rpc.inc"

#include "catalogue_daemons.inc"
};

enum word_kind { WORD_NAME, WORD_PROGRAM, WORD_RPC, WORD_KINDS };

/* Open addressing; a slot names the word and its row. Filled once, from the constant rows alone, so
 * that every run and every thread order gives the same table. */
enum { SLOTS = 2048 };
struct slot {
    const char *word;
    const struct service *row;
};
static struct slot slots[WORD_KINDS][SLOTS];
static bool indexed;

static unsigned hash(const char *word)
{
    unsigned h = 2166136261u;

    for (; *word != '\0'; word++)
        h = (h ^ (unsigned char)*word) * 16777619u;
    return h % SLOTS;
}

static struct slot *slot_of(enum word_kind kind, const char *word)
{
    unsigned at = hash(word);

    while (slots[kind][at].word != NULL && strcmp(slots[kind][at].word, word) != 0)
        at = (at + 1) % SLOTS;
    return &slots[kind][at];
}

/* The first row that claims a word keeps it. */
static void index_words(enum word_kind kind, const char *const *words, const struct service *row)
{
    for (; *words != NULL; words++) {
        struct slot *s = slot_of(kind, *words);

        if (s->word == NULL)
            *s = (struct slot){*words, row};
    }
}

static const struct service *lookup(enum word_kind kind, const char *word)
{
    if (word == NULL)
        return NULL;
    if (!indexed) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            index_words(WORD_NAME, NAMES(rows[i].name), &rows[i]);
            index_words(WORD_PROGRAM, rows[i].programs, &rows[i]);
            index_words(WORD_RPC, rows[i].rpc, &rows[i]);
        }
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            index_words(WORD_NAME, rows[i].aliases, &rows[i]);
        indexed = true;
    }
    return slot_of(kind, word)->row;
}

const struct service *catalogue(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

const struct service *catalogue_find(const char *name)
{
    return lookup(WORD_NAME, name);
}

const struct service *catalogue_port(int port, const char *proto)
{
    if (port <= 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (const struct service_port *p = rows[i].ports; p->port != 0; p++) {
            if (p->port == port && strcmp(p->proto, proto) == 0)
                return &rows[i];
        }
    }
    return NULL;
}

const struct service *catalogue_program(const char *basename)
{
    return lookup(WORD_PROGRAM, basename);
}

bool catalogue_is_daemon(const char *basename)
{
    return catalogue_program(basename) != NULL;
}

const struct service *catalogue_rpc(const char *name_or_number)
{
    return lookup(WORD_RPC, name_or_number);
}

static bool listed(const char *const *words, const char *word)
{
    for (; *words != NULL; words++) {
        if (strcmp(*words, word) == 0)
            return true;
    }
    return false;
}

bool catalogue_runs(const struct service *s, const char *basename)
{
    return listed(s->programs, basename);
}

const char *catalogue_nearest(const char *word)
{
    const char *words[ARRAY_LEN(rows)];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        words[i] = rows[i].name;
    return text_nearest(word, words, ARRAY_LEN(rows));
}

bool catalogue_has_class(const struct service *s, const char *class_name)
{
    return listed(s->classes, class_name);
}

bool catalogue_is_class(const char *class_name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (listed(rows[i].classes, class_name))
            return true;
    }
    return false;
}

const char *severity_name(enum severity s)
{
    switch (s) {
    case SEVERITY_BACKDOOR:
        return "backdoor";
    case SEVERITY_HIGH:
        return "high";
    case SEVERITY_MEDIUM:
        return "medium";
    case SEVERITY_LOW:
        return "low";
    case SEVERITY_INFO:
        break;
    }
    return "info";
}
