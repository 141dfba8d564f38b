#!/usr/bin/env bats
# the whole way, on a live host: audit, apply, proof, rollback, with real servers behind the ports

load live.bash

setup_file()
{
    fetch_daemons openbsd inetutils servers
}

the_main_job()
{
    on_host "$1,servers" <<SCRIPT
flavour=$1
$(cat <<'REST'
cat >/etc/inetd.conf <<'CONF'
# services of this host
telnet	stream	tcp	nowait	root	/usr/sbin/tcpd	/usr/sbin/telnetd
finger	stream	tcp	nowait	nobody	/usr/sbin/tcpd	/usr/sbin/in.fingerd
imap2	stream	tcp	nowait	root	/usr/sbin/tcpd	/usr/sbin/imap4d --inetd
pop3	stream	tcp	nowait	root	/usr/sbin/tcpd	/usr/sbin/pop3d --inetd
ftp	stream	tcp	nowait	root	/usr/sbin/tcpd	/usr/sbin/ftpd
daytime	stream	tcp	nowait	root	internal
CONF
printf 'time\tstream\ttcp\tnowait\troot\tinternal' >>/etc/inetd.conf
chown daemon:mail /etc/inetd.conf
chmod 640 /etc/inetd.conf
setfattr -n user.note -v kept /etc/inetd.conf 2>/dev/null || true
setfacl -m u:tester:r /etc/inetd.conf 2>/dev/null || true
meta() { stat -c '%a %u %g' /etc/inetd.conf; getfattr -d -m - /etc/inetd.conf 2>/dev/null || true; }
cp /etc/inetd.conf /tmp/before
meta >/tmp/meta
start_inetd $flavour 23 79 143 110 21 13 37
pid=$(pid_of_inetd)
telnet_session; finger_session; imap_session; pop_session
batten 1 audit --profile jpcert-98-0004 --dialect $flavour
says '^high +23/tcp +telnet +on +(inetd\[|inetutils-in|busybox)'
batten 1 harden --profile jpcert-98-0004 --dialect $flavour
cmp /etc/inetd.conf /tmp/before
all_open 23 79 143 110 21 13 37
batten 0 harden --profile jpcert-98-0004 --dialect $flavour --apply
says '^undo '
all_closed 23 79 143 110
all_open 21 13 37
test "$(pid_of_inetd)" = $pid
kill -0 $pid
meta | cmp - /tmp/meta
diff <(sed -E 's/^(telnet|finger|imap2|pop3)\t/#&/' /tmp/before) /etc/inetd.conf
batten 0 rollback --yes
cmp /etc/inetd.conf /tmp/before
meta | cmp - /tmp/meta
all_open 23 79 143 110 21 13 37
telnet_session; finger_session; imap_session; pop_session
refuse ls /etc/.batten
REST
)
SCRIPT
}

@test "openbsd: four services closed, and back, byte for byte" {
    the_main_job openbsd
}

@test "inetutils: four services closed, and back, byte for byte" {
    the_main_job inetutils
}

@test "busybox: four services closed, and back, byte for byte" {
    test -n "${BATTEN_LONG-}" || skip 'only in a long run, it builds busybox'
    fetch_daemons busybox
    the_main_job busybox
}

@test "what was done is not done again: no write, no signal" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
echo 'ftp stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
start_inetd openbsd 79
batten 0 harden --profile jpcert-98-0004 --apply
stat -c '%i %z' /etc/inetd.conf >/tmp/stat
ss -ltne | sort >/tmp/sockets
batten 0 harden --profile jpcert-98-0004 --apply
says_not 'HUP'
stat -c '%i %z' /etc/inetd.conf | cmp - /tmp/stat
ss -ltne | sort | cmp - /tmp/sockets
SCRIPT
}

@test "the proof in JSON" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
"$BATTEN" --json harden --profile jpcert-98-0004 --apply >/tmp/json
jq -e '.schema == 1 and .change == 1 and (.signals | length == 1)' /tmp/json
jq -e --argjson pid $pid '.signals[0].pid == $pid and .signals[0].action == "HUP"' /tmp/json
jq -e '[.proof[] | [.family, .proto, .port, .closed]] | sort ==
    [["ipv4","tcp",79,true],["ipv6","tcp",79,true]]' /tmp/json
jq -e '.proof | all(.ms >= 0 and .ms < 5000 and .holder == null)' /tmp/json
SCRIPT
}

@test "an older edit that the HUP would publish is refused" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
echo 'login stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
cp /etc/inetd.conf /tmp/before
batten 7 harden --profile jpcert-98-0004 --apply
says '513/tcp'
cmp /etc/inetd.conf /tmp/before
all_open 79
all_closed 513
batten 0 harden --profile jpcert-98-0004 --apply --accept-pending
all_open 513
all_closed 79
SCRIPT
}

@test "a HUP waits until the daemon has started" {
    on_host openbsd,servers <<'SCRIPT'
slow_names
echo 'slow.example:ftp stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
echo 'finger stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
/usr/sbin/inetd
wait_for test -s /run/inetd.pid
pid=$(pid_of_inetd)
refuse catches_hup $pid
batten 0 close finger --apply --accept-pending --wait 20s
kill -0 $pid
all_closed 79
SCRIPT
}

@test "a wait child that keeps the port is named, and on the way back too" {
    on_host openbsd,servers <<'SCRIPT'
echo 'telnet stream tcp wait root /bin/sleep sleep 300' >/etc/inetd.conf
start_inetd openbsd 23
exec 5<>/dev/tcp/127.0.0.1/23
child() { pgrep -x sleep >/tmp/child; }
wait_for child
child=$(cat /tmp/child)
batten 7 --json close telnet --apply --wait 500ms
jq -e --argjson pid $child '.proof | map(select(.family == "ipv4")) == [.[0]] and
    (.[0] | .closed == false and .ms == null and .holder == $pid)' /tmp/out
batten 7 rollback --yes --wait 1500ms
says "sleep"
exec 5>&-
kill $child
kill -HUP $(pid_of_inetd)
wait_for listens 4 tcp 23
wait_for listens 6 tcp 23
SCRIPT
}

@test "RPC registrations of what is kept survive" {
    fetch_daemons openbsd servers rpc
    on_host openbsd,servers,rpc <<'SCRIPT'
start_rpcbind
echo 'rstatd/1-5 dgram rpc/udp wait root /bin/cat cat' >/etc/inetd.conf
echo 'finger stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
start_inetd openbsd 79
registered() { rpcinfo -p 127.0.0.1 | grep -q ' 100001 '; }
wait_for registered
batten 0 close finger --apply
says 'restart'
all_closed 79
registered
batten 0 rollback --yes
all_open 79
registered
SCRIPT
}

@test "RPC: one of two is closed, and that one alone" {
    fetch_daemons openbsd servers rpc
    on_host openbsd,servers,rpc <<'SCRIPT'
start_rpcbind
echo 'rstatd/1-5 dgram rpc/udp wait root /bin/cat cat' >/etc/inetd.conf
echo 'rusersd/1-3 dgram rpc/udp wait root /bin/cat cat' >>/etc/inetd.conf
echo 'walld/1 dgram rpc/udp wait root /bin/cat cat' >>/etc/inetd.conf
/usr/sbin/inetd
wait_for inetd_is_ready
registered() { rpcinfo -p 127.0.0.1 | grep -q " $1 "; }
for program in 100001 100002 100008; do wait_for registered $program; done
sockets() { ss -lnupH | grep -c '"inetd"'; }
before=$(sockets)
batten 0 close rusersd --apply
refuse registered 100002
registered 100001
registered 100008
test $(sockets) -eq $((before - 2)) || fail "$(sockets) sockets of $before"
SCRIPT
}

@test "the inetd of a chroot, a lying pid file: neither is signalled" {
    on_host openbsd,servers <<'SCRIPT'
mkdir -p /mnt/jail /jail-etc
mount --rbind / /mnt/jail
cp -a /etc/. /jail-etc
mount --bind /jail-etc /mnt/jail/etc
mount -t tmpfs run /mnt/jail/run
echo 'login stream tcp nowait root /bin/cat cat' >/jail-etc/inetd.conf
chroot /mnt/jail /usr/sbin/inetd
wait_for listens 4 tcp 513
jailed=$(cat /mnt/jail/run/inetd.pid)
wait_for catches_hup $jailed
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
: >/jail-etc/inetd.conf
sleep 300 &
sleeper=$!
echo $sleeper >/run/inetd.pid
"$BATTEN" --json close finger --apply >/tmp/out || fail "status $?"
jq -e --argjson pid $pid '.signals | length == 1 and .[0].pid == $pid' /tmp/out
all_closed 79
all_open 513
kill -0 $sleeper
kill -0 $jailed
SCRIPT
}

@test "no super-server runs: closing is done, opening needs a start" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
batten 0 close finger --apply
batten 7 rollback --yes --wait 300ms
says '/etc/init.d/openbsd-inetd start'
/etc/init.d/openbsd-inetd start
wait_for answers 79
SCRIPT
}

@test "the last service: the daemon stays, and rollback needs no start" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
batten 0 close finger --apply
kill -0 $pid
batten 0 rollback --yes
test $(pid_of_inetd) -eq $pid
all_open 79
SCRIPT
}

@test "update-inetd --add after the change opens nothing" {
    on_host openbsd,servers <<'SCRIPT'
printf 'finger\tstream\ttcp\tnowait\tnobody\t/usr/sbin/tcpd\t/usr/sbin/in.fingerd\n' >/etc/inetd.conf
printf 'ftp\tstream\ttcp\tnowait\troot\t/bin/cat cat\n' >>/etc/inetd.conf
chmod 644 /etc/inetd.conf
start_inetd openbsd 79 21
batten 0 close finger --apply
# What the package's upgrade runs.
DEBIAN_FRONTEND=noninteractive update-inetd --add \
    "finger\\tstream\\ttcp\\tnowait\\tnobody\\t/usr/sbin/tcpd\\t/usr/sbin/in.fingerd" </dev/null
kill -HUP $(pid_of_inetd)
sleep 0.2
all_closed 79
all_open 21
refuse grep -q '^finger' /etc/inetd.conf
batten 0 rollback --yes
all_open 79
SCRIPT
}

@test "continuations, blank lines and long comments: nothing else opens" {
    on_host openbsd,servers <<'SCRIPT'
printf 'finger\tstream tcp nowait\n\troot /bin/cat\n\tcat\n' >/etc/inetd.conf
printf '\n#note\n\tlogin stream tcp4 nowait root /bin/cat cat\n' >>/etc/inetd.conf
printf 'pop3 stream tcp nowait root /bin/cat cat\n\n' >>/etc/inetd.conf
printf '#%01022dexec stream tcp nowait root /bin/cat cat\n' 0 >>/etc/inetd.conf
printf 'imap2 stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
cp /etc/inetd.conf /tmp/before
/usr/sbin/inetd
wait_for inetd_is_ready
wait_for listens 4 tcp 143
ss -ltnH | awk '{ print $4 }' | sort >/tmp/open
batten 0 close finger imap pop --apply
ss -ltnH | awk '{ print $4 }' | sort >/tmp/now
diff <(grep -vE ':(79|110|143)$' /tmp/open) /tmp/now
# And what a fresh start opens is the same.
kill $(pid_of_inetd)
sleep 0.1
start_inetd openbsd
sleep 0.2
ss -ltnH | awk '{ print $4 }' | sort | diff /tmp/now -
batten 0 rollback --yes
cmp /etc/inetd.conf /tmp/before
ss -ltnH | awk '{ print $4 }' | sort | diff /tmp/open -
SCRIPT
}

@test "inetutils: quoted names, files of any name in inetd.d" {
    on_host inetutils,servers <<'SCRIPT'
mkdir -p /etc/inetd.d
echo '"telnet" stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
echo 'ftp stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.d/finger.bak
echo 'imap2 stream tcp nowait root /bin/cat cat' >/etc/inetd.d/.imap.tmp
echo 'pop3 stream tcp nowait root /bin/cat cat' >'/etc/inetd.d/pop3~'
start_inetd inetutils 23 21 79 143 110
ls -A /etc/inetd.d >/tmp/names
batten 0 harden --profile jpcert-98-0004 --apply
all_closed 23 79 143 110
all_open 21
ls -A /etc/inetd.d | diff /tmp/names -
batten 0 rollback --yes
all_open 23 21 79 143 110
SCRIPT
}

@test "entries of one port are closed together, for good" {
    on_host openbsd,servers <<'SCRIPT'
echo 'telnet stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
echo '23 stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
start_inetd openbsd 23
batten 0 close telnet --apply
all_closed 23
kill -HUP $(pid_of_inetd)
sleep 0.2
all_closed 23
SCRIPT
}

@test "an ordinary user changes nothing and learns what to run" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
chmod 644 /etc/inetd.conf
start_inetd openbsd 79
cp /etc/inetd.conf /tmp/before
as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }
status=0
as_user "$BATTEN" close finger --apply >/tmp/out 2>&1 || status=$?
cat /tmp/out
test $status -eq 4 || fail "status $status"
says 'sudo batten|as root'
cmp /etc/inetd.conf /tmp/before
all_open 79
status=0
as_user "$BATTEN" audit >/tmp/out 2>&1 || status=$?
cat /tmp/out
test $status -eq 1 || fail "status $status"
says '79/tcp'
SCRIPT
}

@test "whoever came in over telnet does not cut himself off" {
    on_host openbsd,servers <<'SCRIPT'
cat >/usr/local/bin/session <<'SH'
#!/bin/sh
trap '' HUP
"$BATTEN" close telnet --apply >/tmp/refused 2>&1 </dev/null
echo $? >/tmp/status1
"$BATTEN" close telnet --apply --cut-me-off >/tmp/done 2>&1 </dev/null
echo $? >/tmp/status2
SH
sed -i "s|\"\$BATTEN\"|$BATTEN|" /usr/local/bin/session
chmod 755 /usr/local/bin/session
echo 'telnet stream tcp nowait root /usr/sbin/telnetd telnetd -E /usr/local/bin/session' >/etc/inetd.conf
start_inetd openbsd 23
cp /etc/inetd.conf /tmp/before
# A client that refuses every option, as a plain one would.
perl -MSocket -e '
    socket(S, PF_INET, SOCK_STREAM, 0);
    connect(S, sockaddr_in(23, INADDR_LOOPBACK)) or die;
    S->autoflush(1) if S->can("autoflush");
    my $left = 20;
    while (sysread(S, $b, 1)) {
        next unless ord($b) == 255;
        sysread(S, $c, 1); sysread(S, $o, 1);
        syswrite(S, "\xff\xfc$o") if ord($c) == 253;
        syswrite(S, "\xff\xfe$o") if ord($c) == 251;
    }' &
wait_for test -s /tmp/status2
cat /tmp/refused
test "$(cat /tmp/status1)" = 3 || fail "refused with $(cat /tmp/status1)"
grep -q 'this session came in over .telnet. (23/tcp)' /tmp/refused
cat /tmp/done
test "$(cat /tmp/status2)" = 0 || fail "done with $(cat /tmp/status2)"
all_closed 23
SCRIPT
}
