#!/usr/bin/env bats
# A whole session of the guide against a running openbsd-inetd, on a host of its own (ns.sh).

top=$BATS_TEST_DIRNAME/../..
build=$(realpath -m "${BATTEN_BUILD:-$top/build}")

setup_file()
{
    "$BATS_TEST_DIRNAME/fetch.sh" openbsd servers dns >"$BATS_FILE_TMPDIR/fetch.log" 2>&1 || true
}

on_host()
{
    local status=0 log=$BATS_TEST_TMPDIR/log

    "$BATS_TEST_DIRNAME/ns.sh" --with "${layers:-openbsd,servers}" --timeout "${seconds:-100}" --bind "$build" \
        env BATTEN="$build/batten" bash "$BATS_TEST_DIRNAME/guide/session.sh" "$@" >"$log" 2>&1 ||
        status=$?
    if test $status -eq 77; then
        skip "$(sed -n 's/^skip: //p' "$log" | tail -n 1)"
    fi
    cat "$log"
    test $status -eq 0
}

@test "look, answer, apply, ports closed, roll back, ports open" {
    on_host apply
}

@test "with the timer: Enter keeps it" {
    on_host keep
}

@test "with the timer: a hang-up lets it be undone" {
    on_host hang-up
}

@test "a session that came in over telnet is warned and must use the timer" {
    on_host way-in
}

@test "who is connected and who logged in is shown" {
    on_host evidence
}

@test "a daemon that a script starts" {
    layers=openbsd,servers,dns
    on_host daemon
}
