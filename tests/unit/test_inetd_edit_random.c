/*
 * Files put together at random from the pieces that matter to the daemons: blanks, '#', '\',
 * quotes, newlines, halves of entries. Whatever is found may be commented out, one by one and in
 * random sets: only '#' bytes appear, and the proof passes. A failure names the seed that repeats
 * it.
 */
#include "inetd_case.h"

static const char *const pieces[] = {
    "telnet stream tcp nowait root /t t",
    "finger stream tcp nowait root /f f\n",
    "login stream tcp nowait root /l l\n",
    "\tshell stream tcp nowait root /s s\n",
    "exec stream tcp nowait root /e e \\\n",
    "ftp stream tcp nowait root\n\t/f f\n",
    "b on protocol = tcp, user = root, exec = /b;\n",
    "c on\n\tprotocol = tcp, # c\n\tuser = root;",
    "# time stream tcp nowait root internal\n",
    "imap2 stream tcp nowait root\n",
    "/i i\n",
    "pop3 stream",
    "tcp nowait root /p p",
    "1.2.3.4:",
    "*:\n",
    "#",
    "# ",
    "#<off># ",
    "#@",
    "@",
    " ",
    "\t",
    "  ",
    "\n",
    "\n",
    "\n\n",
    "\\\n",
    "\\",
    "\r\n",
    "\"",
    "'",
    ";",
    ",",
    "x",
    "a on protocol = tcp, user = root",
    "on",
    "off",
    ".include x\n",
    "protocol = udp;",
    "\n ",
    "\n\t",
    "\n#",
    "\n# ",
    "/usr/sbin/tcpd",
    "internal",
    "\x03",
    "\xef\xbb\xbf",
};

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) & 0x7fff;
}

static void make_text(struct buf *out, unsigned *seed)
{
    size_t n = 3 + next_random(seed) % 25;

    buf_clear(out);
    for (size_t i = 0; i < n; i++)
        buf_adds(out, pieces[next_random(seed) % ARRAY_LEN(pieces)]);
    /* Now and then a line near the limits of what is read at once. */
    if (next_random(seed) % 8 == 0) {
        size_t pad = 1000 + next_random(seed) % 60 + (next_random(seed) % 4 == 0 ? 1024 : 0);

        for (size_t i = 0; i < pad; i++)
            buf_addc(out, next_random(seed) % 40 == 0 ? ' ' : 'y');
        for (size_t i = 0; i < 6; i++)
            buf_adds(out, pieces[next_random(seed) % ARRAY_LEN(pieces)]);
    }
}

static size_t try_text(const struct buf *text, const char *dialect, const char *name,
                       unsigned *seed)
{
    struct inetd_case c = {0};
    bool *wanted;
    size_t edits = 0;

    buf_add(&c.bytes, buf_str(text), text->len);
    case_parse(&c, dialect, name);
    wanted = mem_array(c.parse.entries.n + 1, sizeof(bool));
    for (size_t i = 0; i < c.parse.entries.n; i++) {
        memset(wanted, 0, c.parse.entries.n * sizeof(bool));
        wanted[i] = true;
        edits += case_disable(&c, wanted);
    }
    for (size_t i = 0; i < c.parse.entries.n; i++)
        wanted[i] = next_random(seed) % 2 == 0;
    edits += case_disable(&c, wanted);
    free(wanted);
    case_free(&c);
    return edits;
}

static void test_random(void **state)
{
    static const char *const dialects[] = {"openbsd", "inetutils", "busybox",
                                           "freebsd", "netbsd",    "classic"};
    const char *from = getenv("BATTEN_SEED"), *rounds = getenv("BATTEN_ROUNDS");
    unsigned long first = from ? strtoul(from, NULL, 10) : 1;
    unsigned long count = from ? 1 : rounds ? strtoul(rounds, NULL, 10) : 1500;
    struct buf text = BUF_INIT;
    size_t edits = 0;

    (void)state;
    for (unsigned long i = first; i < first + count; i++) {
        unsigned seed = (unsigned)i * 7919u;
        const char *dialect = dialects[i % ARRAY_LEN(dialects)];
        char *name = mem_printf("seed-%lu", i);

        make_text(&text, &seed);
        if (from != NULL)
            fwrite(text.data, 1, text.len, stderr);
        edits += try_text(&text, dialect, name, &seed);
        free(name);
    }
    printf("# %lu texts, %zu edits\n", count, edits);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
