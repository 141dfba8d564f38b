#!/usr/bin/env bats
# make install, make uninstall, the completion, the man pages.

load cli.bash

installs()
{
    test "$(dirname "$BATTEN")" = "$top/build" || skip "only the program in 'build' is installed"
    MAKEFLAGS='' make -s -C "$top" "$@"
}

@test "install, and uninstall leaves nothing" {
    installs install DESTDIR="$PWD/dest" PREFIX=/usr/local
    for file in sbin/batten share/batten/lenses/batten_inetd.aug share/man/man8/batten.8 \
        share/batten/profiles/jpcert-98-0004.profile share/bash-completion/completions/batten \
        share/batten/boot/rc.local lib/systemd/system/batten-recover.service; do
        test -f "dest/usr/local/$file"
    done
    grep -q '^ExecStart=/usr/local/sbin/batten recover --boot --no-stop$' \
        dest/usr/local/lib/systemd/system/batten-recover.service
    not grep -r '@' dest/usr/local/share/batten/boot
    test -z "$(find dest -type f -perm /022)"
    installs uninstall DESTDIR="$PWD/dest" PREFIX=/usr/local
    test -z "$(find dest -type f)"
}

@test "the rc.local line is good shell, and does nothing without batten" {
    sed 's|@SBINDIR@|/nonexistent|g' "$top/src/share/boot/rc.local" >rc.local
    sh -n rc.local
    sh -e rc.local
}

@test "every command and option is in the man page" {
    local word

    where=()
    batten 0 help
    sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' out.txt >words
    while read -r word; do
        grep -qE "^\.(Cm|It Cm) $word\\b" "$top/src/share/man/batten.8" || {
            echo "no command '$word' in batten.8"
            return 1
        }
        batten 0 help "$word"
        grep -oE '^ .* --[a-z-]+' out.txt | grep -oE -- '--[a-z-]+' | sed 's/^--//' >>options
    done <words
    batten 0 help
    grep -oE '^ .* --[a-z-]+' out.txt | grep -oE -- '--[a-z-]+' | sed 's/^--//' >>options
    test "$(wc -l <options)" -gt 20
    while read -r word; do
        grep -qE "^\.It Fl ([a-zA-Z] , )?-$word\\b" "$top/src/share/man/batten.8" || {
            echo "no option '--$word' in batten.8"
            return 1
        }
    done <options
}

@test "every status is in the man page" {
    local status

    for status in 0 1 2 3 4 5 6 7; do
        sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' "$top/src/share/man/batten.8" |
            grep -qx "\.It $status"
    done
}

# complete WORD... prints what the completion offers for the last of the words.
complete_words()
{
    # shellcheck disable=SC1090,SC1091
    source "$top/src/share/completion/batten"
    COMP_WORDS=("$BATTEN" "$@")
    COMP_CWORD=$#
    _batten
    printf '%s\n' "${COMPREPLY[@]}"
}

@test "completion" {
    host demo
    touch a-file
    complete_words a | grep -x audit
    complete_words rollback --se | grep -x -- --service
    complete_words audit --al | grep -x -- --all
    test "$(complete_words audit --apply)" = ''
    complete_words --profile j | grep -x jpcert-98-0004
    complete_words close fing | grep -x finger
    complete_words --color al | grep -x always
    complete_words --dialect net | grep -x netbsd
    complete_words --root h | grep -x host
    complete_words help ex | grep -x exit
    complete_words profile sh | grep -x show
}
