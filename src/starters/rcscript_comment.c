/* Start commands that somebody commented out. */
#include "rcscript.h"

#include <string.h>

#include "batten/source.h"
#include "batten/text.h"

/* Whether the comment is alone on its line. */
static bool is_whole_line(const struct shell *sh, const struct shell_comment *comment)
{
    size_t i = comment->start;

    while (i > 0 && (sh->bytes[i - 1] == ' ' || sh->bytes[i - 1] == '\t'))
        i--;
    return i == 0 || sh->bytes[i - 1] == '\n';
}

/* The words behind the program look like arguments and not like prose. */
static bool has_bare_arguments(const struct rc_hit *hit)
{
    size_t n = 0;

    while (hit->argv[n] != NULL)
        n++;
    for (size_t i = hit->own + 1; i < n; i++) {
        const char *word = hit->argv[i];

        if (word[0] != '\0' && strchr("-/$\"'`", word[0]) != NULL)
            continue;
        if (i > hit->own + 1 && hit->argv[i - 1][0] == '-')
            continue;
        if (word[0] >= '0' && word[0] <= '9')
            continue;
        return hit->indirect && (strcmp(word, "start") == 0 || strcmp(word, "restart") == 0);
    }
    return true;
}

/* All that the text holds is one start, and perhaps an echo. Only then is it a command for sure:
 * "# named" may be the heading of a paragraph. */
static bool is_bare(const struct shell *sh, const struct rc_hits *hits, bool blank)
{
    size_t others = 0;

    if (hits->n != 1 || !shell_balanced(sh) || !has_bare_arguments(&hits->v[0]))
        return false;
    for (size_t c = 0; c < sh->ncommands; c++) {
        int word = shell_name_word(sh, (int)c);

        if (sh->commands[c].kind != SHELL_SIMPLE || sh->commands[c].op >= SHELL_AND)
            return false;
        if (word == SHELL_NO || !shell_word_is(sh, word, "echo"))
            others++;
    }
    if (others != 1)
        return false;
    return !blank || sh->ncommands > 1 || hits->v[0].argv[1] != NULL ||
           strchr(hits->v[0].program, '/') != NULL || sh->nredirs > 0 ||
           sh->commands[0].op == SHELL_AMP;
}

/* Whether a word of the text is a daemon's name, or may stand for one: prose seldom has any. */
static bool may_start(const struct rc_script *s, const char *text, size_t len)
{
    static const char breaks[] = " \t\n;&|<>()\"'`/";
    size_t i = 0;

    while (i < len) {
        char word[64];
        size_t n = 0;

        while (i + n < len && strchr(breaks, text[i + n]) == NULL)
            n++;
        if (memchr(text + i, '$', n) != NULL)
            return true;
        if (n > 0 && n < sizeof(word)) {
            memcpy(word, text + i, n);
            word[n] = '\0';
            if (rc_is_daemon(s, word) || text_starts(word, "rc.") || word[0] == 'S')
                return true;
        }
        i += n + 1;
    }
    return memmem(text, len, "init.d/", 7) != NULL || memmem(text, len, "rc.d/", 5) != NULL;
}

static void read_comment(struct rc_script *s, const struct shell_comment *comment)
{
    size_t at = comment->start, end = comment->end;
    struct rc_script inner = *s;
    struct rc_hits hits = {0};
    bool blank;
    struct entry *e;

    while (at < comment->end && s->sh->bytes[at] == '#')
        at++;
    blank = at < comment->end && (s->sh->bytes[at] == ' ' || s->sh->bytes[at] == '\t');
    if (at == comment->end || s->sh->bytes[at] == '!' ||
        !may_start(s, s->sh->bytes + at, comment->end - at))
        return;
    if (s->sh->bytes[end - 1] == '\\')
        end--; /* it went on in the next line, which is a comment too */
    inner.sh = shell_parse(s->sh->bytes + at, end - at);
    for (size_t c = 0; c < inner.sh->ncommands; c++)
        if (inner.sh->commands[c].kind == SHELL_SIMPLE)
            rc_find(&inner, (int)c, &hits);
    if (is_bare(inner.sh, &hits, blank)) {
        e = rc_add_entry(s, &hits.v[0], SHELL_NO, comment->start, comment->end);
        if (e != NULL)
            e->enabled = false;
    }
    rc_hits_release(&hits);
    shell_free(inner.sh);
}

void rc_add_comments(struct rc_script *s)
{
    for (size_t i = 0; i < s->sh->ncomments; i++)
        if (s->sh->comments[i].end - s->sh->comments[i].start <= SOURCE_LINE_MAX &&
            is_whole_line(s->sh, &s->sh->comments[i]))
            read_comment(s, &s->sh->comments[i]);
}
