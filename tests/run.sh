#!/bin/bash
# run.sh - run the tests, count them, name what was skipped
#
#     tests/run.sh [--show] [KIND | FILE]...
#
# KIND is unit (cmocka programs), lens (augparse) or a directory of bats files below tests/; without
# any, all of them. Programs run side by side, one per processor, each with a time-out. --show also
# prints what the tests say of themselves ('# ' lines). The last line is always
#
#     N passed, N failed, N skipped
#
# and the status is 1 when anything failed. A program that ends without having run all the tests it
# announced, or with a status of its own, counts as failed; so does a skip that gives no reason.
#
# For the tests: BATTEN is the program under test, BATTEN_BUILD its build directory, BATTEN_CORPUS
# the directory of real files or empty, BATTEN_LONG=1 asks for the long versions, SANITIZED says that
# the program is slow and needs much address space.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
cd "$top" || exit 1

BATTEN_BUILD=$(realpath -m "${BATTEN_BUILD:-build}")
BATTEN=$BATTEN_BUILD/batten
BATTEN_LONG=${BATTEN_LONG-}
BATTEN_VALGRIND=${BATTEN_VALGRIND-}
corpus=${BATTEN_CORPUS-$top/../shared/corpus}
BATTEN_CORPUS=
test ! -d "$corpus" || BATTEN_CORPUS=$(realpath "$corpus")
export BATTEN BATTEN_BUILD BATTEN_CORPUS BATTEN_LONG BATTEN_VALGRIND CMOCKA_MESSAGE_OUTPUT=TAP
# A report of a sanitizer must not look like one of batten's own statuses.
export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-exitcode=99:print_stacktrace=1}
logs=$BATTEN_BUILD/test-logs

# --- one program ---------------------------------------------------------------------------------

limit_of()
{
    local seconds=600

    case $1 in
    unit) seconds=$((120 * (${#BATTEN_VALGRIND} > 0 ? 10 : 1))) ;;
    lens) seconds=120 ;;
    *) test -z "$BATTEN_LONG" || seconds=3600 ;;
    esac
    test -z "${SANITIZED-}" || seconds=$((seconds * 5))
    echo $seconds
}

# One test for the module's type check, or one per 'test' of a test module.
run_lens()
{
    local file=$1 tests=1 name=type-check i

    if test "${file#tests/}" != "$file"; then
        tests=$(grep -c '^[[:space:]]*test[[:space:]]' "$file")
        name='test'
    fi
    echo "1..$tests"
    if ! timeout -k 5 "$limit" augparse -I lenses -I tests/lens "$file"; then
        echo "not ok 1 - $name"
        return 1
    fi
    for ((i = 1; i <= tests; i++)); do
        echo "ok $i - $name"
    done
}

run_unit()
{
    local wrap=()

    test -z "$BATTEN_VALGRIND" ||
        wrap=(valgrind -q --error-exitcode=99 --leak-check=full --child-silent-after-fork=yes)
    timeout -k 5 "$limit" "${wrap[@]}" "$BATTEN_BUILD/unit/$(basename "$1" .c)"
}

run_one()
{
    local kind=$1 file=$2 log=$logs/${2//\//-} limit started status=0

    limit=$(limit_of "$kind")
    started=$(date +%s%N)
    case $kind in
    unit) run_unit "$file" ;;
    lens) run_lens "$file" ;;
    *) timeout -k 10 "$limit" bats --formatter tap "$file" ;;
    esac >"$log.out" 2>"$log.err" </dev/null || status=$?
    awk -v file="$file" -v status=$status -v limit="$limit" -f "$here/count.awk" \
        "$log.out" >"$log.count"
    printf '%s (%d ms)\n' "$(head -n 1 "$log.count" | cut -f 2)" \
        $((($(date +%s%N) - started) / 1000000))
    if grep -q '^failed' "$log.count"; then
        sed 's/^/    /' "$log.err" "$log.out" | grep -v '^    ok ' | tail -n 60
    elif test -n "${SHOW-}"; then
        grep -hE '^# ' "$log.out" "$log.err" | sed 's/^# /    /'
    fi
    return 0
}

# --- all of them ---------------------------------------------------------------------------------

kinds()
{
    local dir

    printf '%s\n' unit lens
    for dir in tests/*/; do
        dir=$(basename "$dir")
        set -- "tests/$dir"/*.bats
        test ! -e "$1" || echo "$dir"
    done
}

programs_of()
{
    local file list=()

    case $1 in
    unit) list=(tests/unit/test_*.c) ;;
    lens) list=(lenses/*.aug tests/lens/*.aug) ;;
    *.c) set -- unit "$1" && list=("$2") ;;
    *.aug) set -- lens "$1" && list=("$2") ;;
    *.bats) list=("$1") ;;
    *) list=("tests/$1"/*.bats) ;;
    esac
    for file in "${list[@]}"; do
        test -e "$file" && printf '%s\0%s\0' "$1" "$file"
    done
}

main()
{
    local passed failed skipped wanted kind

    SHOW=
    if test "${1-}" = --show; then
        SHOW=yes
        shift
    fi
    export SHOW
    rm -rf "$logs"
    mkdir -p "$logs"
    wanted=("$@")
    test $# -gt 0 || mapfile -t wanted < <(kinds)
    for kind in "${wanted[@]}"; do
        programs_of "$kind"
    done | xargs -0 -r -n 2 -P "$(nproc)" "$here/run.sh" --one
    find "$logs" -name '*.count' | sort | xargs -r cat >"$logs/all"
    passed=$(awk -F '\t' '$1 == "counts" { n += $3 } END { print n + 0 }' "$logs/all")
    failed=$(awk -F '\t' '$1 == "failed"' "$logs/all" | wc -l)
    skipped=$(awk -F '\t' '$1 == "skipped"' "$logs/all" | wc -l)
    awk -F '\t' '$1 == "skipped" { print "skipped: " $2 ": " $3 }' "$logs/all"
    awk -F '\t' '$1 == "failed" { print "failed: " $2 ": " $3 }' "$logs/all"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    test "$failed" -eq 0 && test $((passed + skipped)) -gt 0
}

if test "${1-}" = --one; then
    run_one "$2" "$3"
else
    main "$@"
fi
