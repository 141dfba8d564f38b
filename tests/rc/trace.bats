#!/usr/bin/env bats
# What scripts run, before and after: in a private root with a stub for every command.

setup_file()
{
    local program lib base=$BATS_FILE_TMPDIR/base

    mkdir -p "$base/.x"
    cp "$BATTEN_BUILD/tests/rc/stub_driver" "$base/.x/stub"
    cp "$(command -v bash)" "$base/.x/bash"
    for program in "$base"/.x/*; do
        ldd "$program" | grep -o '/[^ ]*' | while read -r lib; do
            mkdir -p "$base/$(dirname "$lib")"
            cp -L "$lib" "$base/$lib"
        done
    done
}

setup()
{
    test "$(id -u)" -eq 0 || skip "only root can make the namespaces"
    unshare -m -p -n -u -i --fork true 2>/dev/null || skip "no namespaces here"
}

# Trace the scripts given; the last line of what it says is the figures, called $1.
trace()
{
    local name=$1

    shift
    "$BATTEN_BUILD/tests/rc/trace_driver" "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 || {
        cat "$BATS_TEST_TMPDIR/out"
        return 1
    }
    echo "# $name: $(tail -n 1 "$BATS_TEST_TMPDIR/out")" >&3
}

samples()
{
    find fixtures/rc -type f ! -name '*.diff' | sort
}

@test "an edited sample runs what it ran, less the planned starts and their echoes" {
    local list

    mapfile -t list < <(samples)
    trace samples "$BATS_FILE_TMPDIR/base" "${list[@]}"
    tail -n 1 "$BATS_TEST_TMPDIR/out" | awk '{ judged = $1 } END { exit judged < 20 }'
}

@test "an edit that runs one command more is noticed" {
    run trace spoiled --spoil "$BATS_FILE_TMPDIR/base" fixtures/rc/busybox-rcS
    test "$status" -eq 1
    grep 'runs now, and did not:.*/echo spoiled' "$BATS_TEST_TMPDIR/out"
}

@test "real scripts run what they ran, less the planned starts and their echoes" {
    local list every=8

    test -n "$BATTEN_CORPUS" || skip "no corpus of real files here (BATTEN_CORPUS)"
    test -z "${BATTEN_LONG-}" || every=1
    mapfile -t list < <(find "$BATTEN_CORPUS/rc" -type f | sort | awk "NR % $every == 0")
    trace 'real scripts' "$BATS_FILE_TMPDIR/base" "${list[@]}"
}
