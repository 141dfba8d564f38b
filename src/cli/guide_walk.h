/*
 * guide_walk.h - one run of the guide: its state and what it looks at; shared by the files of the
 * driver
 */
#ifndef BATTEN_CLI_GUIDE_WALK_H
#define BATTEN_CLI_GUIDE_WALK_H

#include <stdint.h>

#include "batten/evidence.h"
#include "batten/session.h"
#include "batten/sockets.h"
#include "carry.h"
#include "guide.h"
#include "survey.h"
#include "terminal.h"

struct walk {
    struct cli *c;
    struct survey survey;
    struct guide guide;
    struct terminal terminal;
    struct connections connections;
    bool connected_known;
    struct session session;    /* how we came in ourselves */
    struct evidence *evidence; /* one per item */
    int64_t now;
    struct finding *decided; /* the findings with the answers as verdicts; the plan borrows them */
    struct carry look;       /* what runs and listens, for the last screen; holds no plan */
    struct buf where;        /* "--root DIR" for commands to copy */
};

/* Look at the host; fill in items, head, evidence. */
int walk_look(struct walk *w, struct diag *d);
void walk_release(struct walk *w);

/* The facts of the item at I, found out when it is first shown. */
void walk_facts(struct walk *w, size_t i);

/* Plan, diff and sentences of the last screen, for the answers as they are. */
int walk_plan(struct walk *w, struct diag *d);

/* Ask for a path and write the answers there as a profile. What came of it is in guide.say. */
void walk_write(struct walk *w, const char *typed);

/* Answers of a session that was cut off: offered again, kept, forgotten. */
void answers_load(struct walk *w);
void answers_save(struct walk *w);
void answers_forget(struct walk *w);

#endif
