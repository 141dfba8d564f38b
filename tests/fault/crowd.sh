#!/bin/bash
# crowd.sh - many battens and one foreign writer at work on one root
#
#     tests/fault/crowd.sh SECONDS [PROCESSES]
#
# Each process closes, hardens and rolls back at random. The foreign writer adds a line of its own
# to inetd.conf now and then: the real update-inetd where tests/live/fetch.sh has unpacked it below
# BUILD/daemons, else as it does it: read, write beside, rename. Afterwards: every
# line of the foreign writer is there, every change that was reported is in the history and no
# other, the history is one line, no temporary file is left. The last line says what was done:
#
#     N runs by 8 processes, N changes, N edits by the real update-inetd: nothing lost
set -u

seconds=$1
processes=${2:-8}
build=${BATTEN_BUILD:-build}
batten=${BATTEN:-$build/batten}
work=$build/fault/crowd.$$
root=$work/root
repo=$root/var/lib/batten/history.git
trap 'rm -rf "$work"' EXIT

fail()
{
    echo "crowd: $*" >&2
    exit 1
}

make_host()
{
    local name

    mkdir -p "$root/etc"
    for name in telnet finger ftp shell login exec pop3 imap2; do
        echo "$name stream tcp nowait root /usr/sbin/in.$name in.$name"
        echo "$name $((${#name} * 100 + $(printf '%d' "'$name")))/tcp" >>"$root/etc/services"
    done >"$root/etc/inetd.conf"
}

one_run()
{
    local service

    service=$(shuf -n 1 -e telnet finger ftp shell pop3 imap2)
    case $((RANDOM % 5)) in
    0) set -- close "$service" --apply ;;
    1) set -- close "$service" --apply ;;
    2) set -- --apply --profile jpcert-98-0004 ;;
    3) set -- rollback --yes ;;
    4) set -- rollback --service "$service" --yes ;;
    esac
    "$batten" --root "$root" "$@"
}

process()
{
    local out status

    RANDOM=$1
    while test ! -e "$work/stop"; do
        out=$(one_run 2>&1)
        status=$?
        echo "$status" >>"$work/statuses.$1"
        sed -nE 's/^change ([0-9]+)(:| takes back ).*/\1/p' <<<"$out" | head -n 1 >>"$work/changes.$1"
        case $status in
        0 | 1 | 3 | 4 | 7) ;;
        *) printf 'status %s\n%s\n' "$status" "$out" >>"$work/wrong" ;;
        esac
    done
}

# Add the line $1. update-inetd would signal the inetd of this host: it sees none.
add_foreign()
{
    if test -n "$updater"; then
        perl -I"$updater/share/perl5" "$updater/sbin/update-inetd" --file "$root/etc/inetd.conf" \
            --add "$1" </dev/null >/dev/null 2>&1
    else
        { cat "$root/etc/inetd.conf" && echo "$1"; } >"$root/etc/inetd.conf.foreign" &&
            mv "$root/etc/inetd.conf.foreign" "$root/etc/inetd.conf"
    fi
}

foreign()
{
    local n=0

    while test ! -e "$work/stop"; do
        n=$((n + 1))
        add_foreign "foreign$n stream tcp nowait root /x x" && echo $n >"$work/foreign"
        sleep 0.$((RANDOM % 4 + 1))
    done
}

updater=$(find -L "$build/daemons/" -path '*/usr/sbin/update-inetd' 2>/dev/null | head -n 1)
updater=${updater%/sbin/update-inetd}
if test -e /run/inetd.pid ||
    ! perl -e 'exit !grep { -e "$_/Debconf/Client/ConfModule.pm" } @INC' 2>/dev/null; then
    updater=
fi
make_host
for ((i = 1; i <= processes; i++)); do
    process "$i" &
done
foreign &
sleep "$seconds"
touch "$work/stop"
wait

test ! -e "$work/wrong" || fail "a run ended badly: $(head -n 20 "$work/wrong")"
foreign=$(cat "$work/foreign")
for ((i = 1; i <= foreign; i++)); do
    grep -q "^foreign$i " "$root/etc/inetd.conf" || fail "the foreign edit $i was lost"
done
sort -n "$work"/changes.* >"$work/reported"
git --git-dir="$repo" log --format=%B | sed -nE 's/^Change: ([0-9]+)$/\1/p' | sort -n >"$work/kept"
cmp -s "$work/reported" "$work/kept" ||
    fail "reported and recorded changes differ: $(diff "$work/reported" "$work/kept" | head)"
changes=$(wc -l <"$work/kept")
test "$(sed -n '$p' "$work/kept")" = "$changes" || fail "numbers are missing"
test -z "$(git --git-dir="$repo" rev-list --min-parents=2 main)" || fail "the history has merges"
git --git-dir="$repo" fsck --strict >"$work/fsck" 2>&1 || fail "git fsck: $(cat "$work/fsck")"
left=$(find "$root" \( -name '*.lock' -o -name 'tmp_*' -o -name .batten -o -name journal \))
test -z "$left" || fail "left over: $left"
runs=$(cat "$work"/statuses.* | wc -l)
test "$changes" -gt 0 || fail "no change was made in $runs runs"
echo "$runs runs by $processes processes, $changes changes, $foreign edits by ${updater:+the real }update-inetd: nothing lost"
