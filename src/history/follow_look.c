#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"

enum {
    RESERVED_LEAST = 600, /* where bindresvport looks for a port */
    RESERVED_MOST = 1023,
    EPHEMERAL_LEAST = 32768,
};

/* Names what no entry names: "79/tcp". */
static void add_unpredicted(struct plan_sockets *list, const struct listener *l)
{
    char *name = mem_printf("%d/%s", l->port, l->proto);
    struct socket_spec spec;

    spec_of_listener(&spec, l);
    plan_socket_add(list, name, "", 0, &spec, true);
    free(spec.address);
    free(name);
}

static void add_predicted(struct plan_sockets *list, const struct plan_socket *s)
{
    plan_socket_add(list, s->service, s->path, s->line, &s->spec, true);
}

static bool looks_chosen_by_bind(int port)
{
    return (port >= RESERVED_LEAST && port <= RESERVED_MOST) || port >= EPHEMERAL_LEAST;
}

/* As many of the inetd's untaken sockets as there are RPC entries are theirs, those with the kind
 * of number that bind picks before all others. */
static void take_dynamic(struct follow_state *s, const struct plan_socket *one, bool *taken)
{
    if (count_untaken(&s->listeners, taken, &one->spec, s->inetds, s->ninetds) == 0) {
        if (!s->listeners.owners_hidden)
            add_predicted(&s->pending_open, one);
        return;
    }
    for (int liberal = 0; liberal < 2; liberal++)
        for (size_t i = 0; i < s->listeners.n; i++) {
            const struct listener *l = &s->listeners.v[i];

            if (taken[i] || strcmp(l->family, family_name(one->spec.family)) != 0 ||
                strcmp(l->proto, one->spec.proto) != 0 || !owned_by_any(l, s->inetds, s->ninetds))
                continue;
            if (liberal == 0 && !looks_chosen_by_bind(l->port))
                continue;
            taken[i] = true;
            return;
        }
}

static void compare(struct follow_state *s, const struct plan_sockets *now)
{
    bool *taken = mem_array(s->listeners.n + 1, sizeof(*taken));
    long *hit = mem_array(now->n + 1, sizeof(*hit));

    match_sockets(now, &s->listeners, taken, hit);
    for (size_t i = 0; i < now->n; i++) {
        const struct plan_socket *one = &now->v[i];

        if (!one->inetd || hit[i] >= 0)
            continue;
        if (spec_is_dynamic(&one->spec))
            take_dynamic(s, one, taken);
        else if (!any_listener_is(&s->listeners, &one->spec))
            add_predicted(&s->pending_open, one);
    }
    for (size_t i = 0; i < s->listeners.n; i++)
        if (!taken[i] && owned_by_any(&s->listeners.v[i], s->inetds, s->ninetds))
            add_unpredicted(&s->pending_close, &s->listeners.v[i]);
    free(taken);
    free(hit);
}

int follow_look(struct follow_state *s, const char *dialect, const struct plan_sockets *now,
                struct diag *d)
{
    *s = (struct follow_state){0};
    if (listeners_read(&s->listeners, true, d) != 0)
        return -1;
    if (process_find_inetd(dialect, &s->listeners, &s->inetds, &s->ninetds, &s->problems, d) != 0)
        return -1;
    /* Nobody will read the file before somebody starts an inetd: nothing is pending. */
    if (s->ninetds > 0)
        compare(s, now);
    else
        diag_set(problems_new(&s->problems), STATUS_DONE, "no-inetd",
                 "no super-server is running: what the files say holds from its next start");
    return 0;
}

void follow_state_release(struct follow_state *s)
{
    listeners_release(&s->listeners);
    process_list_free(s->inetds, s->ninetds);
    plan_sockets_release(&s->pending_open);
    plan_sockets_release(&s->pending_close);
    problems_release(&s->problems);
    *s = (struct follow_state){0};
}
