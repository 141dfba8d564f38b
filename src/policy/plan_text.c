/* What a plan means for the people of this host, in sentences. */
#include <stdlib.h>
#include <string.h>

#include "batten/dialect.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "batten/text.h"
#include "work.h"

/* More sentences of one kind than this nobody reads: the rest is counted. */
enum { SENTENCES_MAX = 40 };

struct told {
    struct strlist *out;
    size_t services; /* sentences about one service each */
    size_t untold;
};

/* What NAME is called in a sentence: its bytes come from a file. */
static char *shown(const char *name)
{
    struct buf b = BUF_INIT;

    text_utf8(&b, name, strlen(name));
    return buf_steal(&b);
}

static bool add_service(struct told *t)
{
    if (t->services == SENTENCES_MAX) {
        t->untold++;
        return false;
    }
    t->services++;
    return true;
}

/* ---- one inetd entry ---- */

static void add_ports(struct buf *out, const struct entry *e)
{
    struct strlist seen = {0};
    struct buf one = BUF_INIT;

    for (size_t i = 0; i < e->nsockets; i++) {
        const struct socket_spec *s = &e->sockets[i];

        buf_clear(&one);
        if (s->family == FAMILY_UNIX) {
            text_utf8(&one, s->address, strlen(s->address));
        } else if (s->port > 0) {
            if (strcmp(s->address, "*") != 0)
                buf_printf(&one, "%s:", s->address);
            buf_printf(&one, "%d/%s", s->port, s->proto);
        } else {
            buf_printf(&one, "rpc/%s", s->proto);
        }
        if (!strlist_has(&seen, buf_str(&one)))
            strlist_add(&seen, buf_str(&one));
    }
    for (size_t i = 0; i < seen.n; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : " (", seen.v[i]);
    buf_adds(out, seen.n > 0 ? ")" : "");
    strlist_release(&seen);
    buf_release(&one);
}

static bool is_stream(const struct entry *e)
{
    return e->nsockets > 0 &&
           (strcmp(e->sockets[0].proto, "tcp") == 0 || strcmp(e->sockets[0].proto, "stream") == 0);
}

static void tell_entry(struct told *t, const struct finding *f)
{
    const struct entry *e = f->entry;
    struct buf b = BUF_INIT;
    bool number = strspn(e->name, "0123456789") == strlen(e->name);
    char *name = shown(number ? work_service(f) : e->name);

    if (!add_service(t))
        goto out;
    buf_adds(&b, name);
    add_ports(&b, e);
    if (e->nsockets == 0)
        buf_adds(&b, " opens nothing as things are; its line is commented out all the same");
    else if ((e->flags & (ENTRY_WAIT | ENTRY_INTERNAL)) == ENTRY_WAIT)
        buf_adds(&b, " will not be started again; a server that is running keeps its port until "
                     "it ends");
    else if (is_stream(e))
        buf_adds(&b, " will refuse new connections; running sessions stay open");
    else
        buf_adds(&b, " will answer no more packets");
    strlist_add(t->out, buf_str(&b));
out:
    free(name);
    buf_release(&b);
}

/* Once for each program, however many lines start it. In an image nothing runs: the sentence holds
 * there too. */
static void tell_daemon(struct told *t, const struct finding *f)
{
    char *program = shown(f->entry->program != NULL ? f->entry->program : f->entry->name);
    char *sentence =
        mem_printf("%s is not started at boot any more, and stopped where it runs (%s)",
                   work_service(f), program);

    if (!strlist_has(t->out, sentence) && add_service(t))
        strlist_add(t->out, sentence);
    free(sentence);
    free(program);
}

static bool is_rc(const struct entry *e)
{
    return strcmp(e->starter->name, "rcscript") == 0;
}

/* ---- all of them ---- */

static void tell_backdoors(struct work *w, struct told *t)
{
    for (size_t i = 0; i < w->findings->n; i++) {
        const struct finding *f = &w->findings->v[i];

        if (f->backdoor && f->entry->enabled) {
            strlist_addf(t->out,
                         "%s:%u is a back door: this host may be in other hands, and closing it is "
                         "not enough; the alert's measure 8 is to install it anew",
                         f->entry->source->path, f->entry->line);
            return;
        }
    }
}

/* The sentences that a service calls for wherever it was started from. */
static void tell_service(struct work *w, struct told *t, const char *name, const char *sentence)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct service *s = w->items[i].f->service;

        if (s != NULL && strcmp(s->name, name) == 0 && !w->units[w->items[i].unit].dropped) {
            strlist_add(t->out, sentence);
            return;
        }
    }
}

static void tell_services(struct work *w, struct told *t)
{
    static const struct {
        const char *service, *sentence;
    } all[] = {
        {"ssh",     "ssh is closed: make sure that another way into this host works first"       },
        {"named",   "without named this host needs another name server in /etc/resolv.conf"      },
        {"statd",   "without statd NFS file locks do not survive a restart of either side"       },
        {"lockd",   "without lockd programs cannot lock files over NFS"                          },
        {"portmap", "without portmap no RPC service of this host can be found, NFS and NIS among "
                    "them"                                                    },
        {"mountd",  "without mountd NFS clients cannot mount from this host"                     },
        {"nfs",     "without nfs the clients of this host lose its files, and may hang on them"  },
        {"ypserv",  "without ypserv the NIS clients of this host cannot look up users"           },
        {"ypbind",  "without ypbind users and groups that NIS knows do not exist here"           },
        {"smtp",    "without smtp this host takes in no mail from the network"                   },
        {"inetd",   "without inetd everything in its file is closed"                             },
        {"xdm",     "without xdm there is no graphical login"                                    },
        {"dnsmasq", "without dnsmasq the machines behind this host get no addresses and no names"},
        {"bootps",  "without bootps machines that rely on it get no address"                     },
    };

    if (w->dovecot) {
        tell_service(w, t, "imap",
                     "imap closed here lets Dovecot, which is installed, open its "
                     "own at the next boot");
        tell_service(w, t, "pop",
                     "pop closed here lets Dovecot, which is installed, open its own "
                     "at the next boot");
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        tell_service(w, t, all[i].service, all[i].sentence);
}

static void tell_shared(struct work *w, struct told *t)
{
    for (size_t u = 0; u < w->nunits; u++) {
        const struct item *a, *b;
        char *first, *second;

        if (w->units[u].n < 2 || w->units[u].dropped)
            continue;
        a = &w->items[w->grouped[w->units[u].first]];
        b = &w->items[w->grouped[w->units[u].first + 1]];
        first = shown(a->e->name);
        second = shown(b->e->name);
        if (add_service(t))
            strlist_addf(t->out,
                         "%s (line %u) and %s (line %u) share a port and are closed together",
                         first, a->e->line, second, b->e->line);
        free(first);
        free(second);
    }
}

static int compare_sockets(const void *a, const void *b)
{
    const struct plan_socket *x = a, *y = b;
    int order = (x->spec.port > y->spec.port) - (x->spec.port < y->spec.port);

    if (order == 0)
        order = (x->spec.family > y->spec.family) - (x->spec.family < y->spec.family);
    if (order == 0)
        order = strcmp(x->spec.proto, y->spec.proto);
    return order != 0 ? order : strcmp(x->spec.address, y->spec.address);
}

/* Two entries may open the same socket (SO_REUSEADDR): where one of them stays, so does the port,
 * and there is nothing to prove closed. */
static void keep_what_stays(struct work *w, struct told *t)
{
    struct plan_sockets *closes = &w->plan->closes, *stays = &w->plan->stays;
    struct plan_socket *sorted = mem_array(stays->n + 1, sizeof(*sorted));
    size_t to = 0;

    for (size_t i = 0; i < stays->n; i++)
        sorted[i] = stays->v[i];
    qsort(sorted, stays->n, sizeof(*sorted), compare_sockets);
    for (size_t i = 0; i < closes->n; i++) {
        struct plan_socket *s = &closes->v[i], *other = NULL;

        if (s->spec.port > 0)
            other = bsearch(s, sorted, stays->n, sizeof(*sorted), compare_sockets);
        if (other == NULL) {
            closes->v[to++] = *s;
            continue;
        }
        if (s->inetd && add_service(t))
            strlist_addf(t->out, "%d/%s stays open all the same: %s (%s:%u) listens there too",
                         s->spec.port, s->spec.proto, other->service, other->path, other->line);
        free(s->service);
        free(s->path);
        free(s->spec.address);
    }
    closes->n = to;
    free(sorted);
}

static void tell_reload(struct work *w, struct told *t)
{
    const struct plan *plan = w->plan;
    size_t kept = 0, enabled = 0;
    const char *rpc = NULL;

    if (!plan->reload)
        return;
    for (size_t i = 0; i < w->findings->n; i++) {
        const struct entry *e = w->findings->v[i].entry;

        if (!e->enabled || is_rc(e))
            continue;
        enabled++;
        if (work_live(w, e))
            continue;
        kept++;
        if (e->flags & ENTRY_RPC)
            rpc = e->name;
    }
    if (enabled > 0 && kept == 0)
        strlist_add(t->out, "inetd is left with nothing to start");
    if (rpc != NULL && plan->dialect != NULL &&
        strcmp(dialect_name(plan->dialect), "openbsd") == 0) {
        char *name = shown(rpc);

        strlist_addf(t->out,
                     "a HUP makes this inetd forget the RPC services that stay (%s): it is "
                     "restarted instead",
                     name);
        free(name);
    }
}

void work_consequences(struct work *w)
{
    struct told t = {.out = &w->plan->consequences};

    tell_backdoors(w, &t);
    for (size_t i = 0; i < w->findings->n; i++) {
        const struct finding *f = &w->findings->v[i];

        if (!work_live(w, f->entry))
            continue;
        if (is_rc(f->entry))
            tell_daemon(&t, f);
        else
            tell_entry(&t, f);
    }
    tell_shared(w, &t);
    keep_what_stays(w, &t);
    if (t.untold > 0)
        strlist_addf(t.out, "and so on for %zu more", t.untold);
    tell_services(w, &t);
    tell_reload(w, &t);
}
