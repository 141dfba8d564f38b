/* Which commands start a daemon. */
#include "rcscript.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum { TEXT_DEPTH = 4 };

/* ---- programs that are named but not started ---- */

static bool has_prefix(const struct rc_words *w, size_t from, const char *const *prefixes)
{
    for (size_t i = from; i < w->n; i++)
        for (const char *const *p = prefixes; *p != NULL; p++)
            if (text_starts(w->v[i].text, *p))
                return true;
    return false;
}

/* The program at WORDS[AT], named NAME, is run to do something else than to serve. */
static bool only_asks(const char *name, const struct rc_words *w, size_t at)
{
    /* to others -v means to be loud */
    static const char tells_version[] = " named httpd apache2 nginx lighttpd vsftpd proftpd snmpd "
                                        "squid dnsmasq chronyd rpc.statd rpc.mountd exim exim4 ";
    static const char *const mail[] = {"-bd", "-bD", "-bs", "-q", "-bS", NULL};
    const char *first = at + 1 < w->n ? w->v[at + 1].text : "";
    bool alone = at + 2 == w->n;

    if (rc_is_in(first, " stop status reload kill configtest graceful-stop ") && alone)
        return true;
    if (alone && rc_is_in(first, " -V --version --help -h "))
        return true;
    if (alone && strcmp(first, "-v") == 0 && rc_is_in(name, tells_version))
        return true;
    if (rc_is_in(name, " nfsd rpc.nfsd ") && alone && strcmp(first, "0") == 0)
        return true; /* no threads: it stops them */
    if (rc_is_in(name, " sendmail exim exim4 smail "))
        return !has_prefix(w, at + 1, mail);
    if (rc_is_in(name, " apachectl apache2ctl postfix ndc rndc "))
        return !rc_is_in(first, " start restart startssl ") && !has_prefix(w, at + 1, mail);
    if (strcmp(name, "squid") == 0 && rc_is_in(first, " -z -k "))
        return true;
    if (rc_is_in(name, " sshd httpd apache2 nginx ") && rc_is_in(first, " -t -T -s "))
        return true;
    return strcmp(name, "httpd") == 0 && strcmp(first, "-k") == 0 && at + 2 < w->n &&
           !rc_is_in(w->v[at + 2].text, " start restart startssl ");
}

/* A program that stands for a name: NAMED or named_program for named. */
static char *name_of_variable(const struct rc_script *s, const struct rc_word *w)
{
    static const char *const tails[] = {"_program", "_bin", "_daemon", "_cmd", NULL};
    const char *text = s->sh->bytes + w->start;
    size_t len = w->end - w->start, from = 0;
    char *name, *found = NULL;

    while (from < len && strchr("\"${", text[from]) != NULL)
        from++;
    if (from == 0 || text[from - 1] == '"')
        return NULL;
    name = mem_strndup(text + from, len - from);
    for (char *p = name; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && *p != '_')
            *p = '\0';
        else
            *p = (char)tolower((unsigned char)*p);
        if (*p == '\0')
            break;
    }
    for (const char *const *t = tails; *t != NULL; t++) {
        size_t n = strlen(name), k = strlen(*t);

        if (n > k && strcmp(name + n - k, *t) == 0)
            name[n - k] = '\0';
    }
    if (rc_is_daemon(s, name))
        found = mem_strdup(name);
    free(name);
    return found;
}

/* The program at WORDS[AT] is only known when the script runs. */
static void find_computed(struct rc_script *s, const struct rc_words *w, size_t at, unsigned depth,
                          struct rc_hits *hits)
{
    static const char only_gap[] = {SHELL_GAP, '\0'};
    struct rc_hit *hit;
    char *name;

    if (depth > 0 || strcmp(w->v[at].text, only_gap) != 0)
        return;
    name = name_of_variable(s, &w->v[at]);
    if (name == NULL)
        return;
    hit = rc_hits_add(hits, name, w, at, w->n - at - 1);
    hit->loose = true;
    hit->locked = mem_printf("its program '%.*s' is not a constant of this file",
                             (int)(w->v[at].end - w->v[at].start), s->sh->bytes + w->v[at].start);
    free(name);
}

static void find_program(struct rc_script *s, const struct rc_words *w, size_t at, unsigned depth,
                         struct rc_hits *hits)
{
    const char *name = rc_basename(w->v[at].text);

    if (name == NULL)
        find_computed(s, w, at, depth, hits);
    else if (rc_is_daemon(s, name) && !only_asks(name, w, at))
        rc_hits_add(hits, name, w, at, w->n - at - 1);
}

/* ---- through another script ---- */

/* Names of start scripts that are not the daemon's own. */
static const struct {
    const char *script, *program;
} scripts[] = {
    {"bind",              "named"    },
    {"bind9",             "named"    },
    {"dns",               "named"    },
    {"nameserver",        "named"    },
    {"rpc",               "portmap"  },
    {"portmapper",        "portmap"  },
    {"nfs",               "nfsd"     },
    {"nfs-server",        "nfsd"     },
    {"nfs-kernel-server", "nfsd"     },
    {"nfsserver",         "nfsd"     },
    {"nfs.server",        "nfsd"     },
    {"nfs.client",        "rpc.statd"},
    {"nfs-common",        "rpc.statd"},
    {"nfslock",           "rpc.statd"},
    {"nfs-client",        "rpc.statd"},
    {"inet",              "inetd"    },
    {"openbsd-inetd",     "inetd"    },
    {"inetutils-inetd",   "inetd"    },
    {"telnet",            "telnetd"  },
    {"ftp",               "ftpd"     },
    {"ssh",               "sshd"     },
    {"yp",                "ypbind"   },
    {"nis",               "ypbind"   },
    {"snmp",              "snmpd"    },
    {"web",               "httpd"    },
    {"samba",             "smbd"     },
    {"smb",               "smbd"     },
    {"cups",              "cupsd"    },
    {"xntp",              "ntpd"     },
    {"ntp",               "ntpd"     },
};

/* The daemon that the script or service called NAME starts, or NULL. Caller frees. */
static char *daemon_of_script(const struct rc_script *s, const char *path)
{
    const char *base = rc_basename(path);
    char *name;

    if (base == NULL)
        return NULL;
    if (text_starts(base, "rc."))
        base += 3;
    else if ((base[0] == 'S' || base[0] == 'K') && isdigit((unsigned char)base[1]) &&
             isdigit((unsigned char)base[2]))
        base += 3;
    name = mem_strdup(base);
    if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".sh") == 0)
        name[strlen(name) - 3] = '\0';
    if (strlen(name) > 8 && strcmp(name + strlen(name) - 8, ".service") == 0)
        name[strlen(name) - 8] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        if (strcmp(scripts[i].script, name) != 0)
            continue;
        free(name);
        name = mem_strdup(scripts[i].program);
        break;
    }
    if (rc_is_daemon(s, name))
        return name;
    free(name);
    return NULL;
}

/* A path that looks like a start script: rc.NAME, or in init.d, rc.d, or SnnNAME. */
static bool is_start_script(const char *path)
{
    const char *base = rc_basename(path);

    if (base == NULL || strchr(path, '/') == NULL)
        return false;
    return text_starts(base, "rc.") || strstr(path, "/init.d/") != NULL ||
           strstr(path, "/rc.d/") != NULL ||
           (base[0] == 'S' && isdigit((unsigned char)base[1]) && isdigit((unsigned char)base[2]));
}

static void find_service(struct rc_script *s, const struct rc_words *w, size_t at, bool list,
                         struct rc_hits *hits)
{
    char *name = daemon_of_script(s, w->v[at].text);
    struct rc_hit *hit;

    if (name == NULL)
        return;
    hit = rc_hits_add(hits, name, w, at, 0);
    hit->indirect = true;
    hit->list = list;
    free(name);
}

static bool find_script(struct rc_script *s, const struct rc_words *w, size_t at,
                        struct rc_hits *hits)
{
    const char *verb = at + 1 < w->n ? w->v[at + 1].text : "start";
    char *name;
    struct rc_hit *hit;

    if (!is_start_script(w->v[at].text))
        return false;
    name = daemon_of_script(s, w->v[at].text);
    if (name == NULL || !rc_is_in(verb, " start restart onestart faststart forcestart "))
        goto out;
    hit = rc_hits_add(hits, name, w, at, w->n - at - 1);
    hit->indirect = true;
out:
    free(name);
    return true;
}

/* ---- through a command line in a word ---- */

/* Commands that may stand beside a start in a command line without being of any consequence. */
static bool is_idle(const struct shell *sh, int c)
{
    static const char *const names[] = {"echo",   "printf", "cd",   "umask", "ulimit",
                                        "export", ":",      "exec", "["};
    int word = shell_name_word(sh, c);

    if (sh->commands[c].kind != SHELL_SIMPLE || word == SHELL_NO)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (shell_word_is(sh, word, names[i]))
            return true;
    return false;
}

/* What is behind the program may be anything, what it is itself may not. */
static void lock_uncertain(struct rc_hit *hit, const struct rc_words *words)
{
    for (size_t i = 0; i < words->n && i <= hit->at; i++) {
        if (!words->v[i].uncertain || hit->loose)
            continue;
        hit->loose = true;
        if (hit->locked == NULL)
            hit->locked = mem_strdup("a variable in it is set in more than one way");
    }
}

void rc_find_text(struct rc_script *s, const char *text, unsigned depth, struct rc_hits *hits)
{
    struct shell *sh;
    struct rc_script inner = *s;
    bool others = false;
    size_t before = hits->n;

    if (depth >= TEXT_DEPTH || strlen(text) > SOURCE_LINE_MAX)
        return;
    sh = shell_parse(text, strlen(text));
    inner.sh = sh;
    for (size_t c = 0; c < sh->ncommands; c++) {
        struct rc_words words = {0};
        size_t found = hits->n;
        int name = shell_name_word(sh, (int)c);

        if (name != SHELL_NO)
            rc_words_get(&inner, name, &words);
        if (words.n > 0)
            rc_find_words(&inner, &words, 0, depth + 1, hits);
        for (size_t i = found; i < hits->n; i++)
            lock_uncertain(&hits->v[i], &words);
        others = others || (hits->n == found && !is_idle(sh, (int)c));
        rc_words_release(&words);
    }
    for (size_t i = before; i < hits->n; i++) {
        if ((others || hits->n - before > 1) && hits->v[i].locked == NULL)
            hits->v[i].locked = mem_strdup("it is one of several commands in one string");
        hits->v[i].list = false;
        hits->v[i].at = SIZE_MAX; /* a word of another command */
    }
    shell_free(sh);
}

static void find_joined(struct rc_script *s, const struct rc_words *w, size_t at, unsigned depth,
                        struct rc_hits *hits)
{
    struct buf text = BUF_INIT;

    for (size_t i = at; i < w->n; i++) {
        buf_adds(&text, i > at ? " " : "");
        buf_adds(&text, w->v[i].text);
    }
    rc_find_text(s, buf_str(&text), depth, hits);
    buf_release(&text);
}

/* ---- */

static void find_list(struct rc_script *s, const struct rc_words *w, size_t at, bool services,
                      struct rc_hits *hits)
{
    size_t before = hits->n;

    for (size_t i = at; i < w->n; i++) {
        const char *name = rc_basename(w->v[i].text);

        if (services)
            find_service(s, w, i, true, hits);
        else if (name != NULL && rc_is_daemon(s, name))
            rc_hits_add(hits, name, w, i, 0)->list = true;
    }
    for (size_t i = before; i < hits->n; i++) {
        hits->v[i].list_at = at;
        rc_hit_set_list(&hits->v[i], w->n - at);
    }
}

/* What listens in place of the program behind it. */
static void set_listener(struct rc_hits *hits, size_t from, const struct rc_word *listener)
{
    for (size_t i = from; listener != NULL && i < hits->n; i++) {
        free(hits->v[i].program);
        hits->v[i].program = mem_strdup(listener->shown);
    }
}

static bool is_listener(const char *text)
{
    return rc_is_in(text_basename(text), " tcpsvd udpsvd tcpserver ");
}

/* The last layer of a command: what is there is a start or is none. */
static void find_inner(struct rc_script *s, const struct rc_words *words, size_t at,
                       enum rc_wrap_kind kind, unsigned depth, struct rc_hits *hits)
{
    switch (kind) {
    case RC_WRAP_NONE:
        if (!find_script(s, words, at, hits))
            find_program(s, words, at, depth, hits);
        break;
    case RC_WRAP_LIST:
        find_list(s, words, at, false, hits);
        break;
    case RC_WRAP_TEXT:
        rc_find_text(s, words->v[at].text, depth, hits);
        break;
    case RC_WRAP_JOIN:
        find_joined(s, words, at, depth, hits);
        break;
    case RC_WRAP_NAME:
        find_service(s, words, at, false, hits);
        break;
    case RC_WRAP_NAMES:
        find_list(s, words, at, true, hits);
        break;
    case RC_WRAP_SCRIPT:
        find_script(s, words, at, hits);
        break;
    case RC_WRAP_SKIP:
    case RC_WRAP_STOP:
    default:
        break;
    }
}

void rc_find_words(struct rc_script *s, const struct rc_words *words, size_t at, unsigned depth,
                   struct rc_hits *hits)
{
    const struct rc_word *listener = NULL;
    size_t before = hits->n;

    for (unsigned layers = 0; layers < 16 && at < words->n; layers++) {
        size_t inner = at;
        enum rc_wrap_kind kind = rc_unwrap(s, words, &inner);

        if (kind != RC_WRAP_SKIP) {
            find_inner(s, words, inner, kind, depth, hits);
            break;
        }
        if (listener == NULL && is_listener(words->v[at].text))
            listener = &words->v[at];
        at = inner;
    }
    set_listener(hits, before, listener);
}

/* How many of the words in front are the shell's own, or a function of the file with its words. */
static size_t count_builtins(const struct rc_script *s, const struct rc_words *words)
{
    size_t at = 0;

    while (at + 1 < words->n) {
        const char *text = words->v[at].text;
        const struct rc_name *f = rc_names_find(&s->names, text, strlen(text));

        if (f != NULL && f->function && at + f->runner < words->n)
            at += f->runner > 0 ? f->runner : 1;
        else if (rc_is_in(text, " exec eval command builtin "))
            at++;
        else
            break;
    }
    return at;
}

/* argv becomes the whole command from word FROM on, as it could be run again; of a list it has the
 * one word. */
static void set_argv(struct rc_hit *hit, const struct rc_words *words, size_t from)
{
    size_t end = hit->list ? hit->list_at : words->n, n = 0;

    for (size_t i = 0; hit->argv[i] != NULL; i++)
        free(hit->argv[i]);
    free(hit->argv);
    hit->argv = mem_array(words->n + 2, sizeof(char *));
    for (size_t i = from; i < end; i++)
        hit->argv[n++] = mem_strdup(words->v[i].shown);
    hit->own = hit->at >= from && hit->at < end ? hit->at - from : n;
    if (hit->list)
        hit->argv[n] = mem_strdup(words->v[hit->at].shown);
}

bool rc_is_worth(struct rc_script *s, int word)
{
    const struct shell_word *w = &s->sh->words[word];
    const char *text = s->sh->bytes + w->start;
    size_t len = w->end - w->start;
    char name[64];
    const char *base;

    for (size_t i = 0; i < len; i++)
        if (text[i] == '$' || text[i] == '`' || text[i] == '"' || text[i] == '\'' ||
            text[i] == '\\')
            return true;
    if (len >= sizeof(name))
        return true;
    memcpy(name, text, len);
    name[len] = '\0';
    base = text_basename(name);
    return rc_is_daemon(s, base) || rc_may_wrap(s, name) || is_start_script(name);
}

void rc_find(struct rc_script *s, int c, struct rc_hits *hits)
{
    struct rc_words words = {0};
    int name = shell_name_word(s->sh, c);
    size_t before = hits->n;

    if (name == SHELL_NO || !rc_is_worth(s, name))
        return;
    rc_words_get(s, name, &words);
    if (words.n > 0)
        rc_find_words(s, &words, 0, 0, hits);
    for (size_t i = before; i < hits->n; i++) {
        set_argv(&hits->v[i], &words, count_builtins(s, &words));
        lock_uncertain(&hits->v[i], &words);
    }
    rc_words_release(&words);
}
