#include "batten/who.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "batten/text.h"

static const long long unset = 4294967295; /* what the kernel says where nobody logged in */

/* The uid that logged in, whatever su or sudo made of it; -1 where it is not known. */
static long long login_uid(void)
{
    FILE *f = fopen("/proc/self/loginuid", "re");
    char line[32] = "";
    long long uid = -1;

    if (f == NULL)
        return -1;
    if (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (text_number(line, 0, unset - 1, &uid) != 0)
            uid = -1;
    }
    fclose(f);
    return uid;
}

static const char *terminal(void)
{
    const char *tty = NULL;

    for (int fd = 0; fd < 3 && tty == NULL; fd++)
        tty = ttyname(fd);
    if (tty == NULL)
        return NULL;
    return text_starts(tty, "/dev/") ? tty + 5 : tty;
}

void who_describe(struct buf *name, struct buf *text)
{
    long long login = login_uid();
    uid_t uid = getuid();
    const struct passwd *pw = getpwuid(login >= 0 ? (uid_t)login : uid);
    const char *tty;

    if (pw != NULL && pw->pw_name[0] != '\0')
        text_safe(name, pw->pw_name, strlen(pw->pw_name));
    else
        buf_printf(name, "%lld", login >= 0 ? login : (long long)uid);
    buf_printf(text, "%s (", buf_str(name));
    if (login >= 0)
        buf_printf(text, "loginuid %lld, ", login);
    buf_printf(text, "uid %lu", (unsigned long)uid);
    tty = terminal();
    if (tty != NULL) {
        buf_adds(text, ", tty ");
        text_safe(text, tty, strlen(tty));
    }
    buf_addc(text, ')');
}
