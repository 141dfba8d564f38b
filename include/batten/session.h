/*
 * session.h - which connections this session came in over
 *
 * For the lock-out guard: whoever closes the service his own session uses may not come in again.
 * Found by the sockets that the processes above us hold (telnetd, sshd, rlogind, also above a tmux
 * or screen client of the same user), by SSH_CONNECTION, and by utmp.
 *
 *     struct session s;
 *     session_find(&s);
 *     if (session_over(&s, "tcp", 23)) ...
 *     session_release(&s);
 */
#ifndef BATTEN_SESSION_H
#define BATTEN_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One connection this session may have come in over. */
struct session_way {
    int port;        /* on this host; 0 when only utmp knows of it */
    char remote[64]; /* address or host name of the other end */
    pid_t pid;       /* the process above us that holds it, 0 when not known */
    char name[16];   /* its name, "" when not known */
    const char *how; /* constant: "parent", "SSH_CONNECTION", "utmp" */
};

struct session {
    struct session_way *v;
    size_t n;
    size_t cap;
};

/* Never fails: what cannot be seen is not there. A local session has no ways. */
void session_find(struct session *s);
void session_release(struct session *s);

/* Whether a service on PROTO/PORT of this host is one of the ways in. Where only utmp says that the
 * session is a remote one, that is so for every port that serves logins (22, 23, 513, 514). The way
 * is borrowed; NULL when it is none. */
const struct session_way *session_over(const struct session *s, const char *proto, int port);

#endif
