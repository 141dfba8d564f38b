/*
 * guide.h - guided hardening: what a person was shown and answered
 *
 * The state is plain data. guide_key is the whole of its behaviour: a key changes the state and
 * says what the driver is to do. The screens (guide_screen.h) are functions from the state to text.
 * Neither touches a terminal, a file or a process; the driver (guide.c) does.
 *
 *     struct guide g = {0};
 *     guide_add(&g, finding) ...
 *     while ((act = guide_key(&g, key)) != ACT_QUIT)
 *         ...
 *     guide_release(&g);
 */
#ifndef BATTEN_CLI_GUIDE_H
#define BATTEN_CLI_GUIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/match.h"
#include "batten/plan.h"

struct cli;

enum answer { ANSWER_NONE, ANSWER_CLOSE, ANSWER_KEEP };

/* What the driver found out about one finding; sentences, unknown is NULL. */
struct guide_facts {
    bool known;
    char *now;      /* who listens and who is connected */
    char *used;     /* evidence of use */
    char *refused;  /* why batten cannot edit it */
    char *together; /* the places that share its port */
    struct buf diff;
};

struct guide_item {
    const struct finding *finding; /* borrowed */
    enum answer answer;
    enum answer offered; /* what was answered in an earlier session that was cut off */
    struct guide_facts facts;
};

enum guide_page { PAGE_FIRST, PAGE_FINDING, PAGE_LAST };

/* The first screen's facts. */
struct guide_head {
    char *host;        /* "host 'alpha'" or "image '/srv/x'" */
    char *super;       /* the super-server and its dialect, in words */
    char *services;    /* how many, how many on, how many listen */
    char *would;       /* what the profile would do */
    char *rights;      /* what could not be read, or NULL */
    char *way_in;      /* the service this session came in over, or NULL */
    size_t offered;    /* answers of an earlier session */
    const char *where; /* "--root DIR" and the like for commands to copy; borrowed */
};

struct guide {
    struct guide_item *v;
    size_t n, cap;
    size_t at; /* the finding shown */
    enum guide_page page;
    struct guide_head head;
    char *profile; /* whose suggestions these are */
    char *confirm; /* the timer's time in words: "5 minutes" */
    char *say;     /* one line to be shown before the next question; owned */
    char *sought;  /* the last text searched for */

    /* The last screen; made by the driver when it is entered. */
    struct plan plan;
    struct buf diff;
    struct strlist after; /* signals and stops, in sentences */
    char *locks_out;      /* the service this session came in over, which the plan closes */
};

/* What the driver is to do after a key. */
enum guide_act {
    ACT_SHOW,    /* show the page */
    ACT_ASK,     /* only the question again, with guide.say before it */
    ACT_HELP,    /* the keys, then the question */
    ACT_EXPLAIN, /* the finding at length, then the question */
    ACT_GOTO,    /* read a number, guide_goto */
    ACT_SEARCH,  /* read a text, guide_search */
    ACT_WRITE,   /* read a path, write the profile */
    ACT_APPLY,
    ACT_TIMED, /* apply with the confirm timer */
    ACT_QUIT,
};

struct guide_item *guide_add(struct guide *g, const struct finding *f);
void guide_release(struct guide *g);

enum guide_act guide_key(struct guide *g, int key);

/* The answer to g and to /; TEXT as typed. */
enum guide_act guide_goto(struct guide *g, const char *text);
enum guide_act guide_search(struct guide *g, const char *text);

/* What Enter answers: an earlier session's answer, else the profile's suggestion; ANSWER_NONE where
 * it asks. */
enum answer guide_default(const struct guide_item *it);

/* How many findings have the answer A. */
size_t guide_count(const struct guide *g, enum answer a);

/* The verdict that stands for an answer; ASK: none was given. */
enum verdict guide_verdict(enum answer a);

/* The name a person knows it by. Borrowed. */
const char *guide_name(const struct guide_item *it);

void guide_say(struct guide *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Enter the guide: harden on a terminal without a profile. */
enum status guide_run(struct cli *c, struct diag *d);

#endif
