#include "cli/commands/commands.hpp"

#include <array>

namespace cicd::cli {
namespace {

// In the order of the help: what people do, then what they manage, then the rest.
constexpr std::array table = std::to_array<const Command*>({
    &run_command,     &plan_command,     &validate_command,   &init_command,     &import_command,   &export_command,   &ps_command,
    &show_command,    &logs_command,     &watch_command,      &status_command,   &explain_command,
    &cancel_command,  &retry_command,    &reschedule_command, &pipeline_group,   &pipeline_list,
    &pipeline_show,   &pipeline_create,  &pipeline_update,    &pipeline_delete,  &pipeline_versions,
    &pipeline_enable, &pipeline_disable, &pipeline_validate,  &pipeline_run,     &pipeline_export,
    &job_group,       &job_list,         &job_show,           &job_logs,         &job_cancel,
    &job_restart,     &job_queue,        &job_reschedule,     &artifact_group,   &artifact_list,
    &artifact_show,   &artifact_download, &artifact_upload,   &artifact_remove,  &cache_group,
    &cache_list,      &cache_show,       &cache_remove,       &secret_group,     &secret_set,
    &secret_list,     &secret_rotate,    &secret_rm,          &secret_history,   &secret_rekey,
    &image_group,     &image_list,       &image_import,       &image_build,       &image_show,       &image_rm,
    &daemon_group,    &daemon_start,
    &daemon_stop,     &daemon_status,    &daemon_logs,        &daemon_log_level, &daemon_backup,
    &daemon_restore,  &daemon_cleanup,   &config_group,       &config_list,      &config_get,
    &config_set,      &config_unset,     &doctor_command,     &api_command,      &completion_command,
    &version_command, &help_command,     &generate_group,     &generate_man,     &complete_command,
});

constexpr std::array globals = std::to_array<Option>({
    {.names = "-o,--output",
     .value = "FORMAT",
     .help = "table, wide, json, yaml or name",
     .choices = "table|wide|json|yaml|name"},
    {.names = "--no-headers", .help = "Tables without their first line"},
    {.names = "-q,--quiet", .help = "No progress, only data and errors"},
    {.names = "-y,--yes", .help = "Yes to every question"},
    {.names = "--no-input", .help = "Never ask; fail where an answer is needed"},
    {.names = "--no-autostart", .help = "Do not start the daemon where none runs"},
    {.names = "--socket", .value = "PATH", .help = "The daemon's socket", .completes = Completes::file},
    {.names = "--color", .value = "WHEN", .help = "auto, always or never", .choices = "auto|always|never"},
});

}  // namespace

std::span<const Command* const> commands() {
    return table;
}

std::span<const Option> global_options() {
    return globals;
}

const Command* find_command(std::string_view name) {
    for (const auto* command : table)
        if (command->name == name) return command;
    return nullptr;
}

std::vector<const Command*> members(std::string_view group) {
    std::vector<const Command*> found;
    for (const auto* command : table)
        if (command->group() == group && !command->hidden) found.push_back(command);
    return found;
}

}  // namespace cicd::cli
