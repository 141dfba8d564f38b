#!/bin/bash
# run.sh - how fast and how large, as ratios within one run
#
#     tests/bench/run.sh
#
# Everything is timed side by side on the same disk, medians of several runs, in private namespaces
# so that the other tools find a host of their own. Lines begin with 'aim' where there is one; a
# missed aim is said, and is no failure of the run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=$(realpath "${BATTEN_BUILD:-$top/build}")
batten=$build/batten
repeat=$build/tests/bench/repeat_driver
work=$build/bench
runs=15
profile=jpcert-98-0004

# --- hosts to measure on -------------------------------------------------------------------------

# An inetd.conf of COUNT lines; every tenth is one the default profile closes.
make_conf()
{
    local i names=(telnet finger imap2 pop3) left

    for ((i = 0; i < $1; i++)); do
        if ((i % 10 == 3)); then
            left=${names[i / 10 % 4]}
            printf '%s\tstream\ttcp\tnowait\troot\t/usr/sbin/tcpd\tin.%sd\n' "$left" "$left"
        elif ((i % 4 == 1)); then
            printf '# a comment between the lines, number %d\n' "$i"
        else
            printf 'service%d stream tcp nowait nobody /usr/sbin/daemon%d daemon%d -x %d\n' \
                "$i" "$i" "$i" "$i"
        fi
    done
}

make_root()
{
    rm -rf "$1"
    mkdir -p "$1/etc"
    cp "$top"/fixtures/demo/etc/{services,protocols} "$1/etc"
    make_conf "$2" | awk -v ports="$1/etc/services" '
        /^service/ { print $1 "\t" 10000 + substr($1, 8) % 50000 "/tcp" >>ports } { print }' \
        >"$1/etc/inetd.conf"
    cp "$1/etc/inetd.conf" "$1.conf"
}

# Back to the state before a change: the file, and no history.
write_reset()
{
    cat >"$1.reset" <<END
#!/bin/sh
cp '$1.conf' '$1/etc/inetd.conf' && exec rm -rf '$1/var' '$1/etc/.batten'
END
    chmod +x "$1.reset"
}

# --- measuring -----------------------------------------------------------------------------------

# Sets US and KIB; STATUS must be among WANTED.
measure()
{
    local wanted=$1 status

    shift
    read -r us _ kib status < <("$repeat" "$runs" "$@")
    case " $wanted " in
    *" $status "*) ;;
    *)
        printf 'bench: status %s, not %s: %s\n' "$status" "${wanted// / or }" "$*" >&2
        exit 1
        ;;
    esac
}

ms()
{
    awk -v us="$1" 'BEGIN { printf "%.1f ms", us / 1000 }'
}

ratio()
{
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

row()
{
    printf '%-52s %12s  %s\n' "$1" "$2" "${3-}"
}

aim()
{
    local text=$1 value most=$3

    value=$(awk -v v="$2" 'BEGIN { printf "%.2f", v }')
    if awk -v a="$value" -v b="$most" 'BEGIN { exit !(a <= b) }'; then
        row "aim  $text" "$value" "met, at most $most"
    else
        row "aim  $text" "$value" "MISSED, at most $most"
    fi
}

# --- the other tools, doing the same to the same file --------------------------------------------

write_others()
{
    local closing='telnet finger imap2 pop3'

    cat >"$work/sed-git" <<END
#!/bin/sh
cd '$work/sed' && sed -i -E 's/^($(tr ' ' '|' <<<"$closing"))[[:space:]]/#&/' etc/inetd.conf &&
    git add etc/inetd.conf && exec git -c user.name=a -c user.email=a@b commit -q -m change
END
    cat >"$work/sed-git.reset" <<END
#!/bin/sh
cd '$work/sed' && cp ../host.conf etc/inetd.conf && git add etc/inetd.conf &&
    git -c user.name=a -c user.email=a@b commit -q --allow-empty -m before
END
    cat >"$work/augtool.aug" <<'END'
defvar s /files/etc/inetd.conf/service[. =~ regexp("telnet|finger|imap2|pop3")]
insert #comment before $s[1]
set /files/etc/inetd.conf/#comment[. = ""] "off"
rm $s
save
END
    cat >"$work/augtool" <<END
#!/bin/sh
exec augtool -r '$work/aug' --noautoload -t 'Inetd incl /etc/inetd.conf' -f '$work/augtool.aug'
END
    cat >"$work/update-inetd" <<END
#!/bin/sh
exec update-inetd --file '$work/upd/etc/inetd.conf' --multi --disable ${closing// /,}
END
    chmod +x "$work"/{sed-git,sed-git.reset,augtool,update-inetd}
}

against_others()
{
    local own other

    make_root "$work/host" 40
    write_reset "$work/host"
    write_others
    measure 1 -- "$batten" audit --root "$work/host"
    aim 'audit of 40 lines, ms' "$(awk -v u="$us" 'BEGIN { print u / 1000 }')" 20
    measure 0 "$work/host.reset" -- "$batten" --root "$work/host" --profile $profile --apply
    own=$us
    aim 'apply to 40 lines with its commits and fsyncs, ms' \
        "$(awk -v u="$us" 'BEGIN { print u / 1000 }')" 40
    aim 'peak memory of an apply to 40 lines, MiB' \
        "$(awk -v k="$kib" 'BEGIN { print k / 1024 }')" 20
    for other in sed:sed-git aug:augtool upd:update-inetd; do
        cp -r "$work/host" "$work/${other%:*}"
    done
    git -C "$work/sed" init -q
    for other in "sed:sed-git:sed -i and git commit, without fsync" "aug:augtool:augtool, no record" \
        "upd:update-inetd:update-inetd --disable, no record"; do
        IFS=: read -r dir tool text <<<"$other"
        if ! command -v "${tool%-git}" >/dev/null; then
            row "  against $text" '-' "no $tool here"
            continue
        fi
        if test "$dir" = sed; then
            measure 0 "$work/sed-git.reset" -- "$work/$tool"
        else
            measure 0 cp "$work/host.conf" "$work/$dir/etc/inetd.conf" -- "$work/$tool"
        fi
        row "  against $text" "$(ratio "$own" "$us") x" "$(ms "$own") / $(ms "$us")"
    done
}

growth()
{
    local n last_audit=0 last_apply=0 audit

    for n in 100 1000 10000; do
        make_root "$work/grow" "$n"
        write_reset "$work/grow"
        test "$n" -lt 10000 || runs=5
        measure '1' -- "$batten" audit --root "$work/grow"
        audit=$us
        measure '0 7' "$work/grow.reset" -- \
            "$batten" --root "$work/grow" --profile $profile --apply
        row "$n entries: audit, apply" "$(ms "$audit")" "$(ms "$us"), $((kib / 1024)) MiB"
        if test "$last_audit" -gt 0; then
            aim "  10 x the entries, audit takes x times as long" "$(ratio "$audit" "$last_audit")" 12
            aim "  10 x the entries, apply takes x times as long" "$(ratio "$us" "$last_apply")" 12
        fi
        last_audit=$audit
        last_apply=$us
    done
    aim 'apply to 10,000 entries, ms' "$(awk -v u="$us" 'BEGIN { print u / 1000 }')" 1000
    runs=15
}

start_up()
{
    local before=0 part

    make_root "$work/empty" 0
    for part in 'a process:true' "the libraries:$batten --version" \
        "reading a root and its names:$batten audit --root $work/empty" \
        "the lens and 40 lines:$batten audit --root $work/host" \
        "git and an empty history:$batten log --root $work/host"; do
        # shellcheck disable=SC2086 # a command and its words
        measure '0 1' -- ${part#*:}
        test "${part%%:*}" != 'git and an empty history' || before=$version
        test "${part%%:*}" != 'the libraries' || version=$us
        row "start-up: ${part%%:*}" "+$(ms $((us > before ? us - before : 0)))" "$(ms "$us") in all"
        before=$us
    done
}

scripts()
{
    local n=0 total=2000 sample kib sh_us scan_us

    mkdir -p "$work/rc/etc/rc.d"
    cp "$top"/fixtures/demo/etc/{services,protocols} "$work/rc/etc"
    mapfile -t samples < <(find "$top/fixtures/rc" ${BATTEN_CORPUS:+"$BATTEN_CORPUS/rc"} -type f \
        ! -name '*.tsv' ! -name '*.diff' ! -name '*.md' 2>/dev/null | sort)
    test ${#samples[@]} -gt 0 || return 0
    while ((n < total)); do
        sample=${samples[n % ${#samples[@]}]}
        cp "$sample" "$work/rc/etc/rc.d/rc.$((n += 1))"
    done
    kib=$(du -k --apparent-size -s "$work/rc/etc/rc.d" | cut -f 1)
    runs=3
    measure '0 1 7' -- "$batten" audit --all --root "$work/rc"
    cat >"$work/sh-n" <<END
#!/bin/sh
for f in '$work'/rc/etc/rc.d/rc.*; do sh -n "\$f"; done; exit 0
END
    chmod +x "$work/sh-n"
    sh_us=$us
    measure 0 -- "$work/sh-n"
    read -r _ _ _ scan_us < <("$build/tests/rc/rc_driver" time "$work"/rc/etc/rc.d/rc.*)
    row "scanning $total rc scripts, $kib KiB" "$(ms "$scan_us")" \
        "$((scan_us / total)) us a script, $((scan_us / kib)) us a KiB"
    row "  sh -n on each" "$(ms "$us")"
    aim '  scanning / sh -n' "$(ratio "$scan_us" "$us")" 0.05
    row "audit of them, starts found and matched" "$(ms "$sh_us")" \
        "$(ratio "$sh_us" "$us") of sh -n"
    runs=15
}

guided()
{
    local count median longest plan

    make_root "$work/guide" 700
    read -r count median longest plan < <("$here/guide.py" "$batten" "$work/guide")
    row "guide, $count findings: keystroke to question" "$median ms" "last screen $plan ms"
    aim '  the longest, ms' "$longest" 50
}

# Times in ms mean little while others compute; ratios mean something.
tell_of_load()
{
    local load

    read -r load _ </proc/loadavg
    if awk -v l="$load" -v n="$(nproc)" 'BEGIN { exit !(l > n) }'; then
        echo "this machine is busy (load $load on $(nproc) processors): read the ratios, not the ms"
    fi
}

all()
{
    cd "$work"
    tell_of_load
    against_others
    growth
    start_up
    scripts
    guided
}

mkdir -p "$work"
if test "${1-}" = --inside; then
    all
elif why=$("$here/../live/ns.sh" --check 2>&1) && why=$("$here/../live/fetch.sh" openbsd 2>&1); then
    "$here/../live/ns.sh" --with openbsd --writable "$work" --timeout 900 \
        ${BATTEN_CORPUS:+--bind "$BATTEN_CORPUS"} -- "$here/run.sh" --inside
else
    echo "bench: without namespaces (${why##*skip: }), update-inetd is left out"
    all
fi
test "${1-}" = --inside || rm -rf "$work"
