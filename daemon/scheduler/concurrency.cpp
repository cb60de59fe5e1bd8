#include "common/base/text.hpp"
#include "daemon/scheduler/step.hpp"

/// Concurrency groups: one holder at a time, a run or a job. A run that waits is queued and nothing of it is decided
/// yet; a job that waits is queued.
namespace cicd::scheduler {

using model::EndReason;
using model::JobState;

namespace {

std::string named(const RunNode& run, int job) {
    return job < 0 ? run.run.id.str() : "job " + run.run.jobs[job].key + " of " + run.run.id.str();
}

struct Wanted {
    std::string name, key;
    bool cancel_in_progress = false;
};

Result<Wanted> wanted(RunNode& run, int index) {
    const auto& node = run.jobs[index];
    const auto& given = *node.planned->job.concurrency;
    const auto contexts = run.contexts_of(node.group, *node.planned);
    Wanted result;
    CICD_TRY(result.name, expr::interpolate(given.group, {contexts, {}}));
    result.cancel_in_progress = given.cancel_in_progress.value;
    if (!given.cancel_in_progress.expression.empty()) {
        CICD_TRY(result.cancel_in_progress, evaluate_flag(given.cancel_in_progress.expression, contexts));
    }
    if (!trim(result.name).empty()) result.key = lock_key(run.run, result.name);
    return result;
}

}  // namespace

std::string lock_key(const model::Run& run, const std::string& group) {
    return run.source.repository + "\n" + run.pipeline + "\n" + group;
}

/// The newcomer is in the queue already. Those who came before it are told to end; who holds the group gives it up when
/// it has ended.
void Core::Step::supersede(const std::string& key, const std::string& name, JobRef by) {
    const auto* group = state_.locks.find(key);
    std::vector<JobRef> older;
    for (const auto& [turn, who] : group->waiting)
        if (who != by) older.push_back(who);
    if (group->holder) older.push_back(*group->holder);
    const auto message = std::string(superseded_text) + named(*by.run, by.index) + " (group " + name + ")";
    for (const auto& who : older) {
        if (who.index >= 0)
            stop_job(*who.run, who.index, EndReason::superseded, message);
        else if (who.run->cancelling == CancelPhase::none)
            cancel_run(*who.run, EndReason::superseded, message);
        wake(*who.run);
    }
}

bool Core::Step::lock_run(RunNode& run) {
    auto& lock = run.lock;
    if (lock.key.empty()) return true;
    lock.held = state_.locks.take(lock.key, lock.name, lock.turn, {&run, -1}, now_);
    if (lock.held) return true;
    lock.waiting = true;
    const auto holder = *state_.locks.find(lock.key)->holder;
    notice(run, "waits for concurrency group '" + lock.name + "', which " + named(*holder.run, holder.index) + " holds");
    if (lock.cancel_in_progress) supersede(lock.key, lock.name, {&run, -1});
    return false;  // where the group has become free at once, the run has begun through granted()
}

/// False: the job waits for its group, or has begun through granted(), or has ended.
bool Core::Step::lock_job(RunNode& run, int index) {
    auto& node = run.jobs[index];
    const auto group = wanted(run, index);
    if (!group) {
        end_job(run, index, JobState::failed, EndReason::exit, "concurrency: " + group.error().message);
        return false;
    }
    if (group->key.empty()) return true;
    if (group->key == run.lock.key) {
        end_job(run, index, JobState::failed, EndReason::policy,
                "its concurrency group '" + group->name + "' is held by its own run: give the job a group of its own");
        return false;
    }
    node.lock = group->key;
    node.turn = Turn{run.priority_of(index), run.run.number, ++state_.sequence};
    node.locked = state_.locks.take(node.lock, group->name, node.turn, {&run, index}, now_);
    if (node.locked) return true;
    node.wait = Wait::lock;
    if (group->cancel_in_progress && !resuming_) supersede(node.lock, group->name, {&run, index});
    return false;
}

/// After a restart, for a job that had its group.
bool Core::Step::hold_again(RunNode& run, int index) {
    auto& node = run.jobs[index];
    const auto group = wanted(run, index);
    if (!group || group->key.empty()) return false;
    const auto* held = state_.locks.find(group->key);
    if (held && held->holder) return false;
    node.lock = group->key;
    node.locked = state_.locks.take(node.lock, group->name, {}, {&run, index}, now_);
    return node.locked;
}

void Core::Step::unlock_run(RunNode& run) {
    if (!std::exchange(run.lock.held, false)) return;
    if (const auto next = state_.locks.release(run.lock.key, now_)) granted(*next);
}

void Core::Step::unlock_job(RunNode& run, int index) {
    if (!std::exchange(run.jobs[index].locked, false)) return;
    if (const auto next = state_.locks.release(run.jobs[index].lock, now_)) granted(*next);
}

void Core::Step::granted(JobRef who) {
    if (who.index < 0) {
        who.run->lock.held = true;
        return start_run(*who.run);
    }
    who.run->jobs[who.index].locked = true;
    make_ready(*who.run, who.index);
}

}  // namespace cicd::scheduler
