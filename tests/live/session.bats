#!/usr/bin/env bats
# the lock-out guard, one kind of evidence at a time

load live.bash

setup_file()
{
    fetch_daemons openbsd servers
}

# guarded: a host with telnet, rlogin, ssh and finger from inetd, and what the tests below use
guarded='cat >/etc/inetd.conf <<"CONF"
telnet stream tcp nowait root /bin/cat cat
login stream tcp nowait root /bin/cat cat
ssh stream tcp nowait root /bin/cat cat
finger stream tcp nowait root /bin/cat cat
CONF
start_inetd openbsd 23 513 22 79
cp /etc/inetd.conf /tmp/before

# utmp_entry LINE PID HOST: one more record of somebody logged in
utmp_entry()
{
    perl -e "print pack(q(s x2 l a32 a4 a32 a256 x20 x32), 7, @ARGV[1], @ARGV[0], q(), q(root), @ARGV[2])" \
        "$@" >>/run/utmp
}

# on_terminal COMMAND...: on a pseudo-terminal, whose parents hold no connection
on_terminal()
{
    SHELL=/bin/bash script -qec "$*" /dev/null </dev/null >/tmp/said 2>&1 || true
    cat /tmp/said
}

refused()
{
    grep -q "this session came in over" /tmp/said || fail "not refused"
    cmp /etc/inetd.conf /tmp/before
}'

@test "utmp alone: any login service may be the way in" {
    on_host openbsd,servers <<SCRIPT
$guarded
$(cat <<'REST'
test "$(perl -e 'print length pack(q(s x2 l a32 a4 a32 a256 x20 x32), 0, 0, "", "", "", "")')" = 384 || {
    echo 'skip: no utmp records of 384 bytes here'
    exit 77
}
cat >/root/remote <<'SH'
utmp_entry "$(tty | sed 's,/dev/,,')" $$ 198.51.100.7
"$BATTEN" close $1 --apply
echo "left $?"
SH
export BATTEN
export -f utmp_entry
for service in telnet login ssh; do
    : >/run/utmp
    on_terminal bash /root/remote $service
    refused
    grep -q 'left 3' /tmp/said
done
: >/run/utmp
on_terminal bash /root/remote finger
grep -q 'left 0' /tmp/said
REST
)
SCRIPT
}

@test "utmp: a made-up entry of the terminal hides nothing, a local one is no way in" {
    on_host openbsd,servers <<SCRIPT
$guarded
$(cat <<'REST'
# Somebody's process, with a connection of its own that has nothing to do with the session.
perl -MSocket -e 'socket(L, PF_INET, SOCK_STREAM, 0); bind(L, sockaddr_in(5555, INADDR_LOOPBACK));
    listen(L, 1); socket(C, PF_INET, SOCK_STREAM, 0); connect(C, sockaddr_in(5555, INADDR_LOOPBACK));
    accept(S, L); sleep' &
other=$!
wait_for answers 5555
cat >/root/remote <<'SH'
line=$(tty | sed 's,/dev/,,')
utmp_entry $line $1 203.0.113.9
utmp_entry $line $$ 198.51.100.7
"$BATTEN" close telnet --apply
echo "left $?"
SH
cat >/root/local <<'SH'
line=$(tty | sed 's,/dev/,,')
utmp_entry $line $$ :0
utmp_entry pts/77 $$ 198.51.100.7
"$BATTEN" close telnet --apply
echo "left $?"
SH
export BATTEN
export -f utmp_entry
: >/run/utmp
on_terminal bash /root/remote $other
refused
: >/run/utmp
on_terminal bash /root/local
grep -q 'left 0' /tmp/said
REST
)
SCRIPT
}

@test "a utmp that is torn, or none, stops nobody and harms nobody" {
    on_host openbsd,servers <<SCRIPT
$guarded
$(cat <<'REST'
head -c 100000 /dev/urandom >/run/utmp
on_terminal "$BATTEN" close telnet --apply
all_closed 23
head -c 7 /dev/zero >/run/utmp
on_terminal "$BATTEN" close login --apply
all_closed 513
rm /run/utmp
on_terminal "$BATTEN" close ssh --apply
all_closed 22
REST
)
SCRIPT
}

@test "SSH_CONNECTION" {
    on_host openbsd,servers <<SCRIPT
$guarded
$(cat <<'REST'
export SSH_CONNECTION='198.51.100.7 40000 192.0.2.1 22'
batten 3 close ssh --apply
says "this session came in over 'ssh' \(22/tcp\)"
cmp /etc/inetd.conf /tmp/before
batten 0 close telnet --apply
REST
)
SCRIPT
}

@test "the connection of a parent, also above the client of a multiplexer" {
    on_host openbsd,servers <<SCRIPT
$guarded
$(cat <<'REST'
batten 0 close telnet --apply
cp /etc/inetd.conf /tmp/before
cat >/root/client <<'PERL'
use Socket;
socket(C, PF_INET, SOCK_STREAM, 0);
connect(C, sockaddr_in(513, INADDR_LOOPBACK)) or die;
sleep 60;
PERL
# The server's side is what counts: the child of inetd.
cat >/usr/local/bin/shelld <<'SH'
#!/bin/bash
"$BATTEN" close login --apply >/tmp/said 2>&1 </dev/null
echo "left $?" >>/tmp/said
SH
sed -i "s|\"\$BATTEN\"|$BATTEN|" /usr/local/bin/shelld
chmod 755 /usr/local/bin/shelld
sed -i 's|^login .*|login stream tcp nowait root /usr/local/bin/shelld shelld|' /etc/inetd.conf
cp /etc/inetd.conf /tmp/before
kill -HUP "$(pid_of_inetd)"
sleep 0.3
perl /root/client & client=$!
wait_for grep -qs '^left' /tmp/said
cat /tmp/said
refused
grep -q 'left 3' /tmp/said
kill $client
# A multiplexer's server is nobody's child; its client sits in the session.
rm /tmp/said
cat >/usr/local/bin/shelld <<'SH'
#!/bin/bash
perl -e '$0 = "tmux: client"; sleep 60'
SH
perl /root/client &
tmux_client() { grep -qsx 'tmux: client' /proc/[0-9]*/comm; }
wait_for tmux_client
cat >/root/server <<PERL
\$0 = "tmux: server";
system("$BATTEN close login --apply >/tmp/said 2>&1 </dev/null; echo left \\\$? >>/tmp/said");
PERL
setsid perl /root/server &
wait_for grep -qs '^left' /tmp/said
cat /tmp/said
refused
grep -q 'left 3' /tmp/said
REST
)
SCRIPT
}

@test "the timer runs although the program's file was replaced" {
    on_host openbsd,servers <<SCRIPT
$guarded
TOP='$TOP'
$(cat <<'REST'
mkdir -p /root/tree/build
cp -r "$TOP/lenses" /root/tree/
cp "$BATTEN" /root/tree/build/batten
exec 9</root/tree/build/batten
rm /root/tree/build/batten
/proc/self/fd/9 close finger --apply --confirm-within 2s
all_closed 79
wait_for answers 79
cmp /etc/inetd.conf /tmp/before
REST
)
SCRIPT
}
