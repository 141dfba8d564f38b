#!/bin/bash
# selftest.sh - each rule of rules.sh finds the breach it is there for
#
# Makes a small tree that keeps every rule, then breaks one rule at a time.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

make_tree()
{
    rm -rf "$work/tree"
    mkdir -p "$work/tree"/src/{base,host,starters,policy,history,cli} "$work/tree"/include/batten \
        "$work/tree/tests" "$work/tree/lenses"
    cd "$work/tree"
    git init -q .
    local room name
    for room in base:buf host:root starters:lens policy:match history:txn; do
        name=${room#*:}
        room=${room%:*}
        printf 'int %s_f(void);\n' "$name" >"include/batten/$name.h"
        printf '#include "batten/%s.h"\nint %s_f(void)\n{\n    return 1;\n}\n' "$name" "$name" \
            >"src/$room/$name.c"
    done
    printf '#include "batten/txn.h"\n#include <stdlib.h>\nint main(void)\n{\n    exit(txn_f());\n}\n' \
        >src/cli/main.c
    echo 'all:' >Makefile
    echo 'text' >README.md
}

compile_tree()
{
    local file

    for file in src/*/*.c; do
        mkdir -p "objects/$(dirname "${file#src/}")"
        cc -w -Iinclude -c -o "objects/${file#src/}" "$file"
    done
    for file in objects/*/*.c; do
        mv "$file" "${file%.c}.o"
    done
    git add -A . ':!objects'
}

# Whether rules.sh names RULE and FILE, and nothing else, after COMMANDS changed the tree.
expect()
{
    local rule=$1 file=$2 out status=0

    make_tree
    eval "$3"
    compile_tree
    out=$("$here/rules.sh" "$work/tree" objects) || status=$?
    if test -z "$rule"; then
        test $status -eq 0 && test -z "$out" && return
    else
        test $status -eq 1 && grep -q "^$rule: $file: " <<<"$out" &&
            ! grep -qv "^$rule: $file: " <<<"$out" && return
    fi
    printf 'lint selftest: %s not found by itself in %s; rules.sh said (%d):\n%s\n' \
        "${rule:-a clean tree}" "$file" "$status" "$out" >&2
    failed=1
}

# shellcheck disable=SC2317 # called by expect's eval
calls()
{
    printf '\n#include <%s>\nint broken(void);\nint broken(void)\n{\n    return (int)(long)%s;\n}\n' \
        "$2" "$3" >>"$1"
}

expect '' - ':'
expect includes src/policy/match.c "echo '#include \"batten/root.h\"' >>src/policy/match.c"
expect includes src/host/root.c "echo '#include \"batten/txn.h\"' >>src/host/root.c"
expect includes src/starters/lens.c "echo '#include \"batten/match.h\"' >>src/starters/lens.c"
expect includes include/batten/root.h "echo '#include \"batten/match.h\"' >>include/batten/root.h"
expect includes src/history/txn.c \
    'echo "int x;" >src/host/own.h; echo "#include \"../host/own.h\"" >>src/history/txn.c'
expect owners src/policy/match.c \
    'echo >include/augeas.h; echo "#include <augeas.h>" >>src/policy/match.c'
expect owners src/host/root.c 'echo >include/git2.h; echo "#include <git2.h>" >>src/host/root.c'
expect pure src/policy/match.o 'calls src/policy/match.c fcntl.h "open(\"x\", 0)"'
expect pure src/starters/lens.o 'calls src/starters/lens.c unistd.h "fork()"'
expect pure src/starters/lens.o 'calls src/starters/lens.c sys/socket.h "socket(0, 0, 0)"'
expect paths src/history/txn.o 'calls src/history/txn.c stdio.h "fopen(\"x\", \"r\")"'
expect renames src/host/root.o 'calls src/host/root.c stdio.h "rename(\"x\", \"y\")"'
expect renames src/host/root.c \
    'calls src/host/root.c sys/syscall.h "syscall(SYS_renameat2, 0, \"x\", 0, \"y\", 2)"'
expect ends src/history/txn.o 'calls src/history/txn.c stdlib.h "(exit(1), 0)"'
expect shell src/cli/main.o 'calls src/cli/main.c stdlib.h "system(\"x\")"'
expect length src/base/buf.c \
    '{ echo "void f(void)"; echo "{"; yes ";" | head -n 120; echo "}"; } >>src/base/buf.c'
expect length include/batten/buf.h 'yes "" | head -n 501 >>include/batten/buf.h'
expect words README.md "echo 'see /wo''rk/x' >>README.md"
expect words src/base/buf.c "echo '/* TO''DO */' >>src/base/buf.c"
exit $failed
