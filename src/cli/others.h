/* others.h - sockets that listen and that no entry opens: started by something not read here */
#ifndef BATTEN_CLI_OTHERS_H
#define BATTEN_CLI_OTHERS_H

#include <jansson.h>

struct cli;
struct survey;

/* One line each, nothing offline or when there is none. */
void others_text(struct cli *c, const struct survey *s);

/* An array of {service family proto address port pids}; null offline. */
json_t *others_json(const struct survey *s);

#endif
