/*
 * who.h - who runs batten, for the record
 */
#ifndef BATTEN_WHO_H
#define BATTEN_WHO_H

#include "batten/buf.h"

/* NAME gets the login name of the person (the login uid where the kernel keeps one, else the user
 * id); TEXT the whole: "alice (loginuid 1000, uid 0, tty pts/0)". One line of printable text. */
void who_describe(struct buf *name, struct buf *text);

#endif
