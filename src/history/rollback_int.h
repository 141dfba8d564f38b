/*
 * rollback_int.h - what the files rollback*.c share
 */
#ifndef BATTEN_HISTORY_ROLLBACK_INT_H
#define BATTEN_HISTORY_ROLLBACK_INT_H

#include "batten/rollback.h"
#include "history_int.h"

/* A text cut into lines. A final line without newline is given one, so that a line appended to the
 * file later does not make it another line; CUT says so. */
struct lines {
    struct buf text;
    size_t *starts; /* N + 1 of them: the last is the end of the text */
    size_t n;
    bool cut;
};

void lines_make(struct lines *l, const char *bytes, size_t len);
void lines_release(struct lines *l);

/* The bytes of COUNT lines from line FIRST (from 0); they must be there. */
const char *lines_at(const struct lines *l, size_t first, size_t count, size_t *len);

/* Lines before a range that counts as a unified diff does (a count of 0 stands behind LINE). */
size_t lines_before(unsigned line, unsigned count);

/* How the lines of an edit stand in the file as it is now. */
enum standing {
    STANDS,     /* as batten wrote them, at FIRST, COUNT lines */
    TAKEN_BACK, /* the old bytes are there already */
    CONFLICT,   /* neither */
};

/* One file at one commit, against the file as it is now. */
struct version {
    char id[REPO_ID];
    char *path;
    struct lines then, before; /* after the commit, before it */
    struct hunks hunks;        /* from THEN to now */
    bool damaged;              /* the history does not hold it */
};

struct mapped {
    enum standing standing;
    size_t first, count; /* lines of the file now: the edit's, or what stands in their place */
    const char *old;     /* the bytes that go back, borrowed from the version; NULL: not there */
    size_t old_len;
    const char *wrote; /* what batten wrote, borrowed as well */
    size_t wrote_len;
};

/* Where the lines that EDIT (an edit of VERSION's commit) wrote stand in NOW. Returns what that
 * took: a hunk passed is 1. */
size_t version_map(const struct version *v, const struct history_edit *edit,
                   const struct lines *now, struct mapped *out);

/* Read VERSION for commit ID and PATH and compare it with NOW. */
int version_load(struct version *v, struct history *h, const char *id, const char *path,
                 const struct lines *now, struct diag *d);
void version_release(struct version *v);

/* One file as it is now. */
struct current {
    char *path;
    const struct source *source; /* NULL: gone or not readable */
    char *why;                   /* then why */
    struct lines lines;
    size_t *claimed; /* per line: the candidate, from 1, whose edit stands there; 0 none */
    bool touched;    /* an edit of the plan is in it */
};

/* One edit in effect, and how it stands. */
struct candidate {
    size_t effect; /* the anchor, an index into effects */
    size_t undo;   /* the edit that is taken back with it; chosen ones only */
    const struct history_edit *anchor;
    struct current *file; /* NULL until mapped */
    enum standing standing;
    size_t first, count; /* as in struct mapped */
    char *old;           /* the bytes that go back; NULL: the history does not hold them */
    size_t old_len;
    char *wrote;     /* a conflict's: what batten wrote, made short */
    bool superseded; /* a newer edit stands on the same lines */
    bool mapped;
    bool chosen;
};

struct rollback {
    struct history *h;
    const struct rollback_request *request;
    rollback_read *read;
    void *ctx;
    struct history_changes changes;
    struct effects effects;
    struct current **files;
    size_t nfiles, cap_files;
    struct version version; /* the one loaded last; its path is NULL before */
    struct candidate *v;    /* newest anchor first */
    size_t n;
    size_t settled; /* those before are mapped where their edit is in effect, and claimed */
    unsigned long long work;
    size_t held;   /* bytes kept in the candidates */
    bool line_now; /* --entry: an edit stands on the line as it is now */
};

/* The plan that takes the chosen candidates back. */
int rollback_make(struct plan *plan, struct rollback *r, struct diag *d);

/* The start of BYTES as a message shows it. */
void rollback_shown(struct buf *out, const char *bytes, size_t len);

#endif
