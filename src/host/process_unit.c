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

static bool ends_in(const char *name, size_t len, const char *end)
{
    return len > strlen(end) && memcmp(name + len - strlen(end), end, strlen(end)) == 0;
}

/* The first part of the path that is no slice; what is below it is the service's own affair, and
 * the trees of users, who may give their cgroups any name, are not below system.slice. */
static char *unit_of_path(const char *path)
{
    if (!text_starts(path, "/system.slice/"))
        return NULL;
    for (size_t len; *path == '/'; path += len) {
        len = strcspn(++path, "/");
        if (ends_in(path, len, suffix) && path[0] != '-')
            return mem_strndup(path, len);
        if (!ends_in(path, len, ".slice"))
            return NULL;
    }
    return NULL;
}

/* "ID:CONTROLLERS:PATH"; systemd's are the unified hierarchy and the one of its name. */
static char *unit_of_line(const char *line)
{
    const char *controllers = strchr(line, ':'), *path;

    path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (path == NULL || !(text_starts(line, "0::") || text_starts(controllers, ":name=systemd:")))
        return NULL;
    return unit_of_path(path + 1);
}

char *process_unit_in(char *text)
{
    for (char *line = strtok_r(text, "\n", &text); line != NULL;
         line = strtok_r(NULL, "\n", &text)) {
        char *unit = unit_of_line(line);

        if (unit != NULL)
            return unit;
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

void process_unit_triggers(const char *said, struct strlist *out)
{
    static const char key[] = "TriggeredBy=", kind[] = ".socket";

    if (!text_starts(said, key))
        return;
    said += strlen(key);
    for (size_t len; *said != '\0' && *said != '\n'; said += len) {
        said += strspn(said, " ");
        len = strcspn(said, " \n");
        if (ends_in(said, len, kind) && said[0] != '-' && said[len] != '\0') {
            char *unit = mem_strndup(said, len);

            strlist_add(out, unit);
            free(unit);
        }
    }
}

void process_unit_sockets(struct root *root, const char *unit, struct strlist *out)
{
    const char *const argv[] = {"systemctl", "show", "--property=TriggeredBy", unit, NULL};
    struct buf said = BUF_INIT;
    const struct process_command c = {
        .path = "usr/bin/systemctl", .argv = argv, .ms = ASK_MS, .output = &said};

    if (process_run(root, &c, NULL) == 0)
        process_unit_triggers(buf_str(&said), out);
    buf_release(&said);
}

bool process_unit_enabled(struct root *root, const char *unit)
{
    static const char *const on[] = {"enabled\n", "enabled-runtime\n"};
    const char *const argv[] = {"systemctl", "is-enabled", unit, NULL};
    struct buf said = BUF_INIT;
    const struct process_command c = {
        .path = "usr/bin/systemctl", .argv = argv, .ms = ASK_MS, .output = &said};
    bool yes = false;

    /* Its status is 0 for units that only others start, too. */
    (void)process_run(root, &c, NULL);
    for (size_t i = 0; i < ARRAY_LEN(on); i++)
        yes = yes || strcmp(buf_str(&said), on[i]) == 0;
    buf_release(&said);
    return yes;
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
