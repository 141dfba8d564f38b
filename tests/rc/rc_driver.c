/*
 * rc_driver list FILE...     what the rc starter finds, one line per entry:
 *                            FILE LINE COLUMN NAME SERVICE on|off FLAGS LOCKED, tabs between
 * rc_driver edit FILE [NAME...]  the file with the entries of those names off (none: all of them),
 *                            proved, on standard output; what is refused on standard error
 * rc_driver time FILE...     scan all of them, print files, bytes, commands and microseconds
 *
 * BATTEN_LENSES is the directory of the lenses; without it, lenses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batten/buf.h"
#include "batten/diag.h"
#include "batten/edit.h"
#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/shell.h"
#include "batten/source.h"
#include "batten/starter.h"

#include "rc_starter.h"

struct script {
    struct source source;
    struct parse p;
};

static int read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char chunk[16384];
    size_t n;

    if (f == NULL) {
        perror(path);
        return -1;
    }
    buf_reserve(out, 1);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(out, chunk, n);
    return fclose(f);
}

static int script_init(struct script *s, char *path)
{
    struct buf text = BUF_INIT;

    *s = (struct script){.p = {.is_daemon = is_daemon}};
    if (read_file(path, &text) != 0)
        return -1;
    s->source = (struct source){path, NULL, text.len};
    s->source.bytes = buf_steal(&text);
    rc_starter()->parse(&s->p, &s->source);
    return 0;
}

static void script_release(struct script *s)
{
    parse_release(&s->p);
    free(s->source.bytes);
}

static int list(char *path)
{
    struct script s;

    if (script_init(&s, path) != 0)
        return 2;
    for (size_t i = 0; i < s.p.entries.n; i++) {
        const struct entry *e = s.p.entries.v[i];
        const struct service *row = catalogue_program(e->name);

        printf("%s\t%u\t%u\t%s\t%s\t%s\t%s%s%s\t%s\n", path, e->line, e->column, e->name,
               row != NULL ? row->name : "-", e->enabled ? "on" : "off",
               e->flags & ENTRY_INDIRECT ? "indirect " : "", e->flags & ENTRY_LOOSE ? "loose " : "",
               e->flags & ENTRY_REPORT ? "report " : "", e->locked != NULL ? e->locked : "");
    }
    script_release(&s);
    return 0;
}

static bool is_wanted(const char *name, char **names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return n == 0;
}

static int disable_all(struct script *s, struct edits *edits, const struct entry **gone,
                       char **names, int nnames)
{
    int n = 0;

    for (size_t i = 0; i < s->p.entries.n; i++) {
        const struct entry *e = s->p.entries.v[i];
        struct diag d = DIAG_INIT;

        if (!e->enabled || !is_wanted(e->name, names, nnames))
            continue;
        if (rc_starter()->disable(&s->p, e, edits, &d) == 0)
            gone[n++] = e;
        else
            fprintf(stderr, "refused %u: %s\n", e->line, d.message);
        diag_release(&d);
    }
    return n;
}

static int edit(char *path, char **names, int nnames)
{
    struct script s;
    struct edits edits = {0};
    struct buf out = BUF_INIT;
    struct diag d = DIAG_INIT;
    const struct entry **gone;
    struct source after;
    int n, status = 0;

    if (script_init(&s, path) != 0)
        return 2;
    gone = mem_array(s.p.entries.n + 1, sizeof(*gone));
    n = disable_all(&s, &edits, gone, names, nnames);
    buf_reserve(&out, 1);
    if (edits_apply(&s.source, &edits, &out, &d) != 0)
        status = 3;
    after = (struct source){path, out.data, out.len};
    if (status == 0 && starter_prove(&s.p, &s.source, &edits, &after, gone, (size_t)n, &d) != 0)
        status = 3;
    if (status != 0)
        fprintf(stderr, "%s:%u: %s\n", path, d.line, d.message);
    fwrite(buf_str(&out), 1, out.len, stdout);
    free(gone);
    edits_release(&edits);
    buf_release(&out);
    diag_release(&d);
    script_release(&s);
    return status;
}

static long long now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int measure(char **paths, int n)
{
    struct buf *texts = mem_array((size_t)n, sizeof(*texts));
    size_t bytes = 0, commands = 0;
    long long start;

    for (int i = 0; i < n; i++) {
        if (read_file(paths[i], &texts[i]) != 0)
            return 2;
        bytes += texts[i].len;
    }
    start = now_us();
    for (int i = 0; i < n; i++) {
        struct shell *sh = shell_parse(buf_str(&texts[i]), texts[i].len);

        commands += sh->ncommands;
        shell_free(sh);
    }
    printf("%d %zu %zu %lld\n", n, bytes, commands, now_us() - start);
    for (int i = 0; i < n; i++)
        buf_release(&texts[i]);
    free(texts);
    return 0;
}

int main(int argc, char **argv)
{
    const char *lenses = getenv("BATTEN_LENSES");
    int status = 0;

    if (lenses != NULL)
        lens_set_dir(lenses);
    if (argc >= 3 && strcmp(argv[1], "edit") == 0)
        status = edit(argv[2], argv + 3, argc - 3);
    else if (argc >= 3 && strcmp(argv[1], "time") == 0)
        status = measure(argv + 2, argc - 2);
    else if (argc >= 3 && strcmp(argv[1], "list") == 0)
        for (int i = 2; i < argc && status == 0; i++)
            status = list(argv[i]);
    else
        status = 2;
    lens_shutdown();
    return status;
}
