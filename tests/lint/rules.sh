#!/bin/bash
# rules.sh - the rules of the house that a compiler does not know
#
#     tests/lint/rules.sh TREE OBJECTS
#
# TREE is the project's tree, OBJECTS the directory of its compiled objects. Prints one line
# 'RULE: FILE: what is wrong' per breach and leaves 1 when there is any.
#
#     includes   cli -> history -> host; cli -> policy -> starters; history -> policy; all -> base
#     owners     augeas.h only in starters/lens.c, git2 only in history/
#     pure       policy and starters call nothing that opens, talks or starts
#     paths      only host opens paths
#     renames    only host/replace*.c renames
#     ends       only cli/main.c ends the program
#     shell      nothing starts a shell
#     length     functions of at most 100 lines; files of at most 500, of tests 700
#     words      nothing left open, no paths of one machine
set -u

tree=$1
objects=$(realpath "$2")
cd "$tree" || exit 2

breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

breach()
{
    printf '%s: %s: %s\n' "$1" "$2" "$3" | tee -a "$breaches"
}

# --- who may include whom ------------------------------------------------------------------------

may_see()
{
    case $1 in
    base) echo base ;;
    host) echo base host ;;
    starters) echo base starters ;;
    policy) echo base starters policy ;;
    history) echo base host starters policy history ;;
    cli) echo base host starters policy history cli ;;
    esac
}

# A public header belongs to the room that has a .c of its name or includes it first; plain data has
# no such file, and cli has no public header.
declare -A room_of=([banned]=base [source]=base [entry]=starters [edit]=starters
    [starter]=starters)

find_rooms()
{
    local file name

    for file in src/{base,host,starters,policy,history}/*.c; do
        name=$(basename "$file" .c)
        test ! -e "include/batten/$name.h" || room_of[$name]=$(basename "$(dirname "$file")")
    done
    for file in src/{base,host,starters,policy,history}/*.c; do
        test -e "$file" || continue
        name=$(sed -n '/^#include/{s|.*"batten/\(.*\)\.h".*|\1|p;q}' "$file")
        test -z "$name" || test -n "${room_of[$name]-}" ||
            room_of[$name]=$(basename "$(dirname "$file")")
    done
}

check_includes_of()
{
    local file=$1 room=$2 name to

    while read -r name; do
        case $name in
        batten/*)
            name=${name#batten/}
            to=${room_of[${name%.h}]-}
            if test -z "$to"; then
                breach includes "$file" "'$name' belongs to no room"
            elif ! grep -qw "$to" <<<"$(may_see "$room")"; then
                breach includes "$file" "$room must not see '$name' of $to"
            fi
            ;;
        profiles.inc) ;;
        */*) breach includes "$file" "'$name' is a private header of another room" ;;
        *) test -e "src/$room/$name" || breach includes "$file" "'$name' is not in its room" ;;
        esac
    done < <(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file")
}

check_includes()
{
    local file room

    find_rooms
    for file in src/*/*.[ch] src/*/*.inc include/batten/*.h; do
        test -e "$file" || continue
        case $file in
        include/*)
            room=$(basename "$file" .h)
            room=${room_of[$room]-}
            ;;
        *) room=$(basename "$(dirname "$file")") ;;
        esac
        if test -z "$room"; then
            breach includes "$file" 'belongs to no room: no file of src includes it first'
        else
            check_includes_of "$file" "$room"
        fi
    done
}

including()
{
    grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$1" -r src include
}

check_owners()
{
    local file

    including augeas | while read -r file; do
        test "$file" = src/starters/lens.c || breach owners "$file" 'augeas is for starters/lens.c'
    done
    including git2 | while read -r file; do
        case $file in
        src/history/*) ;;
        *) breach owners "$file" 'libgit2 is for history' ;;
        esac
    done
}

# --- what objects call ---------------------------------------------------------------------------

# The undefined symbols of an object, without what the headers make of a name.
calls_of()
{
    nm -u "$1" | awk '{ print $NF }' |
        sed -E -e 's/^__(isoc99_)?//' -e 's/_chk$//' -e 's/_2$//' -e 's/64$//' | sort -u
}

forbid()
{
    local rule=$1 pattern=$2 why=$3 object call

    shift 3
    for object in "$@"; do
        test -e "$object" || continue
        while read -r call; do
            breach "$rule" "src/${object#"$objects"/}" "calls '$call': $why"
        done < <(calls_of "$object" | grep -xE "$pattern")
    done
}

opening='f?open(at)?|openat2|freopen|creat|opendir|statx?|lstat|fstatat|mkdir(at)?|unlink(at)?'
opening+='|rmdir|link(at)?|symlink(at)?|mkstemp|mkdtemp|mkostemp|chmod|fchmodat|l?chown|fchownat'
opening+='|truncate|utimensat|scandir(at)?|glob|nftw|ftw|realpath'
talking='socket(pair)?|connect|bind|listen|accept4?|send(to|msg)?|recv(from|msg)?|getaddrinfo'
talking+='|gethostby.*|getservby.*|getrpcby.*|getpw.*|getgr.*|syslog|openlog'
starting='v?fork|clone3?|exec[lv].*|fexecve|posix_spawnp?|kill|tgkill|signal|sigaction|ptrace'
doing='access|faccessat|fstat|fdopen|fchmod|fchown|read|write|pread|pwrite|fread|fwrite|fgets'
doing+='|getline|puts|putchar|printf|fprintf|vfprintf'
doing+='|fputs|fputc|perror|ioctl|fcntl|mmap|getenv|setenv|syscall|time|clock_gettime|gettimeofday'

check_calls()
{
    local o=$objects others

    forbid pure "$opening|$talking|$starting|$doing" 'this room is pure' \
        "$o"/policy/*.o "$o"/starters/*.o
    # /dev/null is no path of a host: hygiene opens it before anything else.
    mapfile -t others < <(find "$o/base" "$o/cli" "$o/history" -name '*.o' ! -name hygiene.o \
        2>/dev/null | sort)
    forbid paths "$opening" 'only host opens paths' "${others[@]}"
    mapfile -t others < <(find "$o" -name '*.o' ! -path '*/host/replace*' | sort)
    forbid renames 'rename(at2?)?' 'only host/replace renames' "${others[@]}"
    mapfile -t others < <(find "$o" -name '*.o' ! -path '*/cli/main.o' | sort)
    forbid ends 'exit|err|errx|verr|verrx|quick_exit|abort' 'only main ends the program' \
        "${others[@]}"
    forbid shell 'system|popen|wordexp' 'nothing starts a shell' "${others[@]}" "$o/cli/main.o"
    grep -nE 'SYS_rename|__NR_rename' -r src | grep -v '^src/host/replace' | while IFS=: read -r f l _; do
        breach renames "$f" "line $l: only host/replace renames"
    done
}

# --- sizes and words -----------------------------------------------------------------------------

check_length()
{
    local file lines

    find src include tests \( -name '*.c' -o -name '*.h' -o -name '*.inc' \) | sort |
        xargs -r wc -l | awk '
            { most = $2 ~ /^tests/ ? 700 : 500 }
            $2 != "total" && $1 > most { print $2, $1 " lines, at most " most }' |
        while read -r file lines; do
            breach length "$file" "$lines"
        done
    find src tests -name '*.c' | sort | xargs -r ctags --fields=+ne --kinds-C=f -o - |
        awk -F '\t' '!/^!/ {
            line = end = 0
            for (i = 4; i <= NF; i++) {
                if ($i ~ /^line:/) line = substr($i, 6)
                if ($i ~ /^end:/) end = substr($i, 5)
            }
            if (end - line + 1 > 100) print $2, $1, end - line + 1
        }' | while read -r file name lines; do
        breach length "$file" "'$name' has $lines lines, at most 100"
    done
}

# Written apart here, so that this file does not find itself.
words='\b(TO''DO|FIX''ME|X''XX|HA''CK)\b|not imple''mented|\bst''ub(bed)?\b'
paths='/wo''rk/|/ho''me/[a-z]+/(src|git|projects)|/tm''p/bash_jobs'

check_words()
{
    local file line what

    git ls-files -z -- . 2>/dev/null | xargs -0 -r grep -InE "$paths" |
        while IFS=: read -r file line what; do
            breach words "$file" "line $line: a path of one machine: $what"
        done
    git ls-files -z -- src include lenses Makefile README.md 2>/dev/null | xargs -0 -r grep -InE "$words" |
        while IFS=: read -r file line what; do
            breach words "$file" "line $line: left open: $what"
        done
}

check_includes
check_owners
check_calls
check_length
check_words
test ! -s "$breaches"
