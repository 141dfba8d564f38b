/*
 * wanted.h - services that were turned on by hand and are to stay on
 *
 * The file 'wanted' in the state directory names the change that had closed each of them, so that
 * a later change that closes it again ends the leave. A rollback of what is on already writes it.
 *
 *     struct wanted w = {0};
 *     wanted_read(&w, history);
 *     if (!wanted_has(&w, &entry)) ...
 *     wanted_add(&w, &entry), wanted_write(&w, history, &d);
 *     wanted_release(&w);
 */
#ifndef BATTEN_CLI_WANTED_H
#define BATTEN_CLI_WANTED_H

#include <stdbool.h>

#include "batten/buf.h"

struct diag;
struct history;

struct wanted {
    struct strlist lines; /* "CHANGE PATH NAME IDENT", the words escaped */
};

/* What CHANGE had closed; IDENT tells entries of one name apart (entry_ident). */
struct wanted_entry {
    unsigned change;
    const char *path, *name, *ident;
};

/* A file that is not there, or not as batten writes it, says nothing. */
void wanted_read(struct wanted *w, struct history *h);
bool wanted_has(const struct wanted *w, const struct wanted_entry *e);
void wanted_add(struct wanted *w, const struct wanted_entry *e);
int wanted_write(const struct wanted *w, struct history *h, struct diag *d);
void wanted_release(struct wanted *w);

#endif
