/*
 * The real files of the corpus against LABELS.tsv: every active entry is found at its line under
 * its name, and nothing else is. Read as openbsd, but for the one file of the netbsd kind.
 */
#include "inetd_case.h"

struct score {
    size_t labels, found, entries, extra;
};

/* Entries that the labels do not have, though they should. */
static const struct {
    const char *file;
    unsigned line;
} unlabelled[] = {
  /* The file is labelled as xinetd syntax as a whole; its second line is an inetd entry, and it
  * stands above the first xinetd line. */
    {"singhpratik5__secure_monitor__config_inetd.conf", 2},
};

static const char *dialect_of(const char *file)
{
    return strstr(file, "ratelimit.conf") != NULL ? "netbsd" : "openbsd";
}

static char *corpus_path(const char *name)
{
    const char *corpus = getenv("BATTEN_CORPUS");

    return mem_printf("%s/%s", corpus && *corpus ? corpus : "../shared/corpus", name);
}

/* The service word of the labelled text, its address and its quotes cut off. */
static char *label_name(const char *text)
{
    size_t start = strspn(text, "\" \t"), len;
    const char *colon;
    char *word;

    text += start;
    len = strcspn(text, " \t");
    word = mem_strndup(text, len);
    colon = strrchr(word, ':');
    if (colon != NULL)
        memmove(word, colon + 1, strlen(colon + 1) + 1);
    return word;
}

struct label {
    char *file;
    unsigned line;
    char *name;
};

static size_t read_labels(struct label **out)
{
    char *path = corpus_path("LABELS.tsv"), *save = NULL;
    struct buf bytes = BUF_INIT;
    size_t n = 0, cap = 0;

    if (case_load(&bytes, path))
        for (char *row = strtok_r(bytes.data, "\n", &save); row != NULL;
             row = strtok_r(NULL, "\n", &save)) {
            char *cells[8] = {0}, *at = row;

            for (size_t i = 0; i < 8 && at != NULL; i++)
                cells[i] = strsep(&at, "\t");
            if (cells[7] == NULL || strcmp(cells[0], "inetd") != 0 ||
                strcmp(cells[7], "high") != 0 || strcmp(cells[2], "none") == 0)
                continue;
            *out = mem_grow(*out, n, &cap, sizeof(**out));
            (*out)[n++] = (struct label){
                mem_strdup(cells[1]), (unsigned)strtoul(cells[3], NULL, 10), label_name(cells[5])};
        }
    buf_release(&bytes);
    free(path);
    return n;
}

static bool labelled(const struct label *labels, size_t n, const char *file, const struct entry *e)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(labels[i].file, file) == 0 && labels[i].line == e->line &&
            strcmp(labels[i].name, e->name) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_LEN(unlabelled); i++)
        if (strcmp(unlabelled[i].file, file) == 0 && unlabelled[i].line == e->line)
            return true;
    return false;
}

static void score_file(const char *path, const struct label *labels, size_t n, struct score *score)
{
    const char *file = text_basename(path);
    struct inetd_case c;

    case_file(&c, dialect_of(file), path);
    for (size_t i = 0; i < n; i++) {
        bool hit = false;

        if (strcmp(labels[i].file, file) != 0)
            continue;
        for (size_t k = 0; k < c.parse.entries.n; k++) {
            const struct entry *e = c.parse.entries.v[k];

            hit |= e->enabled && e->line == labels[i].line && strcmp(e->name, labels[i].name) == 0;
        }
        score->labels++;
        score->found += hit;
        if (!hit)
            printf("# missed: %s:%u %s\n", file, labels[i].line, labels[i].name);
    }
    for (size_t k = 0; k < c.parse.entries.n; k++) {
        const struct entry *e = c.parse.entries.v[k];

        if (!e->enabled)
            continue;
        score->entries++;
        if (!labelled(labels, n, file, e)) {
            score->extra++;
            printf("# not labelled: %s:%u %s\n", file, e->line, e->name);
        }
    }
    case_free(&c);
}

static void test_labels(void **state)
{
    char *dir = corpus_path("inetd");
    struct strlist files = {0};
    struct label *labels = NULL;
    struct score score = {0};
    size_t n = read_labels(&labels);

    (void)state;
    case_list(&files, dir, "");
    free(dir);
    for (size_t i = 0; i < files.n; i++)
        score_file(files.v[i], labels, n, &score);
    for (size_t i = 0; i < n; i++) {
        free(labels[i].file);
        free(labels[i].name);
    }
    free(labels);
    if (files.n == 0) {
        strlist_release(&files);
        printf("# skip: no corpus of real files\n");
        skip();
    }
    printf("# %zu files: %zu of %zu labelled entries found, %zu of %zu found ones not labelled\n",
           files.n, score.found, score.labels, score.extra, score.entries);
    strlist_release(&files);
    assert_int_equal(score.found, score.labels);
    assert_int_equal(score.extra, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
    };

    return cmocka_run_group_tests(tests, NULL, case_end);
}
