/*
 * lens.h - Augeas, and nothing else, behind four calls
 *
 * The only user of libaugeas. Text goes in by aug_text_store and comes out by aug_text_retrieve; no
 * file but the lens modules is ever opened and nothing is ever saved. Text is fed in pieces of at
 * most LENS_LINES logical lines, because Augeas is quadratic in siblings.
 *
 *     struct lens *lens = lens_open(dir, &d);
 *     lens_store(lens, "Batten_Inetd.line", text, len, &d)
 *     lens_get(lens, "1/service")
 *     lens_close(lens);
 */
#ifndef BATTEN_LENS_H
#define BATTEN_LENS_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"

struct diag;
struct lens;

enum { LENS_LINES = 64 };

/* Where the modules are loaded from. Set once by main before the first use: the directory of the
 * build tree when run in place, else the installed one. Copied. */
void lens_set_dir(const char *dir);

/* One process-wide instance, opened at first use; NULL with D set when Augeas or the directory
 * fails. Borrowed; lens_shutdown frees it. */
struct lens *lens_get_shared(struct diag *d);
void lens_shutdown(void);

#endif
