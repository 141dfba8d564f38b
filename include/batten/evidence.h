/*
 * evidence.h - signs that a service is used: login records and log lines of the last days
 *
 * Reads what a host keeps (wtmp, syslog files, their first rotation), the last 4 MiB of each, once
 * for all services. Evidence, never proof: a log may be incomplete or written by an intruder.
 *
 *     struct evidence_query q = {.words = words, .logins = true};
 *     struct evidence found = {0};
 *     evidence_read(&found, 1, &q, root, now);
 *     evidence_text(&out, &found, now);
 *     evidence_release(&found);
 */
#ifndef BATTEN_EVIDENCE_H
#define BATTEN_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batten/buf.h"

struct root;

/* What a service leaves behind. */
struct evidence_query {
    struct strlist words; /* names its log lines begin with: basenames of programs, service names */
    bool logins;          /* it makes login records of remote terminals (telnet, rlogin, ssh) */
    bool transfers;       /* it makes login records of its own (ftp) */
};

/* What was seen in one place within the last 30 days. */
struct evidence_trace {
    unsigned long uses;
    unsigned long refused; /* turned away by tcpd or the super-server */
    struct strlist hosts;  /* different ones, at most EVIDENCE_HOSTS */
    int64_t last;          /* of the uses; seconds since the epoch */
};

enum { EVIDENCE_DAYS = 30, EVIDENCE_HOSTS = 100 };

struct evidence {
    bool log_read;                /* some syslog file */
    bool wtmp_read;               /* login records; only where the query wants them */
    unsigned log_days, wtmp_days; /* how far back they reach, at most EVIDENCE_DAYS */
    struct evidence_trace log, wtmp;
};

/* Fill FOUND[i] for each of the N QUERIES (zeroed before). Never fails: what cannot be read has not
 * been read. NOW: seconds since the epoch. */
void evidence_read(struct evidence *found, size_t n, const struct evidence_query *queries,
                   const struct root *root, int64_t now);
void evidence_release(struct evidence *found);

/* Append it in words: "14 logins from 3 hosts in 30 days, last yesterday", "no log could be read".
 */
void evidence_text(struct buf *out, const struct evidence *found, int64_t now);

#endif
