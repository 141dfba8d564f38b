#include "batten/process.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "process_int.h"

enum { ASK_MS = 5000 };

static const char suffix[] = ".service";

bool process_has_systemd(void)
{
    struct stat st;

    return lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode);
}

char *process_unit_in(char *text)
{
    for (char *line = strtok_r(text, "\n", &text); line != NULL;
         line = strtok_r(NULL, "\n", &text)) {
        const char *name = text_basename(line);
        size_t len = strlen(name);

        if (!text_starts(line, "0::/system.slice/") &&
            strstr(line, ":name=systemd:/system.slice/") == NULL)
            continue;
        if (len > strlen(suffix) && strcmp(name + len - strlen(suffix), suffix) == 0 &&
            name[0] != '-')
            return mem_strdup(name);
    }
    return NULL;
}

/* The service that the cgroup of P is, whoever's that is. */
static char *unit_of_cgroup(const struct process *p)
{
    char text[PROC_TEXT_MAX];
    int dir = proc_dir(p->pid);
    char *unit = NULL;

    if (dir < 0)
        return NULL;
    if (proc_read(dir, "cgroup", text, sizeof(text)) > 0)
        unit = process_unit_in(text);
    close(dir);
    return unit;
}

bool process_unit_named(const char *unit, const char *program)
{
    size_t len = strlen(unit);
    const char *name = program != NULL ? text_basename(program) : "";

    if (*name == '\0' || len <= strlen(suffix) || len - strlen(suffix) != strlen(name))
        return false;
    return strncmp(unit, name, strlen(name)) == 0;
}

long process_main_pid(const char *said)
{
    static const char key[] = "MainPID=";
    const char *end = strchr(said, '\n');
    long long pid = 0;
    char *number;

    if (!text_starts(said, key) || end == NULL)
        return 0;
    said += strlen(key);
    number = mem_strndup(said, (size_t)(end - said));
    if (text_number(number, 2, INT_MAX, &pid) != 0)
        pid = 0;
    free(number);
    return (long)pid;
}

static bool is_main_process(struct root *root, const struct process *p, const char *unit)
{
    const char *const argv[] = {"systemctl", "show", "--property=MainPID", unit, NULL};
    struct buf said = BUF_INIT;
    const struct process_command c = {
        .path = "usr/bin/systemctl", .argv = argv, .ms = ASK_MS, .output = &said};
    bool yes = process_run(root, &c, NULL) == 0 && process_main_pid(buf_str(&said)) == p->pid;

    buf_release(&said);
    return yes;
}

char *process_unit(struct root *root, const struct process *p, const char *also)
{
    char *unit = process_has_systemd() ? unit_of_cgroup(p) : NULL;

    if (unit == NULL || process_unit_named(unit, p->exe) || process_unit_named(unit, also) ||
        is_main_process(root, p, unit))
        return unit;
    free(unit);
    return NULL;
}
