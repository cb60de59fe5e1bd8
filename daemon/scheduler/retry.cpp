#include "daemon/scheduler/retry.hpp"

#include "common/base/text.hpp"
#include "daemon/planner/planner.hpp"
#include "daemon/scheduler/graph.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace cicd::scheduler {

using model::JobState;

namespace {

std::int64_t number_of(const RunId& id) {
    const auto& text = id.str();
    const auto dash = text.rfind('-');
    std::int64_t number = 0;
    if (dash != std::string::npos) std::from_chars(text.data() + dash + 1, text.data() + text.size(), number);
    return number;
}

model::JobRun new_job(const model::PlannedJob& planned, const Birth& birth) {
    model::JobRun job;
    job.id = birth.next_job_id();
    job.run = birth.id;
    job.key = planned.key;
    job.name = planned.name;
    job.stage = planned.stage;
    job.created_time = birth.now;
    if (planned.job.image && !expr::has_expression(planned.job.image->name)) job.image = planned.job.image->name;
    job.steps = pending_steps(planned.job);
    if (!planner::counts_as_successful(planned.reason)) return job;
    job.state = JobState::success;
    job.message = planned.reason.text;
    for (auto& step : job.steps) step.state = model::StepState::skipped;
    return job;
}

enum class Fate { again, taken_over, left_out };

model::JobRun inherited(const model::JobRun& old, Fate fate, const Birth& birth) {
    auto job = old;
    job.id = birth.next_job_id();
    job.run = birth.id;
    job.attempt = 1;
    job.created_time = birth.now;
    job.priority.reset();
    job.not_before.reset();
    job.queued_time.reset();
    job.start_time.reset();
    job.end_time.reset();
    if (fate == Fate::taken_over) {
        job.message = "taken over from " + old.run.str();
        return job;
    }
    job.state = fate == Fate::again ? JobState::created : JobState::skipped;
    job.message = fate == Fate::again ? "" : left_out_text;
    job.exit_code.reset();
    job.end_reason.reset();
    job.outputs = {};
    job.artifacts.clear();
    job.caches.clear();
    job.inputs.reset();
    job.usage = {};
    for (auto& step : job.steps)
        step = {.index = step.index,
                .id = step.id,
                .name = step.name,
                .state = fate == Fate::again ? model::StepState::pending : model::StepState::skipped};
    return job;
}

bool is_instance_of(const model::JobRun& job, const model::PlannedJob& placeholder) {
    return job.stage == placeholder.stage && job.key.starts_with(placeholder.base + " (");
}

using Fates = std::function<Fate(const model::JobRun&)>;

/// Whether everything the job needs is taken over, so that its matrix expands to what it was.
bool needs_stand(const Ancestor& old, const model::PlannedJob& planned, const Fates& fate_of) {
    std::vector<model::Need> needs = planned.job.needs;
    for (const auto& stage : old.plan.stages)
        if (stage.name == planned.stage) needs.insert(needs.end(), stage.needs.begin(), stage.needs.end());
    return std::all_of(old.run.jobs.begin(), old.run.jobs.end(), [&](const model::JobRun& job) {
        const bool needed = std::any_of(needs.begin(), needs.end(), [&](const model::Need& need) {
            const auto base = need.stage + "." + need.job;
            return need.job.empty() ? job.stage == need.stage : job.key == base || job.key.starts_with(base + " (");
        });
        return !needed || fate_of(job) == Fate::taken_over;
    });
}

store::NewRun successor(const Ancestor& old, const Fates& fate_of, const Birth& birth) {
    auto plan = old.plan;
    plan.no_reuse = true;  // who asks for it again wants it to run
    auto next = new_run(std::move(plan), old.definition, birth);
    next.run.pipeline_id = old.run.pipeline_id;
    next.run.pipeline_version = old.run.pipeline_version;
    next.run.retry_of = old.run.id;
    next.run.jobs.clear();
    for (const auto& planned : old.plan.jobs) {
        bool found = false;
        if (!planned.expand_later || needs_stand(old, planned, fate_of))
            for (const auto& job : old.run.jobs) {
                if (job.key != planned.key && !(planned.expand_later && is_instance_of(job, planned))) continue;
                next.run.jobs.push_back(inherited(job, fate_of(job), birth));
                found = true;
            }
        if (!found) next.run.jobs.push_back(new_job(planned, birth));
    }
    return next;
}

Error not_over(const model::Run& run) {
    return conflict("RUN_002", run.id.str() + " is still " + std::string(to_text(run.state)),
                    "wait for its end, or cancel it: cicdctl cancel " + run.id.str());
}

/// Everything that waits for one of these, directly or not, by the key of its base.
std::set<std::string> dependents_of(const model::Plan& plan, std::set<std::string> found) {
    std::set<std::string> stages;
    for (bool grew = true; std::exchange(grew, false);) {
        for (const auto& job : plan.jobs) {
            if (found.contains(job.base)) continue;
            std::vector<model::Need> needs = job.job.needs;
            for (const auto& stage : plan.stages)
                if (stage.name == job.stage) needs.insert(needs.end(), stage.needs.begin(), stage.needs.end());
            for (const auto& need : needs)
                if (need.job.empty() ? stages.contains(need.stage) : found.contains(need.stage + "." + need.job))
                    grew |= found.insert(job.base).second;
        }
        for (const auto& job : plan.jobs)
            if (found.contains(job.base)) grew |= stages.insert(job.stage).second;
    }
    return found;
}

std::string base_of(const model::Plan& plan, const model::JobRun& job) {
    for (const auto& planned : plan.jobs)
        if (planned.key == job.key || (planned.expand_later && is_instance_of(job, planned))) return planned.base;
    return job.key;
}

Result<Fates> again_from(const Ancestor& old, const std::string& stage) {
    std::vector<std::string> names;
    for (const auto& each : old.plan.stages) names.push_back(each.name);
    if (std::find(names.begin(), names.end(), stage) == names.end()) {
        const auto guess = did_you_mean(stage, names);
        return invalid("PIPELINE_007", "pipeline " + old.plan.pipeline + " has no stage '" + stage + "'",
                       guess.empty() ? "stages: " + join(names, ", ") : guess);
    }
    std::set<std::string> bases;
    for (const auto& planned : old.plan.jobs)
        if (planned.stage == stage) bases.insert(planned.base);
    return [again = dependents_of(old.plan, std::move(bases)), &plan = old.plan](const model::JobRun& job) {
        return again.contains(base_of(plan, job)) ? Fate::again : Fate::taken_over;
    };
}

/// Named by their keys, without the matrix, or by their ids.
Result<Fates> again_these(const Ancestor& old, const std::vector<std::string>& names) {
    std::set<std::string> chosen, bases;  // by key
    for (const auto& name : names) {
        const auto before = chosen.size();
        std::vector<std::string> keys;
        for (const auto& job : old.run.jobs) {
            const auto base = base_of(old.plan, job);
            keys.push_back(job.key);
            if (name == job.key || name == job.id.str() || name == base) chosen.insert(job.key), bases.insert(base);
        }
        if (chosen.size() > before || chosen.contains(name)) continue;
        const auto guess = did_you_mean(name, keys);
        return not_found("JOB_001", old.run.id.str() + " has no job '" + name + "'",
                         guess.empty() ? "its jobs: cicdctl show " + old.run.id.str() : guess);
    }
    return [chosen, waiting = dependents_of(old.plan, bases), &plan = old.plan](const model::JobRun& job) {
        const bool follows = job.state == JobState::skipped && waiting.contains(base_of(plan, job));
        return chosen.contains(job.key) || follows ? Fate::again : Fate::taken_over;
    };
}

}  // namespace

store::NewRun new_run(model::Plan plan, std::string definition, const Birth& birth) {
    store::NewRun created;
    auto& run = created.run;
    run.id = birth.id;
    run.number = number_of(birth.id);
    run.pipeline = plan.pipeline;
    run.priority = plan.priority;
    run.triggered_by = birth.user;
    run.event = plan.event;
    run.source = plan.source;
    run.created_time = birth.now;
    for (const auto& stage : plan.stages) run.stages.push_back({.name = stage.name});
    for (const auto& planned : plan.jobs) run.jobs.push_back(new_job(planned, birth));
    created.plan = std::move(plan);
    created.definition = std::move(definition);
    return created;
}

Result<store::NewRun> retry_run(const Ancestor& old, const contract::RetryRun& what, const Birth& birth) {
    if (!model::is_final(old.run.state)) return not_over(old.run);
    if (!what.from_stage.empty() && !what.jobs.empty())
        return invalid("CICD_400", "a retry is either from a stage or of jobs", "give one of them");
    if (!what.from_stage.empty()) {
        CICD_TRY(const auto fates, again_from(old, what.from_stage));
        return successor(old, fates, birth);
    }
    if (!what.jobs.empty()) {
        CICD_TRY(const auto fates, again_these(old, what.jobs));
        return successor(old, fates, birth);
    }
    const auto succeeded = [](const model::JobRun& job) { return job.state == JobState::success; };
    if (what.failed_only && std::all_of(old.run.jobs.begin(), old.run.jobs.end(), succeeded))
        return conflict("RUN_003", "every job of " + old.run.id.str() + " succeeded: there is nothing to retry",
                        "run all of it again: cicdctl retry --all " + old.run.id.str());
    return successor(
        old,
        [&](const model::JobRun& job) { return what.failed_only && succeeded(job) ? Fate::taken_over : Fate::again; },
        birth);
}

Result<store::NewRun> restart_job(const Ancestor& old, const JobId& id, const Birth& birth) {
    if (!model::is_final(old.run.state)) return not_over(old.run);
    const auto target =
        std::find_if(old.run.jobs.begin(), old.run.jobs.end(), [&](const auto& job) { return job.id == id; });
    if (target == old.run.jobs.end()) return not_found("JOB_001", "there is no job " + id.str());
    const auto waiting = dependents_of(old.plan, {base_of(old.plan, *target)});
    return successor(
        old,
        [&](const model::JobRun& job) {
            if (job.id == id) return Fate::again;
            if (job.state == JobState::success) return Fate::taken_over;
            return job.state == JobState::skipped && waiting.contains(base_of(old.plan, job)) ? Fate::again : Fate::left_out;
        },
        birth);
}

}  // namespace cicd::scheduler
