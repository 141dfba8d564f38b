#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "txn_int.h"

/*
 * The script for a host where neither batten nor its libraries run. POSIX sh with printf, head,
 * tail, cmp, cp, mv and cksum, which not every BusyBox has. Nothing of a file or path stands in it
 * but as octal escapes, so it is ASCII and nothing in it is ever expanded. All files are checked
 * and built before the first is moved into place.
 */

static const char script_head[] =
    "#!/bin/sh\n"
    "# Takes change %u of batten back where batten does not run.\n"
    "#     sh %u.sh [-n] [-k] [ROOT]\n"
    "# -n: only check; -k: send inetd a HUP afterwards. Refuses if a file changed since.\n"
    "set -u\n"
    "umask 077\n"
    "LC_ALL=C\n"
    "export LC_ALL\n"
    "check='' hup=''\n"
    "while getopts nk option; do\n"
    "    case $option in\n"
    "    n) check=1 ;;\n"
    "    k) hup=1 ;;\n"
    "    *) exit 2 ;;\n"
    "    esac\n"
    "done\n"
    "shift $((OPTIND - 1))\n"
    "root=${1-}\n"
    "work=$root/etc/.batten-undo.$$\n"
    "fail() {\n"
    "    echo \"batten: error: $1; nothing was changed\" >&2\n"
    "    exit 1\n"
    "}\n"
    "# same_sum FILE CRC SIZE: by cksum, or where there is none by its size\n"
    "same_sum() {\n"
    "    if command -v cksum >/dev/null 2>&1; then\n"
    "        set -- \"$(cksum <\"$1\")\" \"$2\" \"$3\"\n"
    "        case $1 in\n"
    "        \"$2 $3\" | \"$2 $3 \"*) return 0 ;;\n"
    "        esac\n"
    "        return 1\n"
    "    fi\n"
    "    [ \"$(wc -c <\"$1\")\" -eq \"$3\" ]\n"
    "}\n"
    "lines() {\n"
    "    tail -n \"+$2\" \"$1\" | head -n \"$3\"\n"
    "}\n"
    "check_lines() {\n"
    "    lines \"$file\" \"$1\" \"$2\" | cmp -s - \"$work/want\" ||\n"
    "        fail \"line $1 of '$file' is not as batten wrote it\"\n"
    "}\n"
    "mkdir -m 700 \"$work\" || fail \"cannot make '$work'\"\n"
    "trap 'rm -rf \"$work\"' 0\n"
    "trap 'exit 1' 1 2 15\n";

static const char script_build[] =
    "same_sum \"$work/new%zu\" %s || fail \"'$file' would not be as it was\"\n"
    "cp -a \"$file\" \"$work/out%zu\" 2>/dev/null || cp -p \"$file\" \"$work/out%zu\" ||\n"
    "    fail \"cannot copy '$file'\"\n"
    "cat \"$work/new%zu\" >\"$work/out%zu\" || fail \"cannot write '$work/out%zu'\"\n"
    "file%zu=$file\n";

static const char script_move[] = "if [ -h \"$file%zu\" ]; then\n"
                                  "    cat \"$work/new%zu\" >\"$file%zu\" || exit 1\n"
                                  "else\n"
                                  "    mv -f \"$work/out%zu\" \"$file%zu\" || exit 1\n"
                                  "fi\n"
                                  "echo \"'$file%zu' is as it was before change %u\"\n";

static const char script_hup[] = "pidfile=$root/run/inetd.pid\n"
                                 "[ -f \"$pidfile\" ] || pidfile=$root/var/run/inetd.pid\n"
                                 "echo \"to make inetd follow: kill -HUP \\$(cat $pidfile)\"\n"
                                 "if [ -n \"$hup\" ]; then\n"
                                 "    pid=$(cat \"$pidfile\") || exit 1\n"
                                 "    case $pid in\n"
                                 "    '' | *[!0-9]* | 0 | 1) echo \"batten: error: '$pidfile' "
                                 "holds no process\" >&2; exit 1 ;;\n"
                                 "    esac\n"
                                 "    kill -HUP \"$pid\" || exit 1\n"
                                 "fi\n";

/* POSIX cksum: the CRC of the bytes and of their count, and the count. */
static void add_cksum(struct buf *out, const char *bytes, size_t len)
{
    uint32_t crc = 0;
    size_t rest = len;

    for (size_t i = 0; i < len || rest > 0; i++) {
        unsigned char c = i < len ? (unsigned char)bytes[i] : (unsigned char)(rest & 0xff);

        if (i >= len)
            rest >>= 8;
        crc ^= (uint32_t)c << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x80000000u) != 0 ? crc << 1 ^ 0x04c11db7u : crc << 1;
    }
    buf_printf(out, "%lu %zu", (unsigned long)(~crc & 0xffffffffu), len);
}

/* printf commands that print BYTES, indented by INDENT. */
static void add_octal(struct buf *out, const char *indent, const char *bytes, size_t len)
{
    enum { PER_LINE = 20 };

    for (size_t i = 0; i < len; i += PER_LINE) {
        buf_printf(out, "%sprintf '", indent);
        for (size_t k = i; k < len && k < i + PER_LINE; k++)
            buf_printf(out, "\\%03o", (unsigned char)bytes[k]);
        buf_adds(out, "'\n");
    }
    if (len == 0)
        buf_printf(out, "%s:\n", indent);
}

/* The bytes of COUNT lines of TEXT that follow the first SKIP lines. */
static const char *lines_of(const struct buf *text, unsigned skip, unsigned count, size_t *len)
{
    const char *s = buf_str(text), *end = s + text->len, *start;

    while (skip > 0 && s < end) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));

        s = nl ? nl + 1 : end;
        skip--;
    }
    start = s;
    while (count > 0 && s < end) {
        const char *nl = memchr(s, '\n', (size_t)(end - s));

        s = nl ? nl + 1 : end;
        count--;
    }
    *len = (size_t)(s - start);
    return start;
}

static unsigned skipped(unsigned line, unsigned count)
{
    return count > 0 ? line - 1 : line;
}

/* One file of the change: what it was, what it is. */
struct piece {
    const struct history_change *change;
    const char *path;
    struct buf old, new;
    size_t index;
};

static void add_checks(struct buf *out, const struct piece *p)
{
    size_t len;

    buf_adds(out, "same_sum \"$file\" ");
    add_cksum(out, buf_str(&p->new), p->new.len);
    buf_adds(out, " || fail \"'$file' changed since\"\n");
    for (size_t i = 0; i < p->change->nedits; i++) {
        const struct history_edit *e = &p->change->edits[i];
        const char *want;

        if (strcmp(e->path, p->path) != 0 || e->new_count == 0)
            continue;
        want = lines_of(&p->new, skipped(e->new_line, e->new_count), e->new_count, &len);
        buf_adds(out, "{\n");
        add_octal(out, "    ", want, len);
        buf_printf(out, "} >\"$work/want\"\ncheck_lines %u %u\n", e->new_line, e->new_count);
    }
}

static void add_rebuild(struct buf *out, const struct piece *p)
{
    unsigned at = 0; /* lines of the file as it is that are done */
    size_t len;

    buf_adds(out, "{\n");
    for (size_t i = 0; i < p->change->nedits; i++) {
        const struct history_edit *e = &p->change->edits[i];
        unsigned start = skipped(e->new_line, e->new_count);
        const char *old;

        if (strcmp(e->path, p->path) != 0)
            continue;
        if (start > at)
            buf_printf(out, "    lines \"$file\" %u %u\n", at + 1, start - at);
        old = lines_of(&p->old, skipped(e->old_line, e->old_count), e->old_count, &len);
        add_octal(out, "    ", old, len);
        at = start + e->new_count;
    }
    buf_printf(out, "    tail -n +%u \"$file\"\n} >\"$work/new%zu\"\n", at + 1, p->index);
}

static void add_piece(struct buf *out, const struct piece *p)
{
    struct buf sum = BUF_INIT;
    size_t i = p->index;

    buf_printf(out, "\nfile=$(\n");
    add_octal(out, "    ", p->path, strlen(p->path));
    buf_adds(out,
             "    echo x\n)\nfile=$root/${file%x}\n[ -f \"$file\" ] || fail \"'$file' is gone\"\n");
    add_checks(out, p);
    add_rebuild(out, p);
    add_cksum(&sum, buf_str(&p->old), p->old.len);
    buf_printf(out, script_build, i, buf_str(&sum), i, i, i, i, i, i);
    buf_release(&sum);
}

static bool seen_before(const struct history_change *c, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(c->edits[k].path, c->edits[i].path) == 0)
            return true;
    return false;
}

static int add_pieces(struct buf *out, struct repo *repo, const struct history_change *c,
                      const char *parent, size_t *n, struct diag *d)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < c->nedits; i++) {
        struct piece p = {.change = c, .path = c->edits[i].path, .index = *n + 1};

        if (seen_before(c, i))
            continue;
        if (repo_blob(repo, parent, p.path, &p.old, d) == ROOT_OK &&
            repo_blob(repo, c->id, p.path, &p.new, d) == ROOT_OK)
            add_piece(out, &p);
        else
            rc = diag_set(d, STATUS_REFUSED, "history-damaged",
                          "the history does not hold '%s' of change %u", p.path, c->number);
        buf_release(&p.old);
        buf_release(&p.new);
        ++*n;
    }
    return rc;
}

struct one {
    struct history_change change;
    char parent[REPO_ID];
    bool reload;
};

static int take_one(void *ctx, const struct repo_entry *e, struct diag *d)
{
    struct one *one = ctx;

    (void)d;
    trailers_read(&one->change, e->message);
    memcpy(one->change.id, e->id, sizeof(one->change.id));
    memcpy(one->parent, e->parent, sizeof(one->parent));
    one->reload = trailers_reload(e->message);
    return 1;
}

int script_make(struct history *h, unsigned n, const char *id, struct buf *out, struct diag *d)
{
    struct one one = {0};
    struct repo *repo = NULL;
    size_t files = 0;
    int rc = -1;

    if (history_repo(h, false, &repo, d) != 0 || repo_walk(repo, id, take_one, &one, d) != 0)
        goto out;
    buf_printf(out, script_head, n, n);
    if (add_pieces(out, repo, &one.change, one.parent, &files, d) != 0)
        goto out;
    buf_adds(out, "\n[ -z \"$check\" ] || { echo 'can be taken back'; exit 0; }\n");
    for (size_t i = 1; i <= files; i++)
        buf_printf(out, script_move, i, i, i, i, i, i, n);
    if (one.reload)
        buf_adds(out, script_hup);
    rc = 0;
out:
    history_change_release(&one.change);
    return rc;
}

char *undo_path(unsigned number)
{
    return mem_printf("undo/%u.sh", number);
}

int history_script(struct history *h, unsigned change, struct buf *out, struct diag *d)
{
    struct history_changes list = {0};
    const struct history_change *c;
    int rc = history_list(h, &list, d);

    if (rc == 0) {
        c = history_find(&list, change);
        if (c != NULL)
            rc = script_make(h, c->number, c->id, out, d);
        else if (change == 0)
            rc = diag_set(d, STATUS_USAGE, "no-change", "there is no change left to take back");
        else
            rc = diag_set(d, STATUS_USAGE, "no-change", "there is no change %u", change);
    }
    history_changes_release(&list);
    return rc;
}
