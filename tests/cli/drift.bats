#!/usr/bin/env bats
# What was changed behind batten's back: named by status, audit and log until it is settled.

load cli.bash

# reopened CHANGE SERVICE...: what status, audit and log say is on again
reopened()
{
    local change=$1 service

    shift
    for command in status audit; do
        batten_json "$(test $command = status && echo 7 || echo 1)" $command
        test "$(jq -r '.reopened[].service' out.json | xargs)" = "$*"
        jq -e --argjson change "$change" '.reopened | all(.closed_by == $change)' out.json
    done
    batten 0 log
    for service in "$@"; do
        grep -q "^$service was turned on again at .*; change $change had closed it" <<<"$out"
    done
}

none_reopened()
{
    batten_json 0 status
    jq -e '.reopened == []' out.json
}

@test "a service turned on by hand stays told of, through later changes, until it is closed again" {
    host office
    batten 0 close telnet finger --apply
    none_reopened
    sed -i 's/^#finger/finger/' host/etc/inetd.conf
    reopened 1 finger
    # The next change records the file as it is now.
    batten 0 close ftp --apply
    batten 7 status
    not grep -q 'edited since' <<<"$out"
    reopened 1 finger
    batten 0 close finger --apply
    none_reopened
    sed -i 's/^#finger/finger/' host/etc/inetd.conf
    reopened 3 finger
}

@test "a rollback says that it is wanted" {
    host office
    batten 0 close telnet finger --apply
    sed -i -e 's/^#finger/finger/' -e 's/^#telnet/telnet/' host/etc/inetd.conf
    batten 0 close ftp --apply
    reopened 1 telnet finger
    before=$(sha256sum <host/etc/inetd.conf)
    batten 0 rollback --service finger
    grep -q '^finger was turned on by hand already' <<<"$out"
    test "$(sha256sum <host/etc/inetd.conf)" = "$before"
    reopened 1 telnet
    batten_json 0 rollback --service telnet
    jq -e '.wanted == ["telnet"] and .edits != null' out.json
    none_reopened
    # Closed and turned on once more, it is told of once more.
    batten 0 close finger --apply
    sed -i 's/^#finger/finger/' host/etc/inetd.conf
    reopened 4 finger
}

@test "that one entry is wanted says nothing of another of its name" {
    host office
    printf 'telnet stream tcp4 nowait root /x x\ntelnet stream tcp6 nowait root /x x\n' \
        >host/etc/inetd.conf
    batten 0 close telnet --apply
    sed -i '1s/^#//' host/etc/inetd.conf
    batten 0 rollback --entry etc/inetd.conf:1
    sed -i '2s/^#//' host/etc/inetd.conf
    batten_json 7 status
    jq -e '[.reopened[].line] == [2]' out.json
}

@test "what was refused is not wanted" {
    host office
    batten 0 close telnet finger --apply
    sed -i 's/^#telnet/telnet/' host/etc/inetd.conf
    ln host/etc/inetd.conf host/second
    batten 7 rollback --all
    grep -q 'hard links' err.txt
    not grep -q 'no drift from now on' out.txt
    rm host/second
    reopened 1 telnet
}

@test "closed twice, opened by hand between, rolled back: wanted" {
    host office
    batten 0 close finger --apply
    sed -i 's/^#finger/finger/' host/etc/inetd.conf
    batten 0 close finger --apply
    batten 0 rollback 2
    grep -q '^finger' host/etc/inetd.conf
    none_reopened
}

@test "entries that only share the name are not taken for each other" {
    host office
    printf 'echo stream tcp nowait root internal\necho dgram udp wait root internal\n' \
        >host/etc/inetd.conf
    printf '#!/bin/sh\n/usr/sbin/named -c /etc/a\nx=$(/usr/sbin/named -c /etc/b)\n' >host/etc/rc.local
    batten 7 close 7/tcp etc/rc.local:named --apply
    grep -q '^#/usr/sbin/named -c /etc/a' host/etc/rc.local
    grep -q '^x=' host/etc/rc.local
    grep -q '^#echo stream' host/etc/inetd.conf
    grep -q '^echo dgram' host/etc/inetd.conf
    none_reopened
    sed -i 's/^#echo/echo/' host/etc/inetd.conf
    batten_json 7 status
    jq -e '.reopened == [.reopened[0]] and .reopened[0].line == 1' out.json
}

@test "the package that did it" {
    host office
    mkdir -p host/var/log
    batten 0 close finger --apply
    sed -i 's/^#finger/finger/' host/etc/inetd.conf
    touch -d '2026-11-22 20:39:00' host/etc/inetd.conf
    {
        echo '2026-11-22 20:30:00 configure earlier:amd64 1 <none>'
        echo '2026-11-22 20:38:43 configure fingerd:amd64 0.17 <none>'
        echo '2026-11-22 20:48:43 configure later:amd64 1 <none>'
    } >host/var/log/dpkg.log
    batten_json 7 status
    jq -e '.reopened[0].package == "fingerd"' out.json
    batten 7 status
    grep -q "around then dpkg installed 'fingerd'" <<<"$out"
    # Once batten has written the file its time says nothing any more.
    batten 0 close telnet --apply
    touch -d '2026-11-22 20:48:43' host/etc/inetd.conf
    batten_json 7 status
    jq -e '.reopened[0].service == "finger" and .reopened[0].package == null' out.json
}

@test "many services turned on again are told quickly, and hostile records do no harm" {
    host office
    for ((i = 1; i <= 3000; i++)); do
        echo "$((20000 + i)) stream tcp nowait root /bin/cat cat"
    done >host/etc/inetd.conf
    batten 0 --profile strict --apply
    sed -i 's/^#//' host/etc/inetd.conf
    mkdir -p host/var/log
    yes '2026-11-22 20:38:43 configure fingerd:amd64 0.17 <none>' | head -n 100000 >host/var/log/dpkg.log
    start=$(date +%s%N)
    batten_json 7 status
    test $((($(date +%s%N) - start) / 1000000)) -lt 8000
    jq -e '.reopened | length == 3000' out.json
    head -c 100000 /dev/urandom >host/var/lib/batten/wanted
    batten_json 7 status
    {
        printf 'batten-wanted 1\n%%ff%%00 \n\n1 etc/inetd.conf 20001 '
        jq -r '.closed[] | select(.name == "20001") | .ident' host/var/lib/batten/last.json
    } >host/var/lib/batten/wanted
    batten_json 7 status
    jq -e '.reopened | length == 2999' out.json
}
