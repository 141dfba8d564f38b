/*
 * plan.h - all edits of a run, and the signals, stops and checks that follow them
 *
 * Pure. Made from findings (harden, close) or from the history (rollback); shown by a dry run,
 * carried out by txn.h and follow.h.
 *
 *     struct plan plan = {0};
 *     plan_make(&plan, parses, nparses, &findings, flags, &d);
 *     ... show ...
 *     plan_release(&plan);
 */
#ifndef BATTEN_PLAN_H
#define BATTEN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/edit.h"
#include "batten/entry.h"
#include "batten/match.h"

struct diag;
struct dialect;
struct parse;

enum plan_kind { PLAN_HARDEN, PLAN_CLOSE, PLAN_ROLLBACK };

/* One source with its new bytes. */
struct plan_file {
    const struct source *source; /* borrowed: what was read */
    struct buf after;
};

/* A socket that the change closes, opens or must leave alone. */
struct plan_socket {
    char *service; /* catalogue name, else the entry's own; owned */
    char *path;    /* where the entry stands; owned */
    unsigned line;
    struct socket_spec spec; /* address owned */
    bool inetd;              /* opened by the super-server, not by a daemon of its own */
};

struct plan_sockets {
    struct plan_socket *v;
    size_t n;
    size_t cap;
};

/* A daemon of its own that the plan stops (harden) or starts again (rollback). */
struct plan_daemon {
    char *service;
    char *program;       /* as the script names it: path or bare name */
    struct strlist argv; /* the start command when it is a plain command of constants; else empty */
    char *path;          /* the script */
    unsigned line;
    bool start; /* to be started again; false: to be stopped */
};

/* A finding that should have been changed and is not. */
struct plan_skip {
    const struct finding *finding; /* borrowed; NULL in a rollback */
    char *path;
    unsigned line;
    const char *code; /* "locked", "ask", "shared-port", "widens", "conflict" */
    char *reason;
};

struct plan {
    enum plan_kind kind;
    char *profile; /* name, NULL for close and rollback */
    char *reason;  /* --reason, or NULL */
    const struct dialect *dialect;
    unsigned undoes; /* rollback: the change taken back (or left in conflict), 0 when several */
    bool recloses;   /* rollback: of a rollback, so that it closes again */
    bool backdoor;   /* rollback: an entry that it turns on is a back door */

    struct edits edits;
    struct plan_file *files; /* only those whose bytes change */
    size_t nfiles, capfiles;

    struct plan_sockets closes, opens, stays;
    struct plan_daemon *daemons;
    size_t ndaemons, capdaemons;
    bool reload; /* the super-server's files change: one HUP */

    struct plan_skip *skips;
    size_t nskips, capskips;
    struct strlist consequences; /* sentences for the person, without a stop */
};

/* What the plan has to know of the run. */
enum plan_flag {
    PLAN_ALL_OR_NOTHING = 1 << 0,
    PLAN_DOVECOT = 1 << 1, /* Dovecot is installed: it opens what inetd no longer does */
};

/* The plan that switches off every enabled finding whose verdict is disable. Each edit is proved
 * (starter_prove); entries that share a port are decided together or skipped with the reason; an
 * edit after which the files would open a socket they do not open now is never made. The caller
 * sets kind, profile and reason, before or after. Fails with STATUS_REFUSED when an edit proof does
 * ("proof-failed"), or when anything but an 'ask' is skipped and PLAN_ALL_OR_NOTHING is set; PLAN
 * is then to be released. PARSES have one starter each; FINDINGS are those of all of them. */
int plan_make(struct plan *plan, const struct parse *parses, size_t nparses,
              const struct findings *findings, unsigned flags, struct diag *d);

/* Take out of PLAN, a rollback, the edits after which another entry would not be what it is now:
 * every enabled entry outside the edits' ranges is to be there with the same name, program, argv
 * and sockets once PARSES (finished) are read with the new bytes, and none is to come to life. Each
 * edit taken out becomes a skip with code "conflict"; plan->files are made anew. */
int plan_guard(struct plan *plan, const struct parse *parses, size_t nparses, struct diag *d);

/* What PLAN's files will do: compares what PARSES (finished) predict now with what the same sources
 * predict once plan->files hold their new bytes, and fills closes, opens, stays, daemons and reload
 * (an rc entry that goes is a daemon to stop, one that comes back a daemon to start). A rollback
 * plan, which is given to it after plan_guard, gets its consequences too, back doors first. */
int plan_compare(struct plan *plan, const struct parse *parses, size_t nparses, struct diag *d);

void plan_sockets_release(struct plan_sockets *list);

void plan_add_skip(struct plan *plan, const struct finding *f, const char *path, unsigned line,
                   const char *code, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void plan_socket_add(struct plan_sockets *list, const char *service, const char *path,
                     unsigned line, const struct socket_spec *spec, bool inetd);
void plan_release(struct plan *plan);

#endif
