#pragma once

#include "common/base/value.hpp"
#include "common/model/pipeline.hpp"
#include "common/model/run.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What `cicd-runner` is given and what it writes back: the contents of a job directory, as values.
namespace cicd::model {

struct JobLimits {
    std::optional<double> cpu;
    std::optional<std::uint64_t> memory;
    std::optional<int> pids;
    std::optional<std::uint64_t> storage;  ///< bytes that the job may write: workspace, /tmp and home together
    std::optional<int> gpu;                ///< devices; of the executor `container`
    bool operator==(const JobLimits&) const = default;
};

/// An artifact of a job that this one needs, to be put back before the first step.
struct NeededArtifact {
    std::string job_key, name, digest;
    bool operator==(const NeededArtifact&) const = default;
};

/// The root of a job of the executor `rootfs`: an image that lies unpacked on this machine.
struct RootImage {
    std::string name, digest;
    std::string path;       ///< absolute: its files, read-only
    Texts env;              ///< that the image's maker gave it
    int user = 0, group = 0;  ///< as which the job sees itself
    std::string user_name, home;
    bool operator==(const RootImage&) const = default;
};

/// A service of a job: what the pipeline says of it, and of its image what the zone knows.
struct JobService {
    Service service;
    std::optional<RootImage> root;
    Strings entrypoint, command;
    std::string working_directory;
    bool operator==(const JobService&) const = default;
};

/// `spec.json`. Holds no secret values; those come through a pipe.
struct JobSpec {
    int version = 1;
    Dialect dialect = Dialect::native;
    JobId job;
    RunId run;
    std::string key, name, stage;
    int attempt = 1;
    ExecutorKind executor = ExecutorKind::sandbox;
    NetworkMode network = NetworkMode::host;
    SystemMode system = SystemMode::standard;
    std::string workspace;   ///< absolute path on this machine; exists when the runner starts
    /// Read-only trees below the workspace, the uppermost first. Where there are any, `workspace` holds the folders
    /// `upper` and `work`, and the job sees an overlay of it all; sandbox only.
    std::vector<std::string> workspace_layers;
    std::optional<Image> image;      ///< what the pipeline says, pinned by its digest where that is known
    std::optional<RootImage> root;   ///< what the zone made of it; the job's layer lies beside the workspace's
    std::optional<RootImage> image_files;  ///< container: where the image lies on this machine, for an engine that lacks it
    std::string engine;      ///< which engine makes containers, as the configuration says
    std::optional<int> git_depth;  ///< as the job's
    Strings mountable;       ///< container: folders of this machine that it may be given, as the configuration says
    bool real_workspace = false;  ///< a step may run in a container of its own: the workspace is a folder that an engine sees
    /// Their layers lie beside the workspace's, in folders of their names. The job and they share one network.
    std::vector<JobService> services;
    std::string cache;       ///< absolute path of what jobs on this machine share read-only; empty: nothing is shared
    std::string store;       ///< absolute path of the state directory, whose objects and caches the job may use
    Value contexts;          ///< object: params, vars, matrix, strategy, needs, run, git, runner, environment
    std::vector<Texts> env;  ///< layers, outermost first: pipeline, stage, job; not yet interpolated
    std::string shell, working_directory;
    std::vector<Step> steps;
    Texts actions;           ///< see Plan
    std::vector<FetchedAction> fetched;
    Strings secrets;         ///< names of those that its texts read (model::all_secrets: all); their values come otherwise
    Texts outputs;           ///< job outputs, as expressions over `steps`
    std::optional<Milliseconds> timeout, silence_timeout;
    bool fail_on_silence = false;
    Milliseconds grace{10'000};  ///< between SIGTERM and SIGKILL
    JobLimits limits;
    std::vector<NeededArtifact> needed;  ///< later ones win where paths are the same
    std::vector<Artifact> artifacts;     ///< texts not yet interpolated, as everything below
    std::vector<Cache> caches;
    bool operator==(const JobSpec&) const = default;
};

/// A service counts as a step behind the job's own, so that it has a state and a log.
inline StepRun service_step(const Service& service, int index) {
    StepRun step;
    step.index = index;
    step.id = step.name = "service:" + service.name;
    return step;
}

enum class JournalType { job_started, step_started, step_ended, notice, job_ended };

/// One line of `journal`. `job_ended` is only in the file `exit`, which is written atomically and last.
struct JournalEntry {
    JournalType type = JournalType::notice;
    Timestamp time;
    int step = -1;
    std::string name;
    StepState state = StepState::running;
    std::optional<int> exit_code;
    std::optional<EndReason> end_reason;
    std::string message;
    Usage usage;
    int pid = 0;  ///< job_started: the runner's
    bool operator==(const JournalEntry&) const = default;
};

/// The file `exit`: how the job ended.
struct JobExit {
    JobState state = JobState::success;  ///< success | failed | cancelled
    std::optional<int> exit_code;        ///< of the step that failed, or 0
    std::optional<EndReason> end_reason;
    std::string message;
    Timestamp start_time, end_time;
    Value outputs;  ///< object
    Usage usage;
    std::vector<StepRun> steps;
    std::vector<JobArtifact> artifacts;
    std::vector<JobCache> caches;
    bool operator==(const JobExit&) const = default;
};

enum class LogStream : std::uint8_t { out = 1, err = 2, system = 3 };

}  // namespace cicd::model

namespace cicd {
template <>
struct EnumText<model::JournalType> {
    using E = model::JournalType;
    static constexpr std::array table{std::pair{E::job_started, std::string_view{"job_started"}},
                                      std::pair{E::step_started, std::string_view{"step_started"}},
                                      std::pair{E::step_ended, std::string_view{"step_ended"}},
                                      std::pair{E::notice, std::string_view{"notice"}},
                                      std::pair{E::job_ended, std::string_view{"job_ended"}}};
};
template <>
struct EnumText<model::LogStream> {
    using E = model::LogStream;
    static constexpr std::array table{std::pair{E::out, std::string_view{"stdout"}},
                                      std::pair{E::err, std::string_view{"stderr"}},
                                      std::pair{E::system, std::string_view{"system"}}};
};
}  // namespace cicd
