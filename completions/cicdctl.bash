# bash completion of cicdctl. Made from its command table: cicdctl completion bash
_cicdctl_ask() {
    local word rest
    while IFS=$'\t' read -r word rest; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done < <("${COMP_WORDS[0]}" complete "$1" 2>/dev/null)
}

_cicdctl() {
    COMPREPLY=()
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' options='' i word
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            -o|--output|--socket|--color) ((i++)) ;;
            -*) [[ -n $command ]] && break ;;
            *)
                case $command in
                    '') command=$word ;;
                    pipeline|job|artifact|cache|secret|image|daemon|config) command+=" $word" ;;
                    *) break ;;
                esac ;;
        esac
    done
    case "$command $prev" in
        'run '--from) COMPREPLY=(); return ;;
        'run '--priority) COMPREPLY=($(compgen -W 'critical high normal low' -- "$cur")); return ;;
        'run '--timeout) COMPREPLY=(); return ;;
        'run '-f|'run '--file) compopt -o default; COMPREPLY=(); return ;;
        'run '--stage) COMPREPLY=(); return ;;
        'run '--job) COMPREPLY=(); return ;;
        'run '-p|'run '--param) COMPREPLY=(); return ;;
        'run '--var) COMPREPLY=(); return ;;
        'run '--commit) COMPREPLY=(); return ;;
        'run '--branch) COMPREPLY=(); return ;;
        'run '--tag) COMPREPLY=(); return ;;
        'run '--event) COMPREPLY=(); return ;;
        'run '--event-file) compopt -o default; COMPREPLY=(); return ;;
        'run '--env) COMPREPLY=(); return ;;
        'run '--env-file) compopt -o default; COMPREPLY=(); return ;;
        'run '--matrix) COMPREPLY=(); return ;;
        'run '--action) COMPREPLY=(); return ;;
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
        'plan '--event) COMPREPLY=(); return ;;
        'plan '--event-file) compopt -o default; COMPREPLY=(); return ;;
        'plan '--env) COMPREPLY=(); return ;;
        'plan '--env-file) compopt -o default; COMPREPLY=(); return ;;
        'plan '--matrix) COMPREPLY=(); return ;;
        'plan '--action) COMPREPLY=(); return ;;
        'plan '--base) COMPREPLY=(); return ;;
        'plan '--repository) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'import '--to) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'import '-o|'import '--output) COMPREPLY=($(compgen -W 'table wide json yaml name' -- "$cur") $(compgen -d -- "$cur")); return ;;
        'export '--format) COMPREPLY=($(compgen -W 'yaml json hcl github' -- "$cur")); return ;;
        'ps '--status) COMPREPLY=($(compgen -W 'created queued running blocked success failed cancelled' -- "$cur")); return ;;
        'ps '--pipeline) _cicdctl_ask pipeline; return ;;
        'ps '--branch) COMPREPLY=(); return ;;
        'ps '--commit) COMPREPLY=(); return ;;
        'ps '--user) COMPREPLY=(); return ;;
        'ps '--event) COMPREPLY=($(compgen -W 'push pull_request manual schedule webhook pipeline' -- "$cur")); return ;;
        'ps '--since) COMPREPLY=(); return ;;
        'ps '--until) COMPREPLY=(); return ;;
        'ps '--limit) COMPREPLY=(); return ;;
        'ps '--page) COMPREPLY=(); return ;;
        'logs '--tail) COMPREPLY=(); return ;;
        'logs '--since) COMPREPLY=(); return ;;
        'logs '--step) COMPREPLY=(); return ;;
        'logs '--grep) COMPREPLY=(); return ;;
        'logs '--attempt) COMPREPLY=(); return ;;
        'watch '--timeout) COMPREPLY=(); return ;;
        'cancel '--reason) COMPREPLY=(); return ;;
        'retry '--from) COMPREPLY=(); return ;;
        'retry '--job) COMPREPLY=(); return ;;
        'retry '--timeout) COMPREPLY=(); return ;;
        'reschedule '--priority) COMPREPLY=($(compgen -W 'critical high normal low' -- "$cur")); return ;;
        'reschedule '--not-before) COMPREPLY=(); return ;;
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
        'pipeline export '--format) COMPREPLY=($(compgen -W 'yaml json hcl github' -- "$cur")); return ;;
        'job list '--status) COMPREPLY=($(compgen -W 'created queued scheduled running success failed cancelled skipped archived' -- "$cur")); return ;;
        'job list '--stage) COMPREPLY=(); return ;;
        'job list '--name) COMPREPLY=(); return ;;
        'job list '--limit) COMPREPLY=(); return ;;
        'job list '--page) COMPREPLY=(); return ;;
        'job logs '--tail) COMPREPLY=(); return ;;
        'job logs '--since) COMPREPLY=(); return ;;
        'job logs '--step) COMPREPLY=(); return ;;
        'job logs '--grep) COMPREPLY=(); return ;;
        'job logs '--attempt) COMPREPLY=(); return ;;
        'job cancel '--reason) COMPREPLY=(); return ;;
        'job reschedule '--priority) COMPREPLY=($(compgen -W 'critical high normal low' -- "$cur")); return ;;
        'job reschedule '--not-before) COMPREPLY=(); return ;;
        'artifact list '--name) COMPREPLY=(); return ;;
        'artifact list '--limit) COMPREPLY=(); return ;;
        'artifact list '--page) COMPREPLY=(); return ;;
        'artifact download '--to) compopt -o default; COMPREPLY=(); return ;;
        'artifact download '--path) COMPREPLY=(); return ;;
        'artifact download '--format) COMPREPLY=($(compgen -W 'tar zip tar.zst' -- "$cur")); return ;;
        'artifact upload '--type) COMPREPLY=(); return ;;
        'artifact upload '--retention) COMPREPLY=(); return ;;
        'cache list '--key) COMPREPLY=(); return ;;
        'cache list '--page) COMPREPLY=(); return ;;
        'secret set '-f|'secret set '--file) compopt -o default; COMPREPLY=(); return ;;
        'secret set '--rotate-by) COMPREPLY=(); return ;;
        'secret set '--project) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'secret set '--env) COMPREPLY=(); return ;;
        'secret set '--branch) COMPREPLY=(); return ;;
        'secret list '--project) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'secret list '--env) COMPREPLY=(); return ;;
        'secret list '--branch) COMPREPLY=(); return ;;
        'secret rotate '-f|'secret rotate '--file) compopt -o default; COMPREPLY=(); return ;;
        'secret rotate '--rotate-by) COMPREPLY=(); return ;;
        'secret rotate '--project) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'secret rotate '--env) COMPREPLY=(); return ;;
        'secret rotate '--branch) COMPREPLY=(); return ;;
        'secret rm '--project) COMPREPLY=($(compgen -d -- "$cur")); return ;;
        'secret rm '--env) COMPREPLY=(); return ;;
        'secret rm '--branch) COMPREPLY=(); return ;;
        'secret history '--limit) COMPREPLY=(); return ;;
        'image import '--tag) COMPREPLY=(); return ;;
        'image build '--packages) COMPREPLY=(); return ;;
        'image build '--suite) COMPREPLY=(); return ;;
        'image build '--mirror) COMPREPLY=(); return ;;
        'image build '--variant) COMPREPLY=(); return ;;
        'daemon stop '--timeout) COMPREPLY=(); return ;;
        'daemon logs '--tail) COMPREPLY=(); return ;;
        'api '-d|'api '--data) compopt -o default; COMPREPLY=(); return ;;
        'api '-H|'api '--header) COMPREPLY=(); return ;;
        *' '-o|*' '--output) COMPREPLY=($(compgen -W 'table wide json yaml name' -- "$cur")); return ;;
        *' '--socket) compopt -o default; COMPREPLY=(); return ;;
        *' '--color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
    esac
    case $command in
        'run') options='-d --detach --events --dry-run --from --no-reuse --priority --timeout -f --file --stage --job -p --param --var --commit --branch --tag --event --event-file --env --env-file --matrix --action --strict --base --repository' ;;
        'plan') options='--format --exit-code -f --file --stage --job -p --param --var --commit --branch --tag --event --event-file --env --env-file --matrix --action --strict --base --repository' ;;
        'validate') options='--strict' ;;
        'init') options='--force --stdout' ;;
        'import') options='--to --audit' ;;
        'export') options='--format' ;;
        'ps') options='-a --all --status --pipeline --branch --commit --user --event --since --until --limit --page -w --watch' ;;
        'logs') options='-f --follow --tail --since --step --grep --attempt --timestamps --raw' ;;
        'watch') options='--events --no-wait --timeout' ;;
        'explain') options='-a --all' ;;
        'cancel') options='--reason --force' ;;
        'retry') options='--failed --from --job --everything -d --detach --events --timeout' ;;
        'reschedule') options='--priority --not-before' ;;
        'pipeline list') options='--limit --page' ;;
        'pipeline create') options='-f --file --name --description --repository' ;;
        'pipeline update') options='-f --file --name --description --repository' ;;
        'pipeline validate') options='--strict' ;;
        'pipeline run') options='-p --param --branch --commit -d --detach' ;;
        'pipeline export') options='--format' ;;
        'job list') options='--status --stage --name --limit --page' ;;
        'job logs') options='-f --follow --tail --since --step --grep --attempt --timestamps --raw' ;;
        'job cancel') options='--reason --force' ;;
        'job queue') options='-w --watch' ;;
        'job reschedule') options='--priority --not-before' ;;
        'artifact list') options='--name --limit --page' ;;
        'artifact download') options='--to --path --format --continue' ;;
        'artifact upload') options='--unpack --type --retention' ;;
        'cache list') options='--key --page' ;;
        'secret set') options='-f --file --rotate-by --project --env --branch' ;;
        'secret list') options='--project --env --branch' ;;
        'secret rotate') options='-f --file --rotate-by --project --env --branch' ;;
        'secret rm') options='--project --env --branch' ;;
        'secret history') options='--limit' ;;
        'image import') options='--tag' ;;
        'image build') options='--packages --suite --mirror --variant --trusted' ;;
        'daemon stop') options='--timeout' ;;
        'daemon logs') options='-f --follow --tail' ;;
        'daemon backup') options='--overwrite --no-logs' ;;
        'daemon cleanup') options='--dry-run' ;;
        'config list') options='--show-origin --set' ;;
        'config set') options='--project --system' ;;
        'config unset') options='--project --system' ;;
        'doctor') options='--deep' ;;
        'api') options='-d --data -H --header -i --include' ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options -o --output --no-headers -q --quiet -y --yes --no-input --no-autostart --socket --color --help" -- "$cur"))
        return
    fi
    case $command in
        '') COMPREPLY=($(compgen -W 'run plan validate init import export ps show logs watch status explain cancel retry reschedule pipeline job artifact cache secret image daemon config doctor api completion version help' -- "$cur")) ;;
        'run') _cicdctl_ask pipeline ;;
        'plan') _cicdctl_ask pipeline ;;
        'validate') compopt -o default; COMPREPLY=() ;;
        'import') compopt -o default; COMPREPLY=() ;;
        'export') compopt -o default; COMPREPLY=() ;;
        'show') _cicdctl_ask id ;;
        'logs') _cicdctl_ask id ;;
        'watch') _cicdctl_ask run ;;
        'explain') _cicdctl_ask id ;;
        'cancel') _cicdctl_ask id ;;
        'retry') _cicdctl_ask run ;;
        'reschedule') _cicdctl_ask id ;;
        'pipeline') COMPREPLY=($(compgen -W 'list show create update delete versions enable disable validate run export' -- "$cur")) ;;
        'pipeline show') _cicdctl_ask pipeline ;;
        'pipeline create') compopt -o default; COMPREPLY=() ;;
        'pipeline update') _cicdctl_ask pipeline ;;
        'pipeline delete') _cicdctl_ask pipeline ;;
        'pipeline versions') _cicdctl_ask pipeline ;;
        'pipeline enable') _cicdctl_ask pipeline ;;
        'pipeline disable') _cicdctl_ask pipeline ;;
        'pipeline validate') compopt -o default; COMPREPLY=() ;;
        'pipeline run') _cicdctl_ask pipeline ;;
        'pipeline export') compopt -o default; COMPREPLY=() ;;
        'job') COMPREPLY=($(compgen -W 'list show logs cancel restart queue reschedule' -- "$cur")) ;;
        'job list') _cicdctl_ask run ;;
        'job show') _cicdctl_ask job ;;
        'job logs') _cicdctl_ask job ;;
        'job cancel') _cicdctl_ask job ;;
        'job restart') _cicdctl_ask job ;;
        'job reschedule') _cicdctl_ask job ;;
        'artifact') COMPREPLY=($(compgen -W 'list show download upload rm' -- "$cur")) ;;
        'artifact list') _cicdctl_ask id ;;
        'artifact show') COMPREPLY=() ;;
        'artifact download') COMPREPLY=() ;;
        'artifact upload') _cicdctl_ask id ;;
        'artifact rm') COMPREPLY=() ;;
        'cache') COMPREPLY=($(compgen -W 'list show rm' -- "$cur")) ;;
        'cache show') COMPREPLY=() ;;
        'cache rm') COMPREPLY=() ;;
        'secret') COMPREPLY=($(compgen -W 'set list rotate rm history rekey' -- "$cur")) ;;
        'secret set') COMPREPLY=() ;;
        'secret rotate') COMPREPLY=() ;;
        'secret rm') COMPREPLY=() ;;
        'secret history') COMPREPLY=() ;;
        'image') COMPREPLY=($(compgen -W 'list import build show rm' -- "$cur")) ;;
        'image import') COMPREPLY=() ;;
        'image build') COMPREPLY=() ;;
        'image show') COMPREPLY=() ;;
        'image rm') COMPREPLY=() ;;
        'daemon') COMPREPLY=($(compgen -W 'start stop status logs log-level backup restore cleanup' -- "$cur")) ;;
        'daemon log-level') COMPREPLY=($(compgen -W 'trace debug info warn error' -- "$cur")) ;;
        'daemon backup') compopt -o default; COMPREPLY=() ;;
        'daemon restore') compopt -o default; COMPREPLY=() ;;
        'config') COMPREPLY=($(compgen -W 'list get set unset' -- "$cur")) ;;
        'config get') _cicdctl_ask setting ;;
        'config set') _cicdctl_ask setting ;;
        'config unset') _cicdctl_ask setting ;;
        'api') COMPREPLY=() ;;
        'completion') COMPREPLY=($(compgen -W 'bash zsh fish' -- "$cur")) ;;
        'help') _cicdctl_ask command ;;
    esac
}
complete -F _cicdctl cicdctl
