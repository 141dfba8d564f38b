/*
 * catalogue.h - what a person knows as a service, one row each
 *
 * One const table and the closed list of names that profiles, JSON, messages and trailers share.
 *
 *     const struct service *s = catalogue_find("telnet");
 *     printf("%s: %s\n", s->name, s->what);
 */
#ifndef BATTEN_CATALOGUE_H
#define BATTEN_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_BACKDOOR };

struct service_port {
    int port;
    const char *proto; /* "tcp" or "udp" */
};

struct service {
    const char *name;                 /* the catalogue name */
    const char *const *aliases;       /* names in services(5) and inetd.conf; NULL-terminated */
    const struct service_port *ports; /* ends with port 0 */
    const char *const *programs;      /* basenames of server programs; NULL-terminated */
    const char *const *rpc;           /* RPC names and decimal numbers; NULL-terminated */
    const char *const *classes;       /* "cleartext", "rpc", "mail", "dns" ...; NULL-terminated */
    enum severity severity;
    const char *what;   /* one sentence: what it is */
    const char *why;    /* one sentence: why closing it matters */
    const char *source; /* the measure of the alert, or another public source (RFC, CVE) */
};

const struct service *catalogue(size_t *n);             /* all rows, borrowed */
const struct service *catalogue_find(const char *name); /* by catalogue name or alias, or NULL */
const struct service *catalogue_port(int port, const char *proto);
const struct service *catalogue_program(const char *basename);
bool catalogue_is_daemon(const char *basename); /* some row lists it; for struct parse */
const struct service *catalogue_rpc(const char *name_or_number);

/* Whether BASENAME is one of S's programs. A program may serve several rows (imapd: imap, imaps).
 */
bool catalogue_runs(const struct service *s, const char *basename);

const char *catalogue_nearest(const char *word); /* name for "did you mean", or NULL */
bool catalogue_has_class(const struct service *s, const char *class_name);
bool catalogue_is_class(const char *class_name);
const char *severity_name(enum severity s); /* "backdoor" "high" "medium" "low" "info" */

#endif
