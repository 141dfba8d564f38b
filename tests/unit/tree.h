/*
 * tree.h - a directory tree on a real file system for one test, made below build/
 *
 *     struct tree t;
 *     tree_make(&t);
 *     tree_write(&t, "etc/inetd.conf", "telnet stream ...\n");
 *     tree_remove(&t);
 */
#ifndef BATTEN_TESTS_TREE_H
#define BATTEN_TESTS_TREE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "batten/mem.h"

#define TREE_FN static inline __attribute__((unused))

struct tree {
    char base[64]; /* holds the root and what must stay outside of it */
    char dir[80];
};

TREE_FN void tree_make(struct tree *t)
{
    memset(t, 0, sizeof(*t));
    mkdir("build", 0755);
    snprintf(t->base, sizeof(t->base), "build/tree.XXXXXX");
    assert_non_null(mkdtemp(t->base));
    snprintf(t->dir, sizeof(t->dir), "%s/root", t->base);
    assert_int_equal(mkdir(t->dir, 0755), 0);
}

TREE_FN int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
    (void)st;
    (void)type;
    (void)f;
    return remove(path);
}

TREE_FN void tree_remove(struct tree *t)
{
    nftw(t->base, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TREE_FN char *tree_path(const struct tree *t, const char *path)
{
    return mem_printf("%s/%s", t->dir, path);
}

/* Make the directories that lead to PATH. */
TREE_FN void tree_parents(const struct tree *t, const char *path)
{
    char *full = tree_path(t, path);

    for (char *s = full + strlen(t->dir) + 1; (s = strchr(s, '/')) != NULL; s++) {
        *s = '\0';
        mkdir(full, 0755);
        *s = '/';
    }
    free(full);
}

TREE_FN void tree_mkdir(const struct tree *t, const char *path)
{
    char *full = tree_path(t, path);

    tree_parents(t, path);
    assert_int_equal(mkdir(full, 0755), 0);
    free(full);
}

TREE_FN void tree_write_bytes(const struct tree *t, const char *path, const char *bytes, size_t len)
{
    char *full = tree_path(t, path);
    FILE *f;

    tree_parents(t, path);
    f = fopen(full, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    free(full);
}

TREE_FN void tree_write(const struct tree *t, const char *path, const char *text)
{
    tree_write_bytes(t, path, text, strlen(text));
}

TREE_FN void tree_link(const struct tree *t, const char *target, const char *path)
{
    char *full = tree_path(t, path);

    tree_parents(t, path);
    assert_int_equal(symlink(target, full), 0);
    free(full);
}

TREE_FN void tree_fifo(const struct tree *t, const char *path)
{
    char *full = tree_path(t, path);

    tree_parents(t, path);
    assert_int_equal(mkfifo(full, 0644), 0);
    free(full);
}

TREE_FN void tree_unlink(const struct tree *t, const char *path)
{
    char *full = tree_path(t, path);

    assert_int_equal(unlink(full), 0);
    free(full);
}

/* The content of PATH, NULL when it is not there. Caller frees. */
TREE_FN char *tree_read(const struct tree *t, const char *path)
{
    char *full = tree_path(t, path), *text;
    FILE *f = fopen(full, "r");
    size_t len;

    free(full);
    if (f == NULL)
        return NULL;
    text = mem_alloc(1 << 20);
    len = fread(text, 1, (1 << 20) - 1, f);
    text[len] = '\0';
    fclose(f);
    return text;
}

TREE_FN void tree_expect(const struct tree *t, const char *path, const char *text)
{
    char *now = tree_read(t, path);

    if (text == NULL)
        assert_null(now);
    else
        assert_string_equal(now ? now : "(absent)", text);
    free(now);
}

/* Ends the test there: valgrind is slow, knows no pidfd_open and
 * gives children a status of its own. */
TREE_FN void not_under_valgrind(void)
{
    const char *asked = getenv("BATTEN_VALGRIND");

    if (asked == NULL || *asked == '\0')
        return;
    print_message("# skip: not under valgrind\n");
    skip();
}

#endif
