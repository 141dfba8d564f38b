/*
 * shcheck.h - ask a shell of this host whether a script is well-formed
 *
 * The shells are a fixed list at fixed paths of the host batten runs on: never one that the script
 * or an image names. The text comes on standard input, the environment is empty, the option is -n:
 * nothing of it is run. The shell runs as nobody (where batten runs as root), without new
 * privileges, at most 5 seconds and 64 MiB.
 *
 *     if (shell_check_change(old, old_len, new, new_len, &d) != 0)
 *         ...refused: a shell that took the old text does not take the new one...
 */
#ifndef BATTEN_SHCHECK_H
#define BATTEN_SHCHECK_H

#include <stddef.h>

struct diag;

enum shell_verdict {
    SHELL_GOOD,
    SHELL_BAD,
    SHELL_UNASKED, /* that shell is not here, or it did not come to an end */
    SHELL_FAILED,  /* it is here, and could not be run or its end not be seen */
};

/* The shells of the list, those that are not here too. */
size_t shell_check_count(void);
const char *shell_check_path(size_t shell); /* borrowed, constant */

/* The verdict of one of them. */
enum shell_verdict shell_check(size_t shell, const char *bytes, size_t len);

/* Every shell that takes BEFORE must take AFTER. Fails with STATUS_REFUSED, code "shell-check",
 * also where the verdict of a shell that is here cannot be had. Where none is here, or none takes
 * BEFORE, there is nothing to compare and the result is 0. */
int shell_check_change(const char *before, size_t before_len, const char *after, size_t after_len,
                       struct diag *d);

#endif
