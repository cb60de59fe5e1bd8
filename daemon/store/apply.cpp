#include "common/codec/codecs.hpp"
#include "daemon/store/rows.hpp"

namespace cicd::store {

namespace {

Result<std::int64_t> job_number(const JobId& id) {
    if (const auto number = number_of(id)) return *number;
    return internal_error("'" + id.str() + "' is not the id of a job");
}

template <class T>
std::string json(const T& value) {
    return codec::to_json(codec::encode(value));
}

std::string json(const std::vector<model::StepRun>& steps) {
    Array array;
    array.reserve(steps.size());
    for (const auto& step : steps) array.push_back(codec::encode(step));
    return codec::to_json(array);
}

void write_stage(Connection& to, std::int64_t run, const model::StageRun& stage) {
    to.query("INSERT INTO stages VALUES (?1, (SELECT count(*) FROM stages WHERE run = ?1), ?2, ?3, ?4, ?5, ?6) "
             "ON CONFLICT (run, name) DO UPDATE SET state = excluded.state, started = excluded.started, "
             "ended = excluded.ended, message = excluded.message")
        .with(run, stage.name, to_text(stage.state), stage.start_time, stage.end_time, stage.message)
        .run();
}

Result<void> write_job(Connection& to, const model::JobRun& job) {
    CICD_TRY(const auto number, job_number(job.id));
    CICD_TRY(const auto run, run_number(job.run));
    std::optional<std::string> end_reason, priority;
    if (job.end_reason) end_reason = to_text(*job.end_reason);
    if (job.priority) priority = to_text(*job.priority);
    to.query("INSERT INTO jobs VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (number) DO UPDATE SET "
             "state = excluded.state, attempt = excluded.attempt, allow_failure = excluded.allow_failure, "
             "created = excluded.created, queued = excluded.queued, started = excluded.started, "
             "ended = excluded.ended, exit_code = excluded.exit_code, end_reason = excluded.end_reason, "
             "message = excluded.message, outputs = excluded.outputs, usage = excluded.usage, steps = excluded.steps, "
             "priority = excluded.priority, not_before = excluded.not_before, kept = excluded.kept, image = excluded.image")
        .with(number, run, job.key, job.name, job.stage, to_text(job.state), job.attempt, job.allow_failure,
              job.created_time, job.queued_time, job.start_time, job.end_time, job.exit_code, end_reason, job.message,
              codec::to_json(job.outputs), json(job.usage), json(job.steps), priority, job.not_before, kept_text(job),
              job.image)
        .run();
    return {};
}

Result<void> write_new_run(Connection& to, const NewRun& added) {
    const auto& run = added.run;
    CICD_TRY(const auto number, run_number(run.id));
    std::optional<std::string> retry_of;
    if (run.retry_of) retry_of = run.retry_of->str();
    const auto& branch = run.source.branch.empty() ? run.event.branch : run.source.branch;
    to.query("INSERT INTO runs (number, pipeline_id, pipeline, pipeline_version, state, triggered_by, branch, repository, "
             "event, source, created, started, ended, message, retry_of, priority, commit_id, event_type) "
             "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        .with(number, run.pipeline_id.str(), run.pipeline, run.pipeline_version, to_text(run.state), run.triggered_by,
              branch, run.source.repository, json(run.event), json(run.source), run.created_time, run.start_time,
              run.end_time, run.message, retry_of, to_text(run.priority), run.source.commit, to_text(run.event.type))
        .run();
    to.query("INSERT INTO run_plans VALUES (?,?,?)").with(number, json(added.plan), added.definition).run();
    for (const auto& stage : run.stages) write_stage(to, number, stage);
    for (const auto& job : run.jobs) {
        CICD_CHECK(write_job(to, job));
        // Taken over from an earlier run, with all that belongs to it.
        for (const auto& artifact : job.artifacts)
            CICD_CHECK(write_artifact(to, {run.id, job.id, job.key, job.attempt, artifact, run.created_time.value_or(Timestamp()), {}}));
    }
    if (!added.request_key.empty())
        to.query("UPDATE requests SET run = ? WHERE user = ? AND key = ?").with(number, run.triggered_by, added.request_key).run();
    return {};
}

Result<void> write_stop(Connection& to, const Stop& stop) {
    CICD_TRY(const auto run, run_number(stop.run));
    std::int64_t job = 0;
    if (!stop.job.empty()) {
        CICD_TRY(job, job_number(stop.job));
    }
    to.query("INSERT INTO stops VALUES (?,?,?,?,?,?) ON CONFLICT (run, job) DO UPDATE SET phase = excluded.phase, "
             "reason = excluded.reason, message = excluded.message, time = excluded.time")
        .with(run, job, stop.phase, to_text(stop.reason), stop.message, stop.time)
        .run();
    return {};
}

Result<void> write_run(Connection& to, const model::Run& run) {
    CICD_TRY(const auto number, run_number(run.id));
    const int changed =
        to.query("UPDATE runs SET state = ?, created = ?, started = ?, ended = ?, message = ?, priority = ? WHERE number = ?")
            .with(to_text(run.state), run.created_time, run.start_time, run.end_time, run.message, to_text(run.priority), number)
            .run();
    if (changed == 0) return no_such_run(run.id.str());
    if (is_final(run.state)) to.query("DELETE FROM stops WHERE run = ?").with(number).run();
    return {};
}

/// Its place among all runs' events. Only the newest places are kept, so the greatest number is never given out again.
void note_order(Connection& to, std::int64_t run, std::int64_t seq) {
    constexpr std::int64_t kept = 1'000'000, at_once = 1024;
    to.query("INSERT INTO event_order (run, seq) VALUES (?,?)").with(run, seq).run();
    const auto id = static_cast<std::int64_t>(to.database().getLastInsertRowid());
    if (id % at_once == 0 && id > kept) to.query("DELETE FROM event_order WHERE id <= ?").with(id - kept).run();
}

Result<void> write_all(Connection& to, const Changes& changes) {
    for (const auto& run : changes.new_runs) CICD_CHECK(write_new_run(to, run));
    for (const auto& stop : changes.stops) CICD_CHECK(write_stop(to, stop));
    for (const auto& run : changes.runs) CICD_CHECK(write_run(to, run));
    for (const auto& [run, stage] : changes.stages) {
        CICD_TRY(const auto number, run_number(run));
        write_stage(to, number, stage);
    }
    for (const auto& job : changes.jobs) CICD_CHECK(write_job(to, job));
    for (const auto& artifact : changes.artifacts) CICD_CHECK(write_artifact(to, artifact));
    for (const auto& result : changes.results) CICD_CHECK(write_result(to, result));
    for (const auto& event : changes.events) {
        CICD_TRY(const auto number, run_number(event.run));
        to.query("INSERT INTO events VALUES (?,?,?)").with(number, event.seq, json(event)).run();
        note_order(to, number, event.seq);
    }
    return {};
}

}  // namespace

Result<void> Store::apply(const Changes& changes) {
    if (changes.empty()) return {};
    return guarded("store the changes", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        CICD_CHECK(write_all(state_->writer, changes));
        const auto reserved = state_->reserve_ahead();
        transaction.commit();
        const std::lock_guard ids_lock(state_->ids_mutex);
        for (const auto& [sequence, end] : reserved) sequence->end = end;
        return {};
    });
}

}  // namespace cicd::store
