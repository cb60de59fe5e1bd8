#pragma once

#include <array>
#include <string_view>

/// The schema's history: version N is migrations[0..N-1] applied in order. An entry is never edited once released.
namespace cicd::store {

inline constexpr std::string_view migration_1 = R"sql(
CREATE TABLE ids (kind TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE pipelines (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, state TEXT NOT NULL,
    version INTEGER NOT NULL, repository TEXT NOT NULL, file TEXT NOT NULL, created_by TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL) STRICT;
CREATE TABLE pipeline_versions (
    pipeline INTEGER NOT NULL REFERENCES pipelines(number) ON DELETE CASCADE, version INTEGER NOT NULL,
    definition TEXT NOT NULL, created_by TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (pipeline, version)) STRICT;
CREATE TRIGGER pipeline_versions_stay BEFORE UPDATE ON pipeline_versions
    BEGIN SELECT RAISE(ABORT, 'pipeline versions are immutable'); END;

CREATE TABLE runs (
    number INTEGER PRIMARY KEY, pipeline_id TEXT NOT NULL, pipeline TEXT NOT NULL, pipeline_version INTEGER NOT NULL,
    state TEXT NOT NULL, triggered_by TEXT NOT NULL, branch TEXT NOT NULL, repository TEXT NOT NULL,
    event TEXT NOT NULL, source TEXT NOT NULL, created INTEGER, started INTEGER, ended INTEGER,
    message TEXT NOT NULL, retry_of TEXT) STRICT;
CREATE INDEX runs_by_state ON runs(state);
CREATE INDEX runs_by_pipeline ON runs(pipeline);
CREATE INDEX runs_by_pipeline_id ON runs(pipeline_id);
CREATE INDEX runs_by_branch ON runs(branch);
CREATE INDEX runs_by_repository ON runs(repository);
CREATE INDEX runs_by_created ON runs(created);
CREATE INDEX runs_by_start ON runs(started);
CREATE INDEX runs_by_end ON runs(ended);
CREATE INDEX runs_active ON runs(number) WHERE state IN ('created', 'queued', 'running', 'blocked');
CREATE TABLE run_plans (
    run INTEGER PRIMARY KEY REFERENCES runs(number) ON DELETE CASCADE, plan TEXT NOT NULL,
    definition TEXT NOT NULL) STRICT;

CREATE TABLE stages (
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
    state TEXT NOT NULL, started INTEGER, ended INTEGER, message TEXT NOT NULL,
    PRIMARY KEY (run, name)) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE, key TEXT NOT NULL,
    name TEXT NOT NULL, stage TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL,
    allow_failure INTEGER NOT NULL, created INTEGER, queued INTEGER, started INTEGER, ended INTEGER,
    exit_code INTEGER, end_reason TEXT, message TEXT NOT NULL, outputs TEXT NOT NULL, usage TEXT NOT NULL,
    steps TEXT NOT NULL) STRICT;
CREATE INDEX jobs_by_run ON jobs(run);
CREATE INDEX jobs_by_state ON jobs(state);
CREATE INDEX jobs_by_name ON jobs(name);
CREATE INDEX jobs_by_stage ON jobs(stage);
CREATE INDEX jobs_by_start ON jobs(started);

CREATE TABLE events (
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE, seq INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
)sql";

/// How many rows there are by state, kept by triggers: a list's total must not cost a walk over all of them.
inline constexpr std::string_view migration_2 = R"sql(
CREATE TABLE run_counts (state TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO run_counts SELECT state, count(*) FROM runs GROUP BY state;
CREATE TRIGGER runs_counted AFTER INSERT ON runs BEGIN
    INSERT INTO run_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER runs_recounted AFTER UPDATE OF state ON runs WHEN old.state <> new.state BEGIN
    UPDATE run_counts SET count = count - 1 WHERE state = old.state;
    INSERT INTO run_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER runs_discounted AFTER DELETE ON runs BEGIN
    UPDATE run_counts SET count = count - 1 WHERE state = old.state; END;

CREATE TABLE job_counts (state TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO job_counts SELECT state, count(*) FROM jobs GROUP BY state;
CREATE TRIGGER jobs_counted AFTER INSERT ON jobs BEGIN
    INSERT INTO job_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER jobs_recounted AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
    UPDATE job_counts SET count = count - 1 WHERE state = old.state;
    INSERT INTO job_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER jobs_discounted AFTER DELETE ON jobs BEGIN
    UPDATE job_counts SET count = count - 1 WHERE state = old.state; END;
)sql";

/// Turns, filters by user, commit and event, requests that came with a key, stops that a restart must not forget, and
/// what retention and checks remember.
inline constexpr std::string_view migration_3 = R"sql(
ALTER TABLE runs ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE runs ADD COLUMN commit_id TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN event_type TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN logs_removed INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET commit_id = coalesce(json_extract(source, '$.commit'), ''),
                event_type = coalesce(json_extract(event, '$.type'), '');
CREATE INDEX runs_by_user ON runs(triggered_by);
CREATE INDEX runs_by_commit ON runs(commit_id);
CREATE INDEX runs_by_event ON runs(event_type);
CREATE INDEX runs_with_logs ON runs(ended) WHERE logs_removed = 0;

ALTER TABLE jobs ADD COLUMN priority TEXT;
ALTER TABLE jobs ADD COLUMN not_before INTEGER;

CREATE TABLE requests (
    user TEXT NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL, owner TEXT NOT NULL, run INTEGER, status INTEGER,
    body TEXT NOT NULL, created INTEGER NOT NULL, PRIMARY KEY (user, key)) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_created ON requests(created);

CREATE TABLE stops (
    run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE, job INTEGER NOT NULL, phase INTEGER NOT NULL,
    reason TEXT NOT NULL, message TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (run, job)) STRICT, WITHOUT ROWID;

CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

/// The order in which all runs' events became durable. It begins with the first event after this step.
inline constexpr std::string_view migration_4 = R"sql(
CREATE TABLE event_order (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;
)sql";

/// Secrets, encrypted by daemon/secrets, and what was done with them. Names are the same in upper and lower case, as in
/// expressions.
inline constexpr std::string_view migration_5 = R"sql(
CREATE TABLE secrets (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, project TEXT NOT NULL, environment TEXT NOT NULL,
    branch TEXT NOT NULL, version INTEGER NOT NULL, key TEXT NOT NULL, nonce BLOB NOT NULL, sealed BLOB NOT NULL,
    created INTEGER NOT NULL, created_by TEXT NOT NULL, updated INTEGER NOT NULL, updated_by TEXT NOT NULL,
    rotate_by INTEGER, used INTEGER, used_by TEXT NOT NULL, UNIQUE (name, project, environment, branch)) STRICT;
CREATE TABLE secret_events (
    number INTEGER PRIMARY KEY, time INTEGER NOT NULL, action TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
    project TEXT NOT NULL, environment TEXT NOT NULL, branch TEXT NOT NULL, version INTEGER NOT NULL,
    user TEXT NOT NULL) STRICT;
CREATE INDEX secret_events_by_name ON secret_events(name, number);
CREATE INDEX secret_uses_by_time ON secret_events(time) WHERE action = 'used';
)sql";

/// What jobs keep. An artifact's number is never given out twice, so its id means the same content for ever.
inline constexpr std::string_view migration_6 = R"sql(
ALTER TABLE jobs ADD COLUMN kept TEXT NOT NULL DEFAULT '';
CREATE TABLE artifacts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
    job INTEGER NOT NULL, job_key TEXT NOT NULL, attempt INTEGER NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
    digest TEXT NOT NULL, size INTEGER NOT NULL, files INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER,
    created_by TEXT NOT NULL, UNIQUE (job, attempt, name)) STRICT;
CREATE INDEX artifacts_by_run ON artifacts(run);
CREATE INDEX artifacts_by_name ON artifacts(name);
CREATE INDEX artifacts_by_expiry ON artifacts(expires) WHERE expires IS NOT NULL;
)sql";

/// The image that a job runs in.
inline constexpr std::string_view migration_7 = R"sql(
ALTER TABLE jobs ADD COLUMN image TEXT NOT NULL DEFAULT '';
)sql";

/// Which inputs a job was seen to succeed with.
inline constexpr std::string_view migration_8 = R"sql(
CREATE TABLE results (
    project TEXT NOT NULL, pipeline TEXT NOT NULL, job_key TEXT NOT NULL, scope TEXT NOT NULL, digest TEXT NOT NULL,
    job INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES runs(number) ON DELETE CASCADE,
    PRIMARY KEY (project, pipeline, job_key, scope, digest)) STRICT, WITHOUT ROWID;
CREATE INDEX results_by_run ON results(run);
CREATE INDEX results_by_age ON results(project, pipeline, job_key, scope, job);
)sql";

inline constexpr std::array migrations{migration_1, migration_2, migration_3, migration_4, migration_5,
                                       migration_6, migration_7, migration_8};

}  // namespace cicd::store
