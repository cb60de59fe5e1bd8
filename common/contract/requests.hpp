#pragma once

#include "common/base/value.hpp"
#include "common/model/job_spec.hpp"
#include "common/model/pipeline.hpp"
#include "common/model/plan.hpp"
#include "common/model/run.hpp"
#include "common/model/secret.hpp"

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
    std::string event_name;             ///< what another language calls it, such as "workflow_dispatch"; empty: as `event`
    Value payload;                      ///< object: what the event's webhook would have told
    std::string base;                   ///< push: what the changed paths are counted from; pull_request: target branch
    std::vector<std::pair<std::string, std::string>> params;
    std::vector<std::string> stages;    ///< only these (and the stages they need)
    std::vector<std::string> jobs;      ///< only these (and what they need)
    std::vector<std::pair<std::string, std::string>> vars;
    std::vector<std::pair<std::string, std::string>> env;      ///< variables below the pipeline's own
    std::vector<std::pair<std::string, std::string>> matrix;   ///< only combinations with one of the values given for an axis
    std::vector<std::pair<std::string, std::string>> actions;  ///< "owner/name" → folder of the source to use instead
    bool strict = false;                ///< what cannot run here is an error, not a notice
    std::string from_stage;             ///< only this stage and those after it; the others count as successful
    std::optional<model::Priority> priority;
    bool no_reuse = false;              ///< jobs run also where their result is known (`reuse`)
    bool operator==(const StartRun&) const = default;
};

/// What is not to run again keeps its result, its outputs and its log. At most one of `from_stage` and `jobs`; either
/// comes before `failed_only`.
struct RetryRun {
    bool failed_only = true;
    std::string from_stage;         ///< this stage and all that need it, successes too
    std::vector<std::string> jobs;  ///< keys ("test.unit") or ids; with what was skipped because of them
    bool operator==(const RetryRun&) const = default;
};

struct Cancel {
    std::string reason;
    bool force = false;  ///< without the time that jobs are given to end by themselves
    bool operator==(const Cancel&) const = default;
};

/// PATCH /runs/{id}, POST /jobs/queue/{id}/priority and /reschedule: for what has not started yet.
struct Reschedule {
    std::optional<model::Priority> priority;
    std::optional<Timestamp> not_before;  ///< it does not start earlier; a time in the past: as soon as it can
    bool operator==(const Reschedule&) const = default;
};

struct RunFilter {
    std::string pipeline, branch;
    std::vector<model::RunState> states;
    std::vector<std::string> repositories;
    std::string user, commit;                      ///< commit: the beginning of its id
    std::vector<model::TriggerType> events;
    std::optional<Timestamp> since, until;         ///< created in [since, until)
    int page = 1, page_size = 20;
    std::string sort = "-number";
    std::string cursor;                            ///< of the page before: comes before `page`
    bool operator==(const RunFilter&) const = default;
};

struct JobFilter {
    std::string run, stage, name;
    std::vector<model::JobState> states;
    int page = 1, page_size = 20;
    std::string sort = "-id";
    std::string cursor;
    bool operator==(const JobFilter&) const = default;
};

struct ArtifactFilter {
    std::string run, job, name;
    int page = 1, page_size = 20;
    std::string sort = "-id";
    bool operator==(const ArtifactFilter&) const = default;
};

/// Which lines of a job's log. Everything given must hold.
struct LogQuery {
    int attempt = 0;               ///< 0: the latest
    std::uint64_t first_line = 0;
    int max_lines = 0;             ///< 0: no limit
    int tail = -1;                 ///< only the last so many lines (of those that match); -1: all
    std::optional<Timestamp> since;
    std::string step;              ///< index from 0, id or name
    std::string grep;              ///< ECMAScript regular expression
    bool operator==(const LogQuery&) const = default;
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

/// POST /secrets, PUT /secrets/{name}, POST /environments/{id}/secrets: a new secret, or a new value of the one of that
/// name and scope.
struct SaveSecret {
    std::string name, value;
    model::SecretScope scope;
    std::optional<Timestamp> rotate_by;
    bool operator==(const SaveSecret&) const = default;
};

struct Pagination {
    int page = 1, page_size = 20;
    std::int64_t total_count = 0;
    bool has_next = false;
    std::string next_cursor;  ///< where the list has one and there is more
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
    int gpu_capacity = 0;
    bool accepting = true;             ///< new runs are taken, new jobs start
    std::string not_accepting_reason;  ///< "only 120 MiB are free in /var/lib/cicd; …"
    std::string limits;                ///< how limits are held: "cgroup2", "cgroup1", "rlimits"
    bool operator==(const DaemonStatus&) const = default;
};

/// POST /daemon/cleanup. Ages, counts and sizes are those of the configuration; `dry_run` only tells.
struct CleanUp {
    bool dry_run = false;
    bool operator==(const CleanUp&) const = default;
};
struct CleanUpReport {
    std::int64_t runs = 0, logs = 0, workspaces = 0, mirrors = 0;  ///< removed
    std::int64_t bytes = 0;                                        ///< freed on disk
    std::vector<std::string> notes;                                ///< what was kept, and why
    bool operator==(const CleanUpReport&) const = default;
};

/// POST /daemon/backup: a snapshot of the state as one archive, written on the daemon's machine while it works on.
struct Backup {
    std::string path;    ///< absolute; must not exist yet unless `overwrite`
    bool overwrite = false;
    bool logs = true;    ///< logs of ended jobs too
    bool operator==(const Backup&) const = default;
};
struct BackupReport {
    std::string path, sha256;
    std::int64_t bytes = 0, runs = 0, logs = 0;
    bool operator==(const BackupReport&) const = default;
};

/// POST /images: a tree for jobs, from an OCI layout, an OCI archive or a docker archive on the daemon's machine.
struct ImportImage {
    std::string name;    ///< "tool" or "tool:1.2"
    std::string path;    ///< absolute
    std::string tag;     ///< which one, where there are several in it
    bool operator==(const ImportImage&) const = default;
};
/// POST /images/build: a root of Debian's packages, made on the daemon's machine.
struct BuildImage {
    std::string name;
    std::vector<std::string> packages;  ///< besides those that every system has
    std::string suite;                  ///< empty: the machine's own
    std::string mirror;                 ///< "http://…", "file:/…", "copy:/…"; empty: the machine's own sources
    std::string variant;                ///< of mmdebstrap: "minbase" if empty; "extract" only unpacks `packages`
    bool trusted = false;               ///< of `mirror`: what it has need not be signed
    bool operator==(const BuildImage&) const = default;
};
/// A line of the answer. The last one has the image, or the error.
struct BuildProgress {
    std::string line;
    Value image, error;                 ///< null until then
    bool operator==(const BuildProgress&) const = default;
};
/// An image that lies unpacked on the daemon's machine.
struct Image {
    std::string digest;                ///< of its manifest; of its configuration where it came without one
    std::vector<std::string> names;    ///< by which pipelines find it
    std::string source;                ///< where it came from
    Timestamp created_time;
    std::int64_t bytes = 0, files = 0, skipped = 0;  ///< skipped: devices and the like, which no job gets
    std::vector<std::pair<std::string, std::string>> env;
    std::string user, working_directory;
    std::vector<std::string> entrypoint, command;
    bool operator==(const Image&) const = default;
};
struct ImageList {
    std::vector<Image> data;
    bool operator==(const ImageList&) const = default;
};

}  // namespace cicd::contract
