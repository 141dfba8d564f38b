#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/spawn.h"

enum { PATIENCE_MS = 300, UPDATE_MS = 100, DUMB_MS = 30000 };

/* One terminal, one line: what stands there now. */
static struct {
    bool on, dumb, shown;
    long long started, last; /* ms since boot; 0: never */
} line;

void progress_enable(bool yes)
{
    const char *term = getenv("TERM");

    line.on = yes && isatty(STDERR_FILENO);
    line.dumb = term == NULL || *term == '\0' || strcmp(term, "dumb") == 0;
    line.started = boot_clock_ms();
}

void progress_show(const char *text)
{
    long long now;

    if (!line.on)
        return;
    now = boot_clock_ms();
    if (!line.dumb)
        fprintf(stderr, "\r%s\033[K", text);
    else if (line.last == 0 || now - line.last >= DUMB_MS)
        fprintf(stderr, "%s\n", text);
    else
        return;
    line.last = now;
    line.shown = true;
}

void progress_count(const char *what, size_t n)
{
    char text[80];
    long long now;

    if (!line.on)
        return;
    now = boot_clock_ms();
    if (now - line.started < PATIENCE_MS || now - line.last < UPDATE_MS)
        return;
    snprintf(text, sizeof(text), "%zu %s", n, what);
    progress_show(text);
}

void progress_clear(void)
{
    if (line.shown && !line.dumb)
        fputs("\r\033[K", stderr);
    line.shown = false;
}
