/*
 * trace_driver [--spoil] BASE FILE... - run scripts before and after an edit, compare what ran
 *
 * In each world (what [ and test answer) the commands that the edited script runs must be those of
 * the original less the starts that were planned and the echo lines that announce them. Prints a
 * line per breach, and at the end
 *
 *     SCRIPTS judged of TOTAL, RUNS runs, SEEN of PLANNED planned starts seen to run
 *
 * and leaves 1 when there was a breach. With --spoil every edited script gets a command more, which
 * must be noticed. TRACE_VERBOSE set: also what was not judged, and not seen to run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "batten/diag.h"
#include "batten/edit.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "batten/starter.h"
#include "batten/text.h"

#include "rc_starter.h"

#include "trace_root.c" /* one program, two files */

struct script {
    struct source source;
    struct parse p;
    struct edits edits;
    const struct entry **planned;
    bool *seen;
    size_t nplanned;
    struct buf before, after;
};

struct totals {
    bool spoil;
    size_t scripts, judged, runs, planned, seen, breaches;
};

static bool read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char chunk[16384];
    size_t n;

    buf_reserve(out, 1);
    while (f != NULL && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(out, chunk, n);
    if (f != NULL)
        fclose(f);
    return f != NULL && memchr(out->data, '\0', out->len) == NULL;
}

static void script_plan(struct script *s)
{
    s->planned = mem_array(s->p.entries.n + 1, sizeof(*s->planned));
    s->seen = mem_array(s->p.entries.n + 1, sizeof(*s->seen));
    for (size_t i = 0; i < s->p.entries.n; i++) {
        const struct entry *e = s->p.entries.v[i];

        if (e->enabled && rc_starter()->disable(&s->p, e, &s->edits, NULL) == 0)
            s->planned[s->nplanned++] = e;
    }
}

static bool script_init(struct script *s, char *path)
{
    struct diag d = DIAG_INIT;

    *s = (struct script){.p = {.is_daemon = is_daemon}};
    if (!read_file(path, &s->before))
        return false;
    s->source = (struct source){path, s->before.data, s->before.len};
    rc_starter()->parse(&s->p, &s->source);
    script_plan(s);
    return edits_apply(&s->source, &s->edits, &s->after, &d) == 0;
}

static void script_release(struct script *s)
{
    parse_release(&s->p);
    edits_release(&s->edits);
    buf_release(&s->before);
    buf_release(&s->after);
    free(s->planned);
    free(s->seen);
}

/* ---- whether a command is one that was planned to go ---- */

static bool is_constant(const char *word)
{
    return strpbrk(word, "$`\"'*?\\[") == NULL;
}

/* The next word of a line of the log, or NULL. */
static char *next_word(char **line)
{
    char *word = *line, *end;

    if (word == NULL)
        return NULL;
    end = strchr(word, 31);
    *line = end != NULL ? end + 1 : NULL;
    if (end != NULL)
        *end = '\0';
    return word;
}

/* The constant words of the start command stand in LINE, in their order, the first of all first. */
static bool is_start(const struct entry *e, const char *line)
{
    char *copy = mem_strdup(line), *rest = copy, *word = next_word(&rest);
    const char *first = is_constant(e->argv[0]) ? e->argv[0] : e->program;
    bool found = strcmp(text_basename(word), text_basename(first)) == 0;

    word = next_word(&rest);
    for (size_t i = 1; found && e->argv[i] != NULL; i++) {
        if (!is_constant(e->argv[i]))
            continue;
        while (word != NULL && strcmp(word, e->argv[i]) != 0 &&
               strcmp(text_basename(word), text_basename(e->argv[i])) != 0)
            word = next_word(&rest);
        found = word != NULL;
    }
    free(copy);
    return found;
}

/* An echo that names NAME, or NAME less rpc., in. and the d at its end. */
static bool is_echo(const char *name, const char *line)
{
    const char *end = strchr(line, 31);
    char *command = mem_strndup(line, end ? (size_t)(end - line) : strlen(line)), *stem;
    const char *base = text_basename(command);
    bool echo = strcmp(base, "echo") == 0 || strcmp(base, "printf") == 0;
    bool found;

    if (text_starts(name, "rpc.") || text_starts(name, "in."))
        name = strchr(name, '.') + 1;
    stem = mem_strdup(name);
    if (strlen(stem) > 3 && stem[strlen(stem) - 1] == 'd')
        stem[strlen(stem) - 1] = '\0';
    found = echo && strcasestr(line, stem) != NULL;
    free(stem);
    free(command);
    return found;
}

/* The text of the function that the start's line calls, "NAME()" up to "}" in column 1; NULL when
 * it calls none of the file. *LEN gets its length. */
static const char *function_of(const struct script *s, const struct entry *e, size_t *len)
{
    const char *word = buf_str(&s->before) + e->start + e->column - 1;
    size_t n = strcspn(word, " \t\n;&");
    const char *end;

    for (const char *p = buf_str(&s->before); (p = strstr(p, "()")) != NULL; p++) {
        const char *name = p;

        while (name > s->before.data && (name[-1] == ' ' || is_name_byte(name[-1])))
            name--;
        if ((size_t)(p - name) < n || strncmp(name, word, n) != 0 || is_name_byte(name[n]))
            continue;
        end = strstr(p, "\n}");
        *len = end != NULL ? (size_t)(end - p) : strlen(p);
        return p;
    }
    return NULL;
}

/* A start through a function takes along whatever the function runs besides. */
static bool is_of_function(const struct script *s, const struct entry *e, const char *line,
                           bool *start)
{
    size_t len, n = strcspn(line, "\037");
    const char *body = function_of(s, e, &len);
    char *command;
    const char *base;
    bool found;

    if (body == NULL)
        return false;
    command = mem_strndup(line, n);
    base = text_basename(command);
    found = memmem(body, len, base, strlen(base)) != NULL;
    for (size_t i = 0; e->argv[i] != NULL; i++)
        *start = *start || strcmp(text_basename(e->argv[i]), base) == 0;
    *start = *start || strstr(line, e->name) != NULL;
    found = found || *start;
    free(command);
    return found;
}

static bool was_planned(struct script *s, const char *line)
{
    bool planned = false;

    for (size_t i = 0; i < s->nplanned; i++) {
        bool start = is_start(s->planned[i], line);
        bool function = !start && is_of_function(s, s->planned[i], line, &start);

        s->seen[i] = s->seen[i] || start;
        planned = planned || start || function || is_echo(s->planned[i]->name, line);
    }
    return planned;
}

/* ---- comparing ---- */

static void say(const char *path, const char *what, const char *line)
{
    printf("%s: %s:", path, what);
    for (; *line != '\0'; line++)
        putchar(*line == 31 ? ' ' : *line);
    putchar('\n');
}

/* Both lists are sorted. Returns how many lines are not as they should be. */
static size_t compare(struct script *s, const struct strlist *old, const struct strlist *new,
                      bool quiet)
{
    size_t i = 0, j = 0, breaches = 0;

    while (i < old->n || j < new->n) {
        int order = i == old->n ? 1 : j == new->n ? -1 : strcmp(old->v[i], new->v[j]);

        if (order == 0) {
            i++;
            j++;
        } else if (order < 0) {
            if (!was_planned(s, old->v[i])) {
                breaches++;
                if (!quiet)
                    say(s->source.path, "gone, and not planned", old->v[i]);
            }
            i++;
        } else {
            breaches++;
            if (!quiet)
                say(s->source.path, "runs now, and did not", new->v[j]);
            j++;
        }
    }
    return breaches;
}

/* A planned start that still runs, where nothing else of its name was left on. */
static size_t find_left(struct script *s, const struct strlist *new, bool quiet)
{
    size_t left = 0;

    for (size_t i = 0; i < s->nplanned; i++) {
        const struct entry *e = s->planned[i];
        bool alone = true;

        for (size_t k = 0; k < s->p.entries.n; k++)
            alone = alone && !(s->p.entries.v[k]->locked != NULL && s->p.entries.v[k]->enabled &&
                               strcmp(s->p.entries.v[k]->name, e->name) == 0);
        for (size_t k = 0; alone && k < new->n; k++) {
            if (!is_start(e, new->v[k]))
                continue;
            left++;
            if (!quiet)
                say(s->source.path, "planned, and still run", new->v[k]);
        }
    }
    return left;
}

/* One run of each. Returns the breaches, or -1 when it cannot be judged. */
static long run_both(struct script *s, const char *base, enum trace_world world, bool quiet)
{
    struct strlist old = {0}, new = {0}, again = {0};
    long breaches = -1;

    if (trace_run(base, &s->before, &s->before, world, &old) && old.n > 0 &&
        trace_run(base, &s->after, &s->before, world, &new))
        breaches = (long)(compare(s, &old, &new, quiet) + find_left(s, &new, quiet));
    /* what differs from itself (a process id in a name) cannot be compared */
    if (breaches > 0 && quiet &&
        (!trace_run(base, &s->before, &s->before, world, &again) ||
         compare(s, &old, &again, true) > 0))
        breaches = -1;
    strlist_release(&old);
    strlist_release(&new);
    strlist_release(&again);
    return breaches;
}

/* Commands side by side may end differently from run to run: what counts is seen five times. */
static bool judge(struct script *s, const char *base, enum trace_world world, struct totals *t)
{
    long breaches = run_both(s, base, world, true);

    for (int i = 0; i < 4 && breaches > 0; i++)
        breaches = run_both(s, base, world, i < 3);
    if (breaches < 0)
        return false;
    t->runs++;
    t->breaches += (size_t)breaches;
    return true;
}

static void trace(char *path, const char *base, struct totals *t)
{
    struct script s;
    bool judged = false;

    t->scripts++;
    if (script_init(&s, path)) {
        if (t->spoil)
            buf_adds(&s.after, "\necho spoiled\n");
        for (int world = 0; world < TRACE_WORLDS; world++)
            judged |= judge(&s, base, (enum trace_world)world, t);
        t->judged += judged;
        for (size_t i = 0; judged && i < s.nplanned; i++) {
            t->planned++;
            t->seen += s.seen[i];
            if (!s.seen[i] && getenv("TRACE_VERBOSE") != NULL)
                printf("%s:%u: %s was not seen to run\n", path, s.planned[i]->line,
                       s.planned[i]->name);
        }
        if (!judged && getenv("TRACE_VERBOSE") != NULL)
            printf("%s: not judged\n", path);
    }
    script_release(&s);
}

int main(int argc, char **argv)
{
    struct totals t = {.spoil = argc > 1 && strcmp(argv[1], "--spoil") == 0};
    int first = t.spoil ? 2 : 1;

    if (argc < first + 2) {
        fprintf(stderr, "usage: trace_driver [--spoil] BASE FILE...\n");
        return 2;
    }
    for (int i = first + 1; i < argc; i++)
        trace(argv[i], argv[first], &t);
    printf("%zu judged of %zu, %zu runs, %zu of %zu planned starts seen to run\n", t.judged,
           t.scripts, t.runs, t.seen, t.planned);
    lens_shutdown();
    return t.breaches > 0;
}
