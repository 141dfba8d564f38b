#!/bin/bash
# samples.sh - the expected diff of every sample in fixtures/rc, or, with --write, those diffs anew
#
# NAME.diff is what switching off all that NAME starts does, then a line per refusal.
set -u
cd "$(dirname "$0")/../.." || exit 1
driver=${BATTEN_BUILD:-build}/tests/rc/rc_driver
BATTEN_LENSES=$PWD/lenses
export BATTEN_LENSES
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

diff_of()
{
    mkdir -p "$work/etc/init.d"
    path=etc/rc.local
    test "${1#init-}" = "$1" || path=etc/init.d/${1#init-}
    cp "fixtures/rc/$1" "$work/$path"
    (cd "$work" && "$driver" edit "$path" >edited 2>refused) || return
    diff -U 1 --label "a/$1" --label "b/$1" "$work/$path" "$work/edited"
    cat "$work/refused"
}

status=0
driver=$(realpath "$driver")
for f in fixtures/rc/*; do
    name=${f##*/}
    test "$name" = "${name%.diff}" || continue
    if test "${1-}" = --write; then
        diff_of "$name" >"$f.diff"
    elif ! diff_of "$name" | diff -u "$f.diff" - ; then
        echo "$name: not as expected"
        status=1
    fi
done
exit $status
