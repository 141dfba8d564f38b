/* Starts through another script or the service manager: rc.NAME, init.d, service NAME start. */
#include "rcscript.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

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

bool rc_is_start_script(const char *path)
{
    const char *base = rc_basename(path);

    if (base == NULL || strchr(path, '/') == NULL)
        return false;
    return text_starts(base, "rc.") || strstr(path, "/init.d/") != NULL ||
           strstr(path, "/rc.d/") != NULL ||
           (base[0] == 'S' && isdigit((unsigned char)base[1]) && isdigit((unsigned char)base[2]));
}

void rc_find_service(struct rc_script *s, const struct rc_words *w, size_t at, bool list,
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

bool rc_says_start(const struct rc_words *w, size_t at)
{
    const char *verb = at + 1 < w->n ? w->v[at + 1].text : "start";

    return rc_is_in(verb, " start restart onestart faststart forcestart ");
}

bool rc_find_script(struct rc_script *s, const struct rc_words *w, size_t at, struct rc_hits *hits)
{
    char *name;
    struct rc_hit *hit;

    if (!rc_is_start_script(w->v[at].text))
        return false;
    name = daemon_of_script(s, w->v[at].text);
    if (name == NULL || !rc_says_start(w, at))
        goto out;
    hit = rc_hits_add(hits, name, w, at, w->n - at - 1);
    hit->indirect = true;
out:
    free(name);
    return true;
}
