#include <stdlib.h>
#include <string.h>

#include "batten/mem.h"
#include "batten/text.h"
#include "cli.h"
#include "guide.h"
#include "guide_screen.h"
#include "screen.h"

static void last_list(struct screen *s, const struct guide *g, const char *label, enum answer a)
{
    struct buf b = BUF_INIT;
    size_t n = guide_count(g, a);

    if (n == 0)
        return;
    buf_printf(&b, "%zu: ", n);
    for (size_t i = 0, shown = 0; i < g->n; i++) {
        const struct entry *e = g->v[i].finding->entry;

        if (g->v[i].answer != a)
            continue;
        buf_printf(&b, "%s%s", shown++ ? ", " : "", guide_name(&g->v[i]));
        if (strcmp(guide_name(&g->v[i]), e->name) != 0)
            buf_printf(&b, " (%s)", e->name);
    }
    screen_field(s, label, buf_str(&b));
    buf_release(&b);
}

static void last_skips(struct screen *s, const struct plan *plan)
{
    for (size_t i = 0; i < plan->nskips; i++) {
        const struct plan_skip *skip = &plan->skips[i];
        char *text = skip->line ? mem_printf("%s:%u: %s", skip->path, skip->line, skip->reason)
                                : mem_printf("%s: %s", skip->path, skip->reason);

        screen_field_role(s, i == 0 ? "left alone" : "", ROLE_WARN, text);
        free(text);
    }
}

static void last_diff(struct screen *s, const struct buf *diff)
{
    for (size_t at = 0; at < diff->len;) {
        const char *line = diff->data + at;
        const char *nl = memchr(line, '\n', diff->len - at);
        size_t len = nl ? (size_t)(nl - line) : diff->len - at;
        enum role role = ROLE_PLAIN;

        if (text_starts(line, "+++") || text_starts(line, "---"))
            role = ROLE_HEAD;
        else if (*line == '+' || *line == '-')
            role = *line == '+' ? ROLE_ADD : ROLE_DEL;
        else if (text_starts(line, "@@"))
            role = ROLE_DIM;
        screen_verbatim(s, 0, role, line, len, 40);
        at += len + 1;
    }
}

void screen_last(struct screen *s, const struct guide *g)
{
    screen_rule(s, "your answers", "nothing is changed yet");
    last_list(s, g, "close", ANSWER_CLOSE);
    last_list(s, g, "keep", ANSWER_KEEP);
    last_list(s, g, "no answer", ANSWER_NONE);
    if (guide_count(g, ANSWER_NONE) > 0)
        screen_field(s, "", "without an answer a service stays as it is");
    last_skips(s, &g->plan);
    if (g->plan.consequences.n > 0)
        screen_blank(s);
    for (size_t i = 0; i < g->plan.consequences.n; i++)
        screen_para(s, 2, 4, ROLE_PLAIN, g->plan.consequences.v[i]);
    if (g->diff.len > 0) {
        screen_blank(s);
        last_diff(s, &g->diff);
    }
    if (g->after.n > 0 || g->locks_out != NULL)
        screen_blank(s);
    for (size_t i = 0; i < g->after.n; i++)
        screen_para(s, 2, 4, ROLE_PLAIN, g->after.v[i]);
    if (g->locks_out != NULL) {
        char *text = mem_printf("this closes %s, which you came in over: use t", g->locks_out);

        screen_field_role(s, "WARNING", ROLE_DANGER, text);
        free(text);
    }
}
