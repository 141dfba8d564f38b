/*
 * diag.h - what went wrong, where, and what to do about it
 *
 * A function that can fail takes a struct diag and returns 0 or -1. It fills the diag where the
 * failure happens; callers pass it up unchanged. The first error wins: filling a diag that is
 * already set changes nothing. The same struct describes a problem, which is reported and does not
 * stop the run (struct problems below).
 *
 * Messages: lower case, no full stop, the problem first, the subject in 'single quotes'.
 *
 *     if (fd < 0) {
 *         diag_set(d, STATUS_SYSTEM, "open-failed", "cannot open '%s': %s", path, strerror(errno));
 *         diag_at(d, path, 0, 0);
 *         diag_hint(d, "run as root: sudo batten audit");
 *         return -1;
 *     }
 */
#ifndef BATTEN_DIAG_H
#define BATTEN_DIAG_H

#include <stdbool.h>
#include <stddef.h>

/* The exit statuses. They are an interface (batten(8), EXIT STATUS). */
enum status {
    STATUS_DONE = 0,       /* done, or nothing to do */
    STATUS_CHANGES = 1,    /* audit or dry run found something to change */
    STATUS_USAGE = 2,      /* wrong use */
    STATUS_REFUSED = 3,    /* refused, nothing at all changed */
    STATUS_SYSTEM = 4,     /* system error, not permitted, lock held: nothing changed */
    STATUS_FAILED = 5,     /* failed and rolled back, or the timer ran out */
    STATUS_INCOMPLETE = 6, /* incomplete, run 'batten recover' */
    STATUS_ATTENTION = 7,  /* done, but something needs a human */
};

/* Where several statuses apply, the one that wins: 6 5 4 3 2 7 1 0. */
enum status status_worse(enum status a, enum status b);

struct diag {
    enum status status; /* STATUS_DONE: not set */
    const char *code;   /* a constant word for programs: "unknown-line" */
    char *path;         /* NULL where no file is concerned */
    unsigned line;      /* from 1; 0 unknown */
    unsigned column;    /* byte column from 1; 0 unknown */
    char *text;         /* the offending line, for the caret; may be NULL */
    char *message;
    char *hint; /* one runnable line, or NULL */
};

#define DIAG_INIT                                                                                  \
    {                                                                                              \
        STATUS_DONE, NULL, NULL, 0, 0, NULL, NULL, NULL                                            \
    }

static inline bool diag_isset(const struct diag *d)
{
    return d->message != NULL;
}

/* Fill D unless it is set. CODE must be a constant. D may be NULL. Always returns -1, so that a
 * function can end with it. A message of more than 1000 bytes is cut. */
int diag_set(struct diag *d, enum status status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Add a place, the text of the line (LEN bytes, cut at 4096), a hint. Each is kept only if D is set
 * and has none yet. */
void diag_at(struct diag *d, const char *path, unsigned line, unsigned column);
void diag_text(struct diag *d, const char *text, size_t len);
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void diag_release(struct diag *d); /* frees the strings; D is not set any more */

/* Problems met on the way: each is reported, none stops the run. A zeroed struct is empty. */
struct problems {
    struct diag *v;
    size_t n;
    size_t cap;
};

/* A new, empty problem to be filled with diag_set; borrowed until the next call. */
struct diag *problems_new(struct problems *p);
void problems_release(struct problems *p);

#endif
