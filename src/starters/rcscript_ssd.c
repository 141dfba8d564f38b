/* start-stop-daemon, which stands in front of the program it starts. */
#include "rcscript.h"

#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"

/* What an option of start-stop-daemon says. */
struct ssd {
    bool start, stop;
    struct rc_word *program; /* of -x or -a, which comes before it */
    bool startas;
};

static void ssd_program(struct ssd *d, struct rc_word *word, bool startas)
{
    if (d->startas && !startas)
        return;
    d->program = word;
    d->startas = startas;
}

/* --name VALUE or --name=VALUE. Returns how many words it takes. */
static size_t ssd_long(struct ssd *d, const struct rc_words *w, size_t i)
{
    static const char valued[] =
        " --exec --startas --name --pidfile --user --group --chuid --chroot "
        "--chdir --nicelevel --iosched --procsched --umask --retry --signal "
        "--ppid --output --stdout --stderr --env --wait ";
    const char *equals = strchr(w->v[i].text, '=');
    char *name = mem_strndup(w->v[i].text, strcspn(w->v[i].text, "="));
    bool takes = rc_is_in(name, valued) && equals == NULL && i + 1 < w->n;

    d->start = d->start || strcmp(name, "--start") == 0;
    d->stop = d->stop || rc_is_in(name, " --stop --status --test ");
    if (rc_is_in(name, " --exec --startas ") && (takes || equals != NULL)) {
        if (equals != NULL)
            memmove(w->v[i].text, equals + 1, strlen(equals));
        ssd_program(d, &w->v[i + takes], strcmp(name, "--startas") == 0);
    }
    free(name);
    return 1 + takes;
}

/* Letters, the last of which may have its value behind it or in the next word. */
static size_t ssd_short(struct ssd *d, const struct rc_words *w, size_t i)
{
    static const char valued[] = "xanpugcrdNIkPRs12e";
    char *text = w->v[i].text;

    for (size_t k = 1; text[k] != '\0'; k++) {
        bool attached = text[k + 1] != '\0';
        char c = text[k];

        d->start = d->start || c == 'S';
        d->stop = d->stop || c == 'K' || c == 'T' || c == 't';
        if (strchr(valued, c) == NULL)
            continue;
        if (!attached && i + 1 >= w->n)
            break;
        if (attached && (c == 'x' || c == 'a'))
            memmove(text, text + k + 1, strlen(text + k));
        if (c == 'x' || c == 'a')
            ssd_program(d, &w->v[i + !attached], c == 'a');
        return 1 + !attached;
    }
    return 1;
}

/* start-stop-daemon: -S and what -a or -x names, else the first operand behind --. */
enum rc_wrap_kind rc_unwrap_ssd(const struct rc_script *s, const struct rc_words *w, size_t *at)
{
    struct ssd d = {0};
    size_t i = *at + 1;

    (void)s;
    while (i < w->n && rc_is_option(w->v[i].text) && strcmp(w->v[i].text, "--") != 0)
        i += text_starts(w->v[i].text, "--") ? ssd_long(&d, w, i) : ssd_short(&d, w, i);
    if (!d.start || d.stop)
        return RC_WRAP_STOP;
    *at = d.program != NULL ? (size_t)(d.program - w->v) : i;
    return *at < w->n ? RC_WRAP_SKIP : RC_WRAP_STOP;
}
