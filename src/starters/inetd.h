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
    bool cut;      /* starts or ends inside a physical line: at the length limit, or keyed
                      and with another entry on its line */
    bool keyed;    /* NAME on KEY = VALUE, ...; */
    bool open;     /* keyed, and no ';' ends it */
    bool too_long; /* over SOURCE_LINE_MAX: not read */
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
 * physical lines and what the daemon drops become blanks, so that every offset stays.
 * (inetd_flat.c)
 */
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

    const char *socket;  /* "stream"; borrowed from fields or, keyed, from keys */
    const char *proto;   /* "tcp,sndbuf=16k": raw */
    const char *wait;    /* "nowait.400": raw */
    const char *user;    /* raw; NULL where the line has no such column */
    const char *server;  /* raw: "internal", "?/path"; NULL when the line ends before it */
    size_t server_field; /* its place in fields; 0 when keyed or absent */
    char *address;       /* ADDRESS of ADDRESS:SERVICE, or of a default line; brackets off where the
                            dialect knows them; NULL when none is written */
    const char *default_address; /* in force here; NULL before the first default line */

    struct strlist keys; /* KEYED: "key", "value", "key", "value"; values of several words joined
                            by blanks */
    struct strlist args; /* KEYED: the words of the 'args' key */
    bool off;            /* KEYED: 'off' in place of 'on' */
};

/* A '.include' met: what it names inherits the default address in force there. */
struct inetd_include {
    char *pattern; /* below the root */
    const char *default_address;
};

/* Hangs on parse->detail. */
struct inetd_state {
    struct inetd_line **lines; /* all, in the order read; owned */
    size_t nlines;
    size_t cap;
    const struct source **sources; /* all sources, in the order read */
    size_t nsources;
    size_t capsources;
    struct strlist defaults;     /* every default address met; the lines borrow from it */
    const char *default_address; /* in force behind the last line read; NULL before the first */
    struct inetd_include *includes;
    size_t nincludes;
    size_t capincludes;
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

/* A word of a logical line: bytes of the source. */
struct inetd_word {
    size_t start, len;
};

/* ---- the reader (inetd_read.c) ---- */

enum inetd_label {
    LABEL_UNKNOWN, /* also where the lens could not be asked */
    LABEL_COMMENT,
    LABEL_DISABLED,
    LABEL_ENTRY,
    LABEL_KEYED,
    LABEL_DEFAULT,
    LABEL_INCLUDE,
    LABEL_BLANK,
};

/* What the lens made of one logical line. */
struct inetd_reading {
    const struct inetd_cut *cut;
    size_t at;        /* of its text in the batch */
    const char *flat; /* the flattened text, up to a newline */
    enum inetd_label label;
    bool off;        /* keyed: 'off' */
    size_t words, n; /* its words, in the reader's */
};

struct inetd_reader {
    struct parse *p;
    const struct source *source;
    struct lens *lens;
    struct inetd_cuts cuts;
    struct inetd_word *words; /* of the batch at hand */
    size_t nwords, capwords;
    size_t done;     /* what starts before this offset was read as a part of something else */
    size_t attempts; /* left at finding a commented-out entry of several lines */
    bool has_nul;
    bool broken; /* the lens failed: one problem says so, and nothing more is read */
};

/* Ask the lens what the N lines of TEXT are; fills in their labels and words. */
void inetd_read_batch(struct inetd_reader *r, const char *text, size_t len,
                      struct inetd_reading *readings, size_t n);

/* Add what one line means to the parse: an entry, a default address, a problem. May use the lens
 * again. */
void inetd_read_line(struct inetd_reader *r, struct inetd_reading *read);

/* Add the entry that a line or a comment is; locked where it must not be edited. */
struct inetd_line *inetd_add_entry(struct inetd_reader *r, const struct inetd_reading *read,
                                   bool active);

/* Add the keyed entry that READ is. False, and nothing added, when its options cannot be read. */
bool inetd_read_keyed(struct inetd_reader *r, struct inetd_reading *read, bool active);

/* ---- commented-out entries (inetd_block.c) ---- */

/* Up to the user, or where there is no such column up to the program. */
enum { INETD_COLUMNS_MIN = 5 };

/* Whether a comment that reads as an entry is one: prose seldom has a protocol, a wait word and a
 * server in the right columns. */
bool inetd_looks_disabled(const struct inetd_reader *r, const struct inetd_reading *read);

/* Look for a commented-out entry that starts at READ and goes on in the comment lines behind it;
 * add it, and mark those lines as done. */
void inetd_read_block(struct inetd_reader *r, const struct inetd_reading *read, bool keyed);

/* Whether WORD starts with one of the PREFIXES (NULL-terminated). */
bool inetd_starts_any(const struct inetd_reader *r, const struct inetd_word *word,
                      const char *const *prefixes);

/* ---- problems (inetd_report.c) ---- */

/* Add a problem at CUT. */
void inetd_report(struct inetd_reader *r, const struct inetd_cut *cut, const char *code,
                  const char *message);
void inetd_report_nul(struct inetd_reader *r);
void inetd_report_unknown(struct inetd_reader *r, const struct inetd_reading *read,
                          const struct inetd_line *line);

/* Add a problem where a line below the entry LINE was meant as an entry, or as a comment, but is
 * arguments. */
void inetd_report_swallowed(struct inetd_reader *r, const struct inetd_reading *read,
                            const struct inetd_line *line);

/* Add the line that CUT of SOURCE was read as, with its N words: the service first, or of a keyed
 * line the service alone. Makes the entry where there is one. Borrowed. (inetd_line.c) */
struct inetd_line *inetd_line_add(struct parse *p, const struct source *source,
                                  const struct inetd_cut *cut, enum inetd_kind kind, bool active,
                                  const struct inetd_word *words, size_t n);
void inetd_line_free(struct inetd_line *line);

/* Add one word of a keyed LINE's options: a key, or a value of the key before it. */
void inetd_line_option(struct parse *p, struct inetd_line *line, bool key, const char *bytes,
                       size_t len);

/* Fill LINE->address from the first field, "HOST:", of a default address line. */
void inetd_line_address(struct parse *p, struct inetd_line *line);

/* The default address from here on. */
void inetd_set_default(struct parse *p, const char *address);

/* Fill the columns and the entry of a keyed LINE from its keys. */
void inetd_line_keys(struct parse *p, struct inetd_line *line);

/* Why batten will not edit the entry that CUT was read as, or NULL. Caller frees. (inetd_edit.c) */
char *inetd_lock(const struct dialect *d, const struct source *source, const struct inetd_cut *cut);

void inetd_paths(const struct parse *p, struct strlist *patterns);
void inetd_parse(struct parse *p, const struct source *source);
void inetd_finish(struct parse *p); /* inetd_predict.c */
void inetd_free_parse(struct parse *p);
void inetd_resume(struct parse *fresh, const struct parse *before, const struct source *source);
int inetd_disable(const struct parse *p, const struct entry *e, struct edits *edits,
                  struct diag *d);

#endif
