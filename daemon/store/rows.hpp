#pragma once

#include "daemon/store/state.hpp"

/// Rows to values. Columns are selected in these orders.
namespace cicd::store {

inline const std::string run_columns =
    "number, pipeline_id, pipeline, pipeline_version, state, triggered_by, event, source, created, started, ended, "
    "message, retry_of, priority";
inline const std::string job_columns =
    "number, run, key, name, stage, state, attempt, allow_failure, created, queued, started, ended, exit_code, "
    "end_reason, message, outputs, usage, steps, priority, not_before, kept, image";

Result<model::Run> run_of(Query& row);  ///< without stages and jobs
Result<model::JobRun> job_of(Query& row);
/// The run with its stages and jobs; the connection must be inside a transaction.
Result<model::Run> whole_run(Connection& connection, std::int64_t number);
/// A row of `artifacts`, written as part of a transaction.
Result<void> write_result(Connection& to, const NewResult& result);
Result<void> write_artifact(Connection& to, const NewArtifact& artifact);
/// What a job keeps, in one column: empty for nothing.
std::string kept_text(const model::JobRun& job);
Result<std::int64_t> run_number(const RunId& id);
Error no_such_run(const std::string& id);

template <class T>
Result<T> decoded(const std::string& json) {
    CICD_TRY(const Value value, codec::parse_json(json));
    return codec::decode<T>(value);
}

/// The state that a column names; an unknown text means that the file was changed from outside.
template <class E>
Result<E> enum_of(const std::string& text) {
    if (const auto value = from_text<E>(text)) return *value;
    return internal_error("the state file holds the unknown state '" + text + "'");
}

}  // namespace cicd::store
