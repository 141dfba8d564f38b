/* Loops that go on until a daemon is there: without it they never end. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* Values that name values, and functions that call functions, so deep are followed no more. */
enum { PASSES_MAX = 32 };

/* What stands for a daemon without its name: who asks it, and the ports it listens on. */
static const struct {
    const char *programs, *ports, *daemons;
} clients[] = {
    {"rpcinfo",                                 "111 sunrpc",
     " portmap rpcbind rpc.portmap portmapper in.portmap rpc.bind statd rpc.statd rpc.nsm lockd "
     "rpc.lockd klockd mountd rpc.mountd unfsd nfsd rpc.nfsd pcnfsd rpc.pcnfsd ugidd rpc.ugidd "
     "rusersd rpc.rusersd rstatd rpc.rstatd rwalld rpc.rwalld rpc.walld sprayd rpc.sprayd rexd "
     "rpc.rexd rquotad rpc.rquotad ypserv ypbind ypxfrd rpc.ypxfrd yppasswdd rpc.yppasswdd "
     "ypupdated rpc.ypupdated "                                                                                                                               },
    {"exportfs showmount",                      "2049",
     " mountd rpc.mountd unfsd nfsd rpc.nfsd portmap rpcbind ganesha.nfsd "                                                                                   },
    {"rndc ndc dig host nslookup getent",       "53",
     " named in.named bind9 named8 dnsd dnsmasq unbound nsd dnscache tinydns pdns_server "
     "pdns_recursor knotd kresd pdnsd maradns dnrd mydns "                                                                                                    },
    {"ypwhich ypcat ypmatch getent domainname", "",                                             " ypserv ypbind "                                             },
    {"ntpq ntpdc ntpdate chronyc ntptime",      "123",                                          " ntpd xntpd openntpd chronyd "                               },
    {"mysqladmin mysqlshow mysql mariadb",      "3306",
     " mysqld mysqld_safe safe_mysqld mariadbd mysql.server "                                                                                                 },
    {"psql pg_isready",                         "5432",                                         " postgres postmaster postgresql "                            },
    {"ldapsearch ldapwhoami",                   "389 636",                                      " slapd ns-slapd in.ldapd "                                   },
    {"smbclient nmblookup testparm",            "137 138 139 445",                              " smbd nmbd samba "                                           },
    {"lpq lpstat lpc",                          "515 631",                                      " lpd cupsd "                                                 },
    {"snmpget snmpwalk",                        "161",                                          " snmpd "                                                     },
    {"curl wget",                               "80 443 8080",
     " httpd apache apache2 apachectl apache2ctl lighttpd nginx thttpd mini_httpd boa uhttpd "                                                                },
    {"squidclient",                             "3128",                                         " squid "                                                     },
    {"ssh-keyscan",                             "22",                                           " sshd sshd2 dropbear "                                       },
    {"mailq",                                   "25 465 587 smtp",                              " sendmail exim exim4 postfix master smail smtpd qmail-smtpd "},
    {"",                                        "110 143 993 995",                              " dovecot imapd in.imapd ipop3d popper cucipop inetd xinetd " },
    {"telnet ftp finger",                       "7 9 13 19 21 23 37 69 79 113 512 513 514 540",
     " inetd xinetd rlinetd telnetd in.telnetd ftpd in.ftpd proftpd vsftpd pure-ftpd "
     "wu-ftpd identd in.identd fingerd in.fingerd tftpd in.tftpd atftpd "                                                                                     },
};

/* ---- which loops wait ---- */

static bool ends_wait(const struct shell *sh, int c)
{
    return rc_is_named(sh, c, " break return exit exec ");
}

/* while read: the loop ends with its input. */
static bool reads_input(const struct shell *sh, int loop, int first)
{
    const struct shell_command *command = &sh->commands[first];

    return sh->bytes[sh->commands[loop].start] == 'w' && rc_is_named(sh, first, " read getopts ") &&
           command->first_redir == SHELL_NO &&
           (command->next == SHELL_NO || command->op == SHELL_AND);
}

/* The condition of loop C is the same each time. */
static bool is_endless(const struct shell *sh, int c)
{
    int first;

    if (sh->commands[c].kind != SHELL_LOOP)
        return true;
    first = sh->blocks[sh->commands[c].first_block].first;
    for (; first != SHELL_NO; first = sh->commands[first].next)
        if (!rc_is_named(sh, first, " : true sleep usleep "))
            return false;
    return true;
}

/* LEAVE: the first command behind its start that leaves a loop. */
static bool goes_on(const struct shell *sh, int c, int leave)
{
    const struct shell_command *loop = &sh->commands[c];
    int first = sh->blocks[loop->first_block].first;

    if (is_endless(sh, c))
        return leave != SHELL_NO && sh->commands[leave].start < loop->end;
    return !reads_input(sh, c, first);
}

/* Per command the first one from it on that leaves a loop. */
static int *leaves_of(const struct shell *sh)
{
    int *next = mem_array(sh->ncommands + 1, sizeof(*next));

    next[sh->ncommands] = SHELL_NO;
    for (size_t c = sh->ncommands; c-- > 0;)
        next[c] = ends_wait(sh, (int)c) ? (int)c : next[c + 1];
    return next;
}

static void hear_loop(struct rc_names *names, const struct shell *sh, int c)
{
    const struct shell_command *loop = &sh->commands[c];
    struct rc_listener l = {.names = names, .sh = sh, .where = RC_IN_CALL};

    l.end = rc_last_run(names, sh, c);
    if (l.end > loop->end)
        rc_hear(&l, loop->start, loop->end);
    l.where = RC_IN_LOOP;
    l.end = loop->end;
    rc_hear(&l, loop->start, loop->end);
}

/* C calls a function that waits: its arguments may tell for what. */
static void hear_call(struct rc_names *names, const struct shell *sh, int c)
{
    struct rc_listener l = {.names = names, .sh = sh, .where = RC_IN_CALL};

    l.end = rc_last_run(names, sh, c);
    rc_hear_words(&l, sh->commands[c].start, sh->commands[c].end);
    for (int w = sh->words[shell_name_word(sh, c)].next; w != SHELL_NO; w = sh->words[w].next)
        rc_hear_run(&l, sh->words[w].start, sh->words[w].end);
}

static void hear_loops(struct rc_names *names, const struct shell *sh)
{
    int *leaves = leaves_of(sh);
    size_t behind = 0; /* the last loop that was heard */

    for (int c = 0; (size_t)c < sh->ncommands; c++) {
        const struct shell_command *command = &sh->commands[c];

        if ((command->kind != SHELL_LOOP && command->kind != SHELL_FOR) ||
            command->first_block == SHELL_NO ||
            (command->kind == SHELL_FOR && command->first_word != SHELL_NO) ||
            !goes_on(sh, c, leaves[c]))
            continue;
        if (command->start >= behind)
            hear_loop(names, sh, c);
        behind = command->end > behind ? command->end : behind;
        rc_calls_mark(names, sh, c, RC_WAITS);
    }
    free(leaves);
    rc_calls_spread(names, sh, RC_WAITS);
    for (int c = 0; (size_t)c < sh->ncommands; c++) {
        const struct rc_name *n = rc_called_by(names, sh, c);

        if (n != NULL && (n->traits & RC_WAITS))
            hear_call(names, sh, c);
    }
}

/* ---- what they name is heard, too ---- */

/* A text that a loop may name: the body of a function, a value of a variable. */
struct told {
    enum rc_key key;
    const char *name;
    size_t len, start, end;
    struct rc_mention heard[RC_WAITINGS]; /* so far */
};

struct tolds {
    struct told *v;
    size_t n, cap;
};

static void add_told(struct tolds *t, enum rc_key key, const char *name, size_t len)
{
    t->v = mem_grow(t->v, t->n, &t->cap, sizeof(*t->v));
    t->v[t->n++] = (struct told){.key = key, .name = name, .len = len};
}

static void add_value(struct tolds *t, const char *name, size_t len, size_t start, size_t end)
{
    static const enum rc_key keys[] = {RC_KEY_VALUE, RC_KEY_RUN};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        add_told(t, keys[i], name, len);
        t->v[t->n - 1].start = start;
        t->v[t->n - 1].end = end;
    }
}

/* NAME=VALUE, ${NAME:=VALUE} */
static void add_assignment(struct tolds *t, const struct shell *sh, const struct shell_word *w)
{
    size_t name = w->start, end;

    if (name < w->end && sh->bytes[name] == '"')
        name++;
    if (name + 1 < w->end && memcmp(sh->bytes + name, "${", 2) == 0)
        name += 2;
    for (end = name;
         end < w->end && (isalnum((unsigned char)sh->bytes[end]) || sh->bytes[end] == '_');)
        end++;
    w = &(const struct shell_word){.start = end, .end = w->end};
    if (end == name || end == w->end)
        return;
    if (sh->bytes[end] == ':' || sh->bytes[end] == '+')
        end++;
    if (end < w->end && sh->bytes[end] == '=')
        add_value(t, sh->bytes + name, w->start - name, end + 1, w->end);
}

static void add_texts(struct tolds *t, const struct shell *sh, int c)
{
    const struct shell_command *command = &sh->commands[c];
    const struct shell_word *first;

    if (command->first_word == SHELL_NO)
        return;
    first = &sh->words[command->first_word];
    if (command->kind == SHELL_FUNCTION && command->first_block != SHELL_NO) {
        add_told(t, RC_KEY_CALL, sh->bytes + first->start, first->end - first->start);
        t->v[t->n - 1].start = sh->blocks[command->first_block].start;
        t->v[t->n - 1].end = command->end;
    } else if (command->kind == SHELL_FOR && first->next != SHELL_NO) {
        add_value(t, sh->bytes + first->start, first->end - first->start,
                  sh->words[first->next].start, sh->words[command->last_word].end);
    }
    for (int w = command->kind == SHELL_SIMPLE ? command->first_word : SHELL_NO; w != SHELL_NO;
         w = sh->words[w].next)
        add_assignment(t, sh, &sh->words[w]);
}

/* T is named in a loop: what it says is said there. A value stands where it is used. */
static bool hear_told(struct rc_names *names, const struct shell *sh, struct told *t)
{
    const struct rc_name *n = rc_heard(names, t->key, t->name, t->len);
    bool more = false;

    for (unsigned where = 0; n != NULL && where < RC_WAITINGS; where++) {
        struct rc_mention m = n->awaited[where];
        struct rc_listener l = {
            names, sh, (enum rc_waiting)where, t->key != RC_KEY_CALL, m.end, m.first, m.last};

        if (m.end == t->heard[where].end &&
            (t->key == RC_KEY_CALL ||
             (m.first == t->heard[where].first && m.last == t->heard[where].last)))
            continue;
        t->heard[where] = m;
        more = true;
        if (t->key == RC_KEY_CALL)
            rc_hear(&l, t->start, t->end);
        else if (t->key == RC_KEY_VALUE)
            rc_hear_words(&l, t->start, t->end);
        else
            rc_hear_run(&l, t->start, t->end);
        n = rc_heard(names, t->key, t->name, t->len); /* the table may have moved */
    }
    return more;
}

void rc_waits_read(struct rc_names *names, const struct shell *sh)
{
    struct tolds t = {0};
    bool more = true;

    hear_loops(names, sh);
    for (size_t c = 0; c < sh->ncommands; c++)
        add_texts(&t, sh, (int)c);
    for (int pass = 0; more && pass < PASSES_MAX; pass++) {
        more = false;
        for (size_t i = 0; i < t.n; i++)
            more = hear_told(names, sh, &t.v[i]) || more;
    }
    if (more)
        rc_hear_key(
            &(struct rc_listener){
                .names = names, .sh = sh, .end = sh->len + 1, .last = sh->len + 1},
            RC_KEY_ALL, "*", 1);
    free(t.v);
}

/* ---- whether it is the daemon ---- */

static bool is_outside(const struct rc_script *s, const struct rc_region *r,
                       const struct rc_mention *m)
{
    size_t end = s->sh->commands[r->last].end;

    return m->end > end && (m->last >= end || m->first < s->sh->commands[r->first].start);
}

/* A loop around or behind the region that goes on has it, or one that is called. */
static bool is_heard(const struct rc_script *s, const struct rc_region *r, enum rc_key key,
                     const char *text, size_t len)
{
    const struct rc_name *n = rc_heard(&s->names, key, text, len);

    return n != NULL &&
           (is_outside(s, r, &n->awaited[RC_IN_LOOP]) || is_outside(s, r, &n->awaited[RC_IN_CALL]));
}

/* One of LIST, which has a blank between them; a port may go by its name. */
static bool is_one_heard(const struct rc_script *s, const struct rc_region *r, enum rc_key key,
                         const char *list)
{
    while (*list != '\0') {
        size_t len = strcspn(list, " ");

        if (is_heard(s, r, key == RC_KEY_PORT && isalpha((unsigned char)*list) ? RC_KEY_WORD : key,
                     list, len))
            return true;
        list += len + (list[len] == ' ');
    }
    return false;
}

static bool is_client_heard(const struct rc_script *s, const struct rc_region *r, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        if (rc_is_in(name, clients[i].daemons) &&
            (is_one_heard(s, r, RC_KEY_PROGRAM, clients[i].programs) ||
             is_one_heard(s, r, RC_KEY_PORT, clients[i].ports)))
            return true;
    return false;
}

/* A word that the name of the daemon has, or that word less its d. */
static bool is_part_heard(const struct rc_script *s, const struct rc_region *r, const char *part,
                          size_t len)
{
    return is_heard(s, r, RC_KEY_WORD, part, len) ||
           (len > 3 && part[len - 1] == 'd' && is_heard(s, r, RC_KEY_WORD, part, len - 1));
}

/* A word of many names, and not the whole of one. */
static bool is_common(const char *name, const char *part, size_t len)
{
    static const char *const common[] = {"rpc", "server", "daemon", "safe", "mini", "inetutils"};

    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        if (strlen(common[i]) == len && memcmp(part, common[i], len) == 0)
            return strlen(name) > len;
    return false;
}

bool rc_is_awaited(const struct rc_script *s, const struct rc_region *r, const char *name)
{
    char *lower = mem_strdup(name);
    bool heard = is_client_heard(s, r, name) || is_heard(s, r, RC_KEY_ALL, "*", 1);

    for (char *p = lower; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    for (const char *p = lower; *p != '\0' && !heard;) {
        size_t len = 0;

        while (isalnum((unsigned char)p[len]))
            len++;
        heard = len > 2 && !is_common(lower, p, len) && is_part_heard(s, r, p, len);
        p += len + (p[len] != '\0');
    }
    free(lower);
    return heard;
}
