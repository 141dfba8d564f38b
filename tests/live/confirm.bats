#!/usr/bin/env bats
# The confirm timer, with the real openbsd-inetd: each way it can end, by the bytes and by the port.

load live.bash

setup_file()
{
    fetch_daemons openbsd servers
}

# timed SCRIPT on standard input: telnet and finger are open, what the script needs is defined
timed()
{
    on_host openbsd,servers <<SCRIPT
$(cat <<'REST'
{
    echo 'telnet stream tcp nowait root /bin/cat cat'
    echo 'finger stream tcp nowait nobody /bin/cat cat'
} >/etc/inetd.conf
start_inetd openbsd 23 79
cp -p /etc/inetd.conf /tmp/before
: >/tmp/syslog
perl -MSocket -e 'unlink "/dev/log"; socket(S, PF_UNIX, SOCK_DGRAM, 0);
    bind(S, sockaddr_un("/dev/log")) or die "bind: $!"; chmod 0666, "/dev/log";
    open(L, ">>/tmp/syslog"); L->autoflush(1); use IO::Handle;
    while (defined recv(S, $b, 4096, 0)) { $b =~ s/\0//g; print L "$b\n" } ' &
wait_for test -S /dev/log
closed_now() { ! listens 4 tcp 23; }
# closed by change 1, which waits
waits() {
    all_closed 23
    all_open 79
    grep -q '^#telnet' /etc/inetd.conf || fail 'the line is not commented out'
    test -s /var/lib/batten/deadline || fail 'nothing waits'
}
# bytes and port are as before, and nothing waits
undone() {
    wait_for listens 4 tcp 23
    wait_for listens 6 tcp 23
    wait_for test ! -e /var/lib/batten/deadline
    cmp /etc/inetd.conf /tmp/before
    all_open 23 79
}
kept() {
    test ! -e /var/lib/batten/deadline || fail 'it still waits'
    sleep ${1:-2.5}
    all_closed 23
    grep -q '^#telnet' /etc/inetd.conf
}
token() { sed -n 's/^token //p' /var/lib/batten/deadline; }
watcher() { pgrep -f '^[^ ]*batten watch'; }
no_watcher() { ! watcher >/dev/null; }
logged() { wait_for grep -qE -- "$1" /tmp/syslog; }
REST
)
$(cat)
SCRIPT
}

@test "time-out: undone, and told to syslog" {
    timed <<'SCRIPT'
batten 0 close telnet --apply --confirm-within 2s
says '^keep +batten confirm [a-z]{6} '
says "a reboot will not undo this change"
waits
undone
batten 0 log
says 'roll back change 1: telnet [(]not confirmed in time[)]'
batten 0 status
logged 'batten.*apply: change 1'
logged 'batten.*change 1 is undone: not confirmed in time'
batten 5 confirm abcdef
says 'too late: change 1'
SCRIPT
}

@test "SIGHUP to the session" {
    timed <<'SCRIPT'
setsid bash -c 'echo $$ >/tmp/session
    "$0" close telnet --apply --confirm-within 3s >/tmp/out 2>&1 </dev/null
    touch /tmp/applied; sleep 60; :' "$BATTEN" &
wait_for test -e /tmp/applied
leader=$(cat /tmp/session)
waits
kill -HUP -- -$leader
sleep 0.3
waits
refuse kill -0 $leader
undone
SCRIPT
}

@test "kill of the terminal" {
    timed <<'SCRIPT'
script -qfc "$BATTEN close telnet --apply --confirm-within 3s" /tmp/typescript </dev/zero >/dev/null &
pid=$!
wait_for grep -q 'unless confirmed' /tmp/typescript
waits
kill -KILL $pid
sleep 0.3
waits
undone
SCRIPT
}

@test "the health check fails, hangs, floods, leaves children, is missing" {
    timed <<'SCRIPT'
batten 5 close telnet --apply --probe /bin/false ';'
says 'the probe failed'
undone
logged 'batten.*change 1 is undone: the probe failed'
batten 5 close telnet --apply --confirm-within 5m --probe /bin/false ';'
undone
"$BATTEN" --json close telnet --apply --probe /bin/false ';' >/tmp/json 2>/dev/null || test $? -eq 5
jq -se 'length == 1 and .[0].undone == true and .[0].attention[0].code == "probe-failed"' /tmp/json
undone
printf '#!/bin/sh\nyes flood\nyes flood >&2\n' >/tmp/flood
printf '#!/bin/sh\nsleep 77 & sleep 77 & wait\n' >/tmp/hang
chmod 755 /tmp/flood /tmp/hang
batten 5 close telnet --apply --probe /tmp/flood ';' &
batten_pid=$!
wait $batten_pid
says 'longer than 10000 ms'
test $(wc -c </tmp/out) -lt 2000
undone
batten 5 close telnet --apply --probe /tmp/hang ';'
refuse pgrep -x sleep -a
undone
n=$("$BATTEN" --json log | jq '.changes | length')
batten 3 close telnet --apply --probe /nonexistent ';'
says "the probe '/nonexistent' cannot be run"
batten 3 close telnet --apply --probe /tmp ';'
batten 2 close telnet --apply --probe true ';'
says 'not an absolute path'
undone
test $("$BATTEN" --json log | jq '.changes | length') -eq $n
batten 0 close telnet --apply --probe /bin/sh -c 'test "$1" = "a;b"' sh 'a;b' ';'
kept 0
# kept by somebody while the probe still runs: then it is kept, whatever is late
batten 0 rollback --yes
printf '#!/bin/sh\nsleep 2\n' >/tmp/slow
chmod 755 /tmp/slow
batten 0 close telnet --apply --probe /tmp/slow ';' &
wait_for test -e /var/lib/batten/deadline
wait_for pgrep -f /tmp/slow
"$BATTEN" confirm "$(sed -n 's/^token //p' /var/lib/batten/deadline)"
wait $!
grep -q '^#telnet' /etc/inetd.conf
SCRIPT
}

# Both outlive an exec: agents and traps leave them so.
@test "SIGCHLD ignored and signals blocked by the caller change nothing" {
    timed <<'SCRIPT'
cat >/tmp/caller <<'PERL'
use POSIX;
$SIG{CHLD} = "IGNORE";
sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM, SIGCHLD, SIGALRM)) or die;
exec @ARGV or die;
PERL
real=$BATTEN
printf '#!/bin/sh\nexec perl /tmp/caller %s "$@"\n' "$real" >/tmp/called
chmod 755 /tmp/called
BATTEN=/tmp/called
batten 5 close telnet --apply --probe /bin/false ';'
says 'the probe failed'
undone
"$BATTEN" close telnet --apply --probe /bin/sleep 5 ';' >/tmp/said 2>&1 </dev/null &
pid=$!
wait_for pgrep -P $pid -x sleep
grep -qE '^SigBlk:[[:space:]]+0+$' /proc/$pid/status || fail 'signals are blocked'
kill -TERM $pid
status=0
wait $pid || status=$?
test $status -eq 143 || fail "left $status at TERM"
SCRIPT
}

@test "confirm from a second session" {
    timed <<'SCRIPT'
batten 0 close telnet --apply --confirm-within 30s
waits
batten 2 confirm
batten 3 confirm nottok
says 'not the token of change 1'
waits
setsid -w "$BATTEN" confirm "$(token)" >/tmp/out 2>&1 </dev/null
says 'change 1 is kept'
gone() { ! watcher; }
wait_for gone
kept
logged 'batten.*confirm: change 1 is kept'
batten 3 confirm abcdef
says 'no change waits'
SCRIPT
}

@test "another boot id: undone by recover --boot, or by the next command" {
    timed <<'SCRIPT'
new_boot() {
    kill -KILL $(watcher)
    uuidgen >/tmp/boot_id 2>/dev/null || sed 's/^./&/; y/0123456789abcdef/123456789abcdef0/' \
        /proc/sys/kernel/random/boot_id >/tmp/boot_id
    mount --bind /tmp/boot_id /proc/sys/kernel/random/boot_id
}
batten 0 close telnet --apply --confirm-within 10m
waits
new_boot
batten 6 status
says 'not confirmed in time, and is not undone yet'
batten 5 recover --boot
says 'change 1 is undone: not confirmed before the reboot'
undone
batten 0 recover --boot
umount /proc/sys/kernel/random/boot_id
batten 0 close telnet --apply --confirm-within 10m
waits
token=$(token)
new_boot
batten 5 confirm $token
says 'change 3 is undone'
undone
SCRIPT
}

@test "the watcher is killed: status says so, the next command has it watched again" {
    timed <<'SCRIPT'
batten 0 close telnet --apply --confirm-within 8s
waits
batten 0 status
kill -KILL $(watcher)
wait_for no_watcher
batten 7 status
says 'nobody watches its timer any more'
"$BATTEN" --json status >/tmp/json || test $? -eq 7
jq -e '.waiting == 1 and .watched == false' /tmp/json
batten 0 recover
says 'watched again'
batten 0 status
waits
undone
SCRIPT
}

@test "the deadline passes while nobody watches, as in a long sleep" {
    unshare -T --boottime 5 true 2>/dev/null || skip 'no time namespaces here'
    timed <<'SCRIPT'
batten 0 close finger --apply
batten 0 close telnet --apply --confirm-within 10m
all_closed 23 79
kill -KILL $(watcher)
later() { local want=$1 status=0; shift
    unshare -T --boottime 700 "$BATTEN" "$@" >/tmp/out 2>&1 </dev/null || status=$?
    cat /tmp/out; test $status -eq $want || fail "status $status"; }
later 6 status
# Only what waited goes back: the older change was not meant.
later 5 rollback
says 'change 2 is undone: not confirmed in time'
all_open 23
all_closed 79
grep -q '^#finger' /etc/inetd.conf
test ! -e /var/lib/batten/deadline
SCRIPT
}

@test "one at a time; a rollback decides; what somebody else edited stays" {
    timed <<'SCRIPT'
batten 0 close telnet --apply --confirm-within 10m
waits
batten 3 close finger --apply
says 'change 1 still waits'
batten 3 close finger --apply --confirm-within 5s
batten 0 rollback --all
undone
gone() { ! watcher; }
wait_for gone
batten 0 close telnet finger --apply --confirm-within 3s
all_closed 23 79
{
    echo '# a remark of the admin'
    sed 's/^#finger.*/#finger is no more/' /etc/inetd.conf
} >/tmp/new
cat /tmp/new >/etc/inetd.conf
wait_for listens 4 tcp 23
wait_for test ! -e /var/lib/batten/deadline
printf '# a remark of the admin\ntelnet stream tcp nowait root /bin/cat cat\n#finger is no more\n' |
    cmp - /etc/inetd.conf
logged 'change 3 is undone: not confirmed in time; 1 of its edits is left'
SCRIPT
}

@test "no room for the timer: nothing is changed" {
    timed <<'SCRIPT'
mkdir -p /var/lib/batten
chmod 700 /var/lib/batten
mount -t tmpfs -o size=64k,mode=700 state /var/lib/batten
batten 0 status
head -c 64k /dev/zero >/var/lib/batten/answers || true
batten 4 close telnet --apply --confirm-within 3s
cmp /etc/inetd.conf /tmp/before
all_open 23 79
refuse watcher
SCRIPT
}

@test "no watcher can be started: nothing is changed" {
    type strace >/dev/null || skip "no strace here"
    timed <<'SCRIPT'
cat >/tmp/alone <<END
#!/bin/sh
# under a tracer there is no leak check
export ASAN_OPTIONS=\$ASAN_OPTIONS:detect_leaks=0
exec strace -f -qq -o /dev/null -P /proc/self/exe \
    -e trace=execve -e inject=execve:error=EACCES "$BATTEN" "\$@"
END
chmod 755 /tmp/alone
BATTEN=/tmp/alone
batten 4 close telnet --apply --confirm-within 3s
says 'did not start'
cmp /etc/inetd.conf /tmp/before
all_open 23 79
test ! -e /var/lib/batten/deadline
SCRIPT
}

@test "the boot hook is known" {
    timed <<'SCRIPT'
printf '#!/bin/sh\n# batten recover --boot\n' >/etc/rc.local
batten 0 close telnet --apply --confirm-within 10m
says 'a reboot will not undo'
batten 0 rollback
printf '#!/bin/sh\ntest ! -x /sbin/batten || /sbin/batten recover --boot || :\n' >/etc/rc.local
"$BATTEN" --json close telnet --apply --confirm-within 10m >/tmp/json 2>/tmp/out
jq -e '.reboot_undoes == true and (.token | length) == 6' /tmp/json
says_not 'a reboot will not undo'
batten 0 rollback
undone
SCRIPT
}

@test "confirm at the last moment: kept or undone, never both" {
    timed <<'SCRIPT'
for i in 1 2 3 4 5 6; do
    batten 0 close telnet --apply --confirm-within 1s
    token=$(token)
    sleep 0.$((80 + i * 3))
    status=0
    "$BATTEN" confirm $token >/tmp/out 2>&1 || status=$?
    cat /tmp/out
    wait_for test ! -e /var/lib/batten/deadline
    case $status in
    0)  all_closed 23
        batten 0 rollback ;;
    5)  ;;
    *)  fail "status $status" ;;
    esac
    undone
done
SCRIPT
}
