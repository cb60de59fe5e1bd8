#pragma once

#include "common/model/job_spec.hpp"
#include "common/model/plan.hpp"
#include "common/model/secret.hpp"

#include <filesystem>
#include <string>

/// A place where jobs run. Lives on the io thread and never blocks it; what it finds out goes to its Listener.
namespace cicd::zones {

/// A job for a zone. `spec.workspace` is empty: the zone knows where it is.
struct Assignment {
    model::JobSpec spec;
    model::Source source;
    bool shared_workspace = false;  ///< one workspace for all jobs of the run
    model::SecretPlace place;       ///< where `spec.secrets` has any
};

/// Called on the io thread, never from inside a call to the zone.
class Listener {
public:
    virtual ~Listener() = default;
    /// In order, each at least once: after a restart of the daemon the whole journal comes again.
    virtual void progressed(const JobId& job, int attempt, const model::JournalEntry& entry) = 0;
    /// Exactly once for each job that was started or adopted. A runner that died is `lost`, a place that could not be
    /// prepared is `infra`.
    virtual void ended(const JobId& job, int attempt, const model::JobExit& exit) = 0;
};

struct Cancellation {
    model::EndReason reason = model::EndReason::cancelled;
    std::string message;
    bool at_once = false;  ///< without the job's grace
};

class Zone {
public:
    virtual ~Zone() = default;
    /// Before any other call; the listener lives until `detach`.
    virtual void listen(Listener& listener) = 0;
    /// May be called ahead of `start`: the job's place is made ready, and held back, while the state file is being
    /// written or what the job needs still runs. No promise, and nothing of the job itself happens.
    virtual void prepare(const Assignment& assignment) = 0;
    /// A prepared job will not be started after all.
    virtual void discard(const JobId& job, int attempt) { static_cast<void>(job), static_cast<void>(attempt); }
    /// The assignment may say more than when it was prepared: what its needs gave. Its place is the same.
    virtual void start(const Assignment& assignment) = 0;
    /// Goes on with a job of the daemon that ran before this one: follows it, collects its end, or starts it where it
    /// never got that far.
    virtual void adopt(const Assignment& assignment) = 0;
    /// Ends the job; how it ended comes through the listener. Unknown jobs are ignored. Again, `at_once`: what is left of
    /// it is killed.
    virtual void cancel(const JobId& job, int attempt, const Cancellation& why) = 0;
    /// Nothing of this run will be started any more: what its jobs shared can go.
    virtual void release(const RunId& run) = 0;
    /// Lets go of all jobs without ending them, and calls the listener no more.
    virtual void detach() = 0;
    [[nodiscard]] virtual std::filesystem::path job_directory(const JobId& job, int attempt) const = 0;
};

}  // namespace cicd::zones
