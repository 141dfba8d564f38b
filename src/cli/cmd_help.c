#include <string.h>

#include "batten/catalogue.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"

static const char intro[] =
    "batten closes the network services a Unix host starts but does not need, and can undo it\n\n";

static const char exit_text[] =
    "exit status; where several apply the first in this order wins\n\n"
    "  6  incomplete: run 'batten recover'\n"
    "  5  failed and rolled back, or the timer ran out\n"
    "  4  system error, not permitted, lock held: nothing changed\n"
    "  3  refused: nothing at all changed\n"
    "  2  wrong use\n"
    "  7  done, but something needs a human: an entry that cannot be edited, an undecided\n"
    "     'ask', a port still open, a conflict, pending edits; for status: drift\n"
    "  1  audit or dry run found something to change\n"
    "  0  done, or nothing to do\n";

static const char profile_text[] =
    "a profile is a text file of verdicts, one rule a line\n\n"
    "  disable SELECTOR...      comment it out\n"
    "  keep SELECTOR...         leave it\n"
    "  ask SELECTOR...          ask on a terminal; unattended it is left, exit status 7\n"
    "  default VERDICT          for inetd entries no rule selects\n"
    "  include NAME             another profile, as if its lines stood here\n"
    "  profile-version 1\n"
    "  # comment\n\n"
    "selectors, the most specific wins, then the later line\n\n"
    "  PATH:NAME[/PORT]         etc/inetd.conf:telnet, etc/inetd.conf:telnet/2323\n"
    "  program:/abs/path        the server program\n"
    "  PORT/PROTO               79/tcp\n"
    "  rpc:NAME                 rpc:rstatd\n"
    "  NAME@STARTER             telnet@inetd, named@rcscript\n"
    "  NAME                     telnet\n"
    "  class:NAME               class:rpc, class:cleartext\n\n"
    "profiles are found in /etc/batten/profiles, then among the built-in ones; a '/' in the\n"
    "name makes it a path. See: batten profile list, batten profile show NAME\n";

static const char json_text_[] =
    "--json prints one object on standard output, also on failure; \"schema\": 1\n\n"
    "  audit, harden, close   root dialect profile entries[] problems[] summary{}\n"
    "    entries[]            service name starter path line last_line enabled verdict severity\n"
    "                         sockets[{family proto address port listening pids}]\n"
    "  harden, close          edits[] skipped[] consequences[] diff\n"
    "    after --apply        change signals[] proof[{family proto port closed ms holder}]\n"
    "  log, show              changes[{change commit time kind by profile edits[] outcome}]\n"
    "  rollback               edits[] skipped[] diff change signals[] proof[]\n"
    "  errors                 error{code path line column message hint}\n\n"
    "strings are UTF-8; where bytes were not, the exact ones stand beside in NAME_b64. What is\n"
    "not known is null, never left out.\n";

static const struct topic {
    const char *name;
    const char *text;
} topics[] = {
    {"exit",    exit_text   },
    {"profile", profile_text},
    {"json",    json_text_  }
};

static void option_line(struct buf *out, const struct option_row *o)
{
    struct buf left = BUF_INIT;

    if (o->letter != 0)
        buf_printf(&left, "  -%c, --%s", o->letter, o->name);
    else
        buf_printf(&left, "      --%s", o->name);
    if (o->argument != NULL)
        buf_printf(&left, " %s", o->argument);
    if (left.len > 31)
        buf_printf(out, "%s\n%-32s%s\n", buf_str(&left), "", o->help);
    else
        buf_printf(out, "%-32s%s\n", buf_str(&left), o->help);
    buf_release(&left);
}

static void options_text(struct buf *out, unsigned commands, bool global)
{
    size_t n;
    const struct option_row *rows = option_rows(&n);

    for (size_t i = 0; i < n; i++)
        if (global ? rows[i].commands == 0 : (rows[i].commands & commands) != 0)
            option_line(out, &rows[i]);
}

static void overview(struct buf *out)
{
    size_t n;
    const struct command *rows = command_rows(&n);

    buf_adds(out, intro);
    buf_adds(out, "usage: batten [COMMAND] [OPTION...]\n\n");
    for (size_t i = 0; i < n; i++)
        if (!rows[i].hidden)
            buf_printf(out, "  %-10s %s\n", rows[i].name, rows[i].summary);
    buf_adds(out, "\noptions for every command\n\n");
    options_text(out, 0, true);
    buf_adds(out, "\nmore: batten help COMMAND, batten help exit, batten help profile, batten help "
                  "json\n");
}

void help_text(struct buf *out, const struct command *command)
{
    if (command == NULL) {
        overview(out);
        return;
    }
    buf_printf(out, "usage: batten %s%s%s [OPTION...]\n\n%s\n\n", command->name,
               *command->operands ? " " : "", command->operands, command->summary);
    if (*command->details)
        buf_printf(out, "%s\n", command->details);
    options_text(out, (unsigned)command->bit, false);
    buf_adds(out, "\noptions for every command: batten --help\n");
}

static void add_classes(struct buf *out)
{
    struct strlist words = {0};
    size_t n;
    const struct service *rows = catalogue(&n);

    for (size_t i = 0; i < n; i++)
        for (const char *const *c = rows[i].classes; *c != NULL; c++)
            if (!strlist_has(&words, *c))
                strlist_add(&words, *c);
    strlist_sort(&words);
    buf_adds(out, "\nclasses\n");
    for (size_t i = 0; i < words.n; i++)
        buf_printf(out, "%s%s", i % 8 == 0 ? "\n  " : " ", words.v[i]);
    buf_addc(out, '\n');
    strlist_release(&words);
}

static int topic(struct buf *out, const char *word, struct diag *d)
{
    const struct command *command = command_find(word), *rows;
    const char *words[32], *near;
    size_t n, known = 0;

    for (size_t i = 0; i < ARRAY_LEN(topics); i++)
        if (strcmp(topics[i].name, word) == 0) {
            buf_adds(out, topics[i].text);
            if (strcmp(word, "profile") == 0)
                add_classes(out);
            return 0;
        }
    if (command != NULL) {
        help_text(out, command);
        return 0;
    }
    rows = command_rows(&n);
    for (size_t i = 0; i < n && known < ARRAY_LEN(words); i++)
        if (!rows[i].hidden)
            words[known++] = rows[i].name;
    near = text_nearest(word, words, known);
    diag_set(d, STATUS_USAGE, "unknown-topic", "no help on '%s'", word);
    diag_hint(d, "batten help%s%s", near ? " " : "", near ? near : "");
    return -1;
}

enum status cmd_help(struct cli *c, struct diag *d)
{
    struct buf text = BUF_INIT;
    int result = 0;

    if (c->o.args.n == 0)
        overview(&text);
    else
        result = topic(&text, c->o.args.v[0], d);
    if (c->o.json && result == 0) {
        json_t *o = json_start(c);

        json_text(o, "text", buf_str(&text));
        json_finish(&c->out, o);
    } else {
        buf_add(&c->out, buf_str(&text), text.len);
    }
    buf_release(&text);
    return result == 0 ? STATUS_DONE : STATUS_USAGE;
}
