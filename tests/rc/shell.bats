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

# $1 is a shell; its -n verdict against the scanner's, over all scripts.
compare()
{
    local script accepted=0 wrong=0 every=4

    test -z "${BATTEN_LONG-}" && test "$1" != dash || every=1

    while read -r script; do
        "$@" -n "$script" </dev/null >/dev/null 2>&1 || continue
        accepted=$((accepted + 1))
        "$BATTEN_BUILD/tests/rc/shell_driver" "$script" | grep -q '^balanced ' && continue
        wrong=$((wrong + 1))
        "$BATTEN_BUILD/tests/rc/shell_driver" "$script"
    done < <(scripts "$every")
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
