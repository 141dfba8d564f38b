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
