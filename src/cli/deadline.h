/*
 * deadline.h - a change that is undone unless somebody confirms it
 *
 * The file 'deadline' in the state directory names the change, its token and the moment, counted by
 * the clock since boot (CLOCK_BOOTTIME) of one boot id; another boot id means expired. It is
 * written before the first byte of the change and removed by whoever decides: confirm, the watcher,
 * a rollback. Confirmed-commit semantics after RFC 6241, section 8.4.
 *
 *     deadline_arm(&dl, history, change, 300000, &d);
 *     ... the change ...
 *     deadline_read(&dl, history, &d)       // ROOT_ABSENT: somebody decided
 */
#ifndef BATTEN_CLI_DEADLINE_H
#define BATTEN_CLI_DEADLINE_H

#include <stdbool.h>

#include "batten/history.h"

struct cli;
struct root;

#define DEADLINE_FILE "deadline" /* in the state directory */

struct deadline {
    unsigned change;
    char token[7];
    char boot[37];
    long long at_ms; /* on the clock since boot */
    bool for_probe;  /* nobody asked for a timer: its probe decides, and this is for a crash */
};

/* Write the file with a fresh token and start the watcher; on failure neither is left. OUT says
 * whether it is for a probe. */
int deadline_arm(struct deadline *out, struct history *h, const struct cli *c, unsigned change,
                 struct diag *d);

/* ROOT_OK, ROOT_ABSENT, or ROOT_ERROR when the file is not one of ours. */
enum root_result deadline_read(struct deadline *out, struct history *h, struct diag *d);

int deadline_clear(struct history *h, struct diag *d);

/* Milliseconds left; 0 when over or another boot. */
long long deadline_left(const struct deadline *dl);

/* Clear it under the lock. 1: it is kept; 0: somebody decided before; -1 with D: no lock, or it
 * cannot be cleared. */
int deadline_confirm(struct root *root, struct history *h, const struct deadline *dl,
                     struct diag *d);

/* How many edits CHANGE has (0: there is no such change), and how many of them are in effect. */
int deadline_standing(struct history *h, unsigned change, size_t *edits, size_t *standing,
                      struct diag *d);

/* On a terminal: count down; Enter confirms when MAY_ENTER. DONE when confirmed (here or from
 * another session), FAILED when the time ran out and the change was undone. The lock must not be
 * held. */
enum status deadline_wait(struct cli *c, struct root *root, struct history *h,
                          const struct deadline *dl, bool may_enter);

#endif
