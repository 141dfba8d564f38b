/*
 * openings.h - what a root has open after a fresh start, as a set that can be compared
 *
 * Counted as sockets, not as ports: two sockets that look alike are two. Pure.
 *
 *     struct openings before = {0}, after = {0}, wider = {0};
 *     openings_add(&before, parse_before);
 *     openings_add(&after, parse_after);
 *     openings_minus(&wider, &after, &before);     // what the edit would open: must be empty
 */
#ifndef BATTEN_OPENINGS_H
#define BATTEN_OPENINGS_H

#include <stddef.h>

struct entry;
struct parse;
struct socket_spec;

/* One socket and the entry it is opened for; both borrowed from the parse. */
struct opening {
    const struct socket_spec *spec;
    const struct entry *entry;
};

/* Sorted by socket_compare. A zeroed struct is empty. */
struct openings {
    struct opening *v;
    size_t n;
    size_t cap;
};

/* Add every socket of P's entries, which must be finished and outlive the set. */
void openings_add(struct openings *set, const struct parse *p);

/* OUT gets those of A that B has not; a socket B has once takes away one. */
void openings_minus(struct openings *out, const struct openings *a, const struct openings *b);

void openings_release(struct openings *set);

/* By protocol, port, address and family: less than, equal to or greater than 0. */
int socket_compare(const struct socket_spec *a, const struct socket_spec *b);

#endif
