#pragma once

#include "common/job/container.hpp"
#include "common/job/runner_files.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/errand.hpp"
#include "daemon/runner/keeping.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/output.hpp"
#include "daemon/runner/performer.hpp"
#include "daemon/runner/place.hpp"
#include "daemon/runner/problem_matchers.hpp"
#include "daemon/runner/step_commands.hpp"
#include "daemon/runner/step_files.hpp"
#include "daemon/runner/supervisor.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cicd::runner {

/// From here on, the numbers of files of programs that are within a step.
constexpr int inner_files = 100'000;

/// One job from its spec to its `exit`.
class Job : private JobAccess {
public:
    /// What can be made before the job's turn.
    struct Made {
        Output output;
        Limits limits;
        std::optional<Network> network;  ///< where there are services
        Result<Place> place;
    };
    static Result<Made> make_place(const job::Paths& paths, const model::JobSpec& spec);

    /// `spec` may say more than the one that `made` was made from; the place is the same.
    Job(job::Paths paths, model::JobSpec spec, job::JournalWriter journal, Object secrets, Result<Made> made, MakePerformer make);
    /// Writes everything but the file `exit`, whose contents it returns.
    model::JobExit run();

private:
    /// What a step works with, and what it leaves to those after it. While one in the background waits, it has its own.
    struct Local {
        Context context;
        std::vector<std::string> path;  ///< $CICD_PATH's additions, the latest first
        model::Texts learned;           ///< all that steps added to the environment, in order
        int step = 0;
    };
    /// A step in the background.
    struct Background {
        int index = 0;
        bool may_fail = false;
        Local local;  ///< the job's, while this one runs
        std::size_t path_before = 0;
        StepEnd end;
        bool cancelled = false;  ///< by another step
        bool counted = false;
        std::unique_ptr<Errand> errand;
    };

    // What steps of other languages may ask for.
    [[nodiscard]] const model::JobSpec& spec() const override { return spec_; }
    Context& context() override { return local_.context; }
    Keeping& keeping() override;
    std::vector<model::JobArtifact>& artifacts() override { return exit_.artifacts; }
    [[nodiscard]] const Folders& folders() const override { return supervisor_->folders(); }
    [[nodiscard]] const std::string& title(int step) const override { return exit_.steps[static_cast<std::size_t>(step)].name; }
    Result<os::Fd> open_workspace() override;
    void note(int step, std::string_view line) override { supervisor_->note(static_cast<std::uint32_t>(step), line); }
    bool goes_on() override;
    std::optional<std::string> skipped(const model::Step& step) override;
    [[nodiscard]] std::optional<Milliseconds> timeout_of(const model::Step& step) const override;
    StepEnd failure(int index, const Error& error, model::EndReason reason = model::EndReason::exit) override;
    StepEnd perform(int index, const model::Step& inner, const Context& before) override { return perform(index, inner, before, true); }
    StepEnd run(int index, const StepProgram& asked) override;
    StepEnd run_container(int index, const ContainerProgram& asked) override;
    Result<int> run_outside(os::SpawnOptions options) override { return supervisor_->run_outside(static_cast<std::uint32_t>(local_.step), std::move(options)); }
    Result<os::Fd> listen() override { return supervisor_->listen(); }
    void hide(std::string_view text) override { masking_->hide(text); }
    void fail_late(int index, const StepEnd& end) override;

    Result<void> prepare();
    Result<void> begin_container();
    [[nodiscard]] bool is_container() const { return spec_.executor == model::ExecutorKind::container; }
    void tell_workspace();
    Result<void> put_back();
    Result<void> start_services();
    Result<ServiceProgram> program(const model::JobService& service, std::uint32_t step);
    void take(const Services::Told& told);
    void run_step(int index);
    void begin_step(int index);
    // job_background.cpp
    void send_off(int index, const Context& before, bool may_fail);
    void work(Background& one, const Context& before);
    /// `wait`, `waitAll`, `cancel`.
    void control_step(int index);
    std::vector<Background*> targets_of(const model::Step& step);
    void await(const std::vector<Background*>& all);
    /// What it left is the job's from now on. False: it failed.
    bool count(Background& one, bool may_fail);
    void finish_background();
    /// `uses: build/docker`: by the machine's container engine, outside of the job's place.
    StepEnd build_image(int index, const job::BuildRequest& request);
    /// What a step does. `context_` has the step's own variables; afterwards it is `before`, with what was learned.
    StepEnd perform(int index, const model::Step& step, const Context& before, bool inner);
    // job_matchers.cpp
    std::string read_as_step(const std::string& path);
    void obey(std::uint32_t step, const StepCommands::MatcherOrder& order);
    void see(std::uint32_t step, std::string_view line);
    StepEnd run_program(int index, const Program& program, const std::optional<Milliseconds>& timeout);
    void learn(const model::Texts& env, const std::vector<std::string>& path);
    [[nodiscard]] StepFiles files_of(int number, bool with_state = false) const {
        const bool on_host = spec_.executor == model::ExecutorKind::host;  // where others could read them
        return {supervisor_->folders().inner_files, number, on_host ? 0700 : 0755, with_state};
    }

    Result<Program> program(const model::Step& step, const StepFiles& files, bool inner);
    /// What every program gets.
    Result<void> complete_program(Program& program, const model::Texts& variables);
    model::Texts environment(const StepFiles& files, std::string_view shell) const;
    /// The same without what only the place has.
    void add_environment(model::Texts& env, const StepFiles& files, std::string_view shell) const;
    Result<job::RunRequest> container_request(const ContainerProgram& asked, const StepFiles& files, const std::filesystem::path& folder);
    model::Texts standard_variables() const;
    StepEnd conclude(int index, const ProgramEnd& end);
    void end_step(int index, const StepEnd& end, bool may_fail);
    /// For people and for the record.
    void tell_end(int index, const StepEnd& end, bool forgiven);
    /// For the steps after it, and the job.
    void count_end(int index, const StepEnd& end, bool forgiven);
    void judge();
    void evaluate_outputs();
    void keep();
    void journal(model::JournalEntry entry);
    /// What may be told of a text: without what is hidden.
    [[nodiscard]] std::string shown(std::string_view text) const { return masking_ ? masking_->whole(text) : std::string(text); }
    [[nodiscard]] bool has_bash() const;

    job::Paths paths_;
    model::JobSpec spec_;
    job::JournalWriter journal_;
    std::shared_ptr<Masking> masking_;
    Local local_;
    Context& context_ = local_.context;
    Result<Made> made_;
    std::unique_ptr<Supervisor> supervisor_;
    std::optional<Keeping> keeping_;  ///< where the job keeps anything
    std::map<std::uint32_t, StepCommands> commands_;  ///< by step
    ProblemMatchers matchers_;
    int serial_ = 0, running_behind_ = 0;
    std::vector<std::unique_ptr<Background>> background_;
    std::unique_ptr<Performer> performer_;  ///< of steps with `uses`, where the job's language has them
    mutable std::optional<bool> has_bash_;
    model::JobExit exit_;
    SteadyTime start_ = SteadyTime::clock::now();
};

}  // namespace cicd::runner
