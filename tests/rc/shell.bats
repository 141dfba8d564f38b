#!/usr/bin/env bats
# Wherever a shell says that a script is well-formed, the scanner finds its blocks balanced.

# Every script for dash; for the others every fourth, or in the long version every one.
scripts()
{
    all_scripts | sort | awk -v every="$1" 'NR % every == 0'
}

all_scripts()
{
    find fixtures/rc -type f ! -name '*.diff'
    test -z "$BATTEN_CORPUS" || find "$BATTEN_CORPUS/rc" "$BATTEN_CORPUS/sysv" -type f
}

# Scripts put together from the grammar, in odd ways.
made_scripts()
{
    local count=400 seed=1

    test -z "${BATTEN_LONG-}" || count=6000 seed=$RANDOM
    echo "# seed $seed" >&3
    tests/rc/grammar.py "$seed" "$count" "$BATS_TEST_TMPDIR/made"
    find "$BATS_TEST_TMPDIR/made" -type f
}

# $1 is a shell; its -n verdict against the scanner's, over all scripts.
compare()
{
    local every=4

    test -z "${BATTEN_LONG-}" && test "$1" != dash || every=1
    scripts "$every" | compare_these "$@"
}

compare_these()
{
    local script accepted=0 wrong=0

    while read -r script; do
        "$@" -n "$script" </dev/null >/dev/null 2>&1 || continue
        accepted=$((accepted + 1))
        "$BATTEN_BUILD/tests/rc/shell_driver" "$script" | grep -q '^balanced ' && continue
        wrong=$((wrong + 1))
        "$BATTEN_BUILD/tests/rc/shell_driver" "$script"
    done
    echo "# $*: $accepted scripts accepted, $wrong of them not balanced" >&3
    test "$accepted" -gt 0
    test "$wrong" -eq 0
}

@test "what dash accepts is balanced" {
    type dash >/dev/null || skip "no dash here"
    compare dash
}

@test "what bash accepts is balanced" {
    type bash >/dev/null || skip "no bash here"
    compare bash
}

@test "what busybox ash accepts is balanced" {
    type busybox >/dev/null || skip "no busybox here"
    compare busybox ash
}

@test "what mksh accepts is balanced" {
    type mksh >/dev/null || skip "no mksh here"
    compare mksh
}

@test "what shells accept of made scripts is balanced" {
    local shell n=0

    type python3 >/dev/null || skip "no python3 here"
    made_scripts >"$BATS_TEST_TMPDIR/list"
    for shell in dash bash mksh; do
        type "$shell" >/dev/null || continue
        compare_these "$shell" <"$BATS_TEST_TMPDIR/list"
        n=$((n + 1))
    done
    test "$n" -gt 0
}
