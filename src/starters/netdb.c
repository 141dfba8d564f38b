#include "batten/netdb.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "batten/buf.h"
#include "batten/mem.h"

/* What a key stands for: services are found by name and by port, hosts per family. */
enum kind {
    KIND_PORT,
    KIND_SERVICE,
    KIND_PROTOCOL,
    KIND_RPC,
    KIND_UID,
    KIND_GID,
    KIND_HOST4,
    KIND_HOST6
};

struct item {
    char *key;  /* kind, name and, for services, a blank and the protocol */
    char *text; /* KIND_SERVICE, KIND_HOST*: a name or an address */
    long number;
    size_t order; /* in which it was met */
};

/* Sorted by key: a root's files may be large and made to attack, so no hash table. */
struct netdb {
    struct item *items;
    size_t n;
    size_t cap;
    bool has[NETDB_FILES];
};

static const char *const paths[NETDB_FILES] = {
    [NETDB_SERVICES] = "etc/services", [NETDB_PROTOCOLS] = "etc/protocols",
    [NETDB_RPC] = "etc/rpc",           [NETDB_PASSWD] = "etc/passwd",
    [NETDB_GROUP] = "etc/group",       [NETDB_HOSTS] = "etc/hosts",
};

/* ---- the table ---- */

static void make_key(struct buf *key, enum kind kind, const char *name, const char *proto)
{
    buf_addc(key, (char)('a' + kind));
    buf_adds(key, name);
    if (proto != NULL) {
        buf_addc(key, ' ');
        buf_adds(key, proto);
    }
}

static void put(struct netdb *db, const struct buf *key, long number, const char *text)
{
    db->items = mem_grow(db->items, db->n, &db->cap, sizeof(*db->items));
    db->items[db->n] = (struct item){mem_strdup(buf_str(key)), mem_strdup(text), number, db->n};
    db->n++;
}

static int by_key_and_order(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    int order = strcmp(x->key, y->key);

    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_key(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;

    return strcmp(x->key, y->key);
}

static void free_item(struct item *item)
{
    free(item->key);
    free(item->text);
}

/* Sort what was put in and keep the first of each key: the first line counts. */
static void settle(struct netdb *db)
{
    size_t kept = 0;

    if (db->n == 0)
        return;
    qsort(db->items, db->n, sizeof(*db->items), by_key_and_order);
    for (size_t i = 0; i < db->n; i++) {
        if (kept > 0 && by_key(&db->items[kept - 1], &db->items[i]) == 0) {
            free_item(&db->items[i]);
            continue;
        }
        db->items[kept] = db->items[i];
        db->items[kept].order = 0; /* before all that is met later */
        kept++;
    }
    db->n = kept;
}

static const struct item *get(const struct netdb *db, enum kind kind, const char *name,
                              const char *proto)
{
    struct buf key = BUF_INIT;
    const struct item *item = NULL;
    struct item wanted = {0};

    make_key(&key, kind, name, proto);
    wanted.key = key.data;
    if (db->n != 0)
        item = bsearch(&wanted, db->items, db->n, sizeof(*db->items), by_key);
    buf_release(&key);
    return item;
}

struct netdb *netdb_new(void)
{
    return mem_alloc(sizeof(struct netdb));
}

void netdb_free(struct netdb *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < db->n; i++)
        free_item(&db->items[i]);
    free(db->items);
    free(db);
}

const char *netdb_path(enum netdb_file file)
{
    return paths[file];
}

/* ---- the files ---- */

/* Take the next word from *LINE: up to a blank, the blanks behind it swallowed. NULL at the end. */
static char *take_word(char **line)
{
    char *word = *line;
    char *p = word;

    if (*p == '\0')
        return NULL;
    while (*p != '\0' && !isspace((unsigned char)*p))
        p++;
    if (*p != '\0')
        *p++ = '\0';
    while (isspace((unsigned char)*p))
        p++;
    *line = p;
    return word;
}

/* The decimal number at the start of S as the C library reads a column: base 10, 32 bits, stopping
 * at the first other character. Returns where it stopped, or NULL when there is no number. */
static char *take_number(char *s, unsigned long *out)
{
    char *end;

    errno = 0;
    *out = strtoul(s, &end, 10);
    if (end == s || errno != 0 || *out > UINT32_MAX)
        return NULL;
    return end;
}

static void put_name(struct netdb *db, enum kind kind, const char *name, const char *proto,
                     long number)
{
    struct buf key = BUF_INIT;

    make_key(&key, kind, name, proto);
    put(db, &key, number, NULL);
    buf_release(&key);
}

/* NAME PORT/PROTO ALIAS... */
static void add_service(struct netdb *db, char *line)
{
    struct buf key = BUF_INIT;
    char *name = take_word(&line);
    char *column = take_word(&line);
    unsigned long port;
    char *proto;
    char *alias;

    proto = column != NULL ? take_number(column, &port) : NULL;
    if (proto == NULL || *proto != '/')
        return;
    while (*proto == '/')
        proto++;
    port &= 0xffff;
    put_name(db, KIND_PORT, name, proto, (long)port);
    buf_printf(&key, "%c%lu %s", 'a' + KIND_SERVICE, port, proto);
    put(db, &key, 0, name);
    buf_release(&key);
    while ((alias = take_word(&line)) != NULL)
        put_name(db, KIND_PORT, alias, proto, (long)port);
}

/* NAME NUMBER ALIAS... */
static void add_numbered(struct netdb *db, enum kind kind, char *line)
{
    char *name = take_word(&line);
    char *column = take_word(&line);
    unsigned long number;
    char *end = column != NULL ? take_number(column, &number) : NULL;

    if (end == NULL || *end != '\0')
        return;
    do
        put_name(db, kind, name, NULL, (long)number);
    while ((name = take_word(&line)) != NULL);
}

/* NAME:PASSWORD:NUMBER:... Lines that begin with '+' or '-' name other databases. */
static void add_account(struct netdb *db, enum kind kind, char *line)
{
    char *column = strchr(line, ':');
    unsigned long number;
    char *end;

    if (column == NULL || column == line || *line == '+' || *line == '-')
        return;
    *column++ = '\0';
    column = strchr(column, ':');
    end = column != NULL ? take_number(column + 1, &number) : NULL;
    if (end == NULL || *end != ':')
        return;
    put_name(db, kind, line, NULL, (long)number);
}

static void put_host(struct netdb *db, enum kind kind, const char *name, const char *address)
{
    struct buf key = BUF_INIT;

    make_key(&key, kind, name, NULL);
    for (size_t i = 1; i < key.len; i++)
        key.data[i] = (char)tolower((unsigned char)key.data[i]);
    put(db, &key, 0, address);
    buf_release(&key);
}

/* ADDRESS NAME ALIAS... */
static void add_host(struct netdb *db, char *line)
{
    char *address = take_word(&line);
    struct in6_addr binary;
    enum kind kind;
    char *name;

    if (address != NULL && inet_pton(AF_INET, address, &binary) == 1)
        kind = KIND_HOST4;
    else if (address != NULL && inet_pton(AF_INET6, address, &binary) == 1)
        kind = KIND_HOST6;
    else
        return;
    while ((name = take_word(&line)) != NULL)
        put_host(db, kind, name, address);
}

static void add_line(struct netdb *db, enum netdb_file file, char *line)
{
    bool account = file == NETDB_PASSWD || file == NETDB_GROUP;

    while (isspace((unsigned char)*line))
        line++;
    if (*line == '#' || *line == '\0')
        return;
    if (!account)
        line[strcspn(line, "#")] = '\0';
    switch (file) {
    case NETDB_SERVICES:
        add_service(db, line);
        break;
    case NETDB_PROTOCOLS:
        add_numbered(db, KIND_PROTOCOL, line);
        break;
    case NETDB_RPC:
        add_numbered(db, KIND_RPC, line);
        break;
    case NETDB_PASSWD:
        add_account(db, KIND_UID, line);
        break;
    case NETDB_GROUP:
        add_account(db, KIND_GID, line);
        break;
    case NETDB_HOSTS:
        add_host(db, line);
        break;
    case NETDB_FILES:
        break;
    }
}

void netdb_add(struct netdb *db, enum netdb_file file, const char *bytes, size_t len)
{
    size_t at = 0;

    db->has[file] = db->has[file] || len > 0;
    while (at < len) {
        const char *newline = memchr(bytes + at, '\n', len - at);
        size_t end = newline != NULL ? (size_t)(newline - bytes) : len;
        char *line = mem_strndup(bytes + at, end - at);

        add_line(db, file, line);
        free(line);
        at = end + 1;
    }
    settle(db);
}

/* ---- questions ---- */

bool netdb_has(const struct netdb *db, enum netdb_file file)
{
    return db->has[file];
}

static long number_of(const struct netdb *db, enum kind kind, const char *name, const char *proto)
{
    const struct item *item = get(db, kind, name, proto);

    return item != NULL ? item->number : -1;
}

int netdb_port(const struct netdb *db, const char *service, const char *proto)
{
    return (int)number_of(db, KIND_PORT, service, proto);
}

const char *netdb_service(const struct netdb *db, int port, const char *proto)
{
    struct buf name = BUF_INIT;
    const struct item *item;

    buf_printf(&name, "%d", port);
    item = get(db, KIND_SERVICE, buf_str(&name), proto);
    buf_release(&name);
    return item != NULL ? item->text : NULL;
}

int netdb_protocol(const struct netdb *db, const char *name)
{
    return (int)number_of(db, KIND_PROTOCOL, name, NULL);
}

long netdb_rpc(const struct netdb *db, const char *name)
{
    return number_of(db, KIND_RPC, name, NULL);
}

bool netdb_user(const struct netdb *db, const char *name)
{
    return get(db, KIND_UID, name, NULL) != NULL;
}

long netdb_uid(const struct netdb *db, const char *name)
{
    return number_of(db, KIND_UID, name, NULL);
}

bool netdb_group(const struct netdb *db, const char *name)
{
    return get(db, KIND_GID, name, NULL) != NULL;
}

const char *netdb_host(const struct netdb *db, const char *host, bool v6)
{
    char *lower = mem_strdup(host);
    const struct item *item;
    const char *address;

    for (char *p = lower; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    item = get(db, v6 ? KIND_HOST6 : KIND_HOST4, lower, NULL);
    address = item != NULL ? item->text : NULL;
    if (address == NULL && strcmp(lower, "localhost") == 0)
        address = v6 ? "::1" : "127.0.0.1";
    free(lower);
    return address;
}
