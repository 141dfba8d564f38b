#include <stdlib.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "repo_int.h"

static int add_hunk(const git_diff_delta *delta, const git_diff_hunk *h, void *ctx)
{
    struct hunks *list = ctx;

    (void)delta;
    list->v = mem_grow(list->v, list->n, &list->cap, sizeof(*list->v));
    list->v[list->n++] = (struct hunk){(unsigned)h->old_start, (unsigned)h->old_lines,
                                       (unsigned)h->new_start, (unsigned)h->new_lines};
    return 0;
}

int repo_hunks(const char *a, size_t alen, const char *b, size_t blen, struct hunks *out,
               struct diag *d)
{
    git_diff_options options;
    int rc;

    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.context_lines = 0;
    options.interhunk_lines = 0;
    options.flags = GIT_DIFF_FORCE_TEXT;
    *out = (struct hunks){0};
    if (git_libgit2_init() < 0)
        return repo_git_fail("start libgit2", d);
    rc = git_diff_buffers(a, alen, "a", b, blen, "b", &options, NULL, NULL, add_hunk, NULL, out);
    if (rc != 0)
        repo_git_fail("compare two texts", d);
    git_libgit2_shutdown();
    return rc == 0 ? 0 : -1;
}
