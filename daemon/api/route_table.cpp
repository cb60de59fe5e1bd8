#include "daemon/api/resources/handlers.hpp"
#include "daemon/api/router.hpp"

#include <array>

namespace cicd::api {
namespace {

namespace route = contract::route;

// Fixed paths stand before those with a parameter in the same place. `true`: its answer may be kept (Endpoint::is_cached).
constexpr std::array table{
    Endpoint{route::healthz, get_health},
    Endpoint{route::readyz, get_readiness},
    Endpoint{route::version, get_version},
    Endpoint{route::status, get_status},
    Endpoint{route::openapi, get_openapi},
    Endpoint{route::all_events, get_events},
    Endpoint{route::metrics, get_metrics},
    Endpoint{route::backup, backup_daemon},
    Endpoint{route::clean_up, clean_up_daemon},
    Endpoint{route::log_level, get_log_level},
    Endpoint{route::set_log_level, set_log_level},
    Endpoint{route::plan, plan_run},

    Endpoint{route::list_images, list_images},
    Endpoint{route::import_image, import_image},
    Endpoint{route::build_image, build_image},
    Endpoint{route::show_image, get_image},
    Endpoint{route::remove_image, delete_image},

    Endpoint{route::show_pipeline_run, get_run, true},
    Endpoint{route::cancel_pipeline_run, cancel_run},
    Endpoint{route::retry_pipeline_run, retry_run},
    Endpoint{route::pipeline_run_logs, get_run_logs},

    Endpoint{route::list_pipelines, list_pipelines, true},
    Endpoint{route::create_pipeline, create_pipeline},
    Endpoint{route::validate_pipeline, validate_pipeline},
    Endpoint{route::show_pipeline, get_pipeline, true},
    Endpoint{route::update_pipeline, update_pipeline},
    Endpoint{route::remove_pipeline, delete_pipeline},
    Endpoint{route::set_pipeline_state, set_pipeline_status},
    Endpoint{route::pipeline_versions, list_pipeline_versions, true},
    Endpoint{route::pipeline_config, get_pipeline_config},
    Endpoint{route::update_pipeline_config, update_pipeline_config},
    Endpoint{route::pipeline_stages, list_pipeline_stages},
    Endpoint{route::update_pipeline_stages, update_pipeline_stages},
    Endpoint{route::add_pipeline_stage, add_pipeline_stage},
    Endpoint{route::remove_pipeline_stage, delete_pipeline_stage},
    Endpoint{route::pipeline_triggers, list_pipeline_triggers},
    Endpoint{route::run_pipeline, run_pipeline},
    Endpoint{route::run_pipeline_now, run_pipeline},
    Endpoint{route::trigger_pipeline, run_pipeline},
    Endpoint{route::execute_pipeline, run_pipeline},
    Endpoint{route::pipeline_runs, list_pipeline_runs, true},
    Endpoint{route::pipeline_executions, list_pipeline_runs, true},

    Endpoint{route::list_runs, list_runs, true},
    Endpoint{route::start_run, start_run},
    Endpoint{route::show_run, get_run, true},
    Endpoint{route::run_plan, get_run_plan, true},
    Endpoint{route::run_definition, get_run_definition},
    Endpoint{route::cancel_run, cancel_run},
    Endpoint{route::retry_run, retry_run},
    Endpoint{route::run_logs, get_run_logs},
    Endpoint{route::run_events, get_run_events},
    Endpoint{route::list_executions, list_runs, true},
    Endpoint{route::show_execution, get_run, true},
    Endpoint{route::execution_logs, get_run_logs},

    Endpoint{route::update_run, update_run},
    Endpoint{route::explain_run, explain_run},

    Endpoint{route::job_queue, list_queue},
    Endpoint{route::queued_job, get_queued_job},
    Endpoint{route::prioritise_job, set_job_priority},
    Endpoint{route::reschedule_job, reschedule_job},
    Endpoint{route::explain_job, explain_job},
    Endpoint{route::list_jobs, list_jobs, true},
    Endpoint{route::show_job, get_job, true},
    Endpoint{route::job_status, get_job_status, true},
    Endpoint{route::job_logs, get_job_logs},
    Endpoint{route::job_log_stream, stream_job_logs},
    Endpoint{route::cancel_job, cancel_job},
    Endpoint{route::stop_job, cancel_job},
    Endpoint{route::restart_job, restart_job},

    Endpoint{route::list_secrets, list_secrets},
    Endpoint{route::create_secret, set_secret, false, true},
    Endpoint{route::secret_history, get_secret_history},
    Endpoint{route::rekey_secrets, rekey_secrets},
    Endpoint{route::set_secret, set_secret, false, true},
    Endpoint{route::remove_secret, delete_secret},
    Endpoint{route::environment_secrets, list_secrets},
    Endpoint{route::create_environment_secret, set_secret, false, true},
    Endpoint{route::list_artifacts, list_artifacts, true},
    Endpoint{route::show_artifact, get_artifact},
    Endpoint{route::remove_artifact, delete_artifact},
    Endpoint{route::artifact_files, list_artifact_files},
    Endpoint{route::artifact_content, get_artifact_content},
    Endpoint{route::run_artifacts, list_artifacts, true},
    Endpoint{route::execution_artifacts, list_artifacts, true},
    Endpoint{route::job_artifacts, list_artifacts, true},
    Endpoint{.route = route::upload_artifact, .handler = upload_artifact, .takes_stream = true},
    Endpoint{.route = route::upload_run_artifact, .handler = upload_artifact, .takes_stream = true},
    Endpoint{route::show_job_artifact, get_artifact},
    Endpoint{route::remove_job_artifact, delete_artifact},
    Endpoint{route::list_caches, list_caches},
    Endpoint{route::show_cache, get_cache},
    Endpoint{route::remove_cache, delete_cache},
    Endpoint{route::scrub, scrub_objects},
};

}  // namespace

std::span<const Endpoint> endpoints() { return table; }

}  // namespace cicd::api
