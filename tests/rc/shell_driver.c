/*
 * shell_driver FILE... - what the scanner says of scripts
 *
 * Prints one line per file: "balanced FILE", or "FILE:LINE:COLUMN: problem" for the first problem.
 */
#include "batten/shell.h"

#include <stdio.h>

#include "batten/buf.h"

static int read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char chunk[16384];
    size_t n;

    if (f == NULL)
        return -1;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(out, chunk, n);
    return fclose(f);
}

static void report(const char *path, const struct buf *text)
{
    struct shell *sh = shell_parse(buf_str(text), text->len);

    if (shell_balanced(sh)) {
        printf("balanced %s\n", path);
    } else {
        unsigned line = shell_line(sh, sh->problems[0].offset);

        printf("%s:%u:%zu: %s\n", path, line,
               sh->problems[0].offset - shell_line_start(sh, line) + 1, sh->problems[0].message);
    }
    shell_free(sh);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct buf text = BUF_INIT;

        if (read_file(argv[i], &text) != 0) {
            perror(argv[i]);
            return 2;
        }
        report(argv[i], &text);
        buf_release(&text);
    }
    return 0;
}
