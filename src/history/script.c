#include <stdlib.h>
#include <string.h>

#include "batten/diag.h"
#include "batten/mem.h"
#include "batten/source.h"
#include "rollback_int.h"
#include "txn_int.h"

/*
 * The script for a host where neither batten nor its libraries run. POSIX sh with printf, head, tr,
 * tail, cmp, cp, mv and cksum, which not every BusyBox has. Nothing of a file or path stands in it
 * but as octal escapes, so it is ASCII and nothing in it is ever expanded. All files are checked
 * and built before the first is moved into place: each in a directory of its own beside its place,
 * as a move to another file system is no rename, and as daemons read what files they find. One that
 * is as it was already is passed over, so that a script that was cut short can be run again. Links
 * are followed by the script itself: where ROOT is an image, the shell would follow them out of it.
 */

/* A hostile history can ask for the same bytes many times over. */
enum { SCRIPT_MAX = 128 << 20 };

static const char script_head[] =
    "#!/bin/sh\n"
    "# Takes change %u of batten back where batten does not run.\n"
    "#     sh %u.sh [-n] [-k] [ROOT]\n"
    "# -n: only check; -k: send inetd a HUP afterwards. Refuses if a file changed since.\n"
    "# If it is cut short, run it again.\n"
    "set -u\n"
    "umask 077\n"
    "LC_ALL=C\n"
    "export LC_ALL\n"
    "CDPATH=\n"
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
    "etc=$root/etc\n"
    "say() {\n"
    "    printf '%%s' \"$1\" | tr -d '\\001-\\037\\177'\n"
    "    echo\n"
    "}\n"
    "stop() {\n"
    "    say \"batten: error: $1\" >&2\n"
    "    exit 1\n"
    "}\n"
    "fail() {\n"
    "    stop \"$1; nothing was changed\"\n"
    "}\n"
    "[ -z \"$hup\" ] || [ -z \"$root\" ] || fail '-k is for this host, without ROOT'\n"
    "top=$(cd -P \"${root:-/}\" && pwd -P && echo x) || fail \"cannot use '$root'\"\n"
    "top=${top%%?x}\n"
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
    "# the same where the size alone would not tell the old file from the new\n"
    "surely_same() {\n"
    "    command -v cksum >/dev/null 2>&1 && same_sum \"$@\"\n"
    "}\n"
    "lines() {\n"
    "    tail -n \"+$2\" \"$1\" | head -n \"$3\"\n"
    "}\n"
    "check_lines() {\n"
    "    lines \"$file\" \"$1\" \"$2\" | cmp -s - \"$work/want\" ||\n"
    "        fail \"line $1 of '$file' is not as batten wrote it\"\n"
    "}\n"
    "# $dir is the directory of $1 without links, which lead nowhere but below the root\n"
    "below() {\n"
    "    dir=$(cd -P \"${1%%/*}/\" && pwd -P && echo x) || fail \"'$1' is gone\"\n"
    "    dir=${dir%%?x}\n"
    "    case ${dir%%/}/ in\n"
    "    \"${top%%/}\"/*) ;;\n"
    "    *) fail \"'$1' is outside of the root\" ;;\n"
    "    esac\n"
    "}\n"
    "# the same for $file\n"
    "follow() {\n"
    "    links=0\n"
    "    while [ -h \"$file\" ]; do\n"
    "        links=$((links + 1))\n"
    "        [ \"$links\" -le 16 ] || fail \"the links of '$file' end nowhere\"\n"
    "        link=$(readlink \"$file\" && echo x) || fail \"cannot read the link '$file'\"\n"
    "        link=${link%%?x}\n"
    "        case $link in\n"
    "        /*) file=$root$link ;;\n"
    "        *) file=${file%%/*}/$link ;;\n"
    "        esac\n"
    "    done\n"
    "    [ -f \"$file\" ] || fail \"'$file' is gone\"\n"
    "    below \"$file\"\n"
    "    file=${dir%%/}/${file##*/}\n"
    "}\n"
    "clean() {\n"
    "    rm -rf \"$work\"\n"
    "    while [ \"$made\" -gt 0 ]; do\n"
    "        eval \"beside=\\$beside$made\"\n"
    "        [ -z \"$beside\" ] || rm -rf \"$beside\"\n"
    "        made=$((made - 1))\n"
    "    done\n"
    "}\n"
    "below \"$etc/.\"\n"
    "work=$dir/.batten-undo.$$\n"
    "made=0\n"
    "mkdir -m 700 \"$work\" || fail \"cannot make '$work'\"\n"
    "trap clean 0\n"
    "trap 'exit 1' 1 2 15\n";

static const char script_build[] =
    "same_sum \"$work/new%zu\" %s || fail \"'$file' would not be as it was\"\n"
    "beside=${file%%/*}/.batten-undo.$$.%zu\n"
    "mkdir -m 700 \"$beside\" || fail \"cannot make '$beside'\"\n"
    "beside%zu=$beside made=%zu\n"
    "cp -a \"$file\" \"$beside/out\" 2>/dev/null || cp -p \"$file\" \"$beside/out\" ||\n"
    "    fail \"cannot copy '$file'\"\n"
    "cat \"$work/new%zu\" >\"$beside/out\" || fail \"cannot write '$beside/out'\"\n"
    "file%zu=$file\n"
    "fi\n";

static const char script_ready[] = "\n[ -z \"$check\" ] || { echo 'can be taken back'; exit 0; }\n"
                                   "sync 2>/dev/null || :\n";

static const char script_move[] = "if [ -n \"$file%zu\" ]; then\n"
                                  "    mv -f \"$beside%zu/out\" \"$file%zu\" || stop \"'$file%zu' "
                                  "could not be written: run this again\"\n"
                                  "    say \"'$file%zu' is as it was before change %u\"\n"
                                  "fi\n";

static const char script_hup[] =
    "pidfile=$root/run/inetd.pid\n"
    "[ -f \"$pidfile\" ] || pidfile=$root/var/run/inetd.pid\n"
    "[ -n \"$root\" ] || echo \"to make inetd follow: kill -HUP \\$(cat $pidfile)\"\n"
    "if [ -n \"$hup\" ]; then\n"
    "    pid=$(cat \"$pidfile\") || exit 1\n"
    "    case $pid in\n"
    "    '' | *[!0-9]* | 0 | 1) stop \"'$pidfile' holds no process\" ;;\n"
    "    esac\n"
    "    name=inetd\n"
    "    [ ! -d /proc/self ] || read -r name <\"/proc/$pid/comm\" || name=nothing\n"
    "    case $name in\n"
    "    *inetd | busybox) ;;\n"
    "    *) stop \"'$pidfile' is old: process $pid is $name\" ;;\n"
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
    enum { PER_LINE = 128 };

    for (size_t i = 0; i < len; i += PER_LINE) {
        buf_printf(out, "%sprintf '", indent);
        for (size_t k = i; k < len && k < i + PER_LINE; k++)
            buf_printf(out, "\\%03o", (unsigned char)bytes[k]);
        buf_adds(out, "'\n");
    }
    if (len == 0)
        buf_printf(out, "%s:\n", indent);
}

/* The bytes of the lines of a recorded edit, as many of them as L has. */
static const char *lines_of(const struct lines *l, unsigned line, unsigned count, size_t *len)
{
    size_t first = lines_before(line, count);
    const char *text;

    first = first < l->n ? first : l->n;
    count = count < l->n - first ? count : (unsigned)(l->n - first);
    text = lines_at(l, first, count, len);
    if (l->cut && count > 0 && first + count == l->n)
        --*len;
    return text;
}

/* One file of the change: what it was, what it is, and its edits. */
struct piece {
    const char *path;
    struct buf old_bytes, new_bytes;
    struct lines old, new;
    const struct history_edit *const *edits;
    size_t nedits;
    size_t index;
};

static void add_checks(struct buf *out, const struct piece *p)
{
    size_t len;

    buf_adds(out, "same_sum \"$file\" ");
    add_cksum(out, buf_str(&p->new_bytes), p->new_bytes.len);
    buf_adds(out, " || fail \"'$file' changed since\"\n");
    for (size_t i = 0; i < p->nedits && out->len <= SCRIPT_MAX; i++) {
        const struct history_edit *e = p->edits[i];
        const char *want;

        if (e->new_count == 0)
            continue;
        want = lines_of(&p->new, e->new_line, e->new_count, &len);
        buf_adds(out, "{\n");
        add_octal(out, "    ", want, len);
        buf_printf(out, "} >\"$work/want\"\ncheck_lines %u %u\n", e->new_line, e->new_count);
    }
}

static void add_rebuild(struct buf *out, const struct piece *p)
{
    size_t at = 0; /* lines of the file as it is that are done */
    size_t len;

    buf_adds(out, "{\n");
    for (size_t i = 0; i < p->nedits && out->len <= SCRIPT_MAX; i++) {
        const struct history_edit *e = p->edits[i];
        size_t start = lines_before(e->new_line, e->new_count);
        const char *old;

        if (start > at)
            buf_printf(out, "    lines \"$file\" %zu %zu\n", at + 1, start - at);
        old = lines_of(&p->old, e->old_line, e->old_count, &len);
        add_octal(out, "    ", old, len);
        at = start + e->new_count;
    }
    buf_printf(out, "    tail -n +%zu \"$file\"\n} >\"$work/new%zu\"\n", at + 1, p->index);
}

static void add_piece(struct buf *out, const struct piece *p)
{
    struct buf sum = BUF_INIT;
    size_t i = p->index;

    buf_printf(out, "\nfile=$(\n");
    add_octal(out, "    ", p->path, strlen(p->path));
    add_cksum(&sum, buf_str(&p->old_bytes), p->old_bytes.len);
    buf_printf(out,
               "    echo x\n)\nfile=$root/${file%%x}\nfollow\nif %s \"$file\" %s; then\n"
               "file%zu='' beside%zu=''\nsay \"'$file' is as it was already\"\nelse\n",
               p->old_bytes.len == p->new_bytes.len ? "surely_same" : "same_sum", buf_str(&sum), i,
               i);
    add_checks(out, p);
    add_rebuild(out, p);
    buf_printf(out, script_build, i, buf_str(&sum), i, i, i, i, i);
    buf_release(&sum);
}

/* The path leads nowhere but below the root, as every path that batten records. */
static bool is_below(const char *path)
{
    for (size_t len; *path != '\0'; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        if (len == 2 && path[0] == '.' && path[1] == '.')
            return false;
    }
    return true;
}

static int by_path(const void *a, const void *b)
{
    const struct history_edit *x = *(const struct history_edit *const *)a;
    const struct history_edit *y = *(const struct history_edit *const *)b;
    int order = strcmp(x->path, y->path);

    return order != 0 ? order : (x < y ? -1 : x > y);
}

static int load_piece(struct piece *p, struct repo *repo, const char *parent,
                      const struct history_change *c, struct diag *d)
{
    if (!is_below(p->path) || repo_blob(repo, parent, p->path, &p->old_bytes, d) != ROOT_OK ||
        repo_blob(repo, c->id, p->path, &p->new_bytes, d) != ROOT_OK)
        return diag_set(d, STATUS_REFUSED, "history-damaged",
                        "the history does not hold '%s' of change %u", p->path, c->number);
    lines_make(&p->old, buf_str(&p->old_bytes), p->old_bytes.len);
    lines_make(&p->new, buf_str(&p->new_bytes), p->new_bytes.len);
    return 0;
}

static void piece_release(struct piece *p)
{
    buf_release(&p->old_bytes);
    buf_release(&p->new_bytes);
    lines_release(&p->old);
    lines_release(&p->new);
}

static int add_pieces(struct buf *out, struct repo *repo, const struct history_change *c,
                      const char *parent, size_t *n, struct diag *d)
{
    const struct history_edit **edits = mem_array(c->nedits, sizeof(*edits));
    int rc = 0;

    for (size_t i = 0; i < c->nedits; i++)
        edits[i] = &c->edits[i];
    if (c->nedits > 1)
        qsort(edits, c->nedits, sizeof(*edits), by_path);
    for (size_t i = 0, end; rc == 0 && i < c->nedits; i = end) {
        struct piece p = {.path = edits[i]->path, .edits = &edits[i], .index = ++*n};

        for (end = i; end < c->nedits && strcmp(edits[end]->path, p.path) == 0; end++)
            p.nedits++;
        rc = load_piece(&p, repo, parent, c, d);
        if (rc == 0)
            add_piece(out, &p);
        if (out->len > SCRIPT_MAX)
            rc = diag_set(d, STATUS_REFUSED, "too-large",
                          "a script for change %u would be too large", c->number);
        piece_release(&p);
    }
    free(edits);
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
    buf_adds(out, script_ready);
    for (size_t i = 1; i <= files; i++)
        buf_printf(out, script_move, i, i, i, i, i, n);
    buf_adds(out, "sync 2>/dev/null || :\n");
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
