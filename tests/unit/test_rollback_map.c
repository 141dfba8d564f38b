#include "../../src/history/rollback_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "batten/diag.h"
#include "batten/mem.h"

/* The edit that turned lines of BEFORE into those of THEN, in the file as it is NOW. */
static enum standing standing_of(const char *before, const char *then, const char *now,
                                 const struct history_edit *e, struct mapped *out)
{
    struct version v = {.path = NULL};
    struct lines lines;
    struct diag d = DIAG_INIT;

    lines_make(&v.before, before, strlen(before));
    lines_make(&v.then, then, strlen(then));
    lines_make(&lines, now, strlen(now));
    assert_int_equal(repo_hunks(buf_str(&v.then.text), v.then.text.len, buf_str(&lines.text),
                                lines.text.len, &v.hunks, &d),
                     0);
    version_map(&v, e, &lines, out);
    lines_release(&lines);
    version_release(&v);
    diag_release(&d);
    return out->standing;
}

/* How often TEXT stands in IN, from a line's start. */
static unsigned count_in(const char *in, const char *text)
{
    unsigned n = 0;

    for (const char *line = in; *line != '\0'; line = strchr(line, '\n') + 1)
        n += strncmp(line, text, strlen(text)) == 0;
    return n;
}

/* Lines of two kinds, so that they repeat and overlap: what is counted at once must be what is
 * counted one by one. */
static void runs_that_overlap_are_counted(void **state)
{
    enum { LINES = 9 };
    unsigned seen[CONFLICT + 1] = {0};

    (void)state;
    srand(7);
    for (int round = 0; round < 500; round++) {
        char before[2 * LINES + 1], then[2 * LINES + 1], now[2 * LINES + 1], old[2 * LINES + 1];
        char new[2 * LINES + 1];
        unsigned count = 1 + (unsigned)rand() % 4;
        unsigned line = 1 + (unsigned)rand() % (LINES - count);
        struct history_edit e = {
            .old_line = line, .old_count = count, .new_line = line, .new_count = count};
        struct mapped m;
        bool back, moved;

        for (unsigned i = 0; i < LINES; i++) {
            before[2 * i] = "ab"[rand() % 2];
            then[2 * i] = "ab"[rand() % 2];
            now[2 * i] = "ab"[rand() % 2];
            before[2 * i + 1] = then[2 * i + 1] = now[2 * i + 1] = '\n';
        }
        before[2 * LINES] = then[2 * LINES] = now[2 * LINES] = '\0';
        snprintf(old, sizeof(old), "%.*s", (int)(2 * count), before + 2 * (line - 1));
        snprintf(new, sizeof(new), "%.*s", (int)(2 * count), then + 2 * (line - 1));
        back = count_in(now, old) > count_in(then, old);
        moved = count_in(now, new) == count_in(then, new);
        seen[standing_of(before, then, now, &e, &m)]++;
        if (m.standing == STANDS) {
            assert_int_equal(m.count, count);
            assert_int_equal(strncmp(now + 2 * m.first, new, strlen(new)), 0);
        } else {
            assert_int_equal(m.standing, back ? TAKEN_BACK : CONFLICT);
            assert_false(m.standing == CONFLICT && moved);
        }
    }
    for (size_t i = 0; i <= CONFLICT; i++)
        assert_true(seen[i] > 10);
}

/* A file of empty lines and an edit of half of them: each line begins what may be the whole edit.
 */
static void a_file_of_empty_lines_is_read_once(void **state)
{
    enum { LINES = 1000000, SECONDS = 4 };
    char *then = mem_array(LINES + 1, 1), *now = mem_array(LINES + 3, 1);
    struct history_edit e = {
        .old_line = 1, .old_count = LINES / 2, .new_line = 1, .new_count = LINES / 2};
    struct mapped m;
    clock_t start = clock();

    (void)state;
    memset(then, '\n', LINES);
    memset(now, '\n', LINES + 2);
    now[LINES / 4] = '#';
    assert_int_equal(standing_of(then, then, now, &e, &m), CONFLICT);
    assert_true(clock() - start < (clock_t)SECONDS * CLOCKS_PER_SEC);
    free(then);
    free(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_that_overlap_are_counted),
        cmocka_unit_test(a_file_of_empty_lines_is_read_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
