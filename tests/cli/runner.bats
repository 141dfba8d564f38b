#!/usr/bin/env bats
# The test runner itself: what it counts, and that it cannot be talked into success.

load cli.bash

setup()
{
    cd "$BATS_TEST_TMPDIR"
    mkdir -p tree/tests/unit tree/tests/shell tree/build/unit tree/lenses
    cp "$top"/tests/run.sh "$top"/tests/count.awk tree/tests
}

# A unit test program that says OUTPUT and ends with STATUS.
program()
{
    : >"tree/tests/unit/test_$1.c"
    printf '#!/bin/sh\ncat <<"END"\n%s\nEND\nexit %d\n' "$2" "$3" >"tree/build/unit/test_$1"
    chmod +x "tree/build/unit/test_$1"
}

# Run it; STATUS and the last line must be as given.
runs()
{
    local status=0

    env -u BATTEN_LONG BATTEN_BUILD=build BATTEN_CORPUS='' tree/tests/run.sh unit >out.txt 2>&1 ||
        status=$?
    cat out.txt
    test "$status" -eq "$1"
    test "$(tail -n 1 out.txt)" = "$2"
}

@test "all is well" {
    program a '1..2
ok 1 - one
ok 2 - two' 0
    program b '1..1
ok 1 - three' 0
    runs 0 '3 passed, 0 failed, 0 skipped'
}

@test "a failure" {
    program a '1..2
ok 1 - one
not ok 2 - two' 1
    runs 1 '1 passed, 1 failed, 0 skipped'
    grep -q '^failed: tests/unit/test_a.c: two$' out.txt
}

@test "a failure the program keeps to itself" {
    program a '1..1
ok 1 - one' 139
    runs 1 '1 passed, 1 failed, 0 skipped'
}

@test "tests that did not run" {
    program a '1..5
ok 1 - one' 0
    runs 1 '1 passed, 1 failed, 0 skipped'
}

@test "no test at all" {
    program a 'hello' 0
    runs 1 '0 passed, 1 failed, 0 skipped'
    rm tree/tests/unit/*
    runs 1 '0 passed, 0 failed, 0 skipped'
}

@test "a skip with its reason, and one without" {
    program a '1..3
ok 1 - one
ok 2 - two # SKIP no namespaces here
# skip: no corpus
not ok 3 # SKIP three' 0
    runs 0 '1 passed, 0 failed, 2 skipped'
    grep -q '^skipped: tests/unit/test_a.c: two: no namespaces here$' out.txt
    grep -q '^skipped: tests/unit/test_a.c: three: no corpus$' out.txt
    program a '1..2
ok 1 - one
ok 2 # skip two' 0
    runs 1 '1 passed, 1 failed, 0 skipped'
}
