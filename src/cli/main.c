#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "batten/lens.h"
#include "batten/mem.h"
#include "batten/spawn.h"
#include "cli.h"
#include "hygiene.h"
#include "json.h"
#include "progress.h"
#include "render.h"

#ifndef BATTEN_LENSDIR
#define BATTEN_LENSDIR "/usr/local/share/batten/lenses"
#endif

/* Run in place, the lenses of the own tree are used: build/batten has ../lenses beside build. An
 * installed program uses the installed ones. */
static void choose_lens_dir(void)
{
    char exe[4096], *cut;
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    if (len > 0) {
        char *dir;

        exe[len] = '\0';
        cut = strrchr(exe, '/');
        if (cut != NULL)
            *cut = '\0';
        cut = strrchr(exe, '/');
        if (cut != NULL && strcmp(cut, "/build") == 0) {
            dir = mem_printf("%.*s/lenses", (int)(cut - exe), exe);
            lens_set_dir(dir);
            free(dir);
            return;
        }
    }
    if (len > 0 && cut != NULL) {
        char *dir = mem_printf("%.*s/share/batten/lenses", (int)(cut - exe), exe);

        /* An installed tree that was moved as a whole brings its own. */
        if (access(dir, F_OK) == 0) {
            lens_set_dir(dir);
            free(dir);
            return;
        }
        free(dir);
    }
    lens_set_dir(BATTEN_LENSDIR);
}

static bool wants_color(const struct options *o)
{
    const char *when = o->color_word ? o->color_word : "auto";
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    if (strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    if (no_color != NULL && *no_color != '\0')
        return false;
    return isatty(STDOUT_FILENO) && term != NULL && strcmp(term, "dumb") != 0;
}

/* Only what is read and not answered: a long log on a terminal. */
static bool wants_pager(const struct cli *c)
{
    const unsigned readers = CMD_LOG | CMD_SHOW | CMD_HELP;
    struct winsize size;
    size_t lines = 0;

    if (!c->terminal || c->command == NULL || !((unsigned)c->command->bit & readers) ||
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return false;
    for (size_t i = 0; i < c->out.len; i++)
        lines += c->out.data[i] == '\n';
    return lines >= size.ws_row;
}

/* A reader that went away (batten audit | head) is no error of ours; a full disk is. */
static enum status flush(struct cli *c, enum status status)
{
    size_t done = 0;

    if (wants_pager(c) && spawn_pager(buf_str(&c->out), c->out.len) == 0)
        return status;
    while (done < c->out.len) {
        ssize_t n = write(STDOUT_FILENO, c->out.data + done, c->out.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            return status;
        if (n < 0) {
            fprintf(stderr, "batten: error: cannot write to standard output: %s\n",
                    strerror(errno));
            return status_worse(status, c->changed ? STATUS_ATTENTION : STATUS_SYSTEM);
        }
        done += (size_t)n;
    }
    return status;
}

static enum status run(struct cli *c, struct diag *d)
{
    enum status status;

    if (c->o.version) {
        buf_printf(&c->out, "batten %s\n", BATTEN_VERSION);
        return STATUS_DONE;
    }
    if (c->o.help) {
        help_text(&c->out, c->named_command ? c->command : NULL);
        return STATUS_DONE;
    }
    c->color = wants_color(&c->o);
    progress_enable(!c->o.quiet && !c->o.json);
    status = c->command->run(c, d);
    progress_clear();
    return diag_isset(d) ? d->status : status;
}

/* On failure --json still prints one object; what a command had gathered is dropped for it. */
static void report(struct cli *c, struct diag *d)
{
    if (!diag_isset(d))
        return;
    render_hint_where(c, d);
    if (c->o.json) {
        buf_clear(&c->out);
        json_error(&c->out, d);
    } else {
        render_diag(stderr, "error", d);
    }
}

int main(int argc, char **argv)
{
    struct cli c = {0};
    struct diag d = DIAG_INIT;
    enum status status;

    if (hygiene() != 0)
        return STATUS_SYSTEM;
    setlocale(LC_CTYPE, "");
    choose_lens_dir();
    c.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (options_parse(&c, argc, argv, &d) != 0)
        status = STATUS_USAGE;
    else
        status = run(&c, &d);
    report(&c, &d);
    status = flush(&c, status);
    diag_release(&d);
    buf_release(&c.out);
    options_release(&c.o);
    lens_shutdown();
    /* The shell is to see what ended us, so that a script around it ends too. */
    if (c.signal != 0)
        raise(c.signal);
    return (int)status;
}
