#pragma once

#include "common/base/result.hpp"
#include "common/contract/requests.hpp"
#include "common/model/plan.hpp"
#include "common/model/run.hpp"

#include <cstdint>
#include <filesystem>
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
    [[nodiscard]] bool empty() const {
        return new_runs.empty() && runs.empty() && stages.empty() && jobs.empty() && events.empty();
    }
};

/// A run that had not ended when the daemon stopped.
struct ActiveRun {
    model::Run run;  ///< with stages and jobs
    model::Plan plan;
    std::int64_t last_seq = 0;
};

struct PipelineVersion {
    int version = 1;
    std::string definition, created_by;
    Timestamp created_time;
};

class Store {
public:
    /// Opens or creates `state.db`, migrates it, sets WAL and synchronous=FULL. Refuses a newer schema.
    static Result<std::unique_ptr<Store>> open(const std::filesystem::path& file);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Numbers are never given out twice, also after a crash. Reserved in blocks, so this is cheap.
    RunId next_run_id();
    JobId next_job_id();
    PipelineId next_pipeline_id();

    Result<void> apply(const Changes& changes);

    Result<std::vector<ActiveRun>> active_runs();
    Result<model::Run> run(const RunId& id);           ///< with stages and jobs; PIPELINE_001-style not_found "RUN_001"
    Result<model::Plan> plan(const RunId& id);
    Result<std::string> definition(const RunId& id);
    Result<contract::Page<model::Run>> runs(const contract::RunFilter& filter);
    Result<model::JobRun> job(const JobId& id);        ///< not_found "JOB_001"
    Result<contract::Page<model::JobRun>> jobs(const contract::JobFilter& filter);
    Result<std::vector<model::RunEvent>> events(const RunId& run, std::int64_t after_seq, int limit);

    Result<void> create_pipeline(const model::PipelineRecord& pipeline);  ///< conflict where the name is taken
    Result<void> update_pipeline(const model::PipelineRecord& pipeline);  ///< a new definition is a new version
    Result<void> remove_pipeline(const PipelineId& id);
    Result<model::PipelineRecord> pipeline(const std::string& id_or_name);  ///< not_found "PIPELINE_001"
    Result<contract::Page<model::PipelineRecord>> pipelines(int page, int page_size);
    Result<std::vector<PipelineVersion>> pipeline_versions(const PipelineId& id);

private:
    struct State;
    explicit Store(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cicd::store
