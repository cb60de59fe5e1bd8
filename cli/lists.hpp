#pragma once

#include "cli/session.hpp"

#include <vector>

namespace cicd::cli {

/// Runs, jobs and pipelines as the output asks: a table, the API's JSON, or names.
void print_run(const Session& session, const model::Run& run);
std::string runs_text(const Session& session, const std::vector<model::Run>& runs);
void print_runs(const Session& session, const std::vector<model::Run>& runs);
/// One run or job with all that is known of it.
void print_run_details(const Session& session, const model::Run& run);
void print_job_details(const Session& session, const model::JobRun& job);
void print_job(const Session& session, const model::JobRun& job);
void print_jobs(const Session& session, const std::vector<model::JobRun>& jobs);
/// What waits, in the order in which it would start.
std::string queue_text(const Session& session, const std::vector<model::JobRun>& jobs);
void print_artifacts(const Session& session, const std::vector<model::ArtifactRecord>& artifacts);
/// `files` as the API lists them; null: without.
void print_artifact_details(const Session& session, const model::ArtifactRecord& artifact, const Value& files);
void print_pipeline(const Session& session, const model::PipelineRecord& pipeline);
void print_pipelines(const Session& session, const std::vector<model::PipelineRecord>& pipelines);

void print_images(const Session& session, const std::vector<contract::Image>& images);
void print_image(const Session& session, const contract::Image& image);

}  // namespace cicd::cli
