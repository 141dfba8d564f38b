#!/bin/bash
# fetch.sh - unpack the network daemons that the live tests run below build/daemons
#
#     tests/live/fetch.sh [GROUP...]        all groups but 'dovecot', 'busybox' and 'systemd' when none is named
#
# Nothing is installed: packages are downloaded with apt-get download and unpacked with dpkg -x.
# What is there already is kept, so a second run needs no network. Groups are unpacked apart, one
# directory each, because the super-servers replace one another; ns.sh lays the wanted ones over
# the system below. Leaves 0 when every group asked for is there, 77 when one cannot be had (the
# reason is printed), so that a caller can skip.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
dest=${BATTEN_DAEMONS:-$top/build/daemons}
updated=

# Super-servers and loggers are never wanted by way of a dependency.
unwanted='^(openbsd-inetd|inetutils-inetd|xinetd|rlinetd|inetutils-syslogd|rsyslog|cron|adduser)$'

say()
{
    printf 'fetch: %s\n' "$*" >&2
}

packages_of()
{
    case $1 in
    openbsd) echo openbsd-inetd ;;
    inetutils) echo inetutils-inetd ;;
    xinetd) echo xinetd ;;
    servers)
        echo inetutils-telnetd inetutils-telnet fingerd finger mailutils-imap4d mailutils-pop3d \
            tcpd inetutils-ftpd tftpd-hpa update-inetd netbase
        ;;
    rpc) echo rpcbind nfs-common ;;
    dns) echo bind9 bind9-dnsutils ;;
    systemd) echo systemd systemd-sysv dbus dbus-daemon libpam-systemd ;;
    dovecot) echo dovecot-core dovecot-imapd dovecot-pop3d ;;
    busybox) ;; # built, see busybox.sh
    *)
        say "unknown group '$1' (openbsd inetutils xinetd servers rpc dns systemd dovecot busybox)"
        exit 2
        ;;
    esac
}

update_lists()
{
    test -z "$updated" || return 1
    updated=yes
    say 'reading the package lists (apt-get update)'
    timeout 300 apt-get -qq update >/dev/null 2>&1
}

# The packages themselves and whatever they need that this system has not got.
closure_of()
{
    {
        apt-get -s -o Debug::NoLocking=1 install --no-install-recommends "$@" 2>/dev/null |
            awk '$1 == "Inst" { print $2 }' | grep -Ev "$unwanted" || true
        printf '%s\n' "$@"
    } | sort -u
}

have()
{
    local deb

    for deb in "$dest/debs/$1"_*.deb; do
        test -f "$deb" && return 0
    done
    return 1
}

# Downloads go through a directory of their own: an interrupted one leaves no half package behind.
download()
{
    local pkg
    local missing=()

    for pkg; do
        have "$pkg" || missing+=("$pkg")
    done
    test ${#missing[@]} -gt 0 || return 0
    say "downloading ${missing[*]}"
    rm -rf "$dest/debs/part"
    mkdir "$dest/debs/part"
    (cd "$dest/debs/part" && timeout 300 apt-get -qq download "${missing[@]}" >/dev/null 2>&1) ||
        return 1
    mv "$dest"/debs/part/*.deb "$dest/debs/"
}

# A directory with the links of a merged /usr, so that old paths in a package land where they
# belong.
new_tree()
{
    local d

    mkdir -p "$1/usr"
    for d in bin sbin lib lib64; do
        mkdir -p "$1/usr/$d"
        test -e "$1/$d" || ln -s "usr/$d" "$1/$d"
    done
}

unpack()
{
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink -p -f -
}

fetch_group()
{
    local group=$1 tree=$dest/$1 pkg tool
    local wanted names

    if test -f "$tree.ready"; then
        return 0
    fi
    if test "$group" = busybox; then
        "$top/tests/live/busybox.sh" "$dest"
        return
    fi
    for tool in apt-get apt-cache dpkg-deb tar; do
        command -v $tool >/dev/null || { say "no $tool here, cannot fetch '$group'"; return 1; }
    done
    read -ra wanted <<<"$(packages_of "$group")"
    mapfile -t names < <(closure_of "${wanted[@]}")
    download "${names[@]}" || { update_lists && download "${names[@]}"; } || {
        say "cannot download '$group' (no network, or not in this system's package lists)"
        return 1
    }
    rm -rf "$tree.new"
    new_tree "$tree.new"
    for pkg in "${names[@]}"; do
        unpack "$dest/debs/$pkg"_*.deb "$tree.new" || { say "cannot unpack '$pkg'"; return 1; }
    done
    rm -rf "$tree"
    mv "$tree.new" "$tree"
    printf '%s\n' "${names[@]}" >"$tree.ready"
    say "$group is ready: ${#names[@]} packages"
}

test $# -gt 0 || set -- openbsd inetutils xinetd servers rpc dns
for group in "$@"; do
    packages_of "$group" >/dev/null
done
mkdir -p "$dest/debs"
exec 9>"$dest/lock"
flock 9
status=0
for group in "$@"; do
    fetch_group "$group" || status=77
done
exit $status
