#!/usr/bin/env bats
# what an ordinary user of the host can do to mislead or to delay

load live.bash

setup_file()
{
    fetch_daemons openbsd inetutils servers rpc
}

as_tester='as_tester() { setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }'

@test "a user's own inetd is not the host's: neither told nor believed" {
    on_host openbsd,servers <<SCRIPT
$as_tester
$(cat <<'REST'
echo 'finger stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
mkdir -p /home/tester/bin
cp /usr/sbin/inetd /home/tester/bin/inetd
printf '127.0.0.1:8079 stream tcp nowait tester /bin/cat cat\n' >/home/tester/inetd.conf
printf '127.0.0.1:8080 stream tcp nowait tester /bin/cat cat\n' >/home/tester/inetd2.conf
chown -R 1000:1000 /home/tester
# A copy of his own and the host's very program; neither names the file it reads where it is seen.
start_his()
{
    (cd /home/tester && as_tester bash -c 'exec -a inetd "$0" -i "$1"' "$1" "$2") &
}
start_his /home/tester/bin/inetd inetd.conf
start_his /usr/sbin/inetd inetd2.conf
wait_for answers 8079
wait_for answers 8080
# What they listen on is no edit that waits for a HUP.
batten 0 close finger --apply
test $(grep -c 'sent HUP' /tmp/out) -eq 1 || fail 'more than one was told'
says "sent HUP to inetd\[$pid\]"
all_closed 79
answers 8079
answers 8080
batten 0 rollback --yes
answers 79
REST
)
SCRIPT
}

@test "a user has the port that is closed: still open, and by whom" {
    on_host openbsd,servers <<SCRIPT
$as_tester
$(cat <<'REST'
echo '6001 stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
as_tester perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0);
    bind(S, sockaddr_in(6001, INADDR_ANY)); listen(S, 5); sleep' &
wait_for answers 6001
thief=$(pgrep -x perl)
start_inetd openbsd
wait_for listens 6 tcp 6001
batten 7 close 6001/tcp --apply --wait 300ms
says "6001 +ipv6 6001/tcp closed after"
says "6001/tcp. .6001, ipv4. is still open, held by process $thief 'perl'"
# And it does not come back while he has it.
batten 7 rollback --yes --wait 1500ms
says "6001/tcp.* did not open: process $thief 'perl' holds the port"
REST
)
SCRIPT
}

@test "names that processes give themselves stay names" {
    on_host openbsd,servers <<SCRIPT
$as_tester
$(cat <<'REST'
echo '6001 stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
no_escapes() { test "$(tr -d '\033' </tmp/out | wc -c)" = "$(wc -c </tmp/out)" || fail 'escapes'; }
# Escape sequences, what /proc/PID/stat and status are parsed by, a forged line of output.
as_tester perl -MSocket -e '$0 = ") R 1 \e[2J\nUid:\t0"; socket(S, PF_INET, SOCK_STREAM, 0);
    bind(S, sockaddr_in(6001, INADDR_ANY)); listen(S, 5); sleep' &
as_tester perl -e '$0 = "inetd)\nPPid:\t1"; sleep' &
as_tester perl -MSocket -e '$0 = "x\n0::/system"; socket(S, PF_INET, SOCK_STREAM, 0);
    bind(S, sockaddr_in(7777, INADDR_ANY)); listen(S, 5); sleep' &
wait_for answers 6001
wait_for answers 7777
start_inetd openbsd
wait_for listens 6 tcp 6001
batten 7 close 6001/tcp --apply --wait 300ms
says '6001/tcp.* still open, held by process [0-9]+ '
no_escapes
refuse grep -qE '^(Uid|PPid|0::)' /tmp/out
"$BATTEN" audit >/tmp/out 2>&1 || true
says '7777/tcp'
no_escapes
refuse grep -qE '^(Uid|PPid|0::)' /tmp/out
"$BATTEN" audit --json >/tmp/json || true
jq -e '[.other_listeners[] | select(.port == 7777 and (.program | startswith("x\n0::")))] | length == 1' \
    /tmp/json
REST
)
SCRIPT
}

@test "a port mapper that answers without end takes a second, no more" {
    on_host openbsd,servers <<SCRIPT
$(cat <<'REST'
cat >/root/mapper <<'PERL'
use Socket;
$SIG{PIPE} = "IGNORE";
$SIG{CHLD} = "IGNORE";
socket(L, PF_INET, SOCK_STREAM, 0);
setsockopt(L, SOL_SOCKET, SO_REUSEADDR, 1);
bind(L, sockaddr_in(111, INADDR_LOOPBACK)) or die;
listen(L, 9);
while (accept(C, L)) {
    next if fork;
    if ($ARGV[0] eq "slow") { # a byte at a time
        syswrite(C, pack("N", 0x80000000 | 200000));
        while (syswrite(C, "x")) { select(undef, undef, undef, 0.2) }
    } else { # empty fragments
        while (syswrite(C, "\0" x 4096)) { }
    }
    exit;
}
PERL
printf 'finger stream tcp nowait nobody /bin/cat cat\nrstatd/1-3 dgram rpc/udp wait root /bin/cat cat\n' \
    >/etc/inetd.conf
for kind in slow endless; do
    perl /root/mapper $kind & mapper=$!
    wait_for answers 111
    rm -f /run/inetd.pid
    # Its own registration waits for the mapper, too: none of it is wanted here.
    sed -i 's/^rstatd/#&/' /etc/inetd.conf
    start_inetd openbsd 79
    sed -i 's/^#rstatd/rstatd/' /etc/inetd.conf
    start=$(date +%s%N)
    timeout 30 "$BATTEN" close finger --apply --accept-pending --wait 500ms >/tmp/out 2>&1 || true
    took=$((($(date +%s%N) - start) / 1000000))
    cat /tmp/out
    test $took -lt 8000 || fail "took $took ms"
    kill $mapper
    kill -KILL "$(pid_of_inetd)"
    "$BATTEN" rollback --yes >/dev/null 2>&1 || true
done
REST
)
SCRIPT
}

@test "thousands of sockets and processes: a matter of time, and of little" {
    on_host openbsd,servers <<SCRIPT
$as_tester
$(cat <<'REST'
echo 'finger stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
ulimit -n 4096 2>/dev/null || true
as_tester perl -MSocket -e 'for my $n (0 .. 7) { next if fork; my @all;
    for my $port (20000 + 400 * $n .. 20399 + 400 * $n) {
        socket(my $s, PF_INET, SOCK_STREAM, 0);
        bind($s, sockaddr_in($port, INADDR_ANY)); listen($s, 1); push @all, $s }
    $0 = "inetd"; for (1 .. 60) { last unless fork } sleep }' &
many() { test $(ss -ltnH | wc -l) -gt 3200 && test $(pgrep -c -u 1000 inetd) -gt 400; }
wait_for many
start=$(date +%s%N)
batten 0 close finger --apply
took=$((($(date +%s%N) - start) / 1000000))
test $took -lt 10000 || fail "took $took ms"
echo "took $took ms"
all_closed 79
REST
)
SCRIPT
}
