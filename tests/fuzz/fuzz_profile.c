/* Any bytes as a profile: it is read or refused, and what was read gives every entry a verdict. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/entry.h"
#include "batten/match.h"
#include "batten/profile.h"
#include "batten/source.h"
#include "batten/starter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const char *bytes;
    size_t len;
};

/* Includes read the same bytes again: the depth and the number of files must end it. */
static int load(void *ctx, const char *name, struct buf *out, struct diag *d)
{
    const struct input *in = ctx;

    (void)d;
    buf_add(out, in->bytes, strlen(name) % 2 ? in->len : in->len / 2);
    return 0;
}

static void judge(const struct profile *p)
{
    static char path[] = "etc/inetd.conf", name[] = "telnet", proto[] = "tcp", shell[] = "/bin/sh";
    static char program[] = "/usr/sbin/in.telnetd", any[] = "*", *argv[] = {NULL};
    struct source source = {.path = path};
    struct socket_spec socket = {FAMILY_IPV4, "tcp", any, 23};
    struct entry e = {.source = &source,
                      .enabled = true,
                      .name = name,
                      .proto = proto,
                      .program = program,
                      .argv = argv,
                      .sockets = &socket,
                      .nsockets = 1};
    const struct profile_rule *rule;
    size_t n;

    e.starter = starters(&n)[0];
    profile_verdict(p, &e, match_entry(&e, NULL), &rule);
    e.program = shell;
    profile_verdict(p, &e, match_entry(&e, NULL), &rule);
    if (rule != NULL && (rule->selector == NULL || rule->file == NULL || rule->line == 0))
        abort();
    for (size_t i = 0; profile_rule_at(p, i) != NULL; i++) {
        if (profile_rule_at(p, i)->selector[0] == '\0')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {(const char *)data, size};
    struct profile *p = NULL;
    struct diag d = DIAG_INIT;

    if (size > 4096)
        return 0;
    if (profile_parse(&p, "fuzz", "fuzz", in.bytes, size, load, &in, &d) == 0)
        judge(p);
    else if (d.message == NULL || d.status == STATUS_DONE)
        abort();
    profile_free(p);
    diag_release(&d);
    return 0;
}
