/*
 * lens.h - Augeas, and nothing else, behind a few calls
 *
 * The only user of libaugeas. Text goes in by aug_text_store and comes out by aug_text_retrieve; no
 * file but the lens modules is ever opened and nothing is ever saved. Text is fed in pieces of at
 * most LENS_LINES logical lines, because Augeas is quadratic in siblings.
 *
 * There is one tree at a time. PATH is an Augeas path expression relative to it: "2/disabled",
 * "*", "line[3]". Node numbers are those of the last lens_match, from 0.
 *
 *     struct lens *lens = lens_get_shared(&d);
 *     lens_store(lens, "Batten_Inetd.edit", text, len, &d);
 *     lens_insert(lens, "1/body", "disabled", true, &d);
 *     lens_retrieve(lens, "Batten_Inetd.edit", &out, &d);
 */
#ifndef BATTEN_LENS_H
#define BATTEN_LENS_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"

struct diag;
struct lens;

enum { LENS_LINES = 64 };

/* The bytes up to this one no lens can carry: text with a NUL cannot be passed, and Augeas uses 1
 * to 4 in its own encoding of a tree (a 4 in a value makes it abort). */
enum { LENS_BYTE_MAX = 4 };

/* Where the modules are loaded from. Set once by main before the first use: the directory of the
 * build tree when run in place, else the installed one. Copied. Default: "lenses". */
void lens_set_dir(const char *dir);

/* One process-wide instance, opened at first use; NULL with D set when Augeas or the directory
 * fails. Borrowed; lens_shutdown frees it. */
struct lens *lens_get_shared(struct diag *d);
void lens_shutdown(void);

/* Whether a lens can carry the bytes there and back. */
bool lens_carries(const char *text, size_t len);

/* Read TEXT with the lens NAME ("Module.lens"); its tree takes the place of the one before. A
 * missing final newline is added, and taken away again by lens_retrieve. Fails with STATUS_REFUSED:
 * "lens-bytes" when the lens cannot carry TEXT, "lens-parse" with line and column in TEXT (no path)
 * when it does not read it; with STATUS_SYSTEM "lens-missing" when the module cannot be loaded. */
int lens_store(struct lens *lens, const char *name, const char *text, size_t len, struct diag *d);

/* Find the nodes PATH matches, in the order of the text. Returns how many, 0 also for a PATH that
 * matches nothing. They stay valid until the tree changes. */
size_t lens_match(struct lens *lens, const char *path);
const char *lens_label(const struct lens *lens, size_t node); /* borrowed; NULL out of range */
const char *lens_value(const struct lens *lens, size_t node); /* borrowed; NULL: none */

/* The bytes of the text given to lens_store that NODE was read from. Returns 0 or -1. */
int lens_span(struct lens *lens, size_t node, size_t *start, size_t *end);

/* The value at PATH, NULL when there is no such single node or it has none. Borrowed until the tree
 * changes. */
const char *lens_get(struct lens *lens, const char *path);

/* Change the tree. Each returns 0, or -1 with D set (STATUS_SYSTEM, "lens-edit"). lens_set makes
 * missing nodes; lens_insert adds an empty node LABEL just before or behind the node at PATH. */
int lens_set(struct lens *lens, const char *path, const char *value, struct diag *d);
int lens_insert(struct lens *lens, const char *path, const char *label, bool before,
                struct diag *d);
int lens_remove(struct lens *lens, const char *path, struct diag *d);

/* Append the text of the tree as it is now: the stored text but for the changes. Fails with
 * STATUS_REFUSED, "lens-put", when the tree is not one the lens can write. */
int lens_retrieve(struct lens *lens, const char *name, struct buf *out, struct diag *d);

#endif
