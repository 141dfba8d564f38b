/*
 * carry.h - from a plan to changed files, followed daemons, a proof and a record
 *
 * What harden, close and rollback share once they have a plan.
 *
 *     struct carry run = {.c = c, .root = root};
 *     carry_begin(&run, &d);                  // history and lock
 *     ... run.plan is made under the lock ...
 *     carry_look(&run, &scan, &d);            // who listens; edits the HUP would publish
 *     status = carry_out(&run, &scan, &d);    // commit, follow, note, text or JSON
 *     carry_release(&run);
 */
#ifndef BATTEN_CLI_CARRY_H
#define BATTEN_CLI_CARRY_H

#include <stdbool.h>

#include "batten/diag.h"
#include "batten/follow.h"
#include "batten/history.h"
#include "batten/plan.h"
#include "batten/txn.h"
#include "deadline.h"
#include "scan.h"

struct cli;

/* A change that was not confirmed in time, and is undone. */
struct expired {
    unsigned change; /* 0: none */
    unsigned by;     /* the change that took it back; 0: none of its edits could go back */
    const char *reason;
    size_t conflicts; /* its edits that could not go back, changed by somebody else since */
};

struct carry {
    struct cli *c;
    struct root *root;       /* borrowed */
    struct history *history; /* owned */
    struct txn *txn;         /* owned */
    struct plan plan;        /* owned */
    struct buf diff;         /* owned */
    bool expiring;           /* this run is the undoing of what was not confirmed */
    struct expired expired;  /* undone first, by carry_begin */
    bool rewatched;          /* the watcher of a waiting change was gone and was started again */
    bool told;               /* what it does was shown already, and agreed to */
    bool looked;
    struct follow_state before;
    struct follow_result result;
    unsigned number;
    struct follow_result left; /* of what a crash had left without its signals */
    struct deadline deadline;  /* change 0: no timer */
    bool reboot_undoes;        /* the boot hook is installed */
    bool only_probe;           /* the timer is there for the probe alone */
    bool own_way_in;           /* this session came in over a service that is closed */
    unsigned waiting;          /* an earlier change that waits to be confirmed, 0: none */
};

/* Open the history for writing and take the lock; undo first what was not confirmed in time. */
int carry_begin(struct carry *run, struct diag *d);

/* On the running host: listeners and processes before the change. Offline: nothing. */
int carry_look(struct carry *run, const struct scan *scan, struct diag *d);

/* Make run->diff. */
int carry_diff(struct carry *run, struct diag *d);

/* Whether every shell of this host that takes a script now takes it after the change too. */
int carry_shells(struct carry *run, const struct scan *scan, struct diag *d);

/* Refuse, with nothing changed: pending edits, this session's own way in. */
int carry_check(struct carry *run, struct diag *d);

/* Carry out run->plan. Text goes to c->out; with --json the caller prints. The three lines to copy
 * are part of it, but for a change that still has its probe before it. */
enum status carry_out(struct carry *run, const struct scan *scan, struct diag *d);

/* The three lines to copy. */
void carry_last_lines(struct carry *run);

void carry_release(struct carry *run);

#endif
