/*
 * source.h - the bytes of one file that a starter reads
 *
 * Plain data: whoever reads files (cli/scan, through root.h) fills it; starters and policy only
 * look. Paths are relative to the root and have no leading slash: "etc/inetd.conf".
 */
#ifndef BATTEN_SOURCE_H
#define BATTEN_SOURCE_H

#include <stddef.h>

/* Larger files are audited as a problem and never read whole. */
enum { SOURCE_MAX = 4 * 1024 * 1024, SOURCE_LINE_MAX = 64 * 1024 };

struct source {
    char *path;
    char *bytes; /* LEN bytes and a NUL behind them; may hold NULs of its own */
    size_t len;
};

#endif
