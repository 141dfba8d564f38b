#include "batten/connections.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum { STATE_ESTABLISHED = 1, LINE_LEN = 512 };

/* The kernel prints an address as 32-bit words in host order: each one is the bytes in memory. */
static bool read_address(const char *hex, size_t words, char out[46])
{
    uint32_t bits[4] = {0};

    for (size_t i = 0; i < words; i++) {
        char word[9], *end;

        memcpy(word, hex + i * 8, 8);
        word[8] = '\0';
        bits[i] = (uint32_t)strtoul(word, &end, 16);
        if (*end != '\0')
            return false;
    }
    return inet_ntop(words == 1 ? AF_INET : AF_INET6, bits, out, 46) != NULL;
}

/* "0100007F:0017" */
static bool read_end(const char *word, char address[46], int *port)
{
    const char *colon = strchr(word, ':');
    size_t len = colon ? (size_t)(colon - word) : 0;
    char *end;

    if (len != 8 && len != 32)
        return false;
    *port = (int)strtoul(colon + 1, &end, 16);
    return *end == '\0' && read_address(word, len / 8, address);
}

/* "   0: LOCAL REMOTE STATE ..." */
static void take_line(struct connections *out, const char *line)
{
    static const char mapped[] = "::ffff:";
    char local[80], remote[80], state[8], own[46];
    struct connection c = {0};

    if (sscanf(line, " %*[0-9]: %79s %79s %7s", local, remote, state) != 3 ||
        strtol(state, NULL, 16) != STATE_ESTABLISHED || !read_end(local, own, &c.port) ||
        !read_end(remote, c.peer, &c.peer_port) || out->n >= CONNECTIONS_MAX)
        return;
    if (text_starts(c.peer, mapped) && strchr(c.peer, '.') != NULL)
        memmove(c.peer, c.peer + sizeof(mapped) - 1, strlen(c.peer) - sizeof(mapped) + 2);
    out->v = mem_grow(out->v, out->n, &out->cap, sizeof(*out->v));
    out->v[out->n++] = c;
}

static int read_table(struct connections *out, const char *path)
{
    FILE *f = fopen(path, "re");
    char line[LINE_LEN];

    if (f == NULL)
        return -1;
    while (fgets(line, sizeof(line), f) != NULL)
        take_line(out, line);
    fclose(f);
    return 0;
}

int connections_read(struct connections *out)
{
    int four, six;

    *out = (struct connections){0};
    four = read_table(out, "/proc/net/tcp");
    six = read_table(out, "/proc/net/tcp6"); /* absent on a kernel without IPv6 */
    return four == 0 || six == 0 ? 0 : -1;
}

void connections_release(struct connections *c)
{
    free(c->v);
    *c = (struct connections){0};
}
