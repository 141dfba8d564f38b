/*
 * replace.h - the only writer of files that daemons or shells read
 *
 * A batch: stage every new content, then swap each in with one rename exchange, then clear up. The
 * staged files live in etc/.batten (0700, no daemon reads it) on the same mount, with the owner,
 * mode and extended attributes of the file they replace, fsynced. Nothing is written in place.
 *
 *     struct replace *r = replace_new(root);
 *     replace_stage(r, "etc/inetd.conf", old, &meta, new, &d);   // nothing visible yet
 *     replace_swap(r, &d);          // point of no return at its first exchange
 *     replace_finish(r, &d);        // old contents removed, directories synced
 *     replace_free(r);              // before swap: removes what was staged
 */
#ifndef BATTEN_REPLACE_H
#define BATTEN_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/root.h"

struct replace;

/* What is said yes to on the command line. */
enum replace_flag { REPLACE_BREAK_LINKS = 1 << 0 };

/* Ask, before any write, whether PATH can be replaced: immutable flag, bind mount, read-only mount,
 * more than one hard link, free space for LEN bytes. Fails with STATUS_ATTENTION (hard links) or
 * STATUS_SYSTEM and a hint. */
int replace_check(struct root *root, const char *path, const struct file_meta *meta, size_t len,
                  unsigned flags, struct diag *d);

struct replace *replace_new(struct root *root);

/* Stage LEN new BYTES for PATH, whose content was OLD (OLDLEN bytes) with META when it was read.
 * NEWMETA is the metadata the new file gets, NULL: META's. The file is never more readable than it
 * ends up. */
struct replace_file {
    const char *path; /* as read; resolved inside the root again */
    const char *old;
    size_t old_len;
    const struct file_meta *meta;
    const char *bytes;
    size_t len;
    const struct file_meta *new_meta;
};
int replace_stage(struct replace *r, const struct replace_file *file, struct diag *d);

/* Exchange all staged files in, in order. What comes out of each is compared with OLD; a foreign
 * content is exchanged back. When one fails, those already in are exchanged back (STATUS_REFUSED,
 * code "changed-since", or STATUS_SYSTEM; *UNDONE true) or, if even that fails, left for recover
 * (STATUS_INCOMPLETE). */
int replace_swap(struct replace *r, struct diag *d);

int replace_finish(struct replace *r, struct diag *d);
void replace_free(struct replace *r);

#endif
