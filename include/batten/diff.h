/*
 * diff.h - unified diffs, as git writes them
 *
 * 'a/PATH' and 'b/PATH' headers, so that patch -p1 takes them.
 *
 *     struct buf text = BUF_INIT;
 *     diff_unified(&text, "etc/inetd.conf", old, old_len, new, new_len, &d);
 */
#ifndef BATTEN_DIFF_H
#define BATTEN_DIFF_H

#include <stddef.h>

#include "batten/buf.h"

struct diag;
struct plan;

/* Append the diff with three lines of context; nothing when the bytes are the same. */
int diff_unified(struct buf *out, const char *path, const struct buf *before,
                 const struct buf *after, struct diag *d);

/* The diff of every file of PLAN. */
int diff_plan(struct buf *out, const struct plan *plan, struct diag *d);

#endif
