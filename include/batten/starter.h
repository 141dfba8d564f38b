/*
 * starter.h - a way services get started: one row per starter
 *
 * A starter is pure: it names the paths it wants, is handed their bytes, and adds entries. Nothing
 * here opens a file. A new starter is one file, one lens and one row in starters.c.
 *
 *     struct parse p = {.dialect = dialect, .db = db};
 *     starter->paths(&p, &wanted);             // glob patterns below the root
 *     for each file read: starter->parse(&p, source);  // adds entries, problems, p.more
 *     starter->finish(&p);                     // sockets and groups over all its files
 */
#ifndef BATTEN_STARTER_H
#define BATTEN_STARTER_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/edit.h"
#include "batten/entry.h"
#include "batten/source.h"

struct netdb;
struct dialect;
struct starter;

struct parse {
    const struct dialect *dialect; /* the inetd dialect of this root; never NULL */
    const struct netdb *db;        /* never NULL, may be empty */

    /* Whether a program of that basename is a daemon batten knows: the catalogue's answer, handed
     * in because starters do not look into policy. Rc scripts make entries of such programs only;
     * NULL: of none. A second parse of the same files (the proof) needs the same one. */
    bool (*is_daemon)(const char *basename);

    /* What was parsed so far, in that order: a starter's parse calls parse_add_source first, so
     * that the same files can be read again with other bytes. */
    const struct source **sources;
    size_t nsources, capsources;

    struct entries entries;
    struct problems problems; /* unknown lines, limits met; each has path, line, column, text */
    struct strlist more;      /* further paths the sources named (include, '.'), maybe globs */
    unsigned char hung;       /* the daemon would spin for ever on these files (facts of openbsd) */
    void *detail;             /* the starter's own, freed by parse_release through the starter */
    const struct starter *starter;
};

void parse_add_source(struct parse *p, const struct source *source);
void parse_release(struct parse *p);

struct starter {
    const char *name; /* "inetd", "rcscript" */

    /* The paths to read, in the order the daemon reads them, as patterns relative to the root in
     * the language of fnmatch(3) with FNM_PATHNAME|FNM_PERIOD off; absent ones are no error. */
    void (*paths)(const struct parse *p, struct strlist *patterns);

    /* Add SOURCE's entries and problems. Never fails: bytes that are not understood are problems.
     * SOURCE must outlive P. Called once per source, in the order the daemon reads them. */
    void (*parse)(struct parse *p, const struct source *source);

    /* After the last source: fill in the sockets each entry opens on a fresh start and the groups
     * of entries that share a port. */
    void (*finish)(struct parse *p);

    /* Append the edits that switch E off. Fails with STATUS_ATTENTION when E is locked or the edit
     * cannot be made safely (nothing appended). */
    int (*disable)(const struct parse *p, const struct entry *e, struct edits *edits,
                   struct diag *d);

    void (*free_detail)(struct entry *e);
    void (*free_parse)(struct parse *p);

    /* Put FRESH, an empty parse, into the state that BEFORE was in when SOURCE's turn came, so that
     * SOURCE can be parsed again alone. NULL where no source depends on the ones before it. */
    void (*resume)(struct parse *fresh, const struct parse *before, const struct source *source);
};

/* All starters, N of them. Borrowed, constant. */
const struct starter *const *starters(size_t *n);

/*
 * The edit proof. BEFORE is what was parsed; BYTES the new bytes of the one source that EDITS
 * change. True only if every byte outside the edits' ranges is the same, and parsing the new bytes
 * gives the same entries, all fields alike, but for exactly the entries in GONE (NGONE of them):
 * those must have become disabled, or be no entry any more. Otherwise fails with STATUS_REFUSED,
 * code "proof-failed", and the place of the first difference.
 */
int starter_prove(const struct parse *before, const struct source *source,
                  const struct edits *edits, const struct source *after,
                  const struct entry *const *gone, size_t ngone, struct diag *d);

#endif
