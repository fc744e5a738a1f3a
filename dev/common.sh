# What the scripts of this folder share: where things are, and how they speak. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ergon
state=${XDG_STATE_HOME:-$HOME/.local/state}/ergon
export root cache state

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
else
    green='' red='' dim='' plain=''
fi

# ok WHAT HOW: one thing is as it should be.
ok() { printf '%s✓%s %-14s %s\n' "$green" "$plain" "$1" "${2:-}"; }

# doing WHAT HOW: something slow begins, said before it takes its time.
doing() { printf '%s· %-14s %s%s\n' "$dim" "$1" "${2:-}" "$plain"; }

# fail WHAT WHY [WHAT TO DO]: the end, on stderr.
fail() {
    printf '%s✗%s %-14s %s\n' "$red" "$plain" "$1" "$2" >&2
    [[ -z ${3:-} ]] || printf '  %-14s %s\n' '' "$3" >&2
    exit 1
}

# took SECONDS: a time as people say it.
took() {
    if (($1 < 60)); then printf '%d s' "$1"; else printf '%d m %d s' $(($1 / 60)) $(($1 % 60)); fi
}

# quietly LOG COMMAND…: runs a command with its output in a file, of which the end is shown if it fails.
quietly() {
    local log=$1
    shift
    mkdir -p "$(dirname "$log")"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 25 "$log" >&2
        return 1
    fi
}
