#!/bin/bash
# ns.sh - run a command on a small host of its own
#
#     tests/live/ns.sh [OPTION...] [--] COMMAND [ARG...]
#     tests/live/ns.sh --check
#
#     --with LAYER[,LAYER...]  unpacked daemons to lay over the system: openbsd, inetutils, xinetd,
#                              busybox, servers, rpc, dns, dovecot (see fetch.sh)
#     --etc DIR                files copied over /etc at the end (repeatable)
#     --bind DIR               show DIR, read-only, at the same place (repeatable)
#     --writable DIR           the same, writable: for what must outlive the run
#     --timeout SECONDS        kill everything after that time, default 60
#     --check                  only say whether it can work here
#
# The command runs as root and pid 2 or later in private mount, pid, network, uts and ipc
# namespaces. Its root is a tmpfs: /usr of this machine below the unpacked daemons as an overlay, an
# /etc made from tests/live/etc and the daemons' own, fresh /proc, /dev, /run, /tmp, /var, and only
# a loopback device. The project's tree is there read-only at its own path. Whatever it starts or
# mounts ends with it; nothing of this machine is written. Leaves the command's status; 124 after
# the time-out; 77 and a line 'skip: REASON' where namespaces are not to be had.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
daemons=${BATTEN_DAEMONS:-$top/build/daemons}

skip()
{
    printf 'skip: %s\n' "$*" >&2
    exit 77
}

# --- outside: options, then the same script again inside new namespaces ---------------------------

check()
{
    local tool

    test "$(id -u)" -eq 0 || skip 'private namespaces need root'
    for tool in unshare mount pivot_root ip timeout; do
        command -v $tool >/dev/null || skip "no '$tool' on this machine"
    done
    grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null ||
        skip 'this kernel has no overlay file system'
    unshare -m -p -n -u -i --fork --kill-child --propagation private true 2>/dev/null ||
        skip 'this machine does not allow private namespaces'
}

outside()
{
    local layers='' etcs='' binds='' writables='' seconds=60 layer mnt status

    while test $# -gt 0; do
        case $1 in
        --check) check; exit 0 ;;
        --with) layers=${2//,/ }; shift 2 ;;
        --etc) etcs+=$(realpath "$2")$'\n'; shift 2 ;;
        --bind) binds+=$(realpath "$2")$'\n'; shift 2 ;;
        --writable) writables+=$(realpath "$2")$'\n'; shift 2 ;;
        --timeout) seconds=$2; shift 2 ;;
        --) shift; break ;;
        -*) echo "ns.sh: unknown option '$1'" >&2; exit 2 ;;
        *) break ;;
        esac
    done
    test $# -gt 0 || { echo 'ns.sh: no command' >&2; exit 2; }
    check
    for layer in $layers; do
        test -e "$daemons/$layer.ready" ||
            skip "'$layer' is not unpacked, run: tests/live/fetch.sh $layer"
    done
    mnt=$(mktemp -d)
    # shellcheck disable=SC2064 # the name as it is now
    trap "rmdir '$mnt'" EXIT
    status=0
    NS_MNT=$mnt NS_LAYERS=$layers NS_ETCS=$etcs NS_BINDS=$binds NS_WRITABLES=$writables NS_CWD=$PWD \
        timeout --foreground -s KILL "$seconds" \
        unshare -m -p -n -u -i --fork --kill-child --propagation private \
        "$here/ns.sh" --inside-namespaces "$@" || status=$?
    if test $status -eq 137; then
        echo "ns.sh: killed after $seconds s" >&2
        status=124
    fi
    exit $status
}

# --- inside: build the root, move into it ---------------------------------------------------------

bind_ro()
{
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
}

make_usr()
{
    local layer lower='' n=0 d

    mkdir -p "$root/usr" "$root/.layers/upper" "$root/.layers/work"
    for layer in $NS_LAYERS; do
        mkdir "$root/.layers/$n"
        mount --bind "$daemons/$layer/usr" "$root/.layers/$n"
        lower+=.layers/$n:
        n=$((n + 1))
    done
    (cd "$root" && mount -t overlay overlay \
        -o "lowerdir=$lower/usr,upperdir=.layers/upper,workdir=.layers/work" usr) ||
        skip 'cannot mount an overlay of /usr here'
    for d in bin sbin lib lib32 lib64; do
        if test -L "/$d"; then
            cp -P "/$d" "$root/$d"
        elif test -d "/$d"; then
            mkdir "$root/$d"
            bind_ro "/$d" "$root/$d"
        fi
    done
}

make_etc()
{
    local layer dir

    mkdir "$root/etc"
    cp -a /etc/alternatives "$root/etc/" 2>/dev/null || true
    cp /etc/ld.so.cache "$root/etc/" 2>/dev/null || true
    for layer in $NS_LAYERS; do
        test ! -d "$daemons/$layer/etc" || cp -a "$daemons/$layer/etc/." "$root/etc/"
        test ! -d "$daemons/$layer/var" || cp -a "$daemons/$layer/var/." "$root/var/"
    done
    cp -r "$here/etc/." "$root/etc/"
    chmod 644 "$root"/etc/*.conf "$root/etc/passwd"
    while read -r dir; do
        test -z "$dir" || cp -a "$dir/." "$root/etc/"
    done <<<"$NS_ETCS"
    chown root:root "$root/etc"
    chmod 755 "$root/etc"
}

make_dev()
{
    local node

    mount -t tmpfs -o mode=755 dev "$root/dev"
    for node in null zero full random urandom tty; do
        : >"$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
}

make_root()
{
    local dir

    root=$NS_MNT
    mount -t tmpfs -o mode=755 root "$root" || skip 'cannot mount a tmpfs here'
    mkdir "$root"/{dev,home,mnt,proc,root,run,srv,sys,tmp,var}
    mkdir "$root"/var/{cache,lib,log,mail,spool,tmp}
    mkdir "$root"/run/lock
    ln -s /run "$root/var/run"
    ln -s /run/lock "$root/var/lock"
    ln -s ../mail "$root/var/spool/mail"
    chmod 1777 "$root/tmp" "$root/var/tmp"
    mkdir "$root/home/tester"
    chown 1000:1000 "$root/home/tester"
    make_usr
    make_etc
    make_dev
    mount -t proc proc "$root/proc" || skip 'cannot mount a private /proc here'
    printf '%s\n' "$top" "$NS_BINDS" | while read -r dir; do
        test -n "$dir" || continue
        mkdir -p "$root$dir"
        bind_ro "$dir" "$root$dir"
    done
    while read -r dir; do
        test -n "$dir" || continue
        mkdir -p "$root$dir"
        mount --bind "$dir" "$root$dir"
    done <<<"$NS_WRITABLES"
}

start_net()
{
    local f

    hostname live
    for f in all lo; do
        echo 0 2>/dev/null >"/proc/sys/net/ipv6/conf/$f/disable_ipv6" || true
    done
    ip link set lo up || skip 'cannot bring up a loopback device here'
}

inside()
{
    local cwd=$NS_CWD

    umask 022
    make_root
    start_net
    mkdir "$root/.old"
    pivot_root "$root" "$root/.old"
    cd /
    umount -l /.old
    rmdir /.old
    cd "$cwd" 2>/dev/null || cd /
    unset NS_MNT NS_LAYERS NS_ETCS NS_BINDS NS_WRITABLES NS_CWD
    # This shell stays as pid 1 and buries the daemons' orphans.
    trap 'exit 130' INT
    trap 'exit 143' TERM
    set +e
    env -u OLDPWD HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    exit $?
}

if test "${1-}" = --inside-namespaces; then
    shift
    inside "$@"
else
    outside "$@"
fi
