#!/usr/bin/env bats
# Images made to attack whoever looks at them. What stands outside the image is never read or
# written, nothing of it is executed, memory stays bounded.

build=${BATTEN_BUILD:-$BATS_TEST_DIRNAME/../../build}
batten=${BATTEN:-$build/batten}

setup()
{
    root=$BATS_TEST_TMPDIR/image
    outside=$BATS_TEST_TMPDIR/outside
    mkdir -p "$root/etc" "$outside"
    printf '%s\n' 'telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd' \
        'ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd' >"$root/etc/inetd.conf"
    printf 'telnet 23/tcp\nftp 21/tcp\n' >"$root/etc/services"
    echo 'finger stream tcp nowait root /secret secret' >"$outside/inetd.conf"
    cp "$outside/inetd.conf" "$BATS_TEST_TMPDIR/canary"
}

teardown()
{
    cmp "$outside/inetd.conf" "$BATS_TEST_TMPDIR/canary"
    test "$(ls -A "$outside")" = inetd.conf
}

# Run batten with little memory; its status must be a documented one, its output without the secret
# and without control characters (a diff that is not for a terminal has the exact bytes).
attack()
{
    run bash -c 'test -n "$SANITIZED" || ulimit -v 600000
        exec timeout "$((20 * (${#SANITIZED} > 0 ? 6 : 1)))" "$@"' \
        sh "$batten" --root "$root" "$@"
    echo "$* -> $status: $output"
    test "$status" -le 7
    [[ $output != *secret* ]]
    ! grep -vE '^[-+ ]' <<<"$output" | grep -qP '[\x00-\x08\x0b-\x1f\x7f]' || return 1
}

all_commands()
{
    attack audit
    attack --profile strict
    attack status
    attack log -p
    attack explain telnet
    attack close telnet --apply
    attack rollback --all --yes
    attack recover
}

# What a traced batten opens is below the root, or what a program of this host needs: libraries,
# locale, lenses, /proc and devices. It executes itself and the shells it chose. It begins with an
# umask of nothing; what it makes is never open to others, not for a moment.
traced()
{
    local trace=$BATS_TEST_TMPDIR/trace top=$BATS_TEST_TMPDIR/trace.top

    realpath "$BATS_TEST_DIRNAME/../.." >"$top"
    (umask 000 && exec timeout 20 strace -f -qq -y -s 4096 -o "$trace" -e trace=%file \
        "$batten" --root "$root" "$@" </dev/null >/dev/null 2>&1) || true
    echo "traced $*"
    grep -q "$root" "$trace"
    ! sed -nE 's/.* = [0-9]+<(.*)>$/\1/p' "$trace" | grep -vF -e "$root" -e "$(cat "$top")/lenses" |
        grep -vE '^(/usr/|/lib|/proc|/sys/|/dev/|/etc/(ld\.so|locale|nsswitch|passwd|ssl/))' || return 1
    ! sed -nE 's/^[0-9]+ +execve\("([^"]*)".*/\1/p' "$trace" | grep -vxF "$batten" |
        grep -vE '^(/usr)?/bin/(sh|dash|bash|mksh|ksh93|busybox)$' || return 1
    ! grep O_CREAT "$trace" | grep -vE 'O_CREAT.*, (mode=)?0[0-7]00[,)}]' || return 1
    ! grep -E ' mkdir(at)?\(' "$trace" | grep -vE ', 0[0-7]00\)' || return 1
    test -z "$(find "$root/var/lib/batten" -perm /077 2>/dev/null)"
}

traced_all()
{
    traced audit
    traced audit --json
    traced --profile strict
    traced --profile strict --apply
    traced rollback --yes
    traced close telnet
    traced close telnet --apply
    traced log -p
    traced show 1
    traced explain telnet
    traced explain etc/inetd.conf:1
    traced status
    traced rollback 1 --script
    traced rollback --all --yes
    traced confirm
    traced recover
}

@test "absolute and rising symlinks stay inside" {
    ln -sf "$outside/inetd.conf" "$root/etc/inetd.conf"
    all_commands
    ln -sf ../../outside/inetd.conf "$root/etc/inetd.conf"
    all_commands
    mkdir -p "$root$outside"
    ln -s "$outside" "$root/etc/inetd.d"
    all_commands
}

@test "no command touches what is outside, or lets others read" {
    command -v strace >/dev/null || skip "no strace here"
    printf '%s\n' '#!/bin/sh' 'if [ -x /usr/sbin/named ]; then' '    /usr/sbin/named' 'fi' \
        ". $outside/inetd.conf" >"$root/etc/rc.local"
    mkdir "$root/etc/inetd.d"
    traced_all
    # links that lead out, of every kind
    ln -sf "$outside/inetd.conf" "$root/etc/services"
    ln -sf ../../outside/inetd.conf "$root/etc/protocols"
    ln -s "$outside" "$root/etc/rc.d"
    ln -s "$outside/inetd.conf" "$root/etc/inetd.d/telnet"
    traced_all
    ln -sf "$outside/inetd.conf" "$root/etc/inetd.conf"
    traced_all
}

@test "an etc that is a symlink to /etc" {
    rm -r "${root:?}/etc"
    ln -s /etc "$root/etc"
    all_commands
    attack audit
    test "$status" = 3
    attack close telnet --apply
    test "$status" = 3
    rm "$root/etc"
    ln -s "$outside" "$root/etc"
    all_commands
}

@test "loops, fifos, devices, directories in the place of files" {
    rm "$root/etc/inetd.conf"
    ln -s inetd.conf "$root/etc/inetd.conf"
    all_commands
    rm "$root/etc/inetd.conf"
    mkfifo "$root/etc/inetd.conf"
    all_commands
    rm "$root/etc/inetd.conf"
    mkdir "$root/etc/inetd.conf"
    all_commands
    rmdir "$root/etc/inetd.conf"
    if mknod "$root/etc/inetd.conf" c 1 5 2>/dev/null; then
        all_commands
        rm "$root/etc/inetd.conf"
    fi
    mkfifo "$root/etc/services2" && mv "$root/etc/services2" "$root/etc/services"
    all_commands
}

@test "a sparse file of 4 GiB" {
    truncate -s 4G "$root/etc/inetd.conf"
    all_commands
    attack audit
    [[ $output == *"too large"* ]]
    printf 'telnet stream tcp nowait root /x x\n' >"$root/etc/inetd.conf"
    truncate -s 4G "$root/etc/services"
    all_commands
}

@test "a setuid file keeps its mode and runs for nobody" {
    chmod 4755 "$root/etc/inetd.conf"
    attack close telnet --apply
    test "$status" = 0
    test "$(stat -c %a "$root/etc/inetd.conf")" = 4755
    test -z "$(find "$root/var" "$root/etc" -perm /6000 ! -name inetd.conf)"
}

@test "names with newlines and escape sequences" {
    mkdir -p "$root/etc/inetd.d"
    printf 'pop3 stream tcp nowait root /x x\n' >"$root/etc/inetd.d/"$'a\nb\e[2Jc'
    printf 'telnet\e]0;x\a stream tcp nowait root /x x\n' >>"$root/etc/inetd.conf"
    all_commands
    attack --dialect inetutils close pop3 --apply
    test "$status" = 0
    attack rollback --yes
    test "$status" = 0
}

@test "a hard link out of the image" {
    cp "$root/etc/inetd.conf" "$BATS_TEST_TMPDIR/linked"
    ln -f "$BATS_TEST_TMPDIR/linked" "$root/etc/inetd.conf"
    attack close telnet --apply
    test "$status" = 7
    grep -q '^telnet' "$BATS_TEST_TMPDIR/linked"
    attack close telnet --apply --break-links
    test "$status" = 0
    grep -q '^telnet' "$BATS_TEST_TMPDIR/linked"
}

@test "a staging directory that is not ours" {
    ln -s "$outside" "$root/etc/.batten"
    all_commands
    rm "$root/etc/.batten"
    mkdir "$root/etc/.batten"
    chmod 777 "$root/etc/.batten"
    all_commands
    attack close telnet --apply
    test "$status" = 3
}

@test "a state directory that is a symlink" {
    mkdir -p "$root/var/lib"
    ln -s "$outside" "$root/var/lib/batten"
    all_commands
    attack close telnet --apply
    test "$status" = 3
    rm "$root/var/lib/batten"
    ln -s ../../../outside "$root/var/lib/batten"
    all_commands
}

@test "a history with hooks, config, alternates, links" {
    local repo=$root/var/lib/batten/history.git plant
    # shellcheck disable=SC2016 # run in the repository, below
    local plants=(
        'mkdir hooks; printf "#!/bin/sh\ntouch %s/ran\n" "$outside" >hooks/post-update; chmod +x hooks/*'
        'printf "[core]\n\tpager = touch %s/ran\n[include]\n\tpath = %s/inetd.conf\n" "$outside" "$outside" >>config'
        'mkdir -p objects/info; echo "$outside" >objects/info/alternates'
        'echo "$outside" >commondir'
        'mv objects "$BATS_TEST_TMPDIR/objects"; ln -s "$BATS_TEST_TMPDIR/objects" objects'
        'rm -r refs/heads; ln -s "$outside" refs/heads'
        'rm HEAD; ln -s "$outside/inetd.conf" HEAD'
        'mkdir -p info; echo "* diff=x" >info/attributes'
        'ln -f "$outside/inetd.conf" refs/heads/other'
        'mkfifo refs/heads/fifo'
        'echo "ref: refs/heads/../../../../etc/passwd" >refs/heads/main'
        'mkdir worktrees'
        # libgit2 reads this one for ever
        'f=$(git --git-dir=. rev-parse main); f=objects/${f:0:2}/${f:2}; rm -f $f; printf "\020" >$f'
    )

    attack close telnet --apply
    test "$status" = 0
    cp -a "$root" "$BATS_TEST_TMPDIR/clean"
    for plant in "${plants[@]}"; do
        rm -rf "$root" "$BATS_TEST_TMPDIR/objects"
        cp -a "$BATS_TEST_TMPDIR/clean" "$root"
        (cd "$repo" && eval "$plant")
        attack log -p
        test "$status" = 3
        attack close ftp --apply
        test "$status" = 3
        attack rollback --yes
        test "$status" = 3
        grep -q '^ftp' "$root/etc/inetd.conf"
    done
}

@test "a journal and a last.json made up" {
    attack close telnet --apply
    printf 'batten-journal 1\nchange 1\nbase -\nid -\nfile %064d %064d ../../outside ../../outside/inetd.conf x\nend\n' \
        1 2 >"$root/var/lib/batten/journal"
    all_commands
    rm -f "$root/var/lib/batten/journal"
    printf '[[[[[[' >"$root/var/lib/batten/last.json"
    all_commands
    # a token that would be read by a terminal, or as an option of the program that is to watch
    for token in $'\ec\e[7m' --help 'a;id a'; do
        printf 'batten-deadline 1\nchange 1\ntoken %s\nboot %s\nat 9999999999\n' "$token" \
            "$(cat /proc/sys/kernel/random/boot_id)" >"$root/var/lib/batten/deadline"
        attack status
        test "$status" = 3
        attack rollback 1 --yes
    done
    rm "$root/var/lib/batten/deadline"
    mkdir -p "$root/etc/batten/profiles"
    printf '' >"$root/etc/batten/profiles/"$'x\e[2Jy'
    attack profile list
    yes '[' | head -c 3000000 | tr -d '\n' >"$root/var/lib/batten/last.json"
    all_commands
    head -c 100000 /dev/urandom >"$root/var/lib/batten/journal"
    all_commands
}

# A history of $1 changes with 60,000 made-up edits each, all in effect, the file edited since.
crowded_history()
{
    local line n edits tree commit

    for n in 0 1 2 3 4 5 6 7 8 9; do
        for line in $(seq 100); do
            echo "pop3 stream tcp nowait root /x x $n$line"
        done
    done >"$root/etc/inetd.conf"
    attack close pop3 --apply
    test "$status" = 0
    sed -i 's/^#\(.*0\)$/\1/; 1i # edited' "$root/etc/inetd.conf"
    export GIT_DIR=$root/var/lib/batten/history.git
    tree=$(git rev-parse 'main^{tree}')
    commit=$(git rev-parse main)
    for ((n = 2; n <= $1 + 1; n++)); do
        edits=$(seq 60000 | awk '{ l = $1 % 1000 + 1
            print "Edit: " l ",1 " l ",1 comment - pop pop3 etc/inetd.conf" }')
        commit=$(printf 'tree %s\nparent %s\nauthor a <a@b> 0 +0000\ncommitter a <a@b> 0 +0000\n\nx\n\nChange: %d\nKind: close\n%s\n' \
            "$tree" "$commit" "$n" "$edits" | git hash-object -t commit -w --stdin)
    done
    git update-ref refs/heads/main "$commit"
    unset GIT_DIR
}

@test "a history at the limits costs bounded time and memory" {
    command -v git >/dev/null || skip "no git here"
    crowded_history 4
    attack log
    attack rollback -n
    attack rollback --all -n
    attack rollback 3 -n
    attack rollback --service pop3 -n
    attack rollback --entry etc/inetd.conf:7 -n
    attack rollback 3 --script
    attack rollback --yes
}
