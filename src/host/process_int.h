/* process_int.h - shared by the process*.c files */
#ifndef BATTEN_PROCESS_INT_H
#define BATTEN_PROCESS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process;
struct strlist;

enum { PROC_TEXT_MAX = 4096 };

/* The directory /proc/PID: it is pinned to this process, reads fail once it is gone. */
int proc_dir(pid_t pid);

/* The text of NAME in it, cut at CAP - 1 bytes and NUL-terminated. Its length or -1. */
ssize_t proc_read(int dir, const char *name, char *text, size_t cap);

/* The service that the text of /proc/PID/cgroup names, "0::/system.slice/named.service" or
 * "1:name=systemd:/system.slice/named.service". TEXT is cut up. Caller frees; NULL when none. */
char *process_unit_in(char *text);

/* Whether UNIT is PROGRAM's by its name: "named.service" is that of "/usr/sbin/named". NULL: no. */
bool process_unit_named(const char *unit, const char *program);

/* The sockets in systemctl's "TriggeredBy=a.socket b.timer\n". */
void process_unit_triggers(const char *said, struct strlist *out);

/* The number in systemctl's "MainPID=17\n"; 0 when there is none. */
long process_main_pid(const char *said);

#endif
