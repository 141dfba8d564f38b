/*
 * watcher.h - the process that undoes a change nobody confirmed
 *
 * A fresh run of batten in a session of its own. It holds a lock on the file 'deadline' for as long
 * as it lives, so that anybody can see whether it does.
 *
 *     watcher_start(c, history, token, &d);   // returns when it watches
 *     if (!watcher_lives(history)) ...        // it was killed
 */
#ifndef BATTEN_CLI_WATCHER_H
#define BATTEN_CLI_WATCHER_H

#include <stdbool.h>

struct cli;
struct diag;
struct history;

/* Start one for the deadline with TOKEN, which is written already, on the root and history of C. */
int watcher_start(const struct cli *c, struct history *h, const char *token, struct diag *d);

/* Whether one watches the deadline of H. */
bool watcher_lives(struct history *h);

#endif
