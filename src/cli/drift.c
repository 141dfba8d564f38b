#include "drift.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"
#include "render.h"
#include "wanted.h"

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

/* What drift_look has at hand. */
struct looking {
    struct drift *drift;
    const struct scan *scan;
    struct history_closed *closed; /* by path, name, newest first */
    size_t nclosed;
    struct wanted wanted;
    const char *package_path; /* the file whose package was looked up last */
    char *package;
};

static int by_name(const void *a, const void *b)
{
    const struct history_closed *x = a, *y = b;
    int order = strcmp(x->path, y->path);

    if (order == 0)
        order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->change < y->change) - (x->change > y->change);
}

static bool is_changed(const struct drift *drift, const char *path)
{
    for (size_t i = 0; i < drift->nfiles; i++)
        if (strcmp(drift->files[i].path, path) == 0 && !drift->files[i].meta_only)
            return true;
    return false;
}

/* The time of the file says when it was turned on only as long as batten has not written it. */
static const char *package_of(struct looking *l, const char *path)
{
    const struct scan_file *f = scan_file(l->scan, path);

    if (l->package_path == NULL || strcmp(l->package_path, path) != 0) {
        free(l->package);
        l->package_path = path;
        l->package = f != NULL && is_changed(l->drift, path)
                         ? package_near(l->scan->root, f->meta.st.st_mtime)
                         : NULL;
    }
    return l->package;
}

/* E is what C closed. In a file that was edited since a start command may have other words. */
static bool is_same(const struct looking *l, const struct history_closed *c, const struct entry *e,
                    const char *ident)
{
    if (c->ident[0] == '\0' || strcmp(c->ident, ident) == 0)
        return true;
    return e->proto == NULL && is_changed(l->drift, c->path);
}

static void add_open(struct looking *l, const struct history_closed *c, const struct entry *e)
{
    struct drift *drift = l->drift;
    struct drift_open *o;

    drift->open = mem_grow(drift->open, drift->nopen, &drift->open_cap, sizeof(*drift->open));
    o = &drift->open[drift->nopen++];
    o->path = mem_strdup(e->source->path);
    o->name = mem_strdup(e->name);
    o->ident = mem_strdup(c->ident);
    o->line = e->line;
    o->service = mem_strdup(c->service[0] ? c->service : c->name);
    o->closed_by = c->change;
    o->package = mem_strdup(package_of(l, e->source->path));
}

/* The first of the changes of E's name in its file; nclosed when there is none. */
static size_t first_of(const struct looking *l, const struct entry *e)
{
    size_t low = 0, high = l->nclosed;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(l->closed[mid].path, e->source->path);

        if (order == 0)
            order = strcmp(l->closed[mid].name, e->name);
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* An entry that is on although a change closed it and none opened it again. */
static void look_at(struct looking *l, const struct entry *e)
{
    char *ident = entry_ident(e);

    for (size_t i = first_of(l, e); i < l->nclosed; i++) {
        const struct history_closed *c = &l->closed[i];

        if (strcmp(c->path, e->source->path) != 0 || strcmp(c->name, e->name) != 0)
            break;
        if (!is_same(l, c, e, ident))
            continue;
        if (!wanted_has(&l->wanted, &(struct wanted_entry){c->change, c->path, c->name, c->ident}))
            add_open(l, c, e);
        break;
    }
    free(ident);
}

int drift_look(struct drift *out, struct history *h, const struct scan *scan, struct diag *d)
{
    struct looking l = {.drift = out, .scan = scan};

    if (history_drift(h, &out->files, &out->nfiles, d) != 0 ||
        history_closed(h, &l.closed, &l.nclosed, d) != 0)
        return -1;
    if (l.nclosed > 1)
        qsort(l.closed, l.nclosed, sizeof(*l.closed), by_name);
    wanted_read(&l.wanted, h);
    for (size_t i = 0; l.nclosed > 0 && i < scan->entries.n; i++)
        if (scan->entries.v[i]->enabled)
            look_at(&l, scan->entries.v[i]);
    wanted_release(&l.wanted);
    free(l.package);
    history_closed_free(l.closed, l.nclosed);
    return 0;
}

/* By its place: its name may stand for others that are to stay closed. */
static void say_accept(struct cli *c, const struct drift_open *o)
{
    char *place = mem_printf("%s:%u", o->path, o->line);

    buf_adds(&c->out, "  if it is to stay so: batten rollback --entry ");
    render_shell_word(&c->out, place);
    render_where(&c->out, c);
    buf_addc(&c->out, '\n');
    free(place);
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
        if (c->command->bit == CMD_STATUS)
            say_accept(c, o);
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
        free(drift->open[i].name);
        free(drift->open[i].ident);
        free(drift->open[i].service);
        free(drift->open[i].package);
    }
    free(drift->open);
    *drift = (struct drift){0};
}
