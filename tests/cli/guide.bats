#!/usr/bin/env bats
# The guide on a pseudo-terminal, over images of one made-up host.

load terminal

ended=

setup()
{
    BATTEN=${BATTEN:-$PWD/build/batten}
    fixtures=$PWD/fixtures/guide
    cd "$BATS_TEST_TMPDIR" || return
    cp -r "$fixtures" host
    export SOURCE_DATE_EPOCH=1795082400 TZ=UTC
    export LC_ALL=C.UTF-8
    unset NO_COLOR
}

teardown()
{
    term_stop
}

guide()
{
    local size=()

    while test "${1-}" = -x || test "${1-}" = -y || test "${1-}" = -t; do
        size+=("$1" "$2")
        shift 2
    done
    term_start "${size[@]}" "$BATTEN" --root host --color never "$@"
    term_asks 'Enter starts'
}

# Through the pages of the last screen to its question.
to_the_end()
{
    local i

    for ((i = 0; i < 10; i++)); do
        term_asks '-- more|^apply|^nothing to apply'
        term_screen | sed '/^ *$/d' | tail -n 1 | grep -q -- '-- more' || return 0
        term_keys Space
        sleep 0.3
    done
    return 1
}

unchanged()
{
    cmp host/etc/inetd.conf "$fixtures/etc/inetd.conf"
}

@test "the first screen says what there is, and q leaves" {
    guide
    term_golden guide-pty-first
    term_keys q
    term_ended
    test "$ended" -eq 0
    unchanged
    test ! -e host/var/lib/batten
}

@test "each finding is shown, back doors first" {
    guide
    term_keys Enter
    term_asks 'close ingreslock'
    term_golden guide-pty-backdoor
    term_keys y
    term_asks 'close telnet'
    term_golden guide-pty-telnet
    term_keys q
    term_ended
    test "$ended" -eq 0
    unchanged
}

@test "200x60 and a resize: the next question has the new width" {
    guide -x 200 -y 60
    term_golden guide-pty-first-200
    term_keys Enter
    term_asks 'close ingreslock'
    mux resize-window -x 50 -y 30
    sleep 0.2
    term_keys g
    term_wait 'number:'
    term_keys 2 Enter
    term_asks 'close telnet.*keys'
    test "$(term_screen | awk '{ if (length($0) > w) w = length($0) } END { print w }')" -le 50
    term_keys q
    term_ended
    test "$ended" -eq 0
}

@test "keys: next, previous, go to, search, explain, help" {
    guide
    term_keys '?'
    term_wait 'go on to the first service'
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys k
    term_wait 'this is the first'
    term_keys j
    term_wait '2 of 9'
    term_keys Down
    term_wait '3 of 9'
    term_keys Up Up
    term_wait '1 of 9.*'
    term_asks 'close ingreslock'
    term_keys g
    term_wait '^number:'
    term_keys 9 9 Enter
    term_wait 'a number from 1 to 9'
    term_keys /
    term_wait '^search:'
    term_keys i m a p Enter
    term_asks 'close imap'
    term_keys /
    term_wait '^search:'
    term_keys z z z Enter
    term_wait "nothing here has 'zzz' in it"
    term_keys i
    term_wait 'usual port'
    term_keys ' '
    term_asks 'close imap'
    term_keys '?'
    term_wait 'write the answers so far as a profile'
    term_asks 'close imap'
    term_keys x
    term_wait "'x' is no key here"
    term_keys F5 M-y
    term_wait 'that is no key here'
    term_keys q
    term_ended
    test "$ended" -eq 0
    unchanged
}

@test "a takes the suggestions, Enter does nothing at the end, e goes back, q leaves" {
    guide
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys a
    to_the_end
    term_keys Enter
    term_wait 'Enter does nothing here'
    term_keys e
    term_asks 'close ingreslock.*\[y\]'
    term_wait 'answered   close'
    term_keys n d
    to_the_end
    term_keys q
    term_ended
    test "$ended" -eq 0
    unchanged
}

@test "d keeps the rest" {
    guide
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys n d
    term_asks 'nothing to apply'
    term_wait 'keep  *9:'
    term_keys y
    term_wait 'there is nothing to apply'
    term_keys q
    term_ended
    test "$ended" -eq 0
    unchanged
}

# To the last screen with the answers: telnet on 23 closed, telnet on 2323 kept, the rest as
# suggested.
answer()
{
    guide "$@"
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys /
    term_wait '^search:'
    term_keys 2 3 2 3 Enter
    term_wait "called '2323'"
    term_keys n
    term_asks 'close '
    term_keys g
    term_wait '^number:'
    term_keys 1 Enter
    term_asks 'close ingreslock'
    term_keys a
    to_the_end
}

@test "apply, the undo line, and rollback" {
    answer
    term_keys y
    term_ended
    test "$ended" -eq 0
    term_wait 'change 1:'
    term_wait '^undo +batten rollback 1 --root host'
    grep -q '^#telnet' host/etc/inetd.conf
    grep -q '^2323' host/etc/inetd.conf
    grep -q '^#ingreslock' host/etc/inetd.conf
    "$BATTEN" rollback 1 --root host
    unchanged
}

@test "the profile it writes makes the same change unattended" {
    cp -r host other
    answer
    term_keys w
    term_wait 'write to .*site\]:'
    term_keys Enter
    term_wait "unattended: batten --root host"
    term_asks '^apply'
    test -s host/etc/batten/profiles/site
    cp -r host/etc/batten other/etc/
    term_keys y
    term_ended
    test "$ended" -eq 0
    "$BATTEN" --root other --profile site --apply
    cmp host/etc/inetd.conf other/etc/inetd.conf
    grep -q '^#telnet' other/etc/inetd.conf
    grep -q '^2323' other/etc/inetd.conf
    "$BATTEN" profile check other/etc/batten/profiles/site
}

@test "a profile of some answers, to a path; nothing is written over unasked" {
    echo 'mine' >mine.txt
    guide
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys y w
    term_wait 'site\]:'
    term_keys ./mine.txt Enter
    term_wait 'write over it'
    term_keys Enter
    term_wait 'nothing was written'
    test "$(cat mine.txt)" = mine
    term_keys w
    term_wait 'site\]:.*$'
    term_keys ./mine.txt Enter
    term_asks 'write over it'
    term_keys y
    term_wait "written to './mine.txt'"
    term_keys q
    term_ended
    grep -q 'ingreslock' mine.txt
    grep -q '^ask ' mine.txt
    "$BATTEN" profile check ./mine.txt
    unchanged
}

@test "Ctrl-C: as it was, and the answers are offered again" {
    guide
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys y
    term_asks 'close telnet'
    term_keys n
    term_asks 'close '
    term_keys C-c
    term_ended
    test "$ended" -eq 130
    unchanged
    guide
    term_wait '2 answers of an earlier session'
    term_keys Enter
    term_asks 'close ingreslock'
    term_wait 'last time  close'
    term_keys Enter
    term_asks 'close telnet.*\[n\]'
    term_wait 'last time  keep'
    term_keys a
    to_the_end
    term_keys y
    term_ended
    test "$ended" -eq 0
    grep -q '^telnet' host/etc/inetd.conf
    grep -q '^#ingreslock' host/etc/inetd.conf
    guide
    run term_screen
    [[ $output != *'earlier session'* ]]
}

# Whatever comes first, the host is as it was or as it was to be, and batten knows.
@test "Ctrl-C right behind the last yes" {
    answer
    term_keys y C-c
    term_ended
    test "$ended" -eq 130 || test "$ended" -eq 0
    if grep -q '^#telnet' host/etc/inetd.conf; then
        "$BATTEN" show 1 --root host
        "$BATTEN" rollback 1 --root host
    fi
    unchanged
    "$BATTEN" status --root host
}

@test "an answer is not offered for a line that has changed" {
    guide
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys y C-c
    term_ended
    sed -i 's/sh -i/sh/' host/etc/inetd.conf
    guide
    run term_screen
    [[ $output != *'earlier session'* ]]
}

@test "Ctrl-C at every prompt" {
    local prompt

    for prompt in first g w last; do
        rm -rf host
        cp -r "$fixtures" host
        guide
        case $prompt in
        g | w)
            term_keys Enter
            term_asks 'close ingreslock'
            term_keys $prompt
            term_wait '^number:|site\]:'
            ;;
        last)
            term_keys Enter
            term_asks 'close ingreslock'
            term_keys a
            term_asks 'more'
            ;;
        esac
        term_keys C-c
        term_ended
        test "$ended" -eq 130
        unchanged
    done
}

pid_of_guide()
{
    pgrep -f -- "^$BATTEN --root host" | head -n 1
}

wait_gone()
{
    local i

    for ((i = 0; i < 200; i++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.05
    done
    return 1
}

@test "a hang-up: nothing is changed, the answers are kept" {
    local pid

    guide
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys y
    term_asks 'close telnet'
    pid=$(pid_of_guide)
    term_stop
    wait_gone "$pid"
    unchanged
    guide
    term_wait '1 answer of an earlier session'
}

@test "SIGTERM: the terminal is given back" {
    guide
    term_keys Enter
    term_asks 'close ingreslock'
    kill "$(pid_of_guide)"
    term_ended
    test "$ended" -eq 143
    unchanged
}

@test "Ctrl-D leaves like q" {
    guide
    term_keys C-d
    term_ended
    test "$ended" -eq 0
    unchanged
}

@test "Ctrl-Z and fg: the shell has its terminal, and the question comes again" {
    term_start env PS1='sh> ' bash --norc --noprofile -i
    term_wait '^sh>'
    term_keys "$BATTEN --root host --color never" Enter
    term_asks 'Enter starts'
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys C-z
    term_wait 'Stopped'
    term_keys 'stty -a | grep -c " icanon"' Enter
    term_wait '^1$'
    term_keys 'clear; fg' Enter
    term_asks 'close ingreslock'
    term_keys q
    term_wait 'nothing was changed'
    unchanged
}

@test "TERM=dumb: lines, no escape sequences" {
    term_start -t dumb script -qec "$BATTEN --root host" typed
    term_asks 'Enter starts'
    term_keys Enter
    term_asks 'close ingreslock'
    term_keys yes Enter
    term_asks 'close telnet'
    term_keys '/ finger' Enter
    term_asks 'close finger'
    term_keys 'g1' Enter
    term_asks 'close ingreslock'
    term_wait 'answered   close'
    term_keys 'w ./dumb-profile' Enter
    term_wait "written to './dumb-profile'"
    term_keys d Enter
    term_asks 'nothing to apply|apply|more'
    term_keys q Enter
    term_keys q Enter
    sleep 0.5
    run grep -c $'\033' typed
    test "$output" -eq 0
    unchanged
}

@test "what was typed ahead is no consent" {
    guide
    term_keys Enter y y y y y y y y y y y y y y y
    to_the_end
    unchanged
    term_keys q
    term_ended
    test "$ended" -eq 0
    unchanged
}

@test "a file that changed since is not touched" {
    answer
    echo '# a late remark' >>host/etc/inetd.conf
    cp host/etc/inetd.conf now
    term_keys y
    term_ended
    test "$ended" -eq 3
    term_wait 'changed while you looked'
    cmp host/etc/inetd.conf now
}

@test "the timer: Enter keeps the change" {
    answer
    term_keys t
    term_wait 'Enter keeps it'
    grep -q '^#telnet' host/etc/inetd.conf
    term_keys Enter
    term_ended
    test "$ended" -eq 0
    term_wait 'change 1 is kept'
    grep -q '^#telnet' host/etc/inetd.conf
}

@test "the timer: without a word it is undone" {
    answer --confirm-within 3s
    term_keys t
    term_wait 'Enter keeps it'
    grep -q '^#telnet' host/etc/inetd.conf
    term_ended
    test "$ended" -eq 5
    unchanged
}

@test "nothing to ask about" {
    : >host/etc/inetd.conf
    term_start "$BATTEN" --root host --color never
    term_wait 'nothing here starts a network service'
    term_ended
    test "$ended" -eq 0
}

@test "colours carry roles on a terminal, NO_COLOR and TERM=dumb have none" {
    term_start -t xterm "$BATTEN" --root host
    term_asks 'Enter starts'
    mux capture-pane -pe | grep -q $'\033\[[0-9;]*1m'
    term_keys q
    term_ended
    term_start -t xterm env NO_COLOR=1 "$BATTEN" --root host
    term_asks 'Enter starts'
    mux capture-pane -pe >seen
    run grep -c $'\033' seen
    test "$output" = 0
    term_keys q
    term_ended
}

@test "without a terminal nothing asks" {
    run bash -c "'$BATTEN' --root host </dev/null"
    test "$status" -eq 1
    [[ $output == *'would close'* ]]
}
