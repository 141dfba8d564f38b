/*
 * rcscript.h - what the files of the rc starter share; private to src/starters
 *
 *     rcscript.c          the row, sources, entries
 *     rcscript_vars.c     variables that hold constants, functions of the file
 *     rcscript_calls.c    ... what these functions look at, and who calls them
 *     rcscript_wrap.c     the program behind nohup, daemonize, sh -c, start-stop-daemon ...
 *     rcscript_ssd.c      ... and that behind start-stop-daemon
 *     rcscript_words.c    the words of a command, expanded
 *     rcscript_start.c    which commands start a daemon
 *     rcscript_asks.c     ... and which only ask it something
 *     rcscript_service.c  ... and which do so through another script
 *     rcscript_runner.c   functions that run what they are given
 *     rcscript_loop.c     loops that start the words of a list
 *     rcscript_init.c     init scripts and rc.d scripts, inittab
 *     rcscript_comment.c  start commands that are commented out
 *     rcscript_idle.c     commands of no consequence
 *     rcscript_region.c   what goes with a start: its echo, its if, its list
 *     rcscript_status.c   what looks at a start from outside, or waits for it
 *     rcscript_wait.c     loops that go on until a daemon is there
 *     rcscript_hear.c     ... and the words that tell which
 *     rcscript_edit.c     the bytes of an edit
 */
#ifndef STARTERS_RCSCRIPT_H
#define STARTERS_RCSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "batten/buf.h"
#include "batten/shell.h"
#include "batten/starter.h"

/* A script with more starts than this is no rc script; the rest of it is not read. */
enum { RC_STARTS_MAX = 1000 };

extern const struct starter starter_rcscript;

struct rc_region;
struct rc_script;

/* ---- variables and functions ---- */

/* What a function does. */
enum rc_trait {
    RC_READS = 1,     /* it looks at the $? of what ran before it */
    RC_READS_PID = 2, /* it asks for the process id of another's background command */
    RC_SPAWNS = 4,    /* it leaves a command in the background */
    RC_WAITS = 8,     /* it goes on until something is there */
};

/* Where a word stands that may tell what a loop waits for. */
enum rc_waiting {
    RC_IN_LOOP, /* anywhere in a loop that goes on until something is so */
    RC_IN_CALL, /* in one that a function holds, or among the arguments of that function */
    RC_WAITINGS
};

/* The first and the last place of a word, in what comes to its end last. */
struct rc_mention {
    size_t end, first, last;
};

/* Whether anything is reached when a function comes back; 0: not asked yet. */
enum { RC_HELD = 1, RC_FREE };

/* What is known of one name, as a variable and as a function. */
struct rc_name {
    char *name;
    char *value;     /* the latest assigned, read from the top; may hold SHELL_GAP; or NULL */
    bool uncertain;  /* another branch may have given it another value */
    bool exact;      /* no branch and no default is behind the value */
    char *only;      /* the value of all assignments in the file, or of the first */
    bool mixed;      /* there are several values */
    bool function;   /* the file defines a function of that name */
    unsigned runner; /* ... which runs its argument of that number, from 1; 0: none */
    int runs[4];     /* ... by these commands */
    unsigned nruns;
    bool does_more;  /* ... and does other things too */
    bool talks;      /* ... and prints something beside it */
    bool runs_all;   /* ... one after the other: its arguments are a list of programs */
    unsigned traits; /* ... what it does besides: enum rc_trait */
    int first_call;  /* ... the first command that calls it, or SHELL_NO */
    size_t ran;      /* ... and where the last of them ends that is run, once it was asked for */
    struct rc_mention awaited[RC_WAITINGS]; /* the name, in small letters, as a word of loops */
    unsigned char use; /* ... what becomes of its status: enum rc_use, once it was asked for */
    unsigned char
        heard;          /* ... whether what it says is read: enum rc_heard, once it was asked for */
    unsigned char held; /* ... whether anything waits for it to come back: RC_HELD or RC_FREE */
    int next;           /* same bucket */
};

struct rc_names {
    struct rc_name *v;
    size_t n, cap;
    int *buckets;
    size_t nbuckets; /* a power of 2 */
    int *next_call;  /* per command: the next call of the same function, or SHELL_NO */
    bool asks_pid;   /* $! stands somewhere in the file */
    size_t asks_job; /* behind the last command that names a job: kill %1 */
    bool errexit;    /* set -e: a command that fails may end the script */
    bool uncertain;  /* set by a lookup that met an uncertain value; reset by who asks */
    bool inexact;    /* the same for a value that the script may come to by another way */
};

/* The names of SH, every assignment summed up. */
void rc_names_init(struct rc_names *names, const struct shell *sh);
void rc_names_release(struct rc_names *names);
/* Command C was passed on the way from the top: its assignments hold from here on. */
void rc_names_pass(struct rc_names *names, const struct shell *sh, int c);
struct rc_name *rc_names_find(const struct rc_names *names, const char *name, size_t len);
struct rc_name *rc_names_add(struct rc_names *names, const char *name, size_t len);
void rc_names_set(struct rc_names *names, const char *name, size_t len, const char *value);
/* For shell_expand; CTX is the struct rc_names. */
const char *rc_names_lookup(void *ctx, const char *name, size_t len);

/* ---- one script ---- */

struct rc_script {
    struct parse *p;
    const struct source *source;
    struct shell *sh; /* of FILE, or of a text within it */
    struct shell *file;
    struct rc_names names;
    bool init;    /* switched on and off from outside */
    char *locked; /* why nothing in it is edited; NULL */
    size_t nstarts;
    unsigned char *marks; /* per command, while an edit is made: enum rc_mark */
};

/* Hangs on parse->detail. */
struct rc_state {
    struct rc_script **scripts;
    size_t n, cap;
};

/* What one edit takes out. */
enum rc_kind { RC_NONE, RC_COMMENT, RC_COLON, RC_WORD, RC_INLINE };

/* Hangs on entry->detail. */
struct rc_start {
    struct rc_script *script;
    int command; /* SHELL_NO for a commented-out one */
    bool list;   /* one word of several that the command starts */
    size_t word_start, word_end;
    size_t nlist; /* how many words the list has */

    /* The last plan that rcscript_disable made for it; in effect while the edit of OWNER is in the
     * list of edits. */
    enum rc_kind kind;
    const struct entry *owner;
    int first, last;           /* the commands taken out, sisters in one block */
    size_t cut_start, cut_end; /* WORD, INLINE: the bytes that go */
};

static inline struct rc_start *rc_start_of(const struct entry *e)
{
    return e->detail;
}

/* ---- words and programs ---- */

struct rc_word {
    char *text;  /* expanded; SHELL_GAP for what is unknown */
    char *shown; /* the same as it is written, where it may be another when the script runs */
    size_t start, end;
    bool uncertain; /* a variable in it is set in more than one way */
    bool split;     /* one of several that a variable holds: it has no bytes of its own */
};

/* One start found in a command. */
struct rc_hit {
    char *name;     /* the program's basename */
    char *program;  /* as far as it is known; what listens for it (tcpsvd) when it does not */
    char **argv;    /* NULL-terminated: the whole command, without the other words of a list */
    size_t list_at; /* where the list begins */
    size_t at;      /* which word of the command is the program */
    size_t own;     /* the same in argv */
    bool list;
    bool split; /* its word is one of several that a variable holds */
    size_t word_start, word_end;
    size_t nlist;
    bool indirect, loose;
    bool talks;    /* something is printed beside it, by its string or its function */
    bool replaces; /* 'exec' stands before it */
    char *locked;
};

struct rc_hits {
    struct rc_hit *v;
    size_t n, cap;
};

/* The daemons that simple command C starts. */
void rc_find(struct rc_script *s, int c, struct rc_hits *hits);
/* The same for a loop that runs the words of its list. */
void rc_find_loop(struct rc_script *s, int c, struct rc_hits *hits);
struct rc_words;
/* The start of the program at WORDS[AT] and its NARGS arguments. Borrowed until the next one. */
struct rc_hit *rc_hits_add(struct rc_hits *hits, const char *name, const struct rc_words *words,
                           size_t at, size_t nargs);
/* HIT is one word of a list of N. */
void rc_hit_set_list(struct rc_hit *hit, size_t n);
void rc_hits_cut(struct rc_hits *hits, size_t n); /* leave the first N */
void rc_hits_release(struct rc_hits *hits);

/* Whether WORD is one of LIST, which has a blank around each. */
bool rc_is_in(const char *word, const char *list);
bool rc_is_daemon(const struct rc_script *s, const char *name);

/* Whether a command that begins with WORD can start anything: most cannot, and need no more look.
 */
bool rc_is_worth(struct rc_script *s, int word);

/* The words of a simple command from WORD on, expanded. rc_words_release frees them. */
struct rc_words {
    struct rc_word *v;
    size_t n, cap;
};
void rc_words_get(struct rc_script *s, int word, struct rc_words *words);
void rc_words_release(struct rc_words *words);

/* The basename of TEXT, or NULL when it is not known in full. Borrowed from TEXT. */
const char *rc_basename(const char *text);

/* Look for starts among WORDS from AT on. WORDS may belong to a text within the script (sh -c),
 * DEPTH deep: their offsets then mean nothing. */
void rc_find_words(struct rc_script *s, const struct rc_words *words, size_t at, unsigned depth,
                   struct rc_hits *hits);
/* Look into a command line held in a word, which a shell of its own runs. */
void rc_find_text(struct rc_script *s, const char *text, unsigned depth, struct rc_hits *hits);

/* The program at WORDS[AT], named NAME, is run to do something else than to serve. */
bool rc_only_asks(const char *name, const struct rc_words *words, size_t at);

/* ---- through another script ---- */

/* A path that looks like a start script: rc.NAME, or in init.d, rc.d, or SnnNAME. */
bool rc_is_start_script(const char *path);
/* Whether the words behind the script at WORDS[AT] tell it to start. */
bool rc_says_start(const struct rc_words *words, size_t at);
/* WORDS[AT] is the name of a service that is started. */
void rc_find_service(struct rc_script *s, const struct rc_words *words, size_t at, bool list,
                     struct rc_hits *hits);
/* False when WORDS[AT] is no start script. */
bool rc_find_script(struct rc_script *s, const struct rc_words *words, size_t at,
                    struct rc_hits *hits);

/* ---- functions that run what they are given ---- */

/* Read what the functions of the script that run an argument do besides. */
void rc_runners_read(struct rc_script *s);
/* What the function F runs starts something, when it is called with the program at WORDS[AT]. */
bool rc_runner_starts(const struct rc_script *s, const struct rc_name *f,
                      const struct rc_words *words, size_t at);

/* Words that begin a start without being its program (rcscript_wrap.c). */
enum rc_wrap_kind {
    RC_WRAP_NONE,   /* the program itself */
    RC_WRAP_SKIP,   /* the command goes on at *AT */
    RC_WRAP_LIST,   /* each word from *AT on is a program or the name of one */
    RC_WRAP_TEXT,   /* the word *AT is a command line */
    RC_WRAP_JOIN,   /* the words from *AT on are one */
    RC_WRAP_NAME,   /* the word *AT names what is started, through another script */
    RC_WRAP_NAMES,  /* each word from *AT on does */
    RC_WRAP_SCRIPT, /* the word *AT is a script */
    RC_WRAP_STOP,   /* it starts nothing */
};
/* False where no command that begins with the word TEXT holds another. */
bool rc_may_wrap(const struct rc_script *s, const char *text);
enum rc_wrap_kind rc_unwrap(const struct rc_script *s, const struct rc_words *words, size_t *at);

/* The same for start-stop-daemon, which is at *AT. */
enum rc_wrap_kind rc_unwrap_ssd(const struct rc_script *s, const struct rc_words *words,
                                size_t *at);
/* A word that begins with - or +. */
bool rc_is_option(const char *word);

/* ---- init scripts ---- */

bool rc_is_init_script(const struct rc_script *s);
/* Add the entries of an init or rc.d script: one per daemon it starts. */
void rc_add_init(struct rc_script *s);
/* Have the script at PATH, which begins with a slash, read too. */
void rc_add_more(struct parse *p, const char *path);
/* The scripts that SOURCE, an inittab, names. */
void rc_read_inittab(struct parse *p, const struct source *source);

/* ---- entries ---- */

struct entry *rc_add_entry(struct rc_script *s, const struct rc_hit *hit, int command, size_t start,
                           size_t end);
void rc_add_comments(struct rc_script *s);

/* ---- functions, and what waits ---- */

/* Command F defines the function N: its traits, as far as its own text tells them. */
void rc_calls_function(struct rc_name *n, const struct shell *sh, int f);
/* When all functions are known: their calls, the traits that they have from each other. */
void rc_calls_read(struct rc_names *names, const struct shell *sh);
/* The function around C has TRAIT; and then all that call one with TRAIT have it. */
void rc_calls_mark(struct rc_names *names, const struct shell *sh, int c, enum rc_trait trait);
void rc_calls_spread(struct rc_names *names, const struct shell *sh, enum rc_trait trait);
/* The function of the file that C calls, or NULL. */
struct rc_name *rc_called_by(const struct rc_names *names, const struct shell *sh, int c);
/* The function that C stands in, SHELL_NO when it is none. */
int rc_function_around(const struct shell *sh, int c);
/* The end of C, or of the command that has it run last, through the function around it. */
size_t rc_last_run(const struct rc_names *names, const struct shell *sh, int c);
/* The text asks for $?. */
bool rc_asks_status(const struct shell *sh, size_t start, size_t end);
/* Where the text asks for $!; END when it does not. */
size_t rc_asks_pid(const struct shell *sh, size_t start, size_t end);
/* A 'return' or 'exit' without a status of its own: it hands on that of the command before it. */
bool rc_hands_on(const struct shell *sh, int c);

/* What a loop may have, each by its mark in front of it in the table of names. */
enum rc_key {
    RC_KEY_WORD = 0,      /* a part of a name */
    RC_KEY_PROGRAM = '!', /* the basename of a program it may run */
    RC_KEY_PORT = ':',
    RC_KEY_VALUE = '$', /* a variable */
    RC_KEY_RUN = '%',   /* ... which may hold programs or ports */
    RC_KEY_CALL = '(',  /* a function */
    RC_KEY_ALL = '*'    /* more than is followed */
};

/* Who hears words: they count for what ends at END. */
struct rc_listener {
    struct rc_names *names;
    const struct shell *sh;
    enum rc_waiting where;
    bool placed; /* they stand at FIRST to LAST, no matter where they are read */
    size_t end, first, last;
};

/* The words, programs, ports, variables and calls between START and END. */
void rc_hear(struct rc_listener *l, size_t start, size_t end);
/* Its words and variables alone; its programs and ports, when it is run or asked. */
void rc_hear_words(struct rc_listener *l, size_t start, size_t end);
void rc_hear_run(struct rc_listener *l, size_t start, size_t end);
void rc_hear_key(const struct rc_listener *l, enum rc_key kind, const char *text, size_t len);
/* NULL when no loop has it. */
const struct rc_name *rc_heard(const struct rc_names *names, enum rc_key kind, const char *text,
                               size_t len);

/* What the loops of SH wait for. The calls are known. */
void rc_waits_read(struct rc_names *names, const struct shell *sh);
/* A loop around or behind the region goes on until the daemon NAME is there. */
bool rc_is_awaited(const struct rc_script *s, const struct rc_region *r, const char *name);

/* ---- edits ---- */

enum rc_mark {
    RC_ALIVE,
    RC_GONE,  /* its lines are commented out */
    RC_NULLED /* ':' stands in its place */
};

struct rc_region {
    int first, last;
    const char *refused; /* why not; the rest is void then */
    bool left;           /* the status of LAST is left to what runs the script, or a block of it */
};

/* What has to go for the start behind E to go, the marks of its script taken into account; with
 * ECHOES the echo beside it too. */
void rc_region_find(const struct entry *e, bool echoes, struct rc_region *region);

/* What becomes of an exit status (rcscript_status.c). */
enum rc_use {
    RC_USE_UNKNOWN,
    RC_UNUSED,
    RC_FATAL, /* nothing looks at it, but with set -e it ends the script */
    RC_LEFT,  /* the script, or a block of it, ends with it */
    RC_USED
};

/* Why commands FIRST to LAST of the region cannot go, seen from what looks at them and what waits
 * for NAME; NULL when they can. Sets region->left. */
const char *rc_region_used(const struct rc_script *s, struct rc_region *region, const char *name);
/* The command before FIRST that is still there leaves status 0 for sure. */
bool rc_succeeds_before(const struct rc_script *s, int first);

/* ---- commands of no consequence ---- */

enum rc_heard { RC_HEARD_UNKNOWN, RC_HEARD, RC_UNHEARD };

/* The command's name is one of NAMES, which has a blank around each. */
bool rc_is_named(const struct shell *sh, int c, const char *names);
bool rc_has_text(const struct shell *sh, size_t start, size_t end, const char *text);
/* An expansion in the text may assign to a variable or end the script: ${x:=y}, ${x?}, $((x++)). */
bool rc_assigns(const struct shell *sh, size_t start, size_t end);
/* Nothing is run to make the words of C, nothing is assigned by them. */
bool rc_has_plain_words(const struct shell *sh, int c);
/* Nothing is run to make the words of C but commands that print something, nothing is assigned. */
bool rc_words_only_ask(const struct rc_script *s, int c);
/* C, which stands in words or in a function, prints something and leaves nothing behind. */
bool rc_is_query(const struct rc_script *s, int c);
/* A test that only looks: leaving it out changes nothing. */
bool rc_is_test(const struct shell *sh, int c);
/* The redirection sends output to the screen, or nowhere. */
bool rc_is_screen(const struct shell *sh, int redirection);
/* C itself sends its output nowhere but to the screen. */
bool rc_is_on_screen(const struct shell *sh, int c);
/* What is around C reads its output or writes it to a file. */
bool rc_is_heard(const struct rc_script *s, int c);
/* Command C of SH, the script or a text within it, prints plain words on the screen. */
bool rc_is_talk(const struct rc_script *s, const struct shell *sh, int c);
/* It does that, or only looks; of what holds other commands, these are not looked at. */
bool rc_is_idle(const struct rc_script *s, const struct shell *sh, int c);
/* It changes only the shell that runs it. */
bool rc_is_setting(const struct shell *sh, int c);
bool rc_joins(enum shell_op op);

int rcscript_disable(const struct parse *p, const struct entry *e, struct edits *edits,
                     struct diag *d);

#endif
