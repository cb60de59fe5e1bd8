# fish completion of cicdctl. Made from its command table: cicdctl completion fish
complete -c cicdctl -f
complete -c cicdctl -n __fish_use_subcommand -a run -d 'Run a pipeline and follow it to its verdict'
complete -c cicdctl -n __fish_use_subcommand -a plan -d 'Show what would run, and why, without running it'
complete -c cicdctl -n __fish_use_subcommand -a validate -d 'Check pipeline files, without running anything'
complete -c cicdctl -n __fish_use_subcommand -a init -d 'Write a pipeline that fits this repository'
complete -c cicdctl -n __fish_use_subcommand -a ps -d 'List runs: those under way, or all'
complete -c cicdctl -n __fish_use_subcommand -a show -d 'Show a run or a job'
complete -c cicdctl -n __fish_use_subcommand -a logs -d 'Show what a run or a job wrote'
complete -c cicdctl -n __fish_use_subcommand -a watch -d 'Follow a run to its end, and exit as it did'
complete -c cicdctl -n __fish_use_subcommand -a status -d 'Show the daemon, its capacity and what runs'
complete -c cicdctl -n __fish_use_subcommand -a cancel -d 'Cancel runs or jobs'
complete -c cicdctl -n __fish_use_subcommand -a retry -d 'Run again what did not succeed'
complete -c cicdctl -n __fish_use_subcommand -a pipeline -d 'Pipelines that the daemon keeps: list, create, run, …'
complete -c cicdctl -n __fish_use_subcommand -a job -d 'Jobs: list, show, logs, cancel, restart'
complete -c cicdctl -n __fish_use_subcommand -a daemon -d 'The daemon: start, stop, status, logs'
complete -c cicdctl -n __fish_use_subcommand -a doctor -d 'Check that this machine can run pipelines'
complete -c cicdctl -n __fish_use_subcommand -a api -d 'Call the API directly'
complete -c cicdctl -n __fish_use_subcommand -a config -d 'Settings: list'
complete -c cicdctl -n __fish_use_subcommand -a completion -d 'Write the completion script of a shell'
complete -c cicdctl -n __fish_use_subcommand -a version -d 'Show the version'
complete -c cicdctl -n __fish_use_subcommand -a help -d 'Explain a command'
complete -c cicdctl -s o -l output -d 'table, wide, json, yaml or name' -xa 'table wide json yaml name'
complete -c cicdctl -l no-headers -d 'Tables without their first line'
complete -c cicdctl -s q -l quiet -d 'No progress, only data and errors'
complete -c cicdctl -s y -l yes -d 'Yes to every question'
complete -c cicdctl -l no-input -d 'Never ask; fail where an answer is needed'
complete -c cicdctl -l no-autostart -d 'Do not start the daemon where none runs'
complete -c cicdctl -l socket -d 'The daemon'\''s socket' -rF
complete -c cicdctl -l color -d 'auto, always or never' -xa 'auto always never'
complete -c cicdctl -n '__fish_seen_subcommand_from run' -s d -l detach -d 'Start it and return; its id is printed'
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l events -d 'Everything that happens as NDJSON on stdout'
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l dry-run -d 'Show what would run, like '\''plan'\'''
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l timeout -d 'Cancel it after that time, such as 10m; exit 124' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -s f -l file -d 'The pipeline file; - reads standard input' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l stage -d 'Only this stage and what it needs; repeat for more' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l job -d 'Only this job and what it needs; repeat for more' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -s p -l param -d 'A parameter; VALUE may be @FILE or - (stdin)' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l var -d 'A variable of the context '\''vars'\''' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l commit -d 'This commit instead of the working tree' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l branch -d 'This branch instead of the working tree' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l tag -d 'This tag instead of the working tree' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l event -d 'As if by push, pull_request, manual or schedule' -xa 'push pull_request manual schedule'
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l base -d 'What changed paths are counted from; target of a pull request' -x
complete -c cicdctl -n '__fish_seen_subcommand_from run' -l repository -d 'Another repository than the one here' -xa '(__fish_complete_directories)'
complete -c cicdctl -n '__fish_seen_subcommand_from run' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l format -d 'tree, dot or mermaid' -xa 'tree dot mermaid'
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l exit-code -d 'Exit 1 where a job would run, 0 where none would'
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -s f -l file -d 'The pipeline file; - reads standard input' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l stage -d 'Only this stage and what it needs; repeat for more' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l job -d 'Only this job and what it needs; repeat for more' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -s p -l param -d 'A parameter; VALUE may be @FILE or - (stdin)' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l var -d 'A variable of the context '\''vars'\''' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l commit -d 'This commit instead of the working tree' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l branch -d 'This branch instead of the working tree' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l tag -d 'This tag instead of the working tree' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l event -d 'As if by push, pull_request, manual or schedule' -xa 'push pull_request manual schedule'
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l base -d 'What changed paths are counted from; target of a pull request' -x
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -l repository -d 'Another repository than the one here' -xa '(__fish_complete_directories)'
complete -c cicdctl -n '__fish_seen_subcommand_from plan' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from validate' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from init' -l force -d 'Overwrite the .cicd.yaml there is'
complete -c cicdctl -n '__fish_seen_subcommand_from init' -l stdout -d 'Print it instead of writing it'
complete -c cicdctl -n '__fish_seen_subcommand_from ps' -s a -l all -d 'Runs that have ended, too'
complete -c cicdctl -n '__fish_seen_subcommand_from ps' -l status -d 'Only those: queued, running, success, failed, cancelled; repeat for more' -xa 'created queued running blocked success failed cancelled'
complete -c cicdctl -n '__fish_seen_subcommand_from ps' -l pipeline -d 'Only of this pipeline' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from ps' -l branch -d 'Only of this branch' -x
complete -c cicdctl -n '__fish_seen_subcommand_from ps' -l limit -d 'At most so many (20)' -x
complete -c cicdctl -n '__fish_seen_subcommand_from ps' -l page -d 'Further pages of that size' -x
complete -c cicdctl -n '__fish_seen_subcommand_from show' -xa '(cicdctl complete id 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from logs' -s f -l follow -d 'Go on until it has ended'
complete -c cicdctl -n '__fish_seen_subcommand_from logs' -l step -d 'Only of this step; N counts from 1' -x
complete -c cicdctl -n '__fish_seen_subcommand_from logs' -l tail -d 'Only the last N lines' -x
complete -c cicdctl -n '__fish_seen_subcommand_from logs' -l timestamps -d 'When each line was written, UTC'
complete -c cicdctl -n '__fish_seen_subcommand_from logs' -xa '(cicdctl complete id 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from watch' -l events -d 'Everything that happens as NDJSON on stdout'
complete -c cicdctl -n '__fish_seen_subcommand_from watch' -l no-wait -d 'Only tell the verdict there is; exit 8 where there is none yet'
complete -c cicdctl -n '__fish_seen_subcommand_from watch' -l timeout -d 'Stop watching after that time, such as 10m; exit 124' -x
complete -c cicdctl -n '__fish_seen_subcommand_from watch' -xa '(cicdctl complete run 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from cancel' -l reason -d 'Kept with the run' -x
complete -c cicdctl -n '__fish_seen_subcommand_from cancel' -xa '(cicdctl complete id 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from retry' -l everything -d 'All jobs, not only those that did not succeed'
complete -c cicdctl -n '__fish_seen_subcommand_from retry' -s d -l detach -d 'Start it and return; its id is printed'
complete -c cicdctl -n '__fish_seen_subcommand_from retry' -l events -d 'Everything that happens as NDJSON on stdout'
complete -c cicdctl -n '__fish_seen_subcommand_from retry' -l timeout -d 'Cancel it after that time; exit 124' -x
complete -c cicdctl -n '__fish_seen_subcommand_from retry' -xa '(cicdctl complete run 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a list -d 'List the pipelines'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a show -d 'Show a pipeline with its definition'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a create -d 'Let the daemon keep a pipeline'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a update -d 'Give a pipeline a new version'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a delete -d 'Delete a pipeline; its runs stay'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a versions -d 'List the versions of a pipeline'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a enable -d 'Let a pipeline run again'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a disable -d 'Let a pipeline start no more runs'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a validate -d 'Check pipeline files, like '\''validate'\'''
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a run -d 'Run a pipeline that the daemon keeps'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and not __fish_seen_subcommand_from list show create update delete versions enable disable validate run export' -a export -d 'Write a pipeline with all defaults resolved'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from list' -l limit -d 'At most so many (50)' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from list' -l page -d 'Further pages of that size' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from show' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from create' -s f -l file -d 'The definition; - reads standard input' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from create' -l name -d 'Another name than the definition'\''s' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from create' -l description -d 'Another description' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from create' -l repository -d 'What it runs on' -xa '(__fish_complete_directories)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from create' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from update' -s f -l file -d 'The definition; - reads standard input' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from update' -l name -d 'Another name than the definition'\''s' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from update' -l description -d 'Another description' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from update' -l repository -d 'What it runs on' -xa '(__fish_complete_directories)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from update' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from delete' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from versions' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from enable' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from disable' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from validate' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from run' -s p -l param -d 'A parameter; VALUE may be @FILE or -' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from run' -l branch -d 'On this branch' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from run' -l commit -d 'On this commit' -x
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from run' -s d -l detach -d 'Start it and return; its id is printed'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from run' -xa '(cicdctl complete pipeline 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from export' -l format -d 'yaml or json' -xa 'yaml json'
complete -c cicdctl -n '__fish_seen_subcommand_from pipeline; and __fish_seen_subcommand_from export' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from job; and not __fish_seen_subcommand_from list show logs cancel restart' -a list -d 'List jobs, of a run or of all'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and not __fish_seen_subcommand_from list show logs cancel restart' -a show -d 'Show a job with its steps'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and not __fish_seen_subcommand_from list show logs cancel restart' -a logs -d 'Show what a job wrote'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and not __fish_seen_subcommand_from list show logs cancel restart' -a cancel -d 'Cancel a job'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and not __fish_seen_subcommand_from list show logs cancel restart' -a restart -d 'Run a job again, in a new run'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from list' -l status -d 'Only those; repeat for more' -xa 'created queued scheduled running success failed cancelled skipped archived'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from list' -l stage -d 'Only of this stage' -x
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from list' -l name -d 'Only those of this name' -x
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from list' -l limit -d 'At most so many (20)' -x
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from list' -l page -d 'Further pages of that size' -x
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from list' -xa '(cicdctl complete run 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from show' -xa '(cicdctl complete job 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from logs' -s f -l follow -d 'Go on until it has ended'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from logs' -l step -d 'Only of this step; N counts from 1' -x
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from logs' -l tail -d 'Only the last N lines' -x
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from logs' -l timestamps -d 'When each line was written, UTC'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from logs' -xa '(cicdctl complete job 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from cancel' -l reason -d 'Kept with the job' -x
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from cancel' -xa '(cicdctl complete job 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from job; and __fish_seen_subcommand_from restart' -xa '(cicdctl complete job 2>/dev/null)'
complete -c cicdctl -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from start stop status logs' -a start -d 'Start the daemon in the background'
complete -c cicdctl -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from start stop status logs' -a stop -d 'Stop the daemon and wait for its end'
complete -c cicdctl -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from start stop status logs' -a status -d 'Show whether the daemon runs; exit 69 where not'
complete -c cicdctl -n '__fish_seen_subcommand_from daemon; and not __fish_seen_subcommand_from start stop status logs' -a logs -d 'Show what the daemon writes'
complete -c cicdctl -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from stop' -l timeout -d 'How long to wait for its end (30s)' -x
complete -c cicdctl -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from logs' -s f -l follow -d 'Go on as it is written'
complete -c cicdctl -n '__fish_seen_subcommand_from daemon; and __fish_seen_subcommand_from logs' -l tail -d 'Only the last N lines' -x
complete -c cicdctl -n '__fish_seen_subcommand_from api' -s d -l data -d 'The request'\''s body; @FILE and - read it' -rF
complete -c cicdctl -n '__fish_seen_subcommand_from api' -s H -l header -d 'A header; repeat for more' -x
complete -c cicdctl -n '__fish_seen_subcommand_from api' -s i -l include -d 'The status before the body'
complete -c cicdctl -n '__fish_seen_subcommand_from config; and not __fish_seen_subcommand_from list' -a list -d 'List the settings'
complete -c cicdctl -n '__fish_seen_subcommand_from config; and __fish_seen_subcommand_from list' -l show-origin -d 'Where each setting comes from'
complete -c cicdctl -n '__fish_seen_subcommand_from completion' -xa 'bash zsh fish'
complete -c cicdctl -n '__fish_seen_subcommand_from help' -xa '(cicdctl complete command 2>/dev/null)'
