#include "batten/lens.h"

#include <augeas.h>
#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/text.h"

/* The text as given, and as put back; the tree; the set of the last lens_match. */
#define RAW    "/raw"
#define OUT    "/out"
#define TREE   "/tree"
#define ERRORS "/augeas/text"
#define SET    "nodes"

struct lens {
    augeas *aug;
    struct buf path;
    size_t matched;
    bool newline_added;
};

static char *lens_dir;
static struct lens *shared;

void lens_set_dir(const char *dir)
{
    free(lens_dir);
    lens_dir = mem_strdup(dir);
}

struct lens *lens_get_shared(struct diag *d)
{
    const char *dir = lens_dir ? lens_dir : "lenses";
    augeas *aug;

    if (shared != NULL)
        return shared;
    aug = aug_init("/", dir,
                   AUG_NO_STDINC | AUG_NO_LOAD | AUG_NO_MODL_AUTOLOAD | AUG_ENABLE_SPAN |
                       AUG_NO_ERR_CLOSE);
    if (aug == NULL || aug_error(aug) != AUG_NOERROR) {
        diag_set(d, STATUS_SYSTEM, "lens-missing", "cannot start augeas: %s",
                 aug ? aug_error_message(aug) : "out of memory");
        if (aug != NULL)
            aug_close(aug);
        return NULL;
    }
    shared = mem_alloc(sizeof(*shared));
    shared->aug = aug;
    return shared;
}

void lens_shutdown(void)
{
    if (shared != NULL) {
        aug_close(shared->aug);
        buf_release(&shared->path);
        free(shared);
        shared = NULL;
    }
    free(lens_dir);
    lens_dir = NULL;
}

bool lens_carries(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= LENS_BYTE_MAX)
            return false;
    return true;
}

/* The absolute path of PATH; borrowed until the next call. */
static const char *in_tree(struct lens *lens, const char *path)
{
    buf_clear(&lens->path);
    buf_printf(&lens->path, TREE "/%s", path);
    return buf_str(&lens->path);
}

static long number_at(struct lens *lens, const char *path)
{
    const char *value = NULL;
    long long n = 0;

    if (aug_get(lens->aug, path, &value) != 1 || value == NULL ||
        text_number(value, 0, 1 << 30, &n) != 0)
        return 0;
    return (long)n;
}

/* Augeas returns -1 without an error of its own when a text does not fit; the reason is then in the
 * tree. */
static int parse_failure(struct lens *lens, const char *name, struct diag *d)
{
    const char *message = NULL;
    long line, column;

    if (aug_error(lens->aug) != AUG_NOERROR) {
        diag_set(d, STATUS_SYSTEM, "lens-missing", "cannot use lens '%s': %s", name,
                 aug_error_details(lens->aug) ? aug_error_details(lens->aug)
                                              : aug_error_message(lens->aug));
        diag_hint(d, "ls %s", lens_dir ? lens_dir : "lenses");
        return -1;
    }
    aug_get(lens->aug, ERRORS TREE "/error/message", &message);
    line = number_at(lens, ERRORS TREE "/error/line");
    column = number_at(lens, ERRORS TREE "/error/char");
    diag_set(d, STATUS_REFUSED, "lens-parse", "lens '%s' cannot read this: %s", name,
             message ? message : "no reason given");
    diag_at(d, NULL, (unsigned)line, (unsigned)column + 1);
    return -1;
}

int lens_store(struct lens *lens, const char *name, const char *text, size_t len, struct diag *d)
{
    struct buf raw = BUF_INIT;
    int rc = -1;

    lens->matched = 0;
    aug_rm(lens->aug, TREE);
    aug_rm(lens->aug, ERRORS);
    if (!lens_carries(text, len)) {
        diag_set(d, STATUS_REFUSED, "lens-bytes", "the text holds a byte from 0 to 4");
        goto out;
    }
    buf_add(&raw, text, len);
    lens->newline_added = len == 0 || text[len - 1] != '\n';
    if (lens->newline_added)
        buf_addc(&raw, '\n');
    if (aug_set(lens->aug, RAW, buf_str(&raw)) != 0 ||
        aug_text_store(lens->aug, name, RAW, TREE) != 0) {
        parse_failure(lens, name, d);
        goto out;
    }
    rc = 0;
out:
    buf_release(&raw);
    return rc;
}

size_t lens_match(struct lens *lens, const char *path)
{
    int n = aug_defvar(lens->aug, SET, in_tree(lens, path));

    lens->matched = n > 0 ? (size_t)n : 0;
    return lens->matched;
}

const char *lens_label(const struct lens *lens, size_t node)
{
    const char *label = NULL;

    if (node >= lens->matched)
        return NULL;
    aug_ns_attr(lens->aug, SET, (int)node, NULL, &label, NULL);
    return label;
}

const char *lens_value(const struct lens *lens, size_t node)
{
    const char *value = NULL;

    if (node >= lens->matched)
        return NULL;
    aug_ns_attr(lens->aug, SET, (int)node, &value, NULL, NULL);
    return value;
}

int lens_span(struct lens *lens, size_t node, size_t *start, size_t *end)
{
    unsigned ls, le, vs, ve, s, e;
    char *filename = NULL;
    int rc;

    if (node >= lens->matched)
        return -1;
    buf_clear(&lens->path);
    buf_printf(&lens->path, "$" SET "[%zu]", node + 1);
    rc = aug_span(lens->aug, buf_str(&lens->path), &filename, &ls, &le, &vs, &ve, &s, &e);
    free(filename);
    if (rc != 0)
        return -1;
    *start = s;
    *end = e;
    return 0;
}

const char *lens_get(struct lens *lens, const char *path)
{
    const char *value = NULL;

    return aug_get(lens->aug, in_tree(lens, path), &value) == 1 ? value : NULL;
}

static int edit_failure(struct lens *lens, const char *path, struct diag *d)
{
    return diag_set(d, STATUS_SYSTEM, "lens-edit", "cannot change '%s' in the tree: %s", path,
                    aug_error(lens->aug) != AUG_NOERROR ? aug_error_message(lens->aug)
                                                        : "no such node");
}

int lens_set(struct lens *lens, const char *path, const char *value, struct diag *d)
{
    lens->matched = 0;
    return aug_set(lens->aug, in_tree(lens, path), value) == 0 ? 0 : edit_failure(lens, path, d);
}

int lens_insert(struct lens *lens, const char *path, const char *label, bool before, struct diag *d)
{
    lens->matched = 0;
    return aug_insert(lens->aug, in_tree(lens, path), label, before) == 0
               ? 0
               : edit_failure(lens, path, d);
}

int lens_remove(struct lens *lens, const char *path, struct diag *d)
{
    lens->matched = 0;
    return aug_rm(lens->aug, in_tree(lens, path)) > 0 ? 0 : edit_failure(lens, path, d);
}

int lens_retrieve(struct lens *lens, const char *name, struct buf *out, struct diag *d)
{
    const char *text = NULL, *message = NULL;
    size_t len;

    lens->matched = 0;
    if (aug_text_retrieve(lens->aug, name, RAW, TREE, OUT) != 0 ||
        aug_get(lens->aug, OUT, &text) != 1 || text == NULL) {
        aug_get(lens->aug, ERRORS TREE "/error/message", &message);
        return diag_set(d, STATUS_REFUSED, "lens-put", "lens '%s' cannot write this back: %s", name,
                        message ? message : aug_error_message(lens->aug));
    }
    len = strlen(text);
    if (lens->newline_added && len > 0 && text[len - 1] == '\n')
        len--;
    buf_add(out, text, len);
    return 0;
}
