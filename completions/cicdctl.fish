# fish completion of cicdctl. Made from its command table: cicdctl completion fish
function __cicdctl_command
    set -l found
    set -l skip no
    for word in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
        else if contains -- $word -o --output --socket --color
            set skip yes
        else if string match -q -- '-*' $word
            test (count $found) -gt 0; and break
        else if test (count $found) -eq 0
            set found $word
            contains -- $word pipeline job artifact cache secret image daemon config; or break
        else
            set -a found $word
            break
        end
    end
    echo "$found"
end

function __cicdctl_at
    test "$(__cicdctl_command)" = "$argv[1]"
end

function __cicdctl_ask
    set -l program (commandline -opc)[1]
    $program complete $argv[1] 2>/dev/null
end

complete -c cicdctl -f
complete -c cicdctl -s o -l output -d 'table, wide, json, yaml or name' -xa 'table wide json yaml name'
complete -c cicdctl -l no-headers -d 'Tables without their first line'
complete -c cicdctl -s q -l quiet -d 'No progress, only data and errors'
complete -c cicdctl -s y -l yes -d 'Yes to every question'
complete -c cicdctl -l no-input -d 'Never ask; fail where an answer is needed'
complete -c cicdctl -l no-autostart -d 'Do not start the daemon where none runs'
complete -c cicdctl -l socket -d 'The daemon'\''s socket' -rF
complete -c cicdctl -l color -d 'auto, always or never' -xa 'auto always never'
complete -c cicdctl -n "__cicdctl_at ''" -a run -d 'Run a pipeline and follow it to its verdict'
complete -c cicdctl -n "__cicdctl_at ''" -a plan -d 'Show what would run, and why, without running it'
complete -c cicdctl -n "__cicdctl_at ''" -a validate -d 'Check pipeline files, without running anything'
complete -c cicdctl -n "__cicdctl_at ''" -a init -d 'Write a pipeline that fits this repository'
complete -c cicdctl -n "__cicdctl_at ''" -a import -d 'Make a pipeline of ours from one of GitHub, GitLab or Bitbucket'
complete -c cicdctl -n "__cicdctl_at ''" -a export -d 'Write a pipeline of ours with all defaults resolved, or as a workflow of GitHub'\''s'
complete -c cicdctl -n "__cicdctl_at ''" -a ps -d 'List runs: those under way, or all'
complete -c cicdctl -n "__cicdctl_at ''" -a show -d 'Show a run or a job'
complete -c cicdctl -n "__cicdctl_at ''" -a logs -d 'Show what a run or a job wrote'
complete -c cicdctl -n "__cicdctl_at ''" -a watch -d 'Follow a run to its end, and exit as it did'
complete -c cicdctl -n "__cicdctl_at ''" -a status -d 'Show the daemon, its capacity and what runs'
complete -c cicdctl -n "__cicdctl_at ''" -a explain -d 'Tell why a run or job waits, was skipped, is blocked or ran again'
complete -c cicdctl -n "__cicdctl_at ''" -a cancel -d 'Cancel runs or jobs'
complete -c cicdctl -n "__cicdctl_at ''" -a retry -d 'Run again what did not succeed'
complete -c cicdctl -n "__cicdctl_at ''" -a reschedule -d 'Change when and how urgently what waits is started'
complete -c cicdctl -n "__cicdctl_at ''" -a pipeline -d 'Pipelines that the daemon keeps: list, create, run, …'
complete -c cicdctl -n "__cicdctl_at ''" -a job -d 'Jobs: list, show, logs, cancel, queue, …'
complete -c cicdctl -n "__cicdctl_at ''" -a artifact -d 'Artifacts: list, show, download, upload, rm'
complete -c cicdctl -n "__cicdctl_at ''" -a cache -d 'Caches of jobs: list, show, rm'
complete -c cicdctl -n "__cicdctl_at ''" -a secret -d 'Secrets of jobs: set, list, rotate, rm, …'
complete -c cicdctl -n "__cicdctl_at ''" -a image -d 'Images that jobs run in'
complete -c cicdctl -n "__cicdctl_at ''" -a daemon -d 'The daemon: start, stop, status, logs, backup, …'
complete -c cicdctl -n "__cicdctl_at ''" -a config -d 'Settings: list, get, set, unset'
complete -c cicdctl -n "__cicdctl_at ''" -a doctor -d 'Check that this machine can run pipelines'
complete -c cicdctl -n "__cicdctl_at ''" -a api -d 'Call the API directly'
complete -c cicdctl -n "__cicdctl_at ''" -a completion -d 'Write the completion script of a shell'
complete -c cicdctl -n "__cicdctl_at ''" -a version -d 'Show the version'
complete -c cicdctl -n "__cicdctl_at ''" -a help -d 'Explain a command; also: errors, events, exit-codes'
complete -c cicdctl -n "__cicdctl_at 'run'" -s d -l detach -d 'Start it and return; its id is printed'
complete -c cicdctl -n "__cicdctl_at 'run'" -l events -d 'Everything that happens as NDJSON on stdout'
complete -c cicdctl -n "__cicdctl_at 'run'" -l dry-run -d 'Show what would run, like '\''plan'\'''
complete -c cicdctl -n "__cicdctl_at 'run'" -l from -d 'This stage and those after it; the others count as successful' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l no-reuse -d 'Run jobs with '\''reuse: true'\'' also where their result is known'
complete -c cicdctl -n "__cicdctl_at 'run'" -l priority -d 'Who goes first' -xa 'critical high normal low'
complete -c cicdctl -n "__cicdctl_at 'run'" -l timeout -d 'Cancel it after that time, such as 10m; exit 124' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -s f -l file -d 'The pipeline file; - reads standard input' -rF
complete -c cicdctl -n "__cicdctl_at 'run'" -l stage -d 'Only this stage and what it needs; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l job -d 'Only this job and what it needs; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -s p -l param -d 'A parameter; VALUE may be @FILE or - (stdin)' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l var -d 'A variable of the context '\''vars'\''' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l commit -d 'This commit instead of the working tree' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l branch -d 'This branch instead of the working tree' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l tag -d 'This tag instead of the working tree' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l event -d 'As if by push, pull_request, manual, schedule, …' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l event-file -d 'What the event tells, as JSON' -rF
complete -c cicdctl -n "__cicdctl_at 'run'" -l env -d 'A variable below the pipeline'\''s own; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l env-file -d 'Such variables, one a line' -rF
complete -c cicdctl -n "__cicdctl_at 'run'" -l matrix -d 'Only combinations with this value; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l action -d 'For the action OWNER/NAME, this folder of the repository' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l strict -d 'What cannot run here is an error, not a notice'
complete -c cicdctl -n "__cicdctl_at 'run'" -l base -d 'What changed paths are counted from; target of a pull request' -x
complete -c cicdctl -n "__cicdctl_at 'run'" -l repository -d 'Another repository than the one here' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'run'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'plan'" -l format -d 'tree, dot or mermaid' -xa 'tree dot mermaid'
complete -c cicdctl -n "__cicdctl_at 'plan'" -l exit-code -d 'Exit 1 where a job would run, 0 where none would'
complete -c cicdctl -n "__cicdctl_at 'plan'" -s f -l file -d 'The pipeline file; - reads standard input' -rF
complete -c cicdctl -n "__cicdctl_at 'plan'" -l stage -d 'Only this stage and what it needs; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l job -d 'Only this job and what it needs; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -s p -l param -d 'A parameter; VALUE may be @FILE or - (stdin)' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l var -d 'A variable of the context '\''vars'\''' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l commit -d 'This commit instead of the working tree' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l branch -d 'This branch instead of the working tree' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l tag -d 'This tag instead of the working tree' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l event -d 'As if by push, pull_request, manual, schedule, …' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l event-file -d 'What the event tells, as JSON' -rF
complete -c cicdctl -n "__cicdctl_at 'plan'" -l env -d 'A variable below the pipeline'\''s own; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l env-file -d 'Such variables, one a line' -rF
complete -c cicdctl -n "__cicdctl_at 'plan'" -l matrix -d 'Only combinations with this value; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l action -d 'For the action OWNER/NAME, this folder of the repository' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l strict -d 'What cannot run here is an error, not a notice'
complete -c cicdctl -n "__cicdctl_at 'plan'" -l base -d 'What changed paths are counted from; target of a pull request' -x
complete -c cicdctl -n "__cicdctl_at 'plan'" -l repository -d 'Another repository than the one here' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'plan'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'validate'" -l strict -d 'What cannot run here is an error, too'
complete -c cicdctl -n "__cicdctl_at 'validate'" -rF
complete -c cicdctl -n "__cicdctl_at 'init'" -l force -d 'Overwrite the .cicd.yaml there is'
complete -c cicdctl -n "__cicdctl_at 'init'" -l stdout -d 'Print it instead of writing it'
complete -c cicdctl -n "__cicdctl_at 'import'" -l to -d 'Write there, one file for each pipeline; else they are printed. --output DIR is the same' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'import'" -l audit -d 'Only tell how much of each file (or of those in a folder) can be carried over'
complete -c cicdctl -n "__cicdctl_at 'import'" -s o -l output -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'import'" -rF
complete -c cicdctl -n "__cicdctl_at 'export'" -l format -d 'yaml, json, hcl, or github: a workflow of GitHub Actions' -xa 'yaml json hcl github'
complete -c cicdctl -n "__cicdctl_at 'export'" -rF
complete -c cicdctl -n "__cicdctl_at 'ps'" -s a -l all -d 'Runs that have ended, too'
complete -c cicdctl -n "__cicdctl_at 'ps'" -l status -d 'Only those: queued, running, success, failed, cancelled; repeat for more' -xa 'created queued running blocked success failed cancelled'
complete -c cicdctl -n "__cicdctl_at 'ps'" -l pipeline -d 'Only of this pipeline' -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'ps'" -l branch -d 'Only of this branch' -x
complete -c cicdctl -n "__cicdctl_at 'ps'" -l commit -d 'Only of this commit (its beginning is enough)' -x
complete -c cicdctl -n "__cicdctl_at 'ps'" -l user -d 'Only what this user started' -x
complete -c cicdctl -n "__cicdctl_at 'ps'" -l event -d 'Only what this started; repeat for more' -xa 'push pull_request manual schedule webhook pipeline'
complete -c cicdctl -n "__cicdctl_at 'ps'" -l since -d 'Only those created since: 2h ago, 2026-11-21' -x
complete -c cicdctl -n "__cicdctl_at 'ps'" -l until -d 'Only those created before' -x
complete -c cicdctl -n "__cicdctl_at 'ps'" -l limit -d 'At most so many (20)' -x
complete -c cicdctl -n "__cicdctl_at 'ps'" -l page -d 'Further pages of that size' -x
complete -c cicdctl -n "__cicdctl_at 'ps'" -s w -l watch -d 'Show it anew every second, until Ctrl-C'
complete -c cicdctl -n "__cicdctl_at 'show'" -xa '(__cicdctl_ask id)'
complete -c cicdctl -n "__cicdctl_at 'logs'" -s f -l follow -d 'Go on until it has ended'
complete -c cicdctl -n "__cicdctl_at 'logs'" -l tail -d 'Only the last N lines (of those that match)' -x
complete -c cicdctl -n "__cicdctl_at 'logs'" -l since -d 'Only what was written since: 10m ago, or 2026-11-21T04:40:32Z' -x
complete -c cicdctl -n "__cicdctl_at 'logs'" -l step -d 'Only of this step; N counts from 1' -x
complete -c cicdctl -n "__cicdctl_at 'logs'" -l grep -d 'Only lines that match' -x
complete -c cicdctl -n "__cicdctl_at 'logs'" -l attempt -d 'Of this attempt instead of the latest' -x
complete -c cicdctl -n "__cicdctl_at 'logs'" -l timestamps -d 'When each line was written, UTC'
complete -c cicdctl -n "__cicdctl_at 'logs'" -l raw -d 'Bytes as they were written: no [stage/job], nothing taken out'
complete -c cicdctl -n "__cicdctl_at 'logs'" -xa '(__cicdctl_ask id)'
complete -c cicdctl -n "__cicdctl_at 'watch'" -l events -d 'Everything that happens as NDJSON on stdout'
complete -c cicdctl -n "__cicdctl_at 'watch'" -l no-wait -d 'Only tell the verdict there is; exit 8 where there is none yet'
complete -c cicdctl -n "__cicdctl_at 'watch'" -l timeout -d 'Stop watching after that time, such as 10m; exit 124' -x
complete -c cicdctl -n "__cicdctl_at 'watch'" -xa '(__cicdctl_ask run)'
complete -c cicdctl -n "__cicdctl_at 'explain'" -s a -l all -d 'Jobs about which there is nothing to say, too'
complete -c cicdctl -n "__cicdctl_at 'explain'" -xa '(__cicdctl_ask id)'
complete -c cicdctl -n "__cicdctl_at 'cancel'" -l reason -d 'Kept with the run or job' -x
complete -c cicdctl -n "__cicdctl_at 'cancel'" -l force -d 'Kill what runs, without the time it is given to end by itself'
complete -c cicdctl -n "__cicdctl_at 'cancel'" -xa '(__cicdctl_ask id)'
complete -c cicdctl -n "__cicdctl_at 'retry'" -l failed -d 'What did not succeed, and what needs it (without another choice)'
complete -c cicdctl -n "__cicdctl_at 'retry'" -l from -d 'This stage and all that need it, successes too' -x
complete -c cicdctl -n "__cicdctl_at 'retry'" -l job -d 'This job, by id or key (test.unit); repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'retry'" -l everything -d 'All jobs'
complete -c cicdctl -n "__cicdctl_at 'retry'" -s d -l detach -d 'Start it and return; its id is printed'
complete -c cicdctl -n "__cicdctl_at 'retry'" -l events -d 'Everything that happens as NDJSON on stdout'
complete -c cicdctl -n "__cicdctl_at 'retry'" -l timeout -d 'Cancel it after that time; exit 124' -x
complete -c cicdctl -n "__cicdctl_at 'retry'" -xa '(__cicdctl_ask run)'
complete -c cicdctl -n "__cicdctl_at 'reschedule'" -l priority -d 'Who goes first' -xa 'critical high normal low'
complete -c cicdctl -n "__cicdctl_at 'reschedule'" -l not-before -d '10m from now, or 2026-11-21T04:40:32Z; now: as soon as it can' -x
complete -c cicdctl -n "__cicdctl_at 'reschedule'" -xa '(__cicdctl_ask id)'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a list -d 'List the pipelines'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a show -d 'Show a pipeline with its definition'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a create -d 'Let the daemon keep a pipeline'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a update -d 'Give a pipeline a new version'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a delete -d 'Delete a pipeline; its runs stay'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a versions -d 'List the versions of a pipeline'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a enable -d 'Let a pipeline run again'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a disable -d 'Let a pipeline start no more runs'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a validate -d 'Check pipeline files, like '\''validate'\'''
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a run -d 'Run a pipeline that the daemon keeps'
complete -c cicdctl -n "__cicdctl_at 'pipeline'" -a export -d 'The same as export'
complete -c cicdctl -n "__cicdctl_at 'pipeline list'" -l limit -d 'At most so many (50)' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline list'" -l page -d 'Further pages of that size' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline show'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'pipeline create'" -s f -l file -d 'The definition; - reads standard input' -rF
complete -c cicdctl -n "__cicdctl_at 'pipeline create'" -l name -d 'Another name than the definition'\''s' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline create'" -l description -d 'Another description' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline create'" -l repository -d 'What it runs on' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'pipeline create'" -rF
complete -c cicdctl -n "__cicdctl_at 'pipeline update'" -s f -l file -d 'The definition; - reads standard input' -rF
complete -c cicdctl -n "__cicdctl_at 'pipeline update'" -l name -d 'Another name than the definition'\''s' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline update'" -l description -d 'Another description' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline update'" -l repository -d 'What it runs on' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'pipeline update'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'pipeline delete'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'pipeline versions'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'pipeline enable'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'pipeline disable'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'pipeline validate'" -l strict -d 'What cannot run here is an error, too'
complete -c cicdctl -n "__cicdctl_at 'pipeline validate'" -rF
complete -c cicdctl -n "__cicdctl_at 'pipeline run'" -s p -l param -d 'A parameter; VALUE may be @FILE or -' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline run'" -l branch -d 'On this branch' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline run'" -l commit -d 'On this commit' -x
complete -c cicdctl -n "__cicdctl_at 'pipeline run'" -s d -l detach -d 'Start it and return; its id is printed'
complete -c cicdctl -n "__cicdctl_at 'pipeline run'" -xa '(__cicdctl_ask pipeline)'
complete -c cicdctl -n "__cicdctl_at 'pipeline export'" -l format -d 'yaml, json, hcl, or github: a workflow of GitHub Actions' -xa 'yaml json hcl github'
complete -c cicdctl -n "__cicdctl_at 'pipeline export'" -rF
complete -c cicdctl -n "__cicdctl_at 'job'" -a list -d 'List jobs, of a run or of all'
complete -c cicdctl -n "__cicdctl_at 'job'" -a show -d 'Show a job with its steps'
complete -c cicdctl -n "__cicdctl_at 'job'" -a logs -d 'Show what a job wrote'
complete -c cicdctl -n "__cicdctl_at 'job'" -a cancel -d 'Cancel a job'
complete -c cicdctl -n "__cicdctl_at 'job'" -a restart -d 'Run a job again, in a new run'
complete -c cicdctl -n "__cicdctl_at 'job'" -a queue -d 'List what waits, in the order in which it will start'
complete -c cicdctl -n "__cicdctl_at 'job'" -a reschedule -d 'Change a waiting job'\''s priority or time'
complete -c cicdctl -n "__cicdctl_at 'job list'" -l status -d 'Only those; repeat for more' -xa 'created queued scheduled running success failed cancelled skipped archived'
complete -c cicdctl -n "__cicdctl_at 'job list'" -l stage -d 'Only of this stage' -x
complete -c cicdctl -n "__cicdctl_at 'job list'" -l name -d 'Only those of this name' -x
complete -c cicdctl -n "__cicdctl_at 'job list'" -l limit -d 'At most so many (20)' -x
complete -c cicdctl -n "__cicdctl_at 'job list'" -l page -d 'Further pages of that size' -x
complete -c cicdctl -n "__cicdctl_at 'job list'" -xa '(__cicdctl_ask run)'
complete -c cicdctl -n "__cicdctl_at 'job show'" -xa '(__cicdctl_ask job)'
complete -c cicdctl -n "__cicdctl_at 'job logs'" -s f -l follow -d 'Go on until it has ended'
complete -c cicdctl -n "__cicdctl_at 'job logs'" -l tail -d 'Only the last N lines (of those that match)' -x
complete -c cicdctl -n "__cicdctl_at 'job logs'" -l since -d 'Only what was written since: 10m ago, or 2026-11-21T04:40:32Z' -x
complete -c cicdctl -n "__cicdctl_at 'job logs'" -l step -d 'Only of this step; N counts from 1' -x
complete -c cicdctl -n "__cicdctl_at 'job logs'" -l grep -d 'Only lines that match' -x
complete -c cicdctl -n "__cicdctl_at 'job logs'" -l attempt -d 'Of this attempt instead of the latest' -x
complete -c cicdctl -n "__cicdctl_at 'job logs'" -l timestamps -d 'When each line was written, UTC'
complete -c cicdctl -n "__cicdctl_at 'job logs'" -l raw -d 'Bytes as they were written: no [stage/job], nothing taken out'
complete -c cicdctl -n "__cicdctl_at 'job logs'" -xa '(__cicdctl_ask job)'
complete -c cicdctl -n "__cicdctl_at 'job cancel'" -l reason -d 'Kept with the run or job' -x
complete -c cicdctl -n "__cicdctl_at 'job cancel'" -l force -d 'Kill what runs, without the time it is given to end by itself'
complete -c cicdctl -n "__cicdctl_at 'job cancel'" -xa '(__cicdctl_ask job)'
complete -c cicdctl -n "__cicdctl_at 'job restart'" -xa '(__cicdctl_ask job)'
complete -c cicdctl -n "__cicdctl_at 'job queue'" -s w -l watch -d 'Show it anew every second, until Ctrl-C'
complete -c cicdctl -n "__cicdctl_at 'job reschedule'" -l priority -d 'Who goes first' -xa 'critical high normal low'
complete -c cicdctl -n "__cicdctl_at 'job reschedule'" -l not-before -d '10m from now, or 2026-11-21T04:40:32Z; now: as soon as it can' -x
complete -c cicdctl -n "__cicdctl_at 'job reschedule'" -xa '(__cicdctl_ask job)'
complete -c cicdctl -n "__cicdctl_at 'artifact'" -a list -d 'List artifacts, of a run, a job or all'
complete -c cicdctl -n "__cicdctl_at 'artifact'" -a show -d 'Show an artifact and what it holds'
complete -c cicdctl -n "__cicdctl_at 'artifact'" -a download -d 'Write an artifact, or one file of it'
complete -c cicdctl -n "__cicdctl_at 'artifact'" -a upload -d 'Add files to a run or job that has ended'
complete -c cicdctl -n "__cicdctl_at 'artifact'" -a rm -d 'Delete artifacts'
complete -c cicdctl -n "__cicdctl_at 'artifact list'" -l name -d 'Only those of this name' -x
complete -c cicdctl -n "__cicdctl_at 'artifact list'" -l limit -d 'At most so many (50)' -x
complete -c cicdctl -n "__cicdctl_at 'artifact list'" -l page -d 'Further pages of that size' -x
complete -c cicdctl -n "__cicdctl_at 'artifact list'" -xa '(__cicdctl_ask id)'
complete -c cicdctl -n "__cicdctl_at 'artifact download'" -l to -d 'Where to write it; '\''-'\'' is stdout' -rF
complete -c cicdctl -n "__cicdctl_at 'artifact download'" -l path -d 'Only this file of it' -x
complete -c cicdctl -n "__cicdctl_at 'artifact download'" -l format -d 'As an archive, also where it is one file' -xa 'tar zip tar.zst'
complete -c cicdctl -n "__cicdctl_at 'artifact download'" -l continue -d 'Go on with a download that broke off'
complete -c cicdctl -n "__cicdctl_at 'artifact upload'" -l unpack -d 'PATH is an archive (tar, tar.gz, tar.zst, tar.xz, zip): keep what it holds'
complete -c cicdctl -n "__cicdctl_at 'artifact upload'" -l type -d 'What it is, such as package or model' -x
complete -c cicdctl -n "__cicdctl_at 'artifact upload'" -l retention -d 'How long it is kept, such as 30d; for ever by default' -x
complete -c cicdctl -n "__cicdctl_at 'artifact upload'" -xa '(__cicdctl_ask id)'
complete -c cicdctl -n "__cicdctl_at 'cache'" -a list -d 'List caches'
complete -c cicdctl -n "__cicdctl_at 'cache'" -a show -d 'Show a cache'
complete -c cicdctl -n "__cicdctl_at 'cache'" -a rm -d 'Forget caches'
complete -c cicdctl -n "__cicdctl_at 'cache list'" -l key -d 'Only those whose keys begin so' -x
complete -c cicdctl -n "__cicdctl_at 'cache list'" -l page -d 'Further pages of 100' -x
complete -c cicdctl -n "__cicdctl_at 'secret'" -a set -d 'Add a secret, or give it a new value'
complete -c cicdctl -n "__cicdctl_at 'secret'" -a list -d 'List the secrets, never their values'
complete -c cicdctl -n "__cicdctl_at 'secret'" -a rotate -d 'Give a secret that there is a new value'
complete -c cicdctl -n "__cicdctl_at 'secret'" -a rm -d 'Remove a secret'
complete -c cicdctl -n "__cicdctl_at 'secret'" -a history -d 'Who set, removed and used secrets, the newest first'
complete -c cicdctl -n "__cicdctl_at 'secret'" -a rekey -d 'Encrypt all secrets with a new key'
complete -c cicdctl -n "__cicdctl_at 'secret set'" -s f -l file -d 'Take the value from a file; else from standard input' -rF
complete -c cicdctl -n "__cicdctl_at 'secret set'" -l rotate-by -d 'When to replace it: 90d from now, or 2027-01-31' -x
complete -c cicdctl -n "__cicdctl_at 'secret set'" -l project -d 'Only for runs of this repository' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'secret set'" -l env -d 'Only for jobs of this environment' -x
complete -c cicdctl -n "__cicdctl_at 'secret set'" -l branch -d 'Only for runs of these branches: main, release/**' -x
complete -c cicdctl -n "__cicdctl_at 'secret list'" -l project -d 'Only for runs of this repository' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'secret list'" -l env -d 'Only for jobs of this environment' -x
complete -c cicdctl -n "__cicdctl_at 'secret list'" -l branch -d 'Only for runs of these branches: main, release/**' -x
complete -c cicdctl -n "__cicdctl_at 'secret rotate'" -s f -l file -d 'Take the value from a file; else from standard input' -rF
complete -c cicdctl -n "__cicdctl_at 'secret rotate'" -l rotate-by -d 'When to replace it: 90d from now, or 2027-01-31' -x
complete -c cicdctl -n "__cicdctl_at 'secret rotate'" -l project -d 'Only for runs of this repository' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'secret rotate'" -l env -d 'Only for jobs of this environment' -x
complete -c cicdctl -n "__cicdctl_at 'secret rotate'" -l branch -d 'Only for runs of these branches: main, release/**' -x
complete -c cicdctl -n "__cicdctl_at 'secret rm'" -l project -d 'Only for runs of this repository' -xa '(__fish_complete_directories)'
complete -c cicdctl -n "__cicdctl_at 'secret rm'" -l env -d 'Only for jobs of this environment' -x
complete -c cicdctl -n "__cicdctl_at 'secret rm'" -l branch -d 'Only for runs of these branches: main, release/**' -x
complete -c cicdctl -n "__cicdctl_at 'secret history'" -l limit -d 'At most so many (100)' -x
complete -c cicdctl -n "__cicdctl_at 'image'" -a list -d 'List the images on this machine'
complete -c cicdctl -n "__cicdctl_at 'image'" -a import -d 'Take an image from an OCI layout or archive, a docker archive, or the tar of a root'
complete -c cicdctl -n "__cicdctl_at 'image'" -a build -d 'Make an image of Debian'\''s packages'
complete -c cicdctl -n "__cicdctl_at 'image'" -a show -d 'Show an image'
complete -c cicdctl -n "__cicdctl_at 'image'" -a rm -d 'Remove an image'\''s name, and the image with its last one'
complete -c cicdctl -n "__cicdctl_at 'image import'" -l tag -d 'Which one, where a layout holds several' -x
complete -c cicdctl -n "__cicdctl_at 'image build'" -l packages -d 'Besides what every system has' -x
complete -c cicdctl -n "__cicdctl_at 'image build'" -l suite -d 'Such as bookworm; this machine'\''s if nothing is said' -x
complete -c cicdctl -n "__cicdctl_at 'image build'" -l mirror -d 'Where packages come from; this machine'\''s sources if nothing is said' -x
complete -c cicdctl -n "__cicdctl_at 'image build'" -l variant -d 'One of mmdebstrap'\''s instead of minbase; extract only unpacks the packages' -x
complete -c cicdctl -n "__cicdctl_at 'image build'" -l trusted -d 'The mirror'\''s packages need not be signed'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a start -d 'Start the daemon in the background'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a stop -d 'Stop the daemon and wait for its end'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a status -d 'Show whether the daemon runs; exit 69 where not'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a logs -d 'Show what the daemon writes'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a log-level -d 'Show or change how much the daemon logs'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a backup -d 'Write the daemon'\''s state to a file while it works on'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a restore -d 'Take over the state of a backup; no daemon may run'
complete -c cicdctl -n "__cicdctl_at 'daemon'" -a cleanup -d 'Remove what retention no longer keeps, now'
complete -c cicdctl -n "__cicdctl_at 'daemon stop'" -l timeout -d 'How long to wait for its end (30s)' -x
complete -c cicdctl -n "__cicdctl_at 'daemon logs'" -s f -l follow -d 'Go on as it is written'
complete -c cicdctl -n "__cicdctl_at 'daemon logs'" -l tail -d 'Only the last N lines' -x
complete -c cicdctl -n "__cicdctl_at 'daemon log-level'" -xa 'trace debug info warn error'
complete -c cicdctl -n "__cicdctl_at 'daemon backup'" -l overwrite -d 'Replace FILE where it exists'
complete -c cicdctl -n "__cicdctl_at 'daemon backup'" -l no-logs -d 'Without the logs of ended jobs'
complete -c cicdctl -n "__cicdctl_at 'daemon backup'" -rF
complete -c cicdctl -n "__cicdctl_at 'daemon restore'" -rF
complete -c cicdctl -n "__cicdctl_at 'daemon cleanup'" -l dry-run -d 'Only tell what would be removed'
complete -c cicdctl -n "__cicdctl_at 'config'" -a list -d 'List the settings'
complete -c cicdctl -n "__cicdctl_at 'config'" -a get -d 'Show one setting'
complete -c cicdctl -n "__cicdctl_at 'config'" -a set -d 'Change a setting in your config.yaml'
complete -c cicdctl -n "__cicdctl_at 'config'" -a unset -d 'Take a setting out of your config.yaml'
complete -c cicdctl -n "__cicdctl_at 'config list'" -l show-origin -d 'Where each setting comes from'
complete -c cicdctl -n "__cicdctl_at 'config list'" -l set -d 'Only what is set, without defaults'
complete -c cicdctl -n "__cicdctl_at 'config get'" -xa '(__cicdctl_ask setting)'
complete -c cicdctl -n "__cicdctl_at 'config set'" -l project -d 'In .cicd/config.yaml of this repository'
complete -c cicdctl -n "__cicdctl_at 'config set'" -l system -d 'In /etc/cicd/config.yaml'
complete -c cicdctl -n "__cicdctl_at 'config set'" -xa '(__cicdctl_ask setting)'
complete -c cicdctl -n "__cicdctl_at 'config unset'" -l project -d 'In .cicd/config.yaml of this repository'
complete -c cicdctl -n "__cicdctl_at 'config unset'" -l system -d 'In /etc/cicd/config.yaml'
complete -c cicdctl -n "__cicdctl_at 'config unset'" -xa '(__cicdctl_ask setting)'
complete -c cicdctl -n "__cicdctl_at 'doctor'" -l deep -d 'Also read all artifacts and caches, and name what is damaged'
complete -c cicdctl -n "__cicdctl_at 'api'" -s d -l data -d 'The request'\''s body; @FILE and - read it' -rF
complete -c cicdctl -n "__cicdctl_at 'api'" -s H -l header -d 'A header; repeat for more' -x
complete -c cicdctl -n "__cicdctl_at 'api'" -s i -l include -d 'The status before the body'
complete -c cicdctl -n "__cicdctl_at 'completion'" -xa 'bash zsh fish'
complete -c cicdctl -n "__cicdctl_at 'help'" -xa '(__cicdctl_ask command)'
