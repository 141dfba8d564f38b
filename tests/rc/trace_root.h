/*
 * trace_root.h - a private, empty root in which a script runs with a stub for every command
 *
 * The stubs are made from the bytes of the script alone, without the scanner: one for every
 * absolute path, every word, and every $VARIABLE/word whose variable is given an absolute path.
 */
#ifndef TESTS_RC_TRACE_ROOT_H
#define TESTS_RC_TRACE_ROOT_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"

/* What [ and test answer; SET: and every variable that the script does not assign is YES, as if the
 * file of settings that it reads said so. */
enum trace_world { TRACE_REAL, TRACE_YES, TRACE_NO, TRACE_SET, TRACE_SET_YES, TRACE_WORLDS };

/* Run SCRIPT (its words also from ALSO, the text it was made of) under the bash in BASE, a
 * directory that holds .x/bash, .x/stub and their libraries. LOG gets a line per command run,
 * sorted. False when it did not come to an end in time. */
bool trace_run(const char *base, const struct buf *script, const struct buf *also,
               enum trace_world world, struct strlist *log);

#endif
