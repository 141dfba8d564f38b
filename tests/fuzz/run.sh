#!/bin/bash
# run.sh - run the fuzzers
#
#     tests/fuzz/run.sh [NAME...]      NAME as in fuzz_NAME.c; without any, all
#
# BATTEN_BUILD is the build directory of the fuzzers, FUZZ_SECONDS the time for each (60). They start
# from the samples and from what earlier runs found; an input that breaks one is kept and named.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
build=${BATTEN_BUILD:-build/fuzzing}
seconds=${FUZZ_SECONDS:-60}
status=0

seeds_of()
{
    case $1 in
    shell | rcscript) find fixtures/rc -type f ! -name '*.diff' ;;
    inetd | predict) find fixtures/inetd -type f ;;
    profile) find src/share/profiles -type f ;;
    esac
}

fuzz()
{
    local name=$1 corpus=$build/corpus/$1 log=$build/fuzz_$1.log seed

    mkdir -p "$corpus"
    seeds_of "$name" | while read -r seed; do
        cp "$seed" "$corpus/sample-$(basename "$seed")"
    done
    if timeout -k 10 $((seconds + 120)) "$build/fuzz/fuzz_$name" -max_total_time="$seconds" \
        -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/broken-$name-" "$corpus" >"$log" 2>&1; then
        printf 'ok fuzz_%s: %s inputs in %s s\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds"
    else
        printf 'FAILED fuzz_%s, see %s\n' "$name" "$log"
        grep -aE 'Test unit written|SUMMARY|ERROR' "$log"
        status=1
    fi
}

if test $# -eq 0; then
    for program in tests/fuzz/fuzz_*.c; do
        name=$(basename "$program" .c)
        set -- "$@" "${name#fuzz_}"
    done
fi
for name in "$@"; do
    fuzz "$name"
done
exit $status
