#include "batten/text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "batten/buf.h"
#include "batten/mem.h"

int text_number(const char *s, long long min, long long max, long long *out)
{
    const char *digits = s[0] == '-' ? s + 1 : s;
    long long value;
    char *end;

    if (*digits < '0' || *digits > '9')
        return -1;
    errno = 0;
    value = strtoll(s, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return -1;
    *out = value;
    return 0;
}

int text_duration(const char *s, long long *ms)
{
    static const struct {
        const char *unit;
        long long ms;
    } units[] = {
        {"ms", 1      },
        {"s",  1000   },
        {"m",  60000  },
        {"h",  3600000}
    };
    size_t digits = strspn(s, "0123456789");
    long long value = 0;
    char *number;
    int bad;

    if (digits == 0 || digits > 12)
        return -1;
    number = mem_strndup(s, digits);
    bad = text_number(number, 0, 100000000, &value);
    free(number);
    for (size_t i = 0; !bad && i < ARRAY_LEN(units); i++) {
        if (strcmp(s + digits, units[i].unit) != 0)
            continue;
        if (value > 86400000 / units[i].ms)
            return -1;
        *ms = value * units[i].ms;
        return 0;
    }
    return -1;
}

/* Bytes of the valid UTF-8 sequence at S (LEN bytes left), its code point in *CP; 0 if invalid.
 * RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF. */
static size_t utf8_sequence(const unsigned char *s, size_t len, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    uint32_t value;

    if (need == 0 || s[0] > 0xf4 || need > len)
        return 0;
    value = need == 1 ? s[0] : s[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (s[i] & 0x3f);
    }
    if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *cp = value;
    return need;
}

/* Code points that reorder or hide text on a terminal (Unicode UAX 9, and the zero-width ones). */
static bool is_deceptive(uint32_t cp)
{
    return cp == 0x061c || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff;
}

void text_safe(struct buf *out, const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;

    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp = 0;

        n = utf8_sequence(s + i, len - i, &cp);
        if (n == 0 || cp == 0x7f || (cp < 0x20 && cp != '\t')) {
            buf_printf(out, "\\x%02x", s[i]);
            n = 1;
        } else if (cp == '\t') {
            buf_addc(out, ' ');
        } else if ((cp >= 0x80 && cp < 0xa0) || is_deceptive(cp)) {
            buf_printf(out, "\\u%04x", cp);
        } else {
            buf_add(out, s + i, n);
        }
    }
}

bool text_utf8(struct buf *out, const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    bool clean = true;

    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp = 0;

        n = utf8_sequence(s + i, len - i, &cp);
        if (n == 0) {
            buf_add(out, "\xef\xbf\xbd", 3);
            clean = false;
            n = 1;
        } else {
            buf_add(out, s + i, n);
        }
    }
    return clean;
}

void text_base64(struct buf *out, const void *bytes, size_t len)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *s = bytes;

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v = (uint32_t)s[i] << 16;

        if (left > 1)
            v |= (uint32_t)s[i + 1] << 8;
        if (left > 2)
            v |= s[i + 2];
        buf_addc(out, set[v >> 18 & 63]);
        buf_addc(out, set[v >> 12 & 63]);
        buf_addc(out, left > 1 ? set[v >> 6 & 63] : '=');
        buf_addc(out, left > 2 ? set[v & 63] : '=');
    }
}

size_t text_width(const char *s)
{
    size_t len = strlen(s), width = 0;

    for (size_t i = 0, n; i < len; i += n) {
        uint32_t cp = 0;
        int w;

        n = utf8_sequence((const unsigned char *)s + i, len - i, &cp);
        w = n == 0 ? 1 : wcwidth((wchar_t)cp);
        width += w >= 0 ? (size_t)w : 1;
        n = n == 0 ? 1 : n;
    }
    return width;
}

enum { WORD_MAX = 64 };

/* Edit distance (insert, delete, replace), Wagner and Fischer 1974, one row at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t alen = strlen(a), blen = strlen(b), row[WORD_MAX + 1];

    if (alen > WORD_MAX || blen > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= blen; j++)
        row[j] = j;
    for (size_t i = 1; i <= alen; i++) {
        size_t corner = row[0];

        row[0] = i;
        for (size_t j = 1; j <= blen; j++) {
            size_t replace = corner + (a[i - 1] != b[j - 1]);
            size_t other = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);

            corner = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[blen];
}

const char *text_nearest(const char *s, const char *const *words, size_t n)
{
    const char *best = NULL;
    size_t least = strlen(s) / 3 + 2;

    if (least > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(s, words[i]);

        if (d < least) {
            least = d;
            best = words[i];
        }
    }
    return best;
}

const char *text_basename(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool text_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

int text_compare(const void *a, size_t alen, const void *b, size_t blen)
{
    size_t common = alen < blen ? alen : blen;
    int order = common ? memcmp(a, b, common) : 0;

    if (order != 0)
        return order;
    return alen < blen ? -1 : alen > blen;
}
