#include "random_script.h"

#include <string.h>

#include "batten/mem.h"

/* No name less its 'd' is part of another: an echo of the one is none of the other. */
static const char *const daemons[] = {
    "named",  "inetd", "portmap", "rpc.statd", "rpc.lockd", "nfsd",  "mountd", "ypserv",
    "ypbind", "rwhod", "routed",  "gated",     "timed",     "snmpd", "lpd",    "dropbear",
    "sshd",   "ftpd",  "telnetd", "httpd",     "ntpd",      "dhcpd", "xdm",    "amd",
};
static const char *const bystanders[] = {"kdc", "slapd", "smbd", "squid", "radiusd"};

enum { DAEMONS = ARRAY_LEN(daemons), DEPTH = 3 };

static unsigned pick(struct random_script *r, unsigned n)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (unsigned)((r->state >> 16) % n);
}

static void put(struct random_script *r, const char *text)
{
    buf_adds(&r->text, text);
}

/* ---- lines ---- */

static void newline(struct random_script *r)
{
    put(r, "\n");
    buf_add(&r->text, buf_str(&r->documents), r->documents.len);
    buf_clear(&r->documents);
    if (pick(r, 12) == 0)
        put(r, "\n");
    if (pick(r, 16) == 0)
        put(r, "  # named and the others; it's here\n");
    for (unsigned i = 0; i < r->depth; i++)
        put(r, pick(r, 2) ? "\t" : "  ");
}

/* Behind a keyword. */
static void blank(struct random_script *r)
{
    if (pick(r, 3))
        newline(r);
    else
        put(r, " ");
}

static void end(struct random_script *r)
{
    bool ended = r->ended;

    r->ended = false;
    if (pick(r, 4)) {
        newline(r);
        return;
    }
    put(r, ended ? " " : "; ");
    if (!ended && pick(r, 6) == 0)
        newline(r);
}

static void background(struct random_script *r)
{
    put(r, " &");
    r->parallel = r->ended = true;
}

/* FORM with NAME for %s and a number of its own for %u. */
static void put_form(struct random_script *r, const char *form, const char *name)
{
    const char *at;

    r->number++;
    for (; (at = strchr(form, '%')) != NULL; form = at + 2) {
        buf_add(&r->text, form, (size_t)(at - form));
        if (at[1] == 's')
            put(r, name);
        else
            buf_printf(&r->text, "%u", r->number);
    }
    put(r, form);
}

/* ---- commands ---- */

static void statements(struct random_script *r);

static void put_other(struct random_script *r)
{
    buf_printf(&r->text, "other %u%s", ++r->number, pick(r, 3) == 0 ? " -fail1" : "");
}

static void put_true(struct random_script *r)
{
    static const char *const tests[] = {"[ -x /bin/other ]", "test -f /bin/mark", "true",  ":",
                                        "[ -f /none ]",      "! [ -f /none ]",    "[ $n ]"};

    put(r, tests[pick(r, ARRAY_LEN(tests))]);
}

static const char *next_daemon(struct random_script *r)
{
    const char *name;

    if (r->next >= DAEMONS)
        return NULL;
    name = daemons[r->order[r->next++]];
    strlist_add(&r->started, name);
    return name;
}

static void put_arguments(struct random_script *r)
{
    switch (pick(r, 12)) {
    case 0:
        put(r, " -c \"x y; $n\"");
        break;
    case 1:
        put(r, " \\\n\t-p 'a && b'");
        break;
    case 2:
        put(r, " -f # not -x");
        newline(r);
        put(r, ":");
        break;
    case 3:
        put(r, " <<E");
        buf_adds(&r->documents, "named\n\n  $n; inetd &\nE\n");
        break;
    case 4:
    case 5:
        put(r, " >/dev/null 2>&1");
        break;
    case 6:
        put(r, " -x -fail1");
        r->fails = true;
        break;
    default:
        break;
    }
}

/* A command that starts NAME, and nothing else. */
static void put_start(struct random_script *r, const char *name)
{
    static const char *const forms[] = {
        "%s",
        "%s",
        "%s",
        "/usr/sbin/%s",
        "/usr/sbin/%s",
        "${unset:-%s}",
        "nohup %s",
        "nice -n 5 %s",
        "sh -c 'exec %s'",
        "su - root -c \"%s -f\"",
        "eval %s",
        "busybox %s",
        "run %s",
        "env A=b %s",
        "A=b %s",
        "setsid %s",
        "daemonize %s",
        "v %s",
        "start_daemon %s",
        "second x %s",
        "\"%s\"",
        "eval \"%s &\"",
        "start-stop-daemon -S -q -x /usr/sbin/%s -- -f",
    };
    const char *form = forms[pick(r, ARRAY_LEN(forms))];

    if (strcmp(form, "v %s") == 0) {
        buf_printf(&r->text, "$V_%c%c", name[0], name[strlen(name) - 2]);
    } else {
        size_t at = (size_t)(strstr(form, "%s") - form);

        buf_add(&r->text, form, at);
        put(r, name);
        put(r, form + at + 2);
    }
    r->parallel = r->parallel || strchr(form, '&') != NULL;
    if (strstr(form, "start_daemon") == NULL && strstr(form, "%s\"") == NULL &&
        strchr(form, '\'') == NULL && strchr(form, '&') == NULL)
        put_arguments(r);
}

static void put_echo(struct random_script *r, const char *name)
{
    static const char *const forms[] = {"echo starting %s", "echo \" %s.\"", "echo '%s: ok' >&1",
                                        "/bin/echo %s", "echo %s and kdc"};

    put_form(r, forms[pick(r, ARRAY_LEN(forms))], name);
}

static void put_status(struct random_script *r)
{
    static const char *const forms[] = {
        "mark %u $?",
        "if [ $? -eq 0 ]; then mark %u; fi",
        "case $? in 0) mark %u ok;; *) mark %u no;; esac",
        "s=$?; mark %u $s",
        "show",
        "{ mark %u $?; }",
        "s=$?",
        "mark %u $s",
        "for i in 1; do mark %u $?; done",
        "[ $? = 0 ] && mark %u",
        "mark %u ${?}",
        "tell",
        "case $n in b) : ;; *) mark %u $?;; esac",
    };

    put_form(r, forms[pick(r, ARRAY_LEN(forms))], NULL);
}

/* Names daemons, starts none. */
static void put_decoy(struct random_script *r)
{
    static const char *const forms[] = {
        "killall %s",
        "echo %s",
        "[ -x /usr/sbin/%s ]",
        "DECOY=/usr/sbin/%s",
        "grep %s /etc/passwd",
        "which %s",
        "command -v %s",
        "case $n in %s) ;; esac",
        "modprobe %s",
        "cat <<E\n%s &\nE\n:",
        "rm -f /var/run/%s.pid",
        "text='\n%s\n'",
        "cp -p /sbin/%s /usr",
        "mark $n # then; %s\n:",
        "test \"$n\" = %s",
        "type %s >/dev/null",
        "start-stop-daemon -K -x %s",
    };
    const char *form = forms[pick(r, ARRAY_LEN(forms))];
    size_t at = (size_t)(strstr(form, "%s") - form);

    if (strchr(form, '\n') != NULL && r->documents.len > 0)
        newline(r);
    buf_add(&r->text, form, at);
    put(r, bystanders[pick(r, ARRAY_LEN(bystanders))]);
    put(r, form + at + 2);
}

/* ---- starts in their settings ---- */

static void put_list(struct random_script *r, const char *name)
{
    static const char *const heads[] = {"for d in ", "start_daemon ", "for d in "};
    static const char *const bodies[] = {"; do $d; done", "", "; do echo $d; /usr/sbin/$d; done"};
    unsigned form = pick(r, ARRAY_LEN(heads));
    const char *second = pick(r, 2) ? next_daemon(r) : NULL;
    bool variable = pick(r, 4) == 0;

    if (variable) {
        buf_printf(&r->text, "L%u=\"%s%s %s\"", ++r->number, pick(r, 2) ? "other " : "", name,
                   second != NULL ? second : "");
        end(r);
        buf_printf(&r->text, "%s$L%u%s", heads[form], r->number, bodies[form]);
        return;
    }
    buf_printf(&r->text, "%s%s%s", heads[form], pick(r, 2) ? "other " : "", name);
    if (second != NULL)
        buf_printf(&r->text, " %s", second);
    put(r, pick(r, 2) ? " mark" : "");
    put(r, bodies[form]);
}

static void put_announced(struct random_script *r, const char *name)
{
    bool before = pick(r, 2);

    if (before) {
        put_echo(r, name);
        end(r);
    }
    put_start(r, name);
    if (pick(r, 3) == 0)
        background(r);
    if (before && pick(r, 3))
        return;
    end(r);
    put_echo(r, name);
}

static void put_guarded(struct random_script *r, const char *name)
{
    bool braces = pick(r, 2);

    if (pick(r, 2)) {
        buf_printf(&r->text, "[ -x /usr/sbin/%s ] &&%s ", name, braces ? " {" : "");
        put_announced(r, name);
        if (braces) {
            end(r);
            put(r, "}");
        }
        return;
    }
    buf_printf(&r->text, "if [ -x /usr/sbin/%s ]; then", name);
    blank(r);
    if (pick(r, 4) == 0) {
        put_other(r);
        end(r);
    }
    put_announced(r, name);
    end(r);
    if (pick(r, 4) == 0) {
        put(r, "else ");
        put_other(r);
        end(r);
    }
    put(r, "fi");
}

/* What decides over a start, or hangs on it. */
static void put_joined(struct random_script *r, const char *name)
{
    static const struct {
        const char *front, *back;
    } forms[] = {
        {"other && ",        ""                           },
        {"",                 " && other 7"                },
        {"",                 " || other 8"                },
        {"",                 " | other 9"                 },
        {"! ",               ""                           },
        {"out=$(",           "); mark \"$out\""           },
        {"if ",              "; then other; fi"           },
        {"if ! ",            "; then mark; else other; fi"},
        {"true && ",         " || :"                      },
        {"",                 " && echo started "          },
        {"",                 " || echo '' "               },
        {"while ",           "; do break; done"           },
        {"until ",           "; do break; done"           },
        {"",                 " && { other; mark; }"       },
        {"[ -f /none ] || ", ""                           },
        {"(exec ",           ")"                          },
        {"mark `",           "`"                          },
        {"",                 "; return 2>/dev/null"       },
    };
    unsigned form = pick(r, ARRAY_LEN(forms));

    put(r, forms[form].front);
    buf_printf(&r->text, "%s%s", pick(r, 2) ? "/usr/sbin/" : "", name);
    put(r, forms[form].back);
    if (strstr(forms[form].back, "echo") != NULL)
        put(r, name);
    r->parallel = r->parallel || strchr(forms[form].back, '|') != NULL;
}

static void put_pid(struct random_script *r, const char *name)
{
    static const char *const opens[] = {"", "", "{ ", "if [ -x /usr/sbin/%s ]; then ", "( "};
    static const char *const closes[] = {"", "", " }", " fi", " )"};
    static const char *const asks[] = {"if [ \"$!\" = $p ]; then mark same; fi",
                                       "if [ ${!} = $p ]; then mark same; fi", "pid", "ask"};
    unsigned form = pick(r, ARRAY_LEN(opens));

    put(r, "other 5 & p=$!; ");
    put_form(r, opens[form], name);
    if (form == 4 || pick(r, 4))
        put_form(r, "/usr/sbin/%s -f", name);
    else
        put_start(r, name);
    background(r);
    if (*closes[form] != '\0' && r->documents.len > 0)
        newline(r);
    put(r, closes[form]);
    r->ended = *closes[form] == '\0';
    end(r);
    if (pick(r, 2)) {
        put_other(r);
        end(r);
    }
    put(r, asks[pick(r, ARRAY_LEN(asks))]);
}

/* Its words, or the text that is run, do more than to start it. */
static void put_rich(struct random_script *r, const char *name)
{
    static const char *const forms[] = {
        "[ \"${D%u=b}\" ] && %s; mark %u $D%u",
        "if [ ${D%u=b} = b ]; then %s; fi; mark %u $D%u",
        "%s -c ${D%u:=b}; mark %u $D%u",
        "/usr/sbin/%s -c \"${D%u=b}\"; mark %u $D%u",
        "echo starting %s ${D%u=b}; %s; mark %u $D%u",
        "eval \"%s; mark %u\"",
        "eval \"mark %u && %s\"",
        "eval 'D%u=b; %s'; mark %u $D%u",
        "eval \"%s -f && echo %s\"",
        "eval \"[ -f /none ] || /usr/sbin/%s\"",
    };

    put_form(r, forms[pick(r, ARRAY_LEN(forms))], name);
}

/* A loop that goes on until it runs; but not for ever, which would tell no more. */
static void put_awaited(struct random_script *r, const char *name)
{
    static const char *const forms[] = {
        "%s; until up %s || late %u; do sleep 1; done",
        "if [ -x /usr/sbin/%s ]; then %s; fi; while :; do up %s && break; late %u && break; "
        "sleep 1; done",
        "/usr/sbin/%s; await %s %u",
        "P%u=/run/%s.pid; %s -f; mark %u; await ${P%u##*/} %u",
        "[ -x /usr/sbin/%s ] && %s; await %s %u",
        "while :; do if up %s; then break; fi; late %u && break; %s; sleep 1; done",
    };

    if (strcmp(name, "portmap") == 0 && pick(r, 2))
        put_form(r, "%s; until rpcinfo -p || late %u; do sleep 1; done", name);
    else
        put_form(r, forms[pick(r, ARRAY_LEN(forms))], name);
}

static void put_grouped(struct random_script *r, const char *name)
{
    static const char *const opens[] = {"( ", "{ ", "(cd /; ", "{ cd /; ", "(umask 077; A=b; "};
    unsigned form = pick(r, ARRAY_LEN(opens));

    put(r, opens[form]);
    put_announced(r, name);
    end(r);
    put(r, opens[form][0] == '(' ? ")" : "}");
    if (pick(r, 3) == 0)
        put(r, " >/dev/null");
    if (pick(r, 3) == 0)
        background(r);
}

static void put_daemon(struct random_script *r)
{
    const char *name = next_daemon(r);

    if (name == NULL) {
        put_other(r);
        return;
    }
    switch (pick(r, 12)) {
    case 0:
    case 1:
        put_announced(r, name);
        break;
    case 2:
    case 3:
        put_guarded(r, name);
        break;
    case 4:
        put_grouped(r, name);
        break;
    case 5:
        put_joined(r, name);
        break;
    case 6:
        put_list(r, name);
        break;
    case 7:
        put_pid(r, name);
        break;
    case 8:
        put_rich(r, name);
        break;
    case 9:
        put_awaited(r, name);
        break;
    default:
        put_start(r, name);
        if (pick(r, 4) == 0)
            background(r);
        break;
    }
}

/* ---- what holds other commands ---- */

static void put_if(struct random_script *r)
{
    put(r, "if ");
    put_true(r);
    put(r, "; then");
    blank(r);
    statements(r);
    if (pick(r, 4) == 0) {
        put(r, "elif ");
        put_true(r);
        put(r, "; then");
        blank(r);
        statements(r);
    }
    if (pick(r, 3) == 0) {
        put(r, "else");
        blank(r);
        statements(r);
    }
    put(r, "fi");
}

static void put_loop(struct random_script *r)
{
    static const char *const heads[] = {"for i in 1 2", "while mark && [ ${%u=0} -lt 2 ]",
                                        "until mark && [ ${%u=0} -ge 1 ]", "for i in 1"};
    unsigned form = pick(r, ARRAY_LEN(heads)), n = ++r->number;
    const char *at = strstr(heads[form], "%u");

    if (at == NULL) {
        put(r, heads[form]);
    } else {
        buf_add(&r->text, heads[form], (size_t)(at - heads[form]));
        buf_printf(&r->text, "N%u%s", n, at + 2);
    }
    put(r, "; do");
    blank(r);
    if (at != NULL)
        buf_printf(&r->text, "N%u=$((N%u + 1)); ", n, n);
    statements(r);
    put(r, "done");
}

static void put_case(struct random_script *r)
{
    put(r, pick(r, 2) ? "case $n in a)" : "case named in named|inetd)");
    blank(r);
    statements(r);
    put(r, ";;");
    blank(r);
    put(r, "*)");
    blank(r);
    statements(r);
    put(r, ";;");
    newline(r);
    put(r, "esac");
}

static void put_function(struct random_script *r)
{
    static const char *const calls[] = {
        "f%u",      "f%u && mark",    "f%u || mark", "f%u; mark $?", "if f%u; then mark; fi",
        "f%u; f%u", "g() { f%u; }; g"};
    unsigned form = pick(r, ARRAY_LEN(calls)), n = ++r->number;

    buf_printf(&r->text, "f%u()%s{", n, pick(r, 2) ? " " : "\n");
    blank(r);
    statements(r);
    put(r, pick(r, 6) ? "" : pick(r, 2) ? "return; " : "return $?; ");
    put(r, "}");
    newline(r);
    for (const char *p = calls[form]; *p != '\0'; p++) {
        if (p[0] != '%') {
            buf_addc(&r->text, *p);
            continue;
        }
        buf_printf(&r->text, "%u", n);
        p++;
    }
}

static void put_group(struct random_script *r)
{
    bool subshell = pick(r, 2);

    put(r, subshell ? "( " : "{ "); /* (( begins an expression */
    statements(r);
    put(r, subshell ? ")" : "}");
    if (pick(r, 4) == 0)
        put(r, pick(r, 2) ? " && mark" : " || mark");
    else if (pick(r, 4) == 0)
        background(r);
}

static void put_compound(struct random_script *r)
{
    static void (*const kinds[])(struct random_script *) = {put_if, put_loop, put_case,
                                                            put_function, put_group};

    if (r->depth >= DEPTH) {
        put_other(r);
        return;
    }
    r->depth++;
    kinds[pick(r, ARRAY_LEN(kinds))](r);
    r->depth--;
}

static void statement(struct random_script *r)
{
    unsigned kind = pick(r, 20);

    if (kind < 8)
        put_daemon(r);
    else if (kind < 11)
        put_other(r);
    else if (kind < 13)
        put_status(r);
    else if (kind < 18)
        put_compound(r);
    else
        put_decoy(r);
    end(r);
}

static void statements(struct random_script *r)
{
    for (unsigned n = 1 + pick(r, 3); n > 0; n--)
        statement(r);
}

/* ---- a script ---- */

static void put_head(struct random_script *r)
{
    put(r, "n=a\nrun() { \"$@\"; }\nsecond() { : $1; $2; }\nshow() { mark status $?; }\n"
           "pid() { if [ \"$!\" = $p ]; then mark same; fi; }\n"
           "ask() { [ a ]; pid; }\ntell() { show; }\n"
           "up() { while read -r l; do case $l in *\"${1%.pid}\"*) return 0;; esac; done </.x/log; "
           "return 1; }\n"
           "late() { eval \"k=\\$((K$1 += 1))\"; [ $k -gt 3 ] && mark late $1; }\n"
           "await() { until up $1 || late $2; do sleep 1; done; }\nrpcinfo() { up portmap; }\n");
    for (size_t i = 0; i < DAEMONS; i++)
        buf_printf(&r->text, "V_%c%c=%s%s\n", daemons[i][0], daemons[i][strlen(daemons[i]) - 2],
                   i % 2 ? "/usr/sbin/" : "", daemons[i]);
}

void random_script_words(struct buf *out)
{
    for (size_t i = 0; i < DAEMONS; i++)
        buf_printf(out, "%s ", daemons[i]);
    for (size_t i = 0; i < ARRAY_LEN(bystanders); i++)
        buf_printf(out, "%s ", bystanders[i]);
    buf_adds(out, "other mark killall grep which modprobe cat rm cp ");
}

void random_script_make(struct random_script *r, unsigned long seed)
{
    *r = (struct random_script){.state = (seed + 1) * 0x9e3779b97f4a7c15u};
    for (unsigned i = 0; i < DAEMONS; i++) {
        unsigned at = pick(r, i + 1);

        r->order[i] = r->order[at];
        r->order[at] = i;
    }
    put_head(r);
    for (unsigned n = 2 + pick(r, 6); n > 0; n--)
        statement(r);
    if (pick(r, 3))
        newline(r);
    else if (r->documents.len > 0)
        newline(r);
}

void random_script_release(struct random_script *r)
{
    buf_release(&r->text);
    buf_release(&r->documents);
    strlist_release(&r->started);
}
