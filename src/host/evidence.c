#include "batten/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmp.h>

#include "batten/mem.h"
#include "batten/root.h"
#include "evidence_int.h"

enum { TAIL_MAX = 4 * 1024 * 1024, DAY = 86400 };

/* Each with its first rotation. Two of them may hold the same lines: they are counted apart, and
 * the one that saw most is believed. */
static const char *const logs[] = {
    "var/log/auth.log",   "var/log/secure",     "var/log/authlog",  "var/log/syslog",
    "var/log/daemon.log", "var/log/messages",   "var/log/mail.log", "var/log/maillog",
    "var/log/xferlog",    "var/log/xinetd.log", "var/adm/messages", "var/adm/syslog",
};
static const char *const wtmps[] = {"var/log/wtmp", "var/adm/wtmp"};
static const char *const rotations[] = {"", ".1", ".0"};

/* A word of a query and whose it is, sorted so that a line's word is found by bisection. */
struct key {
    const char *word;
    size_t query;
};

struct reader {
    const struct root *root;
    const struct evidence_query *queries;
    struct evidence *found;
    size_t n;
    int64_t now;

    struct key *keys;
    size_t nkeys, keys_cap;
    struct evidence_trace *traces; /* of the file family being read, one per query */
    int64_t oldest;                /* in this family */
};

/* The last MAX bytes of a regular file, from the start of a unit of STEP bytes (0: of a line). */
static bool read_tail(const struct reader *r, const char *path, size_t step, struct buf *out)
{
    int fd = root_openat(r->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    struct stat st;
    off_t from = 0;
    size_t want;
    bool ok = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        goto out;
    if (st.st_size > TAIL_MAX)
        from = st.st_size - TAIL_MAX;
    if (step > 0)
        from += (off_t)((step - (size_t)from % step) % step);
    want = (size_t)(st.st_size - from);
    buf_reserve(out, want + 1);
    while (want > 0) {
        ssize_t n = pread(fd, out->data + out->len, want, from);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        from += n;
        want -= (size_t)n;
    }
    ok = true;
out:
    close(fd);
    return ok;
}

static bool is_regular(const struct reader *r, const char *path)
{
    int fd = root_openat(r->root, path, O_PATH, 0);
    struct stat st;
    bool yes = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

    if (fd >= 0)
        close(fd);
    return yes;
}

static void add_host(struct evidence_trace *t, const char *host, size_t len)
{
    char *text;

    if (t->hosts.n >= EVIDENCE_HOSTS)
        return;
    text = mem_strndup(host, len);
    if (!strlist_has(&t->hosts, text))
        strlist_add(&t->hosts, text);
    free(text);
}

static void add_use(struct evidence_trace *t, int64_t time, struct span host)
{
    t->uses++;
    if (time > t->last)
        t->last = time;
    add_host(t, host.at, host.len);
}

static void trace_release(struct evidence_trace *t)
{
    strlist_release(&t->hosts);
    *t = (struct evidence_trace){0};
}

static bool is_recent(const struct reader *r, int64_t time)
{
    return time > r->now - (int64_t)EVIDENCE_DAYS * DAY && time <= r->now + DAY;
}

static void note_time(struct reader *r, int64_t time)
{
    if (time > 0 && (r->oldest == 0 || time < r->oldest))
        r->oldest = time;
}

/* How many days the family reaches back; a log begun an hour ago covers its first day. */
static unsigned days_of(const struct reader *r)
{
    int64_t days = r->oldest > 0 ? (r->now - r->oldest + DAY - 1) / DAY : 1;

    if (days < 1)
        days = 1;
    return days > EVIDENCE_DAYS ? EVIDENCE_DAYS : (unsigned)days;
}

/* --- log lines -----------------------------------------------------------------------------------
 */

static int compare_word(const char *word, const struct span *w)
{
    int c = strncmp(word, w->at, w->len);

    return c != 0 ? c : (int)(unsigned char)word[w->len];
}

static size_t first_key(const struct reader *r, const struct span *w)
{
    size_t low = 0, high = r->nkeys;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_word(r->keys[middle].word, w) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_key(const struct reader *r, const struct span *w)
{
    size_t i = first_key(r, w);

    return i < r->nkeys && compare_word(r->keys[i].word, w) == 0;
}

static void take_line(struct reader *r, const char *line, size_t len)
{
    struct log_line l;

    if (!log_line_read(&l, line, len, r->now))
        return;
    note_time(r, l.time);
    if (!is_recent(r, l.time) || !(is_key(r, &l.word) || log_line_is_super(&l)))
        return;
    log_line_understand(&l);
    if (l.host.len == 0)
        return;
    for (size_t i = first_key(r, &l.word);
         i < r->nkeys && compare_word(r->keys[i].word, &l.word) == 0; i++) {
        struct evidence_trace *t = &r->traces[r->keys[i].query];

        if (l.refused)
            t->refused++;
        else
            add_use(t, l.time, l.host);
    }
}

static void take_lines(struct reader *r, const struct buf *bytes)
{
    for (size_t at = 0; at < bytes->len;) {
        const char *nl = memchr(bytes->data + at, '\n', bytes->len - at);
        size_t end = nl ? (size_t)(nl - bytes->data) : bytes->len;

        take_line(r, bytes->data + at, end - at);
        at = end + 1;
    }
}

static bool more_telling(const struct evidence_trace *a, const struct evidence_trace *b)
{
    return a->uses != b->uses ? a->uses > b->uses : a->refused > b->refused;
}

static void end_log_family(struct reader *r)
{
    unsigned days = days_of(r);

    for (size_t i = 0; i < r->n; i++) {
        struct evidence *e = &r->found[i];

        e->log_read = true;
        if (days > e->log_days)
            e->log_days = days;
        if (more_telling(&r->traces[i], &e->log)) {
            trace_release(&e->log);
            e->log = r->traces[i];
            e->log_days = days;
            r->traces[i] = (struct evidence_trace){0};
        }
        trace_release(&r->traces[i]);
    }
}

/* --- login records -------------------------------------------------------------------------------
 */

/* A terminal that somebody came to from another host: not an X display, not a pane of a
 * multiplexer. */
static bool is_remote_terminal(const struct utmp *u)
{
    bool line = strncmp(u->ut_line, "pts/", 4) == 0 || strncmp(u->ut_line, "ttyp", 4) == 0;

    return line && u->ut_host[0] != '\0' && u->ut_host[0] != ':' &&
           memchr(u->ut_host, '%', strnlen(u->ut_host, sizeof(u->ut_host))) == NULL;
}

static void take_record(struct reader *r, const struct utmp *u)
{
    struct span host = {u->ut_host, strnlen(u->ut_host, sizeof(u->ut_host))};
    int64_t time = u->ut_tv.tv_sec;
    bool terminal, transfer;

    if (u->ut_type < EMPTY || u->ut_type > ACCOUNTING)
        return;
    note_time(r, time);
    if (u->ut_type != USER_PROCESS || !is_recent(r, time))
        return;
    terminal = is_remote_terminal(u);
    transfer = strncmp(u->ut_line, "ftp", 3) == 0;
    for (size_t i = 0; i < r->n; i++)
        if ((terminal && r->queries[i].logins) || (transfer && r->queries[i].transfers))
            add_use(&r->traces[i], time, host);
}

static void take_records(struct reader *r, const struct buf *bytes)
{
    struct utmp u;

    for (size_t at = 0; at + sizeof(u) <= bytes->len; at += sizeof(u)) {
        memcpy(&u, bytes->data + at, sizeof(u));
        take_record(r, &u);
    }
}

static void end_wtmp_family(struct reader *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct evidence *e = &r->found[i];

        if ((r->queries[i].logins || r->queries[i].transfers) &&
            (!e->wtmp_read || more_telling(&r->traces[i], &e->wtmp))) {
            trace_release(&e->wtmp);
            e->wtmp = r->traces[i];
            e->wtmp_read = true;
            e->wtmp_days = days_of(r);
            r->traces[i] = (struct evidence_trace){0};
        }
        trace_release(&r->traces[i]);
    }
}

/* --- all of it -----------------------------------------------------------------------------------
 */

static void read_family(struct reader *r, const char *name, bool records)
{
    bool any = false;

    r->oldest = 0;
    for (size_t i = 0; i < ARRAY_LEN(rotations); i++) {
        char *path = mem_printf("%s%s", name, rotations[i]);
        struct buf bytes = BUF_INIT;

        /* Asked before opening: a log of an image may be a fifo or a device. */
        if (is_regular(r, path) && read_tail(r, path, records ? sizeof(struct utmp) : 0, &bytes)) {
            any = true;
            if (records)
                take_records(r, &bytes);
            else
                take_lines(r, &bytes);
        }
        buf_release(&bytes);
        free(path);
    }
    if (any && records)
        end_wtmp_family(r);
    else if (any)
        end_log_family(r);
}

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int c = strcmp(x->word, y->word);

    return c != 0 ? c : (x->query > y->query) - (x->query < y->query);
}

static void sort_keys(struct reader *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->n; i++)
        for (size_t j = 0; j < r->queries[i].words.n; j++) {
            r->keys = mem_grow(r->keys, r->nkeys, &r->keys_cap, sizeof(*r->keys));
            r->keys[r->nkeys++] = (struct key){r->queries[i].words.v[j], i};
        }
    if (r->nkeys > 1)
        qsort(r->keys, r->nkeys, sizeof(*r->keys), compare_keys);
    for (size_t i = 0; i < r->nkeys; i++)
        if (kept == 0 || compare_keys(&r->keys[kept - 1], &r->keys[i]) != 0)
            r->keys[kept++] = r->keys[i];
    r->nkeys = kept;
}

void evidence_read(struct evidence *found, size_t n, const struct evidence_query *queries,
                   const struct root *root, int64_t now)
{
    struct reader r = {.root = root, .queries = queries, .found = found, .n = n, .now = now};

    r.traces = mem_array(n + 1, sizeof(*r.traces));
    sort_keys(&r);
    for (size_t i = 0; i < ARRAY_LEN(logs); i++)
        read_family(&r, logs[i], false);
    for (size_t i = 0; i < ARRAY_LEN(wtmps); i++)
        read_family(&r, wtmps[i], true);
    free(r.traces);
    free(r.keys);
}

void evidence_release(struct evidence *found)
{
    trace_release(&found->log);
    trace_release(&found->wtmp);
    *found = (struct evidence){0};
}

static void add_when(struct buf *out, int64_t last, int64_t now)
{
    int64_t days = now / DAY - last / DAY;

    if (days <= 0)
        buf_adds(out, ", last today");
    else if (days == 1)
        buf_adds(out, ", last yesterday");
    else
        buf_printf(out, ", last %lld days ago", (long long)days);
}

static void add_trace(struct buf *out, const struct evidence_trace *t, const char *one,
                      unsigned days, int64_t now)
{
    buf_printf(out, "%lu %s%s from %zu%s %s in %u %s", t->uses, one, t->uses == 1 ? "" : "s",
               t->hosts.n, t->hosts.n >= EVIDENCE_HOSTS ? " or more" : "",
               t->hosts.n == 1 ? "host" : "hosts", days, days == 1 ? "day" : "days");
    add_when(out, t->last, now);
}

void evidence_text(struct buf *out, const struct evidence *found, int64_t now)
{
    const struct evidence *e = found;
    unsigned days = e->log_days > e->wtmp_days ? e->log_days : e->wtmp_days;
    bool any = false;

    if (!e->log_read && !e->wtmp_read) {
        buf_adds(out, "no log could be read");
        return;
    }
    if (e->wtmp.uses > 0) {
        add_trace(out, &e->wtmp, "login", e->wtmp_days, now);
        any = true;
    }
    if (e->log.uses > 0) {
        buf_adds(out, any ? "; in the logs " : "");
        add_trace(out, &e->log, "connection", e->log_days, now);
        any = true;
    }
    if (e->log.refused > 0) {
        buf_printf(out, "%s%lu refused", any ? "; " : "", e->log.refused);
        any = true;
    }
    if (!any)
        buf_printf(out, "no sign of use in the %u %s the logs cover", days,
                   days == 1 ? "day" : "days");
}
