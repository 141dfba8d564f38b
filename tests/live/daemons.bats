#!/usr/bin/env bats
# stopping and starting daemons of their own: the real named, rpc.statd and rpcbind, by follow_driver

load live.bash

setup_file()
{
    fetch_daemons servers rpc dns
}

@test "named is stopped and started again" {
    on_host servers,dns <<'SCRIPT'
start_named
dig_works
driver 0 --then true stop:named,/usr/sbin/named close:named,ipv4,tcp,*,53,daemon \
    close:named,ipv6,tcp,*,53,daemon close:named,ipv4,udp,*,53,daemon
says '^signal TERM [0-9]+ named done'
says '^proof closed named ipv4 53/tcp ok'
says '^proof closed named ipv6 53/tcp ok'
says '^proof closed named ipv4 953/tcp ok'
refuse pgrep -x named
refuse dig_works
driver 0 --then true start:named,/usr/sbin/named,-u,bind open:named,ipv4,tcp,*,53,daemon \
    open:named,ipv6,tcp,*,53,daemon
says '^signal start 0 named done'
dig_works
# Stopping what does not run, starting what runs: nothing to do.
driver 0 --then true start:named,/usr/sbin/named,-u,bind
says_not '^signal'
pkill -x named
wait_for no_named
driver 0 --then true stop:named,named
says_not '^signal'
SCRIPT
}

@test "named in a chroot of its own options is found by its executable" {
    on_host servers,dns <<'SCRIPT'
mkdir -p /var/lib/named/etc /var/lib/named/var/cache /var/lib/named/run/named
mkdir -p /var/lib/named/usr/share/dns /var/lib/named/dev
cp -a /etc/bind /var/lib/named/etc/
cp -a /usr/share/dns/. /var/lib/named/usr/share/dns/
cp -a /var/cache/bind /var/lib/named/var/cache/
chown -R bind /var/lib/named/run/named /var/lib/named/var/cache
/usr/sbin/named -u bind -t /var/lib/named
wait_for dig_works
# Its root is its own chroot, so it is not ours to stop, and it is said that the port stays open.
driver 7 --wait 300 --then true stop:named,/usr/sbin/named close:named,ipv4,tcp,*,53,daemon
says '^proof closed named ipv4 53/tcp NO -1 ms holder [0-9]+ named'
says_not '^signal'
SCRIPT
}

@test "rpc.statd and rpcbind: stopped last, started first" {
    on_host servers,rpc <<'SCRIPT'
start_rpcbind
start_statd
driver 0 --then true stop:statd,rpc.statd stop:portmap,rpcbind \
    close:portmap,ipv4,tcp,*,111,daemon
grep ^signal /tmp/out | awk '{ print $4 }' | tr '\n' ' ' >/tmp/order
test "$(cat /tmp/order)" = 'rpc.statd rpcbind ' || fail "stopped in the order $(cat /tmp/order)"
says '^proof closed portmap ipv4 111/tcp ok'
test $(grep -c '^proof closed statd .* ok' /tmp/out) -ge 4 || fail 'statd has more sockets'
refuse pgrep -x rpc.statd
refuse rpcbind_is_up
driver 0 --then true start:statd,/sbin/rpc.statd start:portmap,/sbin/rpcbind,-w \
    open:portmap,ipv4,tcp,*,111,daemon
says '^signal start 0 rpcbind done'
wait_for statd_is_up
SCRIPT
}

@test "statd alone: its registrations go with it" {
    on_host servers,rpc <<'SCRIPT'
start_rpcbind
start_statd
driver 0 --then true stop:statd,/sbin/rpc.statd
refuse statd_is_up
rpcbind_is_up
says_not rpc-stale
# One that was killed before leaves its registrations behind: not our doing, not our word.
start_statd
driver 0 --then true stop:statd,/sbin/rpc.statd
SCRIPT
}

@test "statd that does not sign off is reported" {
    on_host servers,rpc <<'SCRIPT'
start_rpcbind
start_statd
pid=$(pgrep -x rpc.statd)
# Something registered beside it for a port it listens on, which it does not know of.
port=$(ss -lnupH | awk '/rpc.statd/ && /0.0.0.0:/ && !/127/ { sub(/.*:/, "", $4); print $4; exit }')
perl -e '
    use Socket;
    socket(S, PF_INET, SOCK_DGRAM, 0);
    bind(S, sockaddr_in(700, INADDR_LOOPBACK));
    connect(S, sockaddr_in(111, INADDR_LOOPBACK));
    send(S, pack("N*", 7, 0, 2, 100000, 2, 1, 0, 0, 0, 0, 100099, 1, 17, $ARGV[0]), 0);
    recv(S, $r, 100, 0);' "$port"
rpcinfo -p 127.0.0.1 | grep -q 100099 || fail 'could not register'
driver 7 --then true stop:statd,/sbin/rpc.statd
says '^problem rpc-stale: RPC program 100099 version 1 .* \| rpcinfo -d 100099 1'
SCRIPT
}

@test "statd where the port mapper cannot be asked, and what has nothing to do with it" {
    on_host servers,rpc,dns <<'SCRIPT'
start_rpcbind
start_statd
start_named
flood_rpcbind
driver 0 --then true stop:named,/usr/sbin/named close:named,ipv4,tcp,*,53,daemon
driver 7 --then true stop:statd,/sbin/rpc.statd
says '^problem rpc-unknown: the port mapper runs and could not be asked before: .* \| rpcinfo -p$'
refuse pgrep -x rpc.statd
SCRIPT
}

@test "what only calls itself named is not stopped" {
    on_host servers,dns <<'SCRIPT'
cp /usr/bin/sleep /tmp/named
/tmp/named 300 &
copy=$!
cp /usr/bin/sleep /usr/sbin/mynamed
(exec -a named /usr/sbin/mynamed 300) &
liar=$!
cp /usr/bin/sleep /usr/local/sbin/named
chmod 777 /usr/local/sbin/named
/usr/local/sbin/named 300 &
writable=$!
cp /usr/bin/sleep /usr/sbin/userd
setpriv --reuid 1000 --regid 1000 --clear-groups /usr/sbin/userd 300 &
users=$!
start_named
real=$(pgrep -u bind -x named)
driver 0 --then true stop:named,named stop:user,userd
says "^signal TERM $real named done"
test $(grep -c ^signal /tmp/out) -eq 1 || fail 'more than one was stopped'
kill -0 $copy && kill -0 $liar && kill -0 $writable && kill -0 $users
SCRIPT
}

@test "a daemon of another namespace is not stopped" {
    on_host servers,dns <<'SCRIPT'
make_named
unshare -n -m -p --fork --kill-child sh -c 'ip link set lo up; /usr/sbin/named -u bind -f' &
inner() { pgrep -x named >/tmp/inner; }
wait_for inner
driver 0 --then true stop:named,/usr/sbin/named
says_not '^signal'
kill -0 $(cat /tmp/inner)
SCRIPT
}

@test "a daemon that ignores TERM is reported" {
    on_host servers <<'SCRIPT'
cp "$(command -v perl)" /usr/sbin/deafd
/usr/sbin/deafd -e '$SIG{TERM} = "IGNORE"; sleep' &
sleep 0.3
driver 7 --wait 300 --then true stop:deaf,/usr/sbin/deafd
says "^problem still-running: process $! 'deafd' does not end on TERM \| kill -KILL $!"
kill -KILL $!
SCRIPT
}

@test "what cannot be started is printed" {
    on_host servers <<'SCRIPT'
driver 7 --then true start:named,/usr/sbin/no-such-named
says "^problem start-by-hand: '/usr/sbin/no-such-named' \(named\) has to be started by hand"
driver 7 --then true 'start:named,no-such-named,-c,/etc/a b;id'
says "^problem start-by-hand: .* \| no-such-named -c '/etc/a b;id'\$"
cp /usr/bin/sleep /usr/sbin/openwide
chmod 777 /usr/sbin/openwide
driver 7 --then true start:wide,/usr/sbin/openwide,60
says '^problem start-failed: .* nobody else may write'
refuse pgrep openwide
cp /usr/bin/false /usr/sbin/failing
driver 7 --then true start:fails,/usr/sbin/failing,-x
says "^problem start-failed: '/usr/sbin/failing' ended with status 1"
SCRIPT
}

@test "a started daemon inherits nothing" {
    on_host servers <<'SCRIPT'
cp /usr/bin/sleep /usr/sbin/plaind
exec 7</etc/passwd
SECRET=1 driver 0 --wait 1000 --then true start:plain,/usr/sbin/plaind,300
pid=$(pgrep plaind)
tr '\0' '\n' </proc/$pid/environ | sort | tr '\n' ' ' >/tmp/env
test "$(cat /tmp/env)" = 'LANG=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ' ||
    fail "environment: $(cat /tmp/env)"
test "$(ls /proc/$pid/fd | tr '\n' ' ')" = '0 1 2 ' || fail 'descriptors are open'
test "$(readlink /proc/$pid/fd/1)" = /dev/null
test "$(readlink /proc/$pid/cwd)" = /
kill $pid
SCRIPT
}

@test "under systemd a daemon is started by its unit, if that is on" {
    on_host servers <<'SCRIPT'
mkdir -p /run/systemd/system /etc/systemd/system
cp /usr/bin/sleep /usr/sbin/unitd
: >/etc/systemd/system/unitd.service
cat >/usr/bin/systemctl.new <<'SH'
#!/bin/sh
case $1 in
is-enabled) cat /tmp/state ;;
start) echo "$*" >>/tmp/systemctl; /usr/sbin/unitd 300 & ;;
show) echo "TriggeredBy=unitd.socket other.timer" ;;
esac
SH
chmod 755 /usr/bin/systemctl.new
mv /usr/bin/systemctl.new /usr/bin/systemctl
no_unitd() { ! pgrep -x unitd >/dev/null; }
end_it() { pkill -x unitd; wait_for no_unitd; }
echo enabled >/tmp/state
driver 0 --then true start:unit,/usr/sbin/unitd,301
says '^signal start 0 unitd done'
test "$(cat /tmp/systemctl)" = 'start unitd.socket unitd.service' || fail "$(cat /tmp/systemctl)"
end_it
# Else by the command, and where there is none by the unit after all.
for state in disabled masked static 'enabled disabled'; do
    echo $state >/tmp/state
    rm /tmp/systemctl
    driver 0 --then true start:unit,/usr/sbin/unitd,301
    refuse test -e /tmp/systemctl
    pgrep -xf '/usr/sbin/unitd 301'
    end_it
    : >/tmp/systemctl
done
SCRIPT
}

@test "of two copies only the one that holds the planned port is stopped" {
    on_host servers <<'SCRIPT'
cp "$(command -v perl)" /usr/sbin/portd
portd()
{
    /usr/sbin/portd -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0);
        bind(S, sockaddr_in($ARGV[0], INADDR_ANY)); listen(S, 5); sleep' "$1" &
    wait_for listens 4 tcp "$1"
}
portd 53
real=$!
portd 5353
other=$!
/usr/sbin/portd -e sleep &
queue=$!
driver 7 --then true stop:port,/usr/sbin/portd close:port,ipv4,tcp,*,53,daemon
says "^signal TERM $real portd done"
says "^problem not-stopped: process $other 'portd' .* holds no socket .* \| .*kill $other"
test $(grep -c ^signal /tmp/out) -eq 1 || fail 'more than one was stopped'
kill -0 $other && kill -0 $queue
# Alone, too, and one that holds none at all.
driver 7 --then true stop:port,/usr/sbin/portd close:port,ipv4,tcp,*,53,daemon
says "^problem not-stopped: process $other"
says_not '^signal'
kill $other
wait $other || true
driver 7 --then true stop:port,/usr/sbin/portd close:port,ipv4,tcp,*,53,daemon
says "^problem not-stopped: process $queue"
says_not '^signal'
kill -0 $queue
SCRIPT
}

@test "a daemon whose master does not listen itself is stopped" {
    on_host servers <<'SCRIPT'
cp "$(command -v perl)" /usr/sbin/twod
/usr/sbin/twod -e 'use Socket; if (!fork) {
    socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(5454, INADDR_ANY)); listen(S, 5);
    $p = getppid; sleep 1 while getppid == $p; exit } sleep' &
wait_for listens 4 tcp 5454
driver 0 --then true stop:two,/usr/sbin/twod close:two,ipv4,tcp,*,5454,daemon
says "^signal TERM $! twod done"
SCRIPT
}

@test "a systemd service is stopped only if it is the daemon's own" {
    on_host servers,dns <<'SCRIPT'
mkdir -p /run/systemd/system
cat >/usr/bin/systemctl <<'REST'
#!/bin/bash
echo "$*" >>/tmp/asked
case $1 in
show) echo "MainPID=$(cat /tmp/main)" ;;
stop) exec pkill -x named ;;
*) exit 1 ;;
esac
REST
chmod 755 /usr/bin/systemctl
# in_unit UNIT: a named in that service's cgroup
in_unit()
{
    start_named
    pid=$(pgrep -x named)
    echo "0::/system.slice/$1" >/tmp/cgroup
    mount --bind /tmp/cgroup /proc/$pid/cgroup
    : >/tmp/asked
}
stop='stop:named,/usr/sbin/named close:named,ipv4,tcp,*,53,daemon'
echo 1 >/tmp/main
in_unit rc-local.service
driver 0 --then true $stop
says "^signal TERM $pid named done"
refuse grep -q stop /tmp/asked
grep -q 'show --property=MainPID rc-local.service' /tmp/asked
in_unit named.service
driver 0 --then true $stop
grep -qx 'stop named.service' /tmp/asked
in_unit dns.service
echo $pid >/tmp/main
driver 0 --then true $stop
grep -qx 'stop dns.service' /tmp/asked
SCRIPT
}

# What a keeper starts again has other sockets than those that closed.
@test "a daemon that runs again is said, although its old sockets are closed" {
    on_host servers,rpc,dns <<'SCRIPT'
start_rpcbind
mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak
chown -R statd /var/lib/nfs
(while :; do /sbin/rpc.statd --no-notify -F; sleep 0.3; done) &
keeper=$!
wait_for statd_is_up
driver 7 --then true stop:statd,/sbin/rpc.statd
now=$(pgrep -x rpc.statd)
says "^problem started-again: '/sbin/rpc.statd' \(statd\) runs again: process $now .* \| its parent .*ps -fp $keeper\$"
says "^proof closed statd ipv4 -1/udp NO -1 ms holder $now rpc.statd"
says_not '^proof closed statd .* ok'
kill $keeper
make_named
(while :; do /usr/sbin/named -u bind -f; sleep 0.3; done) &
keeper=$!
wait_for dig_works
driver 7 --wait 300 --then true stop:named,/usr/sbin/named close:named,ipv4,tcp,*,53,daemon
says "^problem started-again: .* \| its parent .*ps -fp $keeper\$"
says "^proof closed named ipv4 953/tcp NO -1 ms holder [0-9]+ named"
says_not '^proof closed named .* ok'
kill $keeper
# The one that was left alone is none that runs again, nor what it starts.
cp "$(command -v perl)" /usr/sbin/portd
/usr/sbin/portd -e 'use Socket; socket(S, PF_INET, SOCK_STREAM, 0);
    bind(S, sockaddr_in(5353, INADDR_ANY)); listen(S, 5); sleep' &
wait_for listens 4 tcp 5353
/usr/sbin/portd -e 'while (1) { if (!fork) { sleep 1; exit } sleep 1 }' &
driver 0 --then true stop:port,/usr/sbin/portd close:port,ipv4,tcp,*,5353,daemon
says '^proof closed port ipv4 5353/tcp ok'
says_not started-again
SCRIPT
}

@test "systemd is asked once about who holds many sockets" {
    on_host servers,dns <<'SCRIPT'
mkdir -p /run/systemd/system
printf '#!/bin/sh\necho "$*" >>/tmp/asked\necho MainPID=1\n' >/usr/bin/systemctl.new
chmod 755 /usr/bin/systemctl.new
mv /usr/bin/systemctl.new /usr/bin/systemctl
start_named
pid=$(pgrep -x named)
echo '0::/system.slice/other.service' >/tmp/cgroup
mount --bind /tmp/cgroup /proc/$pid/cgroup
driver 7 --reload --wait 100 --then true close:named,ipv4,tcp,*,53,daemon \
    close:named,ipv6,tcp,*,53,daemon close:named,ipv4,udp,*,53,daemon
test $(grep -c "^problem port-open: .* kill $pid\$" /tmp/out) -eq 3
test $(grep -c show /tmp/asked) -eq 1 || fail "$(cat /tmp/asked)"
SCRIPT
}
