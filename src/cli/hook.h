/* hook.h - whether a reboot undoes what was not confirmed */
#ifndef BATTEN_CLI_HOOK_H
#define BATTEN_CLI_HOOK_H

#include <stdbool.h>

struct root;

/* Whether something below ROOT, an enabled unit or a line of a boot script, runs 'batten recover
 * --boot' at boot. Never true of an offline root: its boot is not this host's. */
bool hook_installed(const struct root *root);

#endif
