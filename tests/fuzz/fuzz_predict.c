/*
 * fuzz_predict - any bytes as an inetd.conf, on a host with a few names: the first byte picks the
 * dialect, the second an entry. Switched off with its group, it must take its own sockets with it
 * and open none.
 */
#include <stdint.h>

#include "batten/openings.h"

#include "../unit/predict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct netdb *names(void)
{
    static const char services[] = "tcpmux 1/tcp\necho 7/tcp\necho 7/udp\ntelnet 23/tcp tel\n"
                                   "finger 79/tcp\ntime 37/udp\ntftp 69/udp\n";
    static const char *const files[NETDB_FILES] = {
        [NETDB_SERVICES] = services,
        [NETDB_PROTOCOLS] = "tcp 6 TCP\nudp 17 UDP\nsctp 132\n",
        [NETDB_RPC] = "rstatd 100001 rstat\n",
        [NETDB_PASSWD] = "root:x:0:0::/:/bin/sh\nnobody:x:9:9::/:/bin/sh\n",
        [NETDB_GROUP] = "tty:x:5:\n",
        [NETDB_HOSTS] = "127.0.0.9 nine\n",
    };
    struct netdb *db = netdb_new();

    for (enum netdb_file file = 0; file < NETDB_FILES; file++)
        netdb_add(db, file, files[file], strlen(files[file]));
    return db;
}

static size_t held_by(const struct parse *p, const struct entry *e)
{
    size_t n = 0;

    for (size_t i = 0; i < p->entries.n; i++)
        if (p->entries.v[i] == e || (e->group != 0 && p->entries.v[i]->group == e->group))
            n += p->entries.v[i]->nsockets;
    return n;
}

static void compare(const struct parse *before, const struct parse *after, size_t gone)
{
    struct openings old = {0}, new = {0}, opened = {0}, closed = {0};

    openings_add(&old, before);
    openings_add(&new, after);
    openings_minus(&opened, &new, &old);
    openings_minus(&closed, &old, &new);
    if (opened.n != 0 || closed.n != gone) {
        fprintf(stderr, "%s: %zu opened, %zu closed where %zu were to be\n",
                dialect_name(before->dialect), opened.n, closed.n, gone);
        abort();
    }
    openings_release(&old);
    openings_release(&new);
    openings_release(&opened);
    openings_release(&closed);
}

static void switch_off(const struct parse *p, const struct source *source, const struct entry *e)
{
    struct source edited = {.path = source->path};
    struct edits edits = {0};
    struct diag d = DIAG_INIT;
    struct buf bytes = BUF_INIT;
    struct parse after;

    if (disable_group(p, e, &edits, &d) == 0) {
        if (edits_apply(source, &edits, &bytes, NULL) != 0)
            abort();
        edited.len = bytes.len;
        edited.bytes = buf_steal(&bytes);
        predict_sources(&after, dialect_name(p->dialect), p->db, &edited, 1);
        compare(p, &after, held_by(p, e));
        parse_release(&after);
        free(edited.bytes);
    }
    edits_release(&edits);
    diag_release(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[] = "etc/inetd.conf";
    size_t ndialects;
    const char *const *dialects = dialect_names(&ndialects);
    struct source source = {.path = path};
    struct parse p;
    struct netdb *db;

    if (size < 2)
        return 0;
    db = names();
    source.bytes = mem_strndup((const char *)data + 2, size - 2);
    source.len = size - 2;
    predict_sources(&p, dialects[data[0] % ndialects], db, &source, 1);
    if (p.entries.n > 0 && !p.hung) {
        const struct entry *e = p.entries.v[data[1] % p.entries.n];

        if (e->enabled)
            switch_off(&p, &source, e);
    }
    parse_release(&p);
    free(source.bytes);
    netdb_free(db);
    return 0;
}
