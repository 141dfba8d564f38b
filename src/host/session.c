#include "batten/session.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/process.h"
#include "batten/sockets.h"
#include "batten/text.h"

enum { DEPTH_MOST = 64 };

/* Terminal multiplexers: their server is nobody's child, the way in is above their client. */
static const char *const multiplexers[] = {"tmux", "screen", "SCREEN", "dtach", "abduco"};

static struct session_way *add_way(struct session *s, int port, const char *remote, const char *how)
{
    struct session_way *w;

    s->v = mem_grow(s->v, s->n, &s->cap, sizeof(*s->v));
    w = &s->v[s->n++];
    *w = (struct session_way){.port = port, .how = how};
    (void)snprintf(w->remote, sizeof(w->remote), "%s", remote);
    return w;
}

static void add_sockets_of(struct session *s, const struct process *p, const struct connections *c)
{
    unsigned long *inodes;
    size_t n;

    if (sockets_of_process(p->pid, &inodes, &n) != 0)
        return;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c->n; k++) {
            struct session_way *w;

            if (c->v[k].inode != inodes[i] || session_over(s, "tcp", c->v[k].local_port) != NULL)
                continue;
            w = add_way(s, c->v[k].local_port, c->v[k].remote, "parent");
            w->pid = p->pid;
            memcpy(w->name, p->comm, sizeof(w->name));
        }
    free(inodes);
}

static const char *multiplexer(const struct process *p)
{
    for (size_t i = 0; i < ARRAY_LEN(multiplexers); i++)
        if (text_starts(p->comm, multiplexers[i]))
            return multiplexers[i];
    return NULL;
}

/* Everything from PID up to init. Returns the multiplexer met on the way, or NULL; *UID its user.
 */
static const char *climb(struct session *s, pid_t pid, const struct connections *c, uid_t *uid)
{
    const char *met = NULL;

    for (int depth = 0; depth < DEPTH_MOST && pid > 1; depth++) {
        struct process p;

        if (process_open(&p, pid, NULL) != 0)
            break;
        add_sockets_of(s, &p, c);
        if (multiplexer(&p) != NULL) {
            met = multiplexer(&p);
            *uid = p.uid;
        }
        pid = p.ppid;
        process_release(&p);
    }
    return met;
}

/* A client of that multiplexer could be the one whose screen we are on. */
static void climb_from_clients(struct session *s, const char *name, uid_t uid,
                               const struct connections *c)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;

    while (proc != NULL && (e = readdir(proc)) != NULL) {
        struct process p;
        uid_t ignored;

        if (!isdigit((unsigned char)e->d_name[0]) ||
            process_open(&p, (pid_t)strtol(e->d_name, NULL, 10), NULL) != 0)
            continue;
        if (p.uid == uid && multiplexer(&p) != NULL && strncasecmp(p.comm, name, 4) == 0)
            (void)climb(s, p.ppid, c, &ignored);
        process_release(&p);
    }
    if (proc != NULL)
        closedir(proc);
}

/* "CLIENT PORT SERVER PORT", as sshd leaves it. */
static void add_ssh(struct session *s)
{
    const char *text = getenv("SSH_CONNECTION");
    char remote[64], port[8], extra[2];
    long long number;

    if (text == NULL || sscanf(text, "%63s %*s %*s %7s %1s", remote, port, extra) != 2 ||
        text_number(port, 1, 65535, &number) != 0 || session_over(s, "tcp", (int)number) != NULL)
        return;
    (void)add_way(s, (int)number, remote, "SSH_CONNECTION");
}

/* Our terminal as utmp calls it: "pts/3". NULL when there is none. */
static const char *terminal(char *name, size_t size)
{
    for (int fd = 0; fd < 3; fd++)
        if (ttyname_r(fd, name, size) == 0 && text_starts(name, "/dev/"))
            return name + strlen("/dev/");
    return NULL;
}

static void add_utmp(struct session *s, const struct connections *c)
{
    char name[64];
    const char *line = terminal(name, sizeof(name));
    bool known = s->n > 0;
    struct utmpx *u;

    if (line == NULL)
        return;
    setutxent();
    while ((u = getutxent()) != NULL) {
        size_t before = s->n;
        char host[64];
        uid_t ignored;

        if (u->ut_type != USER_PROCESS || strncmp(u->ut_line, line, sizeof(u->ut_line)) != 0)
            continue;
        (void)climb(s, u->ut_pid, c, &ignored);
        (void)snprintf(host, sizeof(host), "%.*s", (int)sizeof(host) - 1, u->ut_host);
        /* A local terminal has no host, or an X display's name. What another entry of this terminal
         * says, a stale one or a made-up one, takes nothing away from this one. */
        if (!known && s->n == before && host[0] != '\0' && host[0] != ':')
            (void)add_way(s, 0, host, "utmp");
    }
    endutxent();
}

void session_find(struct session *s)
{
    struct connections c = {0};
    const char *met;
    uid_t uid = 0;

    *s = (struct session){0};
    (void)connections_read(&c, NULL);
    met = climb(s, getppid(), &c, &uid);
    if (met != NULL)
        climb_from_clients(s, met, uid, &c);
    add_ssh(s);
    add_utmp(s, &c);
    connections_release(&c);
}

void session_release(struct session *s)
{
    free(s->v);
    *s = (struct session){0};
}

const struct session_way *session_over(const struct session *s, const char *proto, int port)
{
    bool login = port == 22 || port == 23 || port == 513 || port == 514;

    if (strcmp(proto, "tcp") != 0)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].port == port || (s->v[i].port == 0 && login))
            return &s->v[i];
    return NULL;
}
