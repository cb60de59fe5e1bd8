#pragma once

#include "common/job/runner_files.hpp"
#include "common/pipeline/github/actions.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/keeping.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/output.hpp"
#include "daemon/runner/place.hpp"
#include "daemon/runner/step_commands.hpp"
#include "daemon/runner/step_files.hpp"
#include "daemon/runner/supervisor.hpp"

#include <memory>
#include <optional>
#include <string>

namespace cicd::runner {

/// One job from its spec to its `exit`.
class Job {
public:
    /// What can be made before the job's turn.
    struct Made {
        Output output;
        Limits limits;
        Result<Place> place;
    };
    static Result<Made> make_place(const job::Paths& paths, const model::JobSpec& spec);

    /// `spec` may say more than the one that `made` was made from; the place is the same.
    Job(job::Paths paths, model::JobSpec spec, job::JournalWriter journal, Object secrets, Result<Made> made);
    /// Writes everything but the file `exit`, whose contents it returns.
    model::JobExit run();

private:
    /// What became of a program, or of all that an action did.
    struct StepEnd {
        model::StepState state = model::StepState::success;
        std::optional<model::EndReason> reason = model::EndReason::exit;
        std::string message;
        std::optional<int> exit_code;
        model::Texts outputs;
        bool forgivable = true;  ///< continueOnError may apply
    };
    using ActionInputs = std::vector<std::pair<std::string, std::string>>;
    /// What an action of JavaScript does when all steps have ended.
    struct Later {
        int index = 0;
        std::string file, path, condition;
        ActionInputs inputs;
        model::Texts state, env;
    };

    Result<void> prepare();
    void run_step(int index);
    /// What a step does. `context_` has the step's own variables; afterwards it is `before`, with what was learned.
    StepEnd perform(int index, const model::Step& step, const Context& before);
    StepEnd run_program(int index, const Program& program, const std::optional<Milliseconds>& timeout);
    [[nodiscard]] StepEnd failure(int index, const Error& error, model::EndReason reason);
    [[nodiscard]] std::optional<Milliseconds> timeout_of(const model::Step& step) const;
    void learn(const model::Texts& env, const std::vector<std::string>& path);

    // actions.cpp
    StepEnd use(int index, const model::Step& step);
    StepEnd composite(int index, const pipeline::github::Action& action, const std::string& path, const ActionInputs& inputs);
    void inner_step(int index, const model::Step& step, StepEnd& whole);
    StepEnd native(int index, const std::string& name, const model::Step& step);
    StepEnd javascript(int index, const pipeline::github::Action& action, const std::string& path, const ActionInputs& inputs,
                       const std::optional<Milliseconds>& timeout);
    StepEnd run_node(int index, const std::string& file, const std::string& path, const ActionInputs& inputs, model::Texts& state,
                     const std::optional<Milliseconds>& timeout);
    void run_later();
    Result<std::string> read_in_workspace(const std::string& path);
    Result<pipeline::github::Action> load_action(const std::string& path);
    Result<ActionInputs> evaluate_inputs(int index, const model::Step& step, const pipeline::github::Action& action) const;
    // actions_kept.cpp
    StepEnd kept(int index, const std::string& name, const model::Step& step);
    StepEnd upload(int index, const ActionInputs& inputs);
    StepEnd download(int index, const ActionInputs& inputs);
    StepEnd cache(int index, const std::string& name, const ActionInputs& inputs);
    Result<void> prepare_actions();
    Keeping& keeping();
    void tell_workspace();
    void complete_contexts();
    void add_dialect_variables(model::Texts& env) const;
    StepEnd script(int index, const std::string& text, model::Texts env);

    /// Why it does not run, or nothing.
    std::optional<std::string> skipped(const model::Step& step);
    Result<Program> program(const model::Step& step, const StepFiles& files);
    model::Texts environment(const StepFiles& files) const;
    model::Texts standard_variables() const;
    StepEnd conclude(int index, const ProgramEnd& end);
    void end_step(int index, model::StepState state, std::optional<model::EndReason> reason, std::string message,
                  bool may_fail, const model::Texts& outputs);
    void judge();
    void evaluate_outputs();
    void keep();
    void journal(model::JournalEntry entry);
    /// What may be told of a text: without what is hidden.
    [[nodiscard]] std::string shown(std::string_view text) const { return masking_ ? masking_->whole(text) : std::string(text); }
    [[nodiscard]] bool has_bash() const;
    [[nodiscard]] std::string event_path() const { return supervisor_->folders().inner_files + "/event.json"; }

    job::Paths paths_;
    model::JobSpec spec_;
    job::JournalWriter journal_;
    std::shared_ptr<Masking> masking_;
    Context context_;
    Result<Made> made_;
    std::unique_ptr<Supervisor> supervisor_;
    std::optional<Keeping> keeping_;  ///< where the job keeps anything
    std::vector<std::string> path_;  ///< $CICD_PATH's additions, the latest first
    StepCommands commands_;
    model::Texts state_;    ///< that the last program saved
    model::Texts learned_;  ///< all that steps added to the environment, in order
    std::vector<Later> later_;
    int depth_ = 0, serial_ = 0;
    std::string event_file_;  ///< to be written with the first step
    mutable std::optional<bool> image_has_bash_;
    model::JobExit exit_;
    SteadyTime start_ = SteadyTime::clock::now();
};

/// The runner's `main`: takes the job directory, runs the job, writes `exit`. Returns the process's exit code.
int run_job(const std::string& directory, int secrets_fd, int gate_fd);
/// The same for a spare (see common/job/spare.hpp). `cache`: see JobSpec.
int run_spare(const std::string& cache, int gate_fd);

}  // namespace cicd::runner
