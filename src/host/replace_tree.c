#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batten/mem.h"
#include "batten/replace.h"
#include "replace_int.h"

enum { DEPTH_MAX = 8, NAMES_MAX = 65536 };

static void remove_entry(struct root *root, const char *path, unsigned depth);

static void remove_below(struct root *root, const char *path, unsigned depth)
{
    struct strlist names = {0};

    if (root_list(root, path, NAMES_MAX, &names, NULL) == ROOT_OK)
        for (size_t i = 0; i < names.n; i++) {
            char *below = mem_printf("%s/%s", path, names.v[i]);

            remove_entry(root, below, depth + 1);
            free(below);
        }
    strlist_release(&names);
}

static void remove_entry(struct root *root, const char *path, unsigned depth)
{
    char *up = replace_parent(path);
    int dir = root_openat(root, *up ? up : ".", O_RDONLY | O_DIRECTORY, 0);
    const char *name = path + strlen(up) + (*up ? 1 : 0);
    struct stat st;

    if (dir >= 0 && depth < DEPTH_MAX && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISDIR(st.st_mode))
            remove_below(root, path, depth);
        (void)unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
    }
    if (dir >= 0)
        close(dir);
    free(up);
}

void replace_own_remove_tree(struct root *root, const char *path)
{
    remove_entry(root, path, 0);
}
