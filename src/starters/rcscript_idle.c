/* Commands of no consequence: what only talks to the screen, or only looks. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* Functions within each other; what is deeper is taken to be heard. */
enum { HEARD_DEPTH = 64 };

bool rc_has_text(const struct shell *sh, size_t start, size_t end, const char *text)
{
    return end > start && memmem(sh->bytes + start, end - start, text, strlen(text)) != NULL;
}

bool rc_joins(enum shell_op op)
{
    return op == SHELL_AND || op == SHELL_OR || op == SHELL_PIPE;
}

bool rc_is_named(const struct shell *sh, int c, const char *names)
{
    int word = shell_name_word(sh, c);
    char *name;
    bool found;

    if (word == SHELL_NO)
        return false;
    name =
        mem_strndup(sh->bytes + sh->words[word].start, sh->words[word].end - sh->words[word].start);
    found = rc_is_in(name, names);
    free(name);
    return found;
}

/* ---- words ---- */

/* The arithmetic from START on, $((, changes a variable. */
static bool counts(const struct shell *sh, size_t start, size_t end)
{
    const char *close = memmem(sh->bytes + start, end - start, "))", 2);

    end = close != NULL ? (size_t)(close - sh->bytes) : end;
    return rc_has_text(sh, start, end, "=") || rc_has_text(sh, start, end, "++") ||
           rc_has_text(sh, start, end, "--");
}

bool rc_assigns(const struct shell *sh, size_t start, size_t end)
{
    const char *s = sh->bytes;

    for (size_t i = start; i + 3 < end; i++) {
        size_t at = i + 2;

        if (memcmp(s + i, "$((", 3) == 0 && counts(sh, i, end))
            return true;
        if (memcmp(s + i, "${", 2) != 0)
            continue;
        while (at < end && (isalnum((unsigned char)s[at]) || s[at] == '_'))
            at++;
        if (at == i + 2)
            continue;
        if (at < end && s[at] == '[')
            while (at < end && s[at - 1] != ']')
                at++;
        at += at + 1 < end && s[at] == ':';
        if (at < end && (s[at] == '=' || s[at] == '?'))
            return true;
    }
    return false;
}

bool rc_has_plain_words(const struct shell *sh, int c)
{
    const struct shell_command *command = &sh->commands[c];

    return command->first_block == SHELL_NO && !rc_assigns(sh, command->start, command->end) &&
           !rc_has_text(sh, command->start, command->end, "`") &&
           !rc_has_text(sh, command->start, command->end, "$(") &&
           !(command->kind == SHELL_TEST && rc_has_text(sh, command->start, command->end, "=~"));
}

static bool looks(const struct shell *sh, int c)
{
    if (!rc_has_plain_words(sh, c))
        return false;
    if (sh->commands[c].kind == SHELL_TEST)
        return true;
    return sh->commands[c].kind == SHELL_SIMPLE && rc_is_named(sh, c, " [ test : true false ");
}

bool rc_is_test(const struct shell *sh, int c)
{
    return sh->commands[c].first_redir == SHELL_NO && looks(sh, c);
}

/* ---- where it is heard ---- */

bool rc_is_screen(const struct shell *sh, int redirection)
{
    const struct shell_redir *redir = &sh->redirs[redirection];
    static const char *const targets[] = {
        "/dev/console", "/dev/null", "/dev/tty", "/dev/tty1", "/dev/stderr", "1", "2", "&1", "&2"};
    size_t len = redir->end - redir->target;

    if (redir->op != '>')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++)
        if (strlen(targets[i]) == len && memcmp(sh->bytes + redir->target, targets[i], len) == 0)
            return true;
    return false;
}

bool rc_is_on_screen(const struct shell *sh, int c)
{
    for (int r = sh->commands[c].first_redir; r != SHELL_NO; r = sh->redirs[r].next)
        if (!rc_is_screen(sh, r))
            return false;
    return true;
}

static bool is_heard(const struct rc_script *s, int c, unsigned depth);

/* One of the calls of the function that command F defines is heard. */
static bool is_function_heard(const struct rc_script *s, int f, unsigned depth)
{
    const struct shell_word *w;
    struct rc_name *n;
    bool heard = false;

    if (s->sh->commands[f].first_word == SHELL_NO || depth > HEARD_DEPTH)
        return true;
    w = &s->sh->words[s->sh->commands[f].first_word];
    n = rc_names_find(&s->names, s->sh->bytes + w->start, w->end - w->start);
    if (n == NULL)
        return true;
    if (n->heard != RC_HEARD_UNKNOWN)
        return n->heard == RC_HEARD;
    n->heard = RC_UNHEARD; /* for a function that calls itself */
    for (int c = n->first_call; c != SHELL_NO && !heard; c = s->names.next_call[c])
        heard = !rc_is_on_screen(s->sh, c) || is_heard(s, c, depth + 1);
    n->heard = heard ? RC_HEARD : RC_UNHEARD;
    return heard;
}

static bool is_heard(const struct rc_script *s, int c, unsigned depth)
{
    while (c != SHELL_NO) {
        const struct shell_block *b = &s->sh->blocks[s->sh->commands[c].block];

        if (s->sh->commands[c].op == SHELL_PIPE || b->kind == SHELL_SUBST)
            return true;
        if (b->kind == SHELL_FUNCTION_BODY && is_function_heard(s, b->parent, depth))
            return true;
        c = b->kind == SHELL_FUNCTION_BODY ? SHELL_NO : b->parent;
        if (c != SHELL_NO && !rc_is_on_screen(s->sh, c))
            return true;
    }
    return false;
}

bool rc_is_heard(const struct rc_script *s, int c)
{
    return is_heard(s, c, 0);
}

/* ---- talk ---- */

/* An option that does more than say how to print: printf -v NAME, print -p. */
static bool has_option(const struct shell *sh, int c)
{
    int next = sh->words[shell_name_word(sh, c)].next;
    const char *text;
    size_t len;

    if (next == SHELL_NO || rc_is_named(sh, c, " echo /bin/echo "))
        return false;
    text = sh->bytes + sh->words[next].start;
    len = sh->words[next].end - sh->words[next].start;
    while (len > 0 && strchr("\"'\\", text[0]) != NULL) {
        text++;
        len--;
    }
    return len > 0 && text[0] == '-' && !(len == 2 && strchr("nr", text[1]) != NULL);
}

bool rc_is_talk(const struct rc_script *s, const struct shell *sh, int c)
{
    int word = shell_name_word(sh, c);
    const struct rc_name *function;

    if (sh->commands[c].kind != SHELL_SIMPLE || sh->commands[c].first_word != word ||
        !rc_is_named(sh, c, " echo printf print /bin/echo ") || has_option(sh, c) ||
        !rc_has_plain_words(sh, c) || !rc_is_on_screen(sh, c))
        return false;
    function = rc_names_find(&s->names, sh->bytes + sh->words[word].start,
                             sh->words[word].end - sh->words[word].start);
    return function == NULL || !function->function;
}

bool rc_is_idle(const struct rc_script *s, const struct shell *sh, int c)
{
    switch (sh->commands[c].kind) {
    case SHELL_SIMPLE:
    case SHELL_TEST:
        return (looks(sh, c) && rc_is_on_screen(sh, c)) || rc_is_talk(s, sh, c);
    case SHELL_IF:
    case SHELL_LOOP:
    case SHELL_CASE:
    case SHELL_PAREN:
    case SHELL_BRACE:
        return rc_is_on_screen(sh, c); /* what they hold is looked at by itself */
    case SHELL_FOR:
    case SHELL_FUNCTION:
    case SHELL_ARITH:
    default:
        return false;
    }
}

bool rc_is_setting(const struct shell *sh, int c)
{
    int word = shell_name_word(sh, c);

    return sh->commands[c].kind == SHELL_SIMPLE && rc_has_plain_words(sh, c) &&
           rc_is_on_screen(sh, c) &&
           (word == SHELL_NO || rc_is_named(sh, c, " cd ulimit umask export ") ||
            (rc_is_named(sh, c, " exec ") && sh->words[word].next == SHELL_NO));
}

/* ---- what is run to make the words ---- */

bool rc_is_query(const struct rc_script *s, int c)
{
    static const char names[] = " cat hostname uname domainname dnsdomainname basename dirname "
                                "head tail grep egrep fgrep cut tr wc id whoami logname pwd expr "
                                "nproc getconf pidof which type ls ps lssrc /bin/cat /bin/hostname "
                                "/bin/uname /usr/bin/basename /usr/bin/dirname /usr/bin/expr "
                                "/bin/grep /usr/bin/id echo [ test : true ";
    const struct shell *sh = s->sh;
    int word = shell_name_word(sh, c);
    const struct rc_name *n;

    if (sh->commands[c].kind != SHELL_SIMPLE && sh->commands[c].kind != SHELL_TEST)
        return false;
    for (int r = sh->commands[c].first_redir; r != SHELL_NO; r = sh->redirs[r].next)
        if (sh->redirs[r].op != '<' && !rc_is_screen(sh, r))
            return false;
    if (word == SHELL_NO) /* $(<FILE) */
        return sh->commands[c].kind == SHELL_TEST || sh->commands[c].first_word == SHELL_NO;
    n = rc_names_find(&s->names, sh->bytes + sh->words[word].start,
                      sh->words[word].end - sh->words[word].start);
    if (n != NULL && n->function)
        return false;
    if (rc_is_named(sh, c, " awk "))
        return !rc_has_text(sh, sh->commands[c].start, sh->commands[c].end, ">") &&
               !rc_has_text(sh, sh->commands[c].start, sh->commands[c].end, "system") &&
               !rc_has_text(sh, sh->commands[c].start, sh->commands[c].end, "| ");
    return rc_is_named(sh, c, names);
}

/* The text holds a command that was not read: one in arithmetic, or with escapes in backquotes. */
static bool has_unread(const struct shell *sh, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++)
        if (sh->bytes[i] == '`' || (sh->bytes[i] == '$' && i + 2 < end && sh->bytes[i + 1] == '(' &&
                                    sh->bytes[i + 2] != '('))
            return true;
    return false;
}

bool rc_words_only_ask(const struct rc_script *s, int c)
{
    const struct shell *sh = s->sh;
    const struct shell_command *command = &sh->commands[c];
    size_t at = command->start;

    for (int b = command->first_block; b != SHELL_NO && sh->blocks[b].kind == SHELL_SUBST;
         b = sh->blocks[b].next) {
        size_t opener = sh->bytes[sh->blocks[b].start - 1] == '`' ? 1 : 2;

        if (has_unread(sh, at, sh->blocks[b].start - opener) ||
            rc_assigns(sh, at, sh->blocks[b].start - opener))
            return false;
        at = sh->blocks[b].end + 1;
        for (size_t i = (size_t)c + 1;
             i < sh->ncommands && sh->commands[i].start < sh->blocks[b].end; i++)
            if (!rc_is_query(s, (int)i))
                return false;
    }
    if (command->kind == SHELL_FOR)
        return true;
    if (has_unread(sh, at, command->end) || rc_assigns(sh, at, command->end))
        return false;
    for (int r = command->first_redir; r != SHELL_NO; r = sh->redirs[r].next)
        if (sh->redirs[r].document && !sh->redirs[r].quoted &&
            (has_unread(sh, sh->redirs[r].doc_start, sh->redirs[r].doc_end) ||
             rc_assigns(sh, sh->redirs[r].doc_start, sh->redirs[r].doc_end)))
            return false;
    return true;
}
