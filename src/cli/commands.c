#include "cli.h"

#include <string.h>

#include "batten/mem.h"

enum { MANY = 10000 };

/* clang-format off: one row per command, and its words below it, not a table of columns */
static const struct command rows[] = {
    {"harden",   CMD_HARDEN,   "",                                  0, 0,    "close what the profile says is not needed (the default)",
     "On a terminal without a profile it guides: each finding is explained and asked for, and\n"
     "nothing is changed before the end. With --profile it prints the plan and its diff; with\n"
     "--apply as well it makes the change: the files are replaced, the super-server gets its HUP,\n"
     "the ports are proved closed, and the change is recorded so that it can be rolled back.\n",                                              cmd_harden,   false},
    {"close",    CMD_CLOSE,    "SELECTOR...",                       1, MANY, "the same for a one-off, without a profile",
     "A selector is what a profile takes: telnet, telnet@inetd, 79/tcp, class:rpc, rpc:rstatd,\n"
     "program:/usr/sbin/in.ftpd, etc/inetd.conf:telnet. Without --apply it only prints the plan.\n",                                          cmd_close,    false},
    {"audit",    CMD_AUDIT,    "",                                  0, 0,    "what is exposed, how it starts, who listens now",
     "One line for each service that is on, most dangerous first; --all shows those that are off\n"
     "as well. Nothing is changed. Exit status 1 when the profile would change something.\n",                                                 cmd_audit,    false},
    {"explain",  CMD_EXPLAIN,  "ANYTHING",                          1, 1,    "a service, 79/tcp, PATH:LINE, a pid or a change",
     "Says what it is, who started it, why it matters, since when, and how to close or undo it.\n",                                           cmd_explain,  false},
    {"status",   CMD_STATUS,   "",                                  0, 0,    "recover needed? timer running? drift? who re-opened what?",
     "Exit status 6 when a crash or a timer that ran out left work ('batten recover'), 7 when\n"
     "files were changed, services were turned on again or nobody watches the timer, else 0.\n",                                              cmd_status,   false},
    {"log",      CMD_LOG,      "",                                  0, 0,    "the history, newest first",
     "With -p the diff of each change too; --limit 20 shows the newest twenty.\n",                                                            cmd_log,      false},
    {"show",     CMD_SHOW,     "N",                                 1, 1,    "one change: what, who, outcome, diff",                      "", cmd_show,     false},
    {"rollback", CMD_ROLLBACK, "[N]",                               0, 1,    "take a change back, keeping what was done since",
     "Without N the newest change that still has an edit in effect; again, and it walks further\n"
     "back. --service and --entry choose edits of the newest change that has such ones in effect,\n"
     "--all those of every change. An edit whose lines were changed since is a conflict: it is\n"
     "left alone and both sides are shown.\n",                                                                                                cmd_rollback, false},
    {"confirm",  CMD_CONFIRM,  "[TOKEN]",                           0, 1,    "keep a change applied with --confirm-within",
     "TOKEN is the word of six letters that was printed with the change; 'batten\n"
     "status' shows it. The timer outlives terminal and session. A reboot undoes the\n"
     "change only where 'batten recover --boot' is run at boot: systemctl enable\n"
     "batten-recover, or the line in share/batten/boot/rc.local of the installation.\n",                                                      cmd_confirm,  false},
    {"recover",  CMD_RECOVER,  "",                                  0, 0,    "finish or undo what a crash left half done",
     "Safe to run at any time, and again. --boot is for the boot scripts: it also undoes a change\n"
     "that was never confirmed.\n",                                                                                                           cmd_recover,  false},
    {"profile",  CMD_PROFILE,  "check FILE | list | show NAME",     1, 2,    "look at profiles",                                          "",
     cmd_profile,                                                                                                                                           false},
    {"help",     CMD_HELP,     "[COMMAND | exit | profile | json]", 0, 1,    "this help, or more of it",                                  "",
     cmd_help,                                                                                                                                              false},
    {"watch",    CMD_WATCH,    "TOKEN",                             1, 1,    "wait for a deadline and undo what was not confirmed",       "",
     cmd_watch,                                                                                                                                             true },
};
/* clang-format on */

const struct command *command_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}
