#!/usr/bin/env bats
# What taking back says: of back doors, of services, of what could not go back, of a failed probe.

load cli.bash

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
