#!/usr/bin/env bats
# What batten predicts, against what the real daemons open; before and after an entry is switched
# off. The daemons run on a host of their own (ns.sh); predict/cycle.sh starts and stops them there.

top=$BATS_TEST_DIRNAME/../..
here=$BATS_TEST_DIRNAME/predict
build=${BATTEN_BUILD:-$top/build}

# Skip, with the reason, what cannot run here.
need()
{
    local said

    said=$("$BATS_TEST_DIRNAME/fetch.sh" "$1" servers 2>&1) || skip "cannot fetch '$1': ${said##*: }"
    said=$("$BATS_TEST_DIRNAME/ns.sh" --check 2>&1) || skip "${said#skip: }"
    test -x "$build/tests/live/predict_driver" || skip "no predict_driver, run: make test-programs"
}

# Run cycle.sh for DIALECT on the host.
on_host()
{
    local dialect=$1

    shift
    BATTEN_LENSES=$top/lenses DRIVER=$build/tests/live/predict_driver \
        "$BATS_TEST_DIRNAME/ns.sh" --with "$dialect,servers" --timeout "${seconds:-100}" \
        ${corpus:+--bind "$corpus"} -- "$here/cycle.sh" "$@"
}

# The lines of cases.txt that concern DIALECT; a port that bind chose is any of them.
wanted_cases()
{
    grep -E "^@(case|$1) " "$here/cases.txt"
}

# DIALECT's real sockets for each case are the ones written there, 'dyn' matching any port.
check_cases()
{
    need "$1"
    on_host "$1" cases "$1" "$here/cases.txt" "$here/names.txt" >"$BATS_TEST_TMPDIR/real"
    wanted_cases "$1" >"$BATS_TEST_TMPDIR/wanted"
    python3 - "$BATS_TEST_TMPDIR/wanted" "$BATS_TEST_TMPDIR/real" <<'END'
import re, sys

def cases(path):
    name = None
    for line in open(path):
        word, rest = line.rstrip('\n').split(' ', 1)
        if word == '@case':
            name = rest
        else:
            yield name, sorted(rest.split(','))

def dynamic(sockets, fixed):
    fixed = list(fixed)
    for s in sockets:
        if s in fixed:
            fixed.remove(s)
            yield s
        else:
            yield re.sub(r':\d+$', ':dyn', s)

wanted, real = dict(cases(sys.argv[1])), dict(cases(sys.argv[2]))
bad = 0
for name, sockets in wanted.items():
    got = real.get(name, ['no answer'])
    if sorted(dynamic(got, sockets)) != sockets:
        bad += 1
        print('%s: written %s, real %s' % (name, sockets, got))
print('# %d cases, %d differ' % (len(wanted), bad))
sys.exit(bad != 0 or len(wanted) < 60)
END
}

# Each of the FILES, and then each with entries switched off alone: every STEP-th, all in a long run.
check_files()
{
    local dialect=$1 verb=$2 step=$3

    shift 3
    test -z "$BATTEN_LONG" || step=1
    need "$dialect"
    run on_host "$dialect" "$verb" "$dialect" "$step" "$@"
    echo "$output" | tail -n 40
    echo "# ${lines[-1]}" >&3
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} =~ ^$dialect:\ ([0-9]+)\ cycles,\ 0\ differ$ ]]
    [ "${BASH_REMATCH[1]}" -ge $# ]
}

# The samples: single files, and directories to lay over /etc.
samples()
{
    files=()
    trees=()
    local path

    for path in "$top"/fixtures/inetd/*; do
        if test -f "$path/inetd.conf"; then
            trees+=("$path")
        elif [[ $path = *.conf ]]; then
            files+=("$path")
        fi
    done
}

check_samples()
{
    samples
    test ${#files[@]} -gt 0 -o ${#trees[@]} -gt 0 || skip 'no samples in fixtures/inetd'
    test ${#files[@]} -eq 0 || check_files "$1" files 5 "${files[@]}"
    test ${#trees[@]} -eq 0 || check_files "$1" trees 5 "${trees[@]}"
}

check_corpus()
{
    local file
    local some=()

    test -n "${BATTEN_CORPUS-}" || skip 'no corpus'
    corpus=$BATTEN_CORPUS
    for file in "$corpus"/inetd/*; do
        some+=("$file")
    done
    # Every twelfth file in a short run.
    if test -z "$BATTEN_LONG"; then
        mapfile -t some < <(printf '%s\n' "${some[@]}" | awk 'NR % 12 == 5')
    fi
    seconds=900
    check_files "$1" files 7 "${some[@]}"
}

@test "openbsd: the cases open what is written" {
    check_cases openbsd
}

@test "inetutils: the cases open what is written" {
    check_cases inetutils
}

@test "busybox: the cases open what is written" {
    test -n "$BATTEN_LONG" || skip 'only in a long run, it builds busybox'
    check_cases busybox
}

@test "openbsd: the samples, before and after an edit" {
    check_samples openbsd
}

@test "inetutils: the samples, before and after an edit" {
    check_samples inetutils
}

@test "openbsd: real files, before and after an edit" {
    check_corpus openbsd
}

@test "inetutils: real files, before and after an edit" {
    check_corpus inetutils
}

@test "busybox: the samples, before and after an edit" {
    test -n "$BATTEN_LONG" || skip 'only in a long run, it builds busybox'
    check_samples busybox
}
