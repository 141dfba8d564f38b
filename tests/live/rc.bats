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
batten 1 audit
batten 0 harden --profile jpcert-98-0004 --apply
refuse dig_works
refuse statd_is_up
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
batten 0 close named --apply
refuse dig_works
kill -0 $copy
kill -0 $liar
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
