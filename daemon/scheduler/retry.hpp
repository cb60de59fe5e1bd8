#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"
#include "daemon/store/store.hpp"

#include <functional>
#include <string>

/// New runs: from a plan, or from a run that is over. Pure.
namespace cicd::scheduler {

/// The message of a job that a restart of others leaves out.
inline constexpr const char* left_out_text = "not part of this restart";

struct Birth {
    RunId id;
    std::function<JobId()> next_job_id;
    std::string user;
    Timestamp now;
};

store::NewRun new_run(model::Plan plan, std::string definition, const Birth& birth);

/// What a run that is over leaves to its successor.
struct Ancestor {
    model::Run run;  ///< with stages and jobs
    model::Plan plan;
    std::string definition;
};
/// The same plan again. Jobs that are not to run again are taken over with their results and outputs.
Result<store::NewRun> retry_run(const Ancestor& old, const contract::RetryRun& what, const Birth& birth);
/// Just that job, and what was skipped because of it; everything else is as it was, or skipped.
Result<store::NewRun> restart_job(const Ancestor& old, const JobId& job, const Birth& birth);

}  // namespace cicd::scheduler
