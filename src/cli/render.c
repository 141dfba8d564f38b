#include "render.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "progress.h"

static void safe(struct buf *out, const char *text)
{
    text_safe(out, text, strlen(text));
}

/* The offending line, and a caret under the column. A tab counts one blank, as it is shown. */
static void render_caret(struct buf *out, const struct diag *d)
{
    struct buf before = BUF_INIT;
    size_t len = strcspn(d->text, "\r\n"), at = d->column > 0 ? d->column - 1 : 0;

    enum { SHOWN = 160 };
    if (len == 0 || at > SHOWN)
        return;
    text_safe(&before, d->text, at < len ? at : len);
    buf_adds(out, "  ");
    text_safe(out, d->text, len < SHOWN ? len : SHOWN);
    buf_addc(out, '\n');
    if (d->column > 0)
        buf_printf(out, "  %*s^\n", (int)text_width(buf_str(&before)), "");
    buf_release(&before);
}

static void format_diag(struct buf *out, const char *kind, const struct diag *d)
{
    buf_printf(out, "batten: %s: ", kind);
    if (d->path != NULL) {
        safe(out, d->path);
        if (d->line > 0)
            buf_printf(out, ":%u", d->line);
        if (d->line > 0 && d->column > 0)
            buf_printf(out, ":%u", d->column);
        buf_adds(out, ": ");
    }
    safe(out, d->message);
    buf_addc(out, '\n');
    if (d->text != NULL)
        render_caret(out, d);
    if (d->hint != NULL) {
        buf_adds(out, "hint: ");
        safe(out, d->hint);
        buf_addc(out, '\n');
    }
}

void render_diag(FILE *to, const char *kind, const struct diag *d)
{
    struct buf b = BUF_INIT;

    format_diag(&b, kind, d);
    progress_clear();
    fputs(buf_str(&b), to);
    buf_release(&b);
}

void render_hint_where(const struct cli *c, struct diag *d)
{
    struct buf b = BUF_INIT;

    if (d->hint == NULL || (c->o.root == NULL && c->o.history == NULL) ||
        strstr(d->hint, "--root") != NULL)
        return;
    if (!text_starts(d->hint, "batten ") && !text_starts(d->hint, "sudo batten") &&
        strstr(d->hint, ": batten ") == NULL && strstr(d->hint, ": sudo batten") == NULL)
        return;
    if (strstr(d->hint, "batten help") != NULL || strstr(d->hint, "--help") != NULL)
        return;
    buf_adds(&b, d->hint);
    render_where(&b, c);
    free(d->hint);
    d->hint = buf_steal(&b);
}

static void render_problem(const struct cli *c, const struct diag *d)
{
    struct diag copy = *d;

    copy.hint = mem_strdup(d->hint);
    render_hint_where(c, &copy);
    render_diag(stderr, "warning", &copy);
    free(copy.hint);
}

void render_problems(const struct cli *c, const struct problems *p)
{
    enum { SHOWN = 20 };

    if (c->o.quiet)
        return;
    for (size_t i = 0; i < p->n; i++) {
        if (i == SHOWN && !c->o.verbose) {
            fprintf(stderr, "batten: %zu more like these (-v shows all)\n", p->n - i);
            return;
        }
        render_problem(c, &p->v[i]);
    }
}

void render_now(struct cli *c)
{
    progress_clear();
    fwrite(buf_str(&c->out), 1, c->out.len, stdout);
    fflush(stdout);
    buf_clear(&c->out);
}

static const char *const role_codes[] = {
    [ROLE_PLAIN] = "0", [ROLE_DANGER] = "1;31", [ROLE_WARN] = "33", [ROLE_GOOD] = "32",
    [ROLE_DIM] = "2",   [ROLE_HEAD] = "1",      [ROLE_ADD] = "32",  [ROLE_DEL] = "31",
};

void render_role(struct buf *out, const struct cli *c, enum role role)
{
    if (c->color)
        buf_printf(out, "\033[%sm", role_codes[role]);
}

void render_text(struct buf *out, const struct cli *c, enum role role, const char *text)
{
    render_role(out, c, role);
    safe(out, text);
    render_role(out, c, ROLE_PLAIN);
}

static enum role diff_role(const char *line)
{
    if (text_starts(line, "+++") || text_starts(line, "---") || text_starts(line, "diff "))
        return ROLE_HEAD;
    if (line[0] == '+')
        return ROLE_ADD;
    if (line[0] == '-')
        return ROLE_DEL;
    return text_starts(line, "@@") ? ROLE_DIM : ROLE_PLAIN;
}

void render_diff(struct buf *out, const struct cli *c, const char *diff, size_t len)
{
    /* A diff that goes to a file or to patch(1) keeps its exact bytes. */
    if (!c->color && !isatty(STDOUT_FILENO)) {
        buf_add(out, diff, len);
        return;
    }
    for (size_t at = 0; at < len;) {
        const char *nl = memchr(diff + at, '\n', len - at);
        size_t end = nl ? (size_t)(nl - diff) : len;

        render_role(out, c, diff_role(diff + at));
        text_safe(out, diff + at, end - at);
        render_role(out, c, ROLE_PLAIN);
        buf_addc(out, '\n');
        at = end + 1;
    }
}

char *render_spec(const struct socket_spec *s)
{
    if (s->family == FAMILY_UNIX) {
        struct buf path = BUF_INIT;

        safe(&path, s->address);
        return buf_steal(&path);
    }
    if (s->port < 0)
        return mem_printf("rpc/%s", s->proto);
    return mem_printf("%d/%s", s->port, s->proto);
}

char *render_port(const struct entry *e)
{
    return e->nsockets > 0 ? render_spec(&e->sockets[0]) : mem_strdup("-");
}

void render_cell(struct buf *out, const char *text, size_t width, bool keep_end)
{
    struct buf clean = BUF_INIT;
    size_t shown, skip = 0;

    safe(&clean, text);
    shown = text_width(buf_str(&clean));
    if (shown > width && clean.len == shown) { /* one column a byte: can be cut anywhere */
        skip = keep_end ? clean.len - width + 2 : 0;
        buf_printf(out, "%s%.*s%s", keep_end ? ".." : "", (int)(width - 2), buf_str(&clean) + skip,
                   keep_end ? "" : "..");
    } else {
        buf_adds(out, buf_str(&clean));
        for (; shown < width; shown++)
            buf_addc(out, ' ');
    }
    buf_release(&clean);
}

void render_shell_word(struct buf *out, const char *word)
{
    text_shell_word(out, word);
}

void render_where(struct buf *out, const struct cli *c)
{
    if (c->o.root != NULL) {
        buf_adds(out, " --root ");
        render_shell_word(out, c->o.root);
    }
    if (c->o.history != NULL) {
        buf_adds(out, " --history ");
        render_shell_word(out, c->o.history);
    }
}

void render_time(struct buf *out, long long seconds)
{
    char text[64];
    time_t t = (time_t)seconds;
    struct tm tm;

    /* Changes to an image carry no time, so that equal images have equal histories. */
    if (seconds == 0) {
        buf_adds(out, "no date");
        return;
    }
    if (localtime_r(&t, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm))
        buf_adds(out, text);
    else
        buf_printf(out, "%lld", seconds);
}
