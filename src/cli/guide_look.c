#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "batten/dialect.h"
#include "batten/mem.h"
#include "batten/process.h"
#include "batten/text.h"
#include "cli.h"
#include "guide_walk.h"
#include "render.h"

static void add_items(struct walk *w)
{
    const struct findings *all = &w->survey.findings;

    /* What opens nothing, or what batten only reports, can wait: those come last. */
    for (int later = 0; later < 2; later++)
        for (size_t i = 0; i < all->n; i++) {
            const struct entry *e = all->v[i].entry;
            bool waits = (e->flags & (ENTRY_INERT | ENTRY_REPORT)) != 0 && !all->v[i].backdoor;

            if (e->enabled && waits == (later != 0))
                guide_add(&w->guide, &all->v[i]);
        }
}

/* --- the first screen ----------------------------------------------------------------------------
 */

static char *host_words(const struct walk *w)
{
    struct utsname u;

    if (root_offline(w->survey.root))
        return mem_printf("the image in '%s'", root_dir(w->survey.root));
    return mem_printf("this host, '%s'", uname(&u) == 0 ? u.nodename : "?");
}

static char *super_words(struct walk *w)
{
    const struct scan *s = &w->survey.scan;
    struct process *inetds = NULL;
    struct problems problems = {0};
    struct buf b = BUF_INIT;
    size_t n = 0;

    buf_printf(&b, "inetd, dialect %s (%s)", dialect_name(s->dialect), s->dialect_why);
    if (w->survey.live && process_find_inetd(dialect_name(s->dialect), &w->survey.listeners,
                                             &inetds, &n, &problems, NULL) == 0) {
        if (n == 0)
            buf_adds(&b, "; none runs");
        for (size_t i = 0; i < n; i++)
            buf_printf(&b, "%s%s[%d]", i ? ", " : "; running: ", inetds[i].comm,
                       (int)inetds[i].pid);
    }
    for (size_t i = 0; i < n; i++)
        process_release(&inetds[i]);
    free(inetds);
    problems_release(&problems);
    return buf_steal(&b);
}

static void fill_head(struct walk *w)
{
    struct guide_head *h = &w->guide.head;
    struct survey_counts n = survey_count(&w->survey);
    struct buf b = BUF_INIT;
    size_t closes = 0, asks = 0;

    for (size_t i = 0; i < w->guide.n; i++) {
        closes += w->guide.v[i].finding->verdict == VERDICT_DISABLE;
        asks += w->guide.v[i].finding->verdict == VERDICT_ASK;
    }
    h->host = host_words(w);
    h->super = super_words(w);
    buf_printf(&b, "%zu of %zu are on", n.enabled, n.entries);
    if (w->survey.live)
        buf_printf(&b, ", %zu listen now", n.listening);
    h->services = buf_steal(&b);
    buf_printf(&b, "'%s' would close %zu of them and keep %zu", w->guide.profile, closes,
               w->guide.n - closes - asks);
    if (asks > 0)
        buf_printf(&b, "; %zu %s left to you", asks, asks == 1 ? "is" : "are");
    h->would = buf_steal(&b);
    if (w->survey.scan.denied)
        h->rights = mem_strdup("not every file could be read, and nothing can be changed: "
                               "run as root: sudo batten");
    else if (w->survey.live && geteuid() != 0)
        h->rights = mem_strdup("you are not root: look and write a profile, but to make the "
                               "change run: sudo batten");
    h->where = buf_str(&w->where);
}

/* --- evidence ------------------------------------------------------------------------------------
 */

static void add_word(struct evidence_query *q, const char *word)
{
    /* A wrapper's own name says nothing of the service behind it. */
    static const char *const wrappers[] = {"tcpd", "env", "sh", "stunnel", "busybox"};

    if (word == NULL || *word == '\0')
        return;
    word = text_basename(word);
    for (size_t i = 0; i < ARRAY_LEN(wrappers); i++)
        if (strcmp(word, wrappers[i]) == 0)
            return;
    if (!strlist_has(&q->words, word))
        strlist_add(&q->words, word);
}

static bool makes_logins(const char *name)
{
    static const char *const names[] = {"telnet", "telnets", "login", "klogin", "ssh"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void make_query(struct evidence_query *q, const struct finding *f)
{
    const struct entry *e = f->entry;

    add_word(q, e->name);
    add_word(q, e->program);
    add_word(q, e->argv[0]);
    if (f->service == NULL)
        return;
    add_word(q, f->service->name);
    for (size_t i = 0; f->service->programs[i] != NULL; i++)
        add_word(q, f->service->programs[i]);
    q->logins = makes_logins(f->service->name);
    q->transfers = strcmp(f->service->name, "ftp") == 0;
}

static void gather_evidence(struct walk *w)
{
    size_t n = w->guide.n;
    struct evidence_query *queries = mem_array(n + 1, sizeof(*queries));

    for (size_t i = 0; i < n; i++)
        make_query(&queries[i], w->guide.v[i].finding);
    w->evidence = mem_array(n + 1, sizeof(*w->evidence));
    evidence_read(w->evidence, n, queries, w->survey.root, w->now);
    for (size_t i = 0; i < n; i++)
        strlist_release(&queries[i].words);
    free(queries);
}

/* An image is looked at as of SOURCE_DATE_EPOCH when that is given, so that the answer is the same
 * tomorrow. */
static int64_t moment(const struct walk *w)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    long long seconds;

    if (root_offline(w->survey.root) && epoch != NULL &&
        text_number(epoch, 0, 1LL << 40, &seconds) == 0)
        return seconds;
    return time(NULL);
}

/* The lock-out guard's warning, for the first of the services we came in over. */
static void look_at_session(struct walk *w)
{
    session_find(&w->session);
    for (size_t i = 0; i < w->guide.n; i++) {
        const struct entry *e = w->guide.v[i].finding->entry;

        for (size_t j = 0; w->guide.head.way_in == NULL && j < e->nsockets; j++) {
            const struct socket_spec *s = &e->sockets[j];

            if (s->port > 0 && session_over(&w->session, s->proto, s->port) != NULL)
                w->guide.head.way_in = mem_printf(
                    "you came in over %s (%d/%s, %s:%u): once it is closed and this "
                    "session has ended you may not come in again",
                    guide_name(&w->guide.v[i]), s->port, s->proto, e->source->path, e->line);
        }
    }
}

int walk_look(struct walk *w, struct diag *d)
{
    if (survey_make(&w->survey, w->c, NULL, d) != 0)
        return -1;
    w->now = moment(w);
    w->look = (struct carry){.c = w->c, .root = w->survey.root};
    render_where(&w->where, w->c);
    w->guide.profile = mem_strdup(profile_name(w->survey.profile));
    add_items(w);
    fill_head(w);
    gather_evidence(w);
    if (w->survey.live) {
        w->connected_known = connections_read(&w->connections, NULL) == 0;
        look_at_session(w);
    }
    return 0;
}

void walk_release(struct walk *w)
{
    for (size_t i = 0; w->evidence != NULL && i < w->guide.n; i++)
        evidence_release(&w->evidence[i]);
    free(w->evidence);
    guide_release(&w->guide);
    free(w->decided);
    connections_release(&w->connections);
    session_release(&w->session);
    carry_release(&w->look);
    survey_release(&w->survey);
    buf_release(&w->where);
}
