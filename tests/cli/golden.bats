#!/usr/bin/env bats
# Every command's text and JSON, as transcripts in golden/.

load cli.bash

profile=(--profile jpcert-98-0004)

@test "audit" {
    host office
    batten 1 audit
    batten 1 audit --all -q
    batten 1 audit --profile strict -q
    batten 0 audit --profile report -q
    transcript audit.txt
}

@test "audit --json" {
    host office
    batten_json 1 audit
    jq -e '.summary.to_change > 0 and (.entries | length) == .summary.entries' out.json
    transcript audit.json.txt
}

@test "audit of a host that starts nothing" {
    host demo
    rm host/etc/inetd.conf
    batten 0 audit
    batten_json 0 audit
    jq -e '.entries == [] and (.problems | map(.code)) == ["nothing-read"]' out.json
    transcript audit-nothing.txt
}

@test "dry run" {
    host office
    before=$(state_of host)
    batten 1 harden "${profile[@]}"
    batten 1 "${profile[@]}"
    batten 0 harden --profile report
    test "$(state_of host)" = "$before"
    transcript harden.txt
}

@test "dry run --json" {
    host office
    batten_json 1 "${profile[@]}"
    jq -e '.edits | length == 9 and all(.kind == "comment" and (.after | startswith("#")))' out.json
    transcript harden.json.txt
}

@test "the diff is one that patch takes" {
    host office
    batten 1 "${profile[@]}"
    cp -r host patched
    patch -s -p1 -d patched <out.txt
    batten 0 "${profile[@]}" --apply
    cmp host/etc/inetd.conf patched/etc/inetd.conf
}

@test "apply, log, show, status, rollback" {
    host office
    batten 0 status
    batten 0 log
    batten 0 "${profile[@]}" --apply
    batten 0 status
    batten 0 log
    batten 0 log -p
    batten 0 show 1
    batten 1 rollback -n
    batten 0 rollback
    cmp host/etc/inetd.conf "$top/fixtures/office/etc/inetd.conf"
    batten 0 rollback
    batten 0 log
    batten 0 show 2
    transcript apply.txt
}

@test "apply, log, show, status, rollback --json" {
    host office
    batten_json 0 status
    batten_json 0 "${profile[@]}" --apply
    jq -e '.change == 1 and .signals == [] and .proof == []' out.json
    batten_json 0 log
    batten_json 0 show 1
    batten_json 1 rollback -n
    batten_json 0 rollback
    jq -e '.change == 2' out.json
    batten_json 0 rollback
    jq -e '.change == null and .edits == []' out.json
    transcript apply.json.txt
}

@test "a second apply has nothing to do" {
    host office
    batten 0 "${profile[@]}" --apply
    before=$(state_of host)
    batten 0 "${profile[@]}" --apply
    batten 0 "${profile[@]}"
    batten 0 audit -q
    test "$(state_of host)" = "$before"
    transcript apply-again.txt
}

@test "close" {
    host office
    batten 1 close finger 23/tcp
    batten 0 close finger --apply
    batten 0 close class:mail --apply
    batten 0 close program:/usr/sbin/in.telnetd --apply
    batten 0 close etc/inetd.conf:daytime --apply
    batten 0 close rpc:rstatd --apply
    batten 1 audit -q
    batten 0 rollback --service imap
    batten 0 rollback --entry etc/inetd.conf:25
    batten 0 rollback 2
    batten 0 rollback --all
    cmp host/etc/inetd.conf "$top/fixtures/office/etc/inetd.conf"
    transcript close.txt
}

@test "close --json" {
    host office
    batten_json 1 close finger
    batten_json 0 close finger --apply
    transcript close.json.txt
}

@test "a conflict" {
    host office
    batten 0 "${profile[@]}" --apply
    sed -i 's/^#finger.*/#finger was here/' host/etc/inetd.conf
    batten 7 status
    batten 7 rollback -n
    batten 7 rollback
    batten_json 7 rollback --all
    transcript conflict.txt
}

@test "explain" {
    host office
    batten 0 explain telnet
    batten 0 explain 79/tcp
    batten 0 explain etc/inetd.conf:16
    batten 0 explain /etc/inetd.conf:29
    batten 0 explain gopher
    batten 0 explain 4321/udp
    batten 0 "${profile[@]}" --apply
    batten 0 explain finger
    batten 0 explain 1
    transcript explain.txt
}

@test "explain --json" {
    host office
    batten_json 0 explain telnet
    jq -e '.service == "telnet" and (.entries | length) == 2' out.json
    transcript explain.json.txt
}

@test "profile" {
    host office
    mkdir -p host/etc/batten/profiles
    printf 'profile-version 1\ninclude jpcert-98-0004\nkeep telnet imaps\nask ftp\n' \
        >host/etc/batten/profiles/office
    batten 0 profile list
    batten 0 profile show office
    batten 0 profile show jpcert-98-0004
    batten 0 profile check host/etc/batten/profiles/office
    batten 7 --profile office
    batten 7 --profile office --apply
    batten_json 0 profile list
    batten_json 0 profile show report
    batten_json 0 profile check host/etc/batten/profiles/office
    transcript profile.txt
}

@test "help" {
    where=()
    batten 0 help
    for word in harden close audit explain status log show rollback confirm recover profile help \
        exit json; do
        batten 0 help $word
    done
    batten 0 --version
    batten 0 audit --help
    transcript help.txt
}

@test "wrong use" {
    host office
    batten 2 adit
    batten 2 --aply
    batten 2 --apply
    batten 2 harden --apply
    batten 2 audit --apply
    batten 2 close
    batten 2 close telnett
    batten 2 close 79/tpc
    batten 2 show
    batten 2 show one
    batten 2 rollback 1 --all
    batten 2 rollback --entry etc/inetd.conf
    batten 2 rollback --wait 5
    batten 2 --prof strict
    batten 2 audit --color sometimes
    batten 2 audit --dialect unix
    batten 2 help nothing
    batten 2 profile frobnicate
    batten 2 audit --profile
    where=()
    batten 2 audit --history none
    transcript usage.txt
}

@test "wrong use --json" {
    host office
    batten_json 2 adit
    batten_json 2 --aply
    batten_json 2 close telnett
    batten_json 2 show 7
    batten_json 3 explain telnett
    where=(--root nowhere)
    batten_json 3 audit
    transcript errors.json.txt
}
