/* Programs that are named, but not to serve. */
#include "rcscript.h"

#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* Options with which a daemon does one thing and ends. */
static const struct once {
    const char *program;
    const char *words;   /* options of several letters, or that stand alone; blanks around each */
    const char *letters; /* options that may stand together: -gq */
    const char *valued;  /* those that take what is behind them */
} once[] = {
    {"apache2",  " -S -t -l -L -M ",  "",    ""                  },
    {"chronyd",  "",                  "qQp", "fFhlLPtu"          },
    {"dhcpd",    " -t -T ",           "",    ""                  },
    {"dnsmasq",  " --test ",          "",    ""                  },
    {"httpd",    " -S -t -l -L -M ",  "",    ""                  },
    {"lighttpd", "",                  "tp",  "fmi"               },
    {"nginx",    "",                  "tTs", "cegp"              },
    {"ntpd",     " --quit ",          "q",   "cDfIijklprStuUvVwP"},
    {"proftpd",  " -t --configtest ", "",    ""                  },
    {"rsyslogd", "",                  "N",   "firMu"             },
    {"snmpd",    " -H ",              "",    ""                  },
    {"squid",    " -z -k ",           "",    ""                  },
    {"sshd",     "",                  "tTG", "bCcEfghkopu"       },
};

/* A letter of the option WORD is one of ONCE's, before one that takes the rest. *TAKES_NEXT: the
 * word behind belongs to it. */
static bool has_letter(const struct once *o, const char *word, bool *takes_next)
{
    *takes_next = false;
    for (size_t i = 1; word[i] != '\0'; i++) {
        if (strchr(o->letters, word[i]) != NULL)
            return true;
        if (strchr(o->valued, word[i]) == NULL)
            continue;
        *takes_next = word[i + 1] == '\0';
        break;
    }
    return false;
}

static bool runs_once(const struct once *o, const struct rc_words *w, size_t at)
{
    for (size_t i = at + 1; i < w->n && strcmp(w->v[i].text, "--") != 0; i++) {
        const char *word = w->v[i].text;
        bool takes_next = false;

        if (rc_is_in(word, o->words))
            return true;
        if (word[0] == '-' && word[1] != '-' && has_letter(o, word, &takes_next))
            return true;
        i += takes_next;
    }
    return false;
}

static bool has_prefix(const struct rc_words *w, size_t from, const char *const *prefixes)
{
    for (size_t i = from; i < w->n; i++)
        for (const char *const *p = prefixes; *p != NULL; p++)
            if (text_starts(w->v[i].text, *p))
                return true;
    return false;
}

bool rc_only_asks(const char *name, const struct rc_words *w, size_t at)
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
    if (rc_is_in(name, " httpd apache2 ") && rc_is_in(first, " -T -s "))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(once); i++)
        if (strcmp(once[i].program, name) == 0 && runs_once(&once[i], w, at))
            return true;
    return strcmp(name, "httpd") == 0 && strcmp(first, "-k") == 0 && at + 2 < w->n &&
           !rc_is_in(w->v[at + 2].text, " start restart startssl ");
}
