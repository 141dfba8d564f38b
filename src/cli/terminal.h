/*
 * terminal.h - keys, lines and pages on the terminal, and the way it was before
 *
 * While open, keys come singly (but with TERM=dumb, where a line is read and its first letter
 * counts), and the signals that would end the program only set a flag: whoever waits for a key is
 * told, and the terminal is given back as it was on every way out.
 *
 *     struct terminal t;
 *     if (terminal_open(&t, &d) == 0) {
 *         terminal_page(&t, text);
 *         key = terminal_key(&t, &rest);
 *         terminal_close(&t);
 *     }
 */
#ifndef BATTEN_CLI_TERMINAL_H
#define BATTEN_CLI_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "batten/buf.h"

struct diag;

/* What terminal_key returns besides a character. */
enum {
    KEY_END = -1,    /* the terminal is gone, or a signal asked for the end: terminal_signal */
    KEY_REDRAW = -2, /* back from being stopped: show it all again */
    KEY_OTHER = -3,  /* a key that is no character */
    KEY_ENTER = '\n',
};

struct terminal {
    bool lines; /* TERM=dumb: whole lines are read, nothing is moved or erased */
    struct termios before;
    sigset_t mask; /* before; signals are let in only while waiting */
    bool stops;    /* Ctrl-Z stops us; a caller may have switched that off */
    bool held;     /* see terminal_hold */
};

/* Standard input and output must be one. Only one terminal is open at a time. */
int terminal_open(struct terminal *t, struct diag *d);

/* As it was before. Safe to call again. */
void terminal_close(struct terminal *t);

/* For work that must not be cut short: the terminal as it was before, but a signal that would end
 * the program is only remembered. terminal_close ends that too. */
void terminal_hold(struct terminal *t);

/* The signal that was caught, 0: none. */
int terminal_signal(void);

/* A key. With lines, REST gets what followed the first letter (else it is emptied). Cursor up and
 * down are 'k' and 'j'. */
int terminal_key(struct terminal *t, struct buf *rest);

/* Ask for a line with the terminal's own editing; it may be empty. -1: none came (end of file, a
 * signal). */
int terminal_line(struct terminal *t, const char *prompt, struct buf *out);

/* Forget what was typed ahead. */
void terminal_forget(const struct terminal *t);

/* Columns and rows; 80x24 where nobody knows (a serial line). */
void terminal_size(unsigned *width, unsigned *height);

/* Print TEXT; one longer than the screen page by page. False: the person had enough, or the
 * terminal is gone. */
bool terminal_page(struct terminal *t, const char *text);

void terminal_print(const char *text);

#endif
