/*
 * cli.h - what the files of the command line share
 *
 * main fills a struct cli and hands it to one command. A command appends its result to cli->out
 * (text, or with --json one object), problems and progress go to stderr, and returns its exit
 * status; when it fails it fills the diag, which main prints.
 */
#ifndef BATTEN_CLI_CLI_H
#define BATTEN_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/diag.h"

struct command;

struct options {
    const char *root; /* NULL: the running host */
    const char *history;
    const char *profile;
    const char *dialect;
    const char *service;
    const char *entry;
    const char *reason;
    const char *color_word;
    struct strlist rc;
    struct strlist probe; /* the words between --probe and ';' */
    long long wait_ms;
    long long confirm_ms; /* 0: no timer */
    long long limit;      /* 0: none */
    bool json, quiet, verbose, help, version;
    bool apply, all, patch, dry, yes, script, boot;
    bool no_stop, cut_me_off, accept_pending, break_links, all_or_nothing;
    struct strlist args; /* the words after the command */
};

struct findings;

/* What a person decided in the guide, in the place of a profile's verdicts. */
struct decided {
    void (*set)(void *ctx, struct findings *f);
    void (*settled)(void *ctx); /* the change is made: the wait for its timer begins */
    void *ctx;
    const char *name; /* in the history, where a profile's name would stand */
    const char *diff; /* what was shown and agreed to: any other is refused */
};

struct cli {
    struct options o;
    const struct command *command;
    bool named_command; /* the command was written, not the default */
    bool terminal;      /* stdin and stdout are one */
    bool color;
    bool changed;                  /* files were changed: no later failure can say otherwise */
    int signal;                    /* end by this signal once all is cleared up, 0: none */
    const struct decided *decided; /* NULL outside the guide */
    struct buf out;                /* what goes to stdout when the command is done */
};

/* One row per option; usage text, parser and man page follow the same rows. */
enum option_kind {
    OPTION_FLAG,
    OPTION_STRING,
    OPTION_TIME,
    OPTION_NUMBER,
    OPTION_LIST,
    OPTION_UNTIL
};

struct option_row {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;        /* in struct options */
    const char *argument; /* its name in the usage text */
    unsigned commands;    /* mask of enum command_bit; 0: every command */
    const char *help;
};

enum command_bit {
    CMD_HARDEN = 1 << 0,
    CMD_CLOSE = 1 << 1,
    CMD_AUDIT = 1 << 2,
    CMD_EXPLAIN = 1 << 3,
    CMD_STATUS = 1 << 4,
    CMD_LOG = 1 << 5,
    CMD_SHOW = 1 << 6,
    CMD_ROLLBACK = 1 << 7,
    CMD_CONFIRM = 1 << 8,
    CMD_RECOVER = 1 << 9,
    CMD_PROFILE = 1 << 10,
    CMD_HELP = 1 << 11,
    CMD_WATCH = 1 << 12,
};

struct command {
    const char *name;
    enum command_bit bit;
    const char *operands; /* in the usage text */
    size_t min_args, max_args;
    const char *summary;
    const char *details; /* paragraphs for 'batten help COMMAND' */
    enum status (*run)(struct cli *c, struct diag *d);
    bool hidden; /* not for people */
};

const struct option_row *option_rows(size_t *n);
const struct command *command_rows(size_t *n);
const struct command *command_find(const char *name);

/* Parse ARGV into C. STATUS_USAGE in D on wrong use. */
int options_parse(struct cli *c, int argc, char *const *argv, struct diag *d);
void options_release(struct options *o);

/* harden as the options say, without the guide. */
enum status harden_run(struct cli *c, struct diag *d);

enum status cmd_harden(struct cli *c, struct diag *d);
enum status cmd_close(struct cli *c, struct diag *d);
enum status cmd_audit(struct cli *c, struct diag *d);
enum status cmd_explain(struct cli *c, struct diag *d);
enum status cmd_status(struct cli *c, struct diag *d);
enum status cmd_log(struct cli *c, struct diag *d);
enum status cmd_show(struct cli *c, struct diag *d);
enum status cmd_rollback(struct cli *c, struct diag *d);
enum status cmd_confirm(struct cli *c, struct diag *d);
enum status cmd_recover(struct cli *c, struct diag *d);
enum status cmd_profile(struct cli *c, struct diag *d);
enum status cmd_help(struct cli *c, struct diag *d);
enum status cmd_watch(struct cli *c, struct diag *d);

/* The text of 'batten help' for one command (NULL: the overview). */
void help_text(struct buf *out, const struct command *command);

#endif
