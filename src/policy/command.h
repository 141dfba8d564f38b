/*
 * command.h - the commands behind the command of an entry; private to src/policy
 *
 * An entry's program may only stand in front of the real one: tcpd, env, nice, stunnel, busybox,
 * sh -c ... The walk shows every layer, the outermost first.
 */
#ifndef POLICY_COMMAND_H
#define POLICY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"

struct entry;

/* One command: words[0] is the program, the words behind it are its arguments. True ends the walk.
 */
typedef bool command_visit(void *ctx, const char *const *words, size_t n);

/* Visit the layers of E's command, depth first, until VISIT says true. Returns what it said last.
 */
bool command_walk(const struct entry *e, command_visit *visit, void *ctx);

/* The name of a shell: sh, bash, ksh ... */
bool command_is_shell(const char *basename);

/* The text of a shell's -c, or NULL. Caller frees. */
char *command_shell_text(const char *const *words, size_t n);

/* The first operand of a shell: the script it runs, or NULL when it reads its standard input. Not
 * for a shell with -c. Borrowed from WORDS. */
const char *command_shell_script(const char *const *words, size_t n);

#endif
