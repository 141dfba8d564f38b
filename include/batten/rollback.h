/*
 * rollback.h - take edits back, one by one, without losing what was done since
 *
 * For each edit the lines batten wrote are mapped to the file as it is now through a context-free
 * diff. Untouched: the old bytes go back. Already the old bytes: nothing. Changed or gone: a
 * conflict, left alone and reported.
 */
#ifndef BATTEN_ROLLBACK_H
#define BATTEN_ROLLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/history.h"
#include "batten/plan.h"
#include "batten/source.h"

struct diag;

struct rollback_request {
    unsigned change;     /* 0: the newest change, not itself a rollback, with an edit in effect */
    const char *service; /* or NULL */
    const char *path;    /* --entry PATH:LINE, or NULL; LINE in the file as it is now or was then */
    unsigned line;
    unsigned before; /* bare: the newest older than this of which something stands; 0: any */
    bool line_now;   /* --entry: LINE in the file as it is now, and never as it was then */
    bool all;
    const char *reason;
};

/* The bytes of a file as it is now: ROOT_OK with **OUT borrowed, ROOT_ABSENT, ROOT_ERROR. */
typedef enum root_result rollback_read(void *ctx, const char *path, const struct source **out,
                                       struct diag *d);

/* Make the plan. An empty plan (no edits, no skips) means nothing to roll back. Conflicts are
 * skips with code "conflict", reason naming both sides. */
int rollback_plan(struct plan *plan, struct history *h, const struct rollback_request *request,
                  rollback_read *read, void *ctx, struct diag *d);

#endif
