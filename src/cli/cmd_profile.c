#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/profile.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"
#include "render.h"
#include "survey.h"

static enum status profile_list(struct cli *c, struct root *root)
{
    struct strlist names = {0};
    json_t *o = json_start(c), *all = json_array();

    survey_profile_names(root, &names);
    for (size_t i = 0; i < names.n; i++) {
        json_append_text(all, names.v[i]);
        if (c->o.json)
            continue;
        text_safe(&c->out, names.v[i], strlen(names.v[i]));
        buf_adds(&c->out, strcmp(names.v[i], DEFAULT_PROFILE) == 0 ? "  (default)\n" : "\n");
    }
    json_object_set_new(o, "profiles", all);
    if (c->o.json)
        json_finish(&c->out, o);
    else
        json_decref(o);
    strlist_release(&names);
    return STATUS_DONE;
}

static enum status profile_show(struct cli *c, struct root *root, struct diag *d)
{
    struct buf bytes = BUF_INIT;
    char *label = NULL;
    int result = survey_profile_bytes(root, c->o.args.v[1], &bytes, &label, d);

    if (result == 0 && c->o.json) {
        json_t *o = json_start(c);

        json_text(o, "name", c->o.args.v[1]);
        json_bytes(o, "text", buf_str(&bytes), bytes.len);
        json_finish(&c->out, o);
    } else if (result == 0) {
        buf_add(&c->out, buf_str(&bytes), bytes.len);
    }
    free(label);
    buf_release(&bytes);
    return result == 0 ? STATUS_DONE : STATUS_REFUSED;
}

static enum status profile_check(struct cli *c, struct root *root, struct diag *d)
{
    struct profile *p = NULL;
    const char *file = c->o.args.v[1];
    char *here = mem_printf("./%s", file);
    bool is_here = strchr(file, '/') == NULL && access(here, F_OK) == 0;
    int result = survey_profile(&p, root, is_here ? here : file, d);

    free(here);
    if (result != 0)
        return STATUS_REFUSED;
    if (c->o.json) {
        json_t *o = json_start(c);

        json_text(o, "name", profile_name(p));
        json_object_set_new(o, "ok", json_true());
        json_finish(&c->out, o);
    } else if (!c->o.quiet) {
        buf_printf(&c->out, "%s: ok\n", file);
    }
    profile_free(p);
    return STATUS_DONE;
}

enum status cmd_profile(struct cli *c, struct diag *d)
{
    const char *what = c->o.args.v[0];
    struct root *root = NULL;
    enum status status;
    bool lists = strcmp(what, "list") == 0;

    if ((!lists && strcmp(what, "show") != 0 && strcmp(what, "check") != 0) ||
        c->o.args.n != (lists ? 1 : 2)) {
        diag_set(d, STATUS_USAGE, "usage", "'batten profile' takes: check FILE, list, show NAME");
        diag_hint(d, "batten help profile");
        return STATUS_USAGE;
    }
    if (survey_root(&root, c, d) != 0)
        return STATUS_REFUSED;
    if (lists)
        status = profile_list(c, root);
    else if (what[0] == 's')
        status = profile_show(c, root, d);
    else
        status = profile_check(c, root, d);
    root_free(root);
    return status;
}
