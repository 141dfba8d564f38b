/* The commands that stand in front of the program they start. */
#include "rcscript.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

struct wrapper {
    const char *name;
    enum rc_wrap_kind kind;
    const char *valued;    /* letters of the options that take a word */
    const char *long_ones; /* " --name " of those that do, blanks around each */
    unsigned operands;     /* words of its own before the program */
};

static const char setpriv_options[] =
    " --reuid --regid --ruid --rgid --euid --egid --groups --inh-caps --ambient-caps "
    "--bounding-set --securebits --pdeathsig --ptracer --selinux-label --apparmor-profile "
    "--landlock-access --landlock-rule --seccomp-filter ";

static const char systemd_run_options[] =
    " --unit --property --description --slice --machine --host --setenv --uid --gid --nice "
    "--working-directory --service-type --on-active --on-boot --on-startup --on-unit-active "
    "--on-unit-inactive --on-calendar --timer-property ";

/* Sorted by bytes. */
static const struct wrapper wrappers[] = {
    {"action",         RC_WRAP_SKIP, "",               "",                                    1},
    {"builtin",        RC_WRAP_SKIP, "",               "",                                    0},
    {"busybox",        RC_WRAP_SKIP, "",               "",                                    0},
    {"chpst",          RC_WRAP_SKIP, "ubePmdoplfcrt",  "",                                    0},
    {"chroot",         RC_WRAP_SKIP, "ugG",            "",                                    1},
    {"chrt",           RC_WRAP_SKIP, "TPD",            "",                                    1},
    {"coproc",         RC_WRAP_SKIP, "",               "",                                    0},
    {"daemon",         RC_WRAP_SKIP, "ptulmoPTc",      " --user --check --pidfile ",          0},
    {"daemonize",      RC_WRAP_SKIP, "aceloupv",       "",                                    0},
    {"doas",           RC_WRAP_SKIP, "uC",             "",                                    0},
    {"dropbearmulti",  RC_WRAP_SKIP, "",               "",                                    0},
    {"env",            RC_WRAP_SKIP, "uCP",            " --unset --chdir ",                   0},
    {"envdir",         RC_WRAP_SKIP, "",               "",                                    1},
    {"envuidgid",      RC_WRAP_SKIP, "",               "",                                    1},
    {"exec",           RC_WRAP_SKIP, "a",              "",                                    0},
    {"initlog",        RC_WRAP_TEXT, "",               "",                                    0},
    {"ionice",         RC_WRAP_SKIP, "cnpPu",          " --class --classdata ",               0},
    {"limit",          RC_WRAP_SKIP, "",               "",                                    0},
    {"loadproc",       RC_WRAP_SKIP, "pn",             "",                                    0},
    {"log_action_cmd", RC_WRAP_SKIP, "",               "",                                    0},
    {"nice",           RC_WRAP_SKIP, "n",              " --adjustment ",                      0},
    {"nohup",          RC_WRAP_SKIP, "",               "",                                    0},
    {"nsenter",        RC_WRAP_SKIP, "tSGW",           " --target --setuid --setgid --wdns ", 0},
    {"numactl",        RC_WRAP_SKIP, "ipmNCl",         "",                                    0},
    {"s6-setuidgid",   RC_WRAP_SKIP, "",               "",                                    1},
    {"schedtool",      RC_WRAP_SKIP, "anp",            "",                                    0},
    {"setpriv",        RC_WRAP_SKIP, "",               setpriv_options,                       0},
    {"setsid",         RC_WRAP_SKIP, "",               "",                                    0},
    {"setuidgid",      RC_WRAP_SKIP, "",               "",                                    1},
    {"softlimit",      RC_WRAP_SKIP, "adcflmoprst",    "",                                    0},
    {"start_daemon",   RC_WRAP_LIST, "pnul",           " --pidfile ",                         0},
    {"startproc",      RC_WRAP_LIST, "nlptugci",       "",                                    0},
    {"stdbuf",         RC_WRAP_SKIP, "ioe",            "",                                    0},
    {"strace",         RC_WRAP_SKIP, "oepsaubEIOSXPU", "",                                    0},
    {"sudo",           RC_WRAP_SKIP, "ugpCrthRTD",     " --user --group ",                    0},
    {"systemd-run",    RC_WRAP_SKIP, "pMHEu",          systemd_run_options,                   0},
    {"taskset",        RC_WRAP_SKIP, "",               "",                                    1},
    {"tcp-env",        RC_WRAP_SKIP, "t",              "",                                    0},
    {"tcpd",           RC_WRAP_SKIP, "",               "",                                    1},
    {"tcpserver",      RC_WRAP_SKIP, "cxBgulbt",       "",                                    2},
    {"tcpsvd",         RC_WRAP_SKIP, "bcCilux",        "",                                    2},
    {"time",           RC_WRAP_SKIP, "fo",             "",                                    0},
    {"timeout",        RC_WRAP_SKIP, "ks",             " --kill-after --signal ",             1},
    {"toybox",         RC_WRAP_SKIP, "",               "",                                    0},
    {"udpsvd",         RC_WRAP_SKIP, "bcCilux",        "",                                    2},
    {"unshare",        RC_WRAP_SKIP, "SGRw",           "",                                    0},
    {"valgrind",       RC_WRAP_SKIP, "",               "",                                    0},
};

static int by_name(const void *name, const void *wrapper)
{
    return strcmp(name, ((const struct wrapper *)wrapper)->name);
}

static const struct wrapper *find_wrapper(const char *name)
{
    return bsearch(name, wrappers, ARRAY_LEN(wrappers), sizeof(wrappers[0]), by_name);
}

bool rc_is_option(const char *word)
{
    return (word[0] == '-' && word[1] != '\0') || (word[0] == '+' && word[1] != '\0');
}

/* Whether the option WORD takes the next word: --name of a list, or a last letter of another. */
static bool takes_next(const char *word, const char *valued, const char *long_ones)
{
    if (text_starts(word, "--")) {
        char *padded = mem_printf(" %s ", word);
        bool listed = strstr(long_ones, padded) != NULL;

        free(padded);
        return listed;
    }
    for (size_t i = 1; word[i] != '\0'; i++)
        if (strchr(valued, word[i]) != NULL)
            return word[i + 1] == '\0';
    return false;
}

/* Where the options from AT on end. */
static size_t skip_options(const struct rc_words *w, size_t at, const char *valued,
                           const char *long_ones)
{
    while (at < w->n && rc_is_option(w->v[at].text)) {
        const char *word = w->v[at++].text;

        if (strcmp(word, "--") == 0)
            break;
        if (takes_next(word, valued, long_ones))
            at++;
    }
    return at;
}

/* ---- wrappers with a grammar of their own ---- */

/* An option whose letters hold C: the word behind it. */
static bool option_value(const struct rc_words *w, size_t from, char c, size_t *at)
{
    for (size_t i = from; i + 1 < w->n; i++) {
        const char *word = w->v[i].text;

        if (word[0] == '-' && word[1] != '-' && strchr(word, c) != NULL) {
            *at = i + 1;
            return true;
        }
    }
    return false;
}

static enum rc_wrap_kind unwrap_su(const struct rc_script *s, const struct rc_words *w, size_t *at)
{
    (void)s;
    for (size_t i = *at + 1; i + 1 < w->n; i++) {
        if (strcmp(w->v[i].text, "--command") != 0)
            continue;
        *at = i + 1;
        return RC_WRAP_TEXT;
    }
    return option_value(w, *at + 1, 'c', at) ? RC_WRAP_TEXT : RC_WRAP_STOP;
}

/* As su, or in front of a command. */
static enum rc_wrap_kind unwrap_runuser(const struct rc_script *s, const struct rc_words *w,
                                        size_t *at)
{
    size_t command = *at;

    if (unwrap_su(s, w, &command) == RC_WRAP_TEXT) {
        *at = command;
        return RC_WRAP_TEXT;
    }
    *at = skip_options(w, *at + 1, "ugG", " --user --group ");
    return *at < w->n ? RC_WRAP_SKIP : RC_WRAP_STOP;
}

/* What runs when the script ends. */
static enum rc_wrap_kind unwrap_trap(const struct rc_script *s, const struct rc_words *w,
                                     size_t *at)
{
    (void)s;
    if (*at + 2 >= w->n)
        return RC_WRAP_STOP;
    for (size_t i = *at + 2; i < w->n; i++) {
        if (!rc_is_in(w->v[i].text, " 0 EXIT "))
            continue;
        ++*at;
        return RC_WRAP_TEXT;
    }
    return RC_WRAP_STOP;
}

static enum rc_wrap_kind unwrap_shell(const struct rc_script *s, const struct rc_words *w,
                                      size_t *at)
{
    size_t i = *at + 1;

    (void)s;
    for (; i < w->n && rc_is_option(w->v[i].text); i++) {
        if (w->v[i].text[0] == '-' && strchr(w->v[i].text, 'c') != NULL && i + 1 < w->n) {
            *at = i + 1;
            return RC_WRAP_TEXT;
        }
    }
    *at = i;
    return i < w->n ? RC_WRAP_SCRIPT : RC_WRAP_STOP;
}

/* rcctl start NAME..., service NAME start, systemctl start NAME... */
static enum rc_wrap_kind unwrap_service(const struct rc_script *s, const struct rc_words *w,
                                        size_t *at)
{
    static const char starts[] = " start restart onestart faststart try-restart condrestart ";
    const char *name = rc_basename(w->v[*at].text);
    bool verb_first = rc_is_in(name, " rcctl systemctl initctl ");
    size_t i = skip_options(w, *at + 1, "", "");

    (void)s;
    if (i + 1 >= w->n)
        return RC_WRAP_STOP;
    if (verb_first) {
        *at = skip_options(w, i + 1, "", "");
        return rc_is_in(w->v[i].text, starts) && *at < w->n ? RC_WRAP_NAMES : RC_WRAP_STOP;
    }
    *at = i;
    return rc_is_in(w->v[i + 1].text, starts) ? RC_WRAP_NAME : RC_WRAP_STOP;
}

/* AIX: startsrc -s SUBSYSTEM */
static enum rc_wrap_kind unwrap_src(const struct rc_script *s, const struct rc_words *w, size_t *at)
{
    (void)s;
    return option_value(w, *at + 1, 's', at) ? RC_WRAP_SKIP : RC_WRAP_STOP;
}

static enum rc_wrap_kind unwrap_eval(const struct rc_script *s, const struct rc_words *w,
                                     size_t *at)
{
    (void)s;
    ++*at;
    return *at < w->n ? RC_WRAP_JOIN : RC_WRAP_STOP;
}

/* command -v only asks where a program is. */
static enum rc_wrap_kind unwrap_command(const struct rc_script *s, const struct rc_words *w,
                                        size_t *at)
{
    (void)s;
    if (*at + 1 < w->n && w->v[*at + 1].text[0] == '-' && strpbrk(w->v[*at + 1].text, "vV") != NULL)
        return RC_WRAP_STOP;
    *at = skip_options(w, *at + 1, "", "");
    return *at < w->n ? RC_WRAP_SKIP : RC_WRAP_STOP;
}

/* flock FILE COMMAND..., flock FILE -c LINE */
static enum rc_wrap_kind unwrap_flock(const struct rc_script *s, const struct rc_words *w,
                                      size_t *at)
{
    (void)s;
    *at = skip_options(w, *at + 1, "wE", " --wait --timeout --conflict-exit-code ") + 1;
    if (*at < w->n && rc_is_in(w->v[*at].text, " -c --command ")) {
        ++*at;
        return *at < w->n ? RC_WRAP_TEXT : RC_WRAP_STOP;
    }
    return *at < w->n ? RC_WRAP_SKIP : RC_WRAP_STOP;
}

/* ip netns exec NAME COMMAND..., ip vrf exec NAME COMMAND... */
static enum rc_wrap_kind unwrap_ip(const struct rc_script *s, const struct rc_words *w, size_t *at)
{
    size_t i = skip_options(w, *at + 1, "nf", "");

    (void)s;
    if (i + 3 >= w->n || !rc_is_in(w->v[i].text, " netns vrf ") ||
        strcmp(w->v[i + 1].text, "exec") != 0)
        return RC_WRAP_STOP;
    *at = i + 3;
    return RC_WRAP_SKIP;
}

/* setarch ARCH OPTION... COMMAND..., where the ARCH may be missing */
static enum rc_wrap_kind unwrap_setarch(const struct rc_script *s, const struct rc_words *w,
                                        size_t *at)
{
    const char *base;

    *at = skip_options(w, *at + 1, "", "");
    base = *at < w->n ? rc_basename(w->v[*at].text) : NULL;
    if (base != NULL && !rc_is_daemon(s, base))
        *at = skip_options(w, *at + 1, "", "");
    return *at < w->n ? RC_WRAP_SKIP : RC_WRAP_STOP;
}

static const struct grammar {
    const char *names; /* blanks around each */
    enum rc_wrap_kind (*unwrap)(const struct rc_script *s, const struct rc_words *w, size_t *at);
} grammars[] = {
    {" su ",                                                     unwrap_su     },
    {" runuser ",                                                unwrap_runuser},
    {" trap ",                                                   unwrap_trap   },
    {" sh bash ash dash ksh ksh93 mksh pdksh hush zsh ",         unwrap_shell  },
    {" start-stop-daemon ",                                      rc_unwrap_ssd },
    {" rcctl systemctl initctl service invoke-rc.d rc-service ", unwrap_service},
    {" startsrc ",                                               unwrap_src    },
    {" eval ",                                                   unwrap_eval   },
    {" command ",                                                unwrap_command},
    {" flock ",                                                  unwrap_flock  },
    {" ip ",                                                     unwrap_ip     },
    {" setarch linux32 linux64 i386 x86_64 ",                    unwrap_setarch},
};

/* ---- */

/* A call of a function of the file that runs one of its arguments, or all. */
static enum rc_wrap_kind unwrap_function(const struct rc_script *s, const struct rc_name *f,
                                         const struct rc_words *w, size_t *at)
{
    if (f->runner == 0)
        return RC_WRAP_STOP;
    *at += f->runner;
    if (*at >= w->n || !rc_runner_starts(s, f, w, *at))
        return RC_WRAP_STOP;
    return f->runs_all ? RC_WRAP_LIST : RC_WRAP_SKIP;
}

/* env and its kin take NAME=VALUE in front of the program. */
static size_t skip_assignments(const struct rc_words *w, size_t at)
{
    while (at < w->n && w->v[at].text[0] != '/' && strchr(w->v[at].text, '=') != NULL)
        at++;
    return at;
}

/* start_daemon runs one program with its arguments, or, in some systems, all its arguments. */
static bool is_program_list(const struct rc_words *w, size_t at)
{
    if (w->n - at < 2)
        return false;
    for (; at < w->n; at++)
        if (w->v[at].text[0] == '\0' || strpbrk(w->v[at].text, "-=/\001") != NULL)
            return false;
    return true;
}

bool rc_may_wrap(const struct rc_script *s, const char *text)
{
    const char *base = rc_basename(text);
    const struct rc_name *function = rc_names_find(&s->names, text, strlen(text));

    if (base == NULL || (function != NULL && function->function) || find_wrapper(base) != NULL)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(grammars); i++)
        if (rc_is_in(base, grammars[i].names))
            return true;
    return false;
}

enum rc_wrap_kind rc_unwrap(const struct rc_script *s, const struct rc_words *w, size_t *at)
{
    const char *base = rc_basename(w->v[*at].text);
    const struct rc_name *function;
    const struct wrapper *wrapper;
    enum rc_wrap_kind kind;

    if (base == NULL)
        return RC_WRAP_NONE;
    function = rc_names_find(&s->names, w->v[*at].text, strlen(w->v[*at].text));
    if (function != NULL && function->function)
        return unwrap_function(s, function, w, at);
    for (size_t i = 0; i < ARRAY_LEN(grammars); i++)
        if (rc_is_in(base, grammars[i].names))
            return grammars[i].unwrap(s, w, at);
    wrapper = find_wrapper(base);
    if (wrapper == NULL)
        return RC_WRAP_NONE;
    kind = wrapper->kind;
    if (kind == RC_WRAP_TEXT)
        return option_value(w, *at + 1, 'c', at) ? RC_WRAP_TEXT : RC_WRAP_STOP;
    *at = skip_options(w, *at + 1, wrapper->valued, wrapper->long_ones) + wrapper->operands;
    if (strcmp(base, "env") == 0 || strcmp(base, "sudo") == 0)
        *at = skip_assignments(w, *at);
    if (*at >= w->n)
        return RC_WRAP_STOP;
    if (strpbrk(w->v[*at].text, " \t") != NULL && rc_is_in(base, " daemon loadproc startproc "))
        return RC_WRAP_TEXT; /* they take a command line in one word too */
    return kind == RC_WRAP_LIST && !is_program_list(w, *at) ? RC_WRAP_SKIP : kind;
}
