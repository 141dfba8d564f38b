#!/usr/bin/env bats
# The samples in fixtures/rc: the expected diffs, one entry at a time, and what shells say.

load verdict

@test "every sample becomes what its diff says" {
    tests/rc/samples.sh
}

@test "no shell refuses an edited sample that it took before" {
    local f n=0

    for f in fixtures/rc/*; do
        test "${f%.diff}" = "$f" || continue
        "$driver" edit "$f" >"$BATS_TEST_TMPDIR/all" 2>/dev/null
        not_worse "$f" "$BATS_TEST_TMPDIR/all"
        n=$((n + 1))
    done
    echo "# $n samples" >&3
    test "$n" -gt 20
}

@test "each daemon of each sample goes alone, proved, and no shell minds" {
    local f name n=0

    for f in fixtures/rc/*; do
        test "${f%.diff}" = "$f" || continue
        while read -r name; do
            "$driver" edit "$f" "$name" >"$BATS_TEST_TMPDIR/one" 2>/dev/null
            not_worse "$f" "$BATS_TEST_TMPDIR/one"
            n=$((n + 1))
        done < <("$driver" list "$f" | awk -F '\t' '$6 == "on" { print $4 }' | sort -u)
    done
    echo "# $n edits" >&3
    test "$n" -gt 100
}

@test "what is off is not found on again" {
    local f left

    for f in fixtures/rc/*; do
        test "${f%.diff}" = "$f" || continue
        "$driver" edit "$f" >"$BATS_TEST_TMPDIR/all" 2>"$BATS_TEST_TMPDIR/refused"
        left=$("$driver" list "$BATS_TEST_TMPDIR/all" | awk -F '\t' '$6 == "on"' | wc -l)
        test "$left" -eq "$(wc -l <"$BATS_TEST_TMPDIR/refused")"
    done
}
