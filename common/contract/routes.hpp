#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Method and path of every endpoint, once: the server's table, the client's calls and schemas/openapi.yaml are held
/// together over these. Paths are below `/api/v1`, which is canonical; `/v1/…` and the bare path are aliases.
namespace cicd::contract {

struct Route {
    std::string_view name;  ///< openapi's operationId
    std::string_view method;
    std::string_view path;
};

inline constexpr std::string_view api_root = "/api/v1";

namespace route {
inline constexpr Route healthz{"getHealth", "GET", "/healthz"};
inline constexpr Route readyz{"getReadiness", "GET", "/readyz"};
inline constexpr Route version{"getVersion", "GET", "/version"};
inline constexpr Route status{"getStatus", "GET", "/status"};
inline constexpr Route openapi{"getOpenapi", "GET", "/openapi.json"};
inline constexpr Route all_events{"getEvents", "GET", "/events"};
inline constexpr Route metrics{"getMetrics", "GET", "/metrics"};
inline constexpr Route backup{"backupDaemon", "POST", "/daemon/backup"};
inline constexpr Route clean_up{"cleanUpDaemon", "POST", "/daemon/cleanup"};
inline constexpr Route log_level{"getLogLevel", "GET", "/daemon/log-level"};
inline constexpr Route set_log_level{"setLogLevel", "PUT", "/daemon/log-level"};
inline constexpr Route plan{"planRun", "POST", "/plan"};

inline constexpr Route list_images{"listImages", "GET", "/images"};
inline constexpr Route import_image{"importImage", "POST", "/images"};
inline constexpr Route build_image{"buildImage", "POST", "/images/build"};
inline constexpr Route show_image{"getImage", "GET", "/images/{image}"};
inline constexpr Route remove_image{"deleteImage", "DELETE", "/images/{image}"};

inline constexpr Route list_pipelines{"listPipelines", "GET", "/pipelines"};
inline constexpr Route create_pipeline{"createPipeline", "POST", "/pipelines"};
inline constexpr Route validate_pipeline{"validatePipeline", "POST", "/pipelines/validate"};
inline constexpr Route show_pipeline{"getPipeline", "GET", "/pipelines/{pipelineId}"};
inline constexpr Route update_pipeline{"updatePipeline", "PUT", "/pipelines/{pipelineId}"};
inline constexpr Route remove_pipeline{"deletePipeline", "DELETE", "/pipelines/{pipelineId}"};
inline constexpr Route set_pipeline_state{"setPipelineStatus", "PATCH", "/pipelines/{pipelineId}/status"};
inline constexpr Route pipeline_versions{"listPipelineVersions", "GET", "/pipelines/{pipelineId}/versions"};
inline constexpr Route pipeline_config{"getPipelineConfig", "GET", "/pipelines/{pipelineId}/config"};
inline constexpr Route update_pipeline_config{"updatePipelineConfig", "PUT", "/pipelines/{pipelineId}/config"};
inline constexpr Route pipeline_stages{"listPipelineStages", "GET", "/pipelines/{pipelineId}/stages"};
inline constexpr Route update_pipeline_stages{"updatePipelineStages", "PUT", "/pipelines/{pipelineId}/stages"};
inline constexpr Route add_pipeline_stage{"addPipelineStage", "POST", "/pipelines/{pipelineId}/stages"};
inline constexpr Route remove_pipeline_stage{"deletePipelineStage", "DELETE",
                                             "/pipelines/{pipelineId}/stages/{stageId}"};
inline constexpr Route pipeline_triggers{"listPipelineTriggers", "GET", "/pipelines/{pipelineId}/triggers"};
inline constexpr Route run_pipeline{"runPipeline", "POST", "/pipelines/{pipelineId}/runs"};
inline constexpr Route run_pipeline_now{"runPipelineNow", "POST", "/pipelines/{pipelineId}/run"};
inline constexpr Route trigger_pipeline{"triggerPipeline", "POST", "/pipelines/{pipelineId}/trigger"};
inline constexpr Route execute_pipeline{"executePipeline", "POST", "/pipelines/{pipelineId}/execute"};
inline constexpr Route pipeline_runs{"listPipelineRuns", "GET", "/pipelines/{pipelineId}/runs"};
inline constexpr Route pipeline_executions{"listPipelineExecutions", "GET", "/pipelines/{pipelineId}/executions"};

inline constexpr Route list_runs{"listRuns", "GET", "/runs"};
inline constexpr Route start_run{"startRun", "POST", "/runs"};
inline constexpr Route show_run{"getRun", "GET", "/runs/{runId}"};
inline constexpr Route run_plan{"getRunPlan", "GET", "/runs/{runId}/plan"};
inline constexpr Route run_definition{"getRunDefinition", "GET", "/runs/{runId}/definition"};
inline constexpr Route cancel_run{"cancelRun", "POST", "/runs/{runId}/cancel"};
inline constexpr Route retry_run{"retryRun", "POST", "/runs/{runId}/retry"};
inline constexpr Route run_logs{"getRunLogs", "GET", "/runs/{runId}/logs"};
inline constexpr Route run_events{"getRunEvents", "GET", "/runs/{runId}/events"};
inline constexpr Route show_pipeline_run{"getPipelineRun", "GET", "/pipelines/runs/{runId}"};
inline constexpr Route cancel_pipeline_run{"cancelPipelineRun", "POST", "/pipelines/runs/{runId}/cancel"};
inline constexpr Route retry_pipeline_run{"retryPipelineRun", "POST", "/pipelines/runs/{runId}/retry"};
inline constexpr Route pipeline_run_logs{"getPipelineRunLogs", "GET", "/pipelines/runs/{runId}/logs"};
inline constexpr Route list_executions{"listExecutions", "GET", "/executions"};
inline constexpr Route show_execution{"getExecution", "GET", "/executions/{executionId}"};
inline constexpr Route execution_logs{"getExecutionLogs", "GET", "/executions/{executionId}/logs"};

inline constexpr Route update_run{"updateRun", "PATCH", "/runs/{runId}"};
inline constexpr Route explain_run{"explainRun", "GET", "/runs/{runId}/explain"};

inline constexpr Route job_queue{"listQueue", "GET", "/jobs/queue"};
inline constexpr Route queued_job{"getQueuedJob", "GET", "/jobs/queue/{jobId}"};
inline constexpr Route prioritise_job{"setJobPriority", "POST", "/jobs/queue/{jobId}/priority"};
inline constexpr Route reschedule_job{"rescheduleJob", "POST", "/jobs/queue/{jobId}/reschedule"};
inline constexpr Route explain_job{"explainJob", "GET", "/jobs/{jobId}/explain"};
inline constexpr Route list_jobs{"listJobs", "GET", "/jobs"};
inline constexpr Route show_job{"getJob", "GET", "/jobs/{jobId}"};
inline constexpr Route job_status{"getJobStatus", "GET", "/jobs/{jobId}/status"};
inline constexpr Route job_logs{"getJobLogs", "GET", "/jobs/{jobId}/logs"};
inline constexpr Route job_log_stream{"streamJobLogs", "GET", "/jobs/{jobId}/logs/stream"};
inline constexpr Route cancel_job{"cancelJob", "POST", "/jobs/{jobId}/cancel"};
inline constexpr Route stop_job{"stopJob", "POST", "/jobs/{jobId}/stop"};
inline constexpr Route restart_job{"restartJob", "POST", "/jobs/{jobId}/restart"};

inline constexpr Route list_secrets{"listSecrets", "GET", "/secrets"};
inline constexpr Route create_secret{"createSecret", "POST", "/secrets"};
inline constexpr Route secret_history{"getSecretHistory", "GET", "/secrets/history"};
inline constexpr Route rekey_secrets{"rekeySecrets", "POST", "/secrets/rekey"};
inline constexpr Route set_secret{"setSecret", "PUT", "/secrets/{secretName}"};
inline constexpr Route remove_secret{"deleteSecret", "DELETE", "/secrets/{secretName}"};
inline constexpr Route environment_secrets{"listEnvironmentSecrets", "GET", "/environments/{environmentId}/secrets"};
inline constexpr Route create_environment_secret{"createEnvironmentSecret", "POST",
                                                 "/environments/{environmentId}/secrets"};
inline constexpr Route list_artifacts{"listArtifacts", "GET", "/artifacts"};
inline constexpr Route show_artifact{"getArtifact", "GET", "/artifacts/{artifactId}"};
inline constexpr Route remove_artifact{"deleteArtifact", "DELETE", "/artifacts/{artifactId}"};
inline constexpr Route artifact_files{"listArtifactFiles", "GET", "/artifacts/{artifactId}/files"};
inline constexpr Route artifact_content{"getArtifactContent", "GET", "/artifacts/{artifactId}/content"};
inline constexpr Route run_artifacts{"listRunArtifacts", "GET", "/runs/{runId}/artifacts"};
inline constexpr Route execution_artifacts{"listExecutionArtifacts", "GET", "/executions/{executionId}/artifacts"};
inline constexpr Route job_artifacts{"listJobArtifacts", "GET", "/jobs/{jobId}/artifacts"};
inline constexpr Route upload_artifact{"uploadArtifact", "POST", "/jobs/{jobId}/artifacts"};
inline constexpr Route upload_run_artifact{"uploadRunArtifact", "POST", "/runs/{runId}/artifacts"};
inline constexpr Route show_job_artifact{"getJobArtifact", "GET", "/jobs/{jobId}/artifacts/{artifactId}"};
inline constexpr Route remove_job_artifact{"deleteJobArtifact", "DELETE", "/jobs/{jobId}/artifacts/{artifactId}"};
inline constexpr Route list_caches{"listCaches", "GET", "/caches"};
inline constexpr Route show_cache{"getCache", "GET", "/caches/{cacheId}"};
inline constexpr Route remove_cache{"deleteCache", "DELETE", "/caches/{cacheId}"};
inline constexpr Route scrub{"scrubObjects", "POST", "/daemon/scrub"};
}  // namespace route

/// The canonical path with its `{parameters}` replaced in order, each percent-encoded.
std::string path_of(const Route& route, std::initializer_list<std::string_view> parameters = {});

std::string percent_encode(std::string_view text);

/// `?a=1&b=2`, encoded; parameters with an empty value are left out; nothing at all for none.
using Query = std::vector<std::pair<std::string, std::string>>;
std::string query_text(const Query& query);

}  // namespace cicd::contract
