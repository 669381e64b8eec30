# shellcheck shell=sh
# Sourced: knowing a process again by its id and the moment it started, so that a process id that the
# system has given to someone else meanwhile is never signalled. A process file holds "PID STARTED".

started() { # PID -> when it started, or nothing when there is no such process (a zombie counts as none)
    if [ -r /proc/self/stat ]; then
        [ -r "/proc/$1/stat" ] || return 0
        # the name in parentheses may hold spaces: count fields after it
        sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" && $1 != "X" { print $20 }'
    else
        ps -o lstart= -p "$1" 2>/dev/null | tr -s ' \n' '__'
    fi
}

remember() { # PID FILE
    printf '%s %s\n' "$1" "$(started "$1")" >"$2.new" && mv "$2.new" "$2"
}

recall() { # FILE -> the PID, when that very process still lives
    [ -s "$1" ] || return 0
    read -r recall_pid recall_started <"$1" || return 0
    case $recall_pid in '' | *[!0-9]*) return 0 ;; esac
    if [ -n "$recall_started" ] && [ "$(started "$recall_pid")" = "$recall_started" ]; then
        printf '%s\n' "$recall_pid"
    fi
}

gone_within() { # SECONDS FILE... -> true once none of the remembered processes lives
    limit=$(($(date +%s) + $1))
    shift
    for file in "$@"; do
        while [ -n "$(recall "$file")" ]; do
            [ "$(date +%s)" -lt "$limit" ] || return 1
            sleep 0.2
        done
    done
}
