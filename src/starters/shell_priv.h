/* What the files of the shell scanner share: the reader's state. */
#ifndef BATTEN_SHELL_PRIV_H
#define BATTEN_SHELL_PRIV_H

#include <string.h>

#include "batten/shell.h"

enum token_kind {
    TOKEN_EOF,
    TOKEN_NEWLINE,
    TOKEN_WORD,
    TOKEN_SEMI,
    TOKEN_DSEMI, /* ;; ;& ;;& */
    TOKEN_AMP,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_PIPE,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_REDIR,
};

/* Words that the grammar knows where a command may begin; those that close a block come first. */
enum keyword {
    KEY_NONE,
    KEY_THEN,
    KEY_ELIF,
    KEY_ELSE,
    KEY_FI,
    KEY_DO,
    KEY_DONE,
    KEY_ESAC,
    KEY_CLOSE_BRACE,
    KEY_LAST_CLOSER = KEY_CLOSE_BRACE,
    KEY_IF,
    KEY_WHILE,
    KEY_UNTIL,
    KEY_FOR,
    KEY_SELECT,
    KEY_CASE,
    KEY_FUNCTION,
    KEY_OPEN_BRACE,
    KEY_OPEN_TEST,
    KEY_CLOSE_TEST,
    KEY_IN,
    KEY_NOT,
    KEYWORDS
};

struct token {
    enum token_kind kind;
    size_t start, end;
    bool quoted; /* a word with a quote, backslash or expansion in it: never a keyword */
    enum keyword keyword;
    /* The $( ) and backquote blocks found while the word was read: those among them without a
     * parent belong to the command that takes the word. */
    size_t blocks_from, blocks_to;
};

struct reader {
    struct shell *sh;
    const char *s;
    size_t pos, end;
    struct token tok; /* the next token, not taken yet */
    int depth;
    int substs; /* $( ) around here */
    bool dead;  /* too deep: nothing is read any more */
    /* Redirections whose here-document starts at the next newline. Those below PENDING_BASE wait
     * for a newline outside the $( ) or backquotes being read. */
    int *pending;
    size_t npending, pending_base, pending_cap;
};

static inline bool shell_in_set(int c, const char *set)
{
    return c > 0 && strchr(set, c) != NULL;
}

static inline bool shell_in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What a byte may be within a word: most are nothing but themselves. */
enum { BYTE_PLAIN = 0, BYTE_ENDS_WORD = 1, BYTE_BEGINS_PART = 2 };
extern const unsigned char shell_bytes[256];

/* shell.c */
void shell_problem(struct reader *r, size_t offset, const char *message);
int shell_new_command(struct reader *r, enum shell_kind kind, int block, size_t start);
int shell_new_block(struct reader *r, enum shell_block_kind kind, int parent, size_t start);
int shell_new_word(struct reader *r, size_t start, size_t end);
bool shell_deeper(struct reader *r); /* false, and the reader dead, beyond the limit */

/* shell_lex.c: read the next token into r->tok. */
void shell_next(struct reader *r);
/* Read a word at r->pos into r->tok, which is empty where none begins. */
void shell_read_word(struct reader *r);
/* Offset behind the '))' that closes an arithmetic expression whose inside starts at FROM; 0 when
 * it is none. */
size_t shell_arith_end(const struct reader *r, size_t from);

/* shell_quote.c: step over one quoted or expanded part of a word at r->pos ('\\', quotes, $,
 * backquote); false when the character there begins none. */
bool shell_skip_part(struct reader *r);
void shell_skip_parens(struct reader *r); /* from behind '(' to behind its ')' */

/* shell_parse.c. A block is read up to a token that closes one, which stays in r->tok. */
int shell_read_block(struct reader *r, enum shell_block_kind kind, int parent, size_t start);
void shell_fill_block(struct reader *r, int block);
void shell_read_command(struct reader *r, int block);
static inline bool shell_is_keyword(const struct reader *r, enum keyword keyword)
{
    return r->tok.keyword == keyword;
}
bool shell_is_closer(const struct reader *r);
void shell_skip_newlines(struct reader *r);
/* The token becomes part of command C, and the next one is read. */
void shell_take(struct reader *r, int c);
/* Take the closing keyword of C. When it is not there C ends where it is: what stands there may
 * close a block further out. */
bool shell_expect(struct reader *r, int c, enum keyword keyword, const char *message);
/* The token as a word of the list (*FIRST, *LAST), its blocks those of C; add_word: of C, taken. */
int shell_take_word(struct reader *r, int c, int *first, int *last);
int shell_add_word(struct reader *r, int c);
/* A $( ) or <( ) whose inside starts at r->pos: stops behind its ')'. */
void shell_read_subst(struct reader *r);
/* Backquotes, from behind the first to behind the second, at CLOSE. */
void shell_read_backquote(struct reader *r, size_t close);

/* shell_compound.c: read C if a compound command begins here. */
bool shell_read_compound(struct reader *r, int c);
/* The body of function C: one command, with what follows on it. */
void shell_read_function_body(struct reader *r, int c);

#endif
