#!/usr/bin/env bats
# process, sockets and follow against the real super-servers, through follow_driver

load live.bash

setup_file()
{
    fetch_daemons openbsd inetutils servers
}

four='telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/telnetd
finger stream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.fingerd
imap2 stream tcp nowait root /usr/sbin/tcpd /usr/sbin/imap4d --inetd
pop3 stream tcp nowait root /usr/sbin/tcpd /usr/sbin/pop3d --inetd
ftp stream tcp nowait root /usr/sbin/tcpd /usr/sbin/ftpd'

@test "openbsd: closed after one HUP, the others stay, and back again" {
    on_host openbsd,servers <<SCRIPT
echo '$four' >/etc/inetd.conf
start_inetd openbsd 23 79 143 110 21
telnet_session; finger_session; imap_session; pop_session
pid=\$(pid_of_inetd)
driver 0 --reload --then "sed -i 's/^telnet/#telnet/' /etc/inetd.conf" \
    \$(both now telnet 23) \$(both now finger 79) \$(both now imap 143) \$(both now pop 110) \
    \$(both now ftp 21) \
    \$(both close telnet 23) \$(both stay finger 79) \$(both stay imap 143) \$(both stay ftp 21)
says "^inetd \$pid inetd /usr/sbin/inetd"
says_not pending
says "^signal HUP \$pid inetd done"
test \$(grep -c ^signal /tmp/out) -eq 1 || fail 'more than one HUP'
says '^proof closed telnet ipv4 23/tcp ok [0-9]+ ms'
says '^proof closed telnet ipv6 23/tcp ok [0-9]+ ms'
all_closed 23
all_open 79 143 110 21
finger_session
driver 0 --reload --then "sed -i 's/^#telnet/telnet/' /etc/inetd.conf" \
    \$(both now finger 79) \$(both now imap 143) \$(both now pop 110) \$(both now ftp 21) \
    \$(both open telnet 23) \$(both stay finger 79)
says '^proof open telnet ipv4 23/tcp ok [0-9]+ ms'
telnet_session
SCRIPT
}

@test "inetutils: closed after one HUP, the others stay, and back again" {
    on_host inetutils,servers <<SCRIPT
echo '$four' >/etc/inetd.conf
start_inetd inetutils 23 79 143 110 21
telnet_session; finger_session; imap_session; pop_session
pid=\$(pid_of_inetd)
driver 0 --dialect inetutils --reload --then "sed -i 's/^telnet/#telnet/' /etc/inetd.conf" \
    now:telnet,ipv4,tcp,*,23 now:finger,ipv4,tcp,*,79 now:imap,ipv4,tcp,*,143 \
    now:pop,ipv4,tcp,*,110 now:ftp,ipv4,tcp,*,21 \
    close:telnet,ipv4,tcp,*,23 stay:finger,ipv4,tcp,*,79 stay:ftp,ipv4,tcp,*,21
says "^inetd \$pid inetutils-inetd /usr/sbin/inetutils-inetd"
says_not pending
says "^signal HUP \$pid inetutils-inetd done"
says '^proof closed telnet ipv4 23/tcp ok [0-9]+ ms'
all_closed 23
all_open 79 143 110 21
driver 0 --dialect inetutils --reload --then "sed -i 's/^#telnet/telnet/' /etc/inetd.conf" \
    now:finger,ipv4,tcp,*,79 now:imap,ipv4,tcp,*,143 now:pop,ipv4,tcp,*,110 now:ftp,ipv4,tcp,*,21 \
    open:telnet,ipv4,tcp,*,23
telnet_session
SCRIPT
}

@test "openbsd: a session that is open goes on" {
    on_host openbsd,servers <<'SCRIPT'
echo 'pop3 stream tcp nowait root /usr/sbin/pop3d pop3d --inetd' >/etc/inetd.conf
start_inetd openbsd 110
exec 5<>/dev/tcp/127.0.0.1/110
IFS= read -r -t 10 line <&5
driver 0 --reload --then "sed -i 's/^pop3/#pop3/' /etc/inetd.conf" $(both close pop 110)
all_closed 110
printf 'QUIT\r\n' >&5
IFS= read -r -t 10 line <&5
case $line in +OK*) ;; *) fail "the session ended: '$line'" ;; esac
SCRIPT
}

@test "openbsd: a HUP waits until the daemon has started" {
    on_host openbsd,servers <<'SCRIPT'
slow_names
echo 'slow.example:telnet stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
echo 'finger stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
/usr/sbin/inetd
wait_for test -s /run/inetd.pid
pid=$(pid_of_inetd)
refuse catches_hup $pid
driver 7 --reload --wait 200 --then true
says "^problem hup-not-caught: .* \| when it has started: kill -HUP $pid"
says "^signal HUP $pid inetd failed"
refuse catches_hup $pid
driver 0 --reload --wait 10000 --then "sed -i 's/^finger/#finger/' /etc/inetd.conf" \
    $(both close finger 79)
says "^signal HUP $pid inetd done"
kill -0 $pid
SCRIPT
}

@test "openbsd: no HUP while the file is missing" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
driver 7 --reload --wait 300 --then 'mv /etc/inetd.conf /etc/away' $(both close finger 79)
says '^problem config-missing: '
says_not '^signal'
kill -0 $pid
all_open 79
SCRIPT
}

@test "an older edit that the HUP would publish is seen before" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
echo 'login stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
driver 0 $(both now login 513)
says '^pending-open login ipv4 513/tcp'
says '^pending-open login ipv6 513/tcp'
says '^pending-close 79/tcp ipv4 79/tcp'
says '^pending-close 79/tcp ipv6 79/tcp'
SCRIPT
}

@test "openbsd: RPC registrations survive, by a restart" {
    fetch_daemons openbsd servers rpc
    on_host openbsd,servers,rpc <<'SCRIPT'
start_rpcbind
echo 'rstatd/1-5 dgram rpc/udp wait root /bin/cat cat' >/etc/inetd.conf
echo 'finger stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
registered() { rpcinfo -p 127.0.0.1 | grep -q ' 100001 '; }
wait_for registered
rpc="rstatd,ipv4,udp,*,-1 rstatd,ipv46,udp,*,-1"
driver 0 $(printf 'now:%s ' $rpc) $(both now finger 79)
says_not pending
driver 0 --reload --then "sed -i 's/^finger/#finger/' /etc/inetd.conf" \
    $(both close finger 79) $(printf 'stay:%s ' $rpc)
says '^signal restart [0-9]+ inetd done: a HUP would have dropped'
says_not '^signal HUP'
registered || fail 'the registrations are lost'
refuse test "$(pid_of_inetd)" = "$pid"
all_closed 79
SCRIPT
}

@test "openbsd: RPC registrations that cannot be kept are named" {
    fetch_daemons openbsd servers rpc
    on_host openbsd,servers,rpc <<'SCRIPT'
rm /etc/init.d/openbsd-inetd
start_rpcbind
echo 'rstatd/1-5 dgram rpc/udp wait root /bin/cat cat' >/etc/inetd.conf
echo 'finger stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
start_inetd openbsd 79
registered() { rpcinfo -p 127.0.0.1 | grep -q ' 100001 '; }
wait_for registered
driver 7 --reload --then "sed -i 's/^finger/#finger/' /etc/inetd.conf" \
    $(both close finger 79) stay:rstatd,ipv4,udp,*,-1 stay:rstatd,ipv46,udp,*,-1
says '^signal HUP [0-9]+ inetd done'
says '^problem rpc-lost: RPC program 100001 \(rstatd\) is no longer registered'
test $(grep -c rpc-lost /tmp/out) -eq 1 || fail 'said more than once'
all_closed 79
refuse registered
SCRIPT
}

@test "openbsd: RPC registrations survive although the list of them cannot be had" {
    fetch_daemons openbsd servers rpc
    on_host openbsd,servers,rpc <<'SCRIPT'
start_rpcbind
echo 'rstatd/1-5 dgram rpc/udp wait root /bin/cat cat' >/etc/inetd.conf
echo 'finger stream tcp nowait nobody /bin/cat cat' >>/etc/inetd.conf
start_inetd openbsd 79
registered() { rpcinfo -p 127.0.0.1 | grep -q ' 100001 '; }
wait_for registered
flood_rpcbind
was=$(pid_of_inetd)
batten 7 close finger --apply
says 'restarted inetd.*: a HUP could have dropped its RPC registrations'
says 'attention: the port mapper runs and could not be asked before'
says 'hint: rpcinfo -p'
test "$(pid_of_inetd)" != "$was"
all_closed 79
registered || fail 'the registration is gone'
# Nothing that is registered is touched: nothing is said.
sed -i '/^rstatd/d' /etc/inetd.conf
kill -HUP "$(pid_of_inetd)"
batten 0 rollback --yes
SCRIPT
}

@test "the inetd of a chroot is left alone" {
    on_host openbsd,servers <<'SCRIPT'
mkdir -p /mnt/jail
mount --rbind / /mnt/jail
mkdir /jail-etc
cp -a /etc/. /jail-etc
mount --bind /jail-etc /mnt/jail/etc
mount -t tmpfs run /mnt/jail/run
echo 'login stream tcp nowait root /bin/cat cat' >/jail-etc/inetd.conf
chroot /mnt/jail /usr/sbin/inetd
wait_for listens 4 tcp 513
jailed=$(cat /mnt/jail/run/inetd.pid)
wait_for catches_hup $jailed
# Alone: there is none of ours.
driver 0 --reload --then true
says "^remark foreign-inetd: process $jailed 'inetd'"
says '^remark no-inetd'
says_not '^signal'
# And beside ours.
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
echo 'exec stream tcp nowait root /bin/cat cat' >/jail-etc/inetd.conf
driver 0 --reload --then 'true >/etc/inetd.conf' $(both now finger 79) $(both close finger 79)
says "^signal HUP $(pid_of_inetd) inetd done"
says_not "^signal HUP $jailed"
says_not pending
all_open 513
all_closed 512 79
SCRIPT
}

@test "the inetd of a container is left alone, whatever the pid file says" {
    on_host openbsd,servers <<'SCRIPT'
echo 'login stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
unshare -n -m -p --fork --kill-child sh -c 'ip link set lo up; mount -t tmpfs run /run
    /usr/sbin/inetd -i' &
inner() { pgrep -x inetd >/run/inner; }
wait_for inner
pid=$(cat /run/inner)
wait_for catches_hup $pid
: >/etc/inetd.conf
echo $pid >/run/inetd.pid
driver 0 --reload --then true
says "^remark foreign-inetd: process $pid 'inetd' is an inetd of a container or chroot"
says_not '^signal'
nsenter -t $pid -n grep -q ':0201 .* 0A ' /proc/net/tcp || nsenter -t $pid -n ss -ltn | grep -q :513
SCRIPT
}

@test "stale, odd and lying pid files: nobody else is signalled" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
sleep 300 &
sleeper=$!
try()
{
    driver 0 --reload --then true $(both now finger 79)
    says "$1"
    says "^signal HUP $pid inetd done"
    test $(grep -c ^signal /tmp/out) -eq 1 || fail 'somebody else was signalled'
    kill -0 $sleeper
}
echo $sleeper >/run/inetd.pid
try "^remark pid-file-lies: pid file '/run/inetd.pid' names process $sleeper, which is 'sleep'"
echo 4000000 >/run/inetd.pid
try "^remark pid-file-stale: "
echo "$pid $sleeper" >/run/inetd.pid
try '^remark pid-file-odd: .* does not hold a process number'
ln -sf /tmp/elsewhere /run/inetd.pid
try '^remark pid-file-odd: .* is a symlink'
rm /run/inetd.pid
mkfifo /run/inetd.pid
try '^remark pid-file-odd: .* is not a regular file'
rm /run/inetd.pid
driver 0 --reload --then true $(both now finger 79)
says "^signal HUP $pid inetd done"
kill -0 $sleeper
SCRIPT
}

@test "an inetd without sockets and without pid file is found" {
    on_host openbsd,servers <<'SCRIPT'
: >/etc/inetd.conf
/usr/sbin/inetd
wait_for inetd_is_ready
pid=$(pid_of_inetd)
rm /run/inetd.pid
driver 0 --reload --then "echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf" \
    $(both open finger 79)
says "^signal HUP $pid inetd done"
all_open 79
SCRIPT
}

@test "root's own super-server is told whoever may write its executable, another is not to be killed" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait nobody /bin/cat cat' >/etc/inetd.conf
chmod 775 /usr/sbin/inetd
start_inetd openbsd 79
batten 0 close finger --apply
says 'sent HUP to inetd'
all_closed 79
kill "$(pid_of_inetd)"
echo 'finger stream tcp nowait nobody /bin/cat cat' | tee /etc/other.conf >/etc/inetd.conf
/usr/sbin/inetd /etc/other.conf
wait_for answers 79
other=$(pgrep -x inetd)
batten 7 close finger --apply --wait 100ms
says "'79/tcp' .*held by process $other 'inetd'"
says "hint: it is a super-server that was not told, look at it first: ps -fp $other\$"
says_not "kill.* $other"
SCRIPT
}

@test "two super-servers that share a pid file are both told" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
first=$(pid_of_inetd)
/usr/sbin/inetd
another() { test "$(pid_of_inetd)" != $first && inetd_is_ready; }
wait_for another
second=$(pid_of_inetd)
driver 0 --reload --then 'true >/etc/inetd.conf' $(both now finger 79) $(both close finger 79)
says '^remark several-inetds: 2 super-servers run'
says "^signal HUP $first inetd done"
says "^signal HUP $second inetd done"
all_closed 79
SCRIPT
}

@test "an inetd that reads another file is left alone" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/other.conf
/usr/sbin/inetd /etc/other.conf
wait_for listens 4 tcp 79
: >/etc/inetd.conf
driver 0 --reload --then true
says "^remark other-config: process [0-9]+ 'inetd' is an inetd that reads '/etc/other.conf'"
says_not '^signal'
SCRIPT
}

@test "no super-server: closing is done, opening needs a start" {
    on_host openbsd,servers <<'SCRIPT'
: >/etc/inetd.conf
driver 0 --reload --then true $(both close finger 79)
says '^remark no-inetd: '
says '^proof closed finger ipv4 79/tcp ok'
says_not '^signal'
driver 7 --reload --then true $(both open finger 79)
says '^problem no-inetd: .* \| /etc/init.d/openbsd-inetd start'
SCRIPT
}

wait_child()
{
    on_host "$1,servers" <<SCRIPT
flavour=$1
families='$2'
$(cat <<'REST'
list() { for f in $families; do printf '%s:telnet,%s,tcp,*,23 ' $1 $f; done; }
echo 'telnet stream tcp wait root /bin/sleep sleep 300' >/etc/inetd.conf
echo 'finger stream tcp nowait root /bin/cat cat' >>/etc/inetd.conf
start_inetd $flavour 23 79
pid=$(pid_of_inetd)
exec 5<>/dev/tcp/127.0.0.1/23
child() { pgrep -P $pid -x sleep >/tmp/child; }
wait_for child
child=$(cat /tmp/child)
driver 7 --dialect $flavour --wait 500 --reload     --then "sed -i 's/^telnet/#telnet/' /etc/inetd.conf" $(list close)
says "^proof closed telnet ipv4 23/tcp NO -1 ms holder $child sleep"
says "^problem port-open: '23/tcp' \(telnet, ipv4\) is still open, held by process $child 'sleep'"
says "kill $child"
# The way back: the child keeps the port from being bound, and a second HUP is tried.
driver 7 --dialect $flavour --wait 1500 --reload     --then "sed -i 's/^#telnet/telnet/' /etc/inetd.conf" $(list open)
says "^proof open telnet ipv4 23/tcp NO"
says "^problem port-not-open: '23/tcp' \(telnet, ipv4\) did not open: process $child 'sleep' holds"
test $(grep -c "^signal HUP $pid" /tmp/out) -eq 2 || fail 'no second HUP'
exec 5>&-
kill $child
driver 0 --dialect $flavour --reload --then true $(list open)
says "^proof open telnet ipv4 23/tcp ok"
REST
)
SCRIPT
}

@test "openbsd: a wait child that keeps the port is named, on the way back too" {
    wait_child openbsd 'ipv4 ipv6'
}

@test "inetutils: a wait child that keeps the port is named, on the way back too" {
    wait_child inetutils ipv4
}

@test "busybox: a wait child that keeps the port is named, on the way back too" {
    test -n "${BATTEN_LONG-}" || skip 'only in a long run, it builds busybox'
    fetch_daemons busybox
    wait_child busybox ipv4
}

@test "openbsd: a second HUP where the first met its own old socket" {
    on_host openbsd,servers <<'SCRIPT'
echo 'telnet stream tcp4 nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 23
driver 0 --reload --then "sed -i 's/^/127.0.0.1:/' /etc/inetd.conf" now:telnet,ipv4,tcp,*,23 \
    close:telnet,ipv4,tcp,*,23 open:telnet,ipv4,tcp,127.0.0.1,23
says '^proof open telnet ipv4 23/tcp ok'
says '^proof closed telnet ipv4 23/tcp ok'
test $(grep -c '^signal HUP' /tmp/out) -eq 2 || fail 'no second HUP'
SCRIPT
}

@test "openbsd: a daemon that spins after the HUP is reported" {
    on_host openbsd,servers <<'SCRIPT'
echo 'telnet stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 23
pid=$(pid_of_inetd)
printf 'telnet stream tcp nowait root /bin/cat cat\n\n\tfinger stream tcp nowait root /bin/cat cat\n' \
    >/etc/new.conf
driver 7 --reload --wait 300 --then 'mv /etc/new.conf /etc/inetd.conf'
says "^problem inetd-spins: the super-server \(process $pid\) spins .* kill -KILL $pid"
kill -KILL $pid
SCRIPT
}

@test "openbsd: the child of an internal service is not taken for a super-server" {
    on_host openbsd,servers <<'SCRIPT'
echo 'chargen stream tcp nowait root internal' >/etc/inetd.conf
start_inetd openbsd 19
pid=$(pid_of_inetd)
exec 5<>/dev/tcp/127.0.0.1/19
two() { test $(pgrep -xc inetd) -eq 2; }
wait_for two
driver 7 --wait 300 --reload --then 'true >/etc/inetd.conf' $(both close chargen 19)
says_not several-inetds
says "^signal HUP $pid inetd done"
test $(grep -c ^signal /tmp/out) -eq 1 || fail 'a child was signalled'
# The child has every listening socket of its parent until its client leaves.
says "^problem port-open: '19/tcp' .* held by process $(pgrep -P $pid) 'inetd'"
exec 5>&-
one() { test $(pgrep -xc inetd) -eq 1; }
wait_for one
all_closed 19
SCRIPT
}

@test "inetutils: the services of inetd.d stay" {
    on_host inetutils,servers <<'SCRIPT'
mkdir -p /etc/inetd.d
echo 'telnet stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
echo 'pop3 stream tcp nowait root /bin/cat cat' >/etc/inetd.d/mail
start_inetd inetutils 23 110
driver 0 --dialect inetutils --reload --then 'true >/etc/inetd.conf' \
    now:telnet,ipv4,tcp,*,23 now:pop,ipv4,tcp,*,110 close:telnet,ipv4,tcp,*,23 \
    stay:pop,ipv4,tcp,*,110
says_not pending
all_open 110
all_closed 23
SCRIPT
}

@test "udp: one socket per family, each proved" {
    on_host openbsd,servers <<'SCRIPT'
echo 'tftp dgram udp wait root /usr/sbin/in.tftpd in.tftpd -s /srv' >/etc/inetd.conf
/usr/sbin/inetd
wait_for inetd_is_ready
wait_for listens 4 udp 69
list() { echo $1:tftp,ipv4,udp,*,69 $1:tftp,ipv46,udp,*,69; }
driver 0 $(list now)
says_not pending
driver 0 --reload --then 'true >/etc/inetd.conf' $(list close)
says '^proof closed tftp ipv46 69/udp ok'
refuse listens 4 udp 69
refuse listens 6 udp 69
SCRIPT
}

@test "an ordinary user learns what cannot be seen" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
setpriv --reuid 1000 --regid 1000 --clear-groups \
    "$BATTEN_BUILD/tests/live/follow_driver" --reload --then true $(both now finger 79) >/tmp/out
cat /tmp/out
says "^remark hidden: only root can see whether process $pid 'inetd'"
says_not pending
says_not '^signal'
SCRIPT
}

@test "an inetd whose package was upgraded is still told" {
    on_host openbsd,servers <<'SCRIPT'
echo 'finger stream tcp nowait root /bin/cat cat' >/etc/inetd.conf
start_inetd openbsd 79
pid=$(pid_of_inetd)
cp /usr/sbin/inetd /usr/sbin/inetd.dpkg-new
mv /usr/sbin/inetd.dpkg-new /usr/sbin/inetd
case $(readlink /proc/$pid/exe) in *'(deleted)') ;; *) fail 'not deleted' ;; esac
driver 0 --reload --then 'true >/etc/inetd.conf' $(both now finger 79) $(both close finger 79)
says "^signal HUP $pid inetd done"
all_closed 79
SCRIPT
}

@test "the working child of a wait entry makes nothing pending" {
    on_host openbsd,servers <<'SCRIPT'
echo 'telnet stream tcp wait root /bin/sleep sleep 300' >/etc/inetd.conf
start_inetd openbsd 23
exec 5<>/dev/tcp/127.0.0.1/23
child() { pgrep -x sleep; }
wait_for child
driver 0 $(both now telnet 23)
says_not pending
SCRIPT
}
