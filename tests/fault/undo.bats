#!/usr/bin/env bats
# The script that each change leaves: it takes the change back where batten does not run, under any
# shell, whatever stands in the files; or it refuses and changes nothing.

build=${BATTEN_BUILD:-$BATS_TEST_DIRNAME/../../build}
batten=${BATTEN:-$build/batten}

setup()
{
    root=$BATS_TEST_TMPDIR/root
    mkdir -p "$root/etc/inetd.d"
    printf 'telnet 23/tcp\nftp 21/tcp\npop3 110/tcp\n' >"$root/etc/services"
    printf 'tcp 6 TCP\n' >"$root/etc/protocols"
    printf '%s\n' 'telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd' \
        'ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd' >"$root/etc/inetd.conf"
    # what a host has whose programs are all BusyBox
    mkdir -p "$BATS_TEST_TMPDIR/busybox"
    if command -v busybox >/dev/null; then
        busybox --install -s "$BATS_TEST_TMPDIR/busybox"
    fi
}

change()
{
    "$batten" --root "$root" --dialect inetutils "$@" --apply >/dev/null || test $? = 7
}

# The script of change $1 under shell $2, with the arguments behind.
undo()
{
    local script=$root/var/lib/batten/undo/$1.sh shell=$2 path=$PATH

    shift 2
    test "$shell" != busybox || { shell="$(command -v busybox) ash" path=$BATS_TEST_TMPDIR/busybox; }
    # shellcheck disable=SC2086 # words
    run env PATH="$path" $shell "$script" "$@" "$root"
    echo "$shell $script $* -> $status: $output"
}

# Bytes, owners, modes, times aside, of everything in etc.
state()
{
    (
        cd "$root/etc" && find . -printf '%P %y %m %U %G %l\n' | LC_ALL=C sort
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 getfattr -d -m - 2>/dev/null || true
    )
}

same()
{
    diff <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

shells()
{
    local shell

    for shell in sh dash bash mksh busybox; do
        ! command -v $shell >/dev/null || echo $shell
    done
}

@test "names and lines made to be expanded" {
    local before shell long

    long=$(head -c 20000 /dev/zero | tr '\0' x)
    printf '%s\n' "# %s %n \\n \\045 'q' \"d\" \`touch ran\` \$(touch ran) \${HOME} caf"$'\xe9' \
        "telnet stream tcp nowait root /x x \$(touch ran) \`touch ran\` '%s' \\\\ \"" \
        $'telnet stream tcp nowait root /usr/sbin/x x\r' "pop3 stream tcp nowait root /x $long" \
        >"$root/etc/inetd.conf"
    printf 'ftp stream tcp nowait root /x -n %%s' >>"$root/etc/inetd.conf"
    for name in "a'b" 'c"d' '$(touch ran)' $'new\nline' $'caf\xe9\xff' '-n' 'two  blanks' '`ran`'; do
        printf 'pop3 stream tcp nowait root /x x' >"$root/etc/inetd.d/$name"
    done
    printf '#!/bin/sh\nif [ -x /usr/sbin/named ]; then\n\techo named; /usr/sbin/named\nfi\n' \
        >"$root/etc/rc.local"
    chmod 4751 "$root/etc/rc.local"
    chmod 600 "$root/etc/inetd.conf"
    setfattr -n user.note -v kept "$root/etc/inetd.conf" 2>/dev/null || true
    test "$(id -u)" != 0 || chown 3:4 "$root/etc/inetd.d/a'b"
    before=$(state)
    change --profile strict
    test "$(state)" != "$before"
    ! LC_ALL=C grep -q '[^ -~]' "$root/var/lib/batten/undo/1.sh" || return 1
    cp -a "$root" "$BATS_TEST_TMPDIR/changed"
    cd "$BATS_TEST_TMPDIR"
    for shell in $(shells); do
        rm -rf "$root"
        cp -a "$BATS_TEST_TMPDIR/changed" "$root"
        undo 1 "$shell" -n
        test "$status" = 0
        undo 1 "$shell"
        test "$status" = 0
        # the cp of BusyBox knows no attributes
        test "$shell" != busybox || setfattr -n user.note -v kept "$root/etc/inetd.conf" || true
        same "$before" "$(state)"
        # once more: nothing is left to do
        undo 1 "$shell"
        test "$status" = 0
        same "$before" "$(state)"
    done
    test -z "$(find "$BATS_TEST_TMPDIR" -name ran)"
}

@test "hundreds of edits" {
    local before shell n

    for ((n = 1; n <= 200; n++)); do
        printf 'pop3 stream tcp nowait root /x x %s\n# between\n' "$n"
    done >"$root/etc/inetd.conf"
    before=$(state)
    change --profile strict
    cp "$root/etc/inetd.conf" "$BATS_TEST_TMPDIR/changed"
    for shell in dash busybox; do
        command -v $shell >/dev/null || continue
        cp "$BATS_TEST_TMPDIR/changed" "$root/etc/inetd.conf"
        undo 1 "$shell"
        test "$status" = 0
        same "$before" "$(state)"
    done
}

@test "links inside the root are followed and stay" {
    local before shell

    mkdir "$root/etc/inet" "$root/real"
    mv "$root/etc/inetd.conf" "$root/etc/inet/first"
    ln -s /etc/inet/second "$root/etc/inetd.conf"
    ln -s first "$root/etc/inet/second"
    mv "$root/etc/inetd.d" "$root/real/inetd.d"
    ln -s ../real/inetd.d "$root/etc/inetd.d"
    echo 'pop3 stream tcp nowait root /x x' >"$root/real/inetd.d/pop3"
    before=$(state; cat "$root/real/inetd.d/pop3")
    change --profile strict
    cp -a "$root" "$BATS_TEST_TMPDIR/changed"
    for shell in $(shells); do
        rm -rf "$root"
        cp -a "$BATS_TEST_TMPDIR/changed" "$root"
        undo 1 "$shell"
        test "$status" = 0
        same "$before" "$(state; cat "$root/real/inetd.d/pop3")"
    done
}

@test "links that lead out of the root are not followed" {
    local shell outside=$BATS_TEST_TMPDIR/outside

    change --profile strict
    mkdir "$outside"
    cp "$root/etc/inetd.conf" "$outside/inetd.conf"
    cp -a "$outside" "$BATS_TEST_TMPDIR/canary"
    for shell in $(shells); do
        ln -sf "$outside/inetd.conf" "$root/etc/inetd.conf"
        undo 1 "$shell"
        test "$status" = 1
        ln -sf ../../outside/inetd.conf "$root/etc/inetd.conf"
        undo 1 "$shell"
        test "$status" = 1
        [[ $output == *"outside of the root; nothing was changed"* ]]
        ln -sf inetd.conf "$root/etc/inetd.conf"
        undo 1 "$shell"
        test "$status" = 1
        diff -r "$outside" "$BATS_TEST_TMPDIR/canary"
    done
    test -z "$(find "$root/etc" -name '.batten-undo*')"
}

@test "an etc that leads out of the root gets no directory" {
    local shell outside=$BATS_TEST_TMPDIR/outside

    change --profile strict
    mv "$root/etc" "$outside"
    cp -a "$outside" "$BATS_TEST_TMPDIR/canary"
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\necho "$*" >>"%s"\nexec %s "$@"\n' "$BATS_TEST_TMPDIR/made" \
        "$(command -v mkdir)" >"$BATS_TEST_TMPDIR/bin/mkdir"
    chmod +x "$BATS_TEST_TMPDIR/bin/mkdir"
    for shell in $(shells); do
        for link in "$outside" ../outside; do
            ln -sfn "$link" "$root/etc"
            PATH=$BATS_TEST_TMPDIR/bin:$PATH undo 1 "$shell"
            test "$status" = 1
            [[ $output == *"outside of the root; nothing was changed"* ]]
            test ! -e "$BATS_TEST_TMPDIR/made"
            diff -r "$outside" "$BATS_TEST_TMPDIR/canary"
        done
    done
}

@test "a CDPATH of whoever runs it" {
    local before shell

    before=$(state)
    change --profile strict
    cp "$root/etc/inetd.conf" "$BATS_TEST_TMPDIR/changed"
    mkdir -p "$BATS_TEST_TMPDIR/other/root/etc"
    cd "$BATS_TEST_TMPDIR"
    export CDPATH=$BATS_TEST_TMPDIR/other:$BATS_TEST_TMPDIR
    for shell in $(shells); do
        cp "$BATS_TEST_TMPDIR/changed" "$root/etc/inetd.conf"
        root=root undo 1 "$shell"
        test "$status" = 0
        [[ $output == "'$(pwd -P)/root/etc/inetd.conf' is as it was before change 1" ]]
        same "$before" "$(state)"
    done
}

# Nor is anything else made among the files that a daemon reads there.
@test "a target on another mount than etc is never missing" {
    local shell calls=$BATS_TEST_TMPDIR/calls

    test "$(id -u)" = 0 || skip "not root: no mounts"
    unshare -m true 2>/dev/null || skip "no mount namespaces here"
    command -v strace >/dev/null || skip "no strace here"
    echo 'pop3 stream tcp nowait root /x x' >"$root/etc/inetd.d/pop3"
    cp -a "$root/etc/inetd.d" "$BATS_TEST_TMPDIR/before"
    change close pop3
    cp -a "$root/etc/inetd.d" "$BATS_TEST_TMPDIR/changed"
    for shell in $(shells); do
        # shellcheck disable=SC2016 # expanded by the shell inside
        run unshare -m --propagation private bash -c '
            set -e
            cd "$1"
            mount -t tmpfs t root/etc/inetd.d
            cp -a changed/. root/etc/inetd.d
            test "$2" != busybox || set -- "$1" "busybox ash"
            strace -f -qq -o calls -e trace=/unlink,/rename,/open $2 root/var/lib/batten/undo/1.sh root
            diff -r before root/etc/inetd.d
            test -z "$(find root/etc -name ".batten-undo*")"' sh "$BATS_TEST_TMPDIR" "$shell"
        echo "$shell: $output"
        test "$status" = 0
        grep -E 'rename.*"[^"]*\.batten-undo[^"]*".*"[^"]*/inetd\.d/pop3".* = 0$' "$calls"
        run ! grep -E 'unlink.*/inetd\.d/pop3"|EXDEV|/inetd\.d/[^/"]*", .*O_CREAT' "$calls"
    done
}

@test "one that was cut short is finished by running it again" {
    local before shell

    echo 'pop3 stream tcp nowait root /x x' >"$root/etc/inetd.d/pop3"
    before=$(state)
    change --profile strict
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\ncase $* in */inetd.conf) exec %s "$@" ;; esac\nexit 1\n' "$(command -v mv)" \
        >"$BATS_TEST_TMPDIR/bin/mv"
    chmod +x "$BATS_TEST_TMPDIR/bin/mv"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH undo 1 sh
    test "$status" = 1
    [[ $output == *"pop3' could not be written: run this again" ]]
    test "$(state)" != "$before"
    undo 1 sh
    test "$status" = 0
    [[ $output == *"inetd.conf' is as it was already"* ]]
    same "$before" "$(state)"
}

@test "after a later change it refuses" {
    local before after shell

    before=$(state)
    change close telnet
    change close ftp
    after=$(state)
    for shell in $(shells); do
        undo 1 "$shell"
        test "$status" = 1
        [[ $output == *"changed since; nothing was changed"* ]]
        same "$after" "$(state)"
    done
    undo 2 sh
    test "$status" = 0
    undo 1 sh
    test "$status" = 0
    same "$before" "$(state)"
}

@test "the signal goes to no process of an image's choice" {
    local script=$root/var/lib/batten/undo/1.sh shell victim

    change close telnet
    mkdir "$root/run"
    sleep 60 &
    victim=$!
    echo "$victim" >"$root/run/inetd.pid"
    for shell in $(shells); do
        undo 1 "$shell" -k
        test "$status" = 1
        [[ $output == *"without ROOT"* ]]
        grep -q '^#telnet' "$root/etc/inetd.conf"
    done
    # as on the host itself, but for the place of the pid file
    sed "s|^pidfile=.*|pidfile='$root/run/inetd.pid'|" "$script" >"$script.here"
    sed -i "s|^root=.*|root=''|; s|^file=\$root|file='$root'|; s|^etc=\$root|etc='$root'|" "$script.here"
    run sh "$script.here" -k
    echo "$output"
    test "$status" = 1
    [[ $output == *"is old: process $victim is sleep"* ]]
    kill -0 "$victim"
    kill "$victim"
}

# The commit $1 of a history, its tree two levels down in directories called "..".
sunk()
{
    local tree

    tree=$(git rev-parse "$1^{tree}")
    tree=$(printf '040000 tree %s\t..\n' "$tree" | git mktree)
    tree=$(printf '040000 tree %s\t..\n' "$tree" | git mktree)
    git cat-file commit "$1" | sed "s|^tree .*|tree $tree|; s|etc/inetd.conf\$|../../&|" |
        sed "${2:+s|^parent .*|parent $2|}" | git hash-object -t commit -w --stdin
}

@test "a history that names files outside gets no script" {
    command -v git >/dev/null || skip "no git here"
    change close telnet
    export GIT_DIR=$root/var/lib/batten/history.git
    git update-ref refs/heads/main "$(sunk main "$(sunk main~)")"
    run "$batten" --root "$root" rollback 1 --script
    echo "$output"
    test "$status" = 3
}
