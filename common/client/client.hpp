#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "common/contract/requests.hpp"
#include "common/model/run.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cicd::client {

struct RawResponse {
    int status = 0;
    std::string content_type;
    std::string body;
};

/// What a run's stream carries: state changes and, if asked for, log lines.
struct StreamHandler {
    std::function<bool(const model::RunEvent&)> on_event;          ///< false: stop following
    std::function<bool(const contract::LogEntry&)> on_log;         ///< not set: logs are not asked for
};

/// One connection to the daemon over its Unix socket, kept alive between calls. Blocking; not thread-safe.
/// Errors from the API come back as the Error they were; an unreachable daemon is kind `unavailable`, code CICD_069.
class Client {
public:
    explicit Client(std::filesystem::path socket);
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    Result<RawResponse> raw(const std::string& method, const std::string& target, const std::string& body,
                            const std::vector<std::pair<std::string, std::string>>& headers = {});
    /// The body parsed; an error status becomes its Error.
    Result<Value> call(const std::string& method, const std::string& target, const Value& body = {});

    Result<contract::DaemonStatus> status();
    Result<model::Run> start_run(const contract::StartRun& request);
    Result<Value> plan(const contract::StartRun& request);
    Result<contract::Page<model::Run>> list_runs(const contract::RunFilter& filter);
    Result<model::Run> show_run(const std::string& id);
    Result<model::Run> cancel_run(const std::string& id, const std::string& reason);
    Result<model::Run> retry_run(const std::string& id, const contract::RetryRun& options);
    /// From after `after_seq` to the run's end (or for ever where it has ended: returns at once then).
    Result<void> follow_run(const std::string& id, std::int64_t after_seq, const StreamHandler& handler);

    Result<contract::Page<model::JobRun>> list_jobs(const contract::JobFilter& filter);
    Result<model::JobRun> show_job(const std::string& id);
    Result<model::JobRun> cancel_job(const std::string& id, const std::string& reason);
    Result<model::Run> restart_job(const std::string& id);
    Result<std::vector<contract::LogEntry>> job_log(const std::string& id, std::uint64_t first_line, int max_lines);
    Result<void> follow_log(const std::string& id, std::uint64_t first_line,
                            const std::function<bool(const contract::LogEntry&)>& handler);

    Result<contract::Page<model::PipelineRecord>> list_pipelines(int page, int page_size);
    Result<model::PipelineRecord> show_pipeline(const std::string& id_or_name);
    Result<model::PipelineRecord> create_pipeline(const contract::SavePipeline& request);
    Result<model::PipelineRecord> update_pipeline(const std::string& id_or_name, const contract::SavePipeline& request);
    Result<void> remove_pipeline(const std::string& id_or_name);

private:
    struct Connection;
    std::filesystem::path socket_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace cicd::client
