#!/usr/bin/env bats
# Breaking batten on purpose. Only a sample of the points here, unless BATTEN_LONG=1.

here=$BATS_TEST_DIRNAME
build=${BATTEN_BUILD:-$here/../../build}
batten=${BATTEN:-$build/batten}

# One line of what was tried, for whoever asks the runner to show it. $3 is the sample, $4 that of a
# long run.
broken()
{
    local sample=$3 out

    test -z "$BATTEN_LONG" || sample=${4:-1}
    out=$("$here/fault.sh" "$1" "$2" "$sample") || {
        echo "$out"
        head -n 30 "$build"/fault/others/* || true
        return 1
    }
    echo "# $out" >&3
}

need_root()
{
    test "$(id -u)" = 0 || skip "not root: no mounts"
    unshare -m true 2>/dev/null || skip "no mount namespaces here"
}

# A directory ROOT/etc with an inetd.conf of two services.
make_host()
{
    mkdir -p "$1/etc"
    printf '%s\n' 'telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd' \
        'ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd' >"$1/etc/inetd.conf"
    printf 'telnet 23/tcp\nftp 21/tcp\n' >"$1/etc/services"
}

close_telnet()
{
    "$batten" --root "$1" close telnet --apply
}

# Run the shell commands "$1" with mounts of their own.
with_mounts()
{
    # shellcheck disable=SC2016 # expanded by the shell inside
    unshare -m --propagation private bash -c \
        "$(declare -f make_host close_telnet); batten='$batten'; root='$BATS_TEST_TMPDIR/root'
        mkdir -p \"\$root\"; set -eu; $1"
}

@test "killed at a system call of apply" {
    broken kill apply 60
}

@test "killed at a system call of an apply without a history" {
    broken kill bare 60
}

@test "killed at a system call of rollback" {
    broken kill rollback 60
}

@test "killed at a system call of the rollback of a service" {
    broken kill service 60
}

@test "killed at a system call of recover" {
    broken kill recover 500 40
}

@test "no space and input/output errors in apply" {
    broken error apply 40
}

@test "no space and input/output errors in rollback" {
    broken error rollback 40
}

@test "no space and input/output errors in recover" {
    broken error recover 200 10
}

@test "power cut in apply" {
    need_root
    test -e /dev/loop-control || skip "no loop devices here"
    broken power apply 12
}

@test "power cut in rollback" {
    need_root
    test -e /dev/loop-control || skip "no loop devices here"
    broken power rollback 12
}

@test "power cut in recover" {
    need_root
    test -e /dev/loop-control || skip "no loop devices here"
    broken power recover 60 6
}

@test "a power cut that cannot be made fails the run" {
    local fake=$BATS_TEST_TMPDIR/build

    need_root
    test -e /dev/loop-control || skip "no loop devices here"
    mkdir -p "$fake/tests/fault"
    ln -s "$(command -v false)" "$fake/tests/fault/shutdown_driver"
    BATTEN_BUILD=$fake BATTEN=$(realpath "$batten") run "$here/fault.sh" power apply 200
    echo "$output"
    test "$status" = 1
    [[ $output == *" 0 old, 0 new, "* ]]
}

@test "eight processes and a foreign writer" {
    local out

    out=$("$here/crowd.sh" "$(test -n "$BATTEN_LONG" && echo 30 || echo 4)")
    echo "# $out" >&3
}

@test "a full disk changes nothing" {
    need_root
    # shellcheck disable=SC2016 # expanded by the shell inside
    with_mounts '
        mount -t tmpfs -o size=1m t "$root"
        make_host "$root"
        cp "$root/etc/inetd.conf" '"$BATS_TEST_TMPDIR"'/before
        for free in 0 4 8 12 20 28 36 44 52 60 68 76 84 92 100 108; do
            rm -rf "$root/var" "$root/fill"
            dd if=/dev/zero of="$root/fill" bs=4k 2>/dev/null || true
            truncate -s $(($(stat -c %s "$root/fill") - free * 1024)) "$root/fill"
            status=0
            close_telnet "$root" || status=$?
            test ! -e "$root/etc/.batten" || { echo "$free KiB: left over"; exit 1; }
            case $status in
            0) grep -q "^#telnet" "$root/etc/inetd.conf" || { echo "$free KiB: not done"; exit 1; }
                cp '"$BATS_TEST_TMPDIR"'/before "$root/etc/inetd.conf" ;;
            4 | 5) cmp "$root/etc/inetd.conf" '"$BATS_TEST_TMPDIR"'/before ;;
            *) echo "$free KiB: status $status"; exit 1 ;;
            esac
        done'
}

@test "a read-only file system is said before any write" {
    need_root
    # shellcheck disable=SC2016 # expanded by the shell inside
    run with_mounts '
        make_host "$root"
        mount --bind "$root" "$root"
        mount -o remount,bind,ro "$root"
        close_telnet "$root"'
    echo "$output"
    test "$status" = 4
    [[ $output == *"read-only file system"* ]]
    test ! -e "$BATS_TEST_TMPDIR/root/var"
}

@test "a bind mount is said before any write" {
    need_root
    # shellcheck disable=SC2016 # expanded by the shell inside
    run with_mounts '
        make_host "$root"
        mount --bind "$root/etc/inetd.conf" "$root/etc/inetd.conf"
        close_telnet "$root"'
    echo "$output"
    test "$status" = 4
    [[ $output == *"mount point"*"umount"* ]]
    test ! -e "$BATS_TEST_TMPDIR/root/var"
}

@test "the immutable flag is said before any write" {
    local root=$BATS_TEST_TMPDIR/root

    make_host "$root"
    chattr +i "$root/etc/inetd.conf" 2>/dev/null || skip "no immutable flag here"
    run close_telnet "$root"
    chattr -i "$root/etc/inetd.conf"
    echo "$output"
    test "$status" = 4
    [[ $output == *"immutable"*"chattr -i"* ]]
    test ! -e "$root/var"
}

@test "hard links are said before any write, and broken when asked" {
    local root=$BATS_TEST_TMPDIR/root

    make_host "$root"
    ln "$root/etc/inetd.conf" "$root/etc/second"
    run close_telnet "$root"
    echo "$output"
    test "$status" = 7
    [[ $output == *"hard links"*"--break-links"* ]]
    test ! -e "$root/var"
    run "$batten" --root "$root" close telnet --apply --break-links
    test "$status" = 0
    grep -q '^#telnet' "$root/etc/inetd.conf"
    grep -q '^telnet' "$root/etc/second"
}

@test "a lens that cannot be read stops a rollback and is named" {
    local root=$BATS_TEST_TMPDIR/root lens

    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # not under a tracer
    make_host "$root"
    close_telnet "$root"
    lens=$(strace -f -e trace=openat "$batten" --root "$root" rollback -n 2>&1 |
        sed -nE 's/.*"([^"]*batten_inetd.aug)".*/\1/p' | head -n 1)
    run strace -f -qq -o /dev/null -P "$lens" -e inject=openat:error=EIO:when=1 \
        "$batten" --root "$root" rollback --yes
    echo "$output"
    test "$status" = 4
    [[ $output == *"cannot use lens"* ]]
}

# Wait until somebody holds the lock $1.
held()
{
    local i

    for ((i = 0; i < 1000; i++)); do
        test ! -e "$1" || flock -n "$1" true || return 0
        sleep 0.01
    done
    return 1
}

@test "a second run says who holds the lock" {
    local root=$BATS_TEST_TMPDIR/root

    make_host "$root"
    (umask 077 && exec flock -o "$root/etc/.batten.lock" sleep 20) &
    holder=$!
    held "$root/etc/.batten.lock"
    run close_telnet "$root"
    kill "$holder"
    echo "$output"
    test "$status" = 4
    [[ $output == *"another batten is at work"* ]]
    # What the killed one left is in nobody's way, and goes with the next.
    close_telnet "$root"
    test ! -e "$root/etc/.batten.lock"
}

@test "a lock that anybody can take on etc keeps nobody out" {
    local root=$BATS_TEST_TMPDIR/root

    make_host "$root"
    flock -F "$root/etc" sleep 20 &
    holder=$!
    held "$root/etc"
    run close_telnet "$root"
    kill "$holder"
    echo "$output"
    test "$status" = 0
}

@test "git gc does not disturb the history" {
    local root=$BATS_TEST_TMPDIR/root repo

    command -v git >/dev/null || skip "no git here"
    make_host "$root"
    repo=$root/var/lib/batten/history.git
    close_telnet "$root"
    git --git-dir="$repo" gc -q
    test -z "$(find "$repo/objects" -path '*/objects/??/*' -type f)"
    run "$batten" --root "$root" log -p
    [[ $output == *"close telnet"*"+#telnet"* ]]
    "$batten" --root "$root" close ftp --apply
    "$batten" --root "$root" rollback --all --yes
    run ! grep -q '^#' "$root/etc/inetd.conf"
    git --git-dir="$repo" fsck --strict
    test "$(git --git-dir="$repo" log --oneline | wc -l)" = 4
}
