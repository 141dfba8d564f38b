#include "batten/diff.h"

#include <git2.h>
#include <stddef.h>

#include "batten/diag.h"
#include "batten/plan.h"
#include "batten/source.h"

int diff_unified(struct buf *out, const char *path, const struct buf *before,
                 const struct buf *after, struct diag *d)
{
    git_diff_options options;
    git_patch *patch = NULL;
    git_buf text = {0};
    int result = -1;

    if (buf_equal(before, after->data, after->len))
        return 0;
    if (git_libgit2_init() < 0)
        return diag_set(d, STATUS_SYSTEM, "libgit2", "cannot start libgit2");
    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags |= GIT_DIFF_FORCE_TEXT; /* Latin-1 and NUL are shown, not called binary */
    if (git_patch_from_buffers(&patch, buf_str(before), before->len, path, buf_str(after),
                               after->len, path, &options) == 0 &&
        git_patch_to_buf(&text, patch) == 0) {
        buf_add(out, text.ptr, text.size);
        result = 0;
    } else {
        const git_error *e = git_error_last();

        diag_set(d, STATUS_SYSTEM, "libgit2", "cannot make a diff of '%s': %s", path,
                 e ? e->message : "unknown error");
    }
    git_buf_dispose(&text);
    git_patch_free(patch);
    git_libgit2_shutdown();
    return result;
}

int diff_plan(struct buf *out, const struct plan *plan, struct diag *d)
{
    for (size_t i = 0; i < plan->nfiles; i++) {
        const struct plan_file *f = &plan->files[i];
        struct buf before = {f->source->bytes, f->source->len, 0};

        if (diff_unified(out, f->source->path, &before, &f->after, d) != 0)
            return -1;
    }
    return 0;
}
