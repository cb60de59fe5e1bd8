#include "common/base/text.hpp"
#include "daemon/planner/decisions.hpp"

#include <algorithm>
#include <set>
#include <utility>

/// `--stage` and `--job`: what is named runs, with what it needs; everything else is skipped.
namespace cicd::planner {

namespace {

class Selection {
public:
    explicit Selection(model::Plan& plan) : plan_(plan) {}

    void stage(const std::string& name) {
        if (!stages_.insert(name).second) return;
        for (const auto& job : plan_.jobs)
            if (job.stage == name) this->job(job);
        needs_of_stage(name);
    }

    void job(const model::PlannedJob& job) {
        if (!jobs_.insert(job.key).second) return;
        for (const auto& need : job.job.needs) this->need(need);
        needs_of_stage(job.stage);
        const auto* own = find(job.stage);
        if (own && !own->parallel) before(job);
    }

    [[nodiscard]] bool has(const model::PlannedJob& job) const { return jobs_.contains(job.key); }
    [[nodiscard]] bool has_stage(const model::PlannedStage& stage) const {
        if (stages_.contains(stage.name)) return true;
        return std::any_of(plan_.jobs.begin(), plan_.jobs.end(),
                           [&](const auto& job) { return job.stage == stage.name && has(job); });
    }

private:
    void need(const model::Need& need) {
        if (need.job.empty()) return stage(need.stage);
        for (const auto& job : plan_.jobs)
            if (job.base == need.stage + "." + need.job) this->job(job);
    }

    void needs_of_stage(const std::string& name) {
        if (const auto* stage = find(name))
            for (const auto& each : stage->needs) need(each);
    }

    /// In a stage with `parallel: false`, the jobs written before are needed, too.
    void before(const model::PlannedJob& job) {
        for (const auto& other : plan_.jobs) {
            if (other.base == job.base) return;
            if (other.stage == job.stage) this->job(other);
        }
    }

    [[nodiscard]] const model::PlannedStage* find(const std::string& name) const {
        for (const auto& stage : plan_.stages)
            if (stage.name == name) return &stage;
        return nullptr;
    }

    model::Plan& plan_;
    std::set<std::string> stages_, jobs_;
};

std::string flags(const PlanRequest& request) {
    std::vector<std::string> parts;
    for (const auto& stage : request.stages) parts.push_back("--stage " + stage);
    for (const auto& job : request.jobs) parts.push_back("--job " + job);
    return join(parts, " ");
}

}  // namespace

void apply_selection(model::Plan& plan, const PlanRequest& request, Problems& problems) {
    if (request.stages.empty() && request.jobs.empty()) return;
    Selection selection(plan);
    std::vector<std::string> stage_names, job_names;
    for (const auto& stage : plan.stages) stage_names.push_back(stage.name);
    for (const auto& job : plan.jobs) job_names.push_back(job.base);
    for (const auto& name : request.stages) {
        if (std::find(stage_names.begin(), stage_names.end(), name) != stage_names.end())
            selection.stage(name);
        else
            add_problem(problems, {}, "there is no stage '" + name + "'",
                        did_you_mean(name, stage_names).empty() ? "stages: " + join(stage_names, ", ")
                                                                : did_you_mean(name, stage_names));
    }
    for (const auto& name : request.jobs) {
        bool found = false;
        for (const auto& job : plan.jobs) {
            // By its whole key, without the matrix, or by its bare name where that says enough.
            const bool named = name == job.key || name == job.base || name == job.name || name == job.job.name;
            if (named) selection.job(job);
            found |= named;
        }
        if (!found)
            add_problem(problems, {}, "there is no job '" + name + "'",
                        did_you_mean(name, job_names).empty() ? "jobs: " + join(job_names, ", ")
                                                              : did_you_mean(name, job_names));
    }
    const model::Reason reason{model::Decision::skip, "not selected (" + flags(request) + ")"};
    for (auto& job : plan.jobs)
        if (!selection.has(job)) job.reason = reason;
    for (auto& stage : plan.stages)
        if (!selection.has_stage(stage)) stage.reason = reason;
}

namespace {
constexpr std::string_view successful = ": counts as successful";
}

bool counts_as_successful(const model::Reason& reason) {
    return reason.decision == model::Decision::skip && reason.text.ends_with(successful);
}

void apply_from(model::Plan& plan, const std::string& from, Problems& problems) {
    if (from.empty()) return;
    std::vector<std::string> names;
    for (const auto& stage : plan.stages) names.push_back(stage.name);
    if (std::find(names.begin(), names.end(), from) == names.end()) {
        const auto guess = did_you_mean(from, names);
        return add_problem(problems, {}, "there is no stage '" + from + "'",
                           guess.empty() ? "stages: " + join(names, ", ") : guess);
    }
    std::set<std::string> stages{from}, jobs;
    const auto follows = [&](const std::vector<model::Need>& needs) {
        return std::any_of(needs.begin(), needs.end(), [&](const model::Need& need) {
            return need.job.empty() ? stages.contains(need.stage) : jobs.contains(need.stage + "." + need.job);
        });
    };
    for (bool grew = true; std::exchange(grew, false);) {
        for (const auto& stage : plan.stages)
            if (follows(stage.needs)) grew |= stages.insert(stage.name).second;
        for (const auto& job : plan.jobs)
            if (stages.contains(job.stage) || follows(job.job.needs)) grew |= jobs.insert(job.base).second;
        for (const auto& stage : plan.stages) {  // one of its jobs follows: so does the stage
            const auto inside = [&](const auto& job) { return job.stage == stage.name && jobs.contains(job.base); };
            if (std::any_of(plan.jobs.begin(), plan.jobs.end(), inside)) grew |= stages.insert(stage.name).second;
        }
    }
    const model::Reason reason{model::Decision::skip, "before --from " + from + std::string(successful)};
    for (auto& job : plan.jobs)
        if (!jobs.contains(job.base)) job.reason = reason;
    names.clear();
    for (auto& stage : plan.stages)
        if (!stages.contains(stage.name)) stage.reason = reason, names.push_back(stage.name);
    if (!names.empty())
        plan.notices.push_back("not run (--from " + from + "): " + join(names, ", ") +
                               (names.size() == 1 ? " counts" : " count") + " as successful, with empty outputs");
}

}  // namespace cicd::planner
