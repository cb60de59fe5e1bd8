#include "daemon/scheduler/core.hpp"

#include "daemon/scheduler/step.hpp"

#include <iterator>
#include <stdexcept>

namespace cicd::scheduler {

using model::JobState;

void Actions::append(Actions&& later) {
    const auto move_all = [](auto& to, auto& from) {
        to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    };
    move_all(changes.new_runs, later.changes.new_runs);
    move_all(changes.runs, later.changes.runs);
    move_all(changes.stages, later.changes.stages);
    move_all(changes.jobs, later.changes.jobs);
    move_all(changes.events, later.changes.events);
    move_all(starts, later.starts);
    move_all(adoptions, later.adoptions);
    move_all(stops, later.stops);
    move_all(timers, later.timers);
    move_all(ended, later.ended);
}

Core::Core(Capacity capacity, std::function<JobId()> next_job_id)
    : state_(new State{Places<JobRef>(capacity), std::move(next_job_id), {}, {}, 0, 0, {}}) {}
Core::~Core() = default;

Actions Core::handle(Event event, Timestamp now) {
    Step step(*state_, now);
    std::visit(step, event);
    step.dispatch();
    return std::move(step).take();
}

const model::Run* Core::run(const RunId& id) const {
    const auto found = state_->runs.find(id);
    return found == state_->runs.end() ? nullptr : &found->second->run;
}

const model::JobRun* Core::job(const JobId& id) const {
    const auto found = state_->jobs.find(id);
    return found == state_->jobs.end() ? nullptr : &found->second.run->run.jobs[found->second.index];
}

Core::Counts Core::counts() const {
    return {state_->places.used_slots(), state_->queued, static_cast<std::int64_t>(state_->runs.size())};
}

const std::string& Core::pause_reason() const {
    return state_->pause_reason;
}

const Capacity& Core::capacity() const {
    return state_->places.capacity();
}

JobRef Core::Step::find(const JobId& id) const {
    const auto found = state_.jobs.find(id);
    return found == state_.jobs.end() ? JobRef{} : found->second;
}

void Core::Step::operator()(RunAccepted& event) {
    if (model::is_final(event.content.run.state))
        throw std::logic_error("a run that is over was given to the scheduler");
    auto node = std::make_unique<RunNode>(std::move(event.content));
    auto& run = *node;
    run.last_seq = event.last_seq;
    run.last_event = event.last_event;
    run.fresh = !event.resumed;
    touch(run);
    for (int job = 0; job < static_cast<int>(run.jobs.size()); ++job) state_.jobs[run.run.jobs[job].id] = {&run, job};
    state_.runs[run.run.id] = std::move(node);
    if (event.resumed)
        resume(run);
    else
        begin(run);
    drain(run);
}

void Core::Step::operator()(JobProgressed& event) {
    const auto ref = find(event.job);
    if (!ref.run) return;
    auto& run = *ref.run;
    auto& record = run.run.jobs[ref.index];
    if (record.attempt != event.attempt || !run.jobs[ref.index].placed) return;
    switch (event.entry.type) {
        case model::JournalType::job_started:
            if (record.state != JobState::scheduled) return;
            record.start_time = event.entry.time;
            return set_job(run, ref.index, JobState::running);
        case model::JournalType::step_started:
        case model::JournalType::step_ended:
            return set_step(run, ref.index, event.entry);
        case model::JournalType::notice: {
            if (event.entry.time <= run.last_event) return;
            auto& told = emit(run, "notice", event.entry.time);
            told.stage = record.stage;
            told.job_key = record.key;
            told.job = record.id;
            told.attempt = record.attempt;
            told.message = event.entry.message;
            return;
        }
        case model::JournalType::job_ended:
            return;  // the file `exit` says it
    }
}

void Core::Step::operator()(JobEnded& event) {
    const auto ref = find(event.job);
    if (!ref.run) return;
    if (ref.run->run.jobs[ref.index].attempt != event.attempt || !ref.run->jobs[ref.index].placed) return;
    finish(*ref.run, ref.index, event.exit);
    drain(*ref.run);
}

void Core::Step::operator()(PauseChanged& event) {
    state_.pause_reason = event.reason;
}

void Core::Step::operator()(CapacityChanged& event) {
    state_.places.resize(event.capacity);
    for (auto& [id, run] : state_.runs) {
        for (int job = 0; job < static_cast<int>(run->jobs.size()); ++job)
            if (run->jobs[job].turn && !state_.places.could_ever_fit(run->jobs[job].demand))
                end_job(*run, job, JobState::failed, model::EndReason::infra,
                        "asks for more cores or memory than there are here now");
        drain(*run);
    }
}

}  // namespace cicd::scheduler
