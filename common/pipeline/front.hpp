#pragma once

#include "common/model/action.hpp"
#include "common/model/plan.hpp"
#include "common/pipeline/parse.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// One door for all languages: text → model, with a report of what could not be carried over.
namespace cicd::pipeline {

/// What became of a construct of a foreign file that is not simply carried over.
enum class Carried {
    approximated,  ///< it is carried, and differs from the original in what the reason says
    unsupported,   ///< it is not carried
    manual,        ///< somebody has to give something: an action, a secret
};

struct Finding {
    Carried kind = Carried::approximated;
    std::string file;
    int line = 0, column = 0;
    std::string what, reason;
    std::vector<model::Mark> jobs = {};  ///< those that it is about, where they take it from elsewhere
    bool of_file = false;                ///< it is about no job more than about others
    bool operator==(const Finding&) const = default;
};

struct Report {
    int constructs = 0;  ///< keys and entries with a meaning of their own
    std::vector<Finding> findings;
    [[nodiscard]] int count(Carried kind) const;
    [[nodiscard]] int carried() const { return constructs - count(Carried::unsupported); }
};

/// Whether the language decides by the event which jobs there are: then `FrontOptions::facts` and `list` are wanted.
bool decides_by_event(model::Dialect dialect);

/// What is known of the run that a file is read for.
struct FrontFacts {
    model::Event event;
    model::Source source;
    model::Texts variables;  ///< given for the run; they count more than what the file says
    bool every_run = false;  ///< the file is converted: what the event tells stays open where our language can ask for it
    model::Strings jobs;     ///< asked for by their names: those that wait for a hand run as well
    /// Paths that differ from what the event compares with; nothing where that is not known, or not set.
    std::function<std::optional<model::Strings>()> changed_paths = nullptr;
};

struct FrontOptions {
    /// The event as the language calls it, or "manual": it decides which inputs there are. Empty: what `choose_event` gives.
    std::string event;
    /// Reads a file of the repository, for files that the first one names. Not set: those are reported.
    std::function<Result<std::string>(const std::string& path)> read_file = nullptr;
    /// Reads a file of another repository, named as GitHub's workflows do it: owner/name/path@ref. Not set: none is there.
    std::function<Result<std::string>(const std::string& named)> read_elsewhere = nullptr;
    /// Names directly in a folder of the repository; empty for what is none. Not set: nothing is found by a pattern.
    std::function<Result<model::Strings>(const std::string& folder)> list = nullptr;
    FrontFacts facts = {};
    /// Of a file that holds several pipelines, the one of that name (see parts_of), whatever the event. Empty: by the event.
    std::string part = {};
};

/// What the file of an action says, of the languages whose steps use such.
Parsed<model::Action> read_action(std::string_view text, const std::string& file);

struct Front {
    Parsed<model::Pipeline> parsed;
    Report report;
    std::string event;  ///< the one it was read for; empty where the language has no names for them
};

/// Where other languages keep their pipelines: all YAML files of a folder, or one file.
struct Home {
    std::string_view folder, file;
};
std::span<const Home> homes();
/// The stage of all jobs of a language that has none.
inline constexpr std::string_view only_stage = "jobs";

/// By where the file lies.
model::Dialect dialect_of(std::string_view file);
/// A text that came without a place is what its keys say.
model::Dialect guess_dialect(std::string_view file, std::string_view text);
Front read_front(model::Dialect dialect, std::string_view text, const std::string& file, const FrontOptions& options = {});

/// The pipelines in a file, of languages that have several in one; none of others.
model::Strings parts_of(model::Dialect dialect, std::string_view text, const std::string& file);

/// The event that is simulated where none is named: a push where the file listens to it, else what it listens to first.
std::string choose_event(const model::Pipeline& pipeline);
model::TriggerType event_type(model::Dialect dialect, std::string_view event);

/// What is known of a run when its contexts are made; before it has begun, nothing.
struct RunFacts {
    std::string id;
    std::int64_t number = 0;
    std::string actor;
};
/// The contexts that a dialect has besides ours, such as `github`, and the names that expressions may use.
Object dialect_contexts(const model::Plan& plan, const RunFacts& facts);
/// The names that expressions of any language may begin with.
const std::vector<std::string>& all_context_names();
/// Whether a path such as github.ref, in lower case, is known before a run begins; nothing for one of a context that is ours.
std::optional<bool> is_known_before(std::string_view path);
/// A secret that every job of the language has, whether anybody set it or not.
bool is_given_secret(model::Dialect dialect, std::string_view name);
/// How the dialect calls a result in its contexts: "failure" where ours is "failed".
std::string_view result_word(model::Dialect dialect, std::string_view ours);

/// Whether jobs that need a stage are held up where it did not want to run.
bool skipped_stage_holds_up(model::Dialect dialect);

/// Why jobs that ask for these labels cannot run on this machine; nothing where they can.
std::optional<std::string> label_refusal(model::Dialect dialect, const model::Strings& labels);

}  // namespace cicd::pipeline
