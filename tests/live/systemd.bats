#!/usr/bin/env bats
# under the real systemd, booted in namespaces (systemd.bash): units, sockets, the timer, a reboot

load live.bash

setup_file()
{
    fetch_daemons systemd openbsd servers rpc dns
}

# on_systemd LAYERS: as on_host, with 'boot' to start systemd
on_systemd()
{
    {
        echo "LIVE='$LIVE'; BATTEN='$BATTEN'; BATTEN_BUILD='$BATTEN_BUILD'"
        echo "source '$LIVE/systemd.bash'"
        cat
    } | SECONDS_MOST=150 on_host "systemd,$1"
}

@test "inetd.service: one HUP, the unit stays, and back" {
    on_systemd openbsd,servers <<'SCRIPT'
cat >/etc/inetd.conf <<'CONF'
finger stream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.fingerd
telnet stream tcp nowait root /usr/sbin/tcpd /usr/sbin/telnetd
daytime stream tcp nowait root internal
CONF
cp /etc/inetd.conf /root/before
enable inetd.service
boot <<'IN'
systemctl is-active inetd
main() { systemctl show --property=MainPID,NRestarts,InvocationID inetd; }
main >/root/main
pid=$(sed -n 's/^MainPID=//p' /root/main)
finger_session
batten 1 audit
says "^medium +79/tcp +finger +on +inetd\[$pid\]"
strace -f -e trace=none -e signal=SIGHUP -o /root/strace -p $pid & tracer=$!
wait_for grep -q "^TracerPid:.$tracer" /proc/$pid/status
batten 0 harden --profile jpcert-98-0004 --apply
kill -INT $tracer; wait $tracer || true
test $(grep -c SIGHUP /root/strace) -eq 1 || fail "signals: $(cat /root/strace)"
all_closed 23 79
all_open 13
sleep 6 # longer than the watchdog waits
main | diff - /root/main
systemctl is-active inetd
all_closed 23 79
batten 0 rollback --yes
all_open 23 79 13
finger_session
main | diff - /root/main
IN
cmp /etc/inetd.conf /root/before
SCRIPT
}

@test "inetd.service is restarted as a unit where a HUP would drop RPC" {
    on_systemd openbsd,rpc,servers <<'SCRIPT'
rm -f /etc/init.d/tftpd-hpa /etc/init.d/nfs-common /etc/init.d/rpcbind
echo 'rstatd/1-3 dgram rpc/udp wait root /bin/cat cat' >/etc/inetd.conf
echo 'finger stream tcp nowait nobody /bin/cat cat' >>/etc/inetd.conf
enable rpcbind.socket sockets.target
enable rpcbind.service
enable inetd.service
boot <<'IN'
registered() { rpcinfo -p 127.0.0.1 | grep -q ' 100001 '; }
# Started before the port mapper: without registrations there is nothing to lose.
wait_for rpcbind_is_up
systemctl restart inetd
wait_for registered
was=$(systemctl show --property=MainPID --value inetd)
batten 0 close finger --apply
says 'restarted inetd'
test "$(systemctl show --property=MainPID --value inetd)" != "$was"
test "$(systemctl show --property=MainPID --value inetd)" = "$(pgrep -x inetd)"
registered
all_closed 79
batten 0 rollback --yes
registered
all_open 79
# Nobody there: what would help is the unit.
systemctl stop inetd
batten 0 close finger --apply
batten 7 rollback --yes
says 'hint: systemctl start openbsd-inetd'
systemctl start openbsd-inetd
all_open 79
IN
SCRIPT
}

@test "a look at the port mapper does not start it" {
    on_systemd dns,rpc,servers <<'SCRIPT'
rm -f /etc/init.d/*
make_named
printf '#!/bin/sh\n/usr/sbin/named -u bind\nexit 0\n' >/etc/rc.local
chmod 755 /etc/rc.local
enable rpcbind.socket sockets.target
boot <<'IN'
wait_for dig_works
listens 4 tcp 111
batten 0 close named --apply
batten 0 rollback --yes
refuse systemctl --quiet is-active rpcbind
refuse pgrep -x rpcbind
IN
SCRIPT
}

@test "named.service is stopped and started as the unit" {
    on_systemd dns,servers <<'SCRIPT'
rm -f /etc/init.d/*
printf '#!/bin/sh\n/usr/sbin/named -u bind\n' >/root/rc.local
make_named
enable named.service
rndc-confgen -a -u bind -c /etc/bind/rndc.key
boot <<'IN'
mkdir -p /run/named && chown bind /run/named
wait_for dig_works
cp /root/rc.local /etc/rc.local
chmod 755 /etc/rc.local
batten 0 close named --apply
refuse dig_works
refuse pgrep -x named
test "$(systemctl is-active named)" = inactive
test "$(systemctl show --property=Result named)" = Result=success
batten 0 rollback --yes
wait_for dig_works
systemctl is-active named
test "$(systemctl show --property=MainPID --value named)" = "$(pgrep -x named)"
IN
SCRIPT
}

@test "what rc.local started is stopped alone" {
    on_systemd dns,rpc,servers <<'SCRIPT'
rm -f /etc/init.d/*
mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak
chown -R statd /var/lib/nfs
make_named
cat >/etc/rc.local <<'RC'
#!/bin/sh
mkdir -p /run/named; chown bind /run/named
/usr/sbin/named -u bind
/sbin/rpcbind -w
/sbin/rpc.statd --no-notify
exit 0
RC
chmod 755 /etc/rc.local
boot <<'IN'
wait_for dig_works
wait_for statd_is_up
one_statd() { test "$(pgrep -cx rpc.statd)" = 1; }
wait_for one_statd
statd=$(pgrep -x rpc.statd)
grep -q /rc-local.service /proc/$(pgrep -x named)/cgroup
batten 0 close named --apply
refuse dig_works
test "$(pgrep -x rpc.statd)" = $statd
systemctl is-active rc-local
# Its unit is off: the boot does not start it that way, and neither does the way back.
batten 0 rollback --yes
wait_for dig_works
statd_is_up
test "$(tr '\0' ' ' </proc/$(pgrep -x named)/cmdline)" = '/usr/sbin/named -u bind '
refuse systemctl --quiet is-active named
systemctl --quiet mask named
batten 0 close named --apply
refuse dig_works
batten 0 rollback --yes
wait_for dig_works
IN
SCRIPT
}

@test "rpcbind.socket is stopped with its service, alone, and back" {
    on_systemd rpc,servers <<'SCRIPT'
rm -f /etc/init.d/*
printf '#!/bin/sh\n/sbin/rpcbind -w\nexit 0\n' >/root/rc.local
mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak
chown -R statd /var/lib/nfs
enable rpcbind.socket sockets.target
enable rpcbind.service
boot <<'IN'
cp /root/rc.local /etc/rc.local
chmod 755 /etc/rc.local
rpcbind_is_up
systemctl start rpc-statd # requires the socket
one_statd() { test "$(pgrep -cx rpc.statd)" = 1; }
wait_for one_statd # not while it still leaves its terminal
statd=$(pgrep -x rpc.statd)
batten 0 audit
says "111/tcp +portmap .* rpcbind\[$(pgrep -x rpcbind)\]"
batten 0 close portmap --apply
refuse rpcbind_is_up
sleep 0.2
all_closed 111
refuse pgrep -x rpcbind
refuse systemctl --quiet is-active rpcbind rpcbind.socket
test "$(pgrep -x rpc.statd)" = $statd
batten 0 rollback --yes
wait_for rpcbind_is_up
systemctl --quiet is-active rpcbind rpcbind.socket
test "$(pgrep -x rpc.statd)" = $statd
# A socket of another name is not batten's to know: said, and never "kill 1".
systemctl stop rpcbind.socket rpcbind
printf '[Socket]\nListenStream=0.0.0.0:111\nAccept=yes\n' >/run/systemd/system/odd.socket
printf '[Service]\nExecStart=/bin/cat\n' >/run/systemd/system/odd@.service
systemctl daemon-reload
systemctl start odd.socket
batten 7 close portmap --apply --wait 300ms
says '111/tcp.*held by process 1 .systemd'
says 'hint: systemctl list-sockets'
says_not 'kill'
IN
SCRIPT
}

@test "a daemon of a sandboxed unit is left alone, and its unit named" {
    on_systemd dns,servers <<'SCRIPT'
rm -f /etc/init.d/*
make_named
mkdir -p /etc/systemd/system/named.service.d
printf '[Service]\nPrivateTmp=yes\n' >/etc/systemd/system/named.service.d/private.conf
printf '#!/bin/sh\n/usr/sbin/named -u bind\n' >/root/rc.local
enable named.service
boot <<'IN'
wait_for dig_works
cp /root/rc.local /etc/rc.local
chmod 755 /etc/rc.local
batten 7 close named --apply --wait 300ms
says 'hint: systemctl stop named.service'
dig_works
IN
SCRIPT
}

@test "the timer lives in a unit of its own and outlives the session" {
    on_systemd openbsd,dns,servers <<'SCRIPT'
rm -f /etc/init.d/tftpd-hpa /etc/init.d/named /lib/systemd/system/named.service
cat >/etc/inetd.conf <<'CONF'
finger stream tcp nowait nobody /bin/cat cat
daytime stream tcp nowait root internal
CONF
printf '#!/bin/sh\n/usr/sbin/named -u bind\nexit 0\n' >/etc/rc.local
chmod 755 /etc/rc.local
make_named
printf '[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n' >/etc/systemd/logind.conf
enable inetd.service
boot <<'IN'
wait_for dig_works
cp /etc/inetd.conf /root/before
su root -c "$BATTEN close finger named --apply --confirm-within 20s; echo applied; exec sleep 60" >/root/said 2>&1 &
wait_for grep -q '^applied' /root/said
grep -q 'a reboot will not undo this change' /root/said
all_closed 79
refuse dig_works
session=$(loginctl --no-legend list-sessions | awk '{ print $1; exit }')
watcher=$(pgrep -f "$BATTEN watch")
grep -qE '^0::/system.slice/run-[^/]*.service$' /proc/$watcher/cgroup
loginctl terminate-session $session
no_session() { test -z "$(loginctl --no-legend list-sessions)"; }
wait_for no_session
refuse pgrep -x sleep
kill -0 $watcher
all_closed 79
for ((i = 0; i < 25; i++)); do
    ! cmp -s /etc/inetd.conf /root/before || break
    sleep 1
done
cmp /etc/inetd.conf /root/before
wait_for answers 79
gone() { ! kill -0 $watcher 2>/dev/null; }
wait_for gone
sleep 0.3
# What the watcher started is not ended with its unit.
wait_for dig_works
test -z "$(systemctl --no-legend --state=failed list-units 'run-*')"
journalctl -b --no-pager -t batten | grep -q 'rollback: change 2: roll back change 1'
IN
SCRIPT
}

@test "after a reboot an unconfirmed change is undone before the services start" {
    on_systemd openbsd,dns,servers <<'SCRIPT'
rm -f /etc/init.d/tftpd-hpa /etc/init.d/named
cat >/etc/inetd.conf <<'CONF'
finger stream tcp nowait nobody /bin/cat cat
daytime stream tcp nowait root internal
CONF
make_named
rndc-confgen -a -u bind -c /etc/bind/rndc.key
cat >/etc/rc.local <<'RC'
#!/bin/sh
mkdir -p /run/named; chown bind /run/named
/usr/sbin/named -u bind
exit 0
RC
chmod 755 /etc/rc.local
cp /etc/inetd.conf /root/before
cp /etc/rc.local /root/rc.before
sed "s|@SBINDIR@|$(dirname "$BATTEN")|" "$TOP/src/share/boot/batten-recover.service" \
    >/lib/systemd/system/batten-recover.service
enable inetd.service
enable batten-recover.service sysinit.target
boot <<'IN'
wait_for dig_works
batten 0 close finger named --apply --confirm-within 5m
says_not 'a reboot will not undo'
refuse dig_works
all_closed 79
IN
boot <<'IN'
systemctl show --property=Result,ExecMainStatus,ActiveState batten-recover
cmp /etc/inetd.conf /root/before
cmp /etc/rc.local /root/rc.before
all_open 79
wait_for dig_works
when() { systemctl show --property="$2" --value "$1"; }
undone=$(when batten-recover ExecMainExitTimestampMonotonic)
began=$(when batten-recover ExecMainStartTimestampMonotonic)
for unit in inetd rc-local; do
    started=$(when $unit InactiveExitTimestampMonotonic)
    test $started -gt $undone || fail "$unit started at $started, undone at $undone"
done
test $((undone - began)) -lt 2000000 || fail "the boot waited $((undone - began)) us"
test "$(when batten-recover Result) $(when batten-recover ExecMainStatus)" = 'success 5'
# By syslog, before anything else of the boot listens to it.
journalctl -b --no-pager -t batten | grep -q 'rollback: change 2: roll back change 1'
batten 0 status
says_not 'waits|recover'
IN
boot <<'IN'
cmp /etc/inetd.conf /root/before
test "$(systemctl show --property=ExecMainStatus --value batten-recover)" = 0
IN
SCRIPT
}

@test "the line for rc.local undoes what rc.local itself starts" {
    on_systemd openbsd,dns,servers <<'SCRIPT'
rm -f /etc/init.d/tftpd-hpa /etc/init.d/named
make_named
{
    echo '#!/bin/sh'
    sed "s|@SBINDIR@|$(dirname "$BATTEN")|g" "$TOP/src/share/boot/rc.local"
    echo 'mkdir -p /run/named; chown bind /run/named'
    echo '/usr/sbin/named -u bind'
    echo 'exit 0'
} >/etc/rc.local
chmod 755 /etc/rc.local
cp /etc/rc.local /root/before
boot <<'IN'
wait_for dig_works
batten 0 close named --apply --confirm-within 5m
says_not 'a reboot will not undo'
refuse dig_works
refuse cmp -s /etc/rc.local /root/before
IN
boot <<'IN'
cmp /etc/rc.local /root/before
wait_for dig_works
IN
SCRIPT
}
