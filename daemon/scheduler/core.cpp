#include "daemon/scheduler/core.hpp"

#include "daemon/scheduler/step.hpp"

#include <iterator>

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
    move_all(changes.stops, later.changes.stops);
    move_all(changes.artifacts, later.changes.artifacts);
    move_all(changes.results, later.changes.results);
    move_all(prepares, later.prepares);
    move_all(discards, later.discards);
    move_all(starts, later.starts);
    move_all(adoptions, later.adoptions);
    move_all(stops, later.stops);
    move_all(timers, later.timers);
    move_all(ended, later.ended);
}

Core::Core(Capacity capacity, std::function<JobId()> next_job_id)
    : state_(new State{Places(capacity), {}, std::move(next_job_id), {}, {}, {}, 0, 0, 0, {}}) {}
Core::~Core() = default;

Actions Core::handle(Event event, Timestamp now) {
    Step step(*state_, now);
    std::visit(step, event);
    step.settle();
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
            set_job(run, ref.index, JobState::running);
            return look_ahead(run, ref.index);
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
    wake(*ref.run);
}

void Core::Step::operator()(PauseChanged& event) {
    state_.pause_reason = event.reason;
}

void Core::Step::operator()(CapacityChanged& event) {
    state_.places.resize(event.capacity);
    for (auto& [id, run] : state_.runs) {
        for (int job = 0; job < static_cast<int>(run->jobs.size()); ++job) {
            if (run->run.jobs[job].state != JobState::queued) continue;
            if (const auto why = never_fits(run->jobs[job].demand, event.capacity); !why.empty())
                end_job(*run, job, JobState::failed, model::EndReason::infra, why);
        }
        wake(*run);
    }
}

}  // namespace cicd::scheduler
