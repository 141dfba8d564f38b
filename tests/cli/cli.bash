# shellcheck shell=bash
# cli.bash - what the tests of the command line share
#
#     host office            # a copy of fixtures/office is ./host now
#     batten 1 audit         # run it on ./host; it must leave status 1; output in $out and $err
#     transcript audit.txt   # what was run so far is what golden/audit.txt holds
#
# With GOLDEN=write transcript writes the file instead of comparing.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
: "${BATTEN:=$top/build/batten}"

# Commits of offline runs are made at this moment: 1998-07-15 00:00:00 UTC.
export SOURCE_DATE_EPOCH=900460800
export LC_ALL=C.UTF-8

setup()
{
    cd "$BATS_TEST_TMPDIR" || return 1
    : >transcript
    where=(--root host)
}

host()
{
    rm -rf host
    mkdir host
    cp -r "$top/fixtures/$1/etc" host/etc
    chmod -R u=rwX,go=rX host
}

# What differs from run to run or from one version to the next: times, commits, the version.
same_everywhere()
{
    sed -E -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [-+][0-9]{4}/TIME/' \
        -e 's/"batten": "[^"]*"/"batten": "VERSION"/' -e 's/^batten [0-9]+\.[0-9.]+$/batten VERSION/' \
        -e 's/^(\+[ug]id) [0-9]+$/\1 0/' -e '/^diff .*batten-meta$/,/^index/s/^index .*/index OWNERS/' \
        -e "s/\\b[0-9a-f]{40}\\b/COMMIT/g" -e "s|$BATS_TEST_TMPDIR|TMP|g"
}

# Run batten on ./host (or as WHERE says) with nothing to read; STATUS is what it must leave.
batten()
{
    local wanted=$1 status=0

    shift
    "$BATTEN" "$@" "${where[@]}" >out.txt 2>err.txt </dev/null || status=$?
    out=$(tr -d '\0' <out.txt)
    err=$(tr -d '\0' <err.txt)
    {
        printf '$ batten'
        printf ' %q' "$@" "${where[@]}"
        printf '\n'
        cat out.txt
        sed 's/^/! /' err.txt
        printf '[%d]\n\n' "$status"
    } | same_everywhere >>transcript
    if test "$status" != "$wanted"; then
        printf 'status %s, not %s: batten %s\n' "$status" "$wanted" "$*"
        cat out.txt err.txt
        return 1
    fi
    no_sanitizer_report
}

# The same with --json: one object, read back by jq, schema first; in $out and ./out.json.
batten_json()
{
    batten "$1" "${@:2}" --json
    jq -s -e 'length == 1 and (.[0] | keys_unsorted[0] == "schema" and .schema == 1)' out.txt \
        >/dev/null || {
        echo "no object with schema 1 first: $out"
        return 1
    }
    cp out.txt out.json
}

# bats does not see a failing '! COMMAND'.
not()
{
    if "$@"; then
        return 1
    fi
}

no_sanitizer_report()
{
    not grep -E 'AddressSanitizer|LeakSanitizer|runtime error:' err.txt
}

transcript()
{
    local want=$here/golden/$1

    if test "${GOLDEN-}" = write; then
        cp transcript "$want"
    elif ! diff -u "$want" transcript; then
        echo "run 'make golden' if this is as it should be"
        return 1
    fi
}

# Names, bytes, owners, modes and extended attributes of everything below DIR.
state_of()
{
    (
        cd "$1" && find . ! -name . -printf '%P %y %m %U %G %l\n' | sort
        find . -type f -print0 | sort -z | xargs -0 -r sha256sum
        getfattr -R -d -m - --absolute-names . 2>/dev/null
    )
}

needs_root()
{
    test "$(id -u)" -eq 0 || skip 'needs root'
}
