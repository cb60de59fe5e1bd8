#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/router.hpp"
#include "daemon/api/services.hpp"

/// Every handler of the route table. Each resource is one file.
namespace cicd::api {

async::Task<Answer> get_health(Services& services, Request request);
async::Task<Answer> get_readiness(Services& services, Request request);
async::Task<Answer> get_version(Services& services, Request request);
async::Task<Answer> get_status(Services& services, Request request);
async::Task<Answer> get_openapi(Services& services, Request request);

async::Task<Answer> get_events(Services& services, Request request);
async::Task<Answer> get_metrics(Services& services, Request request);
async::Task<Answer> backup_daemon(Services& services, Request request);
async::Task<Answer> clean_up_daemon(Services& services, Request request);
async::Task<Answer> get_log_level(Services& services, Request request);
async::Task<Answer> set_log_level(Services& services, Request request);

async::Task<Answer> plan_run(Services& services, Request request);

async::Task<Answer> list_images(Services& services, Request request);
async::Task<Answer> import_image(Services& services, Request request);
async::Task<Answer> build_image(Services& services, Request request);
async::Task<Answer> get_image(Services& services, Request request);
async::Task<Answer> delete_image(Services& services, Request request);

async::Task<Answer> list_pipelines(Services& services, Request request);
async::Task<Answer> create_pipeline(Services& services, Request request);
async::Task<Answer> validate_pipeline(Services& services, Request request);
async::Task<Answer> get_pipeline(Services& services, Request request);
async::Task<Answer> update_pipeline(Services& services, Request request);
async::Task<Answer> delete_pipeline(Services& services, Request request);
async::Task<Answer> set_pipeline_status(Services& services, Request request);
async::Task<Answer> list_pipeline_versions(Services& services, Request request);
async::Task<Answer> get_pipeline_config(Services& services, Request request);
async::Task<Answer> update_pipeline_config(Services& services, Request request);
async::Task<Answer> list_pipeline_stages(Services& services, Request request);
async::Task<Answer> update_pipeline_stages(Services& services, Request request);
async::Task<Answer> add_pipeline_stage(Services& services, Request request);
async::Task<Answer> delete_pipeline_stage(Services& services, Request request);
async::Task<Answer> list_pipeline_triggers(Services& services, Request request);
async::Task<Answer> run_pipeline(Services& services, Request request);
async::Task<Answer> list_pipeline_runs(Services& services, Request request);

async::Task<Answer> list_runs(Services& services, Request request);
async::Task<Answer> start_run(Services& services, Request request);
async::Task<Answer> get_run(Services& services, Request request);
async::Task<Answer> get_run_plan(Services& services, Request request);
async::Task<Answer> get_run_definition(Services& services, Request request);
async::Task<Answer> cancel_run(Services& services, Request request);
async::Task<Answer> retry_run(Services& services, Request request);
async::Task<Answer> get_run_logs(Services& services, Request request);
async::Task<Answer> get_run_events(Services& services, Request request);

async::Task<Answer> update_run(Services& services, Request request);
async::Task<Answer> explain_run(Services& services, Request request);

async::Task<Answer> list_queue(Services& services, Request request);
async::Task<Answer> get_queued_job(Services& services, Request request);
async::Task<Answer> set_job_priority(Services& services, Request request);
async::Task<Answer> reschedule_job(Services& services, Request request);
async::Task<Answer> explain_job(Services& services, Request request);

async::Task<Answer> list_jobs(Services& services, Request request);
async::Task<Answer> get_job(Services& services, Request request);
async::Task<Answer> get_job_status(Services& services, Request request);
async::Task<Answer> get_job_logs(Services& services, Request request);
async::Task<Answer> stream_job_logs(Services& services, Request request);
async::Task<Answer> cancel_job(Services& services, Request request);
async::Task<Answer> restart_job(Services& services, Request request);

async::Task<Answer> list_secrets(Services& services, Request request);
async::Task<Answer> set_secret(Services& services, Request request);
async::Task<Answer> delete_secret(Services& services, Request request);
async::Task<Answer> get_secret_history(Services& services, Request request);
async::Task<Answer> rekey_secrets(Services& services, Request request);
async::Task<Answer> list_artifacts(Services& services, Request request);
async::Task<Answer> get_artifact(Services& services, Request request);
async::Task<Answer> delete_artifact(Services& services, Request request);
async::Task<Answer> list_artifact_files(Services& services, Request request);
async::Task<Answer> get_artifact_content(Services& services, Request request);
async::Task<Answer> upload_artifact(Services& services, Request request);
async::Task<Answer> list_caches(Services& services, Request request);
async::Task<Answer> get_cache(Services& services, Request request);
async::Task<Answer> delete_cache(Services& services, Request request);
async::Task<Answer> scrub_objects(Services& services, Request request);

}  // namespace cicd::api
