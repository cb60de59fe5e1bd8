#include "daemon/store/rows.hpp"

#include "common/codec/codecs.hpp"

namespace cicd::store {

namespace {

template <class T>
Result<std::vector<T>> list_of(const Value& value) {
    std::vector<T> list;
    if (!value.is_array()) return list;
    for (const auto& item : value.as_array()) {
        CICD_TRY(auto element, codec::decode<T>(item));
        list.push_back(std::move(element));
    }
    return list;
}

template <class T>
Array array_of(const std::vector<T>& list) {
    Array array;
    for (const auto& item : list) array.push_back(codec::encode(item));
    return array;
}

}  // namespace

std::string kept_text(const model::JobRun& job) {
    if (job.artifacts.empty() && job.caches.empty() && !job.inputs) return {};
    Object kept{{"artifacts", array_of(job.artifacts)}, {"caches", array_of(job.caches)}};
    if (job.inputs) kept.set("inputs", codec::encode(*job.inputs));
    return codec::to_json(kept);
}

Error no_such_run(const std::string& id) {
    return not_found("RUN_001", "there is no run '" + id + "'", "list runs with: cicdctl ps -a");
}

Result<std::int64_t> run_number(const RunId& id) {
    if (const auto number = number_of(id)) return *number;
    return no_such_run(id.str());
}

Result<model::Run> run_of(Query& row) {
    model::Run run;
    run.number = row.number(0);
    run.id = id_of<RunTag>(run.number);
    run.pipeline_id = PipelineId(row.text(1));
    run.pipeline = row.text(2);
    run.pipeline_version = static_cast<int>(row.number(3));
    CICD_TRY(run.state, enum_of<model::RunState>(row.text(4)));
    run.triggered_by = row.text(5);
    CICD_TRY(run.event, decoded<model::Event>(row.text(6)));
    CICD_TRY(run.source, decoded<model::Source>(row.text(7)));
    run.created_time = row.time(8);
    run.start_time = row.time(9);
    run.end_time = row.time(10);
    run.message = row.text(11);
    if (!row.is_null(12)) run.retry_of = RunId(row.text(12));
    CICD_TRY(run.priority, enum_of<model::Priority>(row.text(13)));
    return run;
}

Result<model::JobRun> job_of(Query& row) {
    model::JobRun job;
    job.id = id_of<JobTag>(row.number(0));
    job.run = id_of<RunTag>(row.number(1));
    job.key = row.text(2);
    job.name = row.text(3);
    job.stage = row.text(4);
    CICD_TRY(job.state, enum_of<model::JobState>(row.text(5)));
    job.attempt = static_cast<int>(row.number(6));
    job.allow_failure = row.number(7) != 0;
    job.created_time = row.time(8);
    job.queued_time = row.time(9);
    job.start_time = row.time(10);
    job.end_time = row.time(11);
    if (!row.is_null(12)) job.exit_code = static_cast<int>(row.number(12));
    if (!row.is_null(13)) {
        CICD_TRY(job.end_reason, enum_of<model::EndReason>(row.text(13)));
    }
    job.message = row.text(14);
    CICD_TRY(job.outputs, codec::parse_json(row.text(15)));
    CICD_TRY(job.usage, decoded<model::Usage>(row.text(16)));
    CICD_TRY(const Value steps, codec::parse_json(row.text(17)));
    if (!steps.is_array()) return internal_error("the steps of " + job.id.str() + " are no array");
    job.steps.reserve(steps.as_array().size());
    for (const Value& step : steps.as_array()) {
        CICD_TRY(auto decoded_step, codec::decode<model::StepRun>(step));
        job.steps.push_back(std::move(decoded_step));
    }
    if (!row.is_null(18)) {
        CICD_TRY(job.priority, enum_of<model::Priority>(row.text(18)));
    }
    job.not_before = row.time(19);
    if (const auto kept = row.text(20); !kept.empty()) {
        CICD_TRY(const auto value, codec::parse_json(kept));
        CICD_TRY(job.artifacts, list_of<model::JobArtifact>(value["artifacts"]));
        CICD_TRY(job.caches, list_of<model::JobCache>(value["caches"]));
        if (!value["inputs"].is_null()) {
            CICD_TRY(job.inputs, codec::decode<model::JobInputs>(value["inputs"]));
        }
    }
    job.image = row.text(21);
    return job;
}

Result<model::Run> whole_run(Connection& connection, std::int64_t number) {
    auto row = connection.query("SELECT " + run_columns + " FROM runs WHERE number = ?");
    if (!row.with(number).next()) return no_such_run(id_of<RunTag>(number).str());
    CICD_TRY(auto run, run_of(row));

    auto stages =
        connection.query("SELECT name, state, started, ended, message FROM stages WHERE run = ? ORDER BY position");
    stages.with(number);
    while (stages.next()) {
        CICD_TRY(const auto state, enum_of<model::StageState>(stages.text(1)));
        run.stages.push_back({stages.text(0), state, stages.time(2), stages.time(3), stages.text(4)});
    }
    auto jobs = connection.query("SELECT " + job_columns + " FROM jobs WHERE run = ? ORDER BY number");
    jobs.with(number);
    while (jobs.next()) {
        CICD_TRY(auto job, job_of(jobs));
        run.jobs.push_back(std::move(job));
    }
    return run;
}

}  // namespace cicd::store
