#include "guide_screen.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/source.h"
#include "batten/starter.h"
#include "batten/text.h"
#include "cli.h"
#include "guide.h"
#include "screen.h"
#include "terminal.h"

/* --- words ---------------------------------------------------------------------------------------
 */

static const char *answer_word(enum answer a)
{
    return a == ANSWER_CLOSE ? "close" : a == ANSWER_KEEP ? "keep" : "no answer yet";
}

static int default_key(const struct guide_item *it)
{
    enum answer a = it->answer != ANSWER_NONE ? it->answer : guide_default(it);

    return a == ANSWER_CLOSE ? 'y' : a == ANSWER_KEEP ? 'n' : '\0';
}

const char *guide_key_word(const struct guide *g, int key)
{
    if (g->page == PAGE_FINDING) {
        if (key == KEY_ENTER)
            key = default_key(&g->v[g->at]);
        if (key == 'y' || key == 'Y')
            return "close";
        if (key == 'n' || key == 'N')
            return "keep";
    }
    return NULL;
}

/* "79/tcp", "79/tcp and 79/udp"; "no port" where it opens none. */
static void add_ports(struct buf *out, const struct entry *e)
{
    struct strlist ports = {0};

    for (size_t i = 0; i < e->nsockets; i++) {
        char *port = render_spec(&e->sockets[i]);

        if (!strlist_has(&ports, port))
            strlist_add(&ports, port);
        free(port);
    }
    for (size_t i = 0; i < ports.n; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : i + 1 == ports.n ? " and " : ", ", ports.v[i]);
    strlist_release(&ports);
}

static char *title_of(const struct guide_item *it)
{
    const struct entry *e = it->finding->entry;
    const char *name = guide_name(it);
    struct buf b = BUF_INIT;

    buf_adds(&b, name);
    if (strcmp(name, e->name) != 0)
        buf_printf(&b, " (here called '%s')", e->name);
    if (e->nsockets > 0) {
        buf_adds(&b, " on ");
        add_ports(&b, e);
    }
    buf_printf(&b, ", started by %s:%u", e->source->path, e->line);
    return buf_steal(&b);
}

static char *command_of(const struct entry *e)
{
    struct buf b = BUF_INIT;

    if (e->program == NULL) {
        buf_adds(&b, "none: the super-server answers itself");
        return buf_steal(&b);
    }
    /* A script's command stands in its words, the wrappers too. In inetd.conf argv[0] repeats the
     * program, but behind a wrapper: there it names what is run. */
    if (e->proto != NULL || e->argv[0] == NULL)
        buf_adds(&b, e->program);
    for (size_t i = 0; e->argv[i] != NULL; i++)
        if (i > 0 || e->proto == NULL ||
            strcmp(text_basename(e->program), text_basename(e->argv[i])) != 0)
            buf_printf(&b, "%s%s", b.len ? " " : "", e->argv[i]);
    if (e->user != NULL)
        buf_printf(&b, ", as %s", e->user);
    return buf_steal(&b);
}

static char *suggestion_of(const struct guide *g, const struct guide_item *it)
{
    const struct finding *f = it->finding;
    struct buf b = BUF_INIT;

    if (f->backdoor && f->rule == NULL && f->verdict == VERDICT_DISABLE)
        buf_adds(&b, "close: a back door stays open in no profile");
    else if (f->verdict == VERDICT_ASK)
        buf_printf(&b, "none: '%s' leaves it to you", g->profile);
    else
        buf_printf(&b, "%s, says '%s'", f->verdict == VERDICT_DISABLE ? "close" : "keep",
                   g->profile);
    if (f->rule != NULL) {
        const char *selector = f->rule->selector ? f->rule->selector : "default";
        bool other = strcmp(selector, "default") == 0;

        buf_printf(&b, " (%s:%u: %s %s)", f->rule->file, f->rule->line,
                   other ? "default" : verdict_name(f->rule->verdict),
                   other ? verdict_name(f->rule->verdict) : selector);
    }
    return buf_steal(&b);
}

/* --- the first screen ----------------------------------------------------------------------------
 */

static void first_backdoors(struct screen *s, const struct guide *g)
{
    bool any = false;

    for (size_t i = 0; i < g->n; i++) {
        const struct guide_item *it = &g->v[i];
        char *title;

        if (!it->finding->backdoor)
            continue;
        title = title_of(it);
        screen_field_role(s, "BACK DOOR", ROLE_DANGER, title);
        free(title);
        any = true;
    }
    if (any) {
        screen_para(s, 13, 13, ROLE_DANGER,
                    "this host may have been taken over: rebuild it, and beware of its backups");
        screen_blank(s);
    }
}

void screen_first(struct screen *s, const struct guide *g)
{
    const struct guide_head *h = &g->head;

    screen_rule(s, "batten", "guided hardening");
    screen_blank(s);
    first_backdoors(s, g);
    screen_field(s, "looking at", h->host);
    screen_field(s, "started by", h->super);
    screen_field(s, "services", h->services);
    screen_field(s, "profile", h->would);
    if (h->rights != NULL)
        screen_field_role(s, "rights", ROLE_WARN, h->rights);
    screen_blank(s);
    if (h->way_in != NULL) {
        screen_field_role(s, "WARNING", ROLE_DANGER, h->way_in);
        screen_blank(s);
    }
    if (h->offered > 0) {
        struct buf b = BUF_INIT;

        buf_printf(&b, "%zu %s of an earlier session that was cut off %s offered again", h->offered,
                   h->offered == 1 ? "answer" : "answers", h->offered == 1 ? "is" : "are");
        screen_para(s, 2, 2, ROLE_PLAIN, buf_str(&b));
        screen_blank(s);
        buf_release(&b);
    }
    if (g->n == 0) {
        screen_para(s, 2, 2, ROLE_PLAIN, "nothing here starts a network service");
        return;
    }
    screen_para(s, 2, 2, ROLE_PLAIN,
                "Each service is shown by itself, with a suggestion that Enter takes. Nothing is "
                "changed before the last screen, and only if you say so there. Answers can be "
                "changed until then, and the change can be taken back afterwards.");
}

/* --- one finding ---------------------------------------------------------------------------------
 */

static enum role diff_line_role(char c)
{
    return c == '-' ? ROLE_DEL : c == '+' ? ROLE_ADD : ROLE_DIM;
}

/* The lines of the diff in at most ROWS rows; what does not fit is counted. */
static void show_diff(struct screen *s, const struct buf *diff, unsigned rows)
{
    struct screen piece = *s;
    struct buf text = BUF_INIT;
    unsigned left = 0;

    for (size_t at = 0; at < diff->len;) {
        const char *nl = memchr(diff->data + at, '\n', diff->len - at);
        size_t end = nl ? (size_t)(nl - diff->data) : diff->len;
        struct buf one = BUF_INIT;

        piece.out = &one;
        screen_verbatim(&piece, 4, diff_line_role(diff->data[at]), diff->data + at, end - at,
                        rows > 6 ? 4 : 2);
        if (left == 0 && screen_rows(&text) + screen_rows(&one) + (end + 1 < diff->len) <= rows)
            buf_add(&text, buf_str(&one), one.len);
        else
            left++;
        buf_release(&one);
        at = end + 1;
    }
    buf_add(s->out, buf_str(&text), text.len);
    if (left > 0)
        buf_printf(s->out, "    (%u more %s: i shows all)\n", left, left == 1 ? "line" : "lines");
    buf_release(&text);
}

static void finding_what(struct screen *s, const struct guide_item *it)
{
    const struct finding *f = it->finding;

    if (f->service != NULL) {
        screen_field(s, "what", f->service->what);
        screen_field(s, "why", f->service->why);
        screen_field(s, "source", f->service->source);
    } else {
        screen_field(s, "what", "a service batten does not know");
    }
    if (f->backdoor)
        screen_field_role(s, "BACK DOOR", ROLE_DANGER,
                          "whoever connects gets a shell; this host may have been taken over: "
                          "rebuild it, and beware of its backups");
}

static void finding_state(struct screen *s, const struct guide_item *it)
{
    const struct entry *e = it->finding->entry;
    char *command = command_of(e);

    screen_field(s, "command", command);
    if (e->flags & ENTRY_INERT)
        screen_field(s, "state", "the line is there, but it opens nothing");
    screen_field(s, "now", it->facts.now);
    screen_field(s, "used", it->facts.used);
    screen_field(s, "shares", it->facts.together);
    screen_field_role(s, "left alone", ROLE_WARN, it->facts.refused);
    free(command);
}

static void finding_answer(struct screen *s, const struct guide *g, const struct guide_item *it)
{
    char *suggestion = suggestion_of(g, it);

    screen_field(s, "suggested", suggestion);
    if (it->offered != ANSWER_NONE && it->answer == ANSWER_NONE)
        screen_field(s, "last time", answer_word(it->offered));
    if (it->answer != ANSWER_NONE)
        screen_field_role(s, "answered", ROLE_GOOD, answer_word(it->answer));
    free(suggestion);
}

static void finding_head(struct screen *s, const struct guide *g, const struct guide_item *it)
{
    char *count = mem_printf("%zu of %zu", g->at + 1, g->n), *title = title_of(it);
    char *risk = mem_printf("%s risk", severity_name(it->finding->severity));

    screen_rule(s, count, it->finding->severity == SEVERITY_BACKDOOR ? "back door" : risk);
    screen_para(s, 0, 2, ROLE_HEAD, title);
    screen_blank(s);
    free(count);
    free(title);
    free(risk);
}

void screen_finding(struct screen *s, const struct guide *g)
{
    const struct guide_item *it = &g->v[g->at];
    struct screen below = *s;
    struct buf answer = BUF_INIT;
    unsigned used;

    finding_head(s, g, it);
    finding_what(s, it);
    finding_state(s, it);
    below.out = &answer;
    finding_answer(&below, g, it);
    if (it->facts.diff.len > 0) {
        /* A row each for the label, the blank ones around, what may be said, and the question. */
        used = screen_rows(s->out) + screen_rows(&answer) + 5;
        buf_adds(s->out, "  change\n");
        show_diff(s, &it->facts.diff, s->height > used + 3 ? s->height - used : 3);
    }
    buf_add(s->out, buf_str(&answer), answer.len);
    buf_release(&answer);
}

static void explain_service(struct screen *s, const struct service *row)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; row->classes[i] != NULL; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", row->classes[i]);
    screen_field(s, "classes", buf_str(&b));
    buf_clear(&b);
    buf_adds(&b, row->name);
    for (size_t i = 0; row->aliases[i] != NULL; i++)
        buf_printf(&b, ", %s", row->aliases[i]);
    screen_field(s, "names", buf_str(&b));
    buf_clear(&b);
    for (size_t i = 0; row->ports[i].port != 0; i++)
        buf_printf(&b, "%s%d/%s", i ? ", " : "", row->ports[i].port, row->ports[i].proto);
    if (b.len > 0)
        screen_field(s, "usual port", buf_str(&b));
    buf_release(&b);
}

static void explain_entry(struct screen *s, const struct entry *e)
{
    for (size_t i = 0; i < e->nsockets; i++) {
        char *port = render_spec(&e->sockets[i]);
        char *text = mem_printf("%s %s on %s", port, family_name(e->sockets[i].family),
                                e->sockets[i].address);

        screen_field(s, i == 0 ? "opens" : "", text);
        free(text);
        free(port);
    }
    if (e->flags & ENTRY_WAIT)
        screen_field(s, "note",
                     "the server takes over the port: one that runs keeps it open after the line "
                     "is gone, until it ends");
    if (e->flags & ENTRY_RPC)
        screen_field(s, "note", "an RPC service: the port is chosen anew each time it starts");
    if (e->flags & ENTRY_INDIRECT)
        screen_field(s, "note", "started through another script");
    if (e->flags & ENTRY_LOOSE)
        screen_field(s, "note", "recognised with less than full certainty");
}

void screen_explain(struct screen *s, const struct guide *g)
{
    static const char of_inetd[] =
        "Closing it comments out just these lines; a plain '#' in front keeps package scripts "
        "from turning them on again. The super-server is told once to read its file, sessions "
        "that are open go on, and batten rollback takes it back.";
    static const char of_script[] =
        "Closing it takes the start out of the script with the smallest edit that leaves "
        "everything else as it was, and stops the daemon. batten rollback takes it back and "
        "starts it again.";
    const struct guide_item *it = &g->v[g->at];
    const struct finding *f = it->finding;

    finding_head(s, g, it);
    finding_what(s, it);
    if (f->service != NULL)
        explain_service(s, f->service);
    explain_entry(s, f->entry);
    finding_state(s, it);
    finding_answer(s, g, it);
    screen_blank(s);
    screen_para(s, 2, 2, ROLE_PLAIN, f->entry->proto != NULL ? of_inetd : of_script);
    for (size_t at = 0; at < it->facts.diff.len;) {
        size_t len = strcspn(it->facts.diff.data + at, "\n");

        screen_verbatim(s, 4, diff_line_role(it->facts.diff.data[at]), it->facts.diff.data + at,
                        len, 400);
        at += len + 1;
    }
}

/* --- questions -----------------------------------------------------------------------------------
 */

static void question_finding(struct buf *out, const struct screen *s, const struct guide *g)
{
    int key = default_key(&g->v[g->at]);

    buf_adds(out, "close ");
    screen_cut(out, guide_name(&g->v[g->at]), 16);
    buf_adds(out, s->width >= 60 ? "? (y n a d j k g / i w q ?) " : "? (? keys) ");
    if (key != '\0')
        buf_printf(out, "[%c] ", key);
}

static void question_last(struct buf *out, const struct screen *s, const struct guide *g)
{
    if (g->plan.edits.n == 0)
        buf_adds(out, "nothing to apply (w e q ?) ");
    else if (s->width < 70)
        buf_adds(out, "apply? (y t w e q ?) ");
    else
        buf_printf(out, "apply? (y, t: undone unless confirmed in %s, w e q ?) ", g->confirm);
}

void screen_question(struct screen *s, const struct guide *g)
{
    screen_blank(s);
    if (g->say != NULL)
        screen_para(s, 0, 2, ROLE_WARN, g->say);
    switch (g->page) {
    case PAGE_FIRST:
        buf_adds(s->out, g->n > 0 ? "Enter starts, ? keys, q leaves " : "q leaves ");
        break;
    case PAGE_FINDING:
        question_finding(s->out, s, g);
        break;
    case PAGE_LAST:
        question_last(s->out, s, g);
        break;
    }
}

struct key_help {
    const char *key, *text;
};

static const struct key_help first_keys[] = {
    {"Enter", "go on to the first service"},
    {"q",     "leave; nothing is changed" },
    {"?",     "this help"                 },
};
static const struct key_help finding_keys[] = {
    {"Enter", "take the answer in brackets: the suggestion, or what you answered before"    },
    {"y",     "yes, close it"                                                               },
    {"n",     "no, keep it"                                                                 },
    {"a",     "this one and all the rest as suggested, then the last screen"                },
    {"d",     "none of the rest: this one and those after it are kept, then the last screen"},
    {"j k",   "next, previous, without an answer; also the cursor keys"                     },
    {"g",     "go to a number"                                                              },
    {"/",     "search: a name, 79/tcp, a program, file:line"                                },
    {"i",     "explain this one at length"                                                  },
    {"w",     "write the answers so far as a profile"                                       },
    {"q",     "leave; nothing is changed"                                                   },
    {"?",     "this help"                                                                   },
};
static const struct key_help last_keys[] = {
    {"y", "make this change"                                                  },
    {"t", "make it with a timer: it is undone by itself unless you confirm it"},
    {"w", "write the answers as a profile, for unattended use"                },
    {"e", "back to the services; every answer can be changed"                 },
    {"q", "leave; nothing is changed"                                         },
    {"?", "this help"                                                         },
};

void screen_help(struct screen *s, const struct guide *g)
{
    const struct key_help *rows = first_keys;
    size_t n = ARRAY_LEN(first_keys);

    if (g->page == PAGE_FINDING) {
        rows = finding_keys;
        n = ARRAY_LEN(finding_keys);
    } else if (g->page == PAGE_LAST) {
        rows = last_keys;
        n = ARRAY_LEN(last_keys);
    }
    screen_rule(s, "keys", NULL);
    for (size_t i = 0; i < n; i++)
        screen_field(s, rows[i].key, rows[i].text);
}
