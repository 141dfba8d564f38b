/*
 * walk.h - is this history as batten makes it?
 *
 * A history inside an image may be made to attack whoever reads it. Before libgit2 sees it every
 * entry is looked at through host/root: only directories and single-link files of ours (or root's),
 * with names that a bare repository of batten's has; no symlink, no commondir, worktrees,
 * alternates, grafts, attributes or hooks; config and HEAD byte-equal to ours; refs that are ids.
 * What `git gc` makes (packs, packed-refs) is accepted.
 */
#ifndef BATTEN_HISTORY_WALK_H
#define BATTEN_HISTORY_WALK_H

#include <stdbool.h>

struct diag;
struct root;

/* REPO is the directory history.git. *LITTER: a crash left temporary files in it. Fails with
 * STATUS_REFUSED, code "hostile-history". */
int walk_check(const struct root *repo, bool *litter, struct diag *d);

#endif
