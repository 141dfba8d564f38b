/* hygiene.h - the first act of main: a process that owes nothing to its caller */
#ifndef BATTEN_CLI_HYGIENE_H
#define BATTEN_CLI_HYGIENE_H

/* Keep a short list of environment variables and unset the rest, set PATH, umask 077, make sure
 * descriptors 0 to 2 are open, no core dumps, SIGPIPE ignored, SIGCHLD not, no signal blocked.
 * Returns 0, or -1 when a descriptor cannot be opened (nothing can be said then) or the program is
 * setuid or setgid (said). */
int hygiene(void);

#endif
