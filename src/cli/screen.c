#include "screen.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

enum { FIELD_INDENT = 13, LONGEST = 1600 };

/* Bytes of the character at S in text that text_safe made: valid UTF-8. */
static size_t character(const char *s)
{
    size_t n = 1;

    while (((unsigned char)s[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* Columns of the character of LEN bytes at S. In a locale without wide characters the terminal most
 * likely shows each byte. */
static size_t columns(const char *s, size_t len)
{
    char one[5] = "";

    if (len == 1 || len >= sizeof(one) || MB_CUR_MAX == 1)
        return len;
    memcpy(one, s, len);
    return text_width(one);
}

/* The longest beginning of S that fits ROOM columns, at least one character. */
static size_t fitting(const char *s, size_t room)
{
    size_t at = 0, used = 0;

    while (s[at] != '\0') {
        size_t n = character(s + at), w = columns(s + at, n);

        if (used + w > room && at > 0)
            break;
        used += w;
        at += n;
    }
    return at;
}

static void spaces(struct buf *out, size_t n)
{
    for (; n > 0; n--)
        buf_addc(out, ' ');
}

/* Where to cut S so that it fits: at the last blank, else inside the word. */
static size_t cut_at(const char *s, size_t room)
{
    size_t fits = fitting(s, room), at = fits;

    if (s[fits] == '\0' || s[fits] == ' ')
        return fits;
    while (at > 0 && s[at] != ' ')
        at--;
    return at > 0 ? at : fits;
}

static void row(struct screen *s, enum role role, const char *text, size_t len)
{
    if (role != ROLE_PLAIN)
        render_role(s->out, s->c, role);
    buf_add(s->out, text, len);
    if (role != ROLE_PLAIN)
        render_role(s->out, s->c, ROLE_PLAIN);
    buf_addc(s->out, '\n');
}

void screen_cut(struct buf *out, const char *text, size_t width)
{
    struct buf safe = BUF_INIT;
    size_t fits;

    text_safe(&safe, text, strnlen(text, LONGEST));
    fits = safe.len > 0 ? fitting(buf_str(&safe), width) : 0;
    if (fits < safe.len)
        fits = fitting(buf_str(&safe), width - 2);
    buf_add(out, buf_str(&safe), fits);
    buf_adds(out, fits < safe.len || strlen(text) > LONGEST ? ".." : "");
    buf_release(&safe);
}

void screen_para(struct screen *s, unsigned first, unsigned indent, enum role role,
                 const char *text)
{
    struct buf safe = BUF_INIT;
    const char *at;
    size_t room = s->width > indent + 10 ? s->width - indent : 10;
    size_t lead = first;

    screen_cut(&safe, text, LONGEST);
    at = buf_str(&safe);
    do {
        size_t len = cut_at(at, lead == first && s->width > first ? s->width - first : room);

        spaces(s->out, lead);
        row(s, role, at, len);
        at += len;
        at += strspn(at, " ");
        lead = indent;
    } while (*at != '\0');
    buf_release(&safe);
}

void screen_field_role(struct screen *s, const char *label, enum role role, const char *text)
{
    struct screen rest = *s;
    struct buf body = BUF_INIT;

    if (text == NULL)
        return;
    rest.out = &body;
    screen_para(&rest, FIELD_INDENT, FIELD_INDENT, role, text);
    /* The label takes the place of the first row's blanks. */
    buf_printf(s->out, "  %-*s", FIELD_INDENT - 2, label);
    buf_add(s->out, body.data + FIELD_INDENT, body.len - FIELD_INDENT);
    buf_release(&body);
}

void screen_field(struct screen *s, const char *label, const char *text)
{
    screen_field_role(s, label, ROLE_PLAIN, text);
}

void screen_verbatim(struct screen *s, unsigned indent, enum role role, const char *bytes,
                     size_t len, unsigned rows)
{
    enum { SHOWN = 8192 };
    struct buf safe = BUF_INIT;
    const char *at;
    size_t room = s->width > indent + 10 ? s->width - indent : 10;

    text_safe(&safe, bytes, len < SHOWN ? len : SHOWN);
    at = buf_str(&safe);
    do {
        size_t fits = fitting(at, room);

        if (rows == 1 && at[fits] != '\0') {
            fits = fitting(at, room - 3);
            spaces(s->out, indent);
            buf_add(s->out, at, fits);
            buf_adds(s->out, "...\n");
            break;
        }
        spaces(s->out, indent);
        row(s, role, at, fits);
        at += fits;
        rows--;
    } while (*at != '\0');
    buf_release(&safe);
}

void screen_rule(struct screen *s, const char *left, const char *right)
{
    struct buf line = BUF_INIT;
    size_t used;

    buf_adds(&line, "--- ");
    text_safe(&line, left, strlen(left));
    buf_addc(&line, ' ');
    used = text_width(buf_str(&line)) + (right ? text_width(right) + 5 : 0);
    for (; used < s->width; used++)
        buf_addc(&line, '-');
    if (right != NULL)
        buf_printf(&line, " %s ---", right);
    row(s, ROLE_HEAD, buf_str(&line), line.len);
    buf_release(&line);
}

void screen_blank(struct screen *s)
{
    buf_addc(s->out, '\n');
}

unsigned screen_rows(const struct buf *text)
{
    unsigned n = 0;

    for (size_t i = 0; i < text->len; i++)
        n += text->data[i] == '\n';
    return n;
}
