/* alert.h - what the alert also asks, for this host: text only, nothing is changed */
#ifndef BATTEN_CLI_ALERT_H
#define BATTEN_CLI_ALERT_H

#include <jansson.h>

struct cli;
struct survey;

/* Measure 4's ports that listen, measure 6's hosts.deny, measure 2's empty passwords, measure 1's
 * logs. */
void alert_text(struct cli *c, const struct survey *s);
json_t *alert_json(const struct survey *s);

#endif
