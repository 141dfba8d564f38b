#!/bin/bash
# demo.sh - the main job on a sample host: audit, diff, apply, port closed, log, rollback, port open
#
#     tests/demo.sh
#
# The host is fixtures/demo in private namespaces, with a real openbsd-inetd that is unpacked below
# the build directory and never installed. Where namespaces or the daemon are not to be had the same
# is done on a copy of the files alone. Nothing outside is changed. Leaves 0 if everything came out
# as it should.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
batten=$(realpath "${BATTEN_BUILD:-$top/build}")/batten
closed='79/tcp 23/tcp 143/tcp 110/tcp'
kept='21/tcp 13/tcp'

say()
{
    printf '\n\033[1m%s\033[0m\n' "$*" | if test -t 1; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi
}

# Run batten as a person would; WANTED are the statuses that are right.
run()
{
    local wanted=$1 status=0

    shift
    printf '$ batten%s\n' "${*:+ $*}${where:+ $where}"
    # shellcheck disable=SC2086 # several words
    "$batten" "$@" $where || status=$?
    case " $wanted " in
    *" $status "*) ;;
    *) give_up "batten left $status, not $wanted" ;;
    esac
}

give_up()
{
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

is_open()
{
    (exec 3<>"/dev/tcp/127.0.0.1/${1%/tcp}") 2>/dev/null
}

# Whether each of these ports is as it should be; shows it.
ports()
{
    local want=$1 port now tries

    shift
    for port in "$@"; do
        for tries in 1 2 3 4 5 6 7 8 9 10; do
            now=refused
            ! is_open "$port" || now=open
            test "$now" != "$want" || break
            sleep "0.$tries"
        done
        printf '  %-8s %s\n' "$port" "$now"
        test "$now" = "$want" || give_up "$port is $now, not $want"
    done
}

tell_of_ports()
{
    test -n "$where" || ports "$@"
}

main_job()
{
    # shellcheck disable=SC2086 # lists of ports
    {
        say 'What does this host expose?'
        run '0 1' audit
        say 'What would the advice of 1998 change? (a dry run)'
        run 1 --profile jpcert-98-0004
        say 'Do it.'
        run 0 --profile jpcert-98-0004 --apply
        test -n "$where" || say 'Who answers now?'
        tell_of_ports refused $closed
        tell_of_ports open $kept
        say 'Every change is recorded ...'
        run 0 log
        say '... and can be taken back.'
        run 0 rollback --yes
        tell_of_ports open $closed
    }
    cmp -s "$top/fixtures/demo/etc/inetd.conf" "$root/etc/inetd.conf" ||
        give_up 'inetd.conf is not what it was'
    say 'inetd.conf is byte for byte what it was.'
}

on_a_live_host()
{
    root=
    where=
    # The super-server puts itself into the background.
    /usr/sbin/inetd
    say 'A host with a live inetd'
    # shellcheck disable=SC2086 # lists of ports
    ports open $closed $kept
    main_job
}

on_files()
{
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    root=sample-host
    where="--root $root"
    mkdir $root
    cp -r "$top/fixtures/demo/etc" $root/etc
    # Commits of offline runs carry this moment; without it, the first second of 1970.
    SOURCE_DATE_EPOCH=$(date +%s)
    export SOURCE_DATE_EPOCH
    main_job
}

if test "${1-}" = --inside; then
    on_a_live_host
elif why=$("$here/live/ns.sh" --check 2>&1) && why=$("$here/live/fetch.sh" openbsd 2>&1); then
    "$here/live/ns.sh" --with openbsd --etc "$top/fixtures/demo/etc" --timeout 120 -- \
        "$here/demo.sh" --inside
else
    printf 'demo: no live host here (%s); the same on files alone\n' \
        "$(tail -n 1 <<<"$why" | sed 's/^skip: //')"
    on_files
fi
