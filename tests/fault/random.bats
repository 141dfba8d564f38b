#!/usr/bin/env bats
# Random sequences of what batten and an admin do to several files, an rc script among them. After a
# last `rollback --all` everything is as it was in the beginning, but for exactly the admin's edits.
#
# A round is made of its seed alone. BATTEN_SEED=N begins with the round of seed N, to see it again.

build=${BATTEN_BUILD:-$BATS_TEST_DIRNAME/../../build}
batten=${BATTEN:-$build/batten}
files=(inetd.conf inetd.d/more rc.local)

# ROOT is what batten works on; WANT gets the admin's edits alone. Batten's edits keep the number of
# lines, so a line has one number in both.
make_pair()
{
    local name

    root=$BATS_TEST_TMPDIR/root want=$BATS_TEST_TMPDIR/want
    rm -rf "$root" "$want"
    mkdir -p "$root/etc/inetd.d"
    for name in telnet finger ftp shell pop3 imap2; do
        echo "# $name"
        echo "$name stream tcp nowait root /usr/sbin/in.$name in.$name"
    done >"$root/etc/inetd.conf"
    printf '%s\n' 'login stream tcp nowait root /x x' 'exec stream tcp nowait root /x x' \
        >"$root/etc/inetd.d/more"
    printf 'tftp dgram udp wait root /x x' >>"$root/etc/inetd.d/more"
    printf '%s\n' '#!/bin/sh' 'if [ -x /usr/sbin/named ]; then' "    echo ' named'; /usr/sbin/named" \
        'fi' '/usr/sbin/rpc.statd' 'echo done' >"$root/etc/rc.local"
    printf 'telnet 23/tcp\nfinger 79/tcp\nftp 21/tcp\nshell 514/tcp\npop3 110/tcp\n' >"$root/etc/services"
    printf 'imap2 143/tcp\nlogin 513/tcp\nexec 512/tcp\ntftp 69/udp\n' >>"$root/etc/services"
    printf 'tcp 6 TCP\nudp 17 UDP\n' >"$root/etc/protocols"
    cp -a "$root/etc" "$want"
}

# One edit of the admin's, at a place that batten has not closed.
admin_step()
{
    local file line count both=() serial=$1

    # no $( ) around RANDOM: a subshell seeds it anew
    file=${files[RANDOM % ${#files[@]}]}
    both=("$root/etc/$file" "$want/$file")
    count=$(grep -c '' "${both[1]}")
    line=$((RANDOM % count + 1))
    case $((RANDOM % 4)) in
    0) chmod "6$((RANDOM % 2 * 4))0" "${both[@]}" ;;
    1) # nothing comes between the lines of the script's one block
        test "$file" != rc.local || line=$count
        sed -i "${line}a\\# admin $serial" "${both[@]}" ;;
    2) test "$file" != rc.local || return 0
        test "$(sed -n "${line}p" "${both[0]}")" = "$(sed -n "${line}p" "${both[1]}")" || return 0
        sed -i "${line}s/\$/ -x$serial/" "${both[@]}" ;;
    3) sed -i '/^# admin/{0~2d}' "${both[@]}" ;;
    esac
}

batten_step()
{
    local service file services=(telnet finger ftp shell pop login exec tftp named statd)

    service=${services[RANDOM % ${#services[@]}]}
    file=${files[RANDOM % ${#files[@]}]}
    case $((RANDOM % 7)) in
    0 | 1) set -- close "$service" --apply --dialect inetutils ;;
    2) set -- --dialect inetutils --apply --profile jpcert-98-0004 ;;
    3) set -- rollback --service "$service" --yes ;;
    4) set -- rollback --yes ;;
    5) set -- rollback $((RANDOM % 6 + 1)) --yes --reason random ;;
    6) set -- rollback --entry "etc/$file:$((RANDOM % 8 + 1))" --yes ;;
    esac
    run "$batten" --root "$root" "$@"
    echo "$* -> $status"
    case $status in
    0 | 1) ;;
    2) [[ $output == *"there is no change"* ]] ;;
    7) [[ $output != *"batten wrote"* ]] ;;
    *) echo "$output" && return 1 ;;
    esac
}

@test "random sequences give back what was there and the admin's edits" {
    local seed step file rounds=3 first=${BATTEN_SEED:-1}

    test -z "$BATTEN_LONG" || rounds=40
    for ((seed = first; seed < first + rounds; seed++)); do
        echo "seed $seed"
        RANDOM=$seed
        make_pair
        for ((step = 1; step <= 14; step++)); do
            if ((RANDOM % 3 == 0)); then
                admin_step "$step"
            else
                batten_step
            fi
        done
        run "$batten" --root "$root" rollback --all --yes
        echo "seed $seed: rollback --all -> $status: $output"
        test "$status" = 0
        for file in "${files[@]}"; do
            diff "$want/$file" "$root/etc/$file"
            test "$(stat -c '%a %u %g' "$want/$file")" = "$(stat -c '%a %u %g' "$root/etc/$file")"
        done
        test -z "$(find "$root" \( -name '*.lock' -o -name .batten -o -name journal \))"
    done
}
