/* Init scripts and rc.d scripts, which are switched on and off from outside, and inittab. */
#include "rcscript.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/source.h"
#include "batten/text.h"

/* A directory of init scripts, where rc itself and the Slackware scripts do not count. */
static bool is_init_path(const char *path)
{
    const char *base = text_basename(path);

    if (text_starts(base, "rc"))
        return false;
    return strstr(path, "init.d/") != NULL || strstr(path, "rc.d/") != NULL;
}

static bool has_start_arm(const struct shell *sh)
{
    for (size_t b = 0; b < sh->nblocks; b++) {
        if (sh->blocks[b].kind != SHELL_ARM)
            continue;
        for (int w = sh->blocks[b].first_word; w != SHELL_NO; w = sh->words[w].next)
            if (shell_word_is(sh, w, "start") || shell_word_is(sh, w, "'start'") ||
                shell_word_is(sh, w, "\"start\""))
                return true;
    }
    return false;
}

/* The BSDs' rc.d: rc.subr is sourced, and one command takes the verb. */
static bool is_rcd_script(const struct shell *sh)
{
    for (size_t c = 0; c < sh->ncommands; c++) {
        int word = shell_name_word(sh, (int)c);

        if (shell_word_is(sh, word, "run_rc_command") || shell_word_is(sh, word, "rc_cmd"))
            return true;
    }
    return false;
}

static bool is_openrc_script(const struct shell *sh)
{
    const char *newline = memchr(sh->bytes, '\n', sh->len);
    size_t len = newline ? (size_t)(newline - sh->bytes) : sh->len;

    return memmem(sh->bytes, len, "openrc-run", 10) != NULL ||
           memmem(sh->bytes, len, "runscript", 9) != NULL ||
           memmem(sh->bytes, len, "rc.common", 9) != NULL;
}

bool rc_is_init_script(const struct rc_script *s)
{
    if (!is_init_path(s->source->path))
        return false;
    return has_start_arm(s->sh) || is_rcd_script(s->sh) || is_openrc_script(s->sh);
}

static bool has_entry(const struct rc_script *s, const char *name)
{
    const struct entries *all = &s->p->entries;

    for (size_t i = all->n; i > 0 && all->v[i - 1]->source == s->source; i--)
        if (strcmp(all->v[i - 1]->name, name) == 0)
            return true;
    return false;
}

static void add_report(struct rc_script *s, const struct rc_hit *hit, int c)
{
    const struct shell_command *command = &s->sh->commands[c];
    struct entry *e;

    if (has_entry(s, hit->name))
        return;
    e = rc_add_entry(s, hit, c, command->start, command->end);
    if (e != NULL)
        e->flags |= ENTRY_REPORT;
}

/* command=/usr/sbin/named, daemon="...": what the rc.d framework starts. */
static void add_assigned(struct rc_script *s, int c)
{
    static const char *const names[] = {"command=", "daemon=", "procname="};
    const struct shell *sh = s->sh;

    for (int w = sh->commands[c].first_word; w != SHELL_NO; w = sh->words[w].next) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            size_t len = strlen(names[i]);
            struct rc_hits hits = {0};
            struct buf text = BUF_INIT;

            if (sh->words[w].end - sh->words[w].start <= len ||
                memcmp(sh->bytes + sh->words[w].start, names[i], len) != 0)
                continue;
            shell_expand(&text, sh->bytes + sh->words[w].start + len,
                         sh->words[w].end - sh->words[w].start - len, rc_names_lookup, &s->names,
                         NULL);
            rc_find_text(s, buf_str(&text), 0, &hits);
            for (size_t k = 0; k < hits.n; k++)
                add_report(s, &hits.v[k], c);
            buf_release(&text);
            rc_hits_release(&hits);
        }
    }
}

void rc_add_init(struct rc_script *s)
{
    bool rcd = is_rcd_script(s->sh) || is_openrc_script(s->sh);

    for (size_t c = 0; c < s->sh->ncommands; c++) {
        struct rc_hits hits = {0};

        rc_names_pass(&s->names, s->sh, (int)c);
        if (s->sh->commands[c].kind != SHELL_SIMPLE)
            continue;
        if (rcd && shell_name_word(s->sh, (int)c) == SHELL_NO)
            add_assigned(s, (int)c);
        rc_find(s, (int)c, &hits);
        for (size_t i = 0; i < hits.n; i++)
            add_report(s, &hits.v[i], (int)c);
        rc_hits_release(&hits);
    }
}

/* ---- inittab ---- */

/* No more files are read at all. */
enum { MORE_MAX = 4096 };

void rc_add_more(struct parse *p, const char *path)
{
    if (p->more.n < MORE_MAX && !strlist_has(&p->more, path + 1))
        strlist_add(&p->more, path + 1);
}

/* A path that may be a start script's. A program's is none: getty need not be read. */
static bool is_script_path(const char *path, bool command)
{
    static const char *const others[] = {"/bin/", "/sbin/", "/libexec/", "/dev/"};

    if (path[0] != '/' || strpbrk(path, "*?[\\\"'$`") != NULL)
        return false;
    if (text_starts(path, "/etc/") || text_starts(text_basename(path), "rc"))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strstr(path, others[i]) != NULL)
            return false;
    return command;
}

/* The scripts that the command line of an inittab entry runs. */
static void add_script(struct parse *p, const char *text, size_t len)
{
    struct shell *sh = shell_parse(text, len);

    for (size_t c = 0; c < sh->ncommands; c++) {
        bool command = true; /* the program, or what a shell before it is given */

        for (int w = shell_name_word(sh, (int)c); w != SHELL_NO; w = sh->words[w].next) {
            size_t start = sh->words[w].start;
            char *path = mem_strndup(sh->bytes + start, sh->words[w].end - start);

            if (is_script_path(path, command))
                rc_add_more(p, path);
            command = command && rc_is_in(text_basename(path), " sh bash ash ksh exec ");
            free(path);
        }
    }
    shell_free(sh);
}

/* ID:LEVELS:ACTION:COMMAND, of init(8) and of BusyBox alike. */
void rc_read_inittab(struct parse *p, const struct source *source)
{
    static const char *const actions[] = {"sysinit", "boot",    "bootwait", "once",
                                          "wait",    "respawn", "ondemand"};
    size_t at = 0, seen = 0;

    while (at < source->len && seen++ < SOURCE_LINE_MAX) {
        const char *line = source->bytes + at;
        const char *newline = memchr(line, '\n', source->len - at);
        size_t len = newline ? (size_t)(newline - line) : source->len - at;
        const char *field[3] = {NULL, NULL, NULL};
        size_t n = 0;

        for (size_t i = 0; i < len && n < 3; i++)
            if (line[i] == ':')
                field[n++] = line + i + 1;
        for (size_t i = 0; n == 3 && line[0] != '#' && i < ARRAY_LEN(actions); i++)
            if ((size_t)(field[2] - field[1]) == strlen(actions[i]) + 1 &&
                text_starts(field[1], actions[i]))
                add_script(p, field[2], len - (size_t)(field[2] - line));
        at += len + 1;
    }
}
