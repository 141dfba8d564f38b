# terminal.bash - a real pseudo-terminal for tests, by way of tmux
#
#     term_start [-x COLUMNS] [-y ROWS] [-t TERM] COMMAND...   run it in a pane of its own
#     term_wait TEXT         until the screen holds TEXT (a regular expression), 20 s at most
#     term_keys KEY...       as tmux send-keys takes them
#     term_screen            what the screen shows
#     term_ended             wait for the end; sets ended (the status)
#     term_stop              for teardown
#
# The terminal's settings before and after are compared by term_ended.

mux_count=0

mux()
{
    tmux -S "$BATS_TEST_TMPDIR/mux$mux_count" -f /dev/null "$@"
}

term_start()
{
    local x=80 y=24 term=vt100 dir=$BATS_TEST_TMPDIR

    while test $# -gt 0; do
        case $1 in
        -x) x=$2; shift 2 ;;
        -y) y=$2; shift 2 ;;
        -t) term=$2; shift 2 ;;
        *) break ;;
        esac
    done
    rm -f "$dir/status" "$dir/after"
    printf '%q ' "$@" >"$dir/command"
    # A shell that survives Ctrl-C, as an interactive one does, and says how it went.
    cat >"$dir/run.sh" <<END
trap : INT
cd '$PWD'
stty -g >'$dir/before'
TERM=$term $(cat "$dir/command")
echo \$? >'$dir/status.new'
stty -g >'$dir/after'
mv '$dir/status.new' '$dir/status'
printf '%s' '-ended-'
exec sleep 600
END
    term_stop
    mux_count=$((mux_count + 1)) # a server that is ending still holds the socket of the last one
    env -u TMUX -u LINES -u COLUMNS LC_ALL=C.UTF-8 tmux -u -S "$dir/mux$mux_count" -f /dev/null \
        new-session -d -x "$x" -y "$y" "sh '$dir/run.sh'"
}

term_screen()
{
    mux capture-pane -p
}

term_wait()
{
    local i

    for ((i = 0; i < 400; i++)); do
        if mux capture-pane -p -S -300 2>/dev/null | grep -qE -- "$1"; then
            return 0
        fi
        sleep 0.05
    done
    echo "the screen never showed '$1':" >&2
    term_screen >&2
    return 1
}

# The question is the last line that is not blank.
term_asks()
{
    local i

    for ((i = 0; i < 400; i++)); do
        if mux capture-pane -p 2>/dev/null | sed '/^ *$/d' | tail -n 1 | grep -qE -- "$1"; then
            return 0
        fi
        sleep 0.05
    done
    echo "the question was never '$1':" >&2
    term_screen >&2
    return 1
}

term_keys()
{
    mux send-keys "$@"
}

term_ended()
{
    local i

    for ((i = 0; i < 400; i++)); do
        test ! -e "$BATS_TEST_TMPDIR/status" || break
        sleep 0.05
    done
    if test ! -e "$BATS_TEST_TMPDIR/status"; then
        echo 'it never ended:' >&2
        term_screen >&2
        return 1
    fi
    # shellcheck disable=SC2034 # for the tests
    ended=$(cat "$BATS_TEST_TMPDIR/status")
    if ! cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"; then
        echo 'the terminal is not as it was' >&2
        return 1
    fi
}

term_stop()
{
    mux kill-server 2>/dev/null || true
}

# Compare the screen with the text in golden/NAME.txt; BATTEN_GOLDEN=write makes it anew.
term_golden()
{
    local file=$BATS_TEST_DIRNAME/golden/$1.txt

    term_screen | sed 's/ *$//' >"$BATS_TEST_TMPDIR/screen"
    if test "${BATTEN_GOLDEN-}" = write; then
        cp "$BATS_TEST_TMPDIR/screen" "$file"
    fi
    diff -u "$file" "$BATS_TEST_TMPDIR/screen"
}
