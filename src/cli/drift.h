/*
 * drift.h - what was changed behind batten's back, and which services came back by it
 *
 * From last.json alone: the git history is not opened.
 *
 *     struct drift drift = {0};
 *     drift_look(&drift, history, &scan, &d);
 *     drift_text(c, &drift);
 *     drift_release(&drift);
 */
#ifndef BATTEN_CLI_DRIFT_H
#define BATTEN_CLI_DRIFT_H

#include <jansson.h>
#include <stddef.h>

#include "batten/history.h"
#include "scan.h"

struct cli;

struct drift_open {
    char *path;
    unsigned line;
    char *service;
    char *name;         /* as written */
    char *ident;        /* of what was closed, tells entries of one name apart */
    unsigned closed_by; /* the change that had closed it */
    char *package;      /* whose installation touched the file, or NULL */
};

struct drift {
    struct history_drift *files;
    size_t nfiles;
    struct drift_open *open; /* services turned on again */
    size_t nopen, open_cap;
};

int drift_look(struct drift *out, struct history *h, const struct scan *scan, struct diag *d);
void drift_text(struct cli *c, const struct drift *drift);
void drift_json(json_t *object, const struct drift *drift);
void drift_release(struct drift *drift);

#endif
