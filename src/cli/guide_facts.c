#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/process.h"
#include "batten/starter.h"
#include "guide_walk.h"

static void add_owner(struct buf *out, pid_t pid)
{
    struct process p = {.fd = -1};

    if (process_open(&p, pid, NULL) == 0)
        buf_printf(out, "%s[%d]", p.comm, (int)pid);
    else
        buf_printf(out, "pid %d", (int)pid);
    process_release(&p);
}

/* The TCP ports whose connections are looked for. */
struct ports {
    int v[16];
    size_t n;
};

static void add_port(struct ports *p, int port)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i] == port)
            return;
    if (p->n < ARRAY_LEN(p->v))
        p->v[p->n++] = port;
}

static bool has_port(const struct ports *p, int port)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i] == port)
            return true;
    return false;
}

/* The super-server's listener for E. */
static void add_listener(struct buf *out, const struct walk *w, const struct entry *e,
                         struct ports *ports)
{
    const struct listener *l = NULL;

    for (size_t i = 0; i < e->nsockets; i++) {
        if (l == NULL)
            l = survey_listener(&w->survey, &e->sockets[i]);
        if (e->sockets[i].port > 0 && strcmp(e->sockets[i].proto, "tcp") == 0)
            add_port(ports, e->sockets[i].port);
    }
    if (l == NULL && (e->nsockets == 0 || e->sockets[0].port <= 0)) {
        buf_adds(out, "not known: it has no port of its own");
        return;
    }
    buf_adds(out, l != NULL ? "listening" : "nobody listens");
    for (size_t i = 0; l != NULL && i < l->npids && i < 3; i++) {
        buf_adds(out, i == 0 ? ": " : ", ");
        add_owner(out, l->pids[i]);
    }
    if (l != NULL && l->npids == 0)
        buf_adds(out, ", by whom could not be seen");
}

static void add_ports_of(struct buf *out, const struct walk *w, pid_t pid, struct ports *ports)
{
    struct strlist seen = {0};

    for (size_t i = 0; i < w->survey.listeners.n; i++) {
        const struct listener *l = &w->survey.listeners.v[i];
        char *port = mem_printf("%d/%s", l->port, l->proto);

        if (listener_owned_by(l, pid) && !strlist_has(&seen, port) && seen.n < ARRAY_LEN(ports->v))
            strlist_add(&seen, port);
        if (listener_owned_by(l, pid) && strcmp(l->proto, "tcp") == 0)
            add_port(ports, l->port);
        free(port);
    }
    for (size_t i = 0; i < seen.n; i++)
        buf_printf(out, "%s%s", i == 0 ? " on " : ", ", seen.v[i]);
    strlist_release(&seen);
}

/* The daemon that a script starts, if it runs. */
static void add_daemon(struct buf *out, const struct walk *w, const struct entry *e,
                       struct ports *ports)
{
    struct process *list = NULL;
    size_t n = 0;

    if (e->program == NULL || process_find_program(w->survey.root, e->program, &w->survey.listeners,
                                                   &list, &n, NULL) != 0) {
        buf_adds(out, "not known");
        return;
    }
    if (n == 0)
        buf_adds(out, "it does not run");
    for (size_t i = 0; i < n && i < 3; i++) {
        buf_printf(out, "%s%s[%d]", i == 0 ? "runs: " : ", ", list[i].comm, (int)list[i].pid);
        add_ports_of(out, w, list[i].pid, ports);
    }
    process_list_free(list, n);
}

/* "2 sessions open now, from 10.0.0.5 and 10.0.0.9" */
static void add_connections(struct buf *out, const struct walk *w, const struct ports *ports)
{
    enum { NAMED = 4 };
    struct strlist peers = {0};
    size_t n = 0;

    for (size_t i = 0; i < w->connections.n; i++) {
        const struct connection *c = &w->connections.v[i];

        if (!has_port(ports, c->local_port))
            continue;
        n++;
        if (peers.n <= NAMED && !strlist_has(&peers, c->remote))
            strlist_add(&peers, c->remote);
    }
    if (n > 0)
        buf_printf(out, "; %zu %s open now, from ", n, n == 1 ? "session" : "sessions");
    else if (w->connected_known && ports->n > 0)
        buf_adds(out, "; no session open");
    for (size_t i = 0; i < peers.n && i < NAMED; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : i + 1 == peers.n ? " and " : ", ", peers.v[i]);
    if (peers.n > NAMED)
        buf_adds(out, " and others");
    strlist_release(&peers);
}

static char *now_words(const struct walk *w, const struct entry *e)
{
    struct ports ports = {.n = 0};
    struct buf b = BUF_INIT;

    if (!w->survey.live) {
        buf_adds(&b, "not known: this is an image");
        return buf_steal(&b);
    }
    if (e->proto != NULL)
        add_listener(&b, w, e, &ports);
    else
        add_daemon(&b, w, e, &ports);
    add_connections(&b, w, &ports);
    return buf_steal(&b);
}

static char *used_words(const struct walk *w, size_t i)
{
    const struct evidence *e = &w->evidence[i];
    struct buf b = BUF_INIT;

    evidence_text(&b, e, w->now);
    if (e->wtmp.uses > 0)
        buf_adds(&b, " (login records do not tell telnet, rlogin and ssh apart)");
    return buf_steal(&b);
}

static char *together_words(const struct walk *w, const struct entry *e)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; e->group != 0 && i < w->survey.scan.entries.n; i++) {
        const struct entry *o = w->survey.scan.entries.v[i];

        if (o == e || o->group != e->group || o->starter != e->starter || !o->enabled)
            continue;
        buf_printf(&b, "%s%s:%u (%s)", b.len ? ", " : "its port with ", o->source->path, o->line,
                   o->name);
    }
    if (b.len == 0)
        return NULL;
    buf_adds(&b, ": answer them alike, one alone is not switched off");
    return buf_steal(&b);
}

static void add_lines(struct buf *out, char sign, const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        const char *nl = memchr(bytes + at, '\n', len - at);
        size_t end = nl ? (size_t)(nl - bytes) : len;

        buf_addc(out, sign);
        buf_add(out, bytes + at, end - at);
        buf_addc(out, '\n');
        at = end + 1;
    }
}

/* What closing this one alone would change, as a diff without context. */
static void make_diff(const struct walk *w, struct guide_item *it)
{
    const struct entry *e = it->finding->entry;
    const struct scan *s = &w->survey.scan;
    struct edits edits = {0};
    struct diag why = DIAG_INIT;
    int result = -1;

    for (size_t i = 0; i < s->nparses; i++)
        if (s->parses[i].starter == e->starter)
            result = e->starter->disable(&s->parses[i], e, &edits, &why);
    if (result != 0)
        it->facts.refused = mem_strdup(diag_isset(&why) ? why.message
                                       : e->locked      ? e->locked
                                                        : "it cannot be edited");
    for (size_t i = 0; result == 0 && i < edits.n; i++) {
        const struct edit *edit = &edits.v[i];

        buf_printf(&it->facts.diff, "@@ %s:%u @@\n", edit->source->path, edit->line);
        add_lines(&it->facts.diff, '-', edit->before, edit->before_len);
        add_lines(&it->facts.diff, '+', edit->after, edit->after_len);
    }
    diag_release(&why);
    edits_release(&edits);
}

void walk_facts(struct walk *w, size_t i)
{
    struct guide_item *it = &w->guide.v[i];
    const struct entry *e = it->finding->entry;

    if (it->facts.known)
        return;
    it->facts.now = now_words(w, e);
    it->facts.used = used_words(w, i);
    it->facts.together = together_words(w, e);
    make_diff(w, it);
    it->facts.known = true;
}
