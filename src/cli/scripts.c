#include "scripts.h"

#include <stdbool.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/plan.h"
#include "batten/shcheck.h"
#include "batten/source.h"
#include "batten/starter.h"

static bool is_script(const struct plan *plan, const struct source *source)
{
    for (size_t i = 0; i < plan->edits.n; i++) {
        const struct edit *e = &plan->edits.v[i];

        if (e->source == source && e->entry != NULL)
            return strcmp(e->entry->starter->name, "rcscript") == 0;
    }
    return false;
}

int scripts_check(const struct plan *plan, struct diag *d)
{
    for (size_t i = 0; i < plan->nfiles; i++) {
        const struct plan_file *file = &plan->files[i];

        if (!is_script(plan, file->source) ||
            shell_check_change(file->source->bytes, file->source->len, buf_str(&file->after),
                               file->after.len, d) == 0)
            continue;
        diag_at(d, file->source->path, 0, 0);
        return -1;
    }
    return 0;
}
