#include "common/codec/codecs.hpp"
#include "daemon/store/rows.hpp"

/// Artifacts: rows that name content. The content itself is in the object store.
namespace cicd::store {

namespace {

const std::string columns = "number, run, job, job_key, attempt, name, type, digest, size, files, created, expires, created_by";
constexpr std::array sorts{SortField{"id", "number", false}, SortField{"name", "name", false}, SortField{"size", "size", false},
                           SortField{"createdTime", "created", false}};

/// What belongs to a run as a whole has the run's number, below zero, where others have their job's.
model::ArtifactRecord artifact_of(Query& row) {
    model::ArtifactRecord artifact;
    artifact.id = id_of<ArtifactTag>(row.number(0));
    artifact.run = id_of<RunTag>(row.number(1));
    if (row.number(2) > 0) artifact.job = id_of<JobTag>(row.number(2));
    artifact.job_key = row.text(3);
    artifact.attempt = static_cast<int>(row.number(4));
    artifact.name = row.text(5);
    artifact.type = row.text(6);
    artifact.digest = row.text(7);
    artifact.size = static_cast<std::uint64_t>(row.number(8));
    artifact.files = static_cast<std::uint64_t>(row.number(9));
    artifact.created_time = row.time(10);
    artifact.expire_time = row.time(11);
    artifact.created_by = row.text(12);
    return artifact;
}

Error no_such_artifact(const std::string& id) {
    return not_found("ARTIFACT_001", "there is no artifact '" + id + "'", "list them with: cicdctl artifact list");
}

std::int64_t insert(Connection& to, const NewArtifact& added, std::int64_t run, std::int64_t job) {
    const auto& artifact = added.artifact;
    std::optional<Timestamp> expires;
    if (artifact.retention) expires = added.created + *artifact.retention;
    to.query("INSERT INTO artifacts (run, job, job_key, attempt, name, type, digest, size, files, created, expires, created_by) "
             "VALUES (?,?,?,?,?,?,?,?,?,?,?,?)")
        .with(run, job, added.job_key, added.attempt, artifact.name, artifact.type, artifact.digest,
              static_cast<std::int64_t>(artifact.size), static_cast<std::int64_t>(artifact.files), added.created, expires,
              added.created_by)
        .run();
    return static_cast<std::int64_t>(to.database().getLastInsertRowid());
}

Error taken(const NewArtifact& added) {
    return conflict("ARTIFACT_005", (added.job.str().empty() ? added.run.str() : added.job.str()) + " has an artifact '" +
                                        added.artifact.name + "' already",
                    "artifacts never change: give it another name, or delete that one first");
}

Result<std::int64_t> owner_of(const NewArtifact& added, std::int64_t run) {
    if (added.job.str().empty()) return -run;
    if (const auto job = number_of(added.job)) return *job;
    return not_found("JOB_001", "there is no job '" + added.job.str() + "'");
}

bool is_taken(Connection& from, const NewArtifact& added, std::int64_t job) {
    auto query = from.query("SELECT 1 FROM artifacts WHERE job = ? AND attempt = ? AND name = ?");
    return query.with(job, added.attempt, added.artifact.name).next();
}

}  // namespace

Result<void> write_artifact(Connection& to, const NewArtifact& added) {
    CICD_TRY(const auto run, run_number(added.run));
    const auto job = number_of(added.job);
    if (!job) return internal_error("'" + added.job.str() + "' is not the id of a job");
    // The same end may come again, after a restart.
    if (!is_taken(to, added, *job)) insert(to, added, run, *job);
    return {};
}

Result<model::ArtifactRecord> Store::add_artifact(const NewArtifact& added) {
    return guarded("note an artifact", [&]() -> Result<model::ArtifactRecord> {
        CICD_TRY(const auto run, run_number(added.run));
        CICD_TRY(const auto owner, owner_of(added, run));
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        if (is_taken(state_->writer, added, owner)) return taken(added);
        const auto number = insert(state_->writer, added, run, owner);
        model::ArtifactRecord record;
        {
            auto query = state_->writer.query("SELECT " + columns + " FROM artifacts WHERE number = ?");
            if (!query.with(number).next()) return internal_error("the artifact was not stored");
            record = artifact_of(query);
        }
        transaction.commit();
        return record;
    });
}

Result<void> Store::is_free(const NewArtifact& added) {
    return guarded("look for an artifact", [&]() -> Result<void> {
        CICD_TRY(const auto run, run_number(added.run));
        CICD_TRY(const auto owner, owner_of(added, run));
        auto reader = state_->readers.lend();
        if (is_taken(*reader, added, owner)) return taken(added);
        return {};
    });
}

Result<model::ArtifactRecord> Store::artifact(const ArtifactId& id) {
    return guarded("read " + id.str(), [&]() -> Result<model::ArtifactRecord> {
        const auto number = number_of(id);
        auto reader = state_->readers.lend();
        auto query = reader->query("SELECT " + columns + " FROM artifacts WHERE number = ?");
        if (!number || !query.with(*number).next()) return no_such_artifact(id.str());
        return artifact_of(query);
    });
}

Result<contract::Page<model::ArtifactRecord>> Store::artifacts(const contract::ArtifactFilter& filter) {
    return guarded("list artifacts", [&]() -> Result<contract::Page<model::ArtifactRecord>> {
        CICD_CHECK(check_page(filter.page, filter.page_size));
        CICD_TRY(const auto order, order_by(filter.sort, sorts, "number"));
        Where where;
        if (!filter.run.empty()) {
            CICD_TRY(const auto run, run_number(RunId(filter.run)));
            where.is_number("run", run);
        }
        if (!filter.job.empty()) where.is_number("job", number_of(JobId(filter.job)).value_or(-1));
        where.equals("name", filter.name);
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        contract::Page<model::ArtifactRecord> page;
        {
            auto count = reader->query("SELECT count(*) FROM artifacts" + where.sql());
            where.bind(count);
            page.pagination = pagination(filter.page, filter.page_size, count.next() ? count.number(0) : 0);
        }
        auto query = reader->query("SELECT " + columns + " FROM artifacts" + where.sql() + order.sql() + " LIMIT ? OFFSET ?");
        where.bind(query);
        query.with(filter.page_size, static_cast<std::int64_t>(filter.page - 1) * filter.page_size);
        while (query.next()) page.data.push_back(artifact_of(query));
        return page;
    });
}

Result<void> Store::remove_artifact(const ArtifactId& id) {
    return guarded("remove " + id.str(), [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        const auto number = number_of(id);
        if (!number || state_->writer.query("DELETE FROM artifacts WHERE number = ?").with(*number).run() == 0)
            return no_such_artifact(id.str());
        transaction.commit();
        return {};
    });
}

Result<std::int64_t> Store::expire_artifacts(Timestamp now) {
    return guarded("remove expired artifacts", [&]() -> Result<std::int64_t> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        const auto removed = state_->writer.query("DELETE FROM artifacts WHERE expires IS NOT NULL AND expires <= ?").with(now).run();
        transaction.commit();
        return removed;
    });
}

Result<std::vector<std::pair<std::int64_t, std::string>>> Store::artifacts_after(std::int64_t number, int limit) {
    using Digests = std::vector<std::pair<std::int64_t, std::string>>;
    return guarded("list new artifacts", [&]() -> Result<Digests> {
        Digests found;
        auto reader = state_->readers.lend();
        auto query = reader->query("SELECT number, digest FROM artifacts WHERE number > ? ORDER BY number LIMIT ?");
        query.with(number, limit);
        while (query.next()) found.emplace_back(query.number(0), query.text(1));
        return found;
    });
}

Result<std::vector<std::pair<std::string, std::string>>> Store::artifact_digests() {
    using Digests = std::vector<std::pair<std::string, std::string>>;
    return guarded("list what artifacts refer to", [&]() -> Result<Digests> {
        Digests all;
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        {
            auto query = reader->query("SELECT digest, number, name FROM artifacts");
            while (query.next())
                all.emplace_back(query.text(0), "artifact-" + std::to_string(query.number(1)) + " (" + query.text(2) + ")");
        }
        // Runs that go on hand them to jobs that are still to come, whether they are listed or not.
        auto query = reader->query("SELECT jobs.number, kept FROM jobs JOIN runs ON runs.number = jobs.run WHERE kept <> '' "
                                   "AND runs.state IN ('created', 'queued', 'running', 'blocked')");
        while (query.next()) {
            CICD_TRY(const auto kept, codec::parse_json(query.text(1)));
            if (!kept["artifacts"].is_array()) continue;
            for (const auto& artifact : kept["artifacts"].as_array())
                if (artifact["digest"].is_string())
                    all.emplace_back(artifact["digest"].as_string(), "job-" + std::to_string(query.number(0)));
        }
        return all;
    });
}

}  // namespace cicd::store
