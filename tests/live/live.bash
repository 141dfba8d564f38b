# live.bash - for the bats files here: run a script on a small host of its own (ns.sh)
#
#     on_host openbsd,servers <<'SCRIPT'
#     ...bash, with inside.bash already read, set -eu...
#     SCRIPT
#
# Skips with the reason where namespaces or the daemons are not to be had. Variables named in PASS
# reach the script.

LIVE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LIVE/../.." && pwd)
BATTEN_BUILD=$(realpath -m "${BATTEN_BUILD:-$TOP/build}")
BATTEN=${BATTEN:-$BATTEN_BUILD/batten}
export LIVE TOP BATTEN BATTEN_BUILD

# Unpack what the file's tests need; a failure shows as a skip of each test.
fetch_daemons()
{
    "$LIVE/fetch.sh" "$@" >"$BATS_FILE_TMPDIR/fetch.log" 2>&1 || true
}

on_host()
{
    local layers=$1 seconds=${SECONDS_MOST:-60} status=0

    {
        echo "set -eu"
        echo "source '$LIVE/inside.bash'"
        cat
    } >"$BATS_TEST_TMPDIR/script"
    "$LIVE/ns.sh" --with "$layers" --timeout "$seconds" --bind "$BATTEN_BUILD" \
        --bind "$BATS_TEST_TMPDIR" bash "$BATS_TEST_TMPDIR/script" >"$BATS_TEST_TMPDIR/log" 2>&1 ||
        status=$?
    if test $status -eq 77; then
        skip "$(sed -n 's/^skip: //p' "$BATS_TEST_TMPDIR/log" | tail -n 1)$(
            sed -n 's/^fetch: cannot/; cannot/p' "$BATS_FILE_TMPDIR/fetch.log" 2>/dev/null)"
    fi
    cat "$BATS_TEST_TMPDIR/log"
    test $status -eq 0
}
