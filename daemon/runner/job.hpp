#pragma once

#include "common/job/runner_files.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/output.hpp"
#include "daemon/runner/place.hpp"
#include "daemon/runner/step_files.hpp"
#include "daemon/runner/supervisor.hpp"

#include <memory>
#include <optional>
#include <string>

namespace cicd::runner {

/// One job from its spec to its `exit`.
class Job {
public:
    Job(job::Paths paths, model::JobSpec spec, job::JournalWriter journal, Object secrets);
    /// Makes the job's place and waits for its turn; see gate.hpp. False where it is not wanted.
    Result<bool> hold(int gate_fd);
    /// Writes everything but the file `exit`, whose contents it returns.
    model::JobExit run();

private:
    /// What can be made before the job's turn.
    struct Made {
        Output output;
        Limits limits;
        Result<Place> place;
    };
    void make_place();
    [[nodiscard]] Context fresh_context() const;
    Result<void> prepare();
    void run_step(int index);
    /// Why it does not run, or nothing.
    std::optional<std::string> skipped(const model::Step& step);
    Result<Program> program(const model::Step& step, const StepFiles& files);
    model::Texts environment(const StepFiles& files) const;
    model::Texts standard_variables() const;
    void conclude(int index, const ProgramEnd& end, bool may_fail, const StepFiles& files);
    void end_step(int index, model::StepState state, std::optional<model::EndReason> reason, std::string message,
                  bool may_fail, const model::Texts& outputs);
    void judge();
    void evaluate_outputs();
    void journal(model::JournalEntry entry);
    [[nodiscard]] bool has_bash() const;

    job::Paths paths_;
    model::JobSpec spec_;
    job::JournalWriter journal_;
    Object secrets_;
    Context context_;
    std::optional<Result<Made>> made_;
    std::unique_ptr<Supervisor> supervisor_;
    std::vector<std::string> path_;  ///< $CICD_PATH's additions, the latest first
    model::JobExit exit_;
    SteadyTime start_ = SteadyTime::clock::now();
};

/// The runner's `main`: takes the job directory, runs the job, writes `exit`. Returns the process's exit code.
int run_job(const std::string& directory, int secrets_fd, int gate_fd);

}  // namespace cicd::runner
