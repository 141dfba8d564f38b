/*
 * rules.h - the rules of a profile as they are kept; private to src/policy
 *
 *     profile.c          the struct, the verdict
 *     profile_selector.c one selector: words to a rule, a rule against an entry
 *     profile_read.c     the lens, the lines, includes
 *     profile_write.c    decisions to the text of a profile
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/profile.h"

/* What a rule looks at, the least specific first: the order decides between rules. PORT, PROGRAM
 * and RPC weigh the same. */
enum selector_kind {
    SELECT_CLASS,
    SELECT_NAME,
    SELECT_STARTER,
    SELECT_PORT,
    SELECT_PROGRAM,
    SELECT_RPC,
    SELECT_PATH,
    SELECT_PATH_PORT,
};

struct rule {
    struct profile_rule shown;
    char *selector; /* as written; shown.selector borrows it */
    enum selector_kind kind;
    size_t order;                  /* place in the profile, from 0 */
    const struct service *service; /* NAME, STARTER */
    char *path;                    /* PATH: without a leading slash */
    char *word;        /* PATH: name; PROGRAM: path; RPC, CLASS: name; STARTER: starter */
    int port;          /* PORT, PATH_PORT */
    const char *proto; /* PORT: "tcp" or "udp" */
};

struct rule_list {
    struct rule **v; /* borrowed from the profile */
    size_t n, cap;
};

struct profile {
    char *name;
    struct rule **rules; /* in the order of the text */
    size_t n, cap;
    struct rule_list by_path, by_program, by_port; /* sorted for search by profile_index */
    struct rule_list others;
    struct strlist files; /* labels that rules borrow */
    enum verdict fallback;
    struct profile_rule fallback_rule; /* file NULL: no default line */
    bool report;                       /* the built-in of that name: even back doors stay */
    bool only;                         /* made by profile_from_selectors: nothing but these */
};

struct profile *profile_new(const char *name);

/* A copy of LABEL that lives as long as P. */
const char *profile_label(struct profile *p, const char *label);

/* After the last rule: sort what is searched. */
void profile_index(struct profile *p);

/* Add the rule that SELECTOR makes. Fails with D set to STATUS and the reason, without a place. */
int profile_add(struct profile *p, enum verdict verdict, const char *selector, enum status status,
                struct diag *d);

/* Whether rule R, of kind CLASS, NAME, STARTER or RPC, selects E, whose row is S. */
bool rule_selects(const struct rule *r, const struct entry *e, const struct service *s);

void rule_free(struct rule *r);

/* The port that the name of an entry without sockets (commented out, or unknown to its root) speaks
 * of, or 0. */
int entry_port_by_name(const struct entry *e);

/* "tcp" or "udp", of which E's protocol is a kind, or NULL. */
const char *entry_base_proto(const struct entry *e);

/* Append the selector PATH:NAME, or PATH:NAME/PORT where PORT is not 0; bytes that would be
 * mistaken are written \ooo. */
void selector_write(struct buf *out, const char *path, const char *name, int port);

#endif
