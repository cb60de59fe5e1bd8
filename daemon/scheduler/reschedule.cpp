#include "daemon/scheduler/step.hpp"

/// Another priority, or another time, for what has not started yet.
namespace cicd::scheduler {

using model::JobState;

namespace {

std::string told(const contract::Reschedule& change, model::Priority before, Timestamp now, const std::string& user) {
    std::string text;
    if (change.priority)
        text = "priority " + std::string(to_text(*change.priority)) + " (was " + std::string(to_text(before)) + ")";
    if (change.not_before)
        text += (text.empty() ? "" : ", ") +
                (*change.not_before > now ? "not before " + format_time(*change.not_before) : "as soon as it can");
    return "rescheduled" + (user.empty() ? "" : " by " + user) + ": " + text;
}

}  // namespace

/// Its turn, where it has one, becomes that of its priority as it is now.
void Core::Step::requeue(RunNode& run, int index) {
    auto& node = run.jobs[index];
    auto turn = node.turn;
    turn.priority = run.priority_of(index);
    if (node.wait == Wait::place) {
        state_.places.leave(node.turn, node.demand, run.claim);
        state_.places.wait(turn, node.demand, run.claim, {&run, index});
    } else if (node.wait == Wait::lock) {
        state_.locks.leave(node.lock, node.turn);
        state_.locks.take(node.lock, {}, turn, {&run, index}, now_);  // somebody holds it, so this only queues
    }
    node.turn = turn;
}

/// Gives up what it has got hold of on its way to a place. Between two attempts it keeps that.
void Core::Step::withdraw(RunNode& run, int index) {
    auto& node = run.jobs[index];
    if (node.wait == Wait::place) state_.places.leave(node.turn, node.demand, run.claim);
    if (node.wait == Wait::lock) state_.locks.leave(node.lock, node.turn);
    node.wait = Wait::nothing;
    if (node.retrying) return;
    unlock_job(run, index);
    if (std::exchange(node.active, false)) --run.groups[node.group].active;
}

void Core::Step::change_time(RunNode& run, int index, Timestamp not_before) {
    auto& record = run.run.jobs[index];
    if (not_before > now_)
        record.not_before = not_before;
    else
        record.not_before.reset();
    touch_job(run, index);
    // What its run waits for comes first; and who does not wait for its time cannot go sooner.
    if (record.state != JobState::queued || run.lock.waiting) return;
    if (!record.not_before && run.jobs[index].wait != Wait::time) return;
    const int group = run.jobs[index].group;
    withdraw(run, index);
    proceed(run, index);
    release_held(run, group);
}

void Core::Step::operator()(RunRescheduled& event) {
    const auto found = state_.runs.find(event.run);
    if (found == state_.runs.end()) return;
    auto& run = *found->second;
    notice(run, told(event.change, run.run.priority, now_, event.user));
    const int count = static_cast<int>(run.jobs.size());
    if (event.change.priority) {
        run.run.priority = *event.change.priority;
        for (int job = 0; job < count; ++job) requeue(run, job);
        run.dirty = true;
        auto turn = run.lock.turn;
        turn.priority = run.run.priority;
        if (run.lock.waiting) {
            state_.locks.leave(run.lock.key, run.lock.turn);
            state_.locks.take(run.lock.key, run.lock.name, turn, {&run, -1}, now_);
        }
        run.lock.turn = turn;
    }
    if (!event.change.not_before) return;
    for (int job = 0; job < count; ++job)
        if (const auto state = run.run.jobs[job].state; state == JobState::created || state == JobState::queued)
            change_time(run, job, *event.change.not_before);
}

void Core::Step::operator()(JobRescheduled& event) {
    const auto ref = find(event.job);
    if (!ref.run) return;
    auto& run = *ref.run;
    auto& record = run.run.jobs[ref.index];
    if (record.state != JobState::created && record.state != JobState::queued) return;
    notice(run, told(event.change, run.priority_of(ref.index), now_, event.user), ref.index);
    if (event.change.priority) {
        record.priority = event.change.priority;
        requeue(run, ref.index);
        touch_job(run, ref.index);
    }
    if (event.change.not_before) change_time(run, ref.index, *event.change.not_before);
}

}  // namespace cicd::scheduler
