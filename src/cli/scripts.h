/* scripts.h - the edited scripts of a plan, asked of the shells of this host */
#ifndef CLI_SCRIPTS_H
#define CLI_SCRIPTS_H

struct diag;
struct plan;

/* Every shell here that takes a script as it is takes it edited. Fails with STATUS_REFUSED and the
 * script's path. */
int scripts_check(const struct plan *plan, struct diag *d);

#endif
