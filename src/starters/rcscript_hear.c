/* The words of loops: names, the programs they run, the ports they ask. */
#include "rcscript.h"

#include <ctype.h>
#include <string.h>

#include "batten/mem.h"

/* Longer words name no daemon. */
enum { WORD_MAX = 32, KEY_MAX = 256 };

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static size_t span(const struct shell *sh, size_t at, size_t end, const char *more)
{
    size_t i = at;

    while (i < end && sh->bytes[i] != '\0' &&
           (is_name(sh->bytes[i]) || strchr(more, sh->bytes[i]) != NULL))
        i++;
    return i - at;
}

static void at(struct rc_listener *l, size_t place)
{
    if (!l->placed)
        l->first = l->last = place;
}

/* What stands for TEXT in the table of names: its length, 0 where there is nothing. */
static size_t make_key(char key[KEY_MAX], enum rc_key kind, const char *text, size_t len)
{
    bool folds = kind == RC_KEY_WORD || kind == RC_KEY_PROGRAM;
    size_t n = kind != RC_KEY_WORD;

    if (len == 0 || len + n > KEY_MAX || (folds && (len < 2 || len >= WORD_MAX)))
        return 0;
    key[0] = (char)kind;
    for (size_t i = 0; i < len; i++)
        key[n + i] = folds ? (char)tolower((unsigned char)text[i]) : text[i];
    return len + n;
}

const struct rc_name *rc_heard(const struct rc_names *names, enum rc_key kind, const char *text,
                               size_t len)
{
    char key[KEY_MAX];
    size_t n = make_key(key, kind, text, len);

    return n > 0 ? rc_names_find(names, key, n) : NULL;
}

void rc_hear_key(const struct rc_listener *l, enum rc_key kind, const char *text, size_t len)
{
    char key[KEY_MAX];
    size_t n = make_key(key, kind, text, len);
    struct rc_mention *m;

    if (n == 0)
        return;
    m = &rc_names_add(l->names, key, n)->awaited[l->where];
    if (l->end < m->end)
        return;
    if (l->end > m->end || l->first < m->first)
        m->first = l->first;
    if (l->end > m->end || l->last > m->last)
        m->last = l->last;
    m->end = l->end;
}

/* What stands at AT is the name of a variable: $NAME, ${NAME}, ${#NAME}. */
static bool is_variable(const struct shell *sh, size_t at)
{
    const char *b = sh->bytes + at;

    if (at > 2 && (b[-1] == '#' || b[-1] == '!') && b[-2] == '{')
        return b[-3] == '$';
    return at > 0 && (b[-1] == '$' || (at > 1 && b[-1] == '{' && b[-2] == '$'));
}

/* The name of N bytes at AT, which may be several words; http: is no name. */
static void hear_name(struct rc_listener *l, size_t at, size_t n)
{
    const char *bytes = l->sh->bytes + at;

    if (is_variable(l->sh, at)) {
        rc_hear_key(l, RC_KEY_VALUE, bytes, n);
        return;
    }
    if (at + n + 3 <= l->sh->len && memcmp(bytes + n, "://", 3) == 0)
        return;
    for (size_t i = 0, len; i < n; i += len + 1) {
        for (len = 0; i + len < n && bytes[i + len] != '_';)
            len++;
        rc_hear_key(l, RC_KEY_WORD, bytes + i, len);
    }
}

/* The first comment that ends behind AT. */
static size_t comment_at(const struct shell *sh, size_t at)
{
    size_t low = 0, high = sh->ncomments;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sh->comments[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void rc_hear_words(struct rc_listener *l, size_t start, size_t end)
{
    const struct shell *sh = l->sh;
    size_t k = comment_at(sh, start);

    for (size_t i = start, n; i<end; i += n> 0 ? n : 1) {
        n = span(sh, i, end, "");
        if (k < sh->ncomments && i >= sh->comments[k].start) {
            n = sh->comments[k].end > i ? sh->comments[k].end - i : 0;
            k++;
        } else if (n > 0) {
            at(l, i);
            hear_name(l, i, n);
        }
    }
}

/* ---- what they run, and the ports ---- */

static bool is_number(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return len <= 5;
}

/* A number is a port by itself or behind ':', as in *.53, 22/tcp and :80; none in an address. */
static bool is_port(const struct shell *sh, const struct shell_word *w, size_t at, size_t n)
{
    const char *b = sh->bytes;
    char before = at > w->start ? b[at - 1] : ' ', after = at + n < w->end ? b[at + n] : ' ';

    if (is_name(before) || is_name(after) || before == '-' || before == '$')
        return false;
    if (before == '.' && at > w->start + 1 && isdigit((unsigned char)b[at - 2]))
        return false;
    if (after == '.' && at + n + 1 < w->end && isdigit((unsigned char)b[at + n + 1]))
        return false;
    return before != '/' || rc_has_text(sh, w->start, w->end, "/dev/tcp/") ||
           rc_has_text(sh, w->start, w->end, "/dev/udp/");
}

/* The ports in a word, and its variables; QUIET: its numbers are no ports but behind ':'. */
static void hear_ports(struct rc_listener *l, const struct shell_word *w, bool quiet)
{
    const char *bytes = l->sh->bytes;

    for (size_t i = w->start, n; i<w->end; i += n> 0 ? n : 1) {
        bool colon = i > w->start && bytes[i - 1] == ':';

        n = span(l->sh, i, w->end, "");
        if (n == 0 || (quiet && !colon))
            continue;
        if (is_variable(l->sh, i))
            rc_hear_key(l, RC_KEY_RUN, bytes + i, n);
        else if (is_number(bytes + i, n) && is_port(l->sh, w, i, n))
            rc_hear_key(l, RC_KEY_PORT, bytes + i, n);
    }
}

/* The programs that the word may run, by their basenames. */
static void hear_programs(struct rc_listener *l, const struct shell_word *w)
{
    const char *bytes = l->sh->bytes;

    for (size_t i = w->start, n; i<w->end; i += n> 0 ? n : 1) {
        size_t base;

        n = span(l->sh, i, w->end, is_variable(l->sh, i) ? "" : "./+-");
        if (n == 0 || is_variable(l->sh, i))
            continue;
        for (base = i + n; base > i && bytes[base - 1] != '/';)
            base--;
        rc_hear_key(l, RC_KEY_PROGRAM, bytes + base, i + n - base);
    }
}

void rc_hear_run(struct rc_listener *l, size_t start, size_t end)
{
    const struct shell_word w = {.start = start, .end = end};

    at(l, start);
    hear_programs(l, &w);
    hear_ports(l, &w, false);
}

/* The program of C is one of NAMES. */
static bool runs_one(const struct shell *sh, int name, const char *names)
{
    const struct shell_word *w = &sh->words[name];
    char base[WORD_MAX];
    size_t at = w->end;

    while (at > w->start && sh->bytes[at - 1] != '/')
        at--;
    if (w->end - at >= sizeof(base))
        return false;
    memcpy(base, sh->bytes + at, w->end - at);
    base[w->end - at] = '\0';
    return rc_is_in(base, names);
}

/* C may ask this host: a name with a dot is another's. */
static bool asks_here(const struct shell *sh, int c)
{
    static const char *const here[] = {"localhost", "127.", "::1", "$", "`", "0.0.0.0"};

    for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++)
        if (rc_has_text(sh, sh->commands[c].start, sh->commands[c].end, here[i]))
            return true;
    return false;
}

static void hear_simple(struct rc_listener *l, int c, int name)
{
    static const char wrappers[] = " timeout exec command builtin time nice nohup env eval sudo su "
                                   "sh bash ksh dash ash chroot setsid retry xargs watch busybox "
                                   "runuser . source trap ",
                      counting[] = " [ test [[ expr let sleep usleep echo printf seq head tail "
                                   "true false : return exit break continue shift kill ",
                      remote[] = " curl wget lynx links fetch telnet ftp ";
    const struct shell *sh = l->sh;
    const struct rc_name *called = rc_called_by(l->names, sh, c);
    bool all = called != NULL || runs_one(sh, name, wrappers), quiet = runs_one(sh, name, counting);

    if (called != NULL)
        rc_hear_key(l, RC_KEY_CALL, called->name, strlen(called->name));
    for (int word = name; word != SHELL_NO; word = sh->words[word].next) {
        const struct shell_word *w = &sh->words[word];

        at(l, w->start);
        if (all || (word == name && (!runs_one(sh, name, remote) || asks_here(sh, c))))
            hear_programs(l, w);
        hear_ports(l, w, quiet);
    }
}

static void hear_command(struct rc_listener *l, int c)
{
    const struct shell_command *command = &l->sh->commands[c];
    int name = command->kind == SHELL_SIMPLE ? shell_name_word(l->sh, c) : SHELL_NO;

    at(l, command->start);
    if (name != SHELL_NO)
        hear_simple(l, c, name);
    for (int word = command->kind == SHELL_TEST ? command->first_word : SHELL_NO; word != SHELL_NO;
         word = l->sh->words[word].next)
        hear_ports(l, &l->sh->words[word], true);
    for (int r = command->first_redir; r != SHELL_NO; r = l->sh->redirs[r].next) {
        const struct shell_redir *redir = &l->sh->redirs[r];
        const struct shell_word w = {.start = redir->target, .end = redir->end};

        if (w.end > w.start && l->sh->bytes[w.start] != '&')
            hear_ports(l, &w, false);
    }
}

/* The first command that starts at START or behind it. */
static size_t command_at(const struct shell *sh, size_t start)
{
    size_t low = 0, high = sh->ncommands;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sh->commands[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void rc_hear(struct rc_listener *l, size_t start, size_t end)
{
    rc_hear_words(l, start, end);
    for (size_t c = command_at(l->sh, start); c < l->sh->ncommands; c++) {
        if (l->sh->commands[c].start >= end)
            break;
        hear_command(l, (int)c);
    }
}
