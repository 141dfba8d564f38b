#!/usr/bin/env bats
# Input that is wrong, missing or hostile: a clear message, the documented status, nothing changed.

load cli.bash

profile=(--profile jpcert-98-0004)

# What batten said on standard error must hold each of the words.
says()
{
    local word

    for word in "$@"; do
        grep -qF -- "$word" <<<"$err" || {
            printf "not said: '%s' in:\n%s\n" "$word" "$err"
            return 1
        }
    done
}

# Apply must leave STATUS and change nothing at all on the host.
refuses()
{
    local before

    before=$(state_of host)
    batten "$1" "${profile[@]}" --apply
    test "$(state_of host)" = "$before"
}

# The edit of a strange file is undone to the byte.
goes_and_comes_back()
{
    local before

    before=$(sha256sum <host/etc/inetd.conf)
    batten 0 "${profile[@]}" --apply
    test "$(sha256sum <host/etc/inetd.conf)" != "$before"
    batten 0 rollback
    test "$(sha256sum <host/etc/inetd.conf)" = "$before"
}

as_nobody()
{
    local nobody

    needs_root
    nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    "${nobody[@]}" test -x "$BATTEN" -a -r "$top/lenses/batten_inetd.aug" ||
        skip "nobody cannot reach '$BATTEN'"
    chmod 755 "$BATS_TEST_TMPDIR" host host/etc
    printf '#!/bin/sh\nexec %s %s "$@"\n' "${nobody[*]}" "$BATTEN" >as-nobody
    chmod +x as-nobody
    BATTEN=$PWD/as-nobody
}

in_a_mount_namespace()
{
    needs_root
    unshare -m true 2>/dev/null || skip 'this machine does not allow mount namespaces'
}

@test "a missing file" {
    host demo
    rm host/etc/inetd.conf
    batten 0 audit
    refuses 0
}

@test "a directory instead of a file" {
    host demo
    rm host/etc/inetd.conf
    mkdir host/etc/inetd.conf
    batten 7 audit
    says 'etc/inetd.conf' 'is a directory'
    refuses 7
}

@test "fifos and devices are not opened" {
    host demo
    rm host/etc/inetd.conf
    mkfifo host/etc/inetd.conf
    batten 7 audit
    says 'is a fifo'
    refuses 7
    rm host/etc/inetd.conf
    mknod host/etc/inetd.conf c 1 5 2>/dev/null || skip 'no devices can be made here'
    batten 7 audit
    says 'is a device'
}

@test "a file that cannot be read" {
    host demo
    chmod 600 host/etc/inetd.conf
    as_nobody
    batten 4 audit
    says 'etc/inetd.conf' 'Permission denied' 'hint:'
}

@test "not root: audit shows what it can" {
    host demo
    as_nobody
    batten 1 audit
    grep -q telnet <<<"$out"
}

@test "not root: apply changes nothing" {
    host demo
    as_nobody
    refuses 4
    says 'hint:'
}

@test "a read-only file system" {
    host demo
    in_a_mount_namespace
    before=$(state_of host)
    printf '#!/bin/sh\nmount --bind host host && mount -o remount,bind,ro host && exec %s "$@"\n' \
        "$BATTEN" >read-only
    chmod +x read-only
    printf '#!/bin/sh\nexec unshare -m ./read-only "$@"\n' >BATTEN
    chmod +x BATTEN
    BATTEN=./BATTEN
    batten 1 audit
    batten 4 "${profile[@]}" --apply
    says 'read-only'
    test "$(state_of host)" = "$before"
}

@test "NUL bytes: audited, never edited" {
    host demo
    printf 'nul\0here\n' >>host/etc/inetd.conf
    batten 1 audit
    says 'NUL'
    grep -q telnet <<<"$out"
    before=$(sha256sum <host/etc/inetd.conf)
    batten 7 "${profile[@]}" --apply
    test "$(sha256sum <host/etc/inetd.conf)" = "$before"
}

@test "a line of more than 64 KiB" {
    host demo
    {
        printf 'tftp dgram udp wait root /usr/sbin/in.tftpd in.tftpd '
        head -c 70000 /dev/zero | tr '\0' x
        echo
    } >>host/etc/inetd.conf
    batten 1 audit
    test ${#err} -lt 40000
    goes_and_comes_back
}

@test "a source over the limit" {
    host demo
    yes '# too many comments' | head -c 5000000 >>host/etc/inetd.conf
    batten 7 audit
    says 'too large'
    refuses 7
}

@test "no final newline" {
    host demo
    printf 'telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd' >>host/etc/inetd.conf
    goes_and_comes_back
}

@test "CRLF line ends" {
    host demo
    sed -i 's/$/\r/' host/etc/inetd.conf
    goes_and_comes_back
}

@test "Latin-1, control characters, UTF-8 that is none" {
    host demo
    printf '# caf\xe9 \x1b[31m \xc0\xaf\ncaf\xe9 stream tcp nowait root /bin/caf\xe9 caf\xe9\n' \
        >>host/etc/inetd.conf
    batten 1 audit --all
    not env LC_ALL=C grep -q $'[\x1b\xe9]' out.txt
    not env LC_ALL=C grep -q $'[\x1b\xe9]' err.txt
    batten_json 1 audit
    jq -e '.entries[] | select(.name_b64 != null) | .name_b64 == "Y2Fm6Q=="' out.json ||
        jq -e '[.problems[], .entries[]] | map(.message_b64, .name_b64) | any' out.json
    goes_and_comes_back
}

@test "an empty file" {
    host demo
    : >host/etc/inetd.conf
    batten 0 audit
    refuses 0
}

@test "an unknown word in a profile" {
    host demo
    printf 'profile-version 1\ndisable telnet fingre\n' >p
    batten 3 harden --profile ./p
    says './p:2:16:' "'fingre'" 'disable telnet fingre' "did you mean 'finger'"
    batten 3 profile check ./p
    printf 'profile-version 1\ndisabel telnet\n' >p
    batten 3 profile check ./p
    says './p:2:1:' 'disable'
    batten_json 3 profile check ./p
    jq -e '.error | .path == "./p" and .line == 2 and .column == 1 and .hint != null' out.json
}

@test "profiles that are none" {
    host demo
    batten 3 --profile nowhere
    says "'nowhere'" 'hint:'
    batten 3 --profile ./nowhere
    mkdir d
    batten 3 --profile ./d
    says 'is a directory'
    printf 'include loop\n' >loop
    mkdir -p host/etc/batten/profiles
    cp loop host/etc/batten/profiles/loop
    batten 3 --profile loop
    head -c 100000 /dev/urandom >noise
    batten 3 --profile ./noise
}

@test "an unknown service" {
    host demo
    batten 2 close telnett
    says "did you mean 'telnet'"
    batten 3 close gopher
    says "'gopher'"
    batten 3 explain telnett
}

@test "a state directory that is not one" {
    host demo
    mkdir state
    echo mine >state/file
    before=$(state_of state)
    for command in log status rollback; do
        batten 3 $command --history state
    done
    batten 3 "${profile[@]}" --apply --history state
    says 'not a state directory'
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    test "$(state_of state)" = "$before"
}

@test "a state directory that is a symbolic link" {
    host demo
    mkdir -p outside host/var/lib
    ln -s "$PWD/outside" host/var/lib/batten
    batten 3 "${profile[@]}" --apply
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    test -z "$(ls -A outside)"
}

@test "a root that is none" {
    where=(--root nowhere)
    batten 3 audit
    says "'nowhere'" 'hint:'
    echo file >nowhere
    batten 3 audit
    where=(--root '')
    batten 3 audit
    where=(--root)
    batten 2 audit
}

@test "an image whose etc is a link to /etc" {
    mkdir host
    ln -s /etc host/etc
    before=$(stat -c '%n %Y %Z' /etc /etc/passwd)
    batten 3 audit
    refuses 3
    test "$(stat -c '%n %Y %Z' /etc /etc/passwd)" = "$before"
}

@test "links that lead out of the image" {
    host demo
    echo 'telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd' >secret.conf
    for target in "$PWD/secret.conf" ../../secret.conf ../../../../../../../../"$PWD"/secret.conf; do
        ln -sf "$target" host/etc/inetd.conf
        "$BATTEN" audit --root host </dev/null >out.txt 2>&1 || true
        not grep telnet out.txt
        refuses_without_status
    done
    test "$(cat secret.conf)" = 'telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd'
}

refuses_without_status()
{
    local before status=0

    before=$(state_of host)
    "$BATTEN" "${profile[@]}" --apply "${where[@]}" >/dev/null 2>&1 </dev/null || status=$?
    case $status in
    0 | 3 | 7) ;;
    *)
        echo "status $status"
        return 1
        ;;
    esac
    test "$(state_of host)" = "$before"
}

@test "a link that stays inside is followed and stays" {
    host demo
    mkdir host/conf
    mv host/etc/inetd.conf host/conf/real
    ln -s ../conf/real host/etc/inetd.conf
    batten 0 "${profile[@]}" --apply
    test -L host/etc/inetd.conf
    grep -q '^#telnet' host/conf/real
    batten 0 rollback
    cmp host/conf/real "$top/fixtures/demo/etc/inetd.conf"
    test "$(readlink host/etc/inetd.conf)" = ../conf/real
}

@test "more than one hard link" {
    host demo
    ln host/etc/inetd.conf host/etc/other
    before=$(sha256sum <host/etc/other)
    batten 7 "${profile[@]}" --apply
    says 'hard link' '--break-links'
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    batten 0 "${profile[@]}" --apply --break-links
    test "$(sha256sum <host/etc/other)" = "$before"
    grep -q '^#telnet' host/etc/inetd.conf
}

@test "owner, mode and attributes are kept" {
    host demo
    chmod 640 host/etc/inetd.conf
    setfattr -n user.note -v kept host/etc/inetd.conf 2>/dev/null || skip 'no user.* attributes here'
    test "$(id -u)" -ne 0 || chown 3:4 host/etc/inetd.conf
    before=$(stat -c '%u %g %a' host/etc/inetd.conf)
    batten 0 "${profile[@]}" --apply
    test "$(stat -c '%u %g %a' host/etc/inetd.conf)" = "$before"
    test "$(getfattr --only-values -n user.note host/etc/inetd.conf)" = kept
    batten 0 rollback
    test "$(stat -c '%u %g %a' host/etc/inetd.conf)" = "$before"
    test "$(getfattr --only-values -n user.note host/etc/inetd.conf)" = kept
}

@test "nothing is left beside the files" {
    host demo
    batten 0 "${profile[@]}" --apply
    test -z "$(find host/etc -newer transcript -name '.*' -type f)"
    test ! -e host/etc/.batten || test -z "$(ls -A host/etc/.batten)"
    test -z "$(find host/var/lib/batten -perm /077)"
}

@test "the standard descriptors may be closed" {
    host demo
    "$BATTEN" audit --root host <&- >out.txt 2>&1 || test $? -eq 1
    grep -q telnet out.txt
    status=0
    "$BATTEN" audit --root host >&- 2>&- <&- || status=$?
    test $status -eq 4 || test $status -eq 1
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
}

@test "a full disk under the output is an error" {
    host demo
    test -w /dev/full || skip 'no /dev/full here'
    status=0
    "$BATTEN" audit --root host >/dev/full 2>err.txt </dev/null || status=$?
    test $status -eq 4
    grep -q 'No space left' err.txt
}

@test "a reader that went away is none" {
    host demo
    yes '# comment' | head -n 20000 >>host/etc/inetd.conf
    "$BATTEN" audit --root host 2>err.txt </dev/null | head -n 1
    not grep -qi 'pipe' err.txt
}

@test "a hostile environment" {
    host demo
    mkdir bad
    printf '#!/bin/sh\ntouch %s/ran\n' "$PWD" >bad/less
    cp bad/less bad/git
    cp bad/less bad/sh
    chmod +x bad/*
    PATH=$PWD/bad PAGER=$PWD/bad/less GIT_DIR=/nonexistent AUGEAS_ROOT=/nonexistent \
        AUGEAS_LENS_LIB=$PWD/bad TMPDIR=/nonexistent GIT_PAGER=$PWD/bad/less HOME=/nonexistent \
        "$BATTEN" "${profile[@]}" --root host --apply </dev/null
    PATH=$PWD/bad PAGER=$PWD/bad/less "$BATTEN" log -p --root host </dev/null >/dev/null
    test ! -e ran
}

@test "log --limit" {
    host demo
    batten 0 close telnet --apply
    batten 0 close finger --apply
    batten 0 log --limit 1
    grep -q 'close finger' <<<"$out"
    not grep -q 'close telnet' <<<"$out"
    batten_json 0 log --limit 1
    jq -e '(.changes | length) == 1 and .changes[0].change == 2 and .total == 3' out.json
    batten_json 0 log --limit 1000000000
    jq -e '(.changes | length) == 3' out.json
    for word in 0 -1 x 1x '' 99999999999999999999; do
        batten 2 log --limit "$word"
    done
    batten 2 status --limit 3
}

@test "a change to an image has no date unless it is told one" {
    host demo
    unset SOURCE_DATE_EPOCH
    batten 0 close telnet --apply --confirm-within 10m
    not grep -q 'reboot' err.txt
    batten 0 log
    grep -q '^   1  no date  *close telnet' <<<"$out"
    batten 0 explain telnet
    grep -q '^closed   by change 1, no date, undo: ' <<<"$out"
    batten_json 0 log
    jq -e 'all(.changes[]; .time == null)' out.json
    batten 0 rollback
}

@test "explain takes a name and a program as they are written" {
    host demo
    printf 'biff2 dgram udp wait root /opt/in.biff2 in.biff2\n' >>host/etc/inetd.conf
    printf 'bi\033[1m stream tcp nowait root /opt/x x\n' >>host/etc/inetd.conf
    batten 0 explain biff2
    grep -q '^started  etc/inetd.conf:' <<<"$out"
    grep -q 'does not know this service' <<<"$out"
    batten 0 explain /opt/in.biff2
    grep -q '^name     biff2$' <<<"$out"
    batten_json 0 explain biff2
    jq -e '.service == null and (.entries | length) == 1' out.json
    batten 0 explain $'bi\033[1m'
    not grep -q $'\033' out.txt
    batten 3 explain biff3
}

@test "program: takes a bare name behind tcpd for the one tcpd would run" {
    host demo
    printf 'telnet stream tcp nowait root /usr/sbin/tcpd in.telnetd\n' >host/etc/inetd.conf
    batten 3 close program:/opt/in.telnetd
    batten 3 close program:/usr/sbin/tcpd
    batten 0 close program:/usr/sbin/in.telnetd --apply
    grep -q '^#telnet' host/etc/inetd.conf
}

@test "Dovecot is spoken of where it is installed" {
    host office
    batten 1 "${profile[@]}"
    not grep -q Dovecot <<<"$out"
    mkdir host/etc/dovecot
    batten 1 "${profile[@]}"
    grep -q 'imap closed here lets Dovecot' <<<"$out"
}

@test "the standard descriptors may be closed, whatever is changed" {
    host demo
    "$BATTEN" "${profile[@]}" --apply --root host <&- >&- 2>&-
    grep -q '^#telnet' host/etc/inetd.conf
    "$BATTEN" rollback --root host <&- >&- 2>&-
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    # Nothing that was meant for a closed descriptor is in a file.
    not grep -rqa 'batten rollback' host/etc
    batten 0 log
    "$BATTEN" close telnet --apply --confirm-within 1s --root host <&- >&- 2>&-
    for ((i = 0; i < 100; i++)); do
        test -e host/var/lib/batten/deadline || break
        sleep 0.1
    done
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
}

@test "output that cannot be written: told, and what is done is done" {
    host demo
    test -w /dev/full || skip 'no /dev/full here'
    for way in '' --json; do
        status=0
        "$BATTEN" "${profile[@]}" --apply --root host $way >/dev/full 2>err.txt </dev/null ||
            status=$?
        test $status -eq 7
        grep -q 'No space left' err.txt
        grep -q '^#telnet' host/etc/inetd.conf
        status=0
        "$BATTEN" rollback --root host $way >/dev/full 2>err.txt </dev/null || status=$?
        test $status -eq 7
        cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    done
    for word in help --version 'profile list' log status; do
        status=0
        # shellcheck disable=SC2086
        "$BATTEN" $word --root host >/dev/full 2>/dev/null </dev/null || status=$?
        test $status -eq 4
    done
}

@test "no name of its own, no environment, odd terminals" {
    host demo
    batten 1 audit
    cp out.txt want
    (exec -a '' "$BATTEN" audit --root host </dev/null >out.txt 2>/dev/null) || test $? -eq 1
    cmp out.txt want
    perl -e '$p = shift; exec { $p } "" or die' "$BATTEN" </dev/null >/dev/null 2>err.txt ||
        test $? -le 7
    env -i "$BATTEN" audit --root host </dev/null >out.txt 2>/dev/null || test $? -eq 1
    cmp out.txt want
    for term in '' dumb nosuch 'a b' $'\033[31m' "$(printf 'x%.0s' {1..5000})"; do
        TERM=$term COLUMNS=-1 LINES=x HOME=/nonexistent LC_ALL=nosuch LANG=$'\xff' \
            "$BATTEN" audit --root host </dev/null >out.txt 2>/dev/null || test $? -eq 1
        cmp out.txt want
    done
}

@test "huge and foreign arguments" {
    host demo
    big=$(head -c 120000 /dev/zero | tr '\0' a)
    batten 3 explain "$big"
    batten 2 close "$big"
    batten 2 "$big"
    batten 2 "--$big"
    batten 2 log --limit "$big"
    not batten 0 --profile "$big"
    for command in explain close show confirm help 'rollback --service' 'rollback --entry' --dialect; do
        # shellcheck disable=SC2086
        "$BATTEN" $command $'\xff\033[31m\n\x01' --root host </dev/null >out.txt 2>err.txt || true
        not env LC_ALL=C grep -q $'[\x01\x1b\xff]' out.txt err.txt
        # shellcheck disable=SC2086
        "$BATTEN" $command $'\xff\033[31m\n\x01' --root host --json </dev/null >out.json || true
        jq -es 'length == 1 and .[0].schema == 1' out.json
    done
    batten 0 close telnet --apply --reason $'line\nChange: 99\nEdit: x \033[31m \xff'
    batten_json 0 log
    jq -e '[.changes[].change] == [1, null]' out.json
    batten 0 log
    not env LC_ALL=C grep -q $'\x1b' out.txt
}

@test "setuid it does nothing" {
    host demo
    needs_root
    as_nobody
    cp "$(sed -n 's/^exec .* \(.*\) "$@"$/\1/p' as-nobody)" setuid
    chmod 4755 setuid
    chmod 777 "$PWD"
    status=0
    setpriv --reuid 65534 --regid 65534 --clear-groups ./setuid audit --root host \
        >out.txt 2>err.txt || status=$?
    if test "$status" -ne 4; then
        skip 'this file system ignores setuid'
    fi
    grep -q 'does not run setuid' err.txt
    test ! -s out.txt
}

@test "root without capabilities does what it may" {
    host demo
    needs_root
    setpriv --bounding-set -all --inh-caps -all true 2>/dev/null || skip 'no setpriv here'
    setpriv --bounding-set -all --inh-caps -all "$BATTEN" "${profile[@]}" --apply --root host </dev/null
    grep -q '^#telnet' host/etc/inetd.conf
    chown -R 3:4 host/etc
    status=0
    setpriv --bounding-set -all --inh-caps -all "$BATTEN" rollback --root host </dev/null \
        2>err.txt || status=$?
    test $status -eq 4
    grep -q '^batten: error: ' err.txt
    grep -q '^#telnet' host/etc/inetd.conf
    batten 0 rollback
}

@test "what batten does not edit is left to a person, with the reason" {
    mkdir -p host/etc
    printf '#!/bin/sh\n/usr/sbin/named | logger\n/usr/sbin/rpc.statd\n/etc/init.d/portmap start\n' \
        >host/etc/rc.local
    batten 1 audit
    grep -qE '^high .* etc/rc.local:2 +by hand$' <<<"$out"
    grep -qF 'batten explain etc/rc.local:2 --root host' <<<"$out"
    grep -qF "would close 1 and leave 1 to you: batten" <<<"$out"
    batten 0 explain etc/rc.local:2
    grep -q '^by hand  it is part of a pipeline' <<<"$out"
    batten 0 explain etc/rc.local:4
    grep -q '^how      through another script' <<<"$out"
    batten 7 "${profile[@]}" --apply
    batten 1 audit
    grep -qE "would close 0 and leave 1 to you$" <<<"$out"
}

@test "a profile with as many rules as there are entries" {
    mkdir -p host/etc
    for ((i = 1; i <= 10000; i++)); do
        echo "$((20000 + i)) stream tcp nowait root /opt/p$i p$i"
    done >host/etc/inetd.conf
    for ((i = 1; i <= 5000; i++)); do
        printf 'disable program:/opt/p%d\nkeep %d/tcp\n' "$i" $((20001 + i))
    done >rules
    # Seconds of processor time, so that a busy machine does not matter.
    (ulimit -t 20 && "$BATTEN" audit --profile ./rules --root host -q </dev/null >out.txt) ||
        test $? -eq 1
    tail -n 1 out.txt
    grep -q "^10000 of 10000 entries on; 'rules' would close 5000:" out.txt
}
