#pragma once

#include "daemon/scheduler/core.hpp"
#include "daemon/scheduler/retry.hpp"

#include <map>
#include <string>
#include <vector>

/// The vocabulary of the scheduler's tests: plans in a few words, a core, and what it asked for.
namespace cicd::scheduler::testing {

inline model::PlannedStage stage(std::string name, std::vector<model::Need> needs = {}) {
    model::PlannedStage made;
    made.name = std::move(name);
    made.needs = std::move(needs);
    return made;
}

inline model::PlannedJob job(const std::string& stage, const std::string& name, std::vector<model::Need> needs = {}) {
    model::PlannedJob made;
    made.key = made.base = stage + "." + name;
    made.name = made.job.name = name;
    made.stage = stage;
    made.job.needs = std::move(needs);
    made.job.steps.push_back({.id = "one", .name = "one", .run = "true"});
    return made;
}

inline void add_matrix(model::Plan& plan, const model::PlannedJob& base, int count) {
    for (int i = 0; i < count; ++i) {
        auto instance = base;
        instance.name = base.name + " (" + std::to_string(i) + ")";
        instance.key = base.base + " (" + std::to_string(i) + ")";
        instance.matrix = Object{{"i", Value(i)}};
        instance.matrix_index = i;
        instance.matrix_total = count;
        plan.jobs.push_back(instance);
    }
}

class World {
public:
    explicit World(Capacity capacity = {100, 100, 1U << 30}) : core(capacity, [this] { return next_id(); }) {}

    RunId accept(model::Plan plan) {
        if (plan.pipeline.empty()) plan.pipeline = "p";
        if (plan.params.is_null()) plan.params = Object{};
        const RunId id("run-" + std::to_string(++runs_));
        auto content = new_run(std::move(plan), {}, {id, [this] { return next_id(); }, user, now});
        for (const auto& record : content.run.jobs) ids_[record.key] = record.id;
        run = id;
        accepted = handle(RunAccepted{std::move(content)});
        return id;
    }

    Actions handle(Event event) {
        auto actions = core.handle(std::move(event), now);
        for (const auto& created : actions.changes.new_runs) {
            final_runs[created.run.id] = created.run;
            for (const auto& record : created.run.jobs) note(record);
        }
        for (const auto& record : actions.changes.jobs) note(record);
        for (const auto& change : actions.changes.stages) stages[change.stage.name] = change.stage;
        for (const auto& created : actions.changes.new_runs)
            for (const auto& record : created.run.stages) stages[record.name] = record;
        for (const auto& record : actions.changes.runs) final_runs[record.id] = record;
        for (const auto& start : actions.starts) started.push_back(start.spec.key), specs[start.spec.key] = start.spec;
        for (const auto& stop : actions.stops) stopped.push_back(jobs_by_id_.at(stop.job));
        for (const auto& timer : actions.timers) timers.push_back(timer);
        for (const auto& event_told : actions.changes.events) events.push_back(event_told);
        for (const auto& stop : actions.changes.stops) stops.push_back(stop);
        return actions;
    }

    Actions end(const std::string& key, model::JobState state = model::JobState::success,
                model::EndReason reason = model::EndReason::exit, Value outputs = {}) {
        model::JobExit exit;
        exit.state = state;
        exit.end_reason = reason;
        exit.exit_code = state == model::JobState::success ? 0 : 1;
        exit.outputs = std::move(outputs);
        return handle(JobEnded{ids_.at(key), jobs.at(key).attempt, exit});
    }
    Actions fail(const std::string& key) { return end(key, model::JobState::failed); }

    std::vector<std::string> take_started() { return std::exchange(started, {}); }
    model::JobState state(const std::string& key) const { return jobs.at(key).state; }
    const std::string& message(const std::string& key) const { return jobs.at(key).message; }
    model::StageState stage_state(const std::string& name) const { return stages.at(name).state; }
    model::RunState run_state() const { return final_runs.at(run).state; }
    JobId id(const std::string& key) const { return ids_.at(key); }

    /// Knows the jobs of another one, to go on with its runs.
    void inherit(const World& other) {
        run = other.run;
        jobs = other.jobs;
        ids_ = other.ids_;
        jobs_by_id_ = other.jobs_by_id_;
        final_runs = other.final_runs;
        stages = other.stages;
    }

    Timestamp now{Milliseconds{1'000'000}};
    std::string user = "me";
    Core core;
    RunId run;
    Actions accepted;  ///< what the last run led to at once
    std::map<std::string, model::JobRun> jobs;
    std::map<std::string, model::StageRun> stages;
    std::map<RunId, model::Run> final_runs;
    std::map<std::string, model::JobSpec> specs;
    std::vector<std::string> started, stopped;
    std::vector<Timer> timers;
    std::vector<model::RunEvent> events;
    std::vector<store::Stop> stops;

private:
    void note(const model::JobRun& record) {
        jobs[record.key] = record;
        ids_[record.key] = record.id;
        jobs_by_id_[record.id] = record.key;
    }
    JobId next_id() { return JobId("job-" + std::to_string(++last_job_)); }

    std::map<std::string, JobId> ids_;
    std::map<JobId, std::string> jobs_by_id_;
    int runs_ = 0, last_job_ = 0;
};

}  // namespace cicd::scheduler::testing
