/*
 * profile.h - a file of verdicts, and what it says of a finding
 *
 * The grammar is in batten-profile(5). Read by its own lens; pure: the bytes of included profiles
 * come through a callback.
 *
 *     struct profile *p;
 *     profile_parse(&p, "site", "/etc/batten/profiles/site", bytes, len, load, ctx, &problems, &d);
 *     enum verdict v = profile_verdict(p, entry, service, &rule);
 *     profile_free(p);
 */
#ifndef BATTEN_PROFILE_H
#define BATTEN_PROFILE_H

#include <stddef.h>

#include "batten/buf.h"

struct diag;
struct entry;
struct finding;
struct profile;
struct service;

enum verdict { VERDICT_KEEP, VERDICT_DISABLE, VERDICT_ASK };

const char *verdict_name(enum verdict v); /* "keep", "disable", "ask" */

struct profile_rule {
    enum verdict verdict;
    const char *selector; /* as written */
    const char *file;     /* the profile file it stands in */
    unsigned line;
};

/* Bytes of the profile NAME for an include line: 0 and OUT filled, or -1 with D set. */
typedef int profile_load(void *ctx, const char *name, struct buf *out, struct diag *d);

/* Parse. LOAD NULL: includes are the built-in profiles only. On success **OUT is the caller's to
 * free. Errors are STATUS_REFUSED with file:line:col, the line, and the nearest word as hint; the
 * first one wins. LABEL is the path shown in messages.
 */
int profile_parse(struct profile **out, const char *name, const char *label, const char *bytes,
                  size_t len, profile_load *load, void *ctx, struct diag *d);
void profile_free(struct profile *p);
const char *profile_name(const struct profile *p);

/* The rules in the order of the text, those of includes where they stand; NULL behind the last.
 * Borrowed from P. */
const struct profile_rule *profile_rule_at(const struct profile *p, size_t i);

/* The verdict where no rule selects; *RULE gets the 'default' line, NULL when there is none. RULE
 * may be NULL. */
enum verdict profile_default(const struct profile *p, const struct profile_rule **rule);

/* The verdict for E, whose catalogue row is S (NULL: none). *RULE gets the rule that decided (the
 * 'default' line is one), or NULL where the profile says nothing; may be NULL. A back door (see
 * match.h) is disabled, with *RULE NULL, by every profile but 'report' and those of
 * profile_from_selectors, unless a PATH rule decides about it. */
enum verdict profile_verdict(const struct profile *p, const struct entry *e,
                             const struct service *s, const struct profile_rule **rule);

/* Built-in profiles, in src/share/profiles and compiled in. NULL when there is none of that name.
 */
const char *profile_builtin(const char *name, size_t *len);
const char *const *profile_builtin_names(size_t *n);

/* Check one selector as the command line takes it ("telnet", "79/tcp", "class:rpc" ...) and make a
 * profile of it that disables only what the N selectors select (batten close). */
int profile_from_selectors(struct profile **out, const char *const *selectors, size_t n,
                           struct diag *d);

/* Append the text of a profile that gives each of the N findings F[i] the verdict V[i] again when
 * it is read on the same host: by NAME where all entries of a service are decided alike, else by
 * PATH:NAME or PATH:NAME/PORT. Returns 0, or -1 when two entries that no selector can tell apart
 * are decided differently (the text then keeps, or asks about, both). */
int profile_write(struct buf *out, const struct finding *f, const enum verdict *v, size_t n);

#endif
