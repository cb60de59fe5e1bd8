#pragma once

#include "common/base/enum_text.hpp"
#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/base/value.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// The pipeline definition as values: what every front end makes and the planner reads. Shorthands of the language
/// (commands on a stage, defaults, aliases) are resolved by the front end; `${{ }}` texts are kept as written.
namespace cicd::model {

/// Where an element stood in its file. Positions never make two definitions different.
struct Mark {
    std::string file;
    int line = 0;
    int column = 0;
    std::string pointer;
    bool operator==(const Mark&) const { return true; }
};

/// Where each key of an element stood: for messages about a setting that keeps no mark of its own.
struct Marks {
    std::vector<std::pair<std::string, Mark>> keys;
    void set(std::string_view key, Mark mark) { keys.emplace_back(key, std::move(mark)); }
    /// The last one set under that name, or `otherwise`.
    [[nodiscard]] const Mark& find(std::string_view key, const Mark& otherwise) const {
        for (auto it = keys.rbegin(); it != keys.rend(); ++it)
            if (it->first == key) return it->second;
        return otherwise;
    }
    bool operator==(const Marks&) const { return true; }
};

/// A value known now, or an expression ("${{ … }}") that gives it later.
template <class T>
struct OrExpression {
    T value{};
    std::string expression;  ///< empty: `value` holds
    bool operator==(const OrExpression&) const = default;
};

/// Ordered name → text; texts may hold `${{ }}`.
using Texts = std::vector<std::pair<std::string, std::string>>;
using Strings = std::vector<std::string>;

/// Whose language a definition was written in: what its contexts and predefined variables are called.
enum class Dialect { native, github, gitlab, bitbucket };
enum class TriggerType { push, pull_request, manual, schedule, webhook, pipeline };
enum class ExecutorKind { sandbox, host, container, rootfs };
enum class NetworkMode { none, host };
/// writable: the job is root in a system of its own, thrown away with it.
enum class SystemMode { standard, writable };
enum class ParameterType { string, boolean, number, choice, array, object };
enum class ArtifactWhen { on_success, on_failure, always };
enum class Priority { critical, high, normal, low };
enum class ZoneStrategy { resource, geographic, cost, performance, round_robin, least_loaded, weighted, affinity };
enum class EndReason { exit, signal, timeout, oom, cancelled, superseded, lost, infra, policy };

struct Trigger {
    TriggerType type = TriggerType::manual;
    bool enabled = true;
    std::string id;        ///< of a webhook; in other dialects, what they call the event
    Strings branches, branches_ignore, tags, tags_ignore, paths, paths_ignore;
    Strings types;         ///< pull_request: activity types
    std::string cron, timezone;
    Strings permissions;   ///< manual: roles
    std::string pipeline;  ///< pipeline: whose end triggers
    std::string on;        ///< pipeline: success | failed | cancelled | always
    std::optional<std::string> filter;  ///< webhook: expression over the payload
    Mark mark;
    bool operator==(const Trigger&) const = default;
};

struct Parameter {
    std::string name;
    ParameterType type = ParameterType::string;
    std::string description;
    std::optional<Value> default_value;
    std::vector<Value> values;  ///< if not empty: the only ones allowed
    bool required = false;
    Mark mark;
    bool operator==(const Parameter&) const = default;
};

struct Concurrency {
    std::string group;
    OrExpression<bool> cancel_in_progress;
    bool operator==(const Concurrency&) const = default;
};

struct Resources {
    std::optional<double> cpu;            ///< cores
    std::optional<std::uint64_t> memory;  ///< bytes
    std::optional<int> gpu;
    std::string gpu_type;
    std::optional<std::uint64_t> storage;  ///< bytes
    std::optional<int> pids;
    bool operator==(const Resources&) const = default;
};

struct Retry {
    int max = 0;  ///< further attempts after the first
    std::vector<EndReason> on;  ///< empty: lost, infra, timeout, exit, signal, oom
    std::vector<int> exit_codes;  ///< of `exit`, only these; empty: all but 0
    Milliseconds backoff{0};    ///< before the first retry; doubles with each further one, up to an hour
    bool operator==(const Retry&) const = default;
};

struct Cache {
    std::string key;
    Strings restore_keys, paths;
    std::string scope;   ///< branch | pipeline | project
    std::string policy;  ///< pull-push | pull | push
    std::optional<Milliseconds> ttl;
    Mark mark;
    bool operator==(const Cache&) const = default;
};

struct Artifact {
    std::string name;
    Strings paths, exclude;
    std::string type;
    std::optional<Milliseconds> retention;
    ArtifactWhen when = ArtifactWhen::on_success;
    Mark mark;
    bool operator==(const Artifact&) const = default;
};

struct Volume {
    std::string name, path;
    std::optional<std::uint64_t> size;
    bool operator==(const Volume&) const = default;
};

/// What the container of a job or a service is given beyond its image, in the forms that engines have for it.
struct ContainerOptions {
    std::string login;   ///< "user:password" for the image's registry; an expression that gives it
    Strings volumes;     ///< NAME:/path, /folder:/path, either with :ro, or /path
    std::string hostname;
    Strings aliases;     ///< of a service: further names by which it is found
    Strings hosts;       ///< NAME:ADDRESS
    Texts labels;
    Strings tmpfs;       ///< /path[:OPTIONS]
    Strings ulimits;     ///< NAME=SOFT[:HARD]
    std::optional<double> cpu;  ///< a limit and no claim: for that a job has its `resources`
    std::optional<std::uint64_t> memory, shared_memory;
    /// Not even roughly without an engine.
    [[nodiscard]] bool need_engine() const { return !login.empty() || !volumes.empty() || !ulimits.empty(); }
    bool operator==(const ContainerOptions&) const = default;
};

/// What runs beside a job: an image, or a command in the sandbox.
struct Service {
    std::string name, image;
    std::string ready;       ///< a shell's command that succeeds once it is ready; empty: as soon as it runs
    std::optional<Milliseconds> ready_timeout;
    std::string user;        ///< of the image; empty: the one that it names
    Strings command;         ///< one text is a shell's; several are a program and its arguments
    Texts env;
    Strings ports;
    Mark mark;
    Strings entrypoint;      ///< in place of the image's, whose command then is not run either
    std::string working_directory;  ///< empty: the one that the image names
    ContainerOptions options;
    bool operator==(const Service&) const = default;
};

struct ZoneSelector {
    std::string name;
    Texts labels;
    std::optional<ZoneStrategy> strategy;
    bool operator==(const ZoneSelector&) const = default;
};

struct Coverage {
    std::string cobertura, lcov, jacoco, clover;
    std::optional<double> threshold;
    bool operator==(const Coverage&) const = default;
};

struct Reports {
    Strings junit, sarif;
    std::optional<Coverage> coverage;
    std::string dotenv;
    bool operator==(const Reports&) const = default;
};

struct Axis {
    std::string name;
    std::vector<Value> values;
    std::string expression;  ///< set instead of values
    bool operator==(const Axis&) const = default;
};

struct Matrix {
    std::string expression;  ///< the whole matrix is one expression
    std::vector<Axis> axes;
    std::vector<Value> include, exclude;  ///< objects
    std::string include_expression, exclude_expression;
    bool operator==(const Matrix&) const = default;
};

/// `image:` of a job: a name, or a name with how to get and run it.
struct Image {
    std::string name, pull, user, entrypoint, credentials;
    ContainerOptions options;
    bool operator==(const Image&) const = default;
};

/// What a step does instead of `run` or `uses`, with steps in the background before it.
enum class StepControl { none, wait, wait_all, cancel };

struct Step {
    std::string id, name;
    std::string run;
    std::string uses;
    std::vector<std::pair<std::string, Value>> with;
    std::string shell;              ///< empty: the job's, then `bash -e` or `sh -e`
    std::string working_directory;  ///< relative to the workspace
    Texts env;
    std::string condition;  ///< empty: on_success
    OrExpression<bool> continue_on_error;
    std::optional<Milliseconds> timeout;
    std::string timeout_minutes;  ///< an expression that gives it, set instead
    bool background = false;      ///< the steps after it do not wait for it
    StepControl control = StepControl::none;
    Strings targets;              ///< the ids of those that it waits for, or cancels
    int parallel = 0;             ///< not 0: of which group of steps that run at the same time; its last one waits for the others
    Mark mark;
    bool operator==(const Step&) const = default;
};

struct Need {
    std::string stage;  ///< always set once resolved
    std::string job;    ///< empty: the whole stage
    Mark mark;
    bool operator==(const Need&) const = default;
    auto operator<=>(const Need& other) const {
        if (auto order = stage <=> other.stage; order != 0) return order;
        return job <=> other.job;
    }
};

struct Job {
    std::string name;
    std::string title;        ///< how it is shown where that is not its name; may hold `${{ }}`
    std::string description;
    Strings labels;
    std::vector<Need> needs;  ///< besides those of its stage
    std::string condition;    ///< always | on_success | on_failure | an expression; empty: on_success
    std::optional<Image> image;
    std::optional<ExecutorKind> executor;
    std::optional<NetworkMode> network;
    std::optional<SystemMode> system;
    Texts env;
    Resources resources;
    std::vector<Cache> cache;
    std::vector<Artifact> artifacts;
    std::optional<std::vector<Need>> artifacts_from;  ///< absent: whatever it needs, directly or not
    std::vector<Service> services;
    std::vector<Volume> volumes;
    std::optional<ZoneSelector> zone;
    Strings runs_on;          ///< labels of a place by which another language asks for one; may hold `${{ }}`
    std::string unavailable;  ///< why it cannot run here: it is skipped with that reason
    bool empty_workspace = false;  ///< it starts without the source
    std::optional<int> git_depth;  ///< the workspace is a git repository with so many commits, 0: all; none: files only
    bool real_workspace = false;   ///< a step runs in a container of its own, which has to reach the job's files
    std::optional<Milliseconds> timeout, silence_timeout;
    std::string timeout_minutes;  ///< an expression that gives the timeout, set instead
    bool fail_on_silence = false;
    std::optional<Retry> retry;
    OrExpression<bool> allow_failure;
    std::vector<int> allowed_exit_codes;  ///< a failure with one of these is allowed, too
    std::optional<Matrix> matrix;
    OrExpression<bool> fail_fast{true, {}};
    std::optional<int> max_parallel;
    std::optional<Reports> reports;
    Texts outputs;
    std::string environment;
    std::string shell, working_directory;
    std::optional<Priority> priority;
    std::optional<Concurrency> concurrency;
    bool reuse = false;
    std::vector<Step> steps;
    Mark mark;
    Marks key_marks;
    bool operator==(const Job&) const = default;
};

struct Gate {
    std::string type;  ///< approval | quality | policy; approval by default
    int approvals = 1;
    Strings roles, users;
    std::optional<Milliseconds> expires;
    std::string condition, message;
    Mark mark;
    bool operator==(const Gate&) const = default;
};

/// Strategy, analysis, target and rollback of a deployment. Drivers own their settings, so those stay values.
struct Deploy {
    std::string artifact;
    Value strategy, rollback, target, validation;
    Mark mark;
    bool operator==(const Deploy&) const = default;
};

struct Stage {
    std::string name;
    std::string description;
    /// Absent: after the stage written before it. Empty: at once.
    std::optional<std::vector<Need>> needs;
    std::string condition;
    bool parallel = true;
    bool fail_fast = false;  ///< one job's failure cancels the others
    std::optional<Milliseconds> timeout;
    Texts env;
    std::string environment;
    std::optional<Gate> gate;
    std::optional<Deploy> deploy;
    std::vector<Job> jobs;
    Texts outputs;  ///< expressions over `jobs`; none: those of all its jobs together
    Mark mark;
    Marks key_marks;
    bool operator==(const Stage&) const = default;
};

struct Notifications {
    Strings on_start, on_success, on_failure, on_cancelled, on_blocked;
    bool operator==(const Notifications&) const = default;
};

struct Include {
    std::string path;
    std::string template_name, version;  ///< `template: name@version`
    std::vector<std::pair<std::string, Value>> with;
    Mark mark;
    bool operator==(const Include&) const = default;
};

struct Pipeline {
    Dialect dialect = Dialect::native;
    std::string name;
    std::string description;
    std::vector<Include> includes;
    std::vector<Trigger> triggers;
    std::vector<Parameter> parameters;
    Texts env;
    std::optional<Concurrency> concurrency;
    std::optional<Milliseconds> timeout;
    std::optional<Priority> priority;
    bool shared_workspace = false;  ///< `workspace: shared`
    std::vector<Stage> stages;
    Notifications notifications;
    Mark mark;
    Marks key_marks;
    bool operator==(const Pipeline&) const = default;
};

/// A reusable step: `uses: ./.cicd/components/x.yaml`.
struct Component {
    std::string name, description;
    std::vector<Parameter> inputs;
    Texts outputs;  ///< name → expression over the component's own steps
    Texts env;
    std::vector<Step> steps;
    Mark mark;
    bool operator==(const Component&) const = default;
};

}  // namespace cicd::model

namespace cicd {
template <>
struct EnumText<model::Dialect> {
    using E = model::Dialect;
    static constexpr std::array table{std::pair{E::native, std::string_view{"native"}},
                                      std::pair{E::github, std::string_view{"github"}},
                                      std::pair{E::gitlab, std::string_view{"gitlab"}},
                                      std::pair{E::bitbucket, std::string_view{"bitbucket"}}};
};
template <>
struct EnumText<model::TriggerType> {
    using E = model::TriggerType;
    static constexpr std::array table{std::pair{E::push, std::string_view{"push"}},
                                      std::pair{E::pull_request, std::string_view{"pull_request"}},
                                      std::pair{E::manual, std::string_view{"manual"}},
                                      std::pair{E::schedule, std::string_view{"schedule"}},
                                      std::pair{E::webhook, std::string_view{"webhook"}},
                                      std::pair{E::pipeline, std::string_view{"pipeline"}}};
};
template <>
struct EnumText<model::ExecutorKind> {
    using E = model::ExecutorKind;
    static constexpr std::array table{std::pair{E::sandbox, std::string_view{"sandbox"}},
                                      std::pair{E::host, std::string_view{"host"}},
                                      std::pair{E::container, std::string_view{"container"}},
                                      std::pair{E::rootfs, std::string_view{"rootfs"}}};
};
template <>
struct EnumText<model::NetworkMode> {
    using E = model::NetworkMode;
    static constexpr std::array table{std::pair{E::none, std::string_view{"none"}},
                                      std::pair{E::host, std::string_view{"host"}}};
};
template <>
struct EnumText<model::SystemMode> {
    using E = model::SystemMode;
    static constexpr std::array table{std::pair{E::standard, std::string_view{"standard"}},
                                      std::pair{E::writable, std::string_view{"writable"}}};
};
template <>
struct EnumText<model::ParameterType> {
    using E = model::ParameterType;
    static constexpr std::array table{
        std::pair{E::string, std::string_view{"string"}}, std::pair{E::boolean, std::string_view{"boolean"}},
        std::pair{E::number, std::string_view{"number"}}, std::pair{E::choice, std::string_view{"choice"}},
        std::pair{E::array, std::string_view{"array"}},   std::pair{E::object, std::string_view{"object"}}};
};
template <>
struct EnumText<model::ArtifactWhen> {
    using E = model::ArtifactWhen;
    static constexpr std::array table{std::pair{E::on_success, std::string_view{"on_success"}},
                                      std::pair{E::on_failure, std::string_view{"on_failure"}},
                                      std::pair{E::always, std::string_view{"always"}}};
};
template <>
struct EnumText<model::StepControl> {
    using E = model::StepControl;
    static constexpr std::array table{std::pair{E::none, std::string_view{"none"}}, std::pair{E::wait, std::string_view{"wait"}},
                                      std::pair{E::wait_all, std::string_view{"waitAll"}},
                                      std::pair{E::cancel, std::string_view{"cancel"}}};
};
template <>
struct EnumText<model::Priority> {
    using E = model::Priority;
    static constexpr std::array table{
        std::pair{E::critical, std::string_view{"critical"}}, std::pair{E::high, std::string_view{"high"}},
        std::pair{E::normal, std::string_view{"normal"}}, std::pair{E::low, std::string_view{"low"}}};
};
template <>
struct EnumText<model::ZoneStrategy> {
    using E = model::ZoneStrategy;
    static constexpr std::array table{std::pair{E::resource, std::string_view{"resource"}},
                                      std::pair{E::geographic, std::string_view{"geographic"}},
                                      std::pair{E::cost, std::string_view{"cost"}},
                                      std::pair{E::performance, std::string_view{"performance"}},
                                      std::pair{E::round_robin, std::string_view{"round_robin"}},
                                      std::pair{E::least_loaded, std::string_view{"least_loaded"}},
                                      std::pair{E::weighted, std::string_view{"weighted"}},
                                      std::pair{E::affinity, std::string_view{"affinity"}}};
};
template <>
struct EnumText<model::EndReason> {
    using E = model::EndReason;
    static constexpr std::array table{
        std::pair{E::exit, std::string_view{"exit"}},           std::pair{E::signal, std::string_view{"signal"}},
        std::pair{E::timeout, std::string_view{"timeout"}},     std::pair{E::oom, std::string_view{"oom"}},
        std::pair{E::cancelled, std::string_view{"cancelled"}}, std::pair{E::superseded, std::string_view{"superseded"}},
        std::pair{E::lost, std::string_view{"lost"}},           std::pair{E::infra, std::string_view{"infra"}},
        std::pair{E::policy, std::string_view{"policy"}}};
};
}  // namespace cicd
