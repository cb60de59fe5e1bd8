#pragma once

#include "common/base/result.hpp"
#include "common/contract/explain.hpp"
#include "common/contract/requests.hpp"
#include "common/model/run.hpp"
#include "daemon/async/task.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace cicd::scheduler {

/// What the API asks of the scheduler. Called on the io thread; an answer is durable when it is given.
class RunService {
public:
    virtual ~RunService() = default;

    /// Source resolved, planned, stored, queued.
    virtual async::Task<Result<model::Run>> start(contract::StartRun request, std::string user,
                                                  std::string request_key = {}) = 0;
    /// Refused with a conflict where the run has ended.
    virtual async::Task<Result<model::Run>> cancel(RunId run, contract::Cancel how) = 0;
    /// A new run of the same plan and source; `failed_only` takes over the successes of the old one.
    virtual async::Task<Result<model::Run>> retry(RunId run, contract::RetryRun options, std::string user,
                                                  std::string request_key = {}) = 0;
    virtual async::Task<Result<model::JobRun>> cancel_job(JobId job, contract::Cancel how) = 0;
    /// A new run of just this job and what was skipped because of it.
    virtual async::Task<Result<model::Run>> restart_job(JobId job, std::string user, std::string request_key = {}) = 0;
    /// Changes a run's, or a waiting job's, turn. Refused with a conflict where it has ended or runs already (a job).
    virtual async::Task<Result<model::Run>> reschedule(RunId run, contract::Reschedule change, std::string user) = 0;
    virtual async::Task<Result<model::JobRun>> reschedule_job(JobId job, contract::Reschedule change,
                                                              std::string user) = 0;
    /// Of a run that has ended too, as far as what is stored tells.
    virtual async::Task<Result<contract::Explanation>> explain(RunId run) = 0;
    virtual async::Task<Result<contract::Explanation>> explain_job(JobId job) = 0;
    /// Jobs that wait for a place, in the order in which they would get one as things stand; then those that wait for
    /// something else before.
    [[nodiscard]] virtual std::vector<model::JobRun> queue() const = 0;
    /// Where a job's attempt keeps its log. Attempts count from 1.
    [[nodiscard]] virtual std::filesystem::path job_directory(const JobId& job, int attempt) const = 0;
    [[nodiscard]] virtual contract::DaemonStatus status() const = 0;
};

}  // namespace cicd::scheduler
