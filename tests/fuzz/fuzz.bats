#!/usr/bin/env bats
# The fuzzers with ASan and UBSan; the shell scanner, which reads what boots a host, for 10 minutes.

setup()
{
    test -n "${BATTEN_LONG-}" || skip "takes a quarter of an hour, make check-long"
    type clang >/dev/null 2>&1 || skip "no clang here"
    make fuzz-build >"$BATS_TEST_TMPDIR/build" 2>&1 || {
        cat "$BATS_TEST_TMPDIR/build"
        return 1
    }
}

fuzz()
{
    BATTEN_BUILD=build/fuzzing FUZZ_SECONDS=$1 tests/fuzz/run.sh "${@:2}" >"$BATS_TEST_TMPDIR/out" || {
        cat "$BATS_TEST_TMPDIR/out"
        return 1
    }
    sed 's/^/# /' "$BATS_TEST_TMPDIR/out" >&3
}

@test "the shell scanner takes any bytes" {
    fuzz 600 shell
}

@test "every edit of a script is proved, whatever the script" {
    fuzz 120 rcscript
}

@test "inetd.conf, predictions, profiles and histories of any bytes do no harm" {
    fuzz 60 inetd predict profile history
}
