#pragma once

#include "common/job/container.hpp"
#include "common/job/runner_files.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/runner/context.hpp"
#include "daemon/runner/keeping.hpp"
#include "daemon/runner/limits.hpp"
#include "daemon/runner/output.hpp"
#include "daemon/runner/place.hpp"
#include "daemon/runner/step_files.hpp"
#include "daemon/runner/supervisor.hpp"

#include <functional>
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
        std::optional<Network> network;  ///< where there are services
        Result<Place> place;
    };
    static Result<Made> make_place(const job::Paths& paths, const model::JobSpec& spec);

    /// `spec` may say more than the one that `made` was made from; the place is the same.
    Job(job::Paths paths, model::JobSpec spec, job::JournalWriter journal, Object secrets, Result<Made> made);
    /// Writes everything but the file `exit`, whose contents it returns.
    model::JobExit run();

private:
    Result<void> prepare();
    Result<void> begin_container();
    [[nodiscard]] bool is_container() const { return spec_.executor == model::ExecutorKind::container; }
    Result<void> put_back();
    Result<void> start_services();
    Result<ServiceProgram> program(const model::JobService& service, std::uint32_t step);
    void take(const Services::Told& told);
    void run_step(int index);
    /// `uses: build/docker`: by the machine's container engine, outside of the job's place.
    void build_image(int index, const job::BuildRequest& request, bool may_fail);
    /// Why it does not run, or nothing.
    std::optional<std::string> skipped(const model::Step& step);
    Result<Program> program(const model::Step& step, const StepFiles& files);
    model::Texts environment(const StepFiles& files) const;
    model::Texts standard_variables() const;
    void conclude(int index, const ProgramEnd& end, bool may_fail);
    void end_step(int index, model::StepState state, std::optional<model::EndReason> reason, std::string message,
                  bool may_fail, const model::Texts& outputs);
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
    Context context_;
    Result<Made> made_;
    std::unique_ptr<Supervisor> supervisor_;
    std::optional<Keeping> keeping_;  ///< where the job keeps anything
    std::vector<std::string> path_;  ///< $CICD_PATH's additions, the latest first
    mutable std::optional<bool> has_bash_;
    model::JobExit exit_;
    SteadyTime start_ = SteadyTime::clock::now();
};

/// The runner's `main`: takes the job directory, runs the job, writes `exit`. Returns the process's exit code.
int run_job(const std::string& directory, int secrets_fd, int gate_fd);
/// The same for a spare (see common/job/spare.hpp). `cache`: see JobSpec. `became` is told of its job once it has one.
int run_spare(const std::string& cache, int gate_fd, const std::function<void(const std::string& directory)>& became);

}  // namespace cicd::runner
