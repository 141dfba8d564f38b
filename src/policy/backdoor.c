/*
 * Where the line is drawn: a back door is a server whose client chooses what runs, without a login.
 *
 * That is a shell or an interpreter that reads its commands from the connection (no script, no -c),
 * a telnetd told to start a shell in place of login, a netcat told to run a shell, and given text
 * (sh -c, perl -e) that hands the connection to one of these or evaluates what it reads.
 *
 * It is not a shell that runs a script file, nor fixed text that only moves data: what those do is
 * written down on this host, by whoever may write there. In 'PROGRAM WORD' of an inetd.conf the
 * WORD is argv[0] and nobody reads it: '/bin/sh /usr/bin/script' runs no script, it is a shell on
 * the network all the same, and counts as one.
 */
#include "batten/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/entry.h"
#include "batten/mem.h"
#include "batten/text.h"
#include "command.h"

static bool contains_any(const char *text, const char *const *needles)
{
    for (; *needles != NULL; needles++) {
        if (strstr(text, *needles) != NULL)
            return true;
    }
    return false;
}

static bool is_shell_path(const char *word)
{
    return command_is_shell(text_basename(word));
}

static bool shell_is_open(const char *const *words, size_t n)
{
    static const char *const risky[] = {"eval ", "/dev/tcp/", "/dev/udp/", "mkfifo", NULL};
    char *text = command_shell_text(words, n);
    bool open;

    if (text == NULL)
        return command_shell_script(words, n) == NULL;
    open = contains_any(text, risky);
    free(text);
    return open;
}

/* An interpreter, the options that carry program text, and those that take the next word. */
struct interpreter {
    const char *name;
    const char *text;
    const char *valued;
    bool reads_input; /* with no program at all it reads one from the connection */
};

static const struct interpreter interpreters[] = {
    {"perl",   "eE", "IMmx", true },
    {"python", "c",  "mWX",  true },
    {"ruby",   "e",  "Ir",   true },
    {"php",    "r",  "dcz",  true },
    {"lua",    "e",  "l",    true },
    {"node",   "ep", "r",    true },
    {"tclsh",  "",   "",     true },
    {"wish",   "",   "",     true },
    {"expect", "c",  "",     true },
    {"gdb",    "",   "x",    true },
    {"awk",    "",   "Fvf",  false},
    {"gawk",   "",   "Fvf",  false},
    {"mawk",   "",   "Fvf",  false},
};

/* "python3.11", "perl5.36.0" and "php-cgi" are what they start with. */
static const struct interpreter *interpreter_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(interpreters); i++) {
        size_t len = strlen(interpreters[i].name);

        if (strncmp(name, interpreters[i].name, len) == 0 &&
            strspn(name + len, "0123456789.-") == strlen(name + len))
            return &interpreters[i];
    }
    return NULL;
}

/* Program text that runs what it is told, or opens a connection of its own. */
static bool text_is_open(const char *text)
{
    static const char *const risky[] = {
        "exec", "system", "socket", "Socket",   "popen", "subprocess", "spawn",     "pty", "eval",
        "fork", "`",      "/inet/", "passthru", "dup2",  "/bin/sh",    "/bin/bash", "|&",  NULL};

    return contains_any(text, risky);
}

static bool interpreter_is_open(const struct interpreter *in, const char *const *words, size_t n)
{
    size_t i = 1;

    for (; i < n && words[i][0] == '-' && words[i][1] != '\0'; i++) {
        const char *last = words[i] + strlen(words[i]) - 1;

        if (strcmp(words[i], "--") == 0) {
            i++;
            break;
        }
        if (words[i][1] == '-')
            continue;
        if (strchr(in->text, *last) != NULL) {
            for (size_t k = i + 1; k < n; k++) {
                if (text_is_open(words[k]))
                    return true;
            }
            return false;
        }
        if (strchr(in->text, words[i][1]) != NULL)
            return text_is_open(words[i]); /* -e'text' in one word */
        if (strchr(in->valued, *last) != NULL && words[i][2] == '\0') {
            if (strchr("mfx", *last) != NULL)
                return false; /* python -m MODULE, awk -f FILE: a program of this host */
            i++;
        }
    }
    if (!in->reads_input) { /* awk: the first operand is the program */
        for (; i < n; i++) {
            if (text_is_open(words[i]))
                return true;
        }
        return false;
    }
    return i >= n || strcmp(words[i], "-") == 0 || strcmp(words[i], "/dev/stdin") == 0;
}

/* telnetd -l SHELL, -lSHELL, inetutils: -E SHELL, --exec-login=SHELL: no login is asked for. */
static bool telnetd_is_open(const char *const *words, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const char *word = words[i];
        size_t len = strlen(word);

        if (text_starts(word, "--exec-login=") && is_shell_path(strchr(word, '=') + 1))
            return true;
        if (word[0] != '-' || len < 2)
            continue;
        if ((text_starts(word, "-l") || text_starts(word, "-E") || text_starts(word, "-L")) &&
            len > 2 && is_shell_path(word + 2))
            return true;
        if ((word[len - 1] == 'l' || word[len - 1] == 'E' || word[len - 1] == 'L' ||
             strcmp(word, "--exec-login") == 0) &&
            i + 1 < n && is_shell_path(words[i + 1]))
            return true;
    }
    return false;
}

/* nc -e /bin/sh, -e/bin/sh, ncat --sh-exec 'sh -i': a shell among the words is never an address. */
static bool netcat_is_open(const char *const *words, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const char *word = words[i];
        const char *end = strpbrk(word, " \t");
        char *first = mem_strndup(word, end != NULL ? (size_t)(end - word) : strlen(word));
        bool shell = is_shell_path(first);

        free(first);
        if (shell)
            return true;
    }
    return false;
}

/* socat - EXEC:/bin/sh,pty SYSTEM:... */
static bool socat_is_open(const char *const *words, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const char *colon = strchr(words[i], ':');
        char *program;
        bool shell;

        if (colon == NULL ||
            (strncasecmp(words[i], "exec", 4) != 0 && strncasecmp(words[i], "system", 6) != 0 &&
             strncasecmp(words[i], "shell", 5) != 0))
            continue;
        colon += 1 + strspn(colon + 1, "\"' ");
        program = mem_strndup(colon, strcspn(colon, " \t,\"'"));
        shell = is_shell_path(program);
        free(program);
        if (shell || strncasecmp(words[i], "shell", 5) == 0)
            return true;
    }
    return false;
}

/* su without -c, and login -f USER, give a shell to whoever connects. */
static bool login_is_open(const char *name, const char *const *words, size_t n)
{
    bool is_su = strcmp(name, "su") == 0;

    for (size_t i = 1; i < n; i++) {
        if (is_su && (strcmp(words[i], "-c") == 0 || text_starts(words[i], "--command")))
            return false;
        if (!is_su && text_starts(words[i], "-f"))
            return true;
    }
    return is_su;
}

static bool is_telnetd(const char *name)
{
    const struct service *telnet = catalogue_find("telnet");

    return telnet != NULL && catalogue_runs(telnet, name);
}

static bool is_open(void *ctx, const char *const *words, size_t n)
{
    static const char *const netcats[] = {
        "nc", "ncat", "netcat", "nc.openbsd", "nc.traditional", "cryptcat", "sbd", NULL};
    const char *name = text_basename(words[0]), *program = ctx;
    const struct interpreter *in = interpreter_find(name);

    if (command_is_shell(name))
        return shell_is_open(words, n);
    if (in != NULL)
        return interpreter_is_open(in, words, n);
    if (is_telnetd(name))
        return telnetd_is_open(words, n);
    for (size_t i = 0; netcats[i] != NULL; i++) {
        if (strcmp(name, netcats[i]) == 0)
            return netcat_is_open(words, n);
    }
    if (strcmp(name, "socat") == 0)
        return socat_is_open(words, n);
    if (strcmp(name, "su") == 0 || strcmp(name, "login") == 0)
        return login_is_open(name, words, n);
    /* In the text of a -c: the command itself is what was read. */
    return words[0][0] == '$' && words[0] != program;
}

bool match_backdoor(const struct entry *e)
{
    return command_walk(e, is_open, e->program);
}
