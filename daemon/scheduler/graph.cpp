#include "daemon/scheduler/graph.hpp"

#include "common/base/text.hpp"
#include "daemon/planner/planner.hpp"

#include <algorithm>
#include <utility>

namespace cicd::scheduler {

using model::JobState;

JobState Target::result() const {
    if (failed > 0 || timed_out) return JobState::failed;
    if (cancelled > 0) return JobState::cancelled;
    if (total > 0 && skipped == total) return JobState::skipped;
    return JobState::success;
}

void Target::count(const model::JobRun& job) {
    switch (job.state) {
        case JobState::success:
        case JobState::archived:
            ++success;
            break;
        case JobState::failed:
            ++(job.allow_failure ? allowed : failed);
            break;
        case JobState::cancelled:
            ++cancelled;
            break;
        case JobState::skipped:
            ++skipped;
            break;
        case JobState::created:
        case JobState::queued:
        case JobState::scheduled:
        case JobState::running:
            break;
    }
}

std::string bare_name(const std::string& stage, const std::string& base) {
    return base.size() > stage.size() + 1 && base.starts_with(stage + ".") ? base.substr(stage.size() + 1) : base;
}

RunNode::RunNode(store::NewRun content, std::shared_ptr<const PlanBody> other)
    : run(std::move(content.run)), plan(std::move(content.plan)), definition(std::move(content.definition)),
      request_key(std::move(content.request_key)) {
    if (other && other->stages == plan.stages && other->jobs == plan.jobs)
        body = std::move(other);
    else
        body = std::make_shared<const PlanBody>(PlanBody{std::move(plan.stages), std::move(plan.jobs)});
    plan.stages = {};
    plan.jobs = {};
    contexts = planner::run_contexts(plan, {run.id.str(), run.number, run.triggered_by});
    Object about = contexts.find("run")->as_object();
    about.set("pipeline", run.pipeline);
    contexts.set("run", about);
    if (plan.concurrency) set_lock(*plan.concurrency);
    Records records;
    for (auto& job : run.jobs) records.emplace(job.key, std::move(job));
    run.jobs.clear();
    add_stages();
    for (const auto& planned : body->jobs)
        if (!group_by_base_.contains(planned.base)) add_group(planned);
    link();
    add_jobs(std::move(records));
}

/// The planner has resolved what it could; what is left reads the run's id or number.
void RunNode::set_lock(const model::Concurrency& given) {
    const auto name = expr::interpolate(given.group, {contexts, {}});
    lock.name = name ? *name : given.group;
    if (trim(lock.name).empty()) return;
    lock.key = lock_key(run, lock.name);
    lock.cancel_in_progress = given.cancel_in_progress.value;
    if (given.cancel_in_progress.expression.empty()) return;
    const auto flag = evaluate_flag(given.cancel_in_progress.expression, contexts);
    lock.cancel_in_progress = flag && *flag;
}

model::Priority RunNode::priority_of(int job) const {
    if (run.jobs[job].priority) return *run.jobs[job].priority;
    return jobs[job].planned->job.priority.value_or(run.priority);
}

/// What has been decided on is not decided on again, but what follows it wants to know.
void RunNode::find_tainted() {
    const auto over = [&](const std::vector<int>& needs) {
        return std::all_of(needs.begin(), needs.end(), [&](int need) { return targets[need].open == 0; });
    };
    for (bool changed = true; std::exchange(changed, false);)
        for (const auto& group : groups) {
            auto& target = targets[group.target];
            const auto& stage = stages[group.stage];
            if (target.tainted || !over(stage.needs) || !over(group.needs)) continue;
            auto status = status_of(stage.needs);
            for (const int need : group.needs) add_status(status, need, false);
            if (status.failure) changed = target.tainted = targets[stage.target].tainted = true;
        }
}

model::Plan RunNode::whole_plan() const {
    auto whole = plan;
    whole.stages = body->stages;
    whole.jobs = body->jobs;
    return whole;
}

int RunNode::add_target(std::string name, bool is_stage) {
    const int index = static_cast<int>(targets.size());
    target_by_name_.emplace((is_stage ? "stage " : "job ") + name, index);
    targets.push_back({.name = std::move(name), .is_stage = is_stage});
    return index;
}

void RunNode::add_stages() {
    if (run.stages.empty())
        for (const auto& stage : body->stages) run.stages.push_back({.name = stage.name});
    for (const auto& stage : body->stages) {
        stages.emplace_back();
        stages.back().target = add_target(stage.name, true);
    }
}

void RunNode::add_group(const model::PlannedJob& planned) {
    Group group;
    group.base = planned.base;
    group.stage = target_by_name_.at("stage " + planned.stage);  // stages are the first targets
    group.target = add_target(planned.base, false);
    const bool serial = !planned_stage(group.stage).parallel;
    group.limit = serial ? 1 : std::max(0, planned.job.max_parallel.value_or(0));
    auto& siblings = stages[group.stage].groups;
    if (serial && !siblings.empty()) group.after = groups[siblings.back()].target;
    const int index = static_cast<int>(groups.size());
    siblings.push_back(index);
    group_by_base_.emplace(planned.base, index);
    groups.push_back(std::move(group));
}

/// Resolves needs to targets. A need that names nothing was refused by the front end.
void RunNode::link() {
    const auto target_of = [&](const model::Need& need) {
        const auto stage = target_by_name_.find("stage " + need.stage);
        if (need.job.empty()) return stage == target_by_name_.end() ? -1 : stage->second;
        const auto job = target_by_name_.find("job " + need.stage + "." + need.job);
        return job == target_by_name_.end() ? -1 : job->second;
    };
    for (std::size_t s = 0; s < stages.size(); ++s)
        for (const auto& need : body->stages[s].needs)
            if (const int target = target_of(need); target >= 0) stages[s].needs.push_back(target);
    for (const auto& planned : body->jobs) {
        auto& group = groups[group_by_base_.at(planned.base)];
        if (planned.job.artifacts_from && !group.artifacts_from) {
            group.artifacts_from.emplace();
            for (const auto& source : *planned.job.artifacts_from)
                if (const int target = target_of(source); target >= 0) group.artifacts_from->push_back(target);
        }
        if (!group.needs.empty()) continue;
        for (const auto& need : planned.job.needs)
            if (const int target = target_of(need); target >= 0) group.needs.push_back(target);
    }
}

void RunNode::add_jobs(Records records) {
    std::vector<const model::PlannedJob*> expanded_before;
    for (const auto& planned : body->jobs) {
        if (const auto record = records.find(planned.key); record != records.end()) {
            run.jobs.push_back(std::move(record->second));
            records.erase(record);
            add_node(group_by_base_.at(planned.base), planned);
        } else if (planned.expand_later) {
            expanded_before.push_back(&planned);
        }
    }
    for (const auto* placeholder : expanded_before) add_expanded(*placeholder, records);
}

/// A matrix that was expanded before the daemon stopped: its needs have ended, so it gives the same jobs again.
void RunNode::add_expanded(const model::PlannedJob& placeholder, Records& records) {
    const int group = group_by_base_.at(placeholder.base);
    auto again = planner::expand_matrix(placeholder, contexts_of(group, placeholder));
    if (again)
        for (auto& planned : *again) expanded.push_back(std::move(planned));
    const auto end = expanded.size();
    for (auto record = records.begin(); record != records.end();) {
        if (!record->first.starts_with(placeholder.base + " (")) {
            ++record;
            continue;
        }
        const model::PlannedJob* planned = nullptr;
        for (std::size_t i = 0; i < end; ++i)
            if (expanded[i].key == record->first) planned = &expanded[i];
        if (!planned) {
            auto copy = placeholder;
            copy.key = record->first;
            copy.name = record->second.name;
            expanded.push_back(std::move(copy));
            planned = &expanded.back();
        }
        run.jobs.push_back(std::move(record->second));
        add_node(group, *planned);
        record = records.erase(record);
    }
}

void RunNode::note_kept(int job) {
    if (run.jobs[job].artifacts.empty()) keepers.erase(job);
    else keepers.insert(job);
}

void RunNode::add_node(int group, const model::PlannedJob& planned) {
    const int index = static_cast<int>(jobs.size());
    const auto& record = run.jobs[index];
    jobs.push_back({.group = group, .planned = &planned, .demand = demand_of(planned.job.resources)});
    groups[group].jobs.push_back(index);
    stages[groups[group].stage].jobs.push_back(index);
    note_kept(index);
    for (auto* target : {&targets[groups[group].target], &targets[stages[groups[group].stage].target]}) {
        ++target->total;
        if (model::is_final(record.state))
            target->count(record);
        else
            ++target->open;
    }
    if (!model::is_final(record.state)) ++open;
}

bool RunNode::is_held(int stage) const {
    const auto& target = targets[stage];
    if (target.held) return *target.held;
    const auto breaks = [&](int need) {
        switch (targets[need].result()) {
            case JobState::failed:
            case JobState::cancelled: return true;
            case JobState::skipped: return !targets[need].is_stage || is_held(need);
            case JobState::created:
            case JobState::queued:
            case JobState::scheduled:
            case JobState::running:
            case JobState::success:
            case JobState::archived: break;
        }
        return false;
    };
    const auto& node = stages[stage];
    bool held = target.tainted || std::any_of(node.needs.begin(), node.needs.end(), breaks);
    for (const int group : node.groups)
        held = held || std::any_of(groups[group].needs.begin(), groups[group].needs.end(), breaks);
    target.held = held;
    return held;
}

void RunNode::add_status(Status& status, int index, bool only_order) const {
    const auto& target = targets[index];
    status.failure |= target.tainted && !only_order;
    std::string cause;
    switch (target.result()) {
        case JobState::failed:
            status.failure = true;
            cause = target.label() + " failed";
            break;
        case JobState::cancelled:
            cause = target.label() + " was cancelled";
            break;
        case JobState::skipped:
            // A stage that did not want to run lets those after it go on; one that could not run does not.
            if (!only_order && (!target.is_stage || pipeline::skipped_stage_holds_up(plan.dialect) || is_held(index))) cause = target.label() + " was skipped";
            break;
        case JobState::created:
        case JobState::queued:
        case JobState::scheduled:
        case JobState::running:
        case JobState::success:
        case JobState::archived:
            break;
    }
    if (cause.empty()) return;
    if (status.success) status.cause = cause;
    status.success = false;
}

Status RunNode::status_of(const std::vector<int>& needs) const {
    Status status;
    for (const int need : needs) add_status(status, need, false);
    return status;
}

}  // namespace cicd::scheduler
