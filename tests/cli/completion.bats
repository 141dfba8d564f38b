#!/usr/bin/env bats
# The bash completion, asked as the shell asks it.

setup()
{
    BATTEN=${BATTEN:-$PWD/build/batten}
    # shellcheck source=src/share/completion/batten
    . src/share/completion/batten
}

# complete_words WORD...: what is offered for the last one
complete_words()
{
    COMP_WORDS=("$BATTEN" "$@")
    COMP_CWORD=$#
    _batten
    printf '%s\n' "${COMPREPLY[@]}"
}

@test "commands" {
    run complete_words ''
    [[ $'\n'$output$'\n' == *$'\naudit\n'* ]]
    [[ $'\n'$output$'\n' == *$'\nrollback\n'* ]]
    run complete_words ex
    test "$output" = explain
}

@test "options of the command on the line" {
    run complete_words rollback --se
    test "$output" = --service
    run complete_words audit --confirm
    test -z "$output"
    run complete_words --confirm
    test "$output" = --confirm-within
    run complete_words log --js
    test "$output" = --json
}

@test "profiles, services, topics, values" {
    run complete_words --profile stri
    [[ $output == strict* ]]
    run complete_words close telne
    [[ $'\n'$output$'\n' == *$'\ntelnet\n'* ]]
    run complete_words help pro
    test "$output" = profile
    run complete_words --color a
    test "$output" = 'auto
always'
    run complete_words profile ch
    test "$output" = check
}

@test "the root of the line is asked: its profiles, changes, ports, the token that waits" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p host/etc/batten/profiles
    printf 'finger stream tcp nowait nobody /usr/sbin/in.fingerd in.fingerd\n' >host/etc/inetd.conf
    printf 'finger 79/tcp\n' >host/etc/services
    printf 'profile-version 1\ndisable finger\n' >host/etc/batten/profiles/site
    run complete_words --root host --profile si
    [[ $output == site* ]]
    run complete_words --root = host --profile si
    [[ $output == site* ]]
    run complete_words close --root host 7
    test "$output" = 79/tcp
    run complete_words explain --root host 79
    test "$output" = 79/tcp
    "$BATTEN" close finger --apply --confirm-within 1h --root host >/dev/null 2>&1
    run complete_words rollback --root host ''
    test "$output" = 1
    run complete_words show --root=host ''
    test "$output" = 1
    token=$(sed -n 's/^token //p' host/var/lib/batten/deadline)
    run complete_words confirm --root host ''
    test "$output" = "$token"
    "$BATTEN" rollback --root host --yes >/dev/null
    run complete_words rollback ''
    [[ $'\n'$output$'\n' != *$'\n1\n'* ]]
}

@test "names out of an image are not run" {
    local name

    cd "$BATS_TEST_TMPDIR"
    mkdir -p host/etc/batten/profiles
    # shellcheck disable=SC2016 # as it stands
    for name in 'site$(id>pwned)' 'site`id>pwned`' 'site;id>pwned' 'site-b' '$(id>pwned)'; do
        printf 'profile-version 1\n' >"host/etc/batten/profiles/$name"
    done
    run complete_words --root host --profile site
    test "$output" = site-b
    run complete_words --root host profile show ''
    [[ $output != *id* ]]
    test ! -e pwned
}

@test "selectors of close: bash cuts them at the colon" {
    run complete_words close cla
    test "$output" = class:
    run complete_words close class : rp
    test "$output" = rpc
    run complete_words close class :
    [[ $'\n'$output$'\n' == *$'\ncleartext\n'* ]]
    run complete_words close program : /usr/bin/en
    [[ $'\n'$output$'\n' == *$'\n/usr/bin/env\n'* ]]
    run complete_words log --li
    test "$output" = --limit
}
