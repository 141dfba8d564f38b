/*
 * dialect.h - how each inetd reads its file
 *
 * One const row per dialect; the cutter and the predictor are driven by it. openbsd, inetutils and
 * busybox are checked against the real daemons; freebsd, netbsd and classic after their man pages
 * and sources.
 */
#ifndef BATTEN_DIALECT_H
#define BATTEN_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

struct dialect; /* opaque outside starters/ */

/* The dialect of that name ("openbsd", "inetutils", "busybox", "freebsd", "netbsd", "classic"), or
 * NULL. Borrowed. */
const struct dialect *dialect_find(const char *name);

const char *dialect_name(const struct dialect *d);

/* All names, for messages; borrowed; *N gets the count. */
const char *const *dialect_names(size_t *n);

/* Paths whose presence in a root tells the dialect, most telling first: the first that is there
 * decides. */
struct dialect_sign {
    const char *dialect;
    const char *path; /* relative to the root */
};
const struct dialect_sign *dialect_signs(size_t *n);

/* The dialect that the text of an inetd.conf alone speaks for (NAME on KEY = VALUE, swait, no user
 * column ...), or NULL when it says nothing: the first line that tells decides, commented-out
 * entries count as well. For roots with no daemon installed. */
const struct dialect *dialect_from_text(const char *bytes, size_t len);

/* The dialect assumed when nothing tells: "openbsd" on Linux roots. */
const struct dialect *dialect_default(void);

#endif
