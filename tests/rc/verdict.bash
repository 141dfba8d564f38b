# verdict.bash - for the bats files: what the shells say of scripts before and after an edit

driver=$BATTEN_BUILD/tests/rc/rc_driver

# The shells at hand, a command line each.
shells()
{
    local s

    for s in dash bash mksh; do
        type "$s" >/dev/null 2>&1 && echo "$s"
    done
    type busybox >/dev/null 2>&1 && echo "busybox ash"
}

accepts()
{
    $1 -n "$2" </dev/null >/dev/null 2>&1
}

# Whether no shell that takes the script $1 refuses $2. Says which does.
not_worse()
{
    local s

    while read -r s; do
        if accepts "$s" "$1" && ! accepts "$s" "$2"; then
            echo "$s takes $1 and refuses what became of it"
            return 1
        fi
    done < <(shells)
}
