/*
 * back.h - taking changes back, for rollback, the confirm timer and a failed probe
 *
 *     struct back b = {.c = c, .run = {.c = c}};
 *     survey_root(&b.root, c, &d), b.run.root = b.root, carry_begin(&b.run, &d);
 *     back_plan(&b, &request, &d);           // b.run.plan, b.run.diff
 *     carry_look(&b.run, &b.scan, &d), carry_out(&b.run, &b.scan, &d);
 *     back_release(&b);
 */
#ifndef BATTEN_CLI_BACK_H
#define BATTEN_CLI_BACK_H

#include "batten/diag.h"
#include "batten/rollback.h"
#include "carry.h"
#include "scan.h"

struct cli;

/* One rollback: the files it touches are read besides those the starters know, since a history may
 * name a file that no starter reads any more. */
struct back {
    struct cli *c;
    struct root *root;
    struct scan scan;
    struct carry run;
    struct strlist wanted; /* services that are on already and are to stay so */
};

/* Plan, and what the files will predict after it. */
int back_plan(struct back *b, const struct rollback_request *r, struct diag *d);
void back_release(struct back *b);

/* *OLDER: the newest change before CHANGE of which something can go back; 0: none. B's root and
 * history are looked at, its plan is left as it is. */
int back_older(struct back *b, unsigned change, unsigned *older, struct diag *d);

/* The daemons follow what a crash left without its signals: each such change is planned as the
 * rollback that would take it back, turned round. RUN has the lock; what came of it is added to
 * run->left. */
int back_follow_left(struct carry *run, struct diag *d);

/* Why a change that waited was undone; these are the words of the history. */
#define EXPIRED_TIME  "not confirmed in time"
#define EXPIRED_BOOT  "not confirmed before the reboot"
#define EXPIRED_PROBE "the probe failed"

/* Undo the change that waits under TOKEN, if it still does (NULL: whatever waits), and clear the
 * deadline. Takes the lock. REASON is one of the above; it goes into the history and to syslog.
 * DONE with nothing changed when somebody decided meanwhile; FAILED when it was undone, *OUT (or
 * NULL) then says what; INCOMPLETE when it could not be. */
enum status back_expire(struct cli *c, const char *token, const char *reason, struct expired *out,
                        struct diag *d);

/* What was undone: as a failure of the command, or on stderr beside what the command does. */
void back_expired(const struct expired *x, struct diag *d);
void back_say_expired(const struct expired *x);

/* Whether C is such an undoing. */
bool back_is_expiry(const struct history_change *c);

#endif
