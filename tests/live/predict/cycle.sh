#!/bin/bash
# cycle.sh - start a real inetd, list what it has open, stop it; inside ns.sh
#
#     cycle.sh cases DIALECT CASES NAMES      each case of CASES: print its real sockets
#     cycle.sh files DIALECT STEP FILE...     each FILE as inetd.conf, then with entries switched
#                                             off alone, every STEP-th of all: compare with batten
#     cycle.sh trees DIALECT STEP DIR...      the same for each DIR laid over /etc
#
# 'cases' prints '@case NAME' and '@DIALECT SOCKET,...' for each. The others print 'differs: ...' for
# each difference and end with a line 'DIALECT: N cycles, N differ'; DRIVER is the program that
# predicts. The host is thrown away afterwards, so /etc is simply written.
set -u

driver=${DRIVER-}
dialect=$2
exec {nap}<> <(:)
# Samples name addresses that this host has not got.
echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind
echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind
cycles=0
differ=0
turn=0

# Blocks of NAMES, '@FILE' and its lines, become /etc/FILE.
write_names()
{
    awk '/^@/ { file = "/etc/" substr($0, 2); printf "" >file; next } file { print >file }' "$1"
}

start()
{
    if test "$dialect" = openbsd; then
        /usr/sbin/inetd -i >/dev/null 2>&1 &
    elif test "$dialect" = inetutils; then
        /usr/sbin/inetutils-inetd -d >/dev/null 2>&1 &
    else
        /usr/sbin/inetd -f >/dev/null 2>&1 &
    fi
    pid=$!
    # It has read its files when it, no longer this shell, catches HUP and sleeps; one that hangs
    # never does.
    for ((i = 0; i < 400; i++)); do
        caught=0
        name='' state=''
        while read -r key value; do
            test "$key" != Name: || name=$value
            test "$key" != State: || state=${value%% *}
            test "$key" != SigCgt: || caught=$((16#$value & 1))
        done 2>/dev/null <"/proc/$pid/status"
        test "$caught$state" != 1S || test "${name%inetd}" = "$name" || return 0
        read -rt 0.002 <&"$nap" || :
    done
}

stop()
{
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || :
}

# What is open now, one line per socket.
sockets()
{
    {
        ss -Hltne
        ss -Hlune
    } 2>/dev/null | awk '
        {
            proto = $1 == "LISTEN" ? "tcp" : "udp"
            port = $4
            sub(/.*:/, "", port)
            address = substr($4, 1, length($4) - length(port) - 1)
            sub(/%[^]]*/, "", address)
            family = $0 ~ /v6only:1/ ? "6" : "4"
            if (address == "*")
                family = "46"
            else if (address ~ /ffff:/)
                family = "46"
            else if (address ~ /:/)
                family = "6"
            if (address == "0.0.0.0" || address == "[::]")
                address = "*"
            print proto family ":" address ":" port
        }'
    ss -Haxn | awk '$5 ~ /^\// && $1 ~ /^u_(str|dgr)/ {
        print "unix:" ($1 == "u_str" ? "stream" : "dgram") ":" $5 }'
}

joined()
{
    sort | paste -sd, | sed 's/^$/-/'
}

# --- cases ---------------------------------------------------------------------------------------

one_case()
{
    printf '@case %s\n' "$1"
    sed 's/\\r$/\r/' /tmp/conf >/etc/inetd.conf
    start
    printf '@%s %s\n' "$dialect" "$(sockets | joined)"
    stop
}

run_cases()
{
    local name='' line

    write_names "$2"
    while IFS= read -r line; do
        case $line in
        @case\ *)
            test -z "$name" || one_case "$name"
            name=${line#@case }
            : >/tmp/conf
            ;;
        @*) ;;
        *) printf '%s\n' "$line" >>/tmp/conf ;;
        esac
    done <"$1"
    one_case "$name"
}

# --- files and trees -----------------------------------------------------------------------------

# Every user and group that a file names exists, as in the corpus' own table.
write_accounts()
{
    local words

    words=$(awk '$5 ~ /^[A-Za-z0-9_.:-]+$/ { print $5 }' "$@" | tr '.:' '[\n*]' | sort -u)
    {
        echo root:x:0:0::/:/bin/sh
        awk 'NF && $0 != "root" { print $0 ":x:" NR + 100 ":1::/:/bin/sh" }' <<<"$words"
    } >/etc/passwd
    awk 'NF { print $0 ":x:" NR + 100 ":" }' <<<"$words" >/etc/group
}

compare()
{
    local said

    cycles=$((cycles + 1))
    start
    said=$(sockets | "$driver" "$dialect" / compare) || {
        differ=$((differ + 1))
        printf 'differs: %s %s: %s\n' "$dialect" "$1" "${said//$'\n'/; }"
    }
    stop
}

# Everything below /etc that the daemon reads, kept and put back.
keep()
{
    rm -rf /tmp/kept
    mkdir /tmp/kept
    cp -a /etc/inetd.conf /tmp/kept/
    test ! -d /etc/inetd.d || cp -a /etc/inetd.d /tmp/kept/
}

put_back()
{
    rm -rf /etc/inetd.d
    cp -a /tmp/kept/. /etc/
}

compare_edits()
{
    local number place rest

    keep
    compare "$1"
    while read -r number place rest; do
        turn=$((turn + 1))
        test $((turn % $2)) -eq 0 || continue
        case $rest in *' locked') continue ;; esac
        "$driver" "$dialect" / disable "$number" || {
            differ=$((differ + 1))
            printf 'differs: %s %s: %s cannot be switched off\n' "$dialect" "$1" "$place"
            continue
        }
        compare "$1 without $place"
        put_back
    done < <("$driver" "$dialect" / entries)
}

run_files()
{
    local step=$1 file

    shift
    mkdir -p /var/www/run
    for file; do
        rm -rf /etc/inetd.d
        cp "$file" /etc/inetd.conf
        write_accounts /etc/inetd.conf
        compare_edits "$(basename "$file")" "$step"
    done
    printf '%s: %d cycles, %d differ\n' "$dialect" "$cycles" "$differ"
}

run_trees()
{
    local step=$1 tree

    shift
    cp -a /etc /tmp/etc
    for tree; do
        rm -rf /etc/inetd.d
        cp -a /tmp/etc/. /etc/
        cp -a "$tree/." /etc/
        compare_edits "$(basename "$tree")" "$step"
    done
    printf '%s: %d cycles, %d differ\n' "$dialect" "$cycles" "$differ"
}

verb=run_$1
shift 2
"$verb" "$@"
