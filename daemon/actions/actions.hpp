#pragma once

#include "common/model/action.hpp"
#include "daemon/actions/results.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/performer.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::actions {

using runner::Context;
using runner::JobStatus;
using runner::put;
using runner::StepEnd;

using Inputs = std::vector<std::pair<std::string, std::string>>;
/// By its name in lower case, without the white space around it; empty where it is not given.
std::string input(const Inputs& inputs, std::string_view name);

/// As the toolkit looks for an input: upper case, spaces as `_`, everything else as it is.
std::string input_variable(const std::string& name);

/// Words between blanks; a part in double quotes is of one, and `\"` is a quote.
std::vector<std::string> split_arguments(std::string_view text);

/// GitHub's actions, in one job.
class Actions final : public runner::Performer {
public:
    explicit Actions(runner::JobAccess& job) : job_(job), spec_(job.spec()), context_(job.context()), results_(job) {}

    void complete_contexts() override;
    Result<void> prepare() override;
    void add_variables(model::Texts& env, std::string_view shell) const override;
    void add_files(runner::Program& program) override;
    void share(int step) override { results_.start_once(step); }
    StepEnd use(int step, const model::Step& what) override;
    void finish() override;

private:
    /// Where an action's files are.
    struct Where {
        const model::FetchedAction* fetched = nullptr;  ///< absent: it is of the workspace
        std::string folder;                             ///< below that; empty: its root
        std::string path;                               ///< as the job sees it
    };
    /// What an action does when all steps have ended.
    struct Later {
        int step = 0;
        std::string condition;
        model::Texts env;
        std::function<StepEnd()> run;
    };
    using Action = model::Action;
    /// One in a container, with what it is told evaluated.
    struct Docker {
        Action action;
        Where where;
        Inputs inputs;
        std::vector<std::string> arguments;
        model::Texts env;
    };

    // actions.cpp
    Result<os::Fd> open_root(const Where& where);
    Result<std::string> read_below(const Where& where, const std::string& name);
    Where in_workspace(const std::string& folder) const;
    /// Nothing where it was not fetched.
    std::optional<Where> find_fetched(const model::ActionName& name) const;
    /// What the text says, as another program of ours reads it.
    Result<Action> ask(const std::string& text, const std::string& file);
    Result<Action> load_action(const Where& where);
    Result<Inputs> evaluate_inputs(int step, const model::Step& what, const Action& action) const;
    StepEnd skip(int step, std::string why);
    /// The step's own inputs, with their names in lower case.
    Result<Inputs> given_inputs(const model::Step& what) const;
    // composite.cpp
    StepEnd composite(int step, const Action& action, const Where& where, const Inputs& inputs);
    void inner_step(int step, const model::Step& inner, StepEnd& whole);
    // node.cpp
    StepEnd javascript(int step, const Action& action, const Where& where, const Inputs& inputs,
                       const std::optional<Milliseconds>& timeout);
    StepEnd run_node(int step, const std::string& file, const Where& where, const Inputs& inputs, model::Texts& state,
                     const std::optional<Milliseconds>& timeout);
    // docker.cpp
    Result<Docker> evaluate_docker(const model::Step& step, const Action& action, const Where& where, const Inputs& inputs);
    StepEnd run_docker(int step, const Docker& docker, const std::string& entrypoint, const model::Texts& state,
                       const std::optional<Milliseconds>& timeout);
    StepEnd docker(int step, const model::Step& what, const Action& action, const Where& where, const Inputs& inputs);
    // native.cpp
    StepEnd native(int step, const std::string& name, const model::Step& what);
    StepEnd checkout(int step, const Inputs& inputs);
    StepEnd script(int step, const std::string& text, const model::Texts& env, const std::string& shell = "sh");
    // github_script.cpp
    StepEnd github_script(int step, const Inputs& inputs);
    // kept.cpp
    StepEnd upload(int step, const Inputs& inputs);
    StepEnd download(int step, const Inputs& inputs);
    StepEnd cache(int step, const std::string& name, const Inputs& inputs);

    [[nodiscard]] std::string event_path() const;

    runner::JobAccess& job_;
    const model::JobSpec& spec_;
    Context& context_;
    std::vector<Later> later_;
    Results results_;
    std::map<int, int> depth_;  ///< by step
    std::string event_file_;  ///< to be written with the first program
};

}  // namespace cicd::actions
