#include "daemon/scheduler/step.hpp"

/// A job's place takes longer to make than many a job takes to run. So while the last thing that a job needs runs, its
/// place is made and held back: a chain goes on at once. Never more of them than slots.
namespace cicd::scheduler {

void Core::Step::look_ahead(RunNode& run, int index) {
    if (run.cancelling != CancelPhase::none || !state_.pause_reason.empty()) return;
    const auto& group = run.groups[run.jobs[index].group];
    for (const int target : {group.target, run.stages[group.stage].target})
        if (run.targets[target].open == 1)
            for (const int waiting : run.targets[target].groups) prepare(run, waiting);
}

void Core::Step::prepare(RunNode& run, int index) {
    auto& group = run.groups[index];
    if (group.opened || group.waiting != 1) return;
    for (const int job : group.jobs) {
        auto& node = run.jobs[job];
        const auto& planned = *node.planned;
        const bool wanted = planned.reason.decision != model::Decision::skip && !planned.expand_later &&
                            run.planned_stage(group.stage).reason.decision != model::Decision::skip;
        const bool fits = state_.ahead < state_.places.capacity().slots && never_fits(node.demand, state_.places.capacity()).empty();
        if (!wanted || !fits || node.ahead || run.run.jobs[job].state != model::JobState::created) continue;
        node.ahead = true;
        ++state_.ahead;
        actions_.prepares.push_back(assignment(run, job));
    }
}

void Core::Step::no_longer_ahead(RunNode& run, int index, bool discard) {
    auto& node = run.jobs[index];
    if (!node.ahead) return;
    node.ahead = false;
    --state_.ahead;
    if (discard) actions_.discards.emplace_back(run.run.jobs[index].id, run.run.jobs[index].attempt);
}

}  // namespace cicd::scheduler
