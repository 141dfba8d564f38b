#!/usr/bin/env bats
# The same in gives the same out: bytes, histories, and ways back.

load cli.bash

profile=(--profile jpcert-98-0004)

history_of()
{
    git --git-dir "$1/var/lib/batten/history.git" log --format=raw -p --notes "${@:2}"
}

@test "two hardenings of equal images give equal bytes and equal histories" {
    for copy in one two; do
        host office
        mv host $copy
        "$BATTEN" "${profile[@]}" --apply --root $copy >/dev/null 2>&1 </dev/null
        "$BATTEN" rollback --service imap --reason 'still in use' --root $copy >/dev/null </dev/null
    done
    test "$(state_of one)" = "$(state_of two)"
    test "$(history_of one)" = "$(history_of two)"
    test "$(history_of one | grep -c '^commit ')" -eq 3
}

@test "the time of the commits is the one asked for" {
    host demo
    batten 0 "${profile[@]}" --apply
    history_of host --format=%at,%ct >times.txt
    test "$(grep -c . <(grep -E "^[0-9]+,[0-9]+$" times.txt | grep -vx 900460800,900460800))" -eq 0
    SOURCE_DATE_EPOCH=1000000000 batten 0 rollback
    git --git-dir host/var/lib/batten/history.git log -1 --format=%ct | grep -x 1000000000
}

@test "without a record there is no trace" {
    host office
    cp -r host copy
    batten 0 "${profile[@]}" --apply --history none
    cp host/etc/inetd.conf host/etc/rc.local copy/etc
    test "$(state_of host)" = "$(state_of copy)"
    batten 0 log --history none
}

@test "a history elsewhere" {
    host office
    batten 0 "${profile[@]}" --apply --history "$PWD/state"
    test ! -e host/var
    batten 0 log --history "$PWD/state"
    grep -q 'close' <<<"$out"
    test -z "$(find state -perm /077)"
    batten 0 rollback --history "$PWD/state"
    cmp host/etc/inetd.conf "$top/fixtures/office/etc/inetd.conf"
}

@test "one by one, in every order, all come back" {
    local order services=(telnet imap finger)

    for order in '0 1 2' '0 2 1' '1 0 2' '1 2 0' '2 0 1' '2 1 0'; do
        host demo
        batten 0 "${profile[@]}" --apply
        for i in $order; do
            batten 0 rollback --service "${services[i]}"
            grep -qE "^(${services[i]})" host/etc/inetd.conf
        done
        batten 0 rollback --all
        cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    done
}

@test "what was edited since stays" {
    host demo
    batten 0 "${profile[@]}" --apply
    sed -i -e 's/in.ftpd -l/in.ftpd -ll/' -e '/^#telnet/i # a line before' \
        -e '/^#telnet/a # a line behind' -e '$a # the end' host/etc/inetd.conf
    batten 0 rollback
    sed -e 's/in.ftpd -l/in.ftpd -ll/' -e '/^telnet/i # a line before' \
        -e '/^telnet/a # a line behind' -e '$a # the end' \
        "$top/fixtures/demo/etc/inetd.conf" >want
    cmp host/etc/inetd.conf want
}

@test "a rollback is rolled back" {
    host demo
    batten 0 "${profile[@]}" --apply
    cp host/etc/inetd.conf closed
    batten 0 rollback
    batten 0 rollback 2
    cmp host/etc/inetd.conf closed
    batten 0 rollback 3
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
}

@test "the options may stand before the command" {
    host demo
    "$BATTEN" --root host --json audit --all >before.json </dev/null || test $? -eq 1
    "$BATTEN" audit --all --json --root=host >behind.json </dev/null || test $? -eq 1
    cmp before.json behind.json
}

@test "colours only where they are asked for" {
    host demo
    batten 1 audit
    not grep -q $'\x1b' out.txt
    batten 1 audit --color always
    grep -q $'\x1b' out.txt
    batten 1 audit --color never
    not grep -q $'\x1b' out.txt
    # without its colours the text is the same
    batten 1 audit
    cp out.txt plain
    batten 1 audit --color always
    sed 's/\x1b\[[0-9;]*m//g' out.txt | cmp - plain
}

@test "the table fits 80 columns" {
    host office
    batten 1 audit --all
    sed -n '/^RISK/,/^$/p' out.txt | awk 'length > 80 { print length ": " $0; bad = 1 } END { exit bad }'
}
