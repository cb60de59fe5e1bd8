# bash completion of cicdctl. Made from its command table: cicdctl completion bash
_cicdctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' options='' i word
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            -o|--output|--socket|--color) ((i++)) ;;
            -*) [[ -n $command ]] && break ;;
            *)
                case $command in
                    '') command=$word ;;
                    pipeline|job|daemon|config) command+=" $word" ;;
                    *) break ;;
                esac ;;
        esac
    done
    case "$command $prev" in
        'run '--timeout) COMPREPLY=(); return ;;
        'run '-f|'run '--file) compopt -o default; COMPREPLY=(); return ;;
        'run '--stage) COMPREPLY=(); return ;;
        'run '--job) COMPREPLY=(); return ;;
        'run '-p|'run '--param) COMPREPLY=(); return ;;
        'run '--var) COMPREPLY=(); return ;;
        'run '--commit) COMPREPLY=(); return ;;
        'run '--branch) COMPREPLY=(); return ;;
        'run '--tag) COMPREPLY=(); return ;;
        'run '--event) COMPREPLY=($(compgen -W 'push pull_request manual schedule' -- "$cur")); return ;;
        'run '--base) COMPREPLY=(); return ;;
        'run '--repository) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'plan '--format) COMPREPLY=($(compgen -W 'tree dot mermaid' -- "$cur")); return ;;
        'plan '-f|'plan '--file) compopt -o default; COMPREPLY=(); return ;;
        'plan '--stage) COMPREPLY=(); return ;;
        'plan '--job) COMPREPLY=(); return ;;
        'plan '-p|'plan '--param) COMPREPLY=(); return ;;
        'plan '--var) COMPREPLY=(); return ;;
        'plan '--commit) COMPREPLY=(); return ;;
        'plan '--branch) COMPREPLY=(); return ;;
        'plan '--tag) COMPREPLY=(); return ;;
        'plan '--event) COMPREPLY=($(compgen -W 'push pull_request manual schedule' -- "$cur")); return ;;
        'plan '--base) COMPREPLY=(); return ;;
        'plan '--repository) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'ps '--status) COMPREPLY=($(compgen -W 'created queued running blocked success failed cancelled' -- "$cur")); return ;;
        'ps '--pipeline) COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")); return ;;
        'ps '--branch) COMPREPLY=(); return ;;
        'ps '--limit) COMPREPLY=(); return ;;
        'ps '--page) COMPREPLY=(); return ;;
        'logs '--step) COMPREPLY=(); return ;;
        'logs '--tail) COMPREPLY=(); return ;;
        'watch '--timeout) COMPREPLY=(); return ;;
        'cancel '--reason) COMPREPLY=(); return ;;
        'retry '--timeout) COMPREPLY=(); return ;;
        'pipeline list '--limit) COMPREPLY=(); return ;;
        'pipeline list '--page) COMPREPLY=(); return ;;
        'pipeline create '-f|'pipeline create '--file) compopt -o default; COMPREPLY=(); return ;;
        'pipeline create '--name) COMPREPLY=(); return ;;
        'pipeline create '--description) COMPREPLY=(); return ;;
        'pipeline create '--repository) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'pipeline update '-f|'pipeline update '--file) compopt -o default; COMPREPLY=(); return ;;
        'pipeline update '--name) COMPREPLY=(); return ;;
        'pipeline update '--description) COMPREPLY=(); return ;;
        'pipeline update '--repository) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'pipeline run '-p|'pipeline run '--param) COMPREPLY=(); return ;;
        'pipeline run '--branch) COMPREPLY=(); return ;;
        'pipeline run '--commit) COMPREPLY=(); return ;;
        'pipeline export '--format) COMPREPLY=($(compgen -W 'yaml json' -- "$cur")); return ;;
        'job list '--status) COMPREPLY=($(compgen -W 'created queued scheduled running success failed cancelled skipped archived' -- "$cur")); return ;;
        'job list '--stage) COMPREPLY=(); return ;;
        'job list '--name) COMPREPLY=(); return ;;
        'job list '--limit) COMPREPLY=(); return ;;
        'job list '--page) COMPREPLY=(); return ;;
        'job logs '--step) COMPREPLY=(); return ;;
        'job logs '--tail) COMPREPLY=(); return ;;
        'job cancel '--reason) COMPREPLY=(); return ;;
        'daemon stop '--timeout) COMPREPLY=(); return ;;
        'daemon logs '--tail) COMPREPLY=(); return ;;
        'api '-d|'api '--data) compopt -o default; COMPREPLY=(); return ;;
        'api '-H|'api '--header) COMPREPLY=(); return ;;
        *' '-o|*' '--output) COMPREPLY=($(compgen -W 'table wide json yaml name' -- "$cur")); return ;;
        *' '--socket) compopt -o default; COMPREPLY=(); return ;;
        *' '--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
    esac
    case $command in
        'run') options='-d --detach --events --dry-run --timeout -f --file --stage --job -p --param --var --commit --branch --tag --event --base --repository' ;;
        'plan') options='--format --exit-code -f --file --stage --job -p --param --var --commit --branch --tag --event --base --repository' ;;
        'init') options='--force --stdout' ;;
        'ps') options='-a --all --status --pipeline --branch --limit --page' ;;
        'logs') options='-f --follow --step --tail --timestamps' ;;
        'watch') options='--events --no-wait --timeout' ;;
        'cancel') options='--reason' ;;
        'retry') options='--everything -d --detach --events --timeout' ;;
        'pipeline list') options='--limit --page' ;;
        'pipeline create') options='-f --file --name --description --repository' ;;
        'pipeline update') options='-f --file --name --description --repository' ;;
        'pipeline run') options='-p --param --branch --commit -d --detach' ;;
        'pipeline export') options='--format' ;;
        'job list') options='--status --stage --name --limit --page' ;;
        'job logs') options='-f --follow --step --tail --timestamps' ;;
        'job cancel') options='--reason' ;;
        'daemon stop') options='--timeout' ;;
        'daemon logs') options='-f --follow --tail' ;;
        'api') options='-d --data -H --header -i --include' ;;
        'config list') options='--show-origin' ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options -o --output --no-headers -q --quiet -y --yes --no-input --no-autostart --socket --color --help" -- "$cur"))
        return
    fi
    case $command in
        '') COMPREPLY=($(compgen -W 'run plan validate init ps show logs watch status cancel retry pipeline job daemon doctor api config completion version help' -- "$cur")) ;;
        'run') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'plan') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'validate') compopt -o default; COMPREPLY=() ;;
        'show') COMPREPLY=($(compgen -W "$(cicdctl complete id 2>/dev/null)" -- "$cur")) ;;
        'logs') COMPREPLY=($(compgen -W "$(cicdctl complete id 2>/dev/null)" -- "$cur")) ;;
        'watch') COMPREPLY=($(compgen -W "$(cicdctl complete run 2>/dev/null)" -- "$cur")) ;;
        'cancel') COMPREPLY=($(compgen -W "$(cicdctl complete id 2>/dev/null)" -- "$cur")) ;;
        'retry') COMPREPLY=($(compgen -W "$(cicdctl complete run 2>/dev/null)" -- "$cur")) ;;
        'pipeline') COMPREPLY=($(compgen -W 'list show create update delete versions enable disable validate run export' -- "$cur")) ;;
        'pipeline show') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'pipeline create') compopt -o default; COMPREPLY=() ;;
        'pipeline update') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'pipeline delete') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'pipeline versions') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'pipeline enable') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'pipeline disable') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'pipeline validate') compopt -o default; COMPREPLY=() ;;
        'pipeline run') COMPREPLY=($(compgen -W "$(cicdctl complete pipeline 2>/dev/null)" -- "$cur")) ;;
        'pipeline export') compopt -o default; COMPREPLY=() ;;
        'job') COMPREPLY=($(compgen -W 'list show logs cancel restart' -- "$cur")) ;;
        'job list') COMPREPLY=($(compgen -W "$(cicdctl complete run 2>/dev/null)" -- "$cur")) ;;
        'job show') COMPREPLY=($(compgen -W "$(cicdctl complete job 2>/dev/null)" -- "$cur")) ;;
        'job logs') COMPREPLY=($(compgen -W "$(cicdctl complete job 2>/dev/null)" -- "$cur")) ;;
        'job cancel') COMPREPLY=($(compgen -W "$(cicdctl complete job 2>/dev/null)" -- "$cur")) ;;
        'job restart') COMPREPLY=($(compgen -W "$(cicdctl complete job 2>/dev/null)" -- "$cur")) ;;
        'daemon') COMPREPLY=($(compgen -W 'start stop status logs' -- "$cur")) ;;
        'api') COMPREPLY=() ;;
        'config') COMPREPLY=($(compgen -W 'list' -- "$cur")) ;;
        'completion') COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur")) ;;
        'help') COMPREPLY=($(compgen -W "$(cicdctl complete command 2>/dev/null)" -- "$cur")) ;;
    esac
}
complete -F _cicdctl cicdctl
