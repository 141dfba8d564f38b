/*
 * follow_driver.c - follow.h from the command line, for the live tests
 *
 *     follow_driver [--dialect D] [--wait MS] [--reload] [--no-stop] [--then PROGRAM] WHAT...
 *
 * WHAT is now:SOCKET (what the files predict before), close:SOCKET, open:SOCKET, stay:SOCKET with
 * SOCKET = SERVICE,FAMILY,PROTO,ADDRESS,PORT[,daemon], or stop:SERVICE,PROGRAM[,ARG...],
 * start:SERVICE,PROGRAM[,ARG...]. Looks, runs PROGRAM (which changes the files), follows, and
 * prints one line per thing. Without --then it only looks. Leaves 7 when something needs a human.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batten/dialect.h"
#include "batten/follow.h"
#include "batten/mem.h"
#include "batten/plan.h"
#include "batten/text.h"

struct driver {
    struct plan plan;
    struct plan_sockets now;
    const char *dialect, *then;
    long long wait_ms;
};

enum { WORDS_MAX = 16 };

static size_t split(char *text, char **words)
{
    size_t n = 0;

    for (char *word = strsep(&text, ","); word != NULL && n < WORDS_MAX; word = strsep(&text, ","))
        words[n++] = word;
    return n;
}

static void add_socket(struct plan_sockets *list, char *text)
{
    char *w[WORDS_MAX];
    size_t n = split(text, w);
    struct socket_spec spec = {.family = FAMILY_IPV4};
    long long port = -1;

    if (n < 5 || strlen(w[2]) >= sizeof(spec.proto) || text_number(w[4], -1, 65535, &port) != 0) {
        fprintf(stderr, "follow_driver: not a socket: '%s'\n", text);
        exit(2);
    }
    for (int f = FAMILY_IPV4; f <= FAMILY_UNIX; f++)
        if (strcmp(family_name((enum family)f), w[1]) == 0)
            spec.family = (enum family)f;
    memcpy(spec.proto, w[2], strlen(w[2]) + 1);
    spec.address = w[3];
    spec.port = (int)port;
    plan_socket_add(list, w[0], "etc/inetd.conf", 1, &spec, n == 5);
}

static void add_daemon(struct plan *plan, char *text, bool start)
{
    char *w[WORDS_MAX];
    size_t n = split(text, w), cap = plan->ndaemons;
    struct plan_daemon *d;

    if (n < 2)
        exit(2);
    plan->daemons = mem_grow(plan->daemons, plan->ndaemons, &cap, sizeof(*plan->daemons));
    d = &plan->daemons[plan->ndaemons++];
    *d = (struct plan_daemon){.service = mem_strdup(w[0]),
                              .program = mem_strdup(w[1]),
                              .path = mem_strdup("etc/rc.local"),
                              .line = 1,
                              .start = start};
    for (size_t i = 1; i < n && n > 2; i++)
        strlist_add(&d->argv, w[i]);
}

static void take(struct driver *d, char *arg)
{
    const struct {
        const char *prefix;
        struct plan_sockets *list;
    } lists[] = {
        {"now:",   &d->now        },
        {"close:", &d->plan.closes},
        {"open:",  &d->plan.opens },
        {"stay:",  &d->plan.stays }
    };

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (text_starts(arg, lists[i].prefix)) {
            add_socket(lists[i].list, arg + strlen(lists[i].prefix));
            return;
        }
    if (text_starts(arg, "stop:"))
        add_daemon(&d->plan, arg + 5, false);
    else if (text_starts(arg, "start:"))
        add_daemon(&d->plan, arg + 6, true);
    else
        exit(2);
}

static void print_sockets(const char *word, const struct plan_sockets *list)
{
    for (size_t i = 0; i < list->n; i++)
        printf("%s %s %s %d/%s %s\n", word, list->v[i].service, family_name(list->v[i].spec.family),
               list->v[i].spec.port, list->v[i].spec.proto, list->v[i].spec.address);
}

static void print_problems(const char *word, const struct problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        printf("%s %s: %s | %s\n", word, p->v[i].code, p->v[i].message,
               p->v[i].hint != NULL ? p->v[i].hint : "-");
}

static void print_state(const struct follow_state *s)
{
    for (size_t i = 0; i < s->ninetds; i++)
        printf("inetd %ld %s %s\n", (long)s->inetds[i].pid, s->inetds[i].comm, s->inetds[i].exe);
    print_sockets("pending-open", &s->pending_open);
    print_sockets("pending-close", &s->pending_close);
    print_problems("remark", &s->problems);
}

static void print_result(const struct follow_result *r)
{
    for (size_t i = 0; i < r->nsignals; i++)
        printf("signal %s %ld %s %s%s%s\n", r->signals[i].action, (long)r->signals[i].pid,
               r->signals[i].name, r->signals[i].done ? "done" : "failed",
               r->signals[i].note != NULL ? ": " : "",
               r->signals[i].note != NULL ? r->signals[i].note : "");
    for (size_t i = 0; i < r->nproofs; i++) {
        const struct follow_proof *p = &r->proofs[i];

        printf("proof %s %s %s %d/%s %s %lld ms holder %ld %s\n",
               p->want_closed ? "closed" : "open", p->service, family_name(p->spec.family),
               p->spec.port, p->spec.proto, p->ok ? "ok" : "NO", p->ms, (long)p->holder,
               p->holder_name != NULL ? p->holder_name : "-");
    }
    print_problems("problem", &r->problems);
}

static void run_program(const char *path)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        execl("/bin/sh", "sh", "-c", path, (char *)NULL);
        _exit(127);
    }
    if (waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "follow_driver: '%s' failed\n", path);
        exit(2);
    }
}

static void parse(struct driver *d, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--dialect") == 0 && i + 1 < argc)
            d->dialect = argv[++i];
        else if (strcmp(argv[i], "--then") == 0 && i + 1 < argc)
            d->then = argv[++i];
        else if (strcmp(argv[i], "--wait") == 0 && i + 1 < argc)
            (void)text_number(argv[++i], 0, 60000, &d->wait_ms);
        else if (strcmp(argv[i], "--reload") == 0)
            d->plan.reload = true;
        else
            take(d, argv[i]);
    }
    d->plan.dialect = dialect_find(d->dialect);
}

int main(int argc, char **argv)
{
    struct driver d = {.dialect = "openbsd", .wait_ms = 3000};
    struct follow_options o = {0};
    struct follow_result r = {0};
    struct follow_state s;
    struct diag diag = DIAG_INIT;
    int status = 1;

    parse(&d, argc, argv);
    o.wait_ms = d.wait_ms;
    if (follow_look(&s, d.dialect, &d.now, &diag) != 0)
        goto out;
    print_state(&s);
    status = 0;
    if (d.then == NULL)
        goto out;
    fflush(stdout);
    run_program(d.then);
    if (follow_run(&r, &d.plan, &s, &o, &diag) != 0) {
        status = 1;
        goto out;
    }
    print_result(&r);
    status = r.problems.n > 0 ? 7 : 0;
out:
    if (diag_isset(&diag))
        printf("error %s: %s\n", diag.code, diag.message);
    diag_release(&diag);
    follow_result_release(&r);
    follow_state_release(&s);
    plan_sockets_release(&d.now);
    plan_release(&d.plan);
    return status;
}
