#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/catalogue.h"
#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/match.h"
#include "batten/mem.h"
#include "batten/starter.h"
#include "batten/text.h"
#include "rules.h"

void rule_free(struct rule *r)
{
    if (r == NULL)
        return;
    free(r->selector);
    free(r->path);
    free(r->word);
    free(r);
}

/* ---- escapes: \ooo is a byte, as in fstab(5) ---- */

static bool is_octal(const char *s)
{
    return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
}

static char *unescape(const char *s, size_t len)
{
    char *copy = mem_strndup(s, len);
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        char ch = copy[i];

        if (ch == '\\' && is_octal(copy + i + 1)) {
            ch = (char)((copy[i + 1] - '0') * 64 + (copy[i + 2] - '0') * 8 + copy[i + 3] - '0');
            i += 3;
        }
        copy[to++] = ch;
    }
    copy[to] = '\0';
    return copy;
}

static void escape(struct buf *out, const char *text, const char *also)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        unsigned char ch = (unsigned char)text[i];

        if (ch <= ' ' || ch >= 0x7f || ch == '\\' || strchr(also, ch) != NULL ||
            (i == 0 && ch == '#'))
            buf_printf(out, "\\%03o", ch);
        else
            buf_addc(out, (char)ch);
    }
}

void selector_write(struct buf *out, const char *path, const char *name, int port)
{
    buf_addc(out, '/');
    escape(out, path, ":");
    buf_addc(out, ':');
    escape(out, name, ":/");
    if (port != 0)
        buf_printf(out, "/%d", port);
}

/* ---- words to a rule ---- */

static int unknown(struct diag *d, enum status status, const char *what, const char *word,
                   const char *near)
{
    diag_set(d, status, "unknown-word", "unknown %s '%s'", what, word);
    if (near != NULL)
        diag_hint(d, "did you mean '%s'?", near);
    else
        diag_hint(d, "batten help profile");
    return -1;
}

static int read_program(struct rule *r, const char *word, enum status status, struct diag *d)
{
    r->kind = SELECT_PROGRAM;
    r->word = unescape(word, strlen(word));
    if (r->word[0] == '/')
        return 0;
    diag_set(d, status, "program-path", "the program '%s' is not an absolute path", word);
    diag_hint(d, "write program:/usr/sbin/%s", text_basename(word));
    return -1;
}

static int read_rpc(struct rule *r, const char *word, enum status status, struct diag *d)
{
    r->kind = SELECT_RPC;
    r->word = unescape(word, strlen(word));
    return word[0] != '\0' ? 0 : unknown(d, status, "RPC service", word, NULL);
}

static const char *class_nearest(const char *word)
{
    const char *words[256];
    size_t rows, n = 0;
    const struct service *s = catalogue(&rows);

    for (size_t i = 0; i < rows; i++) {
        for (const char *const *c = s[i].classes; *c != NULL && n < ARRAY_LEN(words); c++)
            words[n++] = *c;
    }
    return text_nearest(word, words, n);
}

static int read_class(struct rule *r, const char *word, enum status status, struct diag *d)
{
    r->kind = SELECT_CLASS;
    r->word = mem_strdup(word);
    return catalogue_is_class(word) ? 0 : unknown(d, status, "class", word, class_nearest(word));
}

/* PATH:NAME[/PORT]; the last ':' and '/' count, so that a NAME may be a path or rstatd/1-3. */
static int read_path(struct rule *r, const char *selector, enum status status, struct diag *d)
{
    const char *colon = strrchr(selector, ':');
    const char *slash = strrchr(colon, '/');
    size_t skip = strspn(selector, "/");
    const char *end = colon + strlen(colon);
    long long port;

    r->kind = SELECT_PATH;
    if (slash != NULL && slash > colon + 1 && text_number(slash + 1, 1, 65535, &port) == 0) {
        r->kind = SELECT_PATH_PORT;
        r->port = (int)port;
        end = slash;
    }
    if (selector + skip >= colon || end == colon + 1) {
        diag_set(d, status, "selector", "a path and a name are needed in '%s'", selector);
        diag_hint(d, "write /etc/inetd.conf:telnet");
        return -1;
    }
    r->path = unescape(selector + skip, (size_t)(colon - selector) - skip);
    r->word = unescape(colon + 1, (size_t)(end - colon) - 1);
    return 0;
}

static int read_service(struct rule *r, const char *name, enum status status, struct diag *d)
{
    r->kind = SELECT_NAME;
    r->service = catalogue_find(name);
    return r->service != NULL ? 0 : unknown(d, status, "service", name, catalogue_nearest(name));
}

static int read_starter(struct rule *r, const char *selector, enum status status, struct diag *d)
{
    const char *at = strchr(selector, '@');
    char *name = mem_strndup(selector, (size_t)(at - selector));
    int rc = read_service(r, name, status, d);
    const char *names[16];
    const struct starter *const *all;
    size_t n, known = 0;

    free(name);
    if (rc != 0)
        return -1;
    r->kind = SELECT_STARTER;
    r->word = mem_strdup(at + 1);
    all = starters(&n);
    for (size_t i = 0; i < n && known < ARRAY_LEN(names); i++)
        names[known++] = all[i]->name;
    for (size_t i = 0; i < known; i++) {
        if (strcmp(names[i], r->word) == 0)
            return 0;
    }
    return unknown(d, status, "starter", r->word, text_nearest(r->word, names, known));
}

static int read_port(struct rule *r, const char *selector, enum status status, struct diag *d)
{
    const char *slash = strchr(selector, '/');
    char *number = mem_strndup(selector, (size_t)(slash - selector));
    long long port = 0;
    int rc = text_number(number, 1, 65535, &port);

    free(number);
    if (rc != 0) {
        diag_set(d, status, "selector", "'%s' is not a port", selector);
        diag_hint(d, "write a port and its protocol: 79/tcp");
        return -1;
    }
    r->kind = SELECT_PORT;
    r->port = (int)port;
    if (strcmp(slash, "/tcp") == 0)
        r->proto = "tcp";
    else if (strcmp(slash, "/udp") == 0)
        r->proto = "udp";
    else
        return unknown(d, status, "protocol", slash + 1, slash[1] == 'u' ? "udp" : "tcp");
    return 0;
}

static int read_selector(struct rule *r, const char *selector, enum status status, struct diag *d)
{
    if (text_starts(selector, "program:"))
        return read_program(r, selector + strlen("program:"), status, d);
    if (text_starts(selector, "rpc:"))
        return read_rpc(r, selector + strlen("rpc:"), status, d);
    if (text_starts(selector, "class:"))
        return read_class(r, selector + strlen("class:"), status, d);
    if (strchr(selector, ':') != NULL)
        return read_path(r, selector, status, d);
    if (strchr(selector, '@') != NULL)
        return read_starter(r, selector, status, d);
    if (strchr(selector, '/') != NULL)
        return read_port(r, selector, status, d);
    if (selector[0] != '\0' && strspn(selector, "0123456789") == strlen(selector)) {
        diag_set(d, status, "selector", "the protocol is missing in '%s'", selector);
        diag_hint(d, "write %s/tcp or %s/udp", selector, selector);
        return -1;
    }
    return read_service(r, selector, status, d);
}

int profile_add(struct profile *p, enum verdict verdict, const char *selector, enum status status,
                struct diag *d)
{
    struct rule *r = mem_alloc(sizeof(*r));

    r->selector = mem_strdup(selector);
    if (read_selector(r, selector, status, d) != 0) {
        rule_free(r);
        return -1;
    }
    r->shown.verdict = verdict;
    r->shown.selector = r->selector;
    r->order = p->n;
    p->rules = mem_grow(p->rules, p->n, &p->cap, sizeof(struct rule *));
    p->rules[p->n++] = r;
    return 0;
}

/* ---- a rule against an entry ---- */

const char *entry_base_proto(const struct entry *e)
{
    if (e->proto == NULL)
        return NULL;
    if (strncasecmp(e->proto, "tcp", 3) == 0)
        return "tcp";
    return strncasecmp(e->proto, "udp", 3) == 0 ? "udp" : NULL;
}

int entry_port_by_name(const struct entry *e)
{
    const char *proto = entry_base_proto(e);
    const struct service *s;
    long long number;
    int port = 0;

    if (proto == NULL || e->name == NULL)
        return 0;
    if (text_number(e->name, 1, 65535, &number) == 0)
        return (int)number;
    s = catalogue_find(e->name);
    for (size_t i = 0; s != NULL && s->ports[i].port != 0; i++) {
        if (strcmp(s->ports[i].proto, proto) != 0)
            continue;
        if (port != 0)
            return 0; /* pop is 109 and 110: the name does not tell */
        port = s->ports[i].port;
    }
    return port;
}

static bool selects_rpc(const struct rule *r, const struct entry *e)
{
    const struct service *s;

    if (e->rpc == NULL)
        return false;
    s = catalogue_rpc(r->word);
    return strcmp(e->rpc, r->word) == 0 || (s != NULL && s == catalogue_rpc(e->rpc));
}

static bool selects_class(const struct rule *r, const struct entry *e, const struct service *s)
{
    if (s != NULL && catalogue_has_class(s, r->word))
        return true;
    return strcmp(r->word, "backdoor") == 0 && match_backdoor(e);
}

bool rule_selects(const struct rule *r, const struct entry *e, const struct service *s)
{
    switch (r->kind) {
    case SELECT_CLASS:
        return selects_class(r, e, s);
    case SELECT_NAME:
        return s != NULL && s == r->service;
    case SELECT_STARTER:
        return s != NULL && s == r->service && e->starter != NULL &&
               strcmp(e->starter->name, r->word) == 0;
    case SELECT_RPC:
        return selects_rpc(r, e);
    case SELECT_PORT:
    case SELECT_PROGRAM:
    case SELECT_PATH:
    case SELECT_PATH_PORT:
        break;
    }
    return false;
}
