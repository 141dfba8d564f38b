#!/usr/bin/env bats
# Scripts put together at random: what they run before and after, under every shell at hand.

setup()
{
    local shell program lib base=$BATS_TEST_TMPDIR/base

    test "$(id -u)" -eq 0 || skip "only root can make the namespaces"
    unshare -m -p -n -u -i --fork true 2>/dev/null || skip "no namespaces here"
    type dash >/dev/null 2>&1 || skip "no dash here"
    export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 # it ends in a root without /proc
    mkdir -p "$base/.x"
    cp "$BATTEN_BUILD/tests/rc/stub_driver" "$base/.x/stub"
    for shell in dash bash mksh busybox; do
        ! type "$shell" >/dev/null 2>&1 || cp -L "$(type -P "$shell")" "$base/.x/$shell"
    done
    for program in "$base"/.x/*; do
        ldd "$program" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
            mkdir -p "$base/$(dirname "$lib")"
            cp -L "$lib" "$base/$lib"
        done
    done
}

@test "random scripts run what they ran, less the starts switched off" {
    local count=60

    test -z "${BATTEN_LONG-}" || count=3000
    "$BATTEN_BUILD/tests/rc/random_driver" "$BATS_TEST_TMPDIR/base" 1 $count \
        >"$BATS_TEST_TMPDIR/out" || {
        cat "$BATS_TEST_TMPDIR/out"
        return 1
    }
    echo "# $(tail -n 1 "$BATS_TEST_TMPDIR/out")" >&3
    tail -n 1 "$BATS_TEST_TMPDIR/out" | awk '{ exit $7 < $1 / 2 || $3 < $1 }'
}

@test "a start that is left running is noticed" {
    run "$BATTEN_BUILD/tests/rc/random_driver" --spoil "$BATS_TEST_TMPDIR/base" 1 20
    test "$status" -eq 1
    [[ $output = *"switched off, and still run"* ]]
}
