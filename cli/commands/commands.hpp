#pragma once

#include "cli/command.hpp"

/// One command each, defined in the file of its verb or noun.
namespace cicd::cli {

/// Also of `pipeline validate`.
inline constexpr Option validate_options[] = {{.names = "--strict", .help = "What cannot run here is an error, too"}};
extern const Command run_command, plan_command, validate_command, init_command, import_command, export_command;
extern const Command ps_command, show_command, logs_command, watch_command, status_command;
extern const Command cancel_command, retry_command, reschedule_command, explain_command, doctor_command;
extern const Command pipeline_group, pipeline_list, pipeline_show, pipeline_create, pipeline_update, pipeline_delete,
    pipeline_versions, pipeline_enable, pipeline_disable, pipeline_validate, pipeline_run, pipeline_export;
extern const Command job_group, job_list, job_show, job_logs, job_cancel, job_restart, job_queue, job_reschedule;
extern const Command secret_group, secret_set, secret_list, secret_rotate, secret_rm, secret_history, secret_rekey;
extern const Command artifact_group, artifact_list, artifact_show, artifact_download, artifact_upload, artifact_remove;
extern const Command cache_group, cache_list, cache_show, cache_remove;
extern const Command image_group, image_list, image_import, image_build, image_show, image_rm;
extern const Command daemon_group, daemon_start, daemon_stop, daemon_status, daemon_logs, daemon_backup, daemon_restore,
    daemon_cleanup, daemon_log_level;
extern const Command api_command, config_group, config_list, config_get, config_set, config_unset, completion_command,
    version_command, help_command;
extern const Command generate_group, generate_man, complete_command;

}  // namespace cicd::cli
