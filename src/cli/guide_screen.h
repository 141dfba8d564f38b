/*
 * guide_screen.h - the screens of the guide: functions from its state to text
 */
#ifndef BATTEN_CLI_GUIDE_SCREEN_H
#define BATTEN_CLI_GUIDE_SCREEN_H

struct guide;
struct screen;

void screen_first(struct screen *s, const struct guide *g);
void screen_finding(struct screen *s, const struct guide *g); /* the one at g->at; facts known */
void screen_explain(struct screen *s, const struct guide *g); /* the same at length */
void screen_last(struct screen *s, const struct guide *g);    /* plan, diff and after known */
void screen_help(struct screen *s, const struct guide *g);    /* the keys of the page */

/* The question of the page, without a newline behind it, and what is to be said before it. */
void screen_question(struct screen *s, const struct guide *g);

/* What KEY means, to be shown behind the question: "close", "keep"; NULL: nothing. */
const char *guide_key_word(const struct guide *g, int key);

#endif
