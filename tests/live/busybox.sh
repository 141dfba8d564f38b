#!/bin/bash
# busybox.sh - build a busybox that has an inetd, below build/daemons
#
#     tests/live/busybox.sh DEST
#
# Debian's own busybox has none, so its source package is downloaded (with package lists of our own,
# nothing of the system's is touched) and built with inetd, telnetd and nothing else. Makes
# DEST/busybox/usr/sbin/inetd and DEST/busybox.ready. Called by fetch.sh.
set -eu

dest=$1
work=$dest/busybox-source

say()
{
    printf 'busybox: %s\n' "$*" >&2
}

# The system's own Debian archives, as sources of source packages.
write_apt()
{
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg options=''

    test ! -f $keys || options=" [signed-by=$keys]"
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' | sort -u |
        awk -v o="$options" '$1 == "Debian" && $4 == "main" { print "deb-src" o, $2, $3, $4 }' \
            >"$work/sources.list"
    test -s "$work/sources.list" || { say 'no Debian archive among the package sources'; return 1; }
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    cat >"$work/apt.conf" <<END
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "root";
END
}

download()
{
    say 'downloading the source package'
    APT_CONFIG=$work/apt.conf timeout 300 apt-get -qq update >/dev/null 2>&1 &&
        (cd "$work" && APT_CONFIG=$work/apt.conf timeout 300 \
            apt-get -qq source --download-only busybox >/dev/null 2>&1)
}

build()
{
    local option

    mkdir -p "$work/tree"
    tar -xf "$work"/busybox_*.orig.tar.* -C "$work/tree" --strip-components=1
    cd "$work/tree"
    make allnoconfig
    for option in INETD FEATURE_INETD_SUPPORT_BUILTIN_{ECHO,DISCARD,TIME,DAYTIME,CHARGEN} \
        TELNETD FEATURE_IPV6 PIDFILE FEATURE_PIDFILE LONG_OPTS FEATURE_SYSLOG; do
        sed -i "s/^# CONFIG_$option is not set\$/CONFIG_$option=y/" .config
    done
    make oldconfig </dev/null
    make -j2
}

mkdir -p "$work"
write_apt
compgen -G "$work/busybox_*.orig.tar.*" >/dev/null || download || {
    say 'cannot download the source package of busybox'
    exit 1
}
say 'building'
(build) >"$work/log" 2>&1 || { say "cannot build it, see $work/log"; exit 1; }
rm -rf "$dest/busybox"
mkdir -p "$dest/busybox/usr/sbin" "$dest/busybox/usr/bin"
cp "$work/tree/busybox" "$dest/busybox/usr/sbin/busybox-inetd"
ln -s busybox-inetd "$dest/busybox/usr/sbin/inetd"
echo busybox >"$dest/busybox.ready"
say 'ready'
