#!/bin/bash
# fault.sh - break a change at a system call, recover, and see that it is done or not done
#
#     tests/fault/fault.sh kill|error|power COMMAND [SAMPLE]
#
# COMMAND: apply, rollback (of all of it), service (a rollback of one service), bare (an apply
# without a history) or recover: an apply is killed at each rename, and what is broken is the
# recover after it.
#
# kill:  SIGKILL at the N-th call of each system call's name, for every N (strace injects it; the
#        call is not executed).
# error: ENOSPC, then EIO, from every call that writes, syncs, renames, opens, makes or removes.
# power: SIGKILL at every call that writes, syncs, renames or removes, on an ext4 of its own that is
#        then shut down without flushing its log, and mounted again. Needs root.
#
# After each, `batten recover` runs; then every byte, owner, mode and extended attribute of the root
# must be that of the old or of the new state, the history that of the old or of the new one, and no
# temporary file may be left. SAMPLE: only every so many points. The last line says what came out:
#
#     kill apply: N points tried, N old, N new, 0 others
#
# The status is 1 when there were others; they are kept in BUILD/fault/others with their reason.
set -u

# Mounts of our own: one that another namespace copied would stay mounted there.
if test "$1" = power && test -z "${FAULT_MOUNTS-}"; then
    FAULT_MOUNTS=1 exec unshare -m --propagation private "$0" "$@"
fi

what=$1
command=$2
sample=${3:-1}
build=${BATTEN_BUILD:-build}
batten=${BATTEN:-$build/batten}
work=$build/fault/$what-$command.$$
others=$build/fault/others
jobs=$(nproc)
mkdir -p "$work" "$others"
trap 'rm -rf "$work"' EXIT
# under a tracer there is no leak check
export ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}

# --- the host under test -------------------------------------------------------------------------

# inetd.conf behind a link, a file without final newline, an rc script; modes, an ACL, an attribute.
make_host()
{
    mkdir -p "$1/etc/inetd.d" "$1/etc/inet"
    ln -s inet/inetd.conf "$1/etc/inetd.conf"
    cat >"$1/etc/inet/inetd.conf" <<'END'
# a host to break
telnet stream tcp nowait root /usr/sbin/in.telnetd in.telnetd
finger stream tcp nowait nobody /usr/sbin/in.fingerd in.fingerd
ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd
END
    printf 'pop3 stream tcp nowait root /usr/sbin/pop3d pop3d' >"$1/etc/inetd.d/pop3"
    cat >"$1/etc/rc.local" <<'END'
#!/bin/sh
if [ -x /usr/sbin/named ]; then
    echo ' named'; /usr/sbin/named
fi
END
    printf 'telnet 23/tcp\nfinger 79/tcp\nftp 21/tcp\npop3 110/tcp\n' >"$1/etc/services"
    printf 'tcp 6 TCP\nudp 17 UDP\n' >"$1/etc/protocols"
    chmod 640 "$1/etc/inet/inetd.conf"
    chmod 750 "$1/etc/rc.local"
    setfattr -n user.note -v kept "$1/etc/inet/inetd.conf" 2>/dev/null || true
    setfacl -m u:1:r "$1/etc/inet/inetd.conf" 2>/dev/null || true
}

# The files of it that batten changes.
changed='etc/inet/inetd.conf etc/inetd.d/pop3 etc/rc.local'

arguments()
{
    case $command in
    apply | bare) echo "--apply --profile jpcert-98-0004 --dialect inetutils" ;;
    rollback) echo "rollback --yes" ;;
    service) echo "rollback --service telnet --yes" ;;
    recover) echo "recover" ;;
    esac
}

# batten on root $1 with the arguments behind it.
run_batten()
{
    local host=$1

    shift
    test "$command" != bare || set -- --history none "$@"
    $batten --root "$host" "$@"
}

# All that must be old or new: files with owner, mode, attributes and sum, the history by what its
# refs name. Objects that nothing names, and an empty history, are no state.
state_of()
{
    (
        cd "$1" || exit 1
        find . -path ./var -prune -o -printf '%P %y %m %U %G %l\n' | LC_ALL=C sort
        find . -path ./var -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        # shellcheck disable=SC2086 # words
        getfattr -d -m - $changed 2>/dev/null
        cd var/lib/batten 2>/dev/null || exit 0
        find . -path ./history.git/objects -prune -o -type f -print0 | LC_ALL=C sort -z |
            xargs -0 -r sha256sum | grep -vE ' \./history.git/(HEAD|config)$'
    )
    find "$1" \( -name '*.lock' -o -name 'tmp_*' -o -name 'part.*' -o -name .batten -o \
        -name '.batten-undo*' -o -name journal \) -printf 'left over: %P\n'
}

# --- one point -----------------------------------------------------------------------------------

# The arguments are a host, then a point: "START SYSCALL KIND N". Run the command with that injection,
# leaving its status in $status.
run_broken()
{
    local host=$1 call=$3 kind=$4 n=$5 inject
    local batten="strace -f -qq -o /dev/null -e trace=$call -e inject=$call:@:when=$n $batten"

    case $kind in
    kill) inject=signal=KILL ;;
    *) inject=error=$kind ;;
    esac
    batten=${batten/@/$inject}
    # shellcheck disable=SC2046 # words
    run_batten "$host" $(arguments) >"$host.out" 2>&1
    status=$?
}

# Each file is new, with status 7 maybe old; nothing is left over, the history agrees with the files.
is_done()
{
    local file sum states=("$work/new")

    test "$2" = 0 || states+=("$work/old")
    for file in $changed; do
        sum=$(sha256sum <"$1/$file")
        cat "${states[@]}" | grep -q "^${sum%% *}  ./$file" || return 1
    done
    ! state_of "$1" | grep -q '^left over' && run_batten "$1" status >>"$1.out" 2>&1
}

judge()
{
    local host=$1 point=$2 status=$3 recovered=$4 got verdict

    got=$(state_of "$host")
    if test "$got" = "$(cat "$work/old")"; then
        verdict=old
    elif test "$got" = "$(cat "$work/new")"; then
        verdict=new
    else
        verdict=other
    fi
    # done, but for a source that could not be read, which was said; or in other words than usual
    if test $verdict = other && [[ $what:$status =~ ^error:[07]$ ]] && is_done "$host" "$status"
    then
        verdict=new
    fi
    # what the command itself said must be true; recover may do either
    case $command:$verdict:$status in
    recover:*) ;;
    *:old:0 | *:old:7 | *:new:[2345]) verdict=other ;;
    esac
    test "$recovered" = 0 || verdict=other
    if test $verdict = other; then
        {
            echo "point: $point; status $status; recover: $recovered"
            cat "$host.out"
            diff "$work/old" <(echo "$got") | head -n 40
            diff "$work/new" <(echo "$got") | head -n 40
        } >"$others/$what-$command-${point// /-}"
    fi
    echo "$verdict"
}

recover()
{
    run_batten "$1" recover >>"$1.out" 2>&1
}

try_plain()
{
    local point=$2 host=$work/host.$1 status recovered

    rm -rf "$host"
    cp -a "$work/start.${point%% *}" "$host"
    # shellcheck disable=SC2086 # words
    run_broken "$host" $point 2>/dev/null
    recover "$host"
    recovered=$?
    judge "$host" "$point" "$status" "$recovered"
}

# On a file system of its own, which loses what was not synced.
try_power()
{
    local point=$2 host=$work/host.$1 status recovered

    cp --sparse=always "$work/start.${point%% *}.ext4" "$host.ext4"
    mkdir -p "$host"
    mount -o loop "$host.ext4" "$host" || exit 1
    # shellcheck disable=SC2086 # words
    run_broken "$host" $point 2>/dev/null
    # without a verdict the run fails
    "$build/tests/fault/shutdown_driver" "$host" || exit 1
    umount "$host" || exit 1
    mount -o loop "$host.ext4" "$host" || exit 1
    recover "$host"
    recovered=$?
    # killed: whether it was done is for the state to say
    judge "$host" "$point" 137 "$recovered"
    umount "$host"
}

# --- all of them ---------------------------------------------------------------------------------

# Every call the command makes on start $1, as "COUNT NAME": the most that one process makes, as
# strace counts each process by itself.
calls_of()
{
    local batten="strace -f -qq -o $work/calls $batten"

    rm -rf "$work/count"
    cp -a "$work/start.$1" "$work/count"
    # shellcheck disable=SC2046 # words
    run_batten "$work/count" $(arguments) >/dev/null 2>&1
    sed -nE 's/^([0-9]+) +([a-z0-9_]+)\(.*/\1 \2/p' "$work/calls" | LC_ALL=C sort | uniq -c |
        awk '$3 !~ /^(execve|exit_group)$/ && $1 > most[$3] { most[$3] = $1 }
            END { for (call in most) print most[call], call }' | LC_ALL=C sort -k 2
}

changes='p?write(v|64)?|fsync|fdatasync|renameat2?|rename|unlink(at)?|mkdir(at)?|link(at)?'
changes="$changes|ftruncate|fchmod|fchown|fsetxattr|fremovexattr|rmdir"
opens='open(at|at2)?|creat'

points()
{
    local wanted='.*' kinds=kill start count call kind n

    case $what in
    error) wanted="($changes|$opens)" kinds='ENOSPC EIO' ;;
    power) wanted="($changes)" ;;
    esac
    for start in $starts; do
        calls_of "$start" | sed "s/^/$start /"
    done | while read -r start count call; do
        [[ $call =~ ^$wanted$ ]] || continue
        for kind in $kinds; do
            for ((n = 1; n <= count; n++)); do
                echo "$start $call $kind $n"
            done
        done
    done | awk -v sample="$sample" 'NR % sample == 0'
}

worker()
{
    local me=$1 point

    while read -r point <&3; do
        case $what in
        power) try_power "$me" "$point" ;;
        *) try_plain "$me" "$point" ;;
        esac
    done 3< <(awk -v me="$me" -v jobs="$jobs" 'NR % jobs == me' "$work/points") \
        >"$work/verdicts.$me"
}

# The command as if COMMAND were $1, on host $2.
as()
{
    # shellcheck disable=SC2046 # words
    command=$1 run_batten "$2" $(command=$1 arguments) >"$2.out" || {
        cat "$2.out"
        exit 1
    }
}

# start.N: an apply that was killed at its N-th rename, whichever call does it.
make_killed()
{
    local call count n command=apply status

    calls_of whole | while read -r count call; do
        [[ $call =~ ^rename ]] || continue
        for ((n = 1; n <= count; n++)); do
            cp -a "$work/start.whole" "$work/start.$call-$n"
            run_broken "$work/start.$call-$n" whole "$call" kill "$n" 2>/dev/null
            test "$what" != power || make_image "$call-$n"
            echo "$call-$n"
        done
    done
}

# The start as a file system holds it, where that is what is broken.
make_image()
{
    truncate -s 8M "$work/start.$1.ext4"
    mkfs.ext4 -q -d "$work/start.$1" "$work/start.$1.ext4" || exit 1
    rm -rf "$work/start.$1"
    mkdir -p "$work/start.$1" "$work/mounted"
    mount -o loop "$work/start.$1.ext4" "$work/mounted" || exit 1
    cp -a "$work/mounted/." "$work/start.$1/"
    umount "$work/mounted"
}

prepare()
{
    local ends=$command

    make_host "$work/start.whole"
    case $command in
    rollback | service) as apply "$work/start.whole" ;;
    recover) ends=apply ;;
    esac
    test "$what" != power || make_image whole
    state_of "$work/start.whole" >"$work/old"
    cp -a "$work/start.whole" "$work/end"
    as "$ends" "$work/end"
    state_of "$work/end" >"$work/new"
    if cmp -s "$work/old" "$work/new"; then
        echo "nothing changes: no test" >&2
        exit 1
    fi
    starts=whole
    test "$command" != recover || starts=$(make_killed)
}

prepare
points >"$work/points"
for ((job = 0; job < jobs; job++)); do
    worker "$job" &
done
wait
tried=$(wc -l <"$work/points")
old=$(cat "$work"/verdicts.* | grep -c '^old$')
new=$(cat "$work"/verdicts.* | grep -c '^new$')
echo "$what $command: $tried points tried, $old old, $new new, $((tried - old - new)) others"
test "$tried" -gt 0 && test $((old + new)) = "$tried"
