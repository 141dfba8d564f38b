# shellcheck shell=bash
# systemd.bash - boot the real systemd on the small host (sourced after inside.bash)
#
#     enable inetd                       # a unit to start at boot
#     boot <<'IN'                        # until the script has ended; again for another boot
#     ...bash, with inside.bash already read, set -eu, run once the boot is over...
#     IN
#
# systemd runs as pid 1 of pid, mount, ipc, uts and cgroup namespaces of its own, on a cgroup (v2)
# that is taken away at the end. /run and the kernel's boot id are new at each boot; everything else
# stays, as on a disk. What the script prints, and its status, are those of 'boot'.

hierarchy=/mnt/cgroup
boots=0

no_systemd()
{
    echo "skip: $*" >&2
    exit 77
}

leave_cgroup()
{
    local i

    echo $$ >"$hierarchy/cgroup.procs"
    for ((i = 0; i < 100; i++)); do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        test -d "$group" || return 0
        sleep 0.05
    done
}

make_bootable()
{
    test -x /usr/lib/systemd/systemd || no_systemd 'no systemd is unpacked'
    mkdir -p "$hierarchy"
    mount -t cgroup2 none "$hierarchy" 2>/dev/null || no_systemd 'this kernel has no cgroup v2'
    # What a run left behind that was killed.
    find "$hierarchy" -depth -path '*/batten-live.*' -type d -mmin +10 -exec rmdir {} + 2>/dev/null || true
    group=$hierarchy/batten-live.$(cut -c 1-8 /proc/sys/kernel/random/uuid)
    mkdir "$group" 2>/dev/null || no_systemd 'no cgroup of our own is to be had'
    trap leave_cgroup EXIT
    echo $$ >"$group/cgroup.procs"
    unshare -C true 2>/dev/null || no_systemd 'no cgroup namespace is to be had'
    tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
    for service in other login su; do
        printf '%s\n' 'auth sufficient pam_permit.so' 'account required pam_permit.so' \
            'session required pam_permit.so' 'session optional pam_systemd.so' \
            >"/etc/pam.d/$service"
    done
    grep -q '^messagebus:' /etc/passwd ||
        echo 'messagebus:x:106:106::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
    getent group messagebus >/dev/null || echo 'messagebus:x:106:' >>/etc/group
    mkdir -p /etc/systemd/system/multi-user.target.wants
    cat >/etc/systemd/system/live-script.service <<'UNIT'
[Unit]
Description=The script of the test
After=multi-user.target
SuccessAction=exit
FailureAction=exit

[Service]
Type=oneshot
ExecStart=/bin/bash -c '/bin/bash /root/script; echo $? >/root/status'
StandardOutput=append:/root/output
StandardError=append:/root/output
UNIT
}

# enable UNIT [TARGET]
enable()
{
    local wants=/etc/systemd/system/${2:-multi-user.target}.wants

    mkdir -p "$wants"
    ln -sf "/lib/systemd/system/$1" "$wants/$1"
}

init_command='set -e
mount -t proc proc /proc
cat /proc/sys/kernel/random/uuid >/root/boot_id
mount --bind /root/boot_id /proc/sys/kernel/random/boot_id
mount -t sysfs -o ro sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
umount /mnt/cgroup
mount -t tmpfs -o mode=755 run /run
mkdir /run/lock
exec env -i container=batten-live PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /usr/lib/systemd/systemd --unit=live.target --log-target=journal --show-status=0'

boot()
{
    boots=$((boots + 1))
    {
        echo 'set -eu; : >/root/came'
        echo "LIVE='$LIVE'; BATTEN='$BATTEN'; BATTEN_BUILD='$BATTEN_BUILD'"
        echo "source '$LIVE/inside.bash'"
        cat
    } >/root/script
    cat >/etc/systemd/system/live.target <<'UNIT'
[Unit]
Requires=multi-user.target
Wants=live-script.service
After=multi-user.target
UNIT
    rm -f /root/status /root/came
    : >/root/output
    timeout -s KILL 60 unshare -m -p -C -u -i --fork --kill-child bash -c "$init_command" </dev/null \
        >/root/console 2>&1 || true
    cat /root/output
    # A first boot that does not get there is this machine's affair.
    test -f /root/came || test $boots -gt 1 ||
        no_systemd "systemd does not come up in namespaces here: $(tail -n 1 /root/console)"
    test -f /root/status || fail "boot $boots did not come to its script: $(cat /root/console)"
    test "$(cat /root/status)" -eq 0 || fail "the script of boot $boots left $(cat /root/status)"
}

make_bootable
