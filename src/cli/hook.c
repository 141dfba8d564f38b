#include "hook.h"

#include <stdio.h>
#include <string.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/root.h"
#include "batten/source.h"
#include "batten/text.h"

/* A line of SCRIPT that is no comment and holds the command. */
static bool runs_it(const struct root *root, const char *script)
{
    static const char command[] = "batten recover --boot";
    struct buf text = BUF_INIT;
    bool found = false;

    if (root_read(root, script, SOURCE_MAX, &text, NULL, NULL) == ROOT_OK)
        for (const char *at = strstr(buf_str(&text), command); at != NULL && !found;
             at = strstr(at + 1, command)) {
            const char *line = at;

            while (line > buf_str(&text) && line[-1] != '\n')
                line--;
            found = line[strspn(line, " \t")] != '#';
        }
    buf_release(&text);
    return found;
}

bool hook_installed(const struct root *root)
{
    static const char unit[] = "batten-recover.service";
    static const char *const wanted[] = {"etc/systemd/system/sysinit.target.wants",
                                         "usr/lib/systemd/system/sysinit.target.wants",
                                         "lib/systemd/system/sysinit.target.wants"};
    static const char *const scripts[] = {"etc/rc.local",      "etc/rc",
                                          "etc/rc.d/rc.local", "etc/rc.d/rc.M",
                                          "etc/rc.d/rc.inet2", "etc/rc.boot",
                                          "etc/rc.net",        "etc/init.d/rcS",
                                          "etc/init.d/boot",   "etc/rc.d/rc.sysinit",
                                          "etc/rc.early",      "etc/rc.inet2",
                                          "etc/inittab",       "etc/rc.tcpip"};
    bool found = false;

    if (root_offline(root))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(wanted) && !found; i++) {
        char path[128];

        found =
            snprintf(path, sizeof(path), "%s/%s", wanted[i], unit) > 0 && root_exists(root, path);
    }
    for (size_t i = 0; i < ARRAY_LEN(scripts) && !found; i++)
        found = runs_it(root, scripts[i]);
    return found;
}
