#include "daemon/planner/prepare.hpp"
#include "daemon/scheduler/loop.hpp"

#include <algorithm>

/// What the API asks for: prepared on the pool, decided on the io thread, answered when durable.
namespace cicd::scheduler {

namespace {

/// A registered pipeline stands for its repository, and for its definition or file.
Result<model::PipelineRecord> fill_in(store::Store& store, contract::StartRun& request) {
    CICD_TRY(auto record, store.pipeline(request.pipeline));
    if (record.state == model::PipelineState::disabled || record.state == model::PipelineState::archived)
        return conflict("PIPELINE_009", "pipeline " + record.name + " is " + std::string(to_text(record.state)),
                        "activate it before running it");
    if (request.repository.empty()) request.repository = record.repository;
    if (request.file.empty()) request.file = record.file;
    if (request.definition.empty()) request.definition = record.definition;
    return record;
}

/// What could never start is refused before anything does.
Result<void> check_fits(const model::Plan& plan, const Capacity& capacity) {
    std::vector<Diagnostic> problems;
    for (const auto& job : plan.jobs) {
        if (job.reason.decision == model::Decision::skip) continue;
        const auto why = never_fits(demand_of(job.job.resources), capacity);
        const auto& mark = job.job.key_marks.find("resources", job.job.mark);
        const bool same = std::any_of(problems.begin(), problems.end(), [&](const auto& p) { return p.line == mark.line; });
        if (why.empty() || (same && mark.line > 0)) continue;
        auto& problem = problems.emplace_back();
        problem.file = mark.file, problem.line = mark.line, problem.column = mark.column, problem.pointer = mark.pointer;
        problem.message = "job '" + job.key + "' " + why;
        problem.suggestion = "or give jobs more of this machine: capacity in the daemon's config.yaml";
    }
    if (problems.empty()) return {};
    auto error = invalid("PIPELINE_006", problems.front().message, problems.front().suggestion);
    error.problems = std::move(problems);
    return error;
}

Error shutting_down() {
    return unavailable("CICD_503", "the daemon is stopping", "try again in a moment");
}

}  // namespace

/// Why nothing new is taken, where that is so.
Result<void> Scheduler::accepting() const {
    if (stopping_) return shutting_down();
    if (write_failure_) return *write_failure_;
    if (options_.before_accepting) options_.before_accepting();
    if (const auto& reason = core_.pause_reason(); !reason.empty())
        return unavailable("CICD_507", "no new runs are taken: " + reason,
                           "runs are taken again once that has changed; see 'cicdctl doctor'");
    return {};
}

Birth Scheduler::birth(const std::string& user) {
    return {parts_.store.next_run_id(), [&store = parts_.store] { return store.next_job_id(); }, user,
            parts_.clock.now()};
}

Result<store::NewRun> Scheduler::prepare(contract::StartRun request, const std::string& user) {
    std::optional<model::PipelineRecord> record;
    if (!request.pipeline.empty()) {
        CICD_TRY(record, fill_in(parts_.store, request));
    }
    CICD_TRY(auto prepared, planner::prepare(parts_.sources, request,
                                             {options_.allow_host_executor, options_.known_secrets, user, options_.pin_image, options_.actions, options_.labels,
                                              options_.why_no_engine, options_.mountable}));
    auto& plan = prepared.plan;
    plan.no_reuse = request.no_reuse;
    if (plan.trigger.decision == model::Decision::skip)
        return conflict(
            "PIPELINE_004", "the event does not start pipeline " + plan.pipeline + ": " + plan.trigger.text,
            "see all of its triggers' decisions: cicdctl plan --event " + std::string(to_text(request.event)));
    CICD_CHECK(check_fits(plan, options_.capacity));
    for (const auto& warning : prepared.warnings)
        plan.notices.push_back(warning.file + ":" + std::to_string(warning.line) + ": " + warning.message);
    auto created = new_run(std::move(plan), std::move(prepared.definition), birth(user));
    if (record) {
        created.run.pipeline_id = record->id;
        created.run.pipeline_version = record->version;
        created.run.pipeline = record->name;
    }
    return created;
}

async::Task<Result<model::Run>> Scheduler::start(contract::StartRun request, std::string user, std::string request_key) {
    if (const auto open = accepting(); !open) co_return open.error();
    auto work = [this, request, user] { return prepare(request, user); };
    auto preparing = async::offload(parts_.pool, std::move(work));
    auto content = co_await std::move(preparing);
    if (content) content->request_key = std::move(request_key);
    auto accepting = accept(std::move(content));
    co_return co_await std::move(accepting);
}

async::Task<Result<model::Run>> Scheduler::accept(Result<store::NewRun> content) {
    if (!content) co_return content.error();
    if (const auto open = accepting(); !open) co_return open.error();
    const auto id = content->run.id;
    submit(RunAccepted{std::move(*content)});
    auto answering = snapshot(id);
    co_return co_await std::move(answering);
}

async::Task<Result<void>> Scheduler::durable() {
    if (write_failure_) {  // waiting would be for as long as the disk is full
        commit_soon();
        co_return Error(*write_failure_).within("decided, but not stored yet; that is tried again until it succeeds");
    }
    auto ticket = std::make_shared<Ticket>(parts_.io);
    pending_.tickets.push_back(ticket);
    commit_soon();
    while (!ticket->done) co_await ticket->signal.wait();
    co_return ticket->outcome;
}

/// The run as it was decided to be just now, once that is durable.
async::Task<Result<model::Run>> Scheduler::snapshot(RunId id) {
    std::optional<model::Run> now;
    if (const auto* active = core_.run(id)) now = *active;
    auto waiting = durable();
    const auto saved = co_await std::move(waiting);
    if (!saved) co_return saved.error();
    if (now) co_return std::move(*now);
    auto loading = stored(id);
    co_return co_await std::move(loading);
}

async::Task<Result<model::Run>> Scheduler::stored(RunId id) {
    auto work = [&store = parts_.store, id] { return store.run(id); };
    auto loading = async::offload(parts_.pool, std::move(work));
    co_return co_await std::move(loading);
}

async::Task<Result<model::JobRun>> Scheduler::stored(JobId id) {
    auto work = [&store = parts_.store, id] { return store.job(id); };
    auto loading = async::offload(parts_.pool, std::move(work));
    co_return co_await std::move(loading);
}

Error over_already(const model::Run& run) {
    return conflict("RUN_004", run.id.str() + " is over already: " + std::string(to_text(run.state)));
}
Error over_already(const model::JobRun& job) {
    return conflict("JOB_006", job.id.str() + " is over already: " + std::string(to_text(job.state)));
}

async::Task<Result<model::Run>> Scheduler::cancel(RunId run, contract::Cancel how) {
    if (stopping_) co_return shutting_down();
    if (core_.run(run)) {
        submit(RunCancelled{run, how});
        auto answering = snapshot(run);
        co_return co_await std::move(answering);
    }
    auto waiting = durable();  // it may have ended just now
    if (const auto saved = co_await std::move(waiting); !saved) co_return saved.error();
    auto loading = stored(run);
    auto over = co_await std::move(loading);
    // Who asks again did not hear the answer, because the daemon died, say; it has what it wants.
    if (!over || over->state == model::RunState::cancelled) co_return over;
    co_return over_already(*over);
}

async::Task<Result<model::JobRun>> Scheduler::cancel_job(JobId job, contract::Cancel how) {
    if (stopping_) co_return shutting_down();
    const bool active = core_.job(job) && !model::is_final(core_.job(job)->state);
    if (active) submit(JobCancelled{job, how});
    std::optional<model::JobRun> now;
    if (const auto* record = core_.job(job); active && record) now = *record;
    auto waiting = durable();
    const auto saved = co_await std::move(waiting);
    if (!saved) co_return saved.error();
    if (now) co_return std::move(*now);
    auto loading = stored(job);
    auto record = co_await std::move(loading);
    if (!record || active || record->state == model::JobState::cancelled) co_return record;
    co_return over_already(*record);
}

async::Task<Result<model::Run>> Scheduler::succeed(
    RunId old, std::function<Result<store::NewRun>(const Ancestor&, const Birth&)> make, std::string user,
    std::string request_key) {
    if (const auto open = accepting(); !open) co_return open.error();
    auto work = [this, old, make, user]() -> Result<store::NewRun> {
        Ancestor ancestor;
        CICD_TRY(ancestor.run, parts_.store.run(old));
        if (!model::is_final(ancestor.run.state)) return make(ancestor, {});
        CICD_TRY(ancestor.plan, parts_.store.plan(old));
        CICD_TRY(ancestor.definition, parts_.store.definition(old));
        return make(ancestor, birth(user));
    };
    auto preparing = async::offload(parts_.pool, std::move(work));
    auto content = co_await std::move(preparing);
    if (content) content->request_key = std::move(request_key);
    auto accepting = accept(std::move(content));
    co_return co_await std::move(accepting);
}

async::Task<Result<model::Run>> Scheduler::retry(RunId run, contract::RetryRun options, std::string user,
                                                 std::string request_key) {
    const auto make = [options](const Ancestor& old, const Birth& birth) { return retry_run(old, options, birth); };
    auto going = succeed(run, make, user, request_key);
    co_return co_await std::move(going);
}

async::Task<Result<model::Run>> Scheduler::restart_job(JobId job, std::string user, std::string request_key) {
    auto loading = stored(job);
    const auto record = co_await std::move(loading);
    if (!record) co_return record.error();
    const auto make = [job](const Ancestor& old, const Birth& birth) {
        return scheduler::restart_job(old, job, birth);
    };
    auto going = succeed(record->run, make, user, request_key);
    co_return co_await std::move(going);
}

}  // namespace cicd::scheduler
