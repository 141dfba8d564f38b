# shellcheck shell=bash
# inside.bash - what the scripts on the small host use (see live.bash)

trap 'echo "failed at line $LINENO: $BASH_COMMAND" >&2' ERR
set -E

fail()
{
    echo "failed: $*" >&2
    ss -lntup >&2 || true
    exit 1
}

# --- ports ----------------------------------------------------------------------------------------

# listens 4|6 tcp|udp PORT: by the kernel's own text tables, independently of batten's netlink
listens()
{
    local table=/proc/net/$2 state=0A

    test "$1" = 4 || table+=6
    test "$2" = tcp || state=07
    awk -v want="$(printf ':%04X' "$3")" -v state=$state \
        '$4 == state && substr($2, length($2) - 4) == want { found = 1 } END { exit !found }' "$table"
}

answers()
{
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# wait_for COMMAND...: at most 5 s
wait_for()
{
    local i

    for ((i = 0; i < 1000; i++)); do
        "$@" && return 0
        sleep 0.02
    done
    fail "never came: $*"
}

refuse()
{
    if "$@"; then
        fail "should not be: $*"
    fi
}

all_open()
{
    local port

    for port; do
        answers "$port" || fail "port $port is closed"
    done
}

all_closed()
{
    local port

    for port; do
        refuse answers "$port"
        refuse listens 4 tcp "$port"
        refuse listens 6 tcp "$port"
    done
}

# --- the super-server -----------------------------------------------------------------------------

inetd_program()
{
    case $1 in
    openbsd) echo /usr/sbin/inetd ;;
    inetutils) echo /usr/sbin/inetutils-inetd ;;
    busybox) echo /usr/sbin/inetd ;;
    esac
}

catches_hup()
{
    local caught

    caught=$(awk '/^SigCgt:/ { print $2 }' "/proc/$1/status" 2>/dev/null) || return 1
    test -n "$caught" && test $((0x$caught & 1)) -eq 1
}

pid_of_inetd()
{
    cat /run/inetd.pid 2>/dev/null || pgrep -o -x inetd
}

inetd_is_ready()
{
    local pid

    pid=$(pid_of_inetd) && catches_hup "$pid"
}

# start_inetd FLAVOUR PORT...: started and listening
start_inetd()
{
    local flavour=$1 port

    shift
    rm -f /run/inetd.pid
    "$(inetd_program "$flavour")"
    wait_for inetd_is_ready
    for port; do
        wait_for listens 4 tcp "$port"
    done
}

# Names are looked up, at a name server that hears and never answers: two seconds for each.
slow_names()
{
    sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
    printf 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n' >/etc/resolv.conf
    perl -e 'use Socket; socket(S, PF_INET, SOCK_DGRAM, 0);
        bind(S, sockaddr_in(53, INADDR_LOOPBACK)) or die; sleep' &
    wait_for listens 4 udp 53
}

rpcbind_is_up()
{
    rpcinfo -p 127.0.0.1 >/dev/null 2>&1
}

start_rpcbind()
{
    /sbin/rpcbind -w
    wait_for rpcbind_is_up
}

# More registrations, by an ordinary user, than batten reads.
flood_rpcbind()
{
    cat >/tmp/flood <<'PERL'
use Socket;
sub word { my $s = shift; pack("N/a*", $s) . "\0" x (-length($s) % 4) }
socket(S, PF_UNIX, SOCK_STREAM, 0) and connect(S, sockaddr_un("/run/rpcbind.sock")) or die;
for my $i (0 .. 8299) {
    my $call = pack("N*", $i, 0, 2, 100000, 3, 1, 0, 0, 0, 0, 0x20000000 + $i, 1) .
        word("tcp") . word("127.0.0.1.39." . $i % 250) . word("tester");
    syswrite(S, pack("N", 0x80000000 | length $call) . $call) or die;
    sysread(S, $mark, 4) == 4 and sysread(S, $reply, unpack("N", $mark) & 0xffff) or die;
    $set += unpack("N", substr($reply, -4));
}
print "$set\n";
PERL
    test "$(setpriv --reuid 1000 --regid 1000 --clear-groups perl /tmp/flood)" -gt 8192
}

statd_is_up()
{
    rpcinfo -T udp 127.0.0.1 100024 1 >/dev/null 2>&1
}

start_statd()
{
    mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak
    chown -R statd /var/lib/nfs
    /sbin/rpc.statd --no-notify
    wait_for statd_is_up
}

dig_works()
{
    dig @127.0.0.1 +time=1 +tries=1 +short localhost. A 2>/dev/null | grep -qx 127.0.0.1
}

no_named()
{
    ! pgrep -x named >/dev/null
}

make_named()
{
    mkdir -p /run/named /var/cache/bind
    chown bind /run/named /var/cache/bind
}

start_named()
{
    make_named
    /usr/sbin/named -u bind
    wait_for dig_works
}

# --- one session each -----------------------------------------------------------------------------

# first_line PORT [WORD]: what the server says, WORD sent before
first_line()
{
    local line

    exec 4<>"/dev/tcp/127.0.0.1/$1"
    test $# -lt 2 || echo "$2" >&4
    IFS= read -r -t 10 line <&4 || true
    exec 4>&-
    printf '%s\n' "$line"
}

telnet_session()
{
    local bytes

    exec 4<>/dev/tcp/127.0.0.1/23
    bytes=$(timeout 10 head -c 3 <&4 | od -An -tx1 | tr -d ' ')
    exec 4>&-
    test "$bytes" = fffb25 || test "${bytes:0:2}" = ff || fail "telnet says '$bytes'"
}

finger_session()
{
    local text

    exec 4<>/dev/tcp/127.0.0.1/79
    printf 'tester\r\n' >&4
    text=$(timeout 10 cat <&4)
    exec 4>&-
    case $text in
    *'An Ordinary User'*) ;;
    *) fail "finger says '$text'" ;;
    esac
}

imap_session()
{
    local line

    exec 4<>/dev/tcp/127.0.0.1/143
    IFS= read -r -t 10 line <&4
    case $line in
    '* OK IMAP4rev1'*) ;;
    *) fail "imap says '$line'" ;;
    esac
    printf 'a LOGOUT\r\n' >&4
    line=$(timeout 10 cat <&4)
    exec 4>&-
    case $line in
    *'a OK LOGOUT'*) ;;
    *) fail "imap says '$line' to LOGOUT" ;;
    esac
}

pop_session()
{
    local line

    exec 4<>/dev/tcp/127.0.0.1/110
    IFS= read -r -t 10 line <&4
    case $line in
    '+OK POP3 Ready'*) ;;
    *) fail "pop says '$line'" ;;
    esac
    printf 'QUIT\r\n' >&4
    IFS= read -r -t 10 line <&4
    exec 4>&-
    case $line in
    +OK*) ;;
    *) fail "pop says '$line' to QUIT" ;;
    esac
}

# --- batten's own follow, without the command line ------------------------------------------------

# driver STATUS ARGS...: the output in /tmp/out, the status as said
driver()
{
    local want=$1 status=0

    shift
    "$BATTEN_BUILD/tests/live/follow_driver" "$@" >/tmp/out 2>&1 || status=$?
    cat /tmp/out
    test $status -eq "$want" || fail "follow_driver left $status, not $want"
}

# batten STATUS ARGS...: the same for the program itself, without a terminal
batten()
{
    local want=$1 status=0

    shift
    "$BATTEN" "$@" >/tmp/out 2>&1 </dev/null || status=$?
    cat /tmp/out
    test $status -eq "$want" || fail "batten left $status, not $want"
}

says()
{
    grep -qE -- "$1" /tmp/out || fail "not said: $1"
}

says_not()
{
    refuse grep -qE -- "$1" /tmp/out
}

# both KIND SERVICE PORT: a tcp service's sockets under openbsd-inetd
both()
{
    echo "$1:$2,ipv4,tcp,*,$3" "$1:$2,ipv6,tcp,*,$3"
}
