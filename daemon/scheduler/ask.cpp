#include "daemon/scheduler/explain.hpp"
#include "daemon/scheduler/loop.hpp"

#include <algorithm>

/// Another turn for what waits, and why it waits.
namespace cicd::scheduler {

namespace {

Error nothing_to_change() {
    return invalid("CICD_400", "neither a priority nor a time is given", "give one: --priority high, or --not-before TIME");
}

}  // namespace

async::Task<Result<model::Run>> Scheduler::reschedule(RunId run, contract::Reschedule change, std::string user) {
    if (!change.priority && !change.not_before) co_return nothing_to_change();
    if (core_.run(run)) {
        submit(RunRescheduled{run, change, user});
        auto answering = snapshot(run);
        co_return co_await std::move(answering);
    }
    auto waiting = durable();  // it may have ended just now
    if (const auto saved = co_await std::move(waiting); !saved) co_return saved.error();
    auto loading = stored(run);
    const auto over = co_await std::move(loading);
    co_return over ? over_already(*over) : over.error();
}

async::Task<Result<model::JobRun>> Scheduler::reschedule_job(JobId job, contract::Reschedule change, std::string user) {
    if (!change.priority && !change.not_before) co_return nothing_to_change();
    const auto refused = [&](const model::JobRun& record) {
        if (model::is_final(record.state)) return over_already(record);
        return conflict("JOB_009", job.str() + " runs already: only what waits can be rescheduled",
                        "cicdctl job cancel " + job.str());
    };
    if (const auto* record = core_.job(job)) {
        if (record->state != model::JobState::created && record->state != model::JobState::queued)
            co_return refused(*record);
        submit(JobRescheduled{job, change, user});
        std::optional<model::JobRun> now;
        if (const auto* changed = core_.job(job)) now = *changed;
        auto waiting = durable();
        const auto saved = co_await std::move(waiting);
        if (!saved) co_return saved.error();
        if (now) co_return std::move(*now);  // else that ended its run: it would have waited for its own group
    }
    auto loading = stored(job);
    const auto record = co_await std::move(loading);
    co_return record ? refused(*record) : record.error();
}

/// Of a run that is over.
async::Task<Result<contract::Explanation>> Scheduler::explain_stored(RunId id, JobId only) {
    auto work = [&store = parts_.store, id, only]() -> Result<contract::Explanation> {
        CICD_TRY(auto run, store.run(id));
        CICD_TRY(auto plan, store.plan(id));
        std::vector<model::RunEvent> repeats;  // of jobs that ran again
        const bool any = std::any_of(run.jobs.begin(), run.jobs.end(), [](const auto& job) { return job.attempt > 1; });
        for (std::int64_t after = 0; any;) {
            CICD_TRY(const auto events, store.events(id, after, 1000));
            for (const auto& event : events)
                if (event.type == "job.state" && event.end_reason && event.attempt > 1) repeats.push_back(event);
            if (events.size() < 1000) break;
            after = events.back().seq;
        }
        return explain_over(std::move(run), std::move(plan), repeats, only);
    };
    auto loading = async::offload(parts_.pool, std::move(work));
    co_return co_await std::move(loading);
}

async::Task<Result<contract::Explanation>> Scheduler::explain(RunId run) {
    if (auto known = core_.explain(run, parts_.clock.now())) co_return std::move(*known);
    auto explaining = explain_stored(run, {});
    co_return co_await std::move(explaining);
}

async::Task<Result<contract::Explanation>> Scheduler::explain_job(JobId job) {
    if (auto known = core_.explain(job, parts_.clock.now())) co_return std::move(*known);
    auto work = [&store = parts_.store, job] { return store.job(job); };
    auto loading = async::offload(parts_.pool, std::move(work));
    const auto record = co_await std::move(loading);
    if (!record) co_return record.error();
    auto explaining = explain_stored(record->run, job);
    co_return co_await std::move(explaining);
}

}  // namespace cicd::scheduler
