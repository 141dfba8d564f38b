/*
 * screen.h - lines of text that fit a terminal of any width
 *
 * Untrusted text is made safe first; widths are columns, so that wide characters do not break the
 * layout. Pure: everything goes to a buf.
 *
 *     struct screen s = {.out = &text, .c = c, .width = 80, .height = 24};
 *     screen_rule(&s, "2 of 7", "high risk");
 *     screen_field(&s, "what", sentence);
 */
#ifndef BATTEN_CLI_SCREEN_H
#define BATTEN_CLI_SCREEN_H

#include <stddef.h>

#include "batten/buf.h"
#include "render.h"

struct screen {
    struct buf *out;
    const struct cli *c; /* for colours */
    unsigned width, height;
};

/* "--- LEFT ------ RIGHT ---" over the whole width; RIGHT may be NULL. */
void screen_rule(struct screen *s, const char *left, const char *right);

/* "  LABEL     TEXT", wrapped at blanks, its further lines indented alike. Nothing when TEXT is
 * NULL. */
void screen_field(struct screen *s, const char *label, const char *text);
void screen_field_role(struct screen *s, const char *label, enum role role, const char *text);

/* TEXT (at most 1,600 columns of it) wrapped at blanks, every line but the first indented by INDENT
 * columns, the first by FIRST.
 */
void screen_para(struct screen *s, unsigned first, unsigned indent, enum role role,
                 const char *text);

/* A line of a file: cut at the width wherever that is, at most ROWS rows of it. */
void screen_verbatim(struct screen *s, unsigned indent, enum role role, const char *bytes,
                     size_t len, unsigned rows);

/* TEXT made safe and, if it is wider than WIDTH columns, cut with "..". */
void screen_cut(struct buf *out, const char *text, size_t width);

void screen_blank(struct screen *s);

/* The newlines in TEXT. */
unsigned screen_rows(const struct buf *text);

#endif
