#!/bin/bash
# run.sh - every check that needs no running program
#
#     tests/lint/run.sh [CHECK]...      format tidy cppcheck shell man rules selftest
#
# Each check prints 'ok CHECK' or what is wrong; leaves 1 when any failed.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 1
build=${BATTEN_BUILD:-build}
libraries='augeas libgit2 jansson libmd'
mapfile -t flags < <(printf '%s\n' -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
    '-DBATTEN_VERSION="0"' '-DBATTEN_LENSDIR="lenses"' -Iinclude "-I$build/gen" \
    -include batten/banned.h
    # shellcheck disable=SC2086 # three names
    pkg-config --cflags $libraries | tr ' ' '\n' | grep .)

sources()
{
    git ls-files -- "$@"
}

check_format()
{
    local file status=0

    while read -r file; do
        if ! clang-format "$file" | cmp -s - "$file"; then
            echo "$file: run clang-format -i on it"
            status=1
        fi
    done < <(sources 'src/*.[ch]' 'src/*.inc' 'include/*.h' 'tests/*.[ch]')
    return $status
}

# The checks of .clang-tidy, four files at a time on each processor.
check_tidy()
{
    sources 'src/*.c' | xargs -r -n 4 -P "$(nproc)" "$here/run.sh" --tidy
}

# mem.c: cppcheck does not see that mem_exhausted never returns.
check_cppcheck()
{
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
        --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=duplicateAssignExpression \
        --suppress=nullPointerArithmeticRedundantCheck:src/base/mem.c --error-exitcode=1 -j "$(nproc)" \
        "${flags[@]:1:4}" -Iinclude "-I$build/gen" src
}

# Each test of a .bats file is a subshell of its own, and shares variables with what it loads.
check_shell()
{
    sources '*.sh' .ci/run src/share/completion/batten | xargs -r shellcheck -x &&
        sources '*.bats' '*.bash' |
        xargs -r shellcheck -x -e SC2016,SC2030,SC2031,SC2094,SC2153,SC2034,SC2154,SC2164,SC1091
}

# Whether the pages of others are installed here is no fault of ours.
check_man()
{
    ! sources 'src/share/man/*' | xargs -r mandoc -T lint -W style 2>&1 |
        grep -vE 'referenced manual not found|outdated mandoc.db'
}

check_rules()
{
    "$here/rules.sh" . "$build/obj"
}

check_selftest()
{
    "$here/selftest.sh"
}

main()
{
    local check out status=0

    test $# -gt 0 || set -- format tidy cppcheck shell man rules selftest
    for check in "$@"; do
        if out=$("check_$check" 2>&1); then
            echo "ok $check"
        else
            printf 'FAILED %s\n%s\n' "$check" "$out"
            status=1
        fi
    done
    return $status
}

if test "${1-}" = --tidy; then
    shift
    clang-tidy --quiet "$@" -- "${flags[@]}" 2>/dev/null
else
    main "$@" </dev/null
fi
