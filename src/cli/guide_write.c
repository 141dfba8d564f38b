#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/profile.h"
#include "batten/replace.h"
#include "batten/text.h"
#include "cli.h"
#include "guide_walk.h"
#include "render.h"

static const char profile_dir[] = "etc/batten/profiles";
static const char default_name[] = "site";

/* Where a profile goes: a bare name among the root's own profiles; with a '/' it is a path as the
 * person sees it, like --profile. */
struct place {
    struct root *root; /* owned unless it is the survey's */
    char *path;        /* below root */
    char *shown;
    bool named;
};

/* "/etc/batten/profiles/site" of the running host is the profile 'site'. */
static const char *without_dir(const struct walk *w, const char *path)
{
    size_t len = sizeof(profile_dir) - 1;
    bool own = !root_offline(w->survey.root) && path[0] == '/' &&
               text_starts(path + 1, profile_dir) && path[1 + len] == '/';

    return own && strchr(path + len + 2, '/') == NULL ? path + len + 2 : path;
}

static int find_place(const struct walk *w, const char *typed, struct place *p, struct diag *d)
{
    const char *name = without_dir(w, *typed != '\0' ? typed : default_name);

    *p = (struct place){.named = strchr(name, '/') == NULL};
    if (!p->named) {
        p->path = mem_strdup(name);
        p->shown = mem_strdup(name);
        return root_open(&p->root, name[0] == '/' ? "/" : ".", true, d);
    }
    if (*name == '\0' || *name == '.')
        return diag_set(d, STATUS_USAGE, "bad-name", "'%s' is no name for a profile", typed);
    p->root = w->survey.root;
    p->path = mem_printf("%s/%s", profile_dir, name);
    p->shown = mem_printf("%s/%s", root_offline(p->root) ? w->c->o.root : "", p->path);
    return 0;
}

static void place_release(const struct walk *w, struct place *p)
{
    if (p->root != w->survey.root)
        root_free(p->root);
    free(p->path);
    free(p->shown);
}

/* Yes only for a typed y: what is there may be somebody's work. */
static bool may_overwrite(struct walk *w, const struct place *p)
{
    struct buf prompt = BUF_INIT, rest = BUF_INIT;
    int key;

    if (!root_exists(p->root, p->path))
        return true;
    buf_adds(&prompt, "'");
    text_safe(&prompt, p->shown, strlen(p->shown));
    buf_adds(&prompt, "' is there; write over it? (y n) [n] ");
    terminal_print(buf_str(&prompt));
    key = terminal_key(&w->terminal, &rest);
    terminal_print(w->terminal.lines ? "" : key == 'y' || key == 'Y' ? "yes\n" : "no\n");
    buf_release(&prompt);
    buf_release(&rest);
    return key == 'y' || key == 'Y';
}

static int make_text(const struct walk *w, struct buf *out)
{
    size_t n = w->guide.n;
    struct finding *f = mem_array(n + 1, sizeof(*f));
    enum verdict *v = mem_array(n + 1, sizeof(*v));
    int result;

    for (size_t i = 0; i < n; i++) {
        f[i] = *w->guide.v[i].finding;
        v[i] = guide_verdict(w->guide.v[i].answer);
    }
    result = profile_write(out, f, v, n);
    free(f);
    free(v);
    return result;
}

static int write_there(const struct place *p, const struct buf *text, struct diag *d)
{
    if (p->named && replace_own_mkdir(p->root, profile_dir, 0755, d) != 0)
        return -1;
    return replace_own(p->root, p->path, buf_str(text), text->len, 0644, d);
}

static void say_written(struct walk *w, const struct place *p, bool exact)
{
    struct buf b = BUF_INIT;

    buf_printf(&b, "written to '%s'; unattended: batten%s --profile ", p->shown,
               buf_str(&w->where));
    render_shell_word(&b, p->named ? text_basename(p->path) : p->shown);
    buf_adds(&b, " --apply");
    if (!exact)
        buf_adds(&b, " (two lines that no rule can tell apart were answered differently: there "
                     "it keeps both)");
    guide_say(&w->guide, "%s", buf_str(&b));
    buf_release(&b);
}

void walk_write(struct walk *w, const char *typed)
{
    struct place p;
    struct buf text = BUF_INIT;
    struct diag d = DIAG_INIT;
    bool exact;

    if (find_place(w, typed, &p, &d) != 0)
        goto out;
    if (!may_overwrite(w, &p)) {
        guide_say(&w->guide, "nothing was written");
        goto out;
    }
    exact = make_text(w, &text) == 0;
    if (write_there(&p, &text, &d) == 0)
        say_written(w, &p, exact);
out:
    if (diag_isset(&d))
        guide_say(&w->guide, "not written: %s", d.message);
    place_release(w, &p);
    buf_release(&text);
    diag_release(&d);
}
