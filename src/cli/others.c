#include "others.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"
#include "render.h"
#include "survey.h"

/* Which listeners an entry that is on opens, by their place in the list. Caller frees. */
static bool *claimed(const struct survey *s)
{
    bool *own = mem_array(s->listeners.n + 1, sizeof(*own));

    for (size_t i = 0; i < s->findings.n; i++) {
        const struct entry *e = s->findings.v[i].entry;

        for (size_t k = 0; e->enabled && k < e->nsockets; k++) {
            const struct listener *l = survey_listener(s, &e->sockets[k]);

            if (l != NULL)
                own[l - s->listeners.v] = true;
        }
    }
    return own;
}

/* What serves there: by its program where that can be seen, else by the port. */
static const struct service *service_of(const struct listener *l, char name[16])
{
    const struct service *found = NULL;
    struct process p = {.fd = -1};

    name[0] = '\0';
    if (l->npids > 0 && process_open(&p, l->pids[0], NULL) == 0) {
        memcpy(name, p.comm, 16);
        found = catalogue_program(name);
    }
    process_release(&p);
    return found != NULL ? found : catalogue_port(l->port, l->proto);
}

static void one_line(struct cli *c, const struct listener *l)
{
    char name[16];
    const struct service *service = service_of(l, name);
    char *port = mem_printf("%d/%s", l->port, l->proto);
    char *who = l->npids > 0 ? mem_printf("%s[%d]", name, (int)l->pids[0]) : mem_strdup("owner ?");

    buf_adds(&c->out, "  ");
    render_cell(&c->out, port, 10, false);
    render_cell(&c->out, service ? service->name : "-", 12, false);
    render_cell(&c->out, l->family, 6, false);
    render_cell(&c->out, l->address, 24, false);
    buf_addc(&c->out, ' ');
    text_safe(&c->out, who, strlen(who)); /* a process calls itself as it likes */
    buf_addc(&c->out, '\n');
    free(port);
    free(who);
}

void others_text(struct cli *c, const struct survey *s)
{
    bool *own = claimed(s), any = false;

    for (size_t i = 0; i < s->listeners.n; i++) {
        if (own[i])
            continue;
        if (!any) {
            buf_addc(&c->out, '\n');
            render_text(&c->out, c, ROLE_HEAD, "listening, and started by something not read here");
            buf_addc(&c->out, '\n');
        }
        any = true;
        one_line(c, &s->listeners.v[i]);
    }
    free(own);
}

static json_t *one_object(const struct listener *l)
{
    char name[16];
    const struct service *service = service_of(l, name);
    json_t *o = json_object(), *pids = json_array();

    json_text(o, "service", service ? service->name : NULL);
    json_text(o, "family", l->family);
    json_text(o, "proto", l->proto);
    json_text(o, "address", l->address);
    json_object_set_new(o, "port", json_integer(l->port));
    for (size_t i = 0; i < l->npids; i++)
        json_array_append_new(pids, json_integer(l->pids[i]));
    json_object_set_new(o, "pids", pids);
    json_text(o, "program", name[0] ? name : NULL);
    return o;
}

json_t *others_json(const struct survey *s)
{
    json_t *all;
    bool *own;

    if (!s->live)
        return json_null();
    all = json_array();
    own = claimed(s);
    for (size_t i = 0; i < s->listeners.n; i++)
        if (!own[i])
            json_array_append_new(all, one_object(&s->listeners.v[i]));
    free(own);
    return all;
}
