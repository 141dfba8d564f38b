/*
 * work.h - a plan in the making; private to src/policy
 *
 *     plan.c        the steps, and the finished struct
 *     plan_units.c  what is decided together
 *     plan_check.c  what the new files would open
 *     plan_text.c   consequences in sentences
 *     plan_compare.c  the same question for files that are given
 *     plan_back.c   consequences of a rollback
 *     plan_guard.c  whether a rollback leaves its neighbours as they are
 *
 * An item is a finding to be switched off. A unit is what is decided as one: the items of one
 * group, or a single item. Units are dropped, each with its reasons as skips; what is left is the
 * plan.
 */
#ifndef POLICY_WORK_H
#define POLICY_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/plan.h"
#include "batten/starter.h"

struct item {
    const struct finding *f;
    const struct entry *e;
    const struct parse *parse;
    size_t unit;
};

struct unit {
    size_t first, n; /* its items, in work.grouped */
    unsigned group;  /* of its parse; 0: a single item */
    bool dropped;
};

struct work {
    struct plan *plan;
    const struct parse *parses;
    size_t nparses;
    const struct findings *findings;
    bool dovecot; /* is installed */

    struct item *items; /* by path, line and column */
    size_t n;
    size_t *grouped;  /* items by unit */
    size_t *by_entry; /* items by the entry's address */
    struct unit *units;
    size_t nunits;
};

void work_collect(struct work *w); /* items and units; skips what is locked or undecided */
void work_release(struct work *w);

/* Drop groups of which some entries are to stay open. */
void work_check_groups(struct work *w);

/* Drop the unit of ITEM for a reason that lies in ITEM; the others of its unit are skipped because
 * they share its port. */
void work_drop(struct work *w, const struct item *item, const char *code, const char *reason);

/* The item of E, or NULL. */
const struct item *work_item(const struct work *w, const struct entry *e);

/* Whether E is still to be switched off. */
bool work_live(const struct work *w, const struct entry *e);

/* The sources of P in the order they were parsed. *N gets the count; caller frees the array. */
const struct source **work_sources(const struct parse *p, size_t *n);

bool work_same_socket(const struct socket_spec *a, const struct socket_spec *b);

/* Drop the units after whose edits the files would open what they do not open now. */
void work_check_sockets(struct work *w);

/* The sentences, after all else is filled in. */
void work_consequences(struct work *w);

/* The same for a rollback, from what it opens, closes, starts and stops; before all else from the
 * PLACES (PATH:LINE) of the back doors that it turns on. */
void work_back_consequences(struct plan *plan, const struct strlist *places);

/* What a person calls E: the catalogue name, else its own. */
const char *work_service(const struct finding *f);

/* A daemon of its own that E starts, once per program (false: it is there already); and what it may
 * hold: the ports of its row (nothing without one), at any address. */
bool work_add_daemon(struct plan *plan, const struct entry *e, const char *service);
void work_daemon_sockets(struct plan_sockets *list, const struct service *service,
                         const struct entry *e);

#endif
