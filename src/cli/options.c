#include "cli.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

#define AT(member) offsetof(struct options, member)
#define APPLYING   (CMD_HARDEN | CMD_CLOSE)
#define READING    (CMD_HARDEN | CMD_CLOSE | CMD_AUDIT | CMD_EXPLAIN | CMD_STATUS)
#define FOLLOWING  (APPLYING | CMD_ROLLBACK | CMD_RECOVER | CMD_CONFIRM | CMD_WATCH)

/* The declared master copy: parser, usage text and completion are made from these rows. */
static const struct option_row rows[] = {
    {"root",           0,   OPTION_STRING, AT(root),           "DIR",           0,                        "work on the image or chroot in DIR, offline"},
    {"history",        0,   OPTION_STRING, AT(history),        "DIR",           0,
     "the state directory; 'none' with --root only: no record"                                                                                         },
    {"json",           0,   OPTION_FLAG,   AT(json),           NULL,            0,                        "one JSON object on standard output"         },
    {"color",          0,   OPTION_STRING, AT(color_word),     "WHEN",          0,                        "auto, always or never"                      },
    {"quiet",          'q', OPTION_FLAG,   AT(quiet),          NULL,            0,                        "only results and errors"                    },
    {"verbose",        'v', OPTION_FLAG,   AT(verbose),        NULL,            0,                        "say more"                                   },
    {"help",           'h', OPTION_FLAG,   AT(help),           NULL,            0,                        "show this help"                             },
    {"version",        'V', OPTION_FLAG,   AT(version),        NULL,            0,                        "show the version"                           },
    {"profile",        0,   OPTION_STRING, AT(profile),        "P",             CMD_HARDEN | CMD_AUDIT,
     "a profile by name, or by path when it holds a '/'"                                                                                               },
    {"apply",          0,   OPTION_FLAG,   AT(apply),          NULL,            APPLYING,                 "make the change; without it nothing is"     },
    {"dialect",        0,   OPTION_STRING, AT(dialect),        "NAME",          READING,
     "read inetd.conf as this inetd does"                                                                                                              },
    {"rc",             0,   OPTION_LIST,   AT(rc),             "FILE",          READING,                  "also read FILE as an rc script (repeatable)"},
    {"no-stop",        0,   OPTION_FLAG,   AT(no_stop),        NULL,            FOLLOWING,
     "do not stop or start daemons; the super-server gets its HUP"                                                                                     },
    {"wait",           0,   OPTION_TIME,   AT(wait_ms),        "TIME",          FOLLOWING,                "longest wait for ports (5s)"                },
    {"confirm-within", 0,   OPTION_TIME,   AT(confirm_ms),     "TIME",          APPLYING,
     "undo the change unless it is confirmed in time"                                                                                                  },
    {"probe",          0,   OPTION_UNTIL,  AT(probe),          "PATH ARG... ;", APPLYING,
     "run this health check; undo if it fails"                                                                                                         },
    {"cut-me-off",     0,   OPTION_FLAG,   AT(cut_me_off),     NULL,            APPLYING,
     "close the service this session came in over"                                                                                                     },
    {"accept-pending", 0,   OPTION_FLAG,   AT(accept_pending), NULL,            APPLYING | CMD_ROLLBACK,
     "let the HUP publish earlier edits too"                                                                                                           },
    {"break-links",    0,   OPTION_FLAG,   AT(break_links),    NULL,            APPLYING | CMD_ROLLBACK,
     "replace a file that has more hard links"                                                                                                         },
    {"all-or-nothing", 0,   OPTION_FLAG,   AT(all_or_nothing), NULL,            APPLYING,
     "refuse when one entry cannot be changed"                                                                                                         },
    {"all",            0,   OPTION_FLAG,   AT(all),            NULL,            CMD_AUDIT | CMD_ROLLBACK,
     "audit: every entry; rollback: every edit in effect"                                                                                              },
    {"patch",          'p', OPTION_FLAG,   AT(patch),          NULL,            CMD_LOG,                  "with the diff of each change"               },
    {"limit",          0,   OPTION_NUMBER, AT(limit),          "N",             CMD_LOG,                  "only the newest N"                          },
    {"service",        0,   OPTION_STRING, AT(service),        "S",             CMD_ROLLBACK,             "only the edits of service S"                },
    {"entry",          0,   OPTION_STRING, AT(entry),          "PATH:LINE",     CMD_ROLLBACK,             "only the edit made there"                   },
    {"dry-run",        'n', OPTION_FLAG,   AT(dry),            NULL,            CMD_ROLLBACK,             "show what would be done"                    },
    {"yes",            'y', OPTION_FLAG,   AT(yes),            NULL,            CMD_ROLLBACK,             "do not ask"                                 },
    {"reason",         0,   OPTION_STRING, AT(reason),         "TEXT",          CMD_ROLLBACK | APPLYING,
     "kept with the change in the history"                                                                                                             },
    {"script",         0,   OPTION_FLAG,   AT(script),         NULL,            CMD_ROLLBACK,
     "print a sh script that undoes it without batten"                                                                                                 },
    {"boot",           0,   OPTION_FLAG,   AT(boot),           NULL,            CMD_RECOVER,
     "at boot, before network services: undo an unconfirmed change"                                                                                    },
};

_Static_assert(ARRAY_LEN(rows) <= 32, "the mask of used options is one unsigned");

const struct option_row *option_rows(size_t *n)
{
    *n = ARRAY_LEN(rows);
    return rows;
}

static const struct option_row *find_long(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

static const struct option_row *find_letter(char letter)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

static int unknown_option(const char *word, struct diag *d)
{
    const char *names[ARRAY_LEN(rows)], *near = NULL;
    char *name;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        names[i] = rows[i].name;
    if (word[1] == '-') {
        name = mem_strndup(word + 2, strcspn(word + 2, "="));
        near = text_nearest(name, names, ARRAY_LEN(names));
        free(name);
    }
    diag_set(d, STATUS_USAGE, "unknown-option", "unknown option '%s'", word);
    if (near != NULL)
        diag_hint(d, "did you mean --%s? see: batten --help", near);
    else
        diag_hint(d, "batten --help");
    return -1;
}

struct words {
    int argc;
    char *const *argv;
    int at;
};

/* Take the words up to a ';' of their own, as find -exec does. */
static int take_until(struct words *w, struct strlist *list, struct diag *d)
{
    while (w->at < w->argc && strcmp(w->argv[w->at], ";") != 0)
        strlist_add(list, w->argv[w->at++]);
    if (w->at == w->argc || list->n == 0) {
        diag_set(d, STATUS_USAGE, "probe", "the command of --probe must end with ';'");
        diag_hint(d, "--probe /usr/bin/true \\;");
        return -1;
    }
    if (list->v[0][0] != '/') {
        diag_set(d, STATUS_USAGE, "probe", "the probe '%s' is not an absolute path", list->v[0]);
        diag_hint(d, "--probe /usr/bin/true \\;");
        return -1;
    }
    w->at++;
    return 0;
}

static int store(struct cli *c, const struct option_row *row, const char *value, struct words *w,
                 struct diag *d)
{
    char *base = (char *)&c->o + row->offset;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)(void *)base = true;
        return 0;
    case OPTION_STRING:
        *(const char **)(void *)base = value;
        return 0;
    case OPTION_LIST:
        strlist_add((struct strlist *)(void *)base, value);
        return 0;
    case OPTION_TIME:
        if (text_duration(value, (long long *)(void *)base) == 0)
            return 0;
        diag_set(d, STATUS_USAGE, "bad-time", "'%s' is not a time for --%s", value, row->name);
        diag_hint(d, "a number and its unit: --%s 90s, --%s 5m", row->name, row->name);
        return -1;
    case OPTION_NUMBER:
        if (text_number(value, 1, 1000000000, (long long *)(void *)base) == 0)
            return 0;
        diag_set(d, STATUS_USAGE, "bad-number", "'%s' is not a number for --%s", value, row->name);
        diag_hint(d, "batten log --limit 20");
        return -1;
    case OPTION_UNTIL:
        w->at--;
        return take_until(w, (struct strlist *)(void *)base, d);
    }
    return 0;
}

static int take_option(struct cli *c, struct words *w, unsigned *used, struct diag *d)
{
    const char *word = w->argv[w->at++], *value = NULL;
    const struct option_row *row;

    if (word[1] == '-') {
        size_t len = strcspn(word + 2, "=");

        row = find_long(word + 2, len);
        value = word[2 + len] == '=' ? word + 3 + len : NULL;
    } else {
        row = word[2] == '\0' ? find_letter(word[1]) : NULL;
    }
    if (row == NULL)
        return unknown_option(word, d);
    if (row->kind == OPTION_FLAG && value != NULL)
        return diag_set(d, STATUS_USAGE, "usage", "--%s takes no value", row->name);
    if (row->kind != OPTION_FLAG && value == NULL) {
        if (w->at >= w->argc)
            return diag_set(d, STATUS_USAGE, "usage", "--%s needs a value: %s", row->name,
                            row->argument);
        value = w->argv[w->at++];
    }
    /* the last one would win and the others be forgotten; what sets the scene may be set anew */
    if ((*used & 1u << (unsigned)(row - rows)) && row->commands != 0 && row->kind != OPTION_FLAG &&
        row->kind != OPTION_LIST) {
        diag_set(d, STATUS_USAGE, "usage", "--%s is given twice", row->name);
        diag_hint(d, "one run takes one --%s", row->name);
        return -1;
    }
    *used |= 1u << (unsigned)(row - rows);
    return store(c, row, value, w, d);
}

static int unknown_command(const char *word, struct diag *d)
{
    const struct command *all;
    const char *names[32], *near;
    size_t n, known = 0;

    all = command_rows(&n);
    for (size_t i = 0; i < n && known < ARRAY_LEN(names); i++)
        if (!all[i].hidden)
            names[known++] = all[i].name;
    near = text_nearest(word, names, known);
    diag_set(d, STATUS_USAGE, "unknown-command", "unknown command '%s'", word);
    if (near != NULL)
        diag_hint(d, "did you mean: batten %s", near);
    else
        diag_hint(d, "batten --help");
    return -1;
}

static int check_color(const struct options *o, struct diag *d)
{
    static const char *const words[] = {"auto", "always", "never"};

    if (o->color_word == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(o->color_word, words[i]) == 0)
            return 0;
    diag_set(d, STATUS_USAGE, "usage", "'%s' is not a value for --color", o->color_word);
    diag_hint(d, "--color auto, --color always or --color never");
    return -1;
}

static int check_operands(const struct cli *c, struct diag *d)
{
    const struct command *cmd = c->command;
    size_t n = c->o.args.n;

    if (n >= cmd->min_args && n <= cmd->max_args)
        return 0;
    if (n < cmd->min_args)
        diag_set(d, STATUS_USAGE, "usage", "'batten %s' needs: %s", cmd->name, cmd->operands);
    else
        diag_set(d, STATUS_USAGE, "usage", "'batten %s' does not take '%s'", cmd->name,
                 c->o.args.v[cmd->max_args]);
    diag_hint(d, "batten help %s", cmd->name);
    return -1;
}

static unsigned bit_of(const char *name)
{
    return 1u << (unsigned)(find_long(name, strlen(name)) - rows);
}

/* What goes with what: refused here, so that no command has to look. */
static int check_options(const struct cli *c, unsigned used, struct diag *d)
{
    const struct options *o = &c->o;
    const struct command *cmd = c->command;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((used & 1u << i) && rows[i].commands && !(rows[i].commands & (unsigned)cmd->bit)) {
            diag_set(d, STATUS_USAGE, "usage", "--%s does not go with 'batten %s'", rows[i].name,
                     cmd->name);
            diag_hint(d, "batten help %s", cmd->name);
            return -1;
        }
    if (o->history != NULL && strcmp(o->history, "none") == 0 && o->root == NULL)
        return diag_set(d, STATUS_USAGE, "usage", "--history none goes with --root only");
    if ((used & bit_of("confirm-within")) && o->confirm_ms < 1000)
        return diag_set(d, STATUS_USAGE, "usage", "--confirm-within needs at least 1s");
    if (o->apply && cmd->bit == CMD_HARDEN && o->profile == NULL) {
        diag_set(d, STATUS_USAGE, "usage", "--apply needs --profile");
        diag_hint(d, "batten profile list");
        return -1;
    }
    return check_operands(c, d);
}

/* With neither command nor profile nor a terminal nothing may ask: show what is exposed. */
static const struct command *default_command(const struct cli *c)
{
    if (c->o.profile != NULL || c->o.apply || c->terminal)
        return command_find("harden");
    return command_find("audit");
}

static int parse_words(struct cli *c, int argc, char *const *argv, struct diag *d)
{
    struct words w = {argc, argv, 1};
    unsigned used = 0;
    bool only_words = false;

    c->o.wait_ms = 5000;
    while (w.at < argc) {
        const char *word = argv[w.at];

        if (!only_words && strcmp(word, "--") == 0) {
            only_words = true;
            w.at++;
        } else if (!only_words && word[0] == '-' && word[1] != '\0') {
            if (take_option(c, &w, &used, d) != 0)
                return -1;
        } else if (c->command == NULL) {
            c->command = command_find(word);
            if (c->command == NULL)
                return unknown_command(word, d);
            c->named_command = true;
            w.at++;
        } else {
            strlist_add(&c->o.args, word);
            w.at++;
        }
    }
    if (c->command == NULL)
        c->command = default_command(c);
    if (check_color(&c->o, d) != 0)
        return -1;
    return c->o.help || c->o.version ? 0 : check_options(c, used, d);
}

int options_parse(struct cli *c, int argc, char *const *argv, struct diag *d)
{
    if (parse_words(c, argc, argv, d) == 0)
        return 0;
    /* What stood behind the mistake was not read: one who wrote --json gets an object all the same.
     */
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        c->o.json = c->o.json || strcmp(argv[i], "--json") == 0;
    return -1;
}

void options_release(struct options *o)
{
    strlist_release(&o->rc);
    strlist_release(&o->probe);
    strlist_release(&o->args);
}
