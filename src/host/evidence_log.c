#include "evidence_int.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "batten/mem.h"

enum { DAY = 86400, LOOKED = 1024 };

static bool digits(const char *s, size_t n, int *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == ' ' && i + 1 < n && *out == 0)
            continue;
        if (s[i] < '0' || s[i] > '9')
            return false;
        *out = *out * 10 + (s[i] - '0');
    }
    return true;
}

static int month_of(const char *s)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (memcmp(names + (size_t)i * 3, s, 3) == 0)
            return i;
    return -1;
}

static bool clock_of(const char *s, struct tm *tm)
{
    return s[2] == ':' && s[5] == ':' && digits(s, 2, &tm->tm_hour) &&
           digits(s + 3, 2, &tm->tm_min) && digits(s + 6, 2, &tm->tm_sec);
}

/* "Nov 21 10:11:12 ", local time without a year: the last such day that is not to come. */
static size_t stamp_short(const char *s, size_t len, int64_t now, int64_t *time)
{
    struct tm tm = {.tm_isdst = -1}, today;
    time_t t = (time_t)now;

    if (len < 16 || s[3] != ' ' || s[6] != ' ' || s[15] != ' ' || !clock_of(s + 7, &tm) ||
        !digits(s + 4, 2, &tm.tm_mday) || localtime_r(&t, &today) == NULL)
        return 0;
    tm.tm_mon = month_of(s);
    tm.tm_year = today.tm_year;
    if (tm.tm_mon < 0)
        return 0;
    *time = mktime(&tm);
    if (*time > now + DAY) {
        tm.tm_year--;
        tm.tm_isdst = -1;
        *time = mktime(&tm);
    }
    return 16;
}

/* "2026-11-21T10:11:12.123456+01:00 " */
static size_t stamp_long(const char *s, size_t len, int64_t *time)
{
    struct tm tm = {0};
    int hours, minutes;
    size_t at = 19;

    if (len < 21 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || !digits(s, 4, &tm.tm_year) ||
        !digits(s + 5, 2, &tm.tm_mon) || !digits(s + 8, 2, &tm.tm_mday) || !clock_of(s + 11, &tm))
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    *time = timegm(&tm);
    while (at < len && (s[at] == '.' || (s[at] >= '0' && s[at] <= '9')))
        at++;
    if (at + 1 < len && s[at] == 'Z' && s[at + 1] == ' ')
        return at + 2;
    if (at + 6 >= len || (s[at] != '+' && s[at] != '-') || s[at + 6] != ' ' ||
        !digits(s + at + 1, 2, &hours) || !digits(s + at + 4, 2, &minutes))
        return 0;
    *time += (s[at] == '+' ? -60 : 60) * (int64_t)(hours * 60 + minutes);
    return at + 7;
}

static struct span take_word(const char **at, const char *end)
{
    struct span w = {*at, 0};

    while (*at < end && **at != ' ')
        (*at)++;
    w.len = (size_t)(*at - w.at);
    while (*at < end && **at == ' ')
        (*at)++;
    return w;
}

/* "in.telnetd[123]:", "/usr/sbin/in.ftpd:" -> the name alone; empty when it is no tag. */
static struct span tag_name(struct span w)
{
    size_t len = 0;

    while (len < w.len && w.at[len] != '[' && w.at[len] != ':')
        len++;
    if (len == w.len)
        return (struct span){w.at, 0};
    for (size_t i = len; i > 0; i--)
        if (w.at[i - 1] == '/')
            return (struct span){w.at + i, len - i};
    return (struct span){w.at, len};
}

static const char *find(const char *at, const char *end, const char *what)
{
    size_t len = strlen(what);

    for (; at + len <= end; at++)
        if (strncasecmp(at, what, len) == 0)
            return at + len;
    return NULL;
}

static struct span word_after(const char *at, const char *end)
{
    struct span w = {at, 0};

    while (w.at < end && strchr(" '[(", *w.at) != NULL)
        w.at++;
    while (w.at + w.len < end && strchr(" ,;)]'", w.at[w.len]) == NULL)
        w.len++;
    return w;
}

/* How the programs of inetd tell that somebody came: 'connect from HOST' (tcpd), 'connection from
 * HOST' (ftpd), 'START: telnet pid=7 from=HOST' (xinetd), 'LOGIN ON pts/1 BY amy FROM HOST',
 * 'Accepted password for amy from HOST' (sshd), 'Login user=amy host=HOST' (imapd). */
static struct span came_from(const char *at, const char *end)
{
    static const char *const marks[] = {"from=", " from ", "host=", "rhost="};
    const char *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(marks) && found == NULL; i++)
        found = find(at, end, marks[i]);
    return found != NULL ? word_after(found, end) : (struct span){at, 0};
}

static bool is_word(struct span w, const char *name)
{
    return w.len == strlen(name) && memcmp(w.at, name, w.len) == 0;
}

/* What somebody tried and did not get is no use; neither is the end of a session. */
static bool is_other(const char *at, const char *end)
{
    static const char *const marks[] = {"failed",     "failure", "invalid", "closed",
                                        "disconnect", "EXIT: ",  "timeout", "timed out"};

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (find(at, end, marks[i]) != NULL)
            return true;
    return false;
}

bool log_line_is_super(const struct log_line *l)
{
    return is_word(l->word, "xinetd") || is_word(l->word, "inetd");
}

void log_line_understand(struct log_line *l)
{
    const char *at = l->message.at, *end = at + l->message.len, *named = NULL;

    l->host = came_from(at, end);
    if (l->host.len == 0)
        return;
    l->refused = find(at, end, "refused") != NULL || find(at, end, "FAIL: ") != NULL;
    if (!l->refused && is_other(at, end)) {
        l->host.len = 0;
        return;
    }
    if (is_word(l->word, "xinetd"))
        named = find(at, end, l->refused ? "FAIL: " : "START: ");
    else if (is_word(l->word, "inetd"))
        named = find(at, end, "service ");
    if (named != NULL)
        l->word = word_after(named, end);
}

bool log_line_read(struct log_line *out, const char *line, size_t len, int64_t now)
{
    const char *at = line, *end = line + (len < LOOKED ? len : LOOKED);
    size_t stamp;

    *out = (struct log_line){0};
    len = (size_t)(end - line);
    stamp = stamp_short(line, len, now, &out->time);
    if (stamp == 0)
        stamp = stamp_long(line, len, &out->time);
    if (stamp == 0)
        return false;
    at += stamp;
    take_word(&at, end); /* the host that wrote the line */
    out->word = tag_name(take_word(&at, end));
    if (out->word.len == 0)
        out->word = tag_name(take_word(&at, end));
    out->message = (struct span){at, (size_t)(end - at)};
    return true;
}
