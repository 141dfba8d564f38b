/*
 * survey.h - what a host exposes: scan, profile, findings, listeners
 *
 * What audit, harden, close and explain start from.
 *
 *     struct survey s = {0};
 *     survey_make(&s, c, profile, &d);       // takes over PROFILE
 *     ...
 *     survey_release(&s);
 */
#ifndef BATTEN_CLI_SURVEY_H
#define BATTEN_CLI_SURVEY_H

#include "batten/follow.h"
#include "batten/history.h"
#include "batten/match.h"
#include "batten/profile.h"
#include "batten/root.h"
#include "scan.h"

struct cli;

struct survey {
    struct root *root; /* owned */
    struct scan scan;
    struct profile *profile; /* owned */
    struct findings findings;
    struct listeners listeners; /* empty offline */
    bool live;                  /* listeners are known */
};

/* The history C's options name; with '--history none' an empty one, whatever MODE. */
int survey_history(struct history **out, struct root *root, const struct cli *c,
                   enum history_mode mode, struct diag *d);

/* The profile NAME, NULL for the default one; caller frees. */
int survey_profile(struct profile **out, struct root *root, const char *name, struct diag *d);
/* Look at the root of C (opened unless S has one). PROFILE NULL: the one C's options name. */
int survey_make(struct survey *s, struct cli *c, struct profile *profile, struct diag *d);
/* Whether F is to be switched off and cannot be, so that a person has to. */
bool survey_by_hand(const struct finding *f);

/* What plan_make has to know of the host: enum plan_flag. */
unsigned survey_plan_flags(const struct survey *s);

void survey_clear(struct survey *s); /* all but the root */
void survey_release(struct survey *s);

/* The root C's options name. Caller frees. */
int survey_root(struct root **out, const struct cli *c, struct diag *d);

/* The first listener that serves SPEC now, or NULL. */
const struct listener *survey_listener(const struct survey *s, const struct socket_spec *spec);

/* Counts for summaries. */
struct survey_counts {
    size_t entries, enabled, to_change, undecided, listening;
    size_t by_hand; /* of to_change: batten does not edit them */
};
struct survey_counts survey_count(const struct survey *s);

#define DEFAULT_PROFILE "jpcert-98-0004"

/* The names of the built-in profiles and of those in the root's etc/batten/profiles. */
void survey_profile_names(struct root *root, struct strlist *out);

/* The bytes of profile NAME (or path), and the label messages show. 0 or -1. */
int survey_profile_bytes(struct root *root, const char *name, struct buf *out, char **label,
                         struct diag *d);

#endif
