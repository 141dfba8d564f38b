/*
 * edit.h - changes to the bytes of a source, and the proof that only they were made
 *
 * Pure. An edit names a byte range of the source as it was read and the bytes that take its place.
 *
 *     struct edits edits = {0};
 *     entry->starter->disable(entry, &edits, &d);
 *     edits_apply(source, &edits, &out, &d);          // splice, from the last to the first
 */
#ifndef BATTEN_EDIT_H
#define BATTEN_EDIT_H

#include <stddef.h>

#include "batten/buf.h"

struct diag;
struct entry;
struct source;

struct edit {
    const struct source *source; /* borrowed */
    const struct entry *entry;   /* the entry it serves, borrowed; NULL in a rollback */
    size_t start, end;           /* byte range in the source, whole physical lines */
    unsigned line, last_line;    /* the physical lines of the range as it was read, from 1 */
    const char *kind;            /* constant: "comment", "colon", "word", "inline" */
    char *before;                /* the bytes of the range, BEFORE_LEN of them */
    size_t before_len;
    char *after;
    size_t after_len;
    char *service;                       /* catalogue name, else the entry's own; set by the plan */
    char *name;                          /* the entry's own name; set by the plan */
    char *ident;                         /* entry_ident of that entry; set by the plan */
    unsigned undoes_change, undoes_edit; /* rollback: the edit it takes back, from 1; 0 for none */
};

struct edits {
    struct edit *v;
    size_t n;
    size_t cap;
};

/* A new edit of SOURCE's bytes [start, end) that copies its before bytes; borrowed until the next
 * call. The caller sets kind, entry, after. */
struct edit *edits_new(struct edits *list, const struct source *source, size_t start, size_t end);
void edits_release(struct edits *list);

/* OUT gets SOURCE's bytes with every edit of LIST that belongs to SOURCE applied. Fails (code
 * "edits-overlap") when two edits overlap or a range is outside the source or its before bytes are
 * not there. The list need not be sorted. */
int edits_apply(const struct source *source, const struct edits *list, struct buf *out,
                struct diag *d);

#endif
