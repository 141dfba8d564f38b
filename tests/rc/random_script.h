/*
 * random_script.h - shell scripts put together at random from the idioms of rc scripts
 *
 *     struct random_script r;
 *     random_script_make(&r, seed);
 *     ...r.text, r.started...
 *     random_script_release(&r);
 *
 * Equal seeds give equal scripts. Every daemon is started in one place at most, so that its name
 * tells which start a line of a log comes from. What a script runs besides are the commands 'other'
 * and 'mark', with a number of their own; a command whose last word is "-fail1" fails.
 */
#ifndef TESTS_RC_RANDOM_SCRIPT_H
#define TESTS_RC_RANDOM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batten/buf.h"

struct random_script {
    struct buf text;
    struct strlist started; /* daemons that some command starts, if it comes to run */
    bool parallel;          /* commands run side by side: the order of the log may vary */
    bool fails;             /* a daemon fails to start */

    uint64_t state;
    struct buf documents; /* the here-documents that begin at the next newline */
    size_t next;          /* daemon */
    unsigned number, depth, order[32];
    bool ended; /* a '&' has ended the command */
};

/* The words that scripts run, blanks between: all daemons, 'other' and 'mark'. */
void random_script_words(struct buf *out);

void random_script_make(struct random_script *r, unsigned long seed);
void random_script_release(struct random_script *r);

#endif
