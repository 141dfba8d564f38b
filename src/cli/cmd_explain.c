#include <stdlib.h>
#include <string.h>

#include "batten/history.h"
#include "batten/mem.h"
#include "batten/netdb.h"
#include "batten/process.h"
#include "batten/text.h"
#include "cli.h"
#include "json.h"
#include "render.h"
#include "survey.h"

/* What the word on the command line turned out to name. */
struct subject {
    const struct service *service;
    const char *name; /* as an entry is written, where no row of the catalogue has it */
    char *path;       /* of PATH:LINE */
    long long line;
    int port;
    char proto[8];
    pid_t pid;
    unsigned change;
};

struct answer {
    struct cli *c;
    struct survey survey;
    struct history *history;
    struct history_changes changes;
    struct subject of;
    struct process process;
    size_t shown;
};

static bool parse_port(const char *word, struct subject *of)
{
    const char *slash = strchr(word, '/');
    char *digits;
    long long port = 0;
    bool ok;

    if (slash == NULL || (strcmp(slash, "/tcp") != 0 && strcmp(slash, "/udp") != 0))
        return false;
    digits = mem_strndup(word, (size_t)(slash - word));
    ok = text_number(digits, 1, 65535, &port) == 0;
    free(digits);
    if (!ok)
        return false;
    of->port = (int)port;
    memcpy(of->proto, slash + 1, 4);
    return true;
}

static bool parse_place(const char *word, struct subject *of)
{
    const char *colon = strrchr(word, ':');

    if (colon == NULL || text_number(colon + 1, 1, 100000000, &of->line) != 0)
        return false;
    while (*word == '/')
        word++;
    of->path = mem_strndup(word, (size_t)(colon - word));
    return true;
}

/* A bare number is a change when the history has it, else a process. */
static bool parse_bare(struct answer *a, const char *word)
{
    long long number;

    if (text_number(word, 1, 1000000000, &number) != 0)
        return false;
    for (size_t i = 0; i < a->changes.n; i++)
        if (a->changes.v[i].number == number)
            a->of.change = (unsigned)number;
    if (a->of.change == 0 && a->survey.live && process_open(&a->process, (pid_t)number, NULL) == 0)
        a->of.pid = (pid_t)number;
    return a->of.change != 0 || a->of.pid != 0;
}

/* A name or program that an entry here has, as it is written. */
static bool parse_name(struct answer *a, const char *word)
{
    for (size_t i = 0; i < a->survey.findings.n; i++) {
        const struct entry *e = a->survey.findings.v[i].entry;

        if (strcmp(e->name, word) == 0 || (e->program != NULL && strcmp(e->program, word) == 0))
            a->of.name = word;
    }
    return a->of.name != NULL;
}

static int understand(struct answer *a, const char *word, struct diag *d)
{
    struct subject *of = &a->of;
    const char *near;

    if (parse_port(word, of) || parse_place(word, of) || parse_bare(a, word))
        return 0;
    of->service = catalogue_find(word);
    if (of->service == NULL)
        of->service = catalogue_program(text_basename(word));
    if (of->service != NULL || parse_name(a, word))
        return 0;
    near = catalogue_nearest(word);
    diag_set(d, STATUS_REFUSED, "unknown-subject", "nothing here is called '%s'", word);
    diag_hint(d, near ? "did you mean: batten explain %s" : "batten audit --all", near);
    return -1;
}

static bool listens_on(const struct survey *s, const struct entry *e, pid_t pid)
{
    for (size_t i = 0; i < e->nsockets; i++) {
        const struct listener *l = survey_listener(s, &e->sockets[i]);

        for (size_t j = 0; l != NULL && j < l->npids; j++)
            if (l->pids[j] == pid)
                return true;
    }
    return false;
}

/* A line that is off opens nothing; it is asked for by the port it would have. */
static bool had_port(const struct answer *a, const struct entry *e)
{
    const struct subject *of = &a->of;
    long long port;

    if (e->enabled || e->proto == NULL || !text_starts(e->proto, of->proto))
        return false;
    if (text_number(e->name, 1, 65535, &port) != 0)
        port = netdb_port(a->survey.scan.db, e->name, of->proto);
    return port == of->port;
}

static bool is_meant(const struct answer *a, const struct finding *f)
{
    const struct subject *of = &a->of;
    const struct entry *e = f->entry;

    if (of->path != NULL)
        return strcmp(e->source->path, of->path) == 0 && e->line <= of->line &&
               of->line <= e->last_line;
    if (of->pid != 0)
        return listens_on(&a->survey, e, of->pid);
    for (size_t i = 0; of->port != 0 && i < e->nsockets; i++)
        if (e->sockets[i].port == of->port && strcmp(e->sockets[i].proto, of->proto) == 0)
            return true;
    if (of->port != 0 && had_port(a, e))
        return true;
    if (of->name != NULL)
        return strcmp(e->name, of->name) == 0 ||
               (e->program != NULL && strcmp(e->program, of->name) == 0);
    return of->service != NULL && f->service == of->service;
}

static void field(struct answer *a, const char *label, const char *text)
{
    if (text == NULL)
        return;
    buf_printf(&a->c->out, "%-9s", label);
    text_safe(&a->c->out, text, strlen(text));
    buf_addc(&a->c->out, '\n');
}

static void explain_service(struct buf *out, const struct service *s)
{
    buf_printf(out, "%s\n\n%s.\n%s.\n", s->name, s->what, s->why);
    buf_adds(out, "classes  ");
    for (size_t i = 0; s->classes[i] != NULL; i++)
        buf_printf(out, "%s%s", i ? " " : "", s->classes[i]);
    buf_printf(out, "\nsource   %s\n", s->source);
}

/* The newest change that has an edit for this service in effect: since when it is closed. */
static const struct history_change *closed_by(const struct answer *a, const char *service)
{
    for (size_t i = 0; i < a->changes.n; i++) {
        const struct history_change *ch = &a->changes.v[i];

        for (size_t j = 0; j < ch->nedits; j++) {
            const struct history_edit *e = &ch->edits[j];

            if (e->in_effect && !e->undoes_change && e->service != NULL &&
                strcmp(e->service, service) == 0)
                return ch;
        }
    }
    return NULL;
}

static void explain_since(struct answer *a, const char *service)
{
    const struct history_change *ch = closed_by(a, service);
    struct buf when = BUF_INIT;

    if (ch == NULL)
        return;
    render_time(&when, ch->time);
    buf_printf(&a->c->out, "closed   by change %u, %s, undo: batten rollback --service ",
               ch->number, buf_str(&when));
    render_shell_word(&a->c->out, service);
    render_where(&a->c->out, a->c);
    buf_addc(&a->c->out, '\n');
    buf_release(&when);
}

static void explain_sockets(struct answer *a, const struct entry *e)
{
    for (size_t i = 0; i < e->nsockets; i++) {
        const struct listener *l = survey_listener(&a->survey, &e->sockets[i]);
        char *port = render_spec(&e->sockets[i]);

        buf_printf(&a->c->out, "opens    %s %s on ", port, family_name(e->sockets[i].family));
        text_safe(&a->c->out, e->sockets[i].address, strlen(e->sockets[i].address));
        if (l != NULL && l->npids > 0)
            buf_printf(&a->c->out, ", listening now: pid %d", (int)l->pids[0]);
        else if (l != NULL)
            buf_adds(&a->c->out, ", listening now");
        else if (a->survey.live && e->sockets[i].port > 0)
            buf_adds(&a->c->out, ", not listening now");
        buf_addc(&a->c->out, '\n');
        free(port);
    }
}

/* Whether PATH:NAME of F selects other entries that are on, too. */
static bool is_shared(const struct answer *a, const struct finding *f)
{
    for (size_t i = 0; i < a->survey.findings.n; i++) {
        const struct finding *other = &a->survey.findings.v[i];

        if (other->entry != f->entry && other->entry->enabled &&
            strcmp(other->entry->source->path, f->entry->source->path) == 0 &&
            (strcmp(other->entry->name, f->entry->name) == 0 ||
             (other->service != NULL && strcmp(other->service->name, f->entry->name) == 0)))
            return true;
    }
    return false;
}

static void explain_close(struct answer *a, const struct finding *f)
{
    const struct entry *e = f->entry;
    unsigned port = e->nsockets > 0 && e->sockets[0].port > 0 ? (unsigned)e->sockets[0].port : 0;
    char *selector = port > 0 && is_shared(a, f)
                         ? mem_printf("%s:%s/%u", e->source->path, e->name, port)
                         : mem_printf("%s:%s", e->source->path, e->name);

    if (e->enabled && e->locked == NULL) {
        buf_adds(&a->c->out, "close    batten close ");
        render_shell_word(&a->c->out, selector);
        render_where(&a->c->out, a->c);
        buf_adds(&a->c->out, " --apply\n");
    }
    free(selector);
}

static void explain_rule(struct answer *a, const struct profile_rule *rule)
{
    char *text = mem_printf("%s:%u: %s %s", rule->file, rule->line, verdict_name(rule->verdict),
                            rule->selector);

    field(a, "because", text);
    free(text);
}

static void explain_finding(struct answer *a, const struct finding *f)
{
    const struct entry *e = f->entry;
    char *place = mem_printf("%s:%u", e->source->path, e->line);

    buf_addc(&a->c->out, '\n');
    field(a, "started", place);
    if (f->backdoor)
        field(a, "danger",
              "a back door: whoever connects gets a shell; this host may have been "
              "taken over, rebuild it and beware of its backups");
    field(a, "state", e->enabled ? "on" : "off, commented out");
    field(a, "name", e->name);
    field(a, "program", e->program ? e->program : "none, the super-server answers itself");
    field(a, "user", e->user);
    if (e->flags & ENTRY_INDIRECT)
        field(a, "how", "through another script, which starts it");
    explain_sockets(a, e);
    field(a, "verdict", verdict_name(f->verdict));
    if (f->rule != NULL)
        explain_rule(a, f->rule);
    field(a, "by hand", e->locked);
    explain_close(a, f);
    free(place);
    a->shown++;
}

static void explain_process(struct answer *a)
{
    const struct process *p = &a->process;

    buf_printf(&a->c->out, "process %d: ", (int)p->pid);
    text_safe(&a->c->out, p->comm, strlen(p->comm));
    buf_addc(&a->c->out, '\n');
    field(a, "program", p->exe);
    for (size_t i = 0; i < a->survey.listeners.n; i++) {
        const struct listener *l = &a->survey.listeners.v[i];

        for (size_t j = 0; j < l->npids; j++)
            if (l->pids[j] == p->pid)
                buf_printf(&a->c->out, "holds    %s %d/%s on %s\n", l->family, l->port, l->proto,
                           l->address);
    }
}

/* A shell on 8080 is no web server. */
static const struct service *row_of(const struct finding *f)
{
    bool told = !f->backdoor || (f->service && catalogue_has_class(f->service, "backdoor"));

    return told ? f->service : NULL;
}

/* Heads: what is known of the subject itself, before the entries it stands for. */
static void explain_head(struct answer *a)
{
    const struct subject *of = &a->of;
    const struct service *s = of->service;

    if (of->pid != 0)
        explain_process(a);
    if (s == NULL && of->port != 0)
        s = catalogue_port(of->port, of->proto);
    for (size_t i = 0; s == NULL && i < a->survey.findings.n; i++)
        if (is_meant(a, &a->survey.findings.v[i]))
            s = row_of(&a->survey.findings.v[i]);
    if (s == NULL && of->name != NULL) {
        text_safe(&a->c->out, of->name, strlen(of->name));
        buf_adds(&a->c->out, "\n\nbatten's catalogue does not know this service.\n");
        explain_since(a, of->name);
    }
    if (s == NULL)
        return;
    explain_service(&a->c->out, s);
    explain_since(a, s->name);
}

static json_t *explain_json(struct answer *a)
{
    json_t *o = json_survey(a->c, &a->survey), *kept = json_array();
    const struct service *s = a->of.service;
    const struct history_change *ch;

    for (size_t i = 0; i < a->survey.findings.n; i++)
        if (is_meant(a, &a->survey.findings.v[i]))
            json_array_append(kept, json_array_get(json_object_get(o, "entries"), i));
    json_object_set_new(o, "entries", kept);
    if (s == NULL && a->of.port != 0)
        s = catalogue_port(a->of.port, a->of.proto);
    json_text(o, "service", s ? s->name : NULL);
    json_text(o, "what", s ? s->what : NULL);
    json_text(o, "why", s ? s->why : NULL);
    json_text(o, "source", s ? s->source : NULL);
    ch = s != NULL ? closed_by(a, s->name) : NULL;
    json_object_set_new(o, "closed_by", ch ? json_integer(ch->number) : json_null());
    if (ch != NULL)
        json_time(o, "closed_at", ch->time);
    else
        json_object_set_new(o, "closed_at", json_null());
    json_object_set_new(o, "pid", a->of.pid ? json_integer(a->of.pid) : json_null());
    json_text(o, "program", a->of.pid ? a->process.exe : NULL);
    return o;
}

static int look(struct answer *a, struct diag *d)
{
    if (survey_make(&a->survey, a->c, NULL, d) != 0)
        return -1;
    render_problems(a->c, &a->survey.scan.problems);
    /* Without rights the history cannot be read; the rest of the answer can be given. */
    if (survey_history(&a->history, a->survey.root, a->c, HISTORY_READ, NULL) == 0)
        history_list(a->history, &a->changes, NULL);
    return 0;
}

/* Why the daemon makes nothing of a line, or that there is no such line. */
static int explain_line(struct answer *a, struct diag *d)
{
    const struct subject *of = &a->of;
    const struct scan_file *f = scan_file(&a->survey.scan, of->path);
    long long lines = 0;

    if (f == NULL) {
        diag_set(d, STATUS_REFUSED, "not-read", "'%s' is no file that batten reads here", of->path);
        diag_hint(d, "batten audit --all");
        return -1;
    }
    for (size_t i = 0; i < f->source.len; i++)
        lines += f->source.bytes[i] == '\n' || i + 1 == f->source.len;
    if (of->line > lines)
        return diag_set(d, STATUS_REFUSED, "no-line", "'%s' has %lld lines", of->path, lines);
    for (size_t i = 0; i < a->survey.scan.nparses; i++) {
        const struct problems *all = &a->survey.scan.parses[i].problems;

        for (size_t k = 0; k < all->n; k++)
            if (all->v[k].line == of->line && all->v[k].path != NULL &&
                strcmp(all->v[k].path, of->path) == 0) {
                field(a, "problem", all->v[k].message);
                return 0;
            }
    }
    buf_adds(&a->c->out, "this line starts nothing: a comment, or not one that starts a service\n");
    return 0;
}

static enum status tell(struct answer *a, struct diag *d)
{
    if (a->of.change != 0) {
        a->c->command = command_find("show");
        return cmd_show(a->c, d);
    }
    if (a->c->o.json) {
        json_finish(&a->c->out, explain_json(a));
        return STATUS_DONE;
    }
    explain_head(a);
    for (size_t i = 0; i < a->survey.findings.n; i++)
        if (is_meant(a, &a->survey.findings.v[i]))
            explain_finding(a, &a->survey.findings.v[i]);
    if (a->shown == 0 && a->of.path != NULL)
        return explain_line(a, d) == 0 ? STATUS_DONE : STATUS_REFUSED;
    if (a->shown > 0)
        return STATUS_DONE;
    buf_adds(&a->c->out, "\nnothing that was read here starts it\n");
    return a->survey.scan.denied ? STATUS_SYSTEM : STATUS_DONE;
}

enum status cmd_explain(struct cli *c, struct diag *d)
{
    struct answer a = {.c = c, .process = {.fd = -1}};
    enum status status = STATUS_SYSTEM;

    if (look(&a, d) == 0 && understand(&a, c->o.args.v[0], d) == 0)
        status = tell(&a, d);
    free(a.of.path);
    process_release(&a.process);
    history_changes_release(&a.changes);
    history_free(a.history);
    survey_release(&a.survey);
    return status;
}
