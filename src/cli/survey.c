#include "survey.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"

enum { PROFILE_MAX = 256 * 1024 };

static const char profile_dir[] = "etc/batten/profiles";

int survey_root(struct root **out, const struct cli *c, struct diag *d)
{
    return root_open(out, c->o.root ? c->o.root : "/", c->o.root != NULL, d);
}

int survey_history(struct history **out, struct root *root, const struct cli *c,
                   enum history_mode mode, struct diag *d)
{
    const char *dir = c->o.history;

    if (dir != NULL && strcmp(dir, "none") == 0)
        return history_open(out, root, NULL, HISTORY_NONE, d);
    return history_open(out, root, dir, mode, d);
}

/* A profile named by path stands outside the root: it is the caller's own file. */
static int read_profile_path(const char *path, struct buf *out, struct diag *d)
{
    struct root *here = NULL;
    int result = -1;

    if (root_open(&here, path[0] == '/' ? "/" : ".", true, d) != 0)
        return -1;
    switch (root_read(here, path, PROFILE_MAX, out, NULL, d)) {
    case ROOT_OK:
        result = 0;
        break;
    case ROOT_ABSENT:
        diag_set(d, STATUS_REFUSED, "no-profile", "there is no profile '%s'", path);
        diag_hint(d, "batten profile list");
        break;
    case ROOT_ERROR:
        d->status = STATUS_REFUSED;
        break;
    }
    root_free(here);
    return result;
}

void survey_profile_names(struct root *root, struct strlist *out)
{
    size_t n;
    const char *const *names = profile_builtin_names(&n);
    struct strlist found = {0};

    for (size_t i = 0; i < n; i++)
        strlist_add(out, names[i]);
    if (root_glob(root, "etc/batten/profiles/*", 1000, &found, NULL) == 0)
        for (size_t i = 0; i < found.n; i++)
            if (!strlist_has(out, text_basename(found.v[i])))
                strlist_add(out, text_basename(found.v[i]));
    strlist_release(&found);
}

static int no_such_profile(struct root *root, const char *name, struct diag *d)
{
    struct strlist known = {0};
    const char *near;

    survey_profile_names(root, &known);
    near = text_nearest(name, (const char *const *)known.v, known.n);
    diag_set(d, STATUS_REFUSED, "no-profile", "there is no profile '%s'", name);
    if (near != NULL)
        diag_hint(d, "did you mean: --profile %s", near);
    else
        diag_hint(d, "batten profile list");
    strlist_release(&known);
    return -1;
}

int survey_profile_bytes(struct root *root, const char *name, struct buf *out, char **label,
                         struct diag *d)
{
    const char *builtin;
    char *path;
    size_t len;
    enum root_result result;

    if (strchr(name, '/') != NULL) {
        *label = mem_strdup(name);
        return read_profile_path(name, out, d);
    }
    path = mem_printf("%s/%s", profile_dir, name);
    result = *name == '\0' || *name == '.' ? ROOT_ABSENT
                                           : root_read(root, path, PROFILE_MAX, out, NULL, d);
    if (result == ROOT_OK) {
        *label = path;
        return 0;
    }
    free(path);
    if (result == ROOT_ERROR)
        return -1;
    builtin = profile_builtin(name, &len);
    if (builtin == NULL)
        return no_such_profile(root, name, d);
    buf_add(out, builtin, len);
    *label = mem_strdup(name);
    return 0;
}

static int load_included(void *ctx, const char *name, struct buf *out, struct diag *d)
{
    char *label = NULL;
    int result = survey_profile_bytes(ctx, name, out, &label, d);

    free(label);
    return result;
}

int survey_profile(struct profile **out, struct root *root, const char *name, struct diag *d)
{
    struct buf bytes = BUF_INIT;
    char *label = NULL;
    int result = -1;

    if (name == NULL)
        name = DEFAULT_PROFILE;
    if (survey_profile_bytes(root, name, &bytes, &label, d) == 0)
        result = profile_parse(out, text_basename(name), label, buf_str(&bytes), bytes.len,
                               load_included, root, d);
    free(label);
    buf_release(&bytes);
    return result;
}

int survey_make(struct survey *s, struct cli *c, struct profile *profile, struct diag *d)
{
    s->profile = profile;
    if (s->root == NULL && survey_root(&s->root, c, d) != 0)
        return -1;
    if (s->profile == NULL && survey_profile(&s->profile, s->root, c->o.profile, d) != 0)
        return -1;
    if (scan_run(&s->scan, s->root, &c->o, d) != 0)
        return -1;
    findings_make(&s->findings, &s->scan.entries, s->profile, s->scan.db);
    findings_sort(&s->findings);
    if (!root_offline(s->root)) {
        if (listeners_read(&s->listeners, true, d) != 0)
            return -1;
        s->live = true;
    }
    return 0;
}

unsigned survey_plan_flags(const struct survey *s)
{
    return root_exists(s->root, "usr/sbin/dovecot") || root_exists(s->root, "etc/dovecot")
               ? PLAN_DOVECOT
               : 0;
}

void survey_clear(struct survey *s)
{
    struct root *root = s->root;

    listeners_release(&s->listeners);
    findings_release(&s->findings);
    scan_release(&s->scan);
    profile_free(s->profile);
    *s = (struct survey){.root = root};
}

void survey_release(struct survey *s)
{
    survey_clear(s);
    root_free(s->root);
    s->root = NULL;
}

const struct listener *survey_listener(const struct survey *s, const struct socket_spec *spec)
{
    if (!s->live || spec->family == FAMILY_UNIX || spec->port < 0)
        return NULL;
    for (size_t i = 0; i < s->listeners.n; i++)
        if (listener_is(&s->listeners.v[i], family_name(spec->family), spec->proto, spec->address,
                        spec->port))
            return &s->listeners.v[i];
    return NULL;
}

bool survey_by_hand(const struct finding *f)
{
    return f->entry->enabled && f->verdict == VERDICT_DISABLE && f->entry->locked != NULL;
}

struct survey_counts survey_count(const struct survey *s)
{
    struct survey_counts n = {.entries = s->findings.n};

    for (size_t i = 0; i < s->findings.n; i++) {
        const struct finding *f = &s->findings.v[i];
        bool listens = false;

        for (size_t j = 0; j < f->entry->nsockets && !listens; j++)
            listens = survey_listener(s, &f->entry->sockets[j]) != NULL;
        n.listening += listens;
        n.enabled += f->entry->enabled;
        n.to_change += f->entry->enabled && f->verdict == VERDICT_DISABLE;
        n.by_hand += survey_by_hand(f);
        n.undecided += f->entry->enabled && f->verdict == VERDICT_ASK;
    }
    return n;
}
