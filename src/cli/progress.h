/*
 * progress.h - one line on standard error that says what takes so long
 *
 * Only where standard error is a terminal; nothing with -q or --json. The line is written over by
 * the next one and taken away before anything else is printed. With TERM=dumb, which cannot, a line
 * is printed now and then.
 *
 *     progress_enable(true);
 *     progress_count("files read", n);   // shown once it has taken a while
 *     progress_show("waiting for 3 sockets");
 *     progress_clear();
 */
#ifndef BATTEN_CLI_PROGRESS_H
#define BATTEN_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

void progress_enable(bool yes);
void progress_show(const char *text);
void progress_count(const char *what, size_t n);
void progress_clear(void);

#endif
