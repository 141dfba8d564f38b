#include "inetd.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* Take the quotes off: the ones around a word for inetutils and freebsd, all of them, with '\'
 * escapes where the line is keyed, for netbsd. */
static char *unquote(const struct parse *p, const char *bytes, size_t len, bool keyed)
{
    bool all = keyed || (p->dialect->flags & DIALECT_KEYVALUE) != 0;
    char *word, quote = '\0';
    size_t n = 0;

    if (!(p->dialect->flags & DIALECT_QUOTES))
        return mem_strndup(bytes, len);
    if (!all) {
        bool quoted = len >= 2 && (*bytes == '"' || *bytes == '\'') && bytes[len - 1] == *bytes;

        return quoted ? mem_strndup(bytes + 1, len - 2) : mem_strndup(bytes, len);
    }
    word = mem_strndup(bytes, len);
    for (size_t i = 0; i < len; i++) {
        if (quote == '\0' && (bytes[i] == '"' || bytes[i] == '\'')) {
            quote = bytes[i];
        } else if (quote != '\0' && bytes[i] == quote) {
            quote = '\0';
        } else {
            if (keyed && quote != '\0' && bytes[i] == '\\' && i + 1 < len)
                i++;
            word[n++] = bytes[i];
        }
    }
    word[n] = '\0';
    return word;
}

static const char *default_address(struct parse *p)
{
    return inetd_state(p)->default_address;
}

/* Cut ADDRESS: off the service word; returns the name behind it. */
static const char *split_address(struct parse *p, struct inetd_line *line, const char *service)
{
    const char *colon = strrchr(service, ':');
    size_t len;

    if (!(p->dialect->flags & DIALECT_ADDRESS) || colon == NULL)
        return service;
    len = (size_t)(colon - service);
    if ((p->dialect->flags & DIALECT_BRACKETS) && len >= 2 && service[0] == '[' &&
        service[len - 1] == ']')
        line->address = mem_strndup(service + 1, len - 2);
    else
        line->address = len > 0 ? mem_strndup(service, len) : mem_strdup("*");
    return colon + 1;
}

/* The address word that flattening took out of "127.0.0.1: telnet stream ...". */
static void apart_address(struct parse *p, struct inetd_line *line, const struct source *source,
                          const struct inetd_cut *cut, size_t service)
{
    size_t start = cut->start, end;
    char *word;

    while (start < service && (source->bytes[start] == ' ' || source->bytes[start] == '\t'))
        start++;
    if (!line->active || start == service || !(p->dialect->flags & DIALECT_ADDRESS_APART))
        return;
    for (end = start; end < service && strchr(" \t\n", source->bytes[end]) == NULL; end++)
        ;
    word = mem_strndup(source->bytes + start, end - start);
    free(line->address);
    line->address = NULL;
    split_address(p, line, word);
    free(word);
}

/* Columns by place. A program where the user should be: 4.2BSD and Ultrix have no user column. */
static void place_columns(struct inetd_line *line)
{
    char **f = line->fields;
    const char *fifth = line->nfields > 4 ? f[4] : NULL;

    line->socket = line->nfields > 1 ? f[1] : NULL;
    line->proto = line->nfields > 2 ? f[2] : NULL;
    line->wait = line->nfields > 3 ? f[3] : NULL;
    if (fifth == NULL)
        return;
    if (fifth[0] == '/' || fifth[0] == '?' ||
        (strcmp(fifth, "internal") == 0 && line->nfields == 5)) {
        line->server = fifth;
        line->server_field = 4;
        return;
    }
    line->user = fifth;
    if (line->nfields > 5) {
        line->server = f[5];
        line->server_field = 5;
    }
}

static bool waits(const struct parse *p, const char *wait)
{
    size_t len = strcspn(wait, ".:/");

    if (len == 5 && strncmp(wait, "swait", 5) == 0)
        return (p->dialect->flags & DIALECT_NO_USER) != 0;
    return len == 4 && strncmp(wait, "wait", 4) == 0;
}

static void set_argv(struct entry *e, char *const *words, size_t n)
{
    free(e->argv);
    e->argv = mem_array(n + 1, sizeof(char *));
    for (size_t i = 0; i < n; i++)
        e->argv[i] = mem_strdup(words[i]);
}

/* The server and its arguments. "? /path" and "?/path": only where the file exists (IRIX). "rpc"
 * as the name (HP-UX): program number and versions stand between program and argv[0]. */
static void set_program(struct entry *e, const struct inetd_line *line)
{
    size_t at = line->server_field;
    const char *server = line->server;

    if (server == NULL)
        return;
    if (strcmp(server, "internal") == 0) {
        e->flags |= ENTRY_INTERNAL;
        return;
    }
    if (server[0] == '?') {
        if (server[1] == '\0' && at + 1 < line->nfields)
            server = line->fields[++at];
        else
            server++;
    }
    e->program = mem_strdup(server);
    at++;
    if (strcmp(e->name, "rpc") == 0 && at + 1 < line->nfields) {
        e->rpc = mem_strdup(line->fields[at]);
        e->flags |= ENTRY_RPC;
        at += 2;
    }
    set_argv(e, line->fields + at, line->nfields > at ? line->nfields - at : 0);
}

static void set_rpc(struct entry *e, const struct inetd_line *line)
{
    bool system_v = text_starts(line->socket, "sunrpc_");

    if (e->rpc != NULL || (!system_v && !text_starts(line->proto, "rpc/")))
        return;
    e->rpc = mem_strndup(e->name, strcspn(e->name, "/"));
    e->flags |= ENTRY_RPC;
}

static struct entry *make_entry(struct parse *p, struct inetd_line *line, const char *name)
{
    struct entry *e = entries_new(&p->entries);

    e->starter = &starter_inetd;
    e->source = line->source;
    e->detail = line;
    e->line = line->line;
    e->last_line = line->last_line;
    e->enabled = line->active && !line->off;
    e->name = mem_strdup(name);
    line->entry = e;
    return e;
}

static void fill_entry(struct parse *p, struct inetd_line *line)
{
    struct entry *e = line->entry;
    const char *address = line->address ? line->address : line->default_address;

    e->address = mem_strdup(address ? address : "*");
    e->proto = line->proto ? mem_strndup(line->proto, strcspn(line->proto, ",")) : NULL;
    e->user = mem_strdup(line->user);
    if (line->wait != NULL && waits(p, line->wait))
        e->flags |= ENTRY_WAIT;
}

static void locate_entry(struct entry *e, const struct inetd_cut *cut, size_t column)
{
    const char *bytes = e->source->bytes;
    size_t line = column;

    while (line > 0 && bytes[line - 1] != '\n')
        line--;
    e->start = cut->start;
    e->end = cut->end;
    e->column = (unsigned)(column - line) + 1;
}

struct inetd_line *inetd_line_add(struct parse *p, const struct source *source,
                                  const struct inetd_cut *cut, enum inetd_kind kind, bool active,
                                  const struct inetd_word *words, size_t n)
{
    struct inetd_state *state = inetd_state(p);
    struct inetd_line *line = mem_alloc(sizeof(*line));
    const char *newline = memchr(source->bytes + cut->start, '\n', cut->end - cut->start);
    size_t first_end = newline ? (size_t)(newline - source->bytes) : cut->end;

    line->kind = kind;
    line->source = source;
    line->file = (unsigned)state->nsources - 1;
    line->line = cut->line;
    line->last_line = cut->last_line;
    line->active = active;
    line->empty_before = cut->empty_before;
    line->cut = cut->cut;
    line->default_address = default_address(p);
    line->fields = mem_array(n + 1, sizeof(char *));
    line->nfields = n;
    for (size_t i = 0; i < n; i++) {
        line->fields[i] = unquote(p, source->bytes + words[i].start, words[i].len, cut->keyed);
        line->first_fields += !cut->empty_before && words[i].start < first_end;
    }
    line->cr = n > 0 && source->bytes[words[n - 1].start + words[n - 1].len - 1] == '\r';
    state->lines = mem_grow(state->lines, state->nlines, &state->cap, sizeof(*state->lines));
    state->lines[state->nlines++] = line;
    if (kind == INETD_ENTRY || kind == INETD_KEYED) {
        struct entry *e = make_entry(p, line, split_address(p, line, line->fields[0]));

        apart_address(p, line, source, cut, words[0].start);
        locate_entry(e, cut, words[0].start);
        if (kind == INETD_ENTRY) {
            place_columns(line);
            fill_entry(p, line);
            set_program(e, line);
            set_rpc(e, line);
        }
    }
    return line;
}

void inetd_line_address(struct parse *p, struct inetd_line *line)
{
    split_address(p, line, line->fields[0]);
    if (line->address == NULL)
        line->address = mem_strdup("*");
}

void inetd_line_option(struct parse *p, struct inetd_line *line, bool key, const char *bytes,
                       size_t len)
{
    char *word = unquote(p, bytes, len, true);
    char **last, *joined;

    if (key) {
        strlist_add(&line->keys, word);
        strlist_add(&line->keys, "");
        free(word);
        return;
    }
    last = &line->keys.v[line->keys.n - 1];
    if (strcmp(line->keys.v[line->keys.n - 2], "args") == 0)
        strlist_add(&line->args, word);
    if (**last == '\0') {
        free(*last);
        *last = word;
        return;
    }
    joined = mem_printf("%s %s", *last, word);
    free(*last);
    free(word);
    *last = joined;
}

static const char *key_value(const struct inetd_line *line, const char *key)
{
    for (size_t i = 0; i + 1 < line->keys.n; i += 2)
        if (strcmp(line->keys.v[i], key) == 0)
            return line->keys.v[i + 1];
    return NULL;
}

void inetd_line_keys(struct parse *p, struct inetd_line *line)
{
    struct entry *e = line->entry;
    const char *bind = key_value(line, "bind"), *wait = key_value(line, "wait");
    bool udp;

    e->enabled = line->active && !line->off;
    line->proto = key_value(line, "protocol");
    udp = line->proto != NULL && strstr(line->proto, "udp") != NULL;
    line->socket = key_value(line, "socktype");
    if (line->socket == NULL)
        line->socket = udp ? "dgram" : "stream";
    line->wait = wait != NULL && strcmp(wait, "yes") == 0 ? "wait" : "nowait";
    line->user = key_value(line, "user");
    line->server = key_value(line, "exec");
    if (bind != NULL) {
        free(line->address);
        line->address = mem_strdup(bind);
    }
    fill_entry(p, line);
    if (line->server == NULL || strcmp(line->server, "internal") == 0)
        e->flags |= ENTRY_INTERNAL;
    else
        e->program = mem_strdup(line->server);
    set_argv(e, line->args.v, line->args.n);
    if (line->proto != NULL)
        set_rpc(e, line);
}

void inetd_line_free(struct inetd_line *line)
{
    for (size_t i = 0; i < line->nfields; i++)
        free(line->fields[i]);
    strlist_release(&line->keys);
    strlist_release(&line->args);
    free(line->fields);
    free(line->address);
    free(line);
}
