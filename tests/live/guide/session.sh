#!/bin/bash
# session.sh - one session of the guide, inside the host that ns.sh makes; see ../guide.bats
#
#     session.sh apply | keep | hang-up | way-in | evidence | daemon
set -eu
set -E
trap 'echo "failed at line $LINENO: $BASH_COMMAND" >&2; term_screen >&2 || true' ERR

here=$(cd "$(dirname "$0")" && pwd)
BATS_TEST_TMPDIR=/tmp/pty
BATS_TEST_DIRNAME=$here
mkdir -p "$BATS_TEST_TMPDIR"
cd /root
# shellcheck source=tests/cli/terminal.bash
. "$here/../../cli/terminal.bash"

listens()
{
    awk -v want="$(printf ':%04X' "$1")" \
        '$4 == "0A" && substr($2, length($2) - 4) == want { found = 1 } END { exit !found }' \
        /proc/net/tcp /proc/net/tcp6
}

wait_for()
{
    local i

    for ((i = 0; i < 400; i++)); do
        "$@" && return 0
        sleep 0.05
    done
    echo "never came: $*" >&2
    return 1
}

closed()
{
    ! listens "$1"
}

caught()
{
    local bits

    bits=$(awk '/^SigCgt:/ { print $2 }' "/proc/$(cat /run/inetd.pid 2>/dev/null)/status" 2>/dev/null)
    test -n "$bits" && test $((0x$bits & 1)) -eq 1
}

start_host()
{
    local port

    cat >/etc/inetd.conf <<'END'
telnet stream tcp nowait root   /usr/sbin/tcpd /usr/sbin/telnetd
2323   stream tcp nowait root   /usr/sbin/tcpd /usr/sbin/telnetd
finger stream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.fingerd
imap2  stream tcp nowait root   /usr/sbin/tcpd /usr/sbin/imap4d --inetd
time   stream tcp nowait root   internal
END
    cp -p /etc/inetd.conf /root/before
    /usr/sbin/inetd
    wait_for caught
    for port in 23 2323 79 143 37; do
        wait_for listens $port
    done
}

guide()
{
    term_start "$BATTEN" --color never "$@"
    term_asks 'Enter starts'
}

# telnet on 23 and finger closed, telnet on 2323 and the rest kept
answer()
{
    term_keys Enter
    term_asks 'close telnet'
    term_keys y
    term_asks 'close telnet'
    term_wait "called '2323'"
    term_keys n
    term_asks 'close imap'
    term_keys n
    term_asks 'close finger'
    term_keys y
    term_asks 'close time'
    term_keys d
    to_the_end
}

to_the_end()
{
    local i

    for ((i = 0; i < 10; i++)); do
        term_asks '-- more|^apply'
        term_screen | sed '/^ *$/d' | tail -n 1 | grep -q -- '-- more' || return 0
        term_keys Space
        sleep 0.3
    done
    return 1
}

check_closed()
{
    wait_for closed 23
    wait_for closed 79
    listens 2323
    listens 143
    listens 37
}

check_open()
{
    local port

    for port in 23 2323 79 143 37; do
        wait_for listens $port
    done
    cmp /etc/inetd.conf /root/before
}

apply()
{
    start_host
    guide
    term_wait 'running: inetd\['
    term_wait '5 listen now'
    answer
    term_wait 'inetd\[[0-9]+\] gets one HUP'
    term_keys y
    term_ended
    test "$ended" -eq 0
    term_wait 'sent HUP to inetd\['
    term_wait 'telnet +ipv4 23/tcp closed after [0-9]+ ms'
    term_wait 'finger +ipv6 79/tcp closed after [0-9]+ ms'
    term_wait '^undo +batten rollback 1$'
    check_closed
    "$BATTEN" rollback 1 --yes
    check_open
}

keep()
{
    start_host
    guide
    answer
    term_keys t
    term_wait 'Enter keeps it'
    check_closed
    term_keys Enter
    term_ended
    test "$ended" -eq 0
    term_wait 'change 1 is kept'
    check_closed
    "$BATTEN" status
}

# The terminal dies while the timer runs: the watcher, who belongs to no terminal, takes it back.
hang-up()
{
    start_host
    guide --confirm-within 4s
    answer
    term_keys t
    term_wait 'Enter keeps it'
    check_closed
    term_stop
    check_open
}

# As seen from a shell under the real telnetd.
way-in()
{
    local pid

    start_host
    cat >/root/shell <<'END'
#!/bin/bash
exec bash --norc --noprofile -i
END
    chmod 755 /root/shell
    sed -i 's|^telnet .*|telnet stream tcp nowait root /usr/sbin/telnetd telnetd -E /root/shell|' \
        /etc/inetd.conf
    cp -p /etc/inetd.conf /root/before
    kill -HUP "$(cat /run/inetd.pid)"
    sleep 0.3
    term_start inetutils-telnet 127.0.0.1
    term_wait '#'
    term_keys "stty rows 24 cols 80; TERM=vt100 $BATTEN --color never --confirm-within 4s" Enter
    term_wait 'WARNING    you came in over telnet'
    term_asks 'Enter starts'
    term_keys Enter
    term_asks 'close telnet'
    term_keys y
    term_asks 'close telnet'
    term_keys d
    to_the_end
    term_wait 'this closes telnet, which you came in over'
    term_keys y
    term_wait 'undone by itself if you are locked out'
    listens 23
    term_keys t
    term_wait 'confirm from another session'
    wait_for closed 23
    term_keys Enter
    pid=$(cat /run/inetd.pid)
    kill -0 "$pid"
    wait_for listens 23
    cmp /etc/inetd.conf /root/before
}

evidence()
{
    start_host
    {
        echo "$(LC_ALL=C date -d '1 day ago' '+%b %e %H:%M:%S') live in.fingerd[7]: connect from 192.0.2.7"
        echo "$(LC_ALL=C date '+%b %e %H:%M:%S') live telnetd[8]: refused connect from 192.0.2.8"
    } >/var/log/auth.log
    exec 5<>/dev/tcp/127.0.0.1/143
    read -r -t 10 _ <&5
    guide
    term_keys Enter
    term_asks 'close telnet'
    term_wait 'listening: inetd\[[0-9]+\]; no session open'
    term_wait '1 refused'
    term_keys / 
    term_wait '^search:'
    term_keys imap Enter
    term_asks 'close imap'
    term_wait '1 session open now, from 127.0.0.1'
    term_keys /
    sleep 0.3
    term_keys finger Enter
    term_asks 'close finger'
    term_wait '1 connection from 1 host in [0-9]+ days?, last yesterday'
    term_keys C-c
    term_ended
    test "$ended" -eq 130
    check_open
}

# A daemon of its own: shown while it runs, stopped by the change, started again by rollback.
daemon()
{
    start_host
    mkdir -p /run/named /var/cache/bind
    chown bind /run/named /var/cache/bind
    printf '#!/bin/sh\n/usr/sbin/named -u bind\nexit 0\n' >/etc/rc.local
    chmod 755 /etc/rc.local
    /etc/rc.local
    wait_for listens 53
    guide
    term_keys Enter
    term_asks 'close '
    term_keys /
    term_wait '^search:'
    term_keys rc.local Enter
    term_asks 'close named'
    term_wait 'runs: named\[[0-9]+\] on (53|953)/tcp'
    term_keys y
    term_asks 'close '
    term_keys d
    to_the_end
    term_wait 'named, started by etc/rc.local:2, is stopped'
    term_keys y
    term_ended
    test "$ended" -eq 0
    term_wait 'stopped named\['
    wait_for closed 53
    "$BATTEN" rollback --yes
    wait_for listens 53
}

"$1"
term_stop
