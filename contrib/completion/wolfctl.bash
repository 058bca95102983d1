# bash completion for wolfctl. Commands come from `wolfctl help`, options from `wolfctl help COMMAND`: they cannot drift.

_wolfctl_commands() {
    # two-word commands keep one space; descriptions begin after two
    "$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\( [a-z-]*\)\{0,1\}\)  *.*/\1/p' | sed 's/ *$//'
}

_wolfctl_options() {
    "$@" 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u
}

_wolfctl() {
    local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local -a words=()
    local word
    COMPREPLY=()
    case $previous in
    --socket | --config | --output | --password-file | --defaults-file | --dir)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --format)
        mapfile -t COMPREPLY < <(compgen -W "text json csv" -- "$current")
        return
        ;;
    log-level)
        mapfile -t COMPREPLY < <(compgen -W "error warning info debug" -- "$current")
        return
        ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == -* ]] || words+=("$word")
    done
    if [[ $current == -* ]]; then
        case ${words[0]-} in
        wal | binlog-setup | binlog) mapfile -t COMPREPLY < <(compgen -W "$(_wolfctl_options "$program" "${words[@]}" --help)" -- "$current") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$(_wolfctl_options "$program" help "${words[@]}")" -- "$current") ;;
        esac
        return
    fi
    case ${#words[@]} in
    0) mapfile -t COMPREPLY < <(compgen -W "$(_wolfctl_commands "$program" | cut -d' ' -f1 | sort -u)" -- "$current") ;;
    1)
        case ${words[0]} in
        wal) mapfile -t COMPREPLY < <(compgen -W "list info dump verify find" -- "$current") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$(_wolfctl_commands "$program" | sed -n "s/^${words[0]} //p")" -- "$current") ;;
        esac
        ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}

complete -F _wolfctl wolfctl wolfcdcctl
