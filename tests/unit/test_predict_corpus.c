/*
 * What batten predicts for the real files of the corpus, against LISTEN.tsv: what the real daemons
 * had open for them, with the names of netbase 6.4 and with every user and group of column 5 there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "batten/openings.h"

#include "predict.h"

struct totals {
    unsigned rows, agree;
};

/* Add the user and the group that WORD names, as passwd and group lines. */
static void add_account(struct buf *passwd, struct buf *group, char *word)
{
    static const char legal[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-.:";
    char *second = word + strcspn(word, ":.");

    if (word[strspn(word, legal)] != '\0')
        return;
    if (*second != '\0')
        *second++ = '\0';
    buf_printf(passwd, "%s:x:%d:1::/:/bin/false\n", word, strcmp(word, "root") != 0);
    buf_printf(group, "%s:x:7:\n", second);
}

/* The users and groups in the fifth column of TEXT exist. */
static void add_accounts(struct netdb *db, const char *text)
{
    struct buf passwd = BUF_INIT, group = BUF_INIT;
    char *copy = mem_strdup(text), *save = NULL;

    for (char *line = strtok_r(copy, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *cell = NULL, *word = strtok_r(line, " \t\r", &cell);

        for (int i = 0; word != NULL && i < 4; i++)
            word = strtok_r(NULL, " \t\r", &cell);
        if (word != NULL)
            add_account(&passwd, &group, word);
    }
    netdb_add(db, NETDB_PASSWD, buf_str(&passwd), passwd.len);
    netdb_add(db, NETDB_GROUP, buf_str(&group), group.len);
    buf_release(&passwd);
    buf_release(&group);
    free(copy);
}

static char *joined(const struct strlist *list)
{
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < list->n; i++)
        buf_printf(&out, "%s%s", i > 0 ? "," : "", list->v[i]);
    if (list->n == 0)
        buf_adds(&out, "-");
    return buf_steal(&out);
}

static char *sorted(const char *sockets)
{
    struct strlist list = {0};
    char *copy = mem_strdup(sockets), *save = NULL, *result;

    for (char *s = strtok_r(copy, ",", &save); s != NULL; s = strtok_r(NULL, ",", &save))
        strlist_add(&list, s);
    strlist_sort(&list);
    result = joined(&list);
    strlist_release(&list);
    free(copy);
    return result;
}

static void read_source(struct source *source, const char *path)
{
    struct buf bytes = BUF_INIT;

    assert_true(read_bytes(path, &bytes));
    source->len = bytes.len;
    source->bytes = buf_steal(&bytes);
}

static void compare_row(const char *corpus, struct netdb *names, char *const *columns,
                        struct totals *t)
{
    char *path = mem_printf("%s/inetd/%s", corpus, columns[1]);
    struct strlist list = {0};
    struct source source = {.path = columns[1]};
    struct parse parse;
    char *truth = sorted(columns[2]);
    char *mine;

    read_source(&source, path);
    add_accounts(names, source.bytes);
    predict_sources(&parse, columns[0], names, &source, 1);
    sockets_of(&list, &parse);
    mine = joined(&list);
    t->rows++;
    if (strcmp(mine, truth) == 0)
        t->agree++;
    else
        printf("# %s %s\n#   daemon: %s\n#   batten: %s\n", columns[0], columns[1], truth, mine);
    free(mine);
    free(truth);
    parse_release(&parse);
    free(source.bytes);
    strlist_release(&list);
    free(path);
}

/* ---- switching off ---- */

/* How many sockets the group of E holds, or E alone. */
static size_t held_by(const struct parse *parse, const struct entry *e)
{
    size_t n = 0;

    for (size_t i = 0; i < parse->entries.n; i++) {
        const struct entry *other = parse->entries.v[i];

        if (other == e || (e->group != 0 && other->group == e->group))
            n += other->nsockets;
    }
    return n;
}

/* After EDITS nothing is open that was not, and exactly GONE sockets less. */
static bool only_closes(const struct parse *before, const struct source *source,
                        const struct edits *edits, size_t gone)
{
    struct openings old = {0}, new = {0}, opened = {0}, closed = {0};
    struct source edited = {.path = source->path};
    struct buf bytes = BUF_INIT;
    struct parse after;
    bool ok;

    assert_int_equal(edits_apply(source, edits, &bytes, NULL), 0);
    edited.len = bytes.len;
    edited.bytes = buf_steal(&bytes);
    predict_sources(&after, dialect_name(before->dialect), before->db, &edited, 1);
    openings_add(&old, before);
    openings_add(&new, &after);
    openings_minus(&opened, &new, &old);
    openings_minus(&closed, &old, &new);
    ok = opened.n == 0 && closed.n == gone;
    openings_release(&old);
    openings_release(&new);
    openings_release(&opened);
    openings_release(&closed);
    parse_release(&after);
    free(edited.bytes);
    return ok;
}

static void switch_each_off(const struct parse *parse, const struct source *source,
                            struct totals *t)
{
    for (size_t i = 0; i < parse->entries.n; i++) {
        const struct entry *e = parse->entries.v[i];
        struct edits edits = {0};
        struct diag d = DIAG_INIT;

        if (e->enabled && disable_group(parse, e, &edits, &d) == 0) {
            bool ok = only_closes(parse, source, &edits, held_by(parse, e));

            t->rows++;
            t->agree += ok;
            if (!ok)
                printf("# %s %s:%u opens or closes something else\n", dialect_name(parse->dialect),
                       source->path, e->line);
        }
        edits_release(&edits);
        diag_release(&d);
    }
}

static void switch_off_row(const char *corpus, struct netdb *names, char *const *columns,
                           struct totals *t)
{
    char *path = mem_printf("%s/inetd/%s", corpus, columns[1]);
    struct source source = {.path = columns[1]};
    struct parse parse;

    read_source(&source, path);
    add_accounts(names, source.bytes);
    predict_sources(&parse, columns[0], names, &source, 1);
    if (!parse
             .hung) /* a hanging line switched off opens all behind it: that is said as a problem */
        switch_each_off(&parse, &source, t);
    parse_release(&parse);
    free(source.bytes);
    free(path);
}

/* Where netbase's files are: unpacked by tests/live/fetch.sh, else this machine's. */
static const char *names_root(void)
{
    static const char *const places[] = {"build/daemons/servers", ""};

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char *path = mem_printf("%s/etc/services", places[i]);
        struct buf bytes = BUF_INIT;
        bool there = read_bytes(path, &bytes);

        buf_release(&bytes);
        free(path);
        if (there)
            return places[i];
    }
    return NULL;
}

static void read_names(struct netdb *db, const char *root)
{
    for (enum netdb_file file = NETDB_SERVICES; file <= NETDB_RPC; file++) {
        char *path = mem_printf("%s/%s", root, netdb_path(file));
        struct buf bytes = BUF_INIT;

        if (read_bytes(path, &bytes))
            netdb_add(db, file, buf_str(&bytes), bytes.len);
        buf_release(&bytes);
        free(path);
    }
}

/* Call EACH for every row of the table. */
static void for_each_row(void (*each)(const char *, struct netdb *, char *const *, struct totals *),
                         struct totals *totals)
{
    const char *corpus = getenv("BATTEN_CORPUS");
    const char *root = names_root();
    char *path = mem_printf("%s/LISTEN.tsv", corpus != NULL ? corpus : "../shared/corpus");
    struct buf table = BUF_INIT;
    struct netdb *names;
    char *save = NULL;

    if (!read_bytes(path, &table) || root == NULL) {
        free(path);
        printf("# skip: %s\n", root != NULL ? "no LISTEN.tsv in the corpus" : "no etc/services");
        skip();
    }
    *strrchr(path, '/') = '\0';
    names = netdb_new();
    read_names(names, root);
    strtok_r(table.data, "\n", &save); /* the titles */
    for (char *line; (line = strtok_r(NULL, "\n", &save)) != NULL;) {
        char *columns[3], *cell = NULL;

        columns[0] = strtok_r(line, "\t", &cell);
        columns[1] = strtok_r(NULL, "\t", &cell);
        columns[2] = strtok_r(NULL, "\t", &cell);
        assert_non_null(columns[2]);
        each(path, names, columns, totals);
    }
    netdb_free(names);
    buf_release(&table);
    free(path);
}

static void test_listen(void **state)
{
    struct totals totals = {0};

    (void)state;
    for_each_row(compare_row, &totals);
    printf("# %u of %u agree\n", totals.agree, totals.rows);
    assert_int_equal(totals.agree, totals.rows);
}

/* Each entry switched off alone, or with its group, closes its own sockets and opens none. */
static void test_switching_off(void **state)
{
    struct totals totals = {0};

    (void)state;
    for_each_row(switch_off_row, &totals);
    printf("# %u of %u switched off without a side effect\n", totals.agree, totals.rows);
    assert_int_equal(totals.agree, totals.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listen),
        cmocka_unit_test(test_switching_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
