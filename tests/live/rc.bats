#!/usr/bin/env bats
# rc scripts on a live host: the real named, rpc.statd and rpcbind, started by an rc.local

load live.bash

setup_file()
{
    fetch_daemons servers rpc dns
}

# A host of the old kind: daemons come from rc.local alone.
rc_host='rm -f /etc/init.d/named /etc/init.d/nfs-common /etc/init.d/rpcbind /etc/init.d/tftpd-hpa
rm -f /etc/inetd.conf
make_named
mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak
chown -R statd /var/lib/nfs
cat >/etc/rc.local <<"RC"
#!/bin/sh
# local daemons
PATH=/usr/sbin:/usr/bin:/sbin:/bin

/sbin/rpcbind -w
if [ -x /sbin/rpc.statd ]; then
	echo -n " statd"
	/sbin/rpc.statd --no-notify
fi
if [ -f /etc/bind/named.conf ]; then
	echo -n " named"
	/usr/sbin/named -u bind
fi
touch /run/rc.local.done
exit 0
RC
chmod 755 /etc/rc.local
cp /etc/rc.local /tmp/before
stat -c "%a %u %g" /etc/rc.local >/tmp/meta
/etc/rc.local
wait_for dig_works
wait_for statd_is_up'

@test "named and statd: stopped, not started again, and back" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
registered() { rpcinfo -p 127.0.0.1 | grep -q " 100024 .* $1 "; }
registered udp && registered tcp
batten 1 audit
batten 0 harden --profile jpcert-98-0004 --apply
for family in ipv4 ipv6; do
    says "named +$family 53/tcp closed after"
    says "named +$family 53/udp closed after"
    says "statd +$family [0-9]+/tcp closed after"
    says "statd +$family [0-9]+/udp closed after"
done
refuse dig_works
refuse statd_is_up
refuse registered udp
refuse registered tcp
rpcbind_is_up
refuse pgrep -x named
refuse pgrep -x rpc.statd
rm /run/rc.local.done
/etc/rc.local
test -e /run/rc.local.done
sleep 0.3
refuse pgrep -x named
refuse pgrep -x rpc.statd
refuse dig_works
batten 0 rollback --yes
cmp /etc/rc.local /tmp/before
stat -c '%a %u %g' /etc/rc.local | cmp - /tmp/meta
wait_for dig_works
wait_for statd_is_up
registered udp && registered tcp
for family in 4 6; do
    listens $family tcp 53
    listens $family udp 53
done
REST
)
SCRIPT
}

@test "killed daemons leave pid files and registrations: neither misleads" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
kill -KILL $(pgrep -x named) $(pgrep -x rpc.statd)
wait_for no_named
test -s /run/named/named.pid
test -s /run/rpc.statd.pid
rpcinfo -p 127.0.0.1 | grep -q ' 100024 '
# Somebody else's now.
sleep 300 & innocent=$!
echo $innocent >/run/named/named.pid
echo $innocent >/run/rpc.statd.pid
batten 0 close named statd --apply
kill -0 $innocent
says_not 'stopped'
batten 0 rollback --yes
wait_for dig_works
wait_for statd_is_up
kill -0 $innocent
batten 0 close named statd --apply
kill -0 $innocent
refuse dig_works
refuse statd_is_up
REST
)
SCRIPT
}

@test "a daemon that something starts again is still open, and by whom" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
pkill -x named
wait_for no_named
(while :; do /usr/sbin/named -u bind -f; sleep 0.7; done) &
keeper=$!
wait_for dig_works
was=$(pgrep -x named)
batten 7 close named --apply
says "named +ipv4 53/tcp still open, held by named\["
says "hint: its parent has started it again, see to that first: ps -fp $keeper\$"
wait_for dig_works
test "$(pgrep -x named)" != "$was"
kill $keeper
REST
)
SCRIPT
}

@test "on a terminal nothing is called closed that a keeper opens again" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
pkill -x named
wait_for no_named
(while :; do /usr/sbin/named -u bind -f; sleep 0.5; done) &
keeper=$!
wait_for dig_works
script -qec "$BATTEN close named --apply --wait 3s" /dev/null </dev/null >/tmp/out 2>&1 || true
cat /tmp/out
says 'stopped named\['
says 'named +ipv4 53/tcp still open, held by named\['
says_not 'named .*closed'
says "runs again"
kill $keeper
REST
)
SCRIPT
}

@test "a daemon that ignores TERM is named, and stays" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
pkill -x named
wait_for no_named
kill -STOP $(pgrep -x rpc.statd)
batten 7 close statd --apply --wait 300ms
says "process $(pgrep -x rpc.statd) 'rpc.statd' does not end on TERM"
says "hint: kill -KILL $(pgrep -x rpc.statd)"
kill -CONT $(pgrep -x rpc.statd)
REST
)
SCRIPT
}

@test "named in a chroot of its own is left alone, and named" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
pkill -x named
wait_for no_named
mkdir -p /var/lib/named/etc /var/lib/named/var/cache /var/lib/named/run/named
mkdir -p /var/lib/named/usr/share/dns /var/lib/named/dev
cp -a /etc/bind /var/lib/named/etc/
cp -a /usr/share/dns/. /var/lib/named/usr/share/dns/
cp -a /var/cache/bind /var/lib/named/var/cache/
chown -R bind /var/lib/named/run/named /var/lib/named/var/cache
/usr/sbin/named -u bind -t /var/lib/named
wait_for dig_works
batten 7 close named --apply --wait 300ms
says "53/tcp.* is still open, held by process $(pgrep -x named) 'named'"
dig_works
REST
)
SCRIPT
}

@test "rpcbind too: stopped last, started first" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
batten 0 close portmap statd --apply
refuse rpcbind_is_up
dig_works
batten 0 rollback --yes
wait_for statd_is_up
REST
)
SCRIPT
}

@test "with --no-stop the daemons run on" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
batten 0 close named --apply --no-stop
dig_works
grep -q '^[[:space:]]*#.*/usr/sbin/named' /etc/rc.local
batten 0 rollback --yes --no-stop
cmp /etc/rc.local /tmp/before
REST
)
SCRIPT
}

@test "what only calls itself named is not stopped" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
cp /usr/bin/sleep /tmp/named
/tmp/named 300 &
copy=$!
(exec -a /usr/sbin/named /usr/bin/sleep 300) &
liar=$!
# By what it says of itself it is the very thing: comm and all of argv.
perl -e '$0 = "/usr/sbin/named -u bind"; sleep 300' &
renamed=$!
perl -e 'open C, ">", "/proc/self/comm"; print C "named"; close C; sleep 300' &
comm=$!
# The very program, elsewhere, and in its place but run by somebody else, in other namespaces, in
# another root: without a port of its own, so that only who it is can tell.
cp /usr/sbin/named /usr/local/sbin/named
mkdir /tmp/conf /tmp/jail
cat >/tmp/conf/named.conf <<'CONF'
options { directory "/tmp/conf"; listen-on { 127.0.0.1; }; listen-on-v6 { none; };
    pid-file none; session-keyfile none; dnssec-validation no; };
controls { };
CONF
chmod 777 /tmp/conf
chmod 644 /tmp/conf/named.conf
/usr/local/sbin/named -f -p 5301 -c /tmp/conf/named.conf &
elsewhere=$!
setpriv --reuid 1000 --regid 1000 --clear-groups /usr/sbin/named -f -p 5302 -c /tmp/conf/named.conf &
users=$!
unshare -n /usr/sbin/named -f -p 5303 -c /tmp/conf/named.conf &
network=$!
unshare -m /usr/sbin/named -f -p 5304 -c /tmp/conf/named.conf &
mounts=$!
mount --bind / /tmp/jail
mount --bind /usr /tmp/jail/usr
chroot /tmp/jail /usr/sbin/named -f -p 5305 -c /tmp/conf/named.conf &
jailed=$!
sleep 0.5
for pid in $copy $liar $renamed $comm $elsewhere $users $network $mounts $jailed; do
    kill -0 $pid || fail "$pid has not come up"
done
for pid in $copy $renamed $comm $elsewhere $users $network $mounts $jailed; do
    test "$(cat /proc/$pid/comm | cut -c 1-5)" = named || test $pid = $renamed ||
        fail "$pid is called $(cat /proc/$pid/comm)"
done
batten 0 close named --apply
refuse dig_works
test $(grep -c stopped /tmp/out) -eq 1 || fail 'more than one was stopped'
for pid in $copy $liar $renamed $comm $elsewhere $users $network $mounts $jailed; do
    kill -0 $pid
done
REST
)
SCRIPT
}

@test "a named that somebody else runs keeps the port, and is named" {
    on_host servers,rpc,dns <<SCRIPT
$rc_host
$(cat <<'REST'
pkill -x named
wait_for no_named
cp /usr/sbin/named /usr/local/bin/dnsd
/usr/local/bin/dnsd -u bind
wait_for dig_works
other=$(pgrep -x dnsd)
batten 7 close named --apply --wait 300ms
says "dnsd"
kill -0 $other
REST
)
SCRIPT
}
