#pragma once

#include "common/base/value.hpp"
#include "common/model/job_spec.hpp"
#include "common/model/pipeline.hpp"
#include "common/model/plan.hpp"
#include "common/model/run.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Bodies and queries of the API, as values. Routes are in routes.hpp; their JSON is in common/codec.
namespace cicd::contract {

/// POST /runs, POST /plan and POST /pipelines/{id}/run: what to run, and on what.
struct StartRun {
    std::string pipeline;               ///< id or name of a registered pipeline; empty: `file` of `repository`
    std::string repository;             ///< absolute path or URL; empty: the registered pipeline's own
    std::string file;                   ///< path in the repository; empty: the only pipeline there is
    std::string definition;             ///< YAML given inline instead of a file
    bool working_tree = false;          ///< the tree as it is, uncommitted changes included
    std::string commit, branch, tag;    ///< at most one; none and no working_tree: HEAD
    int pull_request = 0;
    model::TriggerType event = model::TriggerType::manual;
    std::string base;                   ///< push: what the changed paths are counted from; pull_request: target branch
    std::vector<std::pair<std::string, std::string>> params;
    std::vector<std::string> stages;    ///< only these (and the stages they need)
    std::vector<std::string> jobs;      ///< only these (and what they need)
    std::vector<std::pair<std::string, std::string>> vars;
    std::optional<model::Priority> priority;
    bool operator==(const StartRun&) const = default;
};

struct RetryRun {
    bool failed_only = true;
    bool operator==(const RetryRun&) const = default;
};

struct Cancel {
    std::string reason;
    bool operator==(const Cancel&) const = default;
};

struct RunFilter {
    std::string pipeline, branch;
    std::vector<model::RunState> states;
    std::vector<std::string> repositories;
    int page = 1, page_size = 20;
    std::string sort = "-number";
    bool operator==(const RunFilter&) const = default;
};

struct JobFilter {
    std::string run, stage, name;
    std::vector<model::JobState> states;
    int page = 1, page_size = 20;
    std::string sort = "-id";
    bool operator==(const JobFilter&) const = default;
};

/// POST /pipelines and PUT /pipelines/{id}.
struct SavePipeline {
    std::string name, description;
    std::string definition;  ///< YAML (also accepted as `yaml_config`), or
    Value definition_value;  ///< the same as JSON
    std::string repository, file;
    std::optional<model::PipelineState> state;
    bool operator==(const SavePipeline&) const = default;
};

struct Pagination {
    int page = 1, page_size = 20;
    std::int64_t total_count = 0;
    bool has_next = false;
    bool operator==(const Pagination&) const = default;
};

template <class T>
struct Page {
    std::vector<T> data;
    Pagination pagination;
};

/// A line of a log as it is sent: JSON in lists, event `log` in streams.
struct LogEntry {
    JobId job;
    std::string job_key;
    std::uint64_t line = 0;
    int step = 0;
    model::LogStream stream = model::LogStream::out;
    Timestamp time;
    std::string text;
    bool partial = false;
    int attempt = 1;
    bool operator==(const LogEntry&) const = default;
};

struct DaemonStatus {
    int pid = 0;
    std::string version, state_directory, socket;
    Timestamp start_time;
    std::int64_t running_jobs = 0, queued_jobs = 0, active_runs = 0;
    double cpu_capacity = 0;
    std::uint64_t memory_capacity = 0;
    int slots = 0;
    bool operator==(const DaemonStatus&) const = default;
};

}  // namespace cicd::contract
