#include "common/codec/codecs.hpp"
#include "daemon/store/rows.hpp"

/// What is known of jobs that can be reused. A result is of its run, and goes with it.
namespace cicd::store {

namespace {

const std::string of_job = "project = ? AND pipeline = ? AND job_key = ? AND scope = ?";

std::optional<std::int64_t> with_digest(Connection& from, const NewResult& wanted, const std::string& scope) {
    auto query = from.query("SELECT job FROM results WHERE " + of_job + " AND digest = ?");
    if (!query.with(wanted.project, wanted.pipeline, wanted.job_key, scope, wanted.digest).next()) return std::nullopt;
    return query.number(0);
}

std::optional<std::int64_t> newest(Connection& from, const NewResult& wanted, const std::string& scope) {
    auto query = from.query("SELECT job FROM results WHERE " + of_job + " ORDER BY job DESC LIMIT 1");
    if (!query.with(wanted.project, wanted.pipeline, wanted.job_key, scope).next()) return std::nullopt;
    return query.number(0);
}

Result<std::optional<model::JobRun>> job_numbered(Connection& from, std::int64_t number) {
    auto query = from.query("SELECT " + job_columns + " FROM jobs WHERE number = ?");
    if (!query.with(number).next()) return std::optional<model::JobRun>();
    CICD_TRY(auto job, job_of(query));
    return std::optional(std::move(job));
}

/// The first artifact of the job that is no longer listed.
std::string missing_artifact(Connection& from, std::int64_t number, const model::JobRun& job) {
    for (const auto& artifact : job.artifacts) {
        auto query = from.query("SELECT 1 FROM artifacts WHERE job = ? AND name = ? AND digest = ?");
        if (!query.with(number, artifact.name, artifact.digest).next()) return artifact.name;
    }
    return {};
}

}  // namespace

Result<void> write_result(Connection& to, const NewResult& result) {
    CICD_TRY(const auto run, run_number(result.run));
    const auto job = number_of(result.job);
    if (!job) return internal_error("'" + result.job.str() + "' is not the id of a job");
    to.query("INSERT INTO results VALUES (?,?,?,?,?,?,?) ON CONFLICT (project, pipeline, job_key, scope, digest) "
             "DO UPDATE SET job = excluded.job, run = excluded.run")
        .with(result.project, result.pipeline, result.job_key, result.scope, result.digest, *job, run)
        .run();
    return {};
}

Result<KnownResults> Store::results(const NewResult& wanted) {
    return guarded("look for results", [&]() -> Result<KnownResults> {
        std::vector<std::string> scopes{wanted.scope};
        if (!wanted.scope.empty()) scopes.emplace_back();
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        KnownResults known;
        for (const auto& scope : scopes) {
            const auto number = with_digest(*reader, wanted, scope);
            if (!number || known.same) continue;
            CICD_TRY(auto job, job_numbered(*reader, *number));
            if (!job) continue;
            if (const auto gone = missing_artifact(*reader, *number, *job); gone.empty()) known.same = std::move(job);
            else known.why_not = "its artifact '" + gone + "' of " + job->run.str() + " is no longer kept";
        }
        for (const auto& scope : scopes) {
            if (known.same || known.latest) break;
            const auto number = newest(*reader, wanted, scope);
            if (!number) continue;
            CICD_TRY(known.latest, job_numbered(*reader, *number));
        }
        return known;
    });
}

}  // namespace cicd::store
