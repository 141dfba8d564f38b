/* Loops that go on until a daemon is there: without it they never end. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* Longer words name no daemon, longer values no file of one. */
enum { WORD_MAX = 32, SHORT_VALUE = 128 };

/* Words that stand for a daemon without its name: who asks it, and the port it listens on. */
static const struct {
    const char *words, *daemons;
} clients[] = {
    {"rpcinfo 111 sunrpc",
     " portmap rpcbind rpc.portmap portmapper in.portmap rpc.bind statd rpc.statd rpc.nsm lockd "
     "rpc.lockd klockd mountd rpc.mountd unfsd nfsd rpc.nfsd pcnfsd rpc.pcnfsd ugidd rpc.ugidd "
     "rusersd rpc.rusersd rstatd rpc.rstatd rwalld rpc.rwalld rpc.walld sprayd rpc.sprayd rexd "
     "rpc.rexd rquotad rpc.rquotad ypserv ypbind ypxfrd rpc.ypxfrd yppasswdd rpc.yppasswdd "
     "ypupdated rpc.ypupdated "                                                               },
    {"exportfs showmount 2049",
     " mountd rpc.mountd unfsd nfsd rpc.nfsd portmap rpcbind ganesha.nfsd "                   },
    {"rndc ndc dig host nslookup getent 53",
     " named in.named bind9 named8 dnsd dnsmasq unbound nsd dnscache tinydns pdns_server "
     "pdns_recursor knotd kresd pdnsd maradns dnrd mydns "                                    },
    {"ypwhich ypcat ypmatch getent domainname", " ypserv ypbind "                             },
    {"ntpq ntpdc ntpdate chronyc ntptime 123",  " ntpd xntpd openntpd chronyd "               },
    {"mysqladmin mysqlshow mysql mariadb 3306",
     " mysqld mysqld_safe safe_mysqld mariadbd mysql.server "                                 },
    {"psql isready 5432",                       " postgres postmaster postgresql "            },
    {"ldapsearch ldapwhoami 389 636",           " slapd ns-slapd in.ldapd "                   },
    {"smbclient nmblookup testparm",            " smbd nmbd samba "                           },
    {"lpq lpstat lpc 515 631",                  " lpd cupsd "                                 },
    {"snmpget snmpwalk 161",                    " snmpd "                                     },
    {"curl wget 80 443 8080",
     " httpd apache apache2 apachectl apache2ctl lighttpd nginx thttpd mini_httpd boa uhttpd "},
    {"squidclient 3128",                        " squid "                                     },
};

/* ---- which loops wait ---- */

static bool ends_wait(const struct shell *sh, int c)
{
    return rc_is_named(sh, c, " break return exit exec ");
}

/* C sleeps, or calls a function that does. */
static bool pauses(const struct rc_names *names, const struct shell *sh, int c)
{
    const struct rc_name *n = rc_called_by(names, sh, c);
    const struct shell_command *command = &sh->commands[c];

    if (n != NULL)
        return n->traits & RC_PAUSES;
    return command->kind == SHELL_SIMPLE && command->first_word != SHELL_NO &&
           rc_has_text(sh, command->start, command->end, "sleep");
}

/* The condition of loop C is the same each time, or the end of its input. */
static bool is_deaf(const struct shell *sh, int c)
{
    int cond = sh->commands[c].first_block, first;

    if (sh->commands[c].kind != SHELL_LOOP)
        return true;
    first = sh->blocks[cond].first;
    if (first != SHELL_NO && rc_is_named(sh, first, " read "))
        return true;
    for (; first != SHELL_NO; first = sh->commands[first].next)
        if (!rc_is_named(sh, first, " : true sleep usleep "))
            return false;
    return true;
}

/* Per command the first one from it on for which TEST holds. */
static int *next_of(const struct rc_names *names, const struct shell *sh, bool pause)
{
    int *next = mem_array(sh->ncommands + 1, sizeof(*next));

    next[sh->ncommands] = SHELL_NO;
    for (size_t c = sh->ncommands; c-- > 0;)
        next[c] =
            (pause ? pauses(names, sh, (int)c) : ends_wait(sh, (int)c)) ? (int)c : next[c + 1];
    return next;
}

static bool is_within(const struct shell *sh, int inner, int c)
{
    return inner != SHELL_NO && sh->commands[inner].start < sh->commands[c].end;
}

/* ---- the words that tell what it is ---- */

struct listener {
    struct rc_names *names;
    const struct shell *sh;
    enum rc_waiting where;
    size_t at, end; /* the word, and what has it */
};

static void hear_word(const struct listener *l, const char *text, size_t len)
{
    char word[WORD_MAX];
    struct rc_mention *m;

    if (len < 2 || len >= sizeof(word))
        return;
    for (size_t i = 0; i < len; i++)
        word[i] = (char)tolower((unsigned char)text[i]);
    m = &rc_names_add(l->names, word, len)->awaited[l->where];
    if (l->end < m->end)
        return;
    if (l->end > m->end || l->at < m->first)
        m->first = l->at;
    if (l->end > m->end || l->at > m->last)
        m->last = l->at;
    m->end = l->end;
}

static void hear_words(const struct listener *l, const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n + 1) {
        for (n = 0; i + n < len && isalnum((unsigned char)text[i + n]);)
            n++;
        hear_word(l, text + i, n);
    }
}

/* The words between START and END, and those that its variables hold. */
static void hear(struct listener *l, size_t start, size_t end)
{
    const char *bytes = l->sh->bytes, *value;

    for (size_t i = start, n; i < end; i += n + 1) {
        for (n = 0; i + n < end && (isalnum((unsigned char)bytes[i + n]) || bytes[i + n] == '_');)
            n++;
        l->at = i;
        hear_words(l, bytes + i, n);
        if (n == 0 || i == 0 || (bytes[i - 1] != '$' && bytes[i - 1] != '{'))
            continue;
        value = rc_names_lookup(l->names, bytes + i, n);
        if (value != NULL && strlen(value) < SHORT_VALUE)
            hear_words(l, value, strlen(value));
    }
}

static void hear_loop(struct rc_names *names, const struct shell *sh, int c, bool waits)
{
    const struct shell_command *loop = &sh->commands[c];
    const struct shell_block *cond = &sh->blocks[loop->first_block];
    struct listener l = {.names = names, .sh = sh, .end = rc_last_run(names, sh, c)};

    l.where = RC_IN_CONDITION;
    if (loop->kind == SHELL_LOOP)
        hear(&l, cond->start, cond->end);
    if (!waits)
        return;
    l.where = RC_IN_CALL;
    if (l.end > loop->end)
        hear(&l, loop->start, loop->end);
    l.where = RC_IN_LOOP;
    l.end = loop->end;
    hear(&l, loop->start, loop->end);
}

static void hear_call(struct rc_names *names, const struct shell *sh, int c)
{
    struct listener l = {
        .names = names, .sh = sh, .where = RC_IN_CALL, .end = rc_last_run(names, sh, c)};

    hear(&l, sh->commands[c].start, sh->commands[c].end);
}

void rc_waits_read(struct rc_names *names, const struct shell *sh)
{
    int *pause = next_of(names, sh, true), *leave = next_of(names, sh, false);
    size_t behind = 0; /* the last loop that was heard in full */

    for (int c = 0; (size_t)c < sh->ncommands; c++) {
        const struct shell_command *command = &sh->commands[c];
        bool waits;

        if ((command->kind != SHELL_LOOP && command->kind != SHELL_FOR) ||
            command->first_block == SHELL_NO ||
            (command->kind == SHELL_FOR && command->first_word != SHELL_NO))
            continue;
        waits = is_within(sh, pause[c], c) && (!is_deaf(sh, c) || is_within(sh, leave[c], c));
        hear_loop(names, sh, c, waits && command->start >= behind);
        behind = waits && command->end > behind ? command->end : behind;
        if (waits)
            rc_calls_mark(names, sh, c, RC_WAITS);
    }
    rc_calls_spread(names, sh, RC_WAITS);
    for (int c = 0; (size_t)c < sh->ncommands; c++) {
        const struct rc_name *n = rc_called_by(names, sh, c);

        if (n != NULL && (n->traits & RC_WAITS))
            hear_call(names, sh, c);
    }
    free(pause);
    free(leave);
}

/* ---- whether it is the daemon ---- */

static bool is_outside(const struct rc_script *s, const struct rc_region *r,
                       const struct rc_mention *m)
{
    size_t end = s->sh->commands[r->last].end;

    return m->end > end && (m->last >= end || m->first < s->sh->commands[r->first].start);
}

/* A loop around or behind the region that sleeps has WORD, or one that is called. */
static bool is_heard(const struct rc_script *s, const struct rc_region *r, const char *word,
                     size_t len)
{
    const struct rc_name *n = rc_names_find(&s->names, word, len);

    return n != NULL &&
           (is_outside(s, r, &n->awaited[RC_IN_LOOP]) || is_outside(s, r, &n->awaited[RC_IN_CALL]));
}

/* The same for a word that the name of the daemon has, and for that word less its d. */
static bool is_part_heard(const struct rc_script *s, const struct rc_region *r, const char *part,
                          size_t len)
{
    const struct rc_name *n = rc_names_find(&s->names, part, len);

    return is_heard(s, r, part, len) ||
           (n != NULL && is_outside(s, r, &n->awaited[RC_IN_CONDITION])) ||
           (len > 3 && part[len - 1] == 'd' && is_heard(s, r, part, len - 1));
}

static bool is_client_heard(const struct rc_script *s, const struct rc_region *r, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        if (!rc_is_in(name, clients[i].daemons))
            continue;
        for (const char *word = clients[i].words; *word != '\0';) {
            size_t len = strcspn(word, " ");

            if (is_heard(s, r, word, len))
                return true;
            word += len + (word[len] == ' ');
        }
    }
    return false;
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
    bool heard = is_client_heard(s, r, name);

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
