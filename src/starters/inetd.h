/*
 * inetd.h - what the files of the inetd starter share; private to src/starters
 *
 * Three steps, each in its own files:
 *
 *     inetd_cut      bytes -> logical lines, by dialect           inetd_cut.c
 *     inetd_parse    logical lines -> lens -> entries             inetd_line.c, inetd_parse.c
 *     inetd_finish   entries -> sockets, groups, hang             inetd_predict.c
 *
 * and inetd_disable (inetd_edit.c), which switches one entry off.
 */
#ifndef STARTERS_INETD_H
#define STARTERS_INETD_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/dialect.h"
#include "batten/starter.h"

/* How a dialect reads its file. */
enum dialect_flag {
    DIALECT_HASH_INDENTED = 1 << 0,  /* '#' after blanks starts a comment line */
    DIALECT_HASH_INLINE = 1 << 1,    /* '#' anywhere starts a comment */
    DIALECT_INDENT_JOINS = 1 << 2,   /* a line that starts with a blank goes on with an entry */
    DIALECT_EMPTY_JOINS = 1 << 3,    /* ... and with an empty line: the entry starts there */
    DIALECT_BACKSLASH = 1 << 4,      /* '\' at the end joins the next line, comments' too */
    DIALECT_CR_BLANK = 1 << 5,       /* a CR is a blank, not a part of the last word */
    DIALECT_QUOTES = 1 << 6,         /* "..." and '...' hold blanks and are taken off */
    DIALECT_KEYVALUE = 1 << 7,       /* NAME on KEY = VALUE, ...; */
    DIALECT_INCLUDE = 1 << 8,        /* .include PATTERN */
    DIALECT_IPSEC = 1 << 9,          /* '#@' lines set a policy for the entries behind them */
    DIALECT_ADDRESS = 1 << 10,       /* ADDRESS:SERVICE and default address lines */
    DIALECT_BRACKETS = 1 << 11,      /* [::1]:SERVICE; else the brackets are part of the address */
    DIALECT_ADDRESS_APART = 1 << 12, /* 'ADDRESS: SERVICE ...' on one line */
    DIALECT_NO_USER = 1 << 13,       /* 4.2BSD, Ultrix: there may be no user column */
    DIALECT_DIRECTORY = 1 << 14,     /* every regular file in etc/inetd.d is read as well */
    DIALECT_SHY_BACKSLASH = 1 << 15, /* '\' joins entries only; some daemons of the kin do not */
};

struct dialect {
    const char *name;
    unsigned flags;         /* enum dialect_flag */
    size_t line_max;        /* bytes of a line read at once, the rest is a new line; 0: no limit */
    unsigned predict_flags; /* inetd_predict.c's own */
};

/* ---- the cutter ---- */

/* One logical line: what the daemon takes in one go, over one or more physical lines. */
struct inetd_cut {
    size_t start, end;        /* bytes; END behind the newline. Inside a line after a length cut */
    unsigned line, last_line; /* from 1 */
    bool comment;             /* the daemon drops it: a comment or nothing but blanks */
    bool empty_before;        /* joined to an empty line before START (EMPTY_JOINS) */
    bool joined;              /* holds more than one physical line */
    bool cut;                 /* starts or ends inside a physical line, at the length limit */
    bool too_long;            /* a physical line over SOURCE_LINE_MAX: not read */
};

struct inetd_cuts {
    struct inetd_cut *v;
    size_t n;
    size_t cap;
};

/* All of BYTES as logical lines, in order and without gaps; blank lines behind an entry's last word
 * are lines of their own. Pure, linear, total. */
void inetd_cut(struct inetd_cuts *out, const struct dialect *d, const char *bytes, size_t len);
void inetd_cuts_release(struct inetd_cuts *cuts);

/* Append CUT's text as one line of exactly its length without its last newline: what joins
 * physical lines and what the daemon drops become blanks, so that every offset stays. */
void inetd_flatten(struct buf *out, const struct dialect *d, const char *bytes,
                   const struct inetd_cut *cut);

/* ---- what was read ---- */

enum inetd_kind {
    INETD_ENTRY,   /* NAME SOCKET PROTO WAIT [USER] [PROGRAM ARG...] */
    INETD_KEYED,   /* NAME on KEY = VALUE, ...; */
    INETD_DEFAULT, /* ADDRESS: the default address from here on */
    INETD_INCLUDE, /* .include PATTERN */
    INETD_POLICY,  /* #@ ... */
    INETD_UNKNOWN, /* the daemon looks at it, we do not know what it is */
};

/* One logical line that means something, as written. Entries hang it on entry->detail. All strings
 * are its own. Columns are NULL where the line has none. */
struct inetd_line {
    enum inetd_kind kind;
    const struct source *source;
    unsigned file;            /* its source's place in the order read, from 0 */
    struct entry *entry;      /* NULL unless ENTRY or KEYED */
    unsigned line, last_line; /* physical, from 1 */
    bool active;              /* false: a commented-out entry */

    char **fields; /* the words as the daemon splits them, quotes off; NULL-terminated */
    size_t nfields;
    size_t first_fields; /* those that start on the first physical line */
    bool empty_before;   /* an empty line was joined before it: that is its first physical line,
                            and first_fields is 0 */
    bool cut;            /* starts or ends at the length limit */
    bool cr;             /* a CR ends the last field */

    const char *socket; /* "stream"; borrowed from fields or, keyed, from keys */
    const char *proto;  /* "tcp,sndbuf=16k": raw */
    const char *wait;   /* "nowait.400": raw */
    const char *user;   /* raw; NULL where the line has no such column */
    const char *server; /* raw: "internal", "?/path"; NULL when the line ends before it */
    char *address;      /* ADDRESS of ADDRESS:SERVICE, or of a default line; brackets off where the
                           dialect knows them; NULL when none is written */
    const char *default_address; /* in force here; NULL before the first default line */

    char **keys; /* KEYED: "key", "value", "key", "value", NULL */
    bool off;    /* KEYED: 'off' in place of 'on' */
};

/* Hangs on parse->detail. */
struct inetd_state {
    struct inetd_line **lines; /* all, in the order read; owned */
    size_t nlines;
    size_t cap;
    const struct source **sources; /* all sources, in the order read */
    size_t nsources;
    size_t capsources;
    char *default_address;   /* in force behind the last line read */
    struct strlist defaults; /* every default address met: lines borrow from it */
};

/* The state of P, made at first use. Borrowed. */
struct inetd_state *inetd_state(struct parse *p);

/* The line behind an entry of this starter. Borrowed. */
static inline const struct inetd_line *inetd_line_of(const struct entry *e)
{
    return e->detail;
}

/* The rows of the starter's table (starters.c). */
extern const struct starter starter_inetd;

void inetd_paths(const struct parse *p, struct strlist *patterns);
void inetd_parse(struct parse *p, const struct source *source);
void inetd_finish(struct parse *p); /* inetd_predict.c */
int inetd_disable(const struct parse *p, const struct entry *e, struct edits *edits,
                  struct diag *d);

#endif
