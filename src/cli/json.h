/* json.h - the JSON objects that batten(8) documents */
#ifndef BATTEN_CLI_JSON_H
#define BATTEN_CLI_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/history.h"
#include "batten/plan.h"

struct cli;
struct follow_result;
struct survey;

/* {"schema": 1, "batten": VERSION, "root": DIR}; caller owns. */
json_t *json_start(const struct cli *c);

/* Set KEY to LEN bytes of any text; bytes that are not UTF-8 become U+FFFD and the exact ones stand
 * beside in KEY_b64. TEXT NULL: null. */
void json_bytes(json_t *object, const char *key, const char *text, size_t len);
void json_text(json_t *object, const char *key, const char *text);

/* Append TEXT, invalid bytes repaired, to an array. */
void json_append_text(json_t *array, const char *text);

/* A UTC time with Z. */
void json_time(json_t *object, const char *key, long long seconds);

/* Append the object and a newline to OUT and drop it. */
void json_finish(struct buf *out, json_t *object);

void json_error(struct buf *out, const struct diag *d);

json_t *json_problems(const struct problems *const *lists, size_t n);
json_t *json_survey(const struct cli *c, const struct survey *s);
void json_plan(json_t *object, const struct plan *plan, const char *diff);
void json_follow(json_t *object, const struct follow_result *r);
json_t *json_change(const struct history_change *change);

#endif
