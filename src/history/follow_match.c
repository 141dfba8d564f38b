#include "follow_int.h"

#include <string.h>

#include "batten/mem.h"

bool spec_is_dynamic(const struct socket_spec *s)
{
    return s->port < 0 && s->family != FAMILY_UNIX;
}

void spec_of_listener(struct socket_spec *s, const struct listener *l)
{
    *s = (struct socket_spec){.family = FAMILY_IPV4, .port = l->port};
    s->address = mem_strdup(l->address);
    memcpy(s->proto, l->proto, sizeof(s->proto));
    if (strcmp(l->family, "ipv6") == 0)
        s->family = FAMILY_IPV6;
    else if (strcmp(l->family, "ipv46") == 0)
        s->family = FAMILY_IPV46;
}

static bool matchable(const struct socket_spec *s)
{
    return s->port > 0 && s->family != FAMILY_UNIX;
}

static long find(const struct socket_spec *s, const struct listeners *l, const bool *taken,
                 bool exact)
{
    const char *family = family_name(s->family);

    for (size_t i = 0; i < l->n; i++) {
        if (taken != NULL && taken[i])
            continue;
        if (exact && strcmp(l->v[i].family, family) != 0)
            continue;
        if (listener_is(&l->v[i], family, s->proto, s->address, s->port))
            return (long)i;
    }
    return -1;
}

void match_sockets(const struct plan_sockets *specs, const struct listeners *l, bool *taken,
                   long *hit)
{
    for (size_t i = 0; i < specs->n; i++)
        hit[i] = -1;
    for (int exact = 1; exact >= 0; exact--)
        for (size_t i = 0; i < specs->n; i++) {
            if (hit[i] >= 0 || !matchable(&specs->v[i].spec))
                continue;
            hit[i] = find(&specs->v[i].spec, l, taken, exact == 1);
            if (hit[i] >= 0)
                taken[hit[i]] = true;
        }
}

bool any_listener_is(const struct listeners *l, const struct socket_spec *s)
{
    if (s->family == FAMILY_UNIX)
        return sockets_unix_bound(s->address);
    return matchable(s) && find(s, l, NULL, false) >= 0;
}

bool owned_by_any(const struct listener *l, const struct process *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (listener_owned_by(l, list[i].pid))
            return true;
    return false;
}

size_t count_dynamic(const struct plan_sockets *specs, const struct socket_spec *s)
{
    size_t n = 0;

    for (size_t i = 0; i < specs->n; i++)
        n += specs->v[i].inetd && spec_is_dynamic(&specs->v[i].spec) &&
             specs->v[i].spec.family == s->family && strcmp(specs->v[i].spec.proto, s->proto) == 0;
    return n;
}

size_t count_untaken(const struct listeners *l, const bool *taken, const struct socket_spec *s,
                     const struct process *list, size_t n)
{
    const char *family = family_name(s->family);
    size_t count = 0;

    for (size_t i = 0; i < l->n; i++)
        count += !taken[i] && strcmp(l->v[i].family, family) == 0 &&
                 strcmp(l->v[i].proto, s->proto) == 0 && owned_by_any(&l->v[i], list, n);
    return count;
}
