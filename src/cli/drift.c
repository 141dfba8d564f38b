#include "drift.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"
#include "render.h"

enum { LOG_MAX = 16 * 1024 * 1024, NEAR_SECONDS = 120 };

/* "2026-11-22 20:38:43 configure telnetd:amd64 0.17 <none>": the package, when the line is about an
 * installation not more than two minutes from WHEN. Caller frees. */
static char *package_of_line(const char *line, size_t len, time_t when)
{
    static const char *const verbs[] = {"configure ", "install ", "upgrade "};
    char *text = mem_strndup(line, len);
    struct tm tm = {.tm_isdst = -1};
    const char *rest = strptime(text, "%Y-%m-%d %H:%M:%S ", &tm);
    char *name = NULL;

    for (size_t i = 0; rest != NULL && name == NULL && i < ARRAY_LEN(verbs); i++) {
        double apart;

        if (!text_starts(rest, verbs[i]))
            continue;
        rest += strlen(verbs[i]);
        apart = difftime(mktime(&tm), when);
        if (apart >= -NEAR_SECONDS && apart <= NEAR_SECONDS)
            name = mem_strndup(rest, strcspn(rest, ": "));
        break;
    }
    free(text);
    return name;
}

/* The package whose installation dpkg logged around the time the file was last written. */
static char *package_near(struct root *root, time_t when)
{
    struct buf log = BUF_INIT;
    char *found = NULL;

    if (root_read(root, "var/log/dpkg.log", LOG_MAX, &log, NULL, NULL) == ROOT_OK)
        for (const char *line = buf_str(&log); *line != '\0';) {
            size_t len = strcspn(line, "\n");
            char *name = package_of_line(line, len, when);

            if (name != NULL) {
                free(found);
                found = name;
            }
            line += len + (line[len] == '\n');
        }
    buf_release(&log);
    return found;
}

static void add_open(struct drift *drift, const struct scan *scan, const struct history_closed *c,
                     const struct entry *e)
{
    const struct scan_file *f = scan_file(scan, e->source->path);
    struct drift_open *o;

    drift->open = mem_grow(drift->open, drift->nopen, &drift->open_cap, sizeof(*drift->open));
    o = &drift->open[drift->nopen++];
    o->path = mem_strdup(e->source->path);
    o->line = e->line;
    o->service = mem_strdup(c->service ? c->service : c->name);
    o->closed_by = c->change;
    o->package = f ? package_near(scan->root, f->meta.st.st_mtime) : NULL;
}

/* An entry of the same name in the same file that is on: somebody turned the service on again. */
static void look_open(struct drift *drift, const struct scan *scan, const struct history_closed *c)
{
    for (size_t i = 0; i < scan->entries.n; i++) {
        const struct entry *e = scan->entries.v[i];

        if (e->enabled && strcmp(e->source->path, c->path) == 0 && c->name != NULL &&
            strcmp(e->name, c->name) == 0) {
            add_open(drift, scan, c, e);
            return;
        }
    }
}

static bool is_changed(const struct drift *drift, const char *path)
{
    for (size_t i = 0; i < drift->nfiles; i++)
        if (strcmp(drift->files[i].path, path) == 0 && !drift->files[i].meta_only)
            return true;
    return false;
}

int drift_look(struct drift *out, struct history *h, const struct scan *scan, struct diag *d)
{
    struct history_closed *closed = NULL;
    size_t n = 0;

    if (history_drift(h, &out->files, &out->nfiles, d) != 0)
        return -1;
    if (out->nfiles == 0)
        return 0;
    if (history_closed(h, &closed, &n, d) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (is_changed(out, closed[i].path))
            look_open(out, scan, &closed[i]);
    history_closed_free(closed, n);
    return 0;
}

void drift_text(struct cli *c, const struct drift *drift)
{
    for (size_t i = 0; i < drift->nfiles; i++) {
        const struct history_drift *f = &drift->files[i];

        text_safe(&c->out, f->path, strlen(f->path));
        buf_printf(&c->out, ": %s since change %u\n",
                   f->gone        ? "gone"
                   : f->meta_only ? "owner, mode or attributes changed"
                                  : "edited",
                   f->change);
    }
    for (size_t i = 0; i < drift->nopen; i++) {
        const struct drift_open *o = &drift->open[i];

        render_role(&c->out, c, ROLE_WARN);
        text_safe(&c->out, o->service, strlen(o->service));
        render_role(&c->out, c, ROLE_PLAIN);
        buf_adds(&c->out, " was turned on again at ");
        text_safe(&c->out, o->path, strlen(o->path));
        buf_printf(&c->out, ":%u; change %u had closed it", o->line, o->closed_by);
        if (o->package != NULL) {
            buf_adds(&c->out, "; around then dpkg installed '");
            text_safe(&c->out, o->package, strlen(o->package));
            buf_addc(&c->out, '\'');
        }
        buf_addc(&c->out, '\n');
    }
}

void drift_json(json_t *object, const struct drift *drift)
{
    json_t *files = json_array(), *open = json_array();

    for (size_t i = 0; i < drift->nfiles; i++) {
        json_t *f = json_object();

        json_text(f, "path", drift->files[i].path);
        json_object_set_new(f, "change", json_integer(drift->files[i].change));
        json_object_set_new(f, "gone", json_boolean(drift->files[i].gone));
        json_object_set_new(f, "meta_only", json_boolean(drift->files[i].meta_only));
        json_array_append_new(files, f);
    }
    for (size_t i = 0; i < drift->nopen; i++) {
        json_t *o = json_object();

        json_text(o, "path", drift->open[i].path);
        json_object_set_new(o, "line", json_integer(drift->open[i].line));
        json_text(o, "service", drift->open[i].service);
        json_object_set_new(o, "closed_by", json_integer(drift->open[i].closed_by));
        json_text(o, "package", drift->open[i].package);
        json_array_append_new(open, o);
    }
    json_object_set_new(object, "drift", files);
    json_object_set_new(object, "reopened", open);
}

void drift_release(struct drift *drift)
{
    history_drift_free(drift->files, drift->nfiles);
    for (size_t i = 0; i < drift->nopen; i++) {
        free(drift->open[i].path);
        free(drift->open[i].service);
        free(drift->open[i].package);
    }
    free(drift->open);
    *drift = (struct drift){0};
}
