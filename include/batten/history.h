/*
 * history.h - every change batten made, in a git repository on the host
 *
 * The state directory (var/lib/batten under the root, 0700) holds history.git, journal, deadline,
 * last.json and undo/N.sh. Changes are numbered from 1. History only grows.
 *
 *     struct history *h;
 *     history_open(&h, root, NULL, HISTORY_READ, &d);
 *     history_list(h, &changes, &d);
 *     history_free(h);
 */
#ifndef BATTEN_HISTORY_H
#define BATTEN_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batten/buf.h"
#include "batten/root.h"

struct diag;
struct history;

enum history_mode {
    HISTORY_READ,  /* absent is no error: an empty history */
    HISTORY_WRITE, /* created when absent */
    HISTORY_NONE,  /* --history none: no record, no trace */
};

/* One edit of a change. Lines count from 1; a count of 0 means between lines. */
struct history_edit {
    char *path;
    unsigned old_line, old_count; /* in the file before the change */
    unsigned new_line, new_count; /* in the file after it */
    char *service;                /* catalogue name or the entry's own */
    char *name;                   /* the entry's own name */
    char *ident;                  /* entry_ident of the entry, "" when not known */
    char *kind;                   /* "comment", "colon", "word", "inline", "revert", "meta" */
    unsigned undoes_change,
        undoes_edit; /* the edit this one takes back, 0 for none; edits from 1 */
    bool in_effect;  /* not taken back since */
};

struct history_change {
    unsigned number; /* 0: a commit 'edited outside batten' */
    char id[41];
    int64_t time; /* seconds since the epoch */
    int offset;   /* minutes east of UTC */
    char *kind;   /* "harden", "close", "rollback", "outside" */
    char *subject;
    char *by;          /* who, or NULL */
    char *profile;     /* or NULL */
    char *reason;      /* or NULL */
    struct strlist rc; /* the --rc files it was made with */
    char *dialect;     /* the inetd dialect that was forced, or NULL */
    char *outcome;     /* the note: JSON text of signals and proof, or NULL */
    struct history_edit *edits;
    size_t nedits;
};

struct history_changes {
    struct history_change *v;
    size_t n;
    size_t cap;
};

/* DIR: the argument of --history, NULL for var/lib/batten under the root. A directory that is there
 * and is not a state directory, or a history that is not as batten makes it (links, hooks,
 * alternates, foreign config), is refused before libgit2 sees it. Caller frees. */
int history_open(struct history **out, struct root *root, const char *dir, enum history_mode mode,
                 struct diag *d);
void history_free(struct history *h);
bool history_is_none(const struct history *h);

/* All changes, newest first, 'outside' commits among them. */
int history_list(struct history *h, struct history_changes *out, struct diag *d);
void history_changes_release(struct history_changes *c);

/* The unified diff of one commit (a/ b/ headers, as git prints it). */
int history_diff(struct history *h, const char *id, struct buf *out, struct diag *d);

/* The content of PATH after commit ID: ROOT_OK, ROOT_ABSENT or ROOT_ERROR. */
enum root_result history_content(struct history *h, const char *id, const char *path,
                                 struct buf *out, struct diag *d);

/* Append the sh script that takes CHANGE back where batten does not run; 0: the newest that is not
 * itself a rollback and has an edit in effect. STATUS_USAGE, code "no-change", when there is none.
 */
int history_script(struct history *h, unsigned change, struct buf *out, struct diag *d);

/* Small files of the state directory, by a constant NAME ("deadline"). Written whole: staged,
 * fsynced, renamed, directory fsynced. Removing one that is not there is no error. */
enum root_result history_state_read(struct history *h, const char *name, struct buf *out,
                                    struct diag *d);
int history_state_write(struct history *h, const char *name, const char *bytes, size_t len,
                        struct diag *d);
int history_state_remove(struct history *h, const char *name, struct diag *d);

/* A descriptor of one of them, to be locked with flock(2); -1 when it is not there. */
int history_state_open(struct history *h, const char *name);

/* Files whose bytes or metadata differ now from what batten last wrote, without opening the git
 * history (last.json). */
struct history_drift {
    char *path;
    unsigned change; /* the newest change that wrote it */
    bool gone;
    bool meta_only;
};
int history_drift(struct history *h, struct history_drift **out, size_t *n, struct diag *d);
void history_drift_free(struct history_drift *v, size_t n);

/* Services that batten closed and has not opened again, also from last.json. */
struct history_closed {
    char *path;
    char *service; /* catalogue name or the entry's own */
    char *name;
    char *ident;
    unsigned change;
    int64_t time;
};
int history_closed(struct history *h, struct history_closed **out, size_t *n, struct diag *d);
void history_closed_free(struct history_closed *v, size_t n);

#endif
