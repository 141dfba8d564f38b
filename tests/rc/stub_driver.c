/*
 * stub_driver - stands for every command of a traced script
 *
 * Run by the kernel for a file that begins with "#!/.x/stub" or "#!/.x/stub STATUS". Without a
 * status it appends its arguments to /.x/log as one line, words parted by byte 31, and ends with 0,
 * or with 1 when the last of them is "-fail1"; with one it writes nothing and ends with it.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "batten/buf.h"

/* In a root without /proc there is no leak check; nor is there an environment to say so. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static void add_word(struct buf *line, const char *word)
{
    for (; *word != '\0'; word++)
        buf_addc(line, *word == '\n' || *word == 31 ? ' ' : *word);
}

int main(int argc, char **argv)
{
    struct buf line = BUF_INIT;
    int fd;

    if (argc > 1 && (argv[1][0] == '0' || argv[1][0] == '1'))
        return argv[1][0] - '0';
    fd = open("/.x/log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    for (int i = 1; i < argc; i++) {
        if (i > 1)
            buf_addc(&line, 31);
        add_word(&line, argv[i]);
    }
    buf_addc(&line, '\n');
    /* in one write, so that lines of commands side by side do not mix */
    if (fd < 0 || write(fd, line.data, line.len) < 0)
        return 1;
    buf_release(&line);
    return strcmp(argv[argc - 1], "-fail1") == 0;
}
