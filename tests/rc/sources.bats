#!/usr/bin/env bats
# Every file that start commands are read from, each with one of its own.

places='etc/rc etc/rc.local etc/rc.net etc/rc.d/rc.inet2 etc/netstart etc/init.d/rcS etc/rc.d/rcS
    etc/rc.tcpip etc/rc.nfs etc/netlinkrc opt/start opt/second etc/sourced etc/deep opt/named-by-hand'

setup()
{
    local place

    root=$BATS_TEST_TMPDIR/root
    mkdir -p "$root"/{opt,etc/{rc.d,init.d}}
    for place in $places; do
        echo "/usr/sbin/named -c /$place" >"$root/$place"
    done
    echo ". /etc/sourced" >>"$root/etc/rc"
    echo "D=/etc; . \$D/deep" >>"$root/etc/sourced"
    cat >"$root/etc/inittab" <<'E'
id:2:initdefault:
net::wait:/bin/sh /opt/start net >/dev/console
l2:2:respawn:/opt/second
1:2:respawn:/sbin/getty 9600 tty1
E
    printf 'case "$1" in\nstart)\n\tnamed\n\t;;\nesac\n' >"$root/etc/init.d/named"
    printf '. /etc/rc.subr\nname=inetd\ncommand=/usr/sbin/inetd\nrun_rc_command "$1"\n' \
        >"$root/etc/rc.d/inetd"
}

@test "each place is read, and what it starts is commented out" {
    local place

    run "$BATTEN" --root "$root" --history none --profile jpcert-98-0004 \
        --rc /opt/named-by-hand --apply
    test "$status" -eq 7 # the init script
    for place in $places; do
        echo "$place"
        grep -q "^#/usr/sbin/named -c /$place" "$root/$place"
    done
}

@test "init scripts and rc.d scripts are reported and left" {
    local before

    before=$(cat "$root/etc/init.d/named" "$root/etc/rc.d/inetd")
    run "$BATTEN" --root "$root" --history none close named inetd --apply
    test "$status" -eq 7
    [[ $output = *"etc/init.d/named:3: named: it is an init script"* ]]
    [[ $output = *"etc/rc.d/inetd:3: inetd: it is an init script"* ]]
    test "$(cat "$root/etc/init.d/named" "$root/etc/rc.d/inetd")" = "$before"
}

@test "a script sourced outside the root, or not there, is no error" {
    printf '. /../../etc/passwd\n. /etc/none\nnamed\n' >"$root/etc/rc"
    run "$BATTEN" audit --root "$root"
    test "$status" -eq 1
    [[ $output = *" etc/rc:3 "* ]]
}
