#pragma once

#include "common/pipeline/builder.hpp"

/// One reader for each element of the language. Each takes the element's place and gives its value; problems go to the
/// builder.
namespace cicd::pipeline {

/// A job while it is read: what may also stand on its stage or in `defaults`, as defaults, and its work.
struct Work {
    std::optional<Cursor> jobs, commands, steps, uses, with;
};

struct StageDraft {
    model::Stage stage;
    model::Job job;               ///< the defaults of its jobs
    bool split_commands = false;  ///< `parallel: true` was written: one job for each command
    Work work;
};

struct JobDraft {
    model::Job job;
    Work work;
};

struct PipelineDraft {
    model::Pipeline pipeline;
    model::Texts default_env;
    std::optional<Cursor> defaults, stages;
};

void read_triggers(Builder& b, const Cursor& at, std::vector<model::Trigger>& into);
std::vector<model::Parameter> read_parameters(Builder& b, const Cursor& at);
std::vector<model::Include> read_includes(Builder& b, const Cursor& at);
model::Notifications read_notifications(Builder& b, const Cursor& at);
std::optional<model::Concurrency> read_concurrency(Builder& b, const Cursor& at);

/// Keys that a job, its stage and `defaults` share. Only keys that are there change the job.
std::span<const Field<model::Job>> job_settings();
/// Keys that a stage hands on to its jobs and a job has, but not `defaults`.
std::span<const Field<model::Job>> job_details();

std::optional<model::Image> read_image(Builder& b, const Cursor& at);
std::optional<model::Retry> read_retry(Builder& b, const Cursor& at);
void read_resources(Builder& b, const Cursor& at, model::Resources& into);
std::optional<model::ZoneSelector> read_zone(Builder& b, const Cursor& at);
std::vector<model::Cache> read_caches(Builder& b, const Cursor& at);
std::vector<model::Artifact> read_artifacts(Builder& b, const Cursor& at);
std::vector<model::Service> read_services(Builder& b, const Cursor& at);
void read_container_options(Builder& b, const Cursor& at, model::ContainerOptions& into);
std::vector<model::Volume> read_volumes(Builder& b, const Cursor& at);
std::optional<model::Reports> read_reports(Builder& b, const Cursor& at);
std::optional<model::Matrix> read_matrix(Builder& b, const Cursor& at);
std::optional<model::Gate> read_gate(Builder& b, const Cursor& at);
std::optional<model::Deploy> read_deploy(Builder& b, const Cursor& at);

std::vector<model::Step> read_steps(Builder& b, const Cursor& at);
model::Step read_command(Builder& b, const Cursor& at);
/// `uses` and `with` beside each other, on a step's place.
model::Step read_use(Builder& b, const Cursor& uses, const std::optional<Cursor>& with);
std::string read_component_name(Builder& b, const Cursor& at);
/// `commands`, `steps` or `uses` of one job, of which exactly one must be there.
std::vector<model::Step> read_work(Builder& b, const Cursor& at, const Work& work);

/// Unresolved: `job` holds nothing and `stage` the text as written, or both are set where the map form was used.
std::vector<model::Need> read_needs(Builder& b, const Cursor& at);
std::vector<model::Stage> read_stages(Builder& b, const Cursor& at, const model::Job& defaults);
model::Pipeline read_pipeline(Builder& b, const Cursor& at);
model::Component read_component(Builder& b, const Cursor& at);

/// Turns the texts of all needs into stages and jobs, and reports missing ones, repeated ones and cycles.
void resolve_needs(Builder& b, model::Pipeline& pipeline);

/// Why this is not a cron expression of five fields; nothing if it is one.
std::optional<std::string> cron_fault(std::string_view text);

}  // namespace cicd::pipeline
