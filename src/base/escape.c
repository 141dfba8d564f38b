#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "batten/buf.h"
#include "batten/mem.h"
#include "batten/text.h"

void text_escape(struct buf *out, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c <= ' ' || c > '~' || c == '%')
            buf_printf(out, "%%%02X", c);
        else
            buf_addc(out, (char)c);
    }
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *text_unescape(const char *word, size_t *len)
{
    char *out = mem_alloc(strlen(word) + 1);
    size_t n = 0;

    for (const char *s = word; *s != '\0'; s++) {
        bool escaped = *s == '%';

        if (*s <= ' ' || *s > '~' ||
            (escaped && (hex(s[1]) < 0 || s[1] == '\0' || hex(s[2]) < 0))) {
            free(out);
            return NULL;
        }
        out[n++] = escaped ? (char)(hex(s[1]) * 16 + hex(s[2])) : *s;
        s += escaped ? 2 : 0;
    }
    *len = n;
    return out;
}

/* $'...' is the one quoting that can say a control byte without holding it. */
static void shell_escape(struct buf *out, const char *word)
{
    buf_adds(out, "$'");
    for (; *word != '\0'; word++) {
        unsigned char c = (unsigned char)*word;

        if (c < 0x20 || c >= 0x7f)
            buf_printf(out, "\\%03o", c);
        else if (c == '\'' || c == '\\')
            buf_printf(out, "\\%c", c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '\'');
}

void text_shell_word(struct buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789@%+=:,./-_";
    bool printable = true;

    if (*word != '\0' && strspn(word, plain) == strlen(word)) {
        buf_adds(out, word);
        return;
    }
    for (const char *c = word; *c != '\0'; c++)
        printable =
            printable && (unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f && *c != '\'';
    if (printable)
        buf_printf(out, "'%s'", word);
    else
        shell_escape(out, word);
}
