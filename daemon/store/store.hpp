#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"
#include "common/model/plan.hpp"
#include "common/model/run.hpp"
#include "common/model/secret.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The state file. The only user of SQLite. Every call blocks and is thread-safe; `apply` is one durable transaction.
namespace cicd::store {

struct NewRun {
    model::Run run;          ///< with stages and jobs
    model::Plan plan;
    std::string definition;
    std::string request_key;  ///< Idempotency-Key of the request (of the run's user) that asked for it; empty: none
};

/// That a run (`job` empty) or one job of it is to end: kept until the run is over, so that no restart forgets it.
struct Stop {
    RunId run;
    JobId job;
    int phase = 0;  ///< the scheduler's own: how far a cancellation has gone
    model::EndReason reason = model::EndReason::cancelled;
    std::string message;
    Timestamp time;
    bool operator==(const Stop&) const = default;
};

/// An artifact to be noted. Its content is there already.
struct NewArtifact {
    RunId run;
    JobId job;  ///< empty: of the run as a whole
    std::string job_key;
    int attempt = 1;
    model::JobArtifact artifact;
    Timestamp created;
    std::string created_by;  ///< empty: its job
};

/// That a job succeeded with these inputs.
struct NewResult {
    std::string project, pipeline, job_key;
    std::string scope;   ///< empty: for everybody; else only for runs of the same scope, such as a pull request
    std::string digest;  ///< of the inputs
    JobId job;
    RunId run;
};
/// What there is for a job with those inputs, in its own scope and that of everybody.
struct KnownResults {
    std::optional<model::JobRun> same;    ///< whose artifacts are all still there
    std::string why_not;                  ///< there was one with the same inputs, but
    std::optional<model::JobRun> latest;  ///< where there is none: the last success, to compare with
};

/// What one step of the scheduler changes; all of it or nothing becomes durable.
struct Changes {
    std::vector<NewRun> new_runs;
    std::vector<model::Run> runs;            ///< state, times and message; stages and jobs are not read from here
    struct Stage {
        RunId run;
        model::StageRun stage;
    };
    std::vector<Stage> stages;               ///< upserts
    std::vector<model::JobRun> jobs;         ///< upserts
    std::vector<model::RunEvent> events;
    std::vector<Stop> stops;                 ///< upserts; a run's end removes its own
    std::vector<NewArtifact> artifacts;
    std::vector<NewResult> results;          ///< upserts
    [[nodiscard]] bool empty() const {
        return new_runs.empty() && runs.empty() && stages.empty() && jobs.empty() && events.empty() && stops.empty() &&
               artifacts.empty() && results.empty();
    }
};

/// A run that had not ended when the daemon stopped.
struct ActiveRun {
    model::Run run;  ///< with stages and jobs
    model::Plan plan;
    std::int64_t last_seq = 0;
    std::vector<Stop> stops;
};

/// A request that came with an Idempotency-Key. `hash` is of what it asked for: method, path and body.
struct RequestKey {
    std::string user, key, hash;
};
struct Answer {
    int status = 0;
    std::string body;
    bool operator==(const Answer&) const = default;
};
/// What is known of a request's key.
struct Claim {
    enum class State {
        ours,       ///< nobody had it: carry the request out, then `answer` or `release` it
        under_way,  ///< the same request is being carried out right now
        accepted,   ///< a daemon before this one accepted it as `run` and ended before it could answer
        answered,   ///< give `answer` again
    } state = State::ours;
    std::optional<RunId> run;
    Answer answer;
};

/// A run that is over, as retention looks at it.
struct EndedRun {
    RunId id;
    Timestamp end_time;
    std::vector<JobId> jobs;
};
struct EndedFilter {
    std::optional<Timestamp> before;         ///< ended earlier
    std::optional<std::int64_t> but_newest;  ///< so many of the newest runs are left out
    bool with_logs = false;                  ///< only those whose logs are still there
    std::int64_t after = 0;                  ///< go on behind this number of a run (with neither `before` nor `with_logs`)
    int limit = 100;
};

/// An event and its number among those of all runs.
struct OrderedEvent {
    std::int64_t id = 0;
    model::RunEvent event;
};
struct EventPage {
    std::vector<OrderedEvent> events;
    std::int64_t next = 0;  ///< the number to go on after; events of runs that were removed are passed over
    bool has_next = false;
};

struct PipelineVersion {
    int version = 1;
    std::string definition, created_by;
    Timestamp created_time;
};

/// A secret as it is kept: nothing here can be read without the key that `key` names.
struct SealedSecret {
    model::Secret facts;
    std::string key, nonce, sealed;
};

class Store {
public:
    /// Opens or creates `state.db`, migrates it, sets WAL and synchronous=FULL. Refuses a newer schema.
    static Result<std::unique_ptr<Store>> open(const std::filesystem::path& file);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Numbers are never given out twice, also after a crash. Reserved in blocks, so this is cheap; never fails.
    RunId next_run_id();
    JobId next_job_id();
    PipelineId next_pipeline_id();

    Result<void> apply(const Changes& changes);
    /// Another number after each write: what was read since a number was taken is what it says for as long as it stays.
    [[nodiscard]] std::uint64_t version() const;

    Result<std::vector<ActiveRun>> active_runs();
    Result<model::Run> run(const RunId& id);           ///< with stages and jobs; PIPELINE_001-style not_found "RUN_001"
    Result<model::Plan> plan(const RunId& id);
    Result<std::string> definition(const RunId& id);
    Result<contract::Page<model::Run>> runs(const contract::RunFilter& filter);
    Result<model::JobRun> job(const JobId& id);        ///< not_found "JOB_001"
    Result<contract::Page<model::JobRun>> jobs(const contract::JobFilter& filter);
    Result<std::vector<model::RunEvent>> events(const RunId& run, std::int64_t after_seq, int limit);
    /// Of all runs, in the order in which they became durable. conflict where those behind `after` are no longer kept.
    Result<EventPage> all_events(std::int64_t after, int limit);
    /// The number of the newest event of all runs; 0 for none.
    Result<std::int64_t> last_event();

    /// `wanted.job` and `wanted.run` are not read.
    Result<KnownResults> results(const NewResult& wanted);
    /// Given out by number, in order. Fails with a conflict where the attempt has one of that name already.
    Result<model::ArtifactRecord> add_artifact(const NewArtifact& artifact);
    /// Whether add_artifact would fail for what is there already.
    Result<void> is_free(const NewArtifact& artifact);
    Result<model::ArtifactRecord> artifact(const ArtifactId& id);  ///< not_found "ARTIFACT_001"
    Result<contract::Page<model::ArtifactRecord>> artifacts(const contract::ArtifactFilter& filter);
    /// It is listed no more; its bytes go when nothing else needs them.
    Result<void> remove_artifact(const ArtifactId& id);
    /// Those whose time has come; gives how many.
    Result<std::int64_t> expire_artifacts(Timestamp now);
    /// Digests of those with a greater number, in order.
    Result<std::vector<std::pair<std::int64_t, std::string>>> artifacts_after(std::int64_t number, int limit);
    /// Every digest that artifacts and jobs refer to, and what refers to it, for people.
    Result<std::vector<std::pair<std::string, std::string>>> artifact_digests();

    /// Refused with a conflict where the key came with another request. Keys are kept for 24 hours.
    Result<Claim> claim(const RequestKey& request, Timestamp now);
    Result<void> answer(const RequestKey& request, const Answer& answer);
    /// Nothing came of it: the key may come again.
    Result<void> release(const RequestKey& request);

    /// The oldest first.
    Result<std::vector<EndedRun>> ended_runs(const EndedFilter& filter);
    /// Runs that are not over stay. Holds the write lock for some milliseconds at a time; gives how many are gone.
    Result<std::int64_t> remove_runs(const std::vector<RunId>& runs);
    /// Notes that the logs of these runs are gone.
    Result<void> mark_logs_removed(const std::vector<RunId>& runs, Timestamp now);

    /// Whether the file was too large to be checked when it was opened, and has not been for long or was not closed well.
    [[nodiscard]] bool wants_check() const;
    /// Looks at every page, table by table, beside all other work. The error says what is damaged.
    Result<void> check(Timestamp now, const std::function<bool()>& stopping);
    /// A consistent copy of this moment, in one file, written beside all other work.
    Result<void> copy_to(const std::filesystem::path& file);

    Result<void> create_pipeline(const model::PipelineRecord& pipeline);  ///< conflict where the name is taken
    Result<void> update_pipeline(const model::PipelineRecord& pipeline);  ///< a new definition is a new version
    Result<void> remove_pipeline(const PipelineId& id);
    Result<model::PipelineRecord> pipeline(const std::string& id_or_name);  ///< not_found "PIPELINE_001"
    Result<contract::Page<model::PipelineRecord>> pipelines(int page, int page_size);
    Result<std::vector<PipelineVersion>> pipeline_versions(const PipelineId& id);

    /// What is known of each, by name and scope; their sealed values are not read.
    Result<std::vector<model::Secret>> secrets();
    /// Those of these names, whatever their case; of no names: all.
    Result<std::vector<SealedSecret>> sealed_secrets(const std::vector<std::string>& names);
    /// Adds or replaces the one of that name and scope, and notes who did it.
    Result<void> save_secret(const SealedSecret& secret);
    /// not_found "SECRET_001"
    Result<void> remove_secret(const std::string& name, const model::SecretScope& scope, const std::string& user,
                               Timestamp now);
    /// The same secrets, sealed with another key: all of them or none.
    Result<void> reseal_secrets(const std::vector<SealedSecret>& secrets, const std::string& user, Timestamp now);
    /// That a job was given them. Notes of uses are kept for 90 days.
    Result<void> note_secrets_used(const std::vector<model::Secret>& secrets, const std::string& job, Timestamp now);
    /// The newest first; of all secrets where no name is given.
    Result<std::vector<model::SecretEvent>> secret_events(const std::string& name, int limit);

    struct State;

private:
    explicit Store(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// A copy of a state file that nobody writes to, such as one in a backup.
struct CopyFacts {
    int schema = 0;
    std::int64_t runs = 0;
};
struct CopiedJob {
    JobId id;
    int attempt = 1;
    model::JobState state = model::JobState::created;
};
/// Every page is checked; a schema that this program does not know is refused.
Result<CopyFacts> inspect_copy(const std::filesystem::path& file);
Result<std::vector<CopiedJob>> jobs_of_copy(const std::filesystem::path& file);

}  // namespace cicd::store
