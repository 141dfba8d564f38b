#include "alert.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "render.h"
#include "survey.h"

enum { FILE_MAX = 1024 * 1024 };

struct alert {
    struct strlist ports; /* of measure 4, listening now */
    bool ports_known;
    bool deny_all, deny_known; /* hosts.deny ends in ALL: ALL */
    long empty_passwords;      /* -1: could not be read */
    struct strlist logs;
};

/* Measure 4: 53/tcp, 79, 110, 111, 143, 2049, 6000 and up (X displays). */
static bool is_filtered_port(int port)
{
    static const int ports[] = {53, 79, 110, 111, 143, 2049};

    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        if (port == ports[i])
            return true;
    return port >= 6000 && port <= 6063;
}

static void look_ports(struct alert *a, const struct survey *s)
{
    a->ports_known = s->live;
    for (size_t i = 0; i < s->listeners.n; i++) {
        const struct listener *l = &s->listeners.v[i];
        char *text;

        if (!is_filtered_port(l->port) || (l->port == 53 && strcmp(l->proto, "tcp") != 0))
            continue;
        text = mem_printf("%d/%s", l->port, l->proto);
        if (!strlist_has(&a->ports, text))
            strlist_add(&a->ports, text);
        free(text);
    }
}

/* hosts_access(5): the last rule that matters is the last line that is not blank or a comment. */
static void look_hosts_deny(struct alert *a, struct root *root)
{
    struct buf bytes = BUF_INIT;
    char last[128] = "";

    a->deny_known = root_read(root, "etc/hosts.deny", FILE_MAX, &bytes, NULL, NULL) != ROOT_ERROR;
    for (const char *line = buf_str(&bytes); *line != '\0';) {
        size_t len = strcspn(line, "\n"), n = 0;

        if (line[0] != '#' && strspn(line, " \t\r") < len) {
            for (size_t i = 0; i < len && n + 1 < sizeof(last); i++)
                if (strchr(" \t\r", line[i]) == NULL)
                    last[n++] = line[i];
            last[n] = '\0';
        }
        line += len + (line[len] == '\n');
    }
    a->deny_all = strcmp(last, "ALL:ALL") == 0;
    buf_release(&bytes);
}

static long count_empty(const char *text)
{
    long empty = 0;

    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *colon = memchr(line, ':', len);

        if (colon != NULL && colon > line && colon[1] == ':')
            empty++;
        line += len + (line[len] == '\n');
    }
    return empty;
}

static void look_passwords(struct alert *a, struct root *root)
{
    static const char *const files[] = {"etc/shadow", "etc/master.passwd", "etc/passwd"};
    enum root_result result = ROOT_ABSENT;

    a->empty_passwords = -1;
    for (size_t i = 0; i < ARRAY_LEN(files) && result == ROOT_ABSENT; i++) {
        struct buf bytes = BUF_INIT;

        result = root_read(root, files[i], FILE_MAX, &bytes, NULL, NULL);
        if (result == ROOT_OK)
            a->empty_passwords = count_empty(buf_str(&bytes));
        if (bytes.len > 0)
            explicit_bzero(bytes.data, bytes.len);
        buf_release(&bytes);
    }
}

static void look_logs(struct alert *a, struct root *root)
{
    static const char *const files[] = {"var/log/auth.log", "var/log/secure",   "var/log/authlog",
                                        "var/log/syslog",   "var/log/messages", "var/adm/messages",
                                        "var/log/wtmp",     "var/adm/wtmp"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (root_exists(root, files[i]))
            strlist_add(&a->logs, files[i]);
}

static void alert_look(struct alert *a, const struct survey *s)
{
    look_ports(a, s);
    look_hosts_deny(a, s->root);
    look_passwords(a, s->root);
    look_logs(a, s->root);
}

static void alert_release(struct alert *a)
{
    strlist_release(&a->ports);
    strlist_release(&a->logs);
}

static void list_line(struct buf *out, const char *label, const struct strlist *l, const char *none)
{
    buf_adds(out, label);
    for (size_t i = 0; i < l->n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", l->v[i]);
    buf_printf(out, "%s\n", l->n ? "" : none);
}

void alert_text(struct cli *c, const struct survey *s)
{
    struct alert a = {0};

    if (c->o.quiet)
        return;
    alert_look(&a, s);
    buf_addc(&c->out, '\n');
    render_text(&c->out, c, ROLE_HEAD, "the alert also asks");
    buf_addc(&c->out, '\n');
    if (a.ports_known)
        list_line(&c->out, "  filter these ports, they listen now:  ", &a.ports, "none does");
    buf_printf(&c->out, "  hosts.deny ends in ALL: ALL:            %s\n",
               !a.deny_known ? "not readable"
               : a.deny_all  ? "yes, for services behind tcpd"
                             : "no");
    if (a.empty_passwords < 0)
        buf_adds(&c->out, "  accounts with an empty password:        not readable\n");
    else
        buf_printf(&c->out, "  accounts with an empty password:        %ld\n", a.empty_passwords);
    list_line(&c->out, "  logs to look through:                   ", &a.logs, "none found");
    alert_release(&a);
}

static json_t *string_array(const struct strlist *l)
{
    json_t *all = json_array();

    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(all, json_string(l->v[i]));
    return all;
}

json_t *alert_json(const struct survey *s)
{
    struct alert a = {0};
    json_t *o = json_object();

    alert_look(&a, s);
    json_object_set_new(o, "filter_ports", a.ports_known ? string_array(&a.ports) : json_null());
    json_object_set_new(o, "hosts_deny_all", a.deny_known ? json_boolean(a.deny_all) : json_null());
    json_object_set_new(o, "empty_passwords",
                        a.empty_passwords < 0 ? json_null() : json_integer(a.empty_passwords));
    json_object_set_new(o, "logs", string_array(&a.logs));
    alert_release(&a);
    return o;
}
