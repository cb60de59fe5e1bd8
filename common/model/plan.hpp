#pragma once

#include "common/model/pipeline.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the planner decides: every job with its reason. The plan is stored with the run and is all that the scheduler reads.
namespace cicd::model {

/// What happened, and where: the `git` context and the input of trigger filters.
struct Event {
    TriggerType type = TriggerType::manual;
    std::string name;         ///< what another language calls it: "workflow_dispatch"
    Value payload;            ///< object: what a webhook would have told, as far as it is given
    std::string branch;       ///< short name; empty for a tag or a detached head
    std::string tag;
    std::string base_branch;  ///< pull_request: the target branch
    std::string action;       ///< pull_request: opened, synchronize, …
    int pull_request = 0;
    std::string actor;
    std::optional<Strings> changed_paths;  ///< absent: unknown, so path filters pass
    bool operator==(const Event&) const = default;
};

/// The revision a run works on. `tree` names its exact content, also for a working tree with uncommitted changes.
struct Source {
    std::string repository;  ///< path or URL as given
    std::string name;        ///< short name for people, such as "cicd"
    std::string remote;      ///< URL of the repository that a working tree came from, without credentials
    std::string commit;      ///< full id; empty in a repository without commits
    std::string tree;
    std::string branch, tag;
    std::string base_commit;
    std::string message, author, author_email;
    bool dirty = false;  ///< the tree holds uncommitted changes
    std::string pipeline_file;
    bool operator==(const Source&) const = default;
};

enum class Decision {
    run,      ///< will run once its needs have ended well
    skip,     ///< will not run
    later,    ///< its condition or matrix needs results that are not known yet
};

struct Reason {
    Decision decision = Decision::run;
    std::string text;  ///< "condition '!params.skipTests' is false: params.skipTests = true"
    bool operator==(const Reason&) const = default;
};

struct PlannedJob {
    std::string key;   ///< unique in the run: "test.unit", "test.unit (3.9, linux)"
    std::string name;  ///< "unit (3.9, linux)"
    std::string base;  ///< "test.unit": what `needs` refers to
    std::string stage;
    Value matrix;      ///< object, or null
    int matrix_index = 0, matrix_total = 1;
    Reason reason;
    Job job;           ///< matrix still set only where it must be expanded later (`expand_later`)
    bool expand_later = false;
    bool operator==(const PlannedJob&) const = default;
};

struct PlannedStage {
    std::string name;
    std::vector<Need> needs;  ///< explicit, the implied one included
    std::string condition;
    bool parallel = true;
    bool fail_fast = false;
    std::optional<Milliseconds> timeout;
    Texts env;
    std::string environment;
    Texts outputs;
    Reason reason;
    bool operator==(const PlannedStage&) const = default;
};

/// The repository of actions that steps use, at the commit that its ref meant when the run was planned.
struct FetchedAction {
    std::string name, ref;           ///< as `uses` has them: owner/name and what follows the @
    std::string repository, commit, tree;  ///< see Source
    std::string path;                ///< of a job's spec: where its files lie on this machine, read-only
    bool operator==(const FetchedAction&) const = default;
};
/// Below this folder of a job's place is OWNER/NAME/REF of each.
inline constexpr std::string_view actions_folder = "/_actions";
/// A ref as the name of a folder: a branch may hold slashes.
std::string folder_of_ref(std::string_view ref);

struct Plan {
    Dialect dialect = Dialect::native;
    std::string pipeline;  ///< its name
    Event event;
    Source source;
    Reason trigger;                  ///< whether the event starts the pipeline at all, and why
    Value params;                    ///< object: resolved values
    Texts env;
    Texts actions;                   ///< "owner/name" → the folder of the source that is used in its place
    std::vector<FetchedAction> fetched;
    std::optional<Concurrency> concurrency;
    std::optional<Milliseconds> timeout;
    Priority priority = Priority::normal;
    bool shared_workspace = false;
    bool no_reuse = false;           ///< jobs run also where their result is known
    Notifications notifications;
    std::vector<PlannedStage> stages;
    std::vector<PlannedJob> jobs;
    Strings notices;                 ///< things the user should know, such as a limit that cannot be enforced here
    bool operator==(const Plan&) const = default;
};

}  // namespace cicd::model

namespace cicd {
template <>
struct EnumText<model::Decision> {
    using E = model::Decision;
    static constexpr std::array table{std::pair{E::run, std::string_view{"run"}},
                                      std::pair{E::skip, std::string_view{"skip"}},
                                      std::pair{E::later, std::string_view{"later"}}};
};
}  // namespace cicd
