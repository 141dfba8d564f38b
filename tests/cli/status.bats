#!/usr/bin/env bats
# Every exit status of every command that changes something, each time as text and as one object.

load cli.bash

profile=(--profile jpcert-98-0004)

teardown()
{
    test -z "${holder-}" || kill "$holder" 2>/dev/null || true
    stop_watchers
}

# both STATUS CODE COMMAND...: an error, in words and as an object that carries CODE
both()
{
    local want=$1 code=$2

    shift 2
    batten "$want" "$@"
    grep -q '^batten: error: ' <<<"$err"
    batten_json "$want" "$@"
    jq -e --arg code "$code" '.error.code == $code and (.error.message | length) > 0' out.json
}

# Somebody else holds the lock, as batten takes it.
hold_lock()
{
    (
        umask 077
        : >host/etc/.batten.lock
    )
    flock -x host/etc/.batten.lock sleep 60 &
    holder=$!
    until ! flock -n host/etc/.batten.lock true; do sleep 0.05; done
}

let_go()
{
    pkill -P "$holder" || true
    wait "$holder" || true
    holder=
    rm -f host/etc/.batten.lock
}

# The watchers of this test's root, and no others.
stop_watchers()
{
    local pid

    for pid in $(pgrep -f -- "batten watch [a-z]* --root=$(realpath host 2>/dev/null || echo none)"); do
        kill -KILL "$pid" 2>/dev/null || true
    done
}

# A change waits whose time is over, and nobody watches.
expired()
{
    batten 0 close finger --apply --confirm-within 1h
    stop_watchers
    sed -i 's/^at .*/at 1/' host/var/lib/batten/deadline
}

@test "apply: 0, 1, 2, 3, 4, 7" {
    host demo
    batten_json 1 "${profile[@]}"
    both 2 usage --apply
    both 2 selector close --apply etc/inetd.conf:
    both 3 no-profile --profile nowhere --apply
    both 3 nothing-selected close gopher --apply
    hold_lock
    both 4 locked "${profile[@]}" --apply
    let_go
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    batten_json 0 "${profile[@]}" --apply
    batten_json 0 "${profile[@]}" --apply
    batten 0 rollback
    printf 'include jpcert-98-0004\nask telnet\n' >asks
    batten_json 7 --profile ./asks --apply
    jq -e '.change == 3 and (.skipped | length) > 0' out.json
}

@test "apply: 5 when the probe fails, 6 when that cannot be undone" {
    host demo
    batten 5 "${profile[@]}" --apply --probe /bin/false ';'
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    batten_json 5 "${profile[@]}" --apply --probe /bin/false ';'
    jq -e '.undone == true and .change == 3 and .attention[0].code == "probe-failed"' out.json
    # The probe leaves somebody behind who holds the lock.
    cat >probe <<END
#!/bin/sh
umask 077
: >$PWD/host/etc/.batten.lock
flock -x $PWD/host/etc/.batten.lock sleep 60 &
echo \$! >$PWD/holder
sleep 1
exit 1
END
    chmod 755 probe
    both_incomplete
    holder=$(cat holder)
    pkill -P "$holder" || true
    kill "$holder" 2>/dev/null || true
    holder=
    rm -f host/etc/.batten.lock
    # The change stands, and its timer goes on.
    grep -q '^#telnet' host/etc/inetd.conf
    batten 0 status
    grep -q 'batten confirm' <<<"$out"
    batten 0 rollback
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
}

both_incomplete()
{
    batten_json 6 "${profile[@]}" --apply --probe "$PWD/probe" ';'
    jq -e '.error.code == "locked"' out.json
}

@test "rollback: 0, 1, 2, 3, 4, 5, 7" {
    host demo
    batten_json 0 rollback
    batten 0 "${profile[@]}" --apply
    batten_json 1 rollback -n
    both 2 no-change rollback 7
    both 2 usage rollback 1 --all
    hold_lock
    both 4 locked rollback
    let_go
    mkdir other
    echo mine >other/file
    both 3 not-a-state-directory rollback --history other
    sed -i 's/^#finger.*/#finger was here/' host/etc/inetd.conf
    batten_json 7 rollback
    jq -e '.skipped[0].code == "conflict"' out.json
    host demo
    batten 0 close telnet --apply
    expired
    batten 5 rollback
    grep -q 'change 2 is undone: not confirmed in time' <<<"$err"
    grep -q '^#telnet' host/etc/inetd.conf
    expired
    batten_json 5 rollback
    jq -e '.error.code == "expired"' out.json
    grep -q '^#telnet' host/etc/inetd.conf
    # Another change was named: both are done.
    expired
    batten 0 rollback 1
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
}

@test "recover: 0, 4, 5" {
    host demo
    batten_json 0 recover
    batten 0 "${profile[@]}" --apply
    batten_json 0 recover
    jq -e '.done == [] and .expired == false' out.json
    hold_lock
    both 4 locked recover
    let_go
    batten 0 rollback
    expired
    batten 5 recover
    grep -q 'is undone: not confirmed in time' <<<"$err"
    expired
    batten_json 5 recover
    jq -e '.expired == true' out.json
    batten_json 0 recover
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
}

@test "confirm: 0, 2, 3, 4, 5" {
    host demo
    both 3 no-timer confirm abcdef
    batten 0 close finger --apply --confirm-within 1h
    token=$(sed -n 's/^token //p' host/var/lib/batten/deadline)
    both 2 usage confirm
    both 3 wrong-token confirm abcde
    both 3 wrong-token confirm $'\033[31m\xff'
    hold_lock
    both 4 locked confirm "$token"
    let_go
    batten_json 0 confirm "${token^^}"
    jq -e '.change == 1 and .confirmed == true' out.json
    grep -q '^#finger' host/etc/inetd.conf
    batten 0 rollback
    expired
    token=$(sed -n 's/^token //p' host/var/lib/batten/deadline)
    both_late confirm "$token"
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
}

both_late()
{
    batten 5 "$@"
    grep -q 'change 3 is undone: not confirmed in time' <<<"$err"
    batten_json 5 "$@"
    jq -e '.error.code == "expired"' out.json
}

@test "status: 0, 3, 6, 7; the worst wins" {
    host demo
    batten_json 0 status
    batten 0 close telnet --apply
    batten_json 0 status
    sed -i 's/^#telnet/telnet/' host/etc/inetd.conf
    batten_json 7 status
    expired
    batten_json 6 status
    jq -e '.waiting == 2 and .seconds_left == 0 and (.reopened | length) == 1' out.json
    echo 'batten-deadline 2' >host/var/lib/batten/deadline
    both 3 bad-deadline status
    rm host/var/lib/batten/deadline
    batten 7 status
    echo '[' >host/var/lib/batten/last.json
    both 3 history-damaged status
}

@test "what was timed can be taken with a history elsewhere, and not without any" {
    host demo
    both 3 no-history close finger --apply --confirm-within 1h --history none
    cmp host/etc/inetd.conf "$top/fixtures/demo/etc/inetd.conf"
    batten 0 close finger --apply --confirm-within 1h --history elsewhere
    grep -q -- 'batten confirm [a-z]* --root host --history elsewhere' <<<"$out"
    batten 0 rollback --history elsewhere
}

# Each 'batten ...' that a hint of a transcript names must be one that batten takes.
@test "hints can be run as they are printed" {
    host office
    n=0
    while IFS= read -r line; do
        eval "words=($line)"
        [[ $line == *--root* ]] || words+=(--root host)
        status=0
        "$BATTEN" "${words[@]:1}" </dev/null >out.txt 2>err.txt || status=$?
        if test $status -eq 2 && ! grep -qE 'no (change|edit)|there is no change' err.txt; then
            echo "cannot be run: $line"
            cat err.txt
            return 1
        fi
        n=$((n + 1))
    done < <(grep -hE '^! hint: ' "$here"/golden/*.txt | sed -E 's/^! hint: //' |
        grep -oE '(^|: |sudo )batten .*' | sed -E 's/^(: |sudo )//' | sort -u)
    test $n -ge 5
}
