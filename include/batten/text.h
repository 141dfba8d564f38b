/*
 * text.h - numbers, times, names and untrusted text
 *
 * Pure helpers used in every room.
 *
 *     long long port;
 *     if (text_number(word, 1, 65535, &port) != 0)
 *         ...not a port...
 */
#ifndef BATTEN_TEXT_H
#define BATTEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* The whole of S as a decimal number between MIN and MAX. No sign but '-', no blanks, no trailing
 * text. Returns 0 or -1 (*OUT untouched). */
int text_number(const char *s, long long min, long long max, long long *out);

/* A time with its unit: "500ms", "90s", "5m", "2h"; at most 24 hours. *MS gets milliseconds.
 * Returns 0 or -1. */
int text_duration(const char *s, long long *ms);

/* Append LEN bytes of untrusted text so that a terminal is safe: C0, C1, DEL and invalid UTF-8
 * become \xNN, a tab becomes a blank, bidirectional overrides become \uNNNN. Valid UTF-8 stays. */
void text_safe(struct buf *out, const char *bytes, size_t len);

/* Append LEN bytes as valid UTF-8, each invalid byte as U+FFFD. Returns false if anything had to be
 * replaced (the caller then adds the exact bytes in base64). */
bool text_utf8(struct buf *out, const char *bytes, size_t len);

/* Append LEN bytes with '%', the blank and everything outside printable ASCII as %XX, so that they
 * are one word of a line; and back. text_unescape returns the word without its terminator counted
 * in *LEN, or NULL when it was not made by text_escape; the caller frees. */
void text_escape(struct buf *out, const char *bytes, size_t len);
char *text_unescape(const char *word, size_t *len);

/* Append WORD as one word of a shell command line: plain, in 'single quotes', or as $'...' where it
 * holds a quote or a byte outside printable ASCII, so that a terminal is safe too. */
void text_shell_word(struct buf *out, const char *word);

void text_base64(struct buf *out, const void *bytes, size_t len);

/* Terminal columns that the UTF-8 text takes (wcwidth rules; invalid bytes count 1). */
size_t text_width(const char *s);

/* The word of WORDS (N of them) nearest to S, or NULL when none is near (edit distance over a
 * third of the length). Borrowed from WORDS. */
const char *text_nearest(const char *s, const char *const *words, size_t n);

/* The part after the last '/', as basename(3) of a path without trailing slash. Borrowed. */
const char *text_basename(const char *path);

bool text_starts(const char *s, const char *prefix);

/* Unsigned comparison of two byte strings, as memcmp, the shorter first when equal so far. */
int text_compare(const void *a, size_t alen, const void *b, size_t blen);

#endif
