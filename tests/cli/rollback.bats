#!/usr/bin/env bats
# What taking back says: of back doors, of services, of what could not go back, of a failed probe.

load cli.bash
load terminal.bash

teardown()
{
    term_stop
}

warned='batten: warning: a back door opens again'
told='etc/inetd.conf:29 is a back door, which opens again'

@test "a back door that opens again is told of, first, and opens" {
    host office
    batten 0 close ingreslock finger --apply
    batten 1 rollback -n
    test "$(sed -n 3p out.txt)" = "$(grep -F "$told" out.txt)"
    grep -q '^finger (79/tcp) opens again' <<<"$out"
    term_start -x 160 -y 40 "$BATTEN" rollback --root host
    term_wait 'take change 1 back'
    term_screen | grep -qF "$told"
    term_keys y Enter
    term_ended
    test "$ended" = 0
    term_screen | grep -qF "$warned"
    cmp host/etc/inetd.conf "$top/fixtures/office/etc/inetd.conf"
    batten 0 close ingreslock --apply
    batten 0 rollback
    grep -qF "$warned" <<<"$err"
    grep -qF "$told" <<<"$out"
    cmp host/etc/inetd.conf "$top/fixtures/office/etc/inetd.conf"
    batten 0 close ingreslock --apply
    batten_json 0 rollback
    grep -qF "$warned" <<<"$err"
    jq -e --arg told "$told" '.consequences[0] | startswith($told)' out.json
}

@test "no back door is told of where none opens" {
    host office
    batten 0 close finger ingreslock --apply
    batten 0 rollback --service finger
    not grep -q 'back door' out.txt err.txt
    # One that is open all along is not opened by this.
    batten 0 rollback --service ingreslock
    grep -qF "$warned" <<<"$err"
    batten 0 close finger --apply
    batten 0 rollback
    not grep -q 'back door' out.txt err.txt
    # To take a rollback back closes it.
    batten 0 rollback 3
    not grep -q 'back door' out.txt err.txt
    grep -q '^  ingreslock (1524/tcp) is closed again' <<<"$out"
}

@test "two back doors of the same words" {
    host office
    printf '4001 stream tcp nowait root /bin/sh sh -i\n%.0s' 1 2 >host/etc/inetd.conf
    batten 0 close etc/inetd.conf:4001 --apply
    batten 1 rollback -n
    test "$(grep -c 'is a back door, which opens again' <<<"$out")" = 2
}

@test "log tells rollbacks apart" {
    host office
    batten 0 close finger --apply
    batten 0 rollback
    batten 0 rollback 2
    batten 0 rollback 1 --reason 'the doctor asked'
    batten 0 --profile jpcert-98-0004 --apply
    batten 0 rollback
    batten 0 rollback 6
    batten 0 close daytime --apply
    batten 0 rollback --all
    batten_json 0 log
    jq -r '.changes[] | select(.kind == "rollback").subject' out.json >subjects
    diff - subjects <<'END'
roll back daytime, telnet, pop, imap and 5 more
roll back change 6: close telnet, pop, imap, imaps and 4 more
roll back change 5: telnet, pop, imap, imaps and 4 more
roll back change 1: finger
roll back change 2: close finger
roll back change 1: finger
END
}

@test "conflicts only: the next older change is named, and can be taken back as it says" {
    host office
    batten 0 close daytime --apply
    batten 0 close telnet --apply
    batten 0 close pop --apply
    batten 0 close finger --apply
    sed -i -e 's/^#pop3.*/#pop3 was here/' -e 's/^#finger.*/#finger was here/' host/etc/inetd.conf
    before=$(state_of host)
    for ((i = 0; i < 2; i++)); do
        batten 7 rollback
        grep -q 'etc/inetd.conf:25: batten wrote .#finger' <<<"$out"
        hint=$(sed -n 's/^nothing more of change 4 can go back; the one before it that can: //p' out.txt)
        test "$hint" = 'batten rollback 2 --root host'
    done
    batten 7 rollback -n
    grep -qF "$hint" <<<"$out"
    test "$(state_of host)" = "$before"
    $BATTEN rollback 2 --root host
    batten 7 rollback
    grep -qF 'that can: batten rollback 1 --root host' <<<"$out"
    batten 0 rollback 1
    batten 7 rollback
    not grep -q 'that can' out.txt
    batten 7 rollback 4
    not grep -q 'that can' out.txt
}

@test "a failed probe: the change, what undid it, and nothing to undo" {
    host office
    batten 5 close finger --apply --probe /bin/false ';'
    grep -q '^change 1: 1 edit in' <<<"$out"
    grep -q '^change 2 takes back 1 edit of change 1 in' <<<"$out"
    grep -q '^  finger (79/tcp) opens again' <<<"$out"
    grep -q '^change  batten show 2' <<<"$out"
    not grep -qE '^undo|^keep|show 1' out.txt
    grep -q 'change 1 is undone: the probe failed (by change 2)' <<<"$err"
    batten 0 log
    grep -q 'roll back change 1: finger (the probe failed)$' <<<"$out"
    batten 5 close finger --apply --confirm-within 1h --probe /bin/false ';'
    not grep -qE '^undo|^keep|show 3' out.txt
    # One that succeeds leaves the lines to copy.
    batten 0 close finger --apply --probe /bin/true ';'
    grep -q '^undo    batten rollback 5' <<<"$out"
    not grep -q '^keep' out.txt
    batten 0 close telnet --apply --confirm-within 1h --probe /bin/true ';'
    grep -q '^undo    batten rollback 6' <<<"$out"
    grep -q '^keep    batten confirm' <<<"$out"
    batten 0 rollback
}

@test "while a probe runs status tells of the probe, and of no timer nobody asked for" {
    host office
    cat >probe <<END
#!/bin/sh
$BATTEN status --root $PWD/host >$PWD/seen
$BATTEN status --json --root $PWD/host >$PWD/seen.json
END
    chmod 755 probe
    batten 0 close finger --apply --probe "$PWD/probe" ';'
    grep -q '^change 1 waits for its probe, and is undone if that fails' seen
    not grep -q 'unless confirmed' seen
    jq -e '.waiting == 1 and .for_probe == true and .watched == true' seen.json
    batten 0 close telnet --apply --confirm-within 1h --probe "$PWD/probe" ';'
    grep -q '^change 2 is undone in .* unless confirmed: batten confirm' seen
    jq -e '.waiting == 2 and .for_probe == false' seen.json
    batten 0 rollback
}

@test "explain: a port names the closed entry that had it" {
    host office
    for port in 23/tcp 2323/tcp; do
        batten_json 0 explain $port
        jq '[.entries[] | [.path, .line]]' out.json >"$(dirname $port).before"
    done
    batten 0 close telnet --apply
    for port in 23/tcp 2323/tcp; do
        batten_json 0 explain $port
        jq '[.entries[] | [.path, .line]]' out.json | cmp - "$(dirname $port).before"
        batten 0 explain $port
        grep -q '^closed   by change 1' <<<"$out"
        grep -q '^state    off, commented out' <<<"$out"
        not grep -q 'nothing that was read here' out.txt
    done
    batten 0 explain 23/udp
    grep -q 'nothing that was read here' <<<"$out"
}

@test "status names the rollback that accepts one service, and it accepts just that" {
    host office
    batten 0 close telnet finger --apply
    # Two lines above: telnet stands now where its second entry stood then.
    sed -i -e '1i # one\n# two' -e 's/^#telnet/telnet/' host/etc/inetd.conf
    before=$(sha256sum <host/etc/inetd.conf)
    batten 7 status
    hint=$(sed -n 's/^  if it is to stay so: //p' out.txt)
    test "$hint" = 'batten rollback --entry etc/inetd.conf:12 --root host'
    for ((i = 0; i < 2; i++)); do
        $BATTEN rollback --entry etc/inetd.conf:12 --root host
        test "$(sha256sum <host/etc/inetd.conf)" = "$before"
        batten_json 0 status || batten_json 7 status
        jq -e '.reopened == []' out.json
    done
}
