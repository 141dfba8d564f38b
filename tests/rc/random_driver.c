/*
 * random_driver [--show | --spoil] BASE SEED N - N scripts made at random, from SEED on: what they
 * run before and after
 *
 * Of the starts that the rc starter finds in a script some are switched off. Under every shell of
 * BASE/.x (dash, bash, mksh, busybox) the edited script must then run what it ran, in the same
 * order, less the starts switched off and the echoes that name them, and end with the same status;
 * and of every daemon that the script starts there must be an entry, and of no other. Prints a line
 * per breach and leaves 1, and at the end
 *
 *     N scripts, N runs, N starts, N switched off, N refused
 *
 * With --show the scripts and what becomes of them are printed, and with RANDOM_ALL set all goes
 * that can go. With --spoil what was switched off still runs, which must be noticed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/edit.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "batten/starter.h"
#include "batten/text.h"

#include "random_script.c" /* one program, three files */
#include "rc_starter.h"
#include "trace_root.c"

static const char *const shells[][2] = {
    {"/.x/dash",    NULL },
    {"/.x/bash",    NULL },
    {"/.x/mksh",    NULL },
    {"/.x/busybox", "ash"},
};

/* The commands that start others. */
static const char wrapper[] =
    "#!/.x/dash\n"
    "case ${0##*/} in\n"
    "su) while [ \"$1\" != -c ]; do shift; done; eval \"$2\"; exit;;\n"
    "start-stop-daemon) [ \"$1\" = -S ] || exit; shift 3; d=$1; shift 2; exec \"$d\" \"$@\";;\n"
    "nice) shift 2;;\n"
    "env) shift;;\n"
    "start_daemon) for d; do \"$d\"; done; exit;;\n"
    "esac\n"
    "exec \"$@\"\n";

struct totals {
    size_t scripts, runs, starts, off, refused, breaches;
};

struct judged {
    const struct random_script *r;
    unsigned long seed;
    struct source source;
    struct parse p;
    struct edits edits;
    struct strlist off;
    const struct entry *gone[64];
    struct buf after;
    struct totals *t;
};

static void breach(struct judged *j, const char *what, const char *which)
{
    printf("seed %lu: %s: %s\n", j->seed, what, which);
    j->t->breaches++;
}

/* ---- the root ---- */

static void make_world(const char *base)
{
    static const char *const wrappers[] = {"nohup",        "nice",    "setsid",
                                           "su",           "busybox", "daemonize",
                                           "start_daemon", "env",     "start-stop-daemon"};
    struct buf words = BUF_INIT;
    char *path;

    must(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC) == 0,
         "unshare");
    make_root(base);
    for (size_t i = 0; i < ARRAY_LEN(wrappers); i++) {
        path = mem_printf("/bin/%s", wrappers[i]);
        put_stub(path, wrapper);
        free(path);
    }
    must(symlink("/.x/dash", "/bin/sh") == 0 && mkdir("/tmp", 0777) == 0, "sh");
    random_script_words(&words);
    stub_words(&words);
    put_file("/bin/echo", "#!/.x/stub\n", 11, 0755);
    buf_release(&words);
}

static void put_script(const char *path, const struct buf *text)
{
    unlink(path);
    put_file(path, buf_str(text), text->len, 0644);
}

static void exec_shell(size_t shell, const char *path)
{
    const char *const argv[] = {shells[shell][0], shells[shell][1] ? shells[shell][1] : path,
                                shells[shell][1] ? path : NULL, NULL};
    char env[] = "PATH=/bin";
    char *environment[] = {env, NULL};
    const struct rlimit cpu = {SECONDS, SECONDS}, size = {LOG_MAX, LOG_MAX};
    int null = open("/dev/null", O_RDWR), log = open("/.x/log", O_WRONLY | O_APPEND);

    must(null >= 0 && log >= 0 && dup2(null, 0) >= 0 && dup2(log, 1) >= 0 && dup2(null, 2) >= 0,
         "descriptors");
    must(setrlimit(RLIMIT_CPU, &cpu) == 0 && setrlimit(RLIMIT_FSIZE, &size) == 0, "limits");
    execve(shells[shell][0], (char *const *)(uintptr_t)argv, environment);
    _exit(122);
}

static void too_late(int sig)
{
    (void)sig;
    kill(-1, SIGKILL); /* all but process 1 of the namespace, which this is */
}

/* Run the script at PATH; what it ran goes to LOG, a line per command. Returns its status. */
static int run(size_t shell, const char *path, struct strlist *log)
{
    static char text[LOG_MAX];
    int status = 0, result = -1, fd = open("/.x/log", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ssize_t n;
    pid_t child, pid;

    must(fd >= 0, "log");
    child = fork();
    if (child == 0)
        exec_shell(shell, path);
    alarm(SECONDS);
    while ((pid = wait(&status)) > 0 || errno == EINTR)
        if (pid == child)
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    alarm(0);
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (char *line = text, *stop; (stop = strchr(line, '\n')) != NULL; line = stop + 1) {
        *stop = '\0';
        if (line[0] != '\0')
            strlist_add(log, line);
    }
    return result;
}

/* ---- judging ---- */

static bool is_word(const char *line, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = line; (p = strstr(p, word)) != NULL; p++) {
        if ((p == line || strchr("/ \037\"'", p[-1]) != NULL) &&
            (p[len] == '\0' || strchr(" .:\037\"'", p[len]) != NULL))
            return true;
    }
    return false;
}

static bool is_off(const struct judged *j, const char *line)
{
    for (size_t i = 0; i < j->off.n; i++)
        if (is_word(line, j->off.v[i]))
            return true;
    return false;
}

static bool is_started(const char *line, const char *name)
{
    size_t len = strcspn(line, "\037");
    char *command = mem_strndup(line, len);
    bool found = strcmp(text_basename(command), name) == 0;

    free(command);
    return found;
}

/* Lines of OLD may be missing where they are of what was switched off. */
static void compare(struct judged *j, struct strlist *old, struct strlist *new)
{
    size_t i = 0, k = 0;

    if (j->r->parallel) {
        strlist_sort(old);
        strlist_sort(new);
    }
    while (i < old->n || k < new->n) {
        if (i < old->n && k < new->n &&strcmp(old->v[i], new->v[k]) == 0) {
            i++;
            k++;
        } else if (i < old->n && is_off(j, old->v[i])) {
            i++;
        } else {
            if (i < old->n)
                breach(j, "ran, and does not now", old->v[i]);
            if (k < new->n)
                breach(j, "runs now", new->v[k]);
            break;
        }
    }
    for (size_t o = 0; o < j->off.n; o++)
        for (k = 0; k < new->n; k++)
            if (is_started(new->v[k], j->off.v[o]))
                breach(j, "switched off, and still run", new->v[k]);
}

static void judge(struct judged *j, size_t shell)
{
    struct strlist old = {0}, new = {0};
    size_t before = j->t->breaches;
    int status = run(shell, "/.x/before", &old), after = run(shell, "/.x/after", &new);

    if (status == 128 || after == 128)
        breach(j, "did not end", shells[shell][0]);
    j->t->runs++;
    compare(j, &old, &new);
    if (!j->r->fails && status != after)
        breach(j, "ends with another status", status == 0 ? "was 0" : "was not 0");
    if (j->t->breaches > before)
        printf("  (%s)\n", shells[shell][0]);
    strlist_release(&old);
    strlist_release(&new);
}

static void check_found(struct judged *j)
{
    struct strlist found = {0};

    for (size_t i = 0; i < j->p.entries.n; i++) {
        const char *name = j->p.entries.v[i]->name;

        if (!strlist_has(&j->r->started, name))
            breach(j, "found, and never started", name);
        strlist_add(&found, name);
    }
    for (size_t i = 0; i < j->r->started.n; i++)
        if (!strlist_has(&found, j->r->started.v[i]))
            breach(j, "started, and not found", j->r->started.v[i]);
    strlist_release(&found);
}

/* Switch off some of what was found, by DICE; with NULL all. */
static void switch_off(struct judged *j, struct random_script *dice)
{
    struct source after;
    struct diag d = DIAG_INIT;
    size_t n = 0;

    for (size_t i = 0; i < j->p.entries.n && n < ARRAY_LEN(j->gone); i++) {
        const struct entry *e = j->p.entries.v[i];

        if (dice != NULL && pick(dice, 3) == 0)
            continue;
        if (rc_starter()->disable(&j->p, e, &j->edits, &d) == 0) {
            j->gone[n++] = e;
            strlist_add(&j->off, e->name);
        } else {
            j->t->refused++;
            if (dice == NULL)
                printf("refused: %u: %s\n", d.line, d.message);
        }
        diag_release(&d);
    }
    j->t->off += n;
    after = j->source;
    if (edits_apply(&j->source, &j->edits, &j->after, &d) != 0)
        breach(j, "cannot be edited", d.message);
    after.bytes = j->after.data;
    after.len = j->after.len;
    if (!diag_isset(&d) && starter_prove(&j->p, &j->source, &j->edits, &after, j->gone, n, &d) != 0)
        breach(j, "is not proved", d.message);
    diag_release(&d);
}

static void one(unsigned long seed, char mode, struct totals *t)
{
    static char path[] = "etc/rc.local";
    struct random_script r;
    struct judged j = {.r = &r, .seed = seed, .t = t, .p = {.is_daemon = is_daemon}};

    random_script_make(&r, seed);
    j.source = (struct source){path, r.text.data, r.text.len};
    rc_starter()->parse(&j.p, &j.source);
    t->scripts++;
    t->starts += r.started.n;
    check_found(&j);
    if (mode == 's')
        printf("%s\n--------\n", buf_str(&r.text));
    switch_off(&j, getenv("RANDOM_ALL") ? NULL : &r);
    if (mode == 's')
        printf("%s\n--------\n", buf_str(&j.after));
    put_script("/.x/before", &r.text);
    put_script("/.x/after", mode == 'S' ? &r.text : &j.after);
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (access(shells[i][0], X_OK) == 0)
            judge(&j, i);
    parse_release(&j.p);
    edits_release(&j.edits);
    buf_release(&j.after);
    strlist_release(&j.off);
    random_script_release(&r);
}

static int run_all(unsigned long seed, unsigned long n, char mode)
{
    struct totals t = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, too_late);
    for (unsigned long i = 0; i < n; i++)
        one(seed + i, mode, &t);
    printf("%zu scripts, %zu runs, %zu starts, %zu switched off, %zu refused\n", t.scripts, t.runs,
           t.starts, t.off, t.refused);
    fflush(stdout);
    return t.breaches > 0;
}

int main(int argc, char **argv)
{
    char mode = argc < 2                          ? '\0'
                : strcmp(argv[1], "--show") == 0  ? 's'
                : strcmp(argv[1], "--spoil") == 0 ? 'S'
                                                  : '\0';
    struct diag d = DIAG_INIT;
    struct lens *lens;
    int status = 2;
    pid_t init;

    argc -= mode != '\0';
    argv += mode != '\0';
    if (argc != 4) {
        fprintf(stderr, "usage: random_driver [--show | --spoil] BASE SEED N\n");
        return 2;
    }
    /* while its files can be reached */
    lens = lens_get_shared(&d);
    if (lens == NULL || lens_store(lens, "Batten_Rc.lns", "x\n", 2, &d) != 0) {
        fprintf(stderr, "%s\n", d.message);
        return 2;
    }
    make_world(argv[1]);
    init = fork();
    if (init == 0)
        _exit(run_all(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), mode));
    waitpid(init, &status, 0);
    lens_shutdown();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
