/*
 * scan.h - the read loop: every source of every starter, read through the root and parsed
 *
 * The only glue between host and starters: asks each starter for paths, reads them, parses, takes
 * the further paths that includes name, until there are none. Changes nothing.
 *
 *     struct scan scan = {0};
 *     scan_run(&scan, root, &options, &d);
 *     ... scan.parses[i].entries, scan.entries, scan.problems ...
 *     scan_release(&scan);
 */
#ifndef BATTEN_CLI_SCAN_H
#define BATTEN_CLI_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/plan.h"
#include "batten/root.h"
#include "batten/source.h"
#include "batten/starter.h"

struct dialect;
struct netdb;
struct options;

struct scan_file {
    struct source source;
    struct file_meta meta;
};

struct scan {
    struct root *root; /* borrowed */
    struct netdb *db;
    const struct dialect *dialect;
    const char *dialect_why; /* "given", "installed", "the file's own words", "assumed" */

    struct scan_file **files; /* each stays where it is: entries borrow its source */
    size_t nfiles, files_cap;
    struct parse *parses; /* one per starter */
    size_t nparses;

    struct entries entries;   /* those of all starters, borrowed; release only the array */
    struct problems problems; /* of reading; those of parsing stand in the parses */
    bool denied;              /* something could not be read for lack of rights */
    bool unread;              /* something could not be read for another reason */
    size_t total;             /* bytes of all files */
};

int scan_run(struct scan *s, struct root *root, const struct options *o, struct diag *d);
void scan_release(struct scan *s);

/* The file at PATH as it was read, or NULL. */
const struct scan_file *scan_file(const struct scan *s, const char *path);

/* Read PATH besides, as a file no starter knows: kept and found by scan_file from then on. */
enum root_result scan_extra(struct scan *s, const char *path, const struct scan_file **out,
                            struct diag *d);

/* The sockets that the files as they are predict of the super-server; the caller releases. */
void scan_predicted(const struct scan *s, struct plan_sockets *out);

#endif
