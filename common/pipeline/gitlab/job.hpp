#pragma once

#include "common/pipeline/gitlab/decide.hpp"
#include "common/pipeline/gitlab/open.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cicd::pipeline::gitlab {

/// What the file says outside of its jobs.
struct Config {
    const Node* root = nullptr;
    Variables predefined, global;
    std::string refusal;  ///< why the workflow's rules want no pipeline at all
    Asking* asking = nullptr;  ///< not null: the file is read for every run, so rules become conditions
    Formula workflow = Formula::constant(true);  ///< then, when there is a pipeline
};

/// When a job takes part, in any run: after what it needs has succeeded, failed, or either way.
struct Start {
    Formula success = Formula::constant(true), failure = Formula::constant(false), always = Formula::constant(false);
    [[nodiscard]] Formula any() const { return success || failure || always; }
    void given(const Formula& sure) { success = success.where(sure), failure = failure.where(sure), always = always.where(sure); }
};

/// The keys of a job, its defaults included.
class JobKeys {
public:
    JobKeys(Reader& reader, const Config& config, const Node& job);
    /// Null where neither the job nor its defaults say anything.
    [[nodiscard]] const Node* find(std::string_view key) const;
    [[nodiscard]] bool inherits_variable(const std::string& name) const;

private:
    const Node& job_;
    const Config& config_;
    const Node* defaults_ = nullptr;
    bool all_defaults_ = true, all_variables_ = true;
    std::set<std::string> some_defaults_, some_variables_;
};

struct WantedNeed {
    std::string job;
    bool optional = false, artifacts = true;
    const Node* at = nullptr;
};

/// A job as it is written; it is not in its stage yet.
struct Draft {
    std::string written;
    const Node* at = nullptr;
    model::Job job;
    std::string stage;
    std::optional<std::vector<WantedNeed>> needs;
    std::optional<model::Strings> dependencies;
    const Node* dependencies_at = nullptr;
    std::string dotenv;  ///< the file with variables for later jobs
    std::optional<Start> start;  ///< of a file that is read for every run
    bool survives = false;       ///< it runs without jobs that it needs and that have no place in the run
    model::Strings child_files;  ///< of one that starts a child pipeline: what that is made of
    bool depends = false;        ///< ... whose end is its own
};

/// A job that starts a child pipeline, in its place.
struct ChildCall {
    model::Strings files;
    bool depends = false;
    std::string stage, job;
    std::string condition;   ///< without which nothing of it runs; of a file that is read for every run
    model::Texts variables;  ///< that it hands over
};

/// A job; several where instances of its matrix differ in whether they run.
std::vector<Draft> read_job(const Setting& setting, const Config& config, const Node& key, const Node& node, int number);

// keep.cpp
void read_artifacts(Reader& r, const Node& at, const Variables& variables, const std::string& job_name, Draft& draft);
std::vector<model::Cache> read_caches(Reader& r, const Node& at, const Variables& variables);
// place.cpp
void read_image(Reader& r, const Node& at, const Variables& variables, model::Job& job);
std::vector<model::Service> read_services(Reader& r, const Node& at, const Variables& variables);
void read_environment(Reader& r, const Node& at, const Variables& variables, model::Job& job);
std::vector<int> read_exit_codes(Reader& r, const Node& at);
std::optional<model::Retry> read_retry(Reader& r, const Node& at);
/// Each instance's variables; none for a job without `parallel`.
std::vector<model::Texts> read_parallel(Reader& r, const Node& at);

/// A name that our language can have for one of GitLab's: letters, digits, '_', '-' and inner spaces.
std::string plain_name(const std::string& written);

/// The events by which any job runs, each with the branches and tags that any asks for; what else jobs ask for is left.
void open_triggers(Reader& r, const Node& root, Config& config, std::vector<Draft>& drafts, model::Pipeline& pipeline);

/// Stages, needs, and what jobs hand to each other. Gives the child pipelines that it starts.
std::vector<ChildCall> assemble(const Setting& setting, const Config& config, std::vector<Draft> drafts, model::Pipeline& pipeline);

// child.cpp
/// Files of the repository that an `include` of a trigger names; none where it names anything else.
model::Strings child_files(const Node& include, const Variables& variables);
/// Reads the child pipeline; its stages follow that of the job that starts it.
void add_child(const FrontOptions& options, const std::string& file, const ChildCall& call, int depth, Front& front);
constexpr int deepest_child = 2;

}  // namespace cicd::pipeline::gitlab
