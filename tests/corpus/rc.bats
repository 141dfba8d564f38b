#!/usr/bin/env bats
# Real rc scripts: what is found against LABELS.tsv, and what shells say of every edited script.

load ../rc/verdict

setup()
{
    test -n "$BATTEN_CORPUS" || skip "no corpus of real files here (BATTEN_CORPUS)"
}

# The services that are labelled in rc scripts, by the catalogue's name.
labelled='named statd telnet finger imap pop inetd portmap nfs tftp ftp shell login exec'

# Rows of high confidence, FILE LINE COLUMN SERVICE in the catalogue's words.
labels()
{
    awk -F '\t' '
        BEGIN {
            name["telnetd"] = "telnet"; name["fingerd"] = "finger"; name["nfsd"] = "nfs"
            name["tftpd"] = "tftp"; name["ftpd"] = "ftp"; name["imapd"] = "imap"
            name["pop3d"] = "pop"
        }
        $1 == "rc" && $8 == "high" && $3 != "none" {
            sub(/-.*/, "", $4)
            print $2 "\t" $4 "\t" $5 "\t" ($3 in name ? name[$3] : $3)
        }' "$BATTEN_CORPUS/LABELS.tsv"
    # Rows that are missing. "none" is wrong for this file, which starts the daemon and keeps what
    # it prints: bftpd_status=$(bftpd -d)
    printf 'Dafang-Hacks__rootfs__etc_init.d_rcS\t131\t16\tftp\n'
    # popper, the POP server, was not among the names that were looked for: /usr/sbin/popper
    printf 'Distrotech__distrotech-core__etc_rc.d_rc.M@%s\t5\tpop\n' \
        '4c93b3b0\t153' 'a46df8bd\t149' 'c9fde63d\t167' | sed 's/\\t/\t/'
}

# Starts through other scripts are not read by hand: they are not counted, but where the label is.
found()
{
    local f

    awk -F '\t' '$1 == "rc" && $8 == "high" { print $2 }' "$BATTEN_CORPUS/LABELS.tsv" | sort -u |
        while read -r f; do
            "$driver" list "$BATTEN_CORPUS/rc/$f"
        done | awk -F '\t' -v labelled=" $labelled " '
            $6 == "on" && index(labelled, " " $5 " ") {
                sub(/.*\//, "", $1)
                print $1 "\t" $2 "\t" $3 "\t" $5 "\t" $7
            }'
}

@test "recall and precision of start lines" {
    local work=$BATS_TEST_TMPDIR hits misses extras total

    labels | sort >"$work/labels"
    found | sort >"$work/all"
    cut -f 1-4 "$work/all" | sort >"$work/found"
    grep -v 'indirect' "$work/all" | cut -f 1-4 | sort >"$work/direct"
    total=$(wc -l <"$work/labels")
    hits=$(comm -12 "$work/labels" "$work/found" | wc -l)
    misses=$((total - hits))
    extras=$(comm -13 "$work/labels" "$work/direct" | wc -l)
    comm -23 "$work/labels" "$work/found" | sed 's/^/missed /'
    comm -13 "$work/labels" "$work/direct" | sed 's/^/not labelled /'
    awk -v t="$total" -v h="$hits" -v e="$extras" 'BEGIN {
        printf "# %d start lines labelled: recall %.1f%%, precision %.1f%%\n", t, 100 * h / t,
            100 * h / (h + e) }' >&3
    test $((misses * 100)) -le "$total"
    test $((extras * 100)) -le "$total"
}

@test "no shell refuses an edited script that it took before" {
    local f n=0 changed=0 refused=0

    for f in "$BATTEN_CORPUS"/rc/*; do
        "$driver" edit "$f" >"$BATS_TEST_TMPDIR/edited" 2>"$BATS_TEST_TMPDIR/refused"
        n=$((n + 1))
        refused=$((refused + $(wc -l <"$BATS_TEST_TMPDIR/refused")))
        cmp -s "$f" "$BATS_TEST_TMPDIR/edited" && continue
        changed=$((changed + 1))
        not_worse "$f" "$BATS_TEST_TMPDIR/edited"
    done
    echo "# $n scripts, $changed edited, $refused starts refused, no verdict of" \
        "$(shells | paste -sd , -) worse" >&3
    test "$changed" -gt 50
}

@test "init scripts are told from rc scripts" {
    local f work=$BATS_TEST_TMPDIR n=0 report=0

    mkdir -p "$work/etc/init.d" && cd "$work"
    for f in "$BATTEN_CORPUS"/sysv/*; do
        cp "$f" etc/init.d/script
        n=$((n + 1))
        "$driver" list etc/init.d/script >list
        test ! -s list || grep -vq "report" list || report=$((report + 1))
        awk -F '\t' '$6 == "on" && $7 !~ /report/' list | grep -q . || continue
        echo "$(basename "$f"): edited as if it were an rc script"
        grep -qE 'start\)|run_rc_command|rc_cmd|openrc-run|runscript|rc.common' "$f" && return 1
    done
    echo "# $n init scripts, $report of them start a daemon of the catalogue" >&3
}
