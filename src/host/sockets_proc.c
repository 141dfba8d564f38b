#include "sockets_impl.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/text.h"

enum { HEX_WORD = 8, LINK_MAX_LEN = 64 };

/* The kernel prints an address as 32-bit words of the machine's own byte order. */
static bool take_address(const char **text, int family, unsigned char *addr)
{
    size_t words = family == AF_INET ? 1 : 4;
    const char *p = *text;

    for (size_t i = 0; i < words; i++, p += HEX_WORD) {
        char digits[HEX_WORD + 1] = "";
        char *end;
        uint32_t word;

        if (strlen(p) < HEX_WORD)
            return false;
        memcpy(digits, p, HEX_WORD);
        word = (uint32_t)strtoul(digits, &end, 16);
        if (*end != '\0')
            return false;
        memcpy(addr + i * 4, &word, 4);
    }
    *text = p;
    return true;
}

struct proc_line {
    unsigned char addr[16];
    unsigned port, state, uid;
    unsigned long inode;
};

/* "  0: 0100007F:0277 00000000:0000 07 ... uid timeout inode ..." */
static bool take_line(const char *line, int family, struct proc_line *out)
{
    const char *p = strchr(line, ':');

    if (p == NULL)
        return false;
    for (p++; *p == ' ';)
        p++;
    if (!take_address(&p, family, out->addr))
        return false;
    return sscanf(p, ":%4x %*[0-9A-F:] %2x %*s %*s %*s %u %*s %lu", &out->port, &out->state,
                  &out->uid, &out->inode) == 4;
}

static bool has_ipv4_twin(const struct listeners *l, int port)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].port == port && strcmp(l->v[i].family, "ipv4") == 0 &&
            strcmp(l->v[i].proto, "tcp") == 0)
            return true;
    return false;
}

int listeners_from_proc(struct listeners *l, const struct sock_table *table)
{
    char *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(table->proc, "re");

    if (f == NULL)
        return -1;
    while (getline(&line, &cap, f) > 0) {
        struct proc_line got;
        struct listener *new;
        bool v6only;

        if (!take_line(line, table->family, &got) || got.state != table->state || got.port == 0)
            continue;
        v6only = table->family == AF_INET6 && table->protocol == IPPROTO_TCP &&
                 has_ipv4_twin(l, (int)got.port);
        new = listeners_add(l, table, got.addr, (int)got.port, v6only);
        new->inode = got.inode;
        new->uid = got.uid;
    }
    free(line);
    fclose(f);
    return 0;
}

/* --- who holds them ----------------------------------------------------------------------------
 */

struct by_inode {
    unsigned long inode;
    struct listener *listener;
};

static int compare_inodes(const void *a, const void *b)
{
    const struct by_inode *x = a, *y = b;

    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* systemd keeps a descriptor of every socket it hands to a daemon: pid 1 comes last. */
static int compare_pids(const void *a, const void *b)
{
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

    if ((x == 1) != (y == 1))
        return x == 1 ? 1 : -1;
    return (x > y) - (x < y);
}

static void add_pid(struct listener *l, pid_t pid)
{
    pid_t *v;

    if (l->npids > 0 && l->pids[l->npids - 1] == pid)
        return;
    v = mem_array(l->npids + 1, sizeof(*v));
    if (l->npids > 0)
        memcpy(v, l->pids, l->npids * sizeof(*v));
    v[l->npids++] = pid;
    free(l->pids);
    l->pids = v;
}

/* The inode behind "socket:[123]", or 0. */
static unsigned long socket_of_link(int dir, const char *name)
{
    char link[LINK_MAX_LEN];
    ssize_t len = readlinkat(dir, name, link, sizeof(link) - 1);

    if (len <= 0)
        return 0;
    link[len] = '\0';
    return text_starts(link, "socket:[") ? strtoul(link + strlen("socket:["), NULL, 10) : 0;
}

int sockets_of_process(pid_t pid, unsigned long **out, size_t *n)
{
    char path[LINK_MAX_LEN];
    size_t cap = 0;
    struct dirent *e;
    DIR *dir;

    *out = NULL;
    *n = 0;
    (void)snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
    dir = opendir(path);
    if (dir == NULL)
        return -1;
    while ((e = readdir(dir)) != NULL) {
        unsigned long inode = socket_of_link(dirfd(dir), e->d_name);

        if (inode == 0)
            continue;
        *out = mem_grow(*out, *n, &cap, sizeof(**out));
        (*out)[(*n)++] = inode;
    }
    closedir(dir);
    return 0;
}

static void match_process(int proc, const char *pid, const struct by_inode *index,
                          struct listeners *l)
{
    char path[LINK_MAX_LEN];
    struct dirent *e;
    DIR *dir;
    int fd;

    (void)snprintf(path, sizeof(path), "%.16s/fd", pid);
    fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        l->owners_hidden |= errno == EACCES || errno == EPERM;
        return;
    }
    dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return;
    }
    while ((e = readdir(dir)) != NULL) {
        struct by_inode key = {.inode = socket_of_link(fd, e->d_name)};
        const struct by_inode *hit = NULL;

        if (key.inode != 0)
            hit = bsearch(&key, index, l->n, sizeof(key), compare_inodes);
        if (hit != NULL)
            add_pid(hit->listener, (pid_t)strtol(pid, NULL, 10));
    }
    closedir(dir);
}

void listeners_find_owners(struct listeners *l)
{
    struct by_inode *index;
    struct dirent *e;
    DIR *proc;

    if (l->n == 0)
        return;
    proc = opendir("/proc");
    if (proc == NULL) {
        l->owners_hidden = true;
        return;
    }
    index = mem_array(l->n, sizeof(*index));
    for (size_t i = 0; i < l->n; i++)
        index[i] = (struct by_inode){l->v[i].inode, &l->v[i]};
    qsort(index, l->n, sizeof(*index), compare_inodes);
    while ((e = readdir(proc)) != NULL)
        if (isdigit((unsigned char)e->d_name[0]))
            match_process(dirfd(proc), e->d_name, index, l);
    for (size_t i = 0; i < l->n; i++) {
        /* Where /proc hides other users' processes altogether, nothing is even refused. */
        l->owners_hidden |= l->v[i].npids == 0 && geteuid() != 0;
        if (l->v[i].npids > 1)
            qsort(l->v[i].pids, l->v[i].npids, sizeof(*l->v[i].pids), compare_pids);
    }
    free(index);
    closedir(proc);
}

/* "ffff...: 00000002 00000000 00010000 0001 01 4711 /run/x" */
bool sockets_unix_bound(const char *path)
{
    FILE *f = fopen("/proc/net/unix", "re");
    char *line = NULL;
    bool found = false;
    size_t cap = 0;

    while (f != NULL && !found && getline(&line, &cap, f) > 0) {
        char *name = strchr(line, '/');

        if (name == NULL || name == line || name[-1] != ' ') /* "@/run/x" is no file */
            continue;
        name[strcspn(name, "\n")] = '\0';
        found = strcmp(name, path) == 0;
    }
    free(line);
    if (f != NULL)
        fclose(f);
    return found;
}
