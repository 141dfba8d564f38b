#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "batten/entry.h"
#include "batten/mem.h"
#include "batten/text.h"

enum { DEPTH_MAX = 8 };

/* A program that runs the command given to it as arguments. */
struct wrapper {
    const char *name;
    const char *valued; /* letters of the short options that take the next word */
    unsigned operands;  /* words of its own before the command */
};

static const struct wrapper wrappers[] = {
    {"chpst",        "ubePmdoplfcrt", 0},
    {"chroot",       "",              1},
    {"chrt",         "",              1},
    {"command",      "",              0},
    {"daemon",       "",              0},
    {"daemonize",    "aceloupv",      0},
    {"doas",         "uC",            0},
    {"env",          "uC",            0},
    {"envdir",       "",              1},
    {"envuidgid",    "",              1},
    {"eval",         "",              0},
    {"exec",         "a",             0},
    {"ionice",       "cnpPu",         0},
    {"linux32",      "",              0},
    {"linux64",      "",              0},
    {"nice",         "n",             0},
    {"nohup",        "",              0},
    {"nsenter",      "tSG",           0},
    {"runuser",      "ugG",           0},
    {"setarch",      "",              1},
    {"setpriv",      "",              0},
    {"setsid",       "",              0},
    {"setuidgid",    "",              1},
    {"softlimit",    "adcflmoprst",   0},
    {"start_daemon", "pn",            0},
    {"stdbuf",       "ioe",           0},
    {"sudo",         "ugpCrthRTD",    0},
    {"taskset",      "",              1},
    {"tcp-env",      "t",             0},
    {"tcpserver",    "cxBgulbt",      2},
    {"tcpsvd",       "cCbulhHiEx",    2},
    {"timeout",      "ks",            1},
    {"udpsvd",       "cCbulhHiEx",    2},
    {"unshare",      "SGRw",          0},
};

struct walk {
    command_visit *visit;
    void *ctx;
};

static bool walk(const struct walk *w, const char *const *words, size_t n, unsigned depth);

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(word, *list) == 0)
            return true;
    }
    return false;
}

bool command_is_shell(const char *basename)
{
    static const char *const shells[] = {
        "sh",   "bash", "dash", "ash",  "ksh",    "ksh88", "ksh93", "mksh", "pdksh",
        "zsh",  "csh",  "tcsh", "fish", "rbash",  "hush",  "yash",  "posh", "rksh",
        "lksh", "msh",  "sash", "jsh",  "rsh.sh", "bash2", "scsh",  "oksh", NULL};

    return is_one_of(basename, shells);
}

/* Where the operands of a shell start; *COMMAND gets the index of the word behind -c, or 0. */
static size_t shell_operands(const char *const *words, size_t n, size_t *command)
{
    size_t i = 1;
    bool c = false;

    *command = 0;
    while (i < n && (words[i][0] == '-' || words[i][0] == '+') && words[i][1] != '\0') {
        const char *word = words[i++];
        size_t len = strlen(word);

        if (strcmp(word, "--") == 0)
            break;
        if (word[1] == '-') {
            if (strcmp(word, "--rcfile") == 0 || strcmp(word, "--init-file") == 0)
                i++;
            continue;
        }
        c = c || (word[0] == '-' && strchr(word, 'c') != NULL);
        if (word[len - 1] == 'o' || word[len - 1] == 'O')
            i++;
    }
    if (c && i < n)
        *command = i;
    return i < n ? i : n;
}

char *command_shell_text(const char *const *words, size_t n)
{
    struct buf text = BUF_INIT;
    size_t at, len;
    char quote;

    shell_operands(words, n, &at);
    if (at == 0)
        return NULL;
    quote = words[at][0];
    len = strlen(words[at]);
    if ((quote != '"' && quote != '\'') || (len > 1 && words[at][len - 1] == quote))
        return mem_strdup(words[at]);
    /* Most inetds know no quotes and have split the text at its blanks: what was meant counts. */
    buf_adds(&text, words[at] + 1);
    for (size_t i = at + 1; i < n; i++) {
        buf_addc(&text, ' ');
        buf_adds(&text, words[i]);
    }
    if (text.len > 0 && text.data[text.len - 1] == quote)
        text.data[--text.len] = '\0';
    return buf_steal(&text);
}

const char *command_shell_script(const char *const *words, size_t n)
{
    static const char *const input[] = {"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", NULL};
    size_t command;
    size_t at = shell_operands(words, n, &command);

    for (size_t i = 1; i < at; i++) {
        if (words[i][0] == '-' && words[i][1] != '-' && strchr(words[i], 's') != NULL)
            return NULL; /* -s: read the standard input, the operands are its arguments */
    }
    return at < n && !is_one_of(words[at], input) ? words[at] : NULL;
}

/* ---- the text of sh -c, cut into simple commands ---- */

struct cutter {
    const struct walk *walk;
    unsigned depth;
    struct strlist words;
    struct buf word;
    bool in_word;
    bool redirect; /* the next word is the target of a redirection */
};

static bool is_assignment(const char *word)
{
    size_t i = 0;

    while (word[i] == '_' || (word[i] >= 'A' && word[i] <= 'Z') ||
           (word[i] >= 'a' && word[i] <= 'z') || (i > 0 && word[i] >= '0' && word[i] <= '9'))
        i++;
    return i > 0 && word[i] == '=';
}

static void word_end(struct cutter *c)
{
    static const char *const keywords[] = {"if", "then", "else", "elif", "while", "until",
                                           "do", "{",    "!",    "time", NULL};
    const char *word = buf_str(&c->word);

    if (!c->in_word)
        return;
    if (c->redirect)
        c->redirect = false;
    else if (c->words.n > 0 || (!is_assignment(word) && !is_one_of(word, keywords)))
        strlist_add(&c->words, word);
    buf_clear(&c->word);
    c->in_word = false;
}

static bool command_end(struct cutter *c)
{
    bool found = false;

    word_end(c);
    c->redirect = false;
    if (c->words.n > 0)
        found = walk(c->walk, (const char *const *)c->words.v, c->words.n, c->depth + 1);
    strlist_release(&c->words);
    return found;
}

/* Take in a quoted run that starts at TEXT[I]; returns the index of its closing quote. */
static size_t take_quoted(struct cutter *c, const char *text, size_t i)
{
    char quote = text[i++];

    c->in_word = true;
    for (; text[i] != '\0' && text[i] != quote; i++) {
        if (quote == '"' && text[i] == '\\' && text[i + 1] != '\0')
            i++;
        buf_addc(&c->word, text[i]);
    }
    return text[i] == '\0' ? i - 1 : i;
}

static void take_redirect(struct cutter *c, const char *text, size_t *i)
{
    bool number = c->in_word;

    for (size_t k = 0; k < c->word.len; k++)
        number = number && c->word.data[k] >= '0' && c->word.data[k] <= '9';
    if (number) {
        buf_clear(&c->word);
        c->in_word = false;
    }
    word_end(c);
    while (text[*i + 1] == '>' || text[*i + 1] == '<' || text[*i + 1] == '&')
        (*i)++;
    c->redirect = true;
}

static bool walk_text(const struct walk *w, const char *text, unsigned depth)
{
    struct cutter c = {.walk = w, .depth = depth};
    bool found = false;

    for (size_t i = 0; text[i] != '\0' && !found; i++) {
        char ch = text[i];

        if (ch == '\'' || ch == '"') {
            i = take_quoted(&c, text, i);
        } else if (ch == '\\' && text[i + 1] != '\0') {
            buf_addc(&c.word, text[++i]);
            c.in_word = true;
        } else if (ch == '<' || ch == '>') {
            take_redirect(&c, text, &i);
        } else if (strchr(";&|\n()`", ch) != NULL) {
            found = command_end(&c);
        } else if (ch == ' ' || ch == '\t' || ch == '\r') {
            word_end(&c);
        } else {
            buf_addc(&c.word, ch);
            c.in_word = true;
        }
    }
    if (!found)
        found = command_end(&c);
    strlist_release(&c.words);
    buf_release(&c.word);
    return found;
}

/* ---- the layers ---- */

static const struct wrapper *wrapper_find(const char *name)
{
    static const struct wrapper loader = {"ld.so", "", 0};

    for (size_t i = 0; i < ARRAY_LEN(wrappers); i++) {
        if (strcmp(wrappers[i].name, name) == 0)
            return &wrappers[i];
    }
    if (text_starts(name, "ld-linux") || text_starts(name, "ld.so") || text_starts(name, "ld-musl"))
        return &loader;
    return NULL;
}

/* The index of the wrapped command, or N. */
static size_t behind_wrapper(const struct wrapper *w, const char *const *words, size_t n)
{
    size_t i = 1;

    for (; i < n && words[i][0] == '-'; i++) {
        if (strcmp(words[i], "--") == 0) {
            i++;
            break;
        }
        if (words[i][1] != '\0' && words[i][2] == '\0' && strchr(w->valued, words[i][1]) != NULL)
            i++;
    }
    if (strcmp(w->name, "env") == 0) {
        while (i < n && strchr(words[i], '=') != NULL)
            i++;
    }
    i += w->operands;
    return i < n ? i : n;
}

/* The value of the option SHORT or LONG ("-x V", "--exec V", "--exec=V"), or NULL. */
static const char *option_value(const char *const *words, size_t n, const char *shortopt,
                                const char *longopt)
{
    size_t len = strlen(longopt);

    for (size_t i = 1; i < n && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], shortopt) == 0 || strcmp(words[i], longopt) == 0)
            return i + 1 < n ? words[i + 1] : NULL;
        if (strncmp(words[i], longopt, len) == 0 && words[i][len] == '=')
            return words[i] + len + 1;
    }
    return NULL;
}

/* Walk PROGRAM with the words from FROM on. */
static bool walk_as(const struct walk *w, const char *program, const char *const *words, size_t n,
                    unsigned depth)
{
    const char **inner = mem_array(n + 1, sizeof(*inner));
    bool found;

    inner[0] = program;
    for (size_t i = 0; i < n; i++)
        inner[i + 1] = words[i];
    found = walk(w, inner, n + 1, depth + 1);
    free(inner);
    return found;
}

/* start-stop-daemon --start --exec PROGRAM -- ARGS */
static bool walk_ssd(const struct walk *w, const char *const *words, size_t n, unsigned depth)
{
    const char *program = option_value(words, n, "-a", "--startas");
    size_t i = 1;

    if (program == NULL)
        program = option_value(words, n, "-x", "--exec");
    if (program == NULL)
        return false;
    while (i < n && strcmp(words[i], "--") != 0)
        i++;
    i = i < n ? i + 1 : n;
    return walk_as(w, program, words + i, n - i, depth);
}

/* stunnel -p PEM -l PROGRAM [--] [ARGV0 ARGS] */
static bool walk_stunnel(const struct walk *w, const char *const *words, size_t n, unsigned depth)
{
    static const char *const options[] = {"-l", "-L", "-exec", NULL};
    size_t program = 1, args;

    while (program < n && !is_one_of(words[program - 1], options))
        program++;
    if (program >= n)
        return false;
    args = program + 1;
    if (args < n && strcmp(words[args], "--") == 0)
        args++;
    args = args < n ? args + 1 : n;
    return walk_as(w, words[program], words + args, n - args, depth);
}

static bool is_multicall(const char *name)
{
    return text_starts(name, "busybox") || strcmp(name, "toybox") == 0 ||
           strcmp(name, "dropbearmulti") == 0;
}

static bool is_tcpd(const char *name)
{
    return strcmp(name, "tcpd") == 0 || strcmp(name, "in.tcpd") == 0 || strcmp(name, "tcpdd") == 0;
}

static bool walk_inner(const struct walk *w, const char *const *words, size_t n, unsigned depth)
{
    const char *name = text_basename(words[0]);
    const struct wrapper *wrapper = wrapper_find(name);
    const char *text;
    char *shell_text;
    bool found;
    size_t at;

    if (wrapper != NULL) {
        at = behind_wrapper(wrapper, words, n);
        return at < n && walk(w, words + at, n - at, depth + 1);
    }
    if (is_multicall(name) || is_tcpd(name))
        return n > 1 && walk(w, words + 1, n - 1, depth + 1);
    if (strcmp(name, "start-stop-daemon") == 0)
        return walk_ssd(w, words, n, depth);
    if (text_starts(name, "stunnel"))
        return walk_stunnel(w, words, n, depth);
    if (strcmp(name, "su") == 0) {
        text = option_value(words, n, "-c", "--command");
        return text != NULL && walk_text(w, text, depth);
    }
    if (!command_is_shell(name))
        return false;
    shell_text = command_shell_text(words, n);
    found = shell_text != NULL && walk_text(w, shell_text, depth);
    free(shell_text);
    return found;
}

static bool walk(const struct walk *w, const char *const *words, size_t n, unsigned depth)
{
    if (n == 0 || depth > DEPTH_MAX)
        return false;
    return w->visit(w->ctx, words, n) || walk_inner(w, words, n, depth);
}

bool command_walk(const struct entry *e, command_visit *visit, void *ctx)
{
    struct walk w = {visit, ctx};
    const char *name, *argv0;
    size_t n = 0;

    if (e->program == NULL)
        return false;
    while (e->argv[n] != NULL)
        n++;
    name = text_basename(e->program);
    argv0 = n > 0 ? e->argv[0] : e->program;
    /* These two are told by argv[0] what to be. */
    if ((is_multicall(name) || is_tcpd(name)) && strcmp(text_basename(argv0), name) != 0)
        return walk_as(&w, argv0, (const char *const *)e->argv + 1, n > 0 ? n - 1 : 0, 0);
    return walk_as(&w, e->program, (const char *const *)e->argv + (n > 0), n > 0 ? n - 1 : 0, 0);
}
