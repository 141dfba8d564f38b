/*
 * inetd_case.h - for tests: the text of an inetd.conf, read in one dialect, and edited
 *
 *     struct inetd_case c;
 *     case_text(&c, "openbsd", "telnet stream tcp nowait root /x x\n");
 *     assert_string_equal(c.parse.entries.v[0]->name, "telnet");
 *     case_free(&c);
 */
#ifndef TESTS_INETD_CASE_H
#define TESTS_INETD_CASE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "batten/buf.h"
#include "batten/dialect.h"
#include "batten/edit.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/starter.h"
#include "batten/text.h"

struct inetd_case {
    struct buf bytes;
    char *path;
    struct source source;
    struct netdb *db;
    struct parse parse;
};

static inline const struct starter *case_starter(void)
{
    size_t n;
    const struct starter *const *all = starters(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->name, "inetd") == 0)
            return all[i];
    fail_msg("no starter 'inetd'");
    return NULL;
}

static inline void case_parse(struct inetd_case *c, const char *dialect, const char *path)
{
    c->path = mem_strdup(path);
    c->db = netdb_new();
    if (c->bytes.data == NULL)
        buf_adds(&c->bytes, "");
    c->source = (struct source){c->path, c->bytes.data, c->bytes.len};
    c->parse = (struct parse){.dialect = dialect_find(dialect), .db = c->db};
    assert_non_null(c->parse.dialect);
    c->parse.starter = case_starter();
    c->parse.starter->parse(&c->parse, &c->source);
}

static inline void case_bytes(struct inetd_case *c, const char *dialect, const char *bytes,
                              size_t len)
{
    *c = (struct inetd_case){0};
    buf_add(&c->bytes, bytes, len);
    case_parse(c, dialect, "etc/inetd.conf");
}

static inline void case_text(struct inetd_case *c, const char *dialect, const char *text)
{
    case_bytes(c, dialect, text, strlen(text));
}

static inline bool case_load(struct buf *out, const char *path)
{
    char block[65536];
    size_t n;
    FILE *f = fopen(path, "rb");

    if (f == NULL)
        return false;
    while ((n = fread(block, 1, sizeof(block), f)) > 0)
        buf_add(out, block, n);
    fclose(f);
    return true;
}

static inline void case_file(struct inetd_case *c, const char *dialect, const char *path)
{
    *c = (struct inetd_case){0};
    if (!case_load(&c->bytes, path))
        fail_msg("cannot read '%s'", path);
    case_parse(c, dialect, path);
}

static inline void case_free(struct inetd_case *c)
{
    parse_release(&c->parse);
    netdb_free(c->db);
    buf_release(&c->bytes);
    free(c->path);
}

static inline int case_end(void **state)
{
    (void)state;
    lens_shutdown();
    return 0;
}

static inline struct entry *case_at(const struct inetd_case *c, unsigned line)
{
    for (size_t i = 0; i < c->parse.entries.n; i++)
        if (c->parse.entries.v[i]->line == line)
            return c->parse.entries.v[i];
    return NULL;
}

/* The bytes of a word so that they fit into one column of a text. */
static inline void case_word(struct buf *out, const char *word)
{
    for (; word != NULL && *word != '\0'; word++)
        if (*word > ' ' && *word < 127 && *word != '\\')
            buf_addc(out, *word);
        else
            buf_printf(out, "\\x%02x", (unsigned char)*word);
    if (word == NULL)
        buf_addc(out, '-');
}

/* What was found, a line for each entry and problem: "8-9 on finger /etc/fingerd", "+locked" where
 * it must not be edited, "12 problem unknown-line". */
static inline void case_describe(const struct inetd_case *c, struct buf *out)
{
    for (size_t i = 0; i < c->parse.entries.n; i++) {
        const struct entry *e = c->parse.entries.v[i];

        buf_printf(out, "%u", e->line);
        if (e->last_line != e->line)
            buf_printf(out, "-%u", e->last_line);
        buf_printf(out, " %s ", e->enabled ? "on" : "off");
        case_word(out, e->name);
        buf_addc(out, ' ');
        if (e->flags & ENTRY_INTERNAL)
            buf_adds(out, "internal");
        else
            case_word(out, e->program);
        buf_adds(out, e->locked ? " +locked\n" : "\n");
    }
    for (size_t i = 0; i < c->parse.problems.n; i++)
        buf_printf(out, "%u problem %s\n", c->parse.problems.v[i].line,
                   c->parse.problems.v[i].code);
}

/* The bytes with a '#' in front of each line of the entries marked in WANTED: what disabling must
 * give, made without the program's own edit. */
static inline void case_expected(const struct inetd_case *c, const bool *wanted, struct buf *out)
{
    size_t line = 1, at = 0, len = c->bytes.len;

    while (at < len) {
        const char *newline = memchr(c->bytes.data + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - c->bytes.data) + 1 : len;
        bool hit = false;

        for (size_t i = 0; i < c->parse.entries.n && !hit; i++)
            hit = wanted[i] && line >= c->parse.entries.v[i]->line &&
                  line <= c->parse.entries.v[i]->last_line;
        if (hit)
            buf_addc(out, '#');
        buf_add(out, c->bytes.data + at, end - at);
        at = end;
        line++;
    }
}

/* Disable the entries marked in WANTED that can be; checks the bytes and the proof; unmarks those
 * that cannot. Returns how many were disabled. */
static inline size_t case_disable(struct inetd_case *c, bool *wanted)
{
    const struct entry **gone = mem_array(c->parse.entries.n + 1, sizeof(struct entry *));
    struct buf after = BUF_INIT, want = BUF_INIT;
    struct edits edits = {0};
    struct diag d = DIAG_INIT;
    struct source source;
    size_t n = 0;

    for (size_t i = 0; i < c->parse.entries.n; i++) {
        struct entry *e = c->parse.entries.v[i];

        wanted[i] = wanted[i] && e->enabled && e->locked == NULL;
        if (!wanted[i])
            continue;
        if (e->starter->disable(&c->parse, e, &edits, &d) != 0)
            fail_msg("%s:%u: %s", c->path, e->line, d.message);
        gone[n++] = e;
    }
    if (edits_apply(&c->source, &edits, &after, &d) != 0)
        fail_msg("%s: %s", c->path, d.message);
    case_expected(c, wanted, &want);
    if (!buf_equal(&after, buf_str(&want), want.len))
        fail_msg("%s: other bytes than '#' in front of the lines", c->path);
    source = (struct source){c->path, after.data ? after.data : want.data, after.len};
    if (n > 0 && starter_prove(&c->parse, &c->source, &edits, &source, gone, n, &d) != 0)
        fail_msg("%s (%s):%u: %s", c->path, dialect_name(c->parse.dialect), d.line, d.message);
    edits_release(&edits);
    buf_release(&after);
    buf_release(&want);
    free(gone);
    return n;
}

/* The names in DIR that end in SUFFIX, sorted, with DIR in front. */
static inline void case_list(struct strlist *out, const char *dir, const char *suffix)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name), end = strlen(suffix);

        if (e->d_name[0] != '.' && len >= end && strcmp(e->d_name + len - end, suffix) == 0)
            strlist_addf(out, "%s/%s", dir, e->d_name);
    }
    if (d != NULL)
        closedir(d);
    strlist_sort(out);
}

#endif
