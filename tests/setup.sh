#!/bin/bash
# setup.sh - install what building and testing need and this machine has not got
#
#     tests/setup.sh GROUP...      build check demo lint fuzz bench valgrind
#
# Says what it installs, with apt-get and without asking. Fast and silent when nothing is missing.
# Never installs a network daemon. Leaves 1, with the command to run, when it may not install.
set -eu

# What has to be there, and the Debian package that brings it: a command, a library by its
# pkg-config name (lib:NAME), a header (inc:NAME) or a file (file:PATH).
needs_of()
{
    case $1 in
    build)
        cat <<'END'
cc gcc
make make
ar binutils
inc:stdio.h libc6-dev
pkg-config pkg-config
lib:augeas libaugeas-dev
lib:libgit2 libgit2-dev
lib:jansson libjansson-dev
lib:libmd libmd-dev
END
        ;;
    check)
        cat <<'END'
inc:cmocka.h libcmocka-dev
file:/etc/services netbase
augparse augeas-tools
bats bats
jq jq
strace strace
ip iproute2
ss iproute2
unshare util-linux
pgrep procps
patch patch
diff diffutils
git git
busybox busybox
setfattr attr
setfacl acl
chattr e2fsprogs
mkfs.ext4 e2fsprogs
tmux tmux
perl perl-base
python3 python3-minimal
mksh mksh
END
        ;;
    demo)
        cat <<'END'
ip iproute2
unshare util-linux
git git
END
        ;;
    lint)
        cat <<'END'
clang clang
clang-format clang-format
clang-tidy clang-tidy
cppcheck cppcheck
shellcheck shellcheck
mandoc mandoc
ctags universal-ctags
nm binutils
END
        ;;
    fuzz)
        cat <<'END'
clang clang
clang-fuzzer libclang-rt-dev
END
        ;;
    bench)
        cat <<'END'
git git
augtool augeas-tools
jq jq
python3 python3
unshare util-linux
END
        ;;
    valgrind) echo 'valgrind valgrind' ;;
    *)
        echo "setup.sh: unknown group '$1'" >&2
        exit 2
        ;;
    esac
}

include_dirs='/usr/include /usr/local/include'

is_there()
{
    local dir

    case $1 in
    lib:*) pkg-config --exists "${1#lib:}" 2>/dev/null ;;
    inc:*)
        for dir in $include_dirs; do
            test ! -e "$dir/${1#inc:}" || return 0
        done
        return 1
        ;;
    file:*) test -e "${1#file:}" ;;
    clang-fuzzer)
        set -- /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a
        test -e "$1"
        ;;
    *) command -v "$1" >/dev/null || test -x "/usr/sbin/$1" -o -x "/sbin/$1" ;;
    esac
}

missing_packages()
{
    local group need package

    for group in "$@"; do
        needs_of "$group"
    done | while read -r need package; do
        is_there "$need" || echo "$package"
    done | sort -u
}

apt()
{
    $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -qq -o DPkg::Lock::Timeout=120 \
        -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Package lists may be absent (a fresh image) or out of date: then the download fails once.
install_packages()
{
    if apt-get -s -qq install "$@" >/dev/null 2>&1 &&
        apt install -y --no-install-recommends "$@" >"$log" 2>&1; then
        return 0
    fi
    echo 'setup: reading the package lists (apt-get update)'
    apt update >"$log" 2>&1 || true
    apt install -y --no-install-recommends "$@" >"$log" 2>&1
}

main()
{
    local missing status=0

    mapfile -t missing < <(missing_packages "$@")
    test ${#missing[@]} -gt 0 || return 0
    as_root=
    if ! command -v apt-get >/dev/null; then
        echo "setup: missing: ${missing[*]} (names of Debian packages)" >&2
        return 1
    fi
    if test "$(id -u)" -ne 0; then
        as_root='sudo -n'
        if ! sudo -n true 2>/dev/null && ! { test -t 0 && as_root=sudo && sudo true; }; then
            echo "setup: missing: ${missing[*]}" >&2
            echo "hint: as root, run: apt-get install ${missing[*]}" >&2
            return 1
        fi
    fi
    echo "setup: installing ${missing[*]}"
    log=$(mktemp)
    install_packages "${missing[@]}" || status=1
    if test $status -ne 0; then
        cat "$log" >&2
        echo "setup: could not install ${missing[*]}" >&2
    fi
    rm -f "$log"
    mapfile -t missing < <(missing_packages "$@")
    if test ${#missing[@]} -gt 0 && test $status -eq 0; then
        echo "setup: still missing after the installation: ${missing[*]}" >&2
        status=1
    fi
    return $status
}

main "$@"
