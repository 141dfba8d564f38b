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
    const char *old;     /* the bytes that go back, borrowed from the version */
    size_t old_len;
};

/* Where the lines that EDIT (an edit of VERSION's commit) wrote stand in NOW. */
void version_map(const struct version *v, const struct history_edit *edit, const struct lines *now,
                 struct mapped *out);

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
};

/* One edit in effect, and how it stands. */
struct candidate {
    size_t effect; /* the anchor, an index into effects */
    size_t undo;   /* the edit that is taken back with it; chosen ones only */
    const struct history_edit *anchor;
    struct current *file; /* NULL until mapped */
    struct mapped at;
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
    struct version **versions;
    size_t nversions, cap_versions;
    struct candidate *v; /* newest anchor first */
    size_t n;
    bool line_now; /* --entry: an edit stands on the line as it is now */
};

/* The plan that takes the chosen candidates back. */
int rollback_make(struct plan *plan, struct rollback *r, struct diag *d);

/* The version of C's file that its anchor's commit wrote; NULL on error. Borrowed. */
struct version *rollback_version(struct rollback *r, const struct candidate *c, struct diag *d);

#endif
