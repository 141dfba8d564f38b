/* evidence_int.h - one line of a log, as evidence.c sees it */
#ifndef BATTEN_HOST_EVIDENCE_INT_H
#define BATTEN_HOST_EVIDENCE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes of the line, not terminated. */
struct span {
    const char *at;
    size_t len;
};

struct log_line {
    int64_t time;
    struct span word;    /* who says it: a program, or the service the super-server names */
    struct span message; /* what is said */
    struct span host;    /* who came; empty when the line does not tell of a connection */
    bool refused;
};

/* Read a line of a syslog file: the dates of RFC 3164 and RFC 3339, an optional 'facility.level' as
 * BusyBox writes it, the tag, the message. NOW tells the year where the date has none. False: not
 * such a line. HOST and REFUSED are left for log_line_understand, which looks at every byte and is
 * for the few lines that matter. */
bool log_line_read(struct log_line *out, const char *line, size_t len, int64_t now);
void log_line_understand(struct log_line *l);

/* Whether L is from a super-server, which speaks for the service it names. */
bool log_line_is_super(const struct log_line *l);

#endif
