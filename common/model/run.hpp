#pragma once

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/model/pipeline.hpp"
#include "common/model/plan.hpp"
#include "common/model/states.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Runs and their parts as they are stored and shown.
namespace cicd::model {

struct Usage {
    std::int64_t cpu_ms = 0;         ///< user and system time
    std::int64_t peak_memory = 0;    ///< bytes, of the largest process or of the group where that is known
    std::int64_t wall_ms = 0;
    bool operator==(const Usage&) const = default;
};

/// What a step said about a place in a file, or about the whole: `::error file=a.c,line=3::message`.
enum class AnnotationLevel { notice, warning, error };
struct Annotation {
    AnnotationLevel level = AnnotationLevel::notice;
    std::string message, title, file;
    int line = 0, column = 0, end_line = 0, end_column = 0;  ///< from 1; 0: not told
    bool operator==(const Annotation&) const = default;
};

struct StepRun {
    int index = 0;  ///< from 0
    std::string id, name;
    StepState state = StepState::pending;
    std::optional<Timestamp> start_time, end_time;
    std::optional<int> exit_code;
    std::optional<EndReason> end_reason;
    std::string message;  ///< why it was skipped or failed, where the exit code does not say it
    Usage usage;
    std::vector<Annotation> annotations;
    bool operator==(const StepRun&) const = default;
};

/// What a job left behind, as its runner tells of it. The digest names the content for ever.
struct JobArtifact {
    std::string name, type;
    std::string digest;       ///< SHA-256 of its manifest, 64 hexadecimal digits
    std::uint64_t size = 0;   ///< bytes of all its files
    std::uint64_t files = 0;
    std::optional<Milliseconds> retention;
    bool operator==(const JobArtifact&) const = default;
};

/// What became of one of a job's caches.
enum class CacheHit {
    exact,    ///< its key was there
    partial,  ///< one of its restore keys found an older one
    miss,
    unused,   ///< not asked for: the policy only pushes
};
struct JobCache {
    std::string key;
    CacheHit hit = CacheHit::miss;
    std::string matched;      ///< the key of what was put back
    std::string reason;       ///< for people: where it was found, why it was not, why it was not saved
    std::uint64_t size = 0;   ///< of what was put back or saved
    bool saved = false;
    bool operator==(const JobCache&) const = default;
};

/// What a job with `reuse: true` depends on, each part as a digest, and what came of comparing them with earlier runs.
struct JobInputs {
    std::string digest;    ///< of all parts: "sha256:…"; empty: they are not known
    std::vector<std::pair<std::string, std::string>> parts;
    std::string decision;  ///< for people: from where it was reused, or what differs
    JobId from;            ///< the job whose result it has; empty: it ran itself
    bool operator==(const JobInputs&) const = default;
};

struct JobRun {
    JobId id;
    RunId run;
    std::string key, name, stage;
    JobState state = JobState::created;
    int attempt = 1;
    std::string image;       ///< with the digest that the run was given; empty: it runs in none
    bool allow_failure = false;
    std::optional<Priority> priority;        ///< its own, where it was rescheduled; else the run's
    std::optional<Timestamp> not_before;     ///< rescheduled, or a retry that backs off
    std::optional<Timestamp> created_time, queued_time, start_time, end_time;
    std::optional<int> exit_code;
    std::optional<EndReason> end_reason;
    std::string message;     ///< why: the condition that skipped it, the need that failed, the limit it hit
    Value outputs;           ///< object
    Usage usage;
    std::vector<StepRun> steps;
    std::vector<JobArtifact> artifacts;
    std::vector<JobCache> caches;
    std::optional<JobInputs> inputs;
    bool operator==(const JobRun&) const = default;
};

/// An artifact as it is stored and shown. It never changes; another upload is another artifact.
struct ArtifactRecord {
    ArtifactId id;
    RunId run;
    JobId job;
    std::string job_key;
    int attempt = 1;
    std::string name, type, digest;
    std::uint64_t size = 0, files = 0;
    std::optional<Timestamp> created_time, expire_time;
    std::string created_by;  ///< the user who uploaded it; empty: its job
    bool operator==(const ArtifactRecord&) const = default;
};

struct StageRun {
    std::string name;
    StageState state = StageState::pending;
    std::optional<Timestamp> start_time, end_time;
    std::string message;
    bool operator==(const StageRun&) const = default;
};

struct Run {
    RunId id;
    std::int64_t number = 0;
    PipelineId pipeline_id;  ///< empty for a run of a file that is not registered
    std::string pipeline;    ///< name
    int pipeline_version = 0;
    RunState state = RunState::created;
    Priority priority = Priority::normal;
    std::string triggered_by;  ///< user
    Event event;
    Source source;
    std::optional<Timestamp> created_time, start_time, end_time;
    std::string message;
    std::optional<RunId> retry_of;
    std::vector<StageRun> stages;
    std::vector<JobRun> jobs;  ///< empty in lists
    bool operator==(const Run&) const = default;
};

/// One entry of the event stream. `seq` grows by one for each event of a run; streams resume after it.
struct RunEvent {
    std::int64_t seq = 0;
    RunId run;
    Timestamp time;
    std::string type;  ///< run.state | stage.state | job.state | step.state | notice
    std::string stage, job_key;
    JobId job;
    std::string state;
    std::optional<int> step;      ///< index, of step.state
    std::string name;             ///< of the step
    std::optional<int> exit_code;
    std::optional<EndReason> end_reason;
    int attempt = 0;
    std::string message;
    std::int64_t duration_ms = 0;  ///< of what ended
    bool allow_failure = false;    ///< of a job that failed: nothing fails with it
    bool operator==(const RunEvent&) const = default;
};

/// A stored definition. Every edit is a new version; runs pin one.
struct PipelineRecord {
    PipelineId id;
    std::string name, description;
    PipelineState state = PipelineState::active;
    int version = 1;
    std::string repository;  ///< path or URL, or empty
    std::string file;        ///< path in the repository, or empty
    std::string definition;  ///< the YAML text as given
    std::string created_by;
    Timestamp created_time, updated_time;
    bool operator==(const PipelineRecord&) const = default;
};

}  // namespace cicd::model

namespace cicd {
template <>
struct EnumText<model::AnnotationLevel> {
    using E = model::AnnotationLevel;
    static constexpr std::array table{std::pair{E::notice, std::string_view{"notice"}},
                                      std::pair{E::warning, std::string_view{"warning"}},
                                      std::pair{E::error, std::string_view{"error"}}};
};
template <>
struct EnumText<model::CacheHit> {
    using E = model::CacheHit;
    static constexpr std::array table{std::pair{E::exact, std::string_view{"exact"}},
                                      std::pair{E::partial, std::string_view{"partial"}},
                                      std::pair{E::miss, std::string_view{"miss"}},
                                      std::pair{E::unused, std::string_view{"unused"}}};
};
}  // namespace cicd
