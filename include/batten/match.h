/*
 * match.h - which catalogue row an entry is, and the finding that comes of it
 */
#ifndef BATTEN_MATCH_H
#define BATTEN_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/catalogue.h"
#include "batten/profile.h"

struct entry;
struct netdb;

struct finding {
    const struct entry *entry;     /* borrowed */
    const struct service *service; /* borrowed; NULL when no row matches */
    enum severity severity;
    enum verdict verdict;
    const struct profile_rule *rule; /* borrowed from the profile; NULL: the default */
    bool backdoor;                   /* a shell as server program, say */
};

struct findings {
    struct finding *v;
    size_t n;
    size_t cap;
};

/* The row of E by, in this order, its program (also behind tcpd, env, stunnel, chroot, nice or a
 * known wrapper), its service name, its RPC name or number, its port. "2323 ... in.telnetd" is
 * telnet. NULL when none. */
const struct service *match_entry(const struct entry *e, const struct netdb *db);

/* A server program that is a shell or an interpreter given a command, whoever it runs as. */
bool match_backdoor(const struct entry *e);

/* One finding per entry, in the order of the entries. PROFILE may be NULL (every verdict keep). */
struct entries;
void findings_make(struct findings *out, const struct entries *entries,
                   const struct profile *profile, const struct netdb *db);

/* Sort by risk: back doors first, then severity, enabled before disabled, path and line. */
void findings_sort(struct findings *f);
void findings_release(struct findings *f);

#endif
