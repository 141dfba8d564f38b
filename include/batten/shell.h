/*
 * shell.h - where the commands of a shell script stand
 *
 * Reads Bourne, POSIX, ksh, bash and ash scripts without running or expanding anything, and says
 * which commands they hold, where each begins and ends, in which block, and which operator follows
 * it. Pure, one pass, linear in the bytes, memory in proportion to them. It never fails: what does
 * not fit the grammar is a problem with its place, and the rest is read on.
 *
 *     struct shell *sh = shell_parse(bytes, len);
 *     for (int c = sh->blocks[0].first; c >= 0; c = sh->commands[c].next)
 *         ...sh->commands[c].start, .end, .op...
 *     shell_free(sh);
 *
 * Commands, blocks, words and redirections are rows of four arrays and name each other by index;
 * SHELL_NO is "none". Block 0 is the script. Indices grow in the order of the text: a row inside
 * another has the larger index.
 */
#ifndef BATTEN_SHELL_H
#define BATTEN_SHELL_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

enum { SHELL_NO = -1, SHELL_DEPTH_MAX = 100 };

enum shell_kind {
    SHELL_SIMPLE,   /* words: assignments, name, arguments; none for redirections alone */
    SHELL_IF,       /* blocks: COND THEN (COND THEN)* ELSE? */
    SHELL_LOOP,     /* while, until: blocks COND BODY */
    SHELL_FOR,      /* for, select: words NAME, then the list; block BODY */
    SHELL_CASE,     /* word: the subject; blocks ARM* */
    SHELL_FUNCTION, /* word NAME; block FUNCTION, which holds the one body command */
    SHELL_PAREN,    /* ( ): block LIST */
    SHELL_BRACE,    /* { }: block LIST */
    SHELL_TEST,     /* [[ ]]: words */
    SHELL_ARITH,    /* (( )) */
};

enum shell_block_kind {
    SHELL_FILE,
    SHELL_COND, /* if, elif, while, until up to then, do */
    SHELL_THEN,
    SHELL_ELSE,
    SHELL_BODY, /* do ... done */
    SHELL_ARM,  /* of a case, its patterns are words of the block */
    SHELL_FUNCTION_BODY,
    SHELL_LIST,  /* ( ), { } */
    SHELL_SUBST, /* $( ), backquotes, <( ): its parent is the command it stands in */
};

/* What ends a command. */
enum shell_op {
    SHELL_END, /* the block ends */
    SHELL_NEWLINE,
    SHELL_SEMI,
    SHELL_AMP,
    SHELL_AND,
    SHELL_OR,
    SHELL_PIPE,
};

struct shell_word {
    size_t start, end;
    bool assignment; /* NAME=value in front of a simple command */
    int next;
};

struct shell_redir {
    size_t start, end; /* from the descriptor number to the end of the target */
    int op;            /* first character: '<' or '>' */
    bool document;     /* a here-document: doc_start to doc_end, the delimiter's line included */
    bool quoted;       /* its delimiter is quoted */
    bool tabs;         /* <<-: leading tabs do not count */
    size_t target;     /* where the target word starts */
    size_t doc_start, doc_end;
    int next;
};

struct shell_command {
    enum shell_kind kind;
    size_t start, end; /* first byte of its first word, keyword or redirection to its last's end */
    enum shell_op op;  /* what follows */
    size_t op_start, op_end;
    bool negated; /* a ! before it, which is not part of the range */
    int block;    /* the block it stands in */
    int prev, next;
    int first_word, last_word;
    int first_redir, last_redir;
    int first_block, last_block;
};

struct shell_block {
    enum shell_block_kind kind;
    size_t start, end; /* behind the keyword or bracket that opens it, before what closes it */
    int parent;        /* command, SHELL_NO for the script */
    int first, last;   /* commands */
    int next;          /* the next block of the same command */
    int first_word, last_word; /* ARM: patterns */
    int depth;
};

struct shell_comment {
    size_t start, end; /* from the '#' to the newline */
};

struct shell_problem {
    size_t offset;
    const char *message; /* constant, lower case, no stop */
};

struct shell {
    const char *bytes; /* borrowed */
    size_t len;
    struct shell_command *commands;
    struct shell_block *blocks;
    struct shell_word *words;
    struct shell_redir *redirs;
    struct shell_comment *comments;
    struct shell_problem *problems; /* at most SHELL_PROBLEMS_MAX are kept */
    size_t ncommands, nblocks, nwords, nredirs, ncomments, nproblems;
    size_t ccap, bcap, wcap, rcap, hcap, pcap;
    size_t *lines; /* where each physical line starts, NLINES of them, at least one */
    size_t nlines;
};

enum { SHELL_PROBLEMS_MAX = 64 };

/* Scan LEN bytes, which must outlive the result. Never NULL. */
struct shell *shell_parse(const char *bytes, size_t len);
void shell_free(struct shell *sh);

/* Whether every bracket, keyword, quote and here-document that opens was closed. */
bool shell_balanced(const struct shell *sh);

/* The physical line of OFFSET, from 1; where line LINE starts, and ends (its newline included). */
unsigned shell_line(const struct shell *sh, size_t offset);
size_t shell_line_start(const struct shell *sh, unsigned line);
size_t shell_line_end(const struct shell *sh, unsigned line);

/* The physical lines that bytes [START, END) take, here-documents that begin there included. */
void shell_lines_of(const struct shell *sh, size_t start, size_t end, unsigned *first,
                    unsigned *last);

/* The first word of a simple command that is not an assignment, or SHELL_NO. */
int shell_name_word(const struct shell *sh, int command);

/* Whether the word is exactly TEXT, written without quotes. */
bool shell_word_is(const struct shell *sh, int word, const char *text);

/* Looks up the constant value of a variable for shell_expand: NULL when it has none. */
typedef const char *shell_lookup(void *ctx, const char *name, size_t len);

/* How far a text was understood by shell_expand. */
enum shell_expansion {
    SHELL_CONSTANT, /* nothing but itself: no expansion at all */
    SHELL_RESOLVED, /* variables with constant values, or defaults, took part */
    SHELL_UNKNOWN,  /* something in it is only known when the script runs */
};

/* Stands in an expanded text for what is unknown. */
enum { SHELL_GAP = 1 };

/* Append what BYTES (a word) stand for: quotes taken away, variables looked up (LOOKUP may be NULL:
 * none is known), ${x:-word} defaults used. What is unknown adds SHELL_GAP. SPLIT, if not NULL, is
 * set true when an unquoted variable brought blanks along. */
enum shell_expansion shell_expand(struct buf *out, const char *bytes, size_t len,
                                  shell_lookup *lookup, void *ctx, bool *split);

#endif
