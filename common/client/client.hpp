#pragma once

#include "common/base/result.hpp"
#include "common/base/value.hpp"
#include "common/contract/explain.hpp"
#include "common/contract/requests.hpp"
#include "common/model/run.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cicd::client {

struct RawResponse {
    int status = 0;
    std::string content_type;
    std::string body;
    std::string server = {}, api_version = {};  ///< what container engines say of themselves
};

/// What a run's stream carries: state changes and, if asked for, log lines.
struct StreamHandler {
    std::function<bool(const model::RunEvent&)> on_event;          ///< false: stop following
    std::function<bool(const contract::LogEntry&)> on_log;         ///< not set: logs are not asked for
    /// All that has arrived was handed over: what was gathered from it can be written now.
    std::function<void()> on_pause;
    /// Called when nothing came for `idle_interval` and after a signal was caught (EINTR). False: stop following.
    std::function<bool()> on_idle;
    std::chrono::milliseconds idle_interval{100};
};

/// POST /pipelines/validate: every problem of a definition, warnings included.
struct Validation {
    bool valid = false;
    std::vector<Diagnostic> problems;
};

/// Of an artifact's content: one file of it, or `format` "tar"; from byte `offset` on.
struct Download {
    std::string path, format;
    std::uint64_t offset = 0;
};
/// `unpack`: what is sent is an archive, and the artifact is to be what it holds.
struct Upload {
    std::string name, path, type, retention;
    bool unpack = false;
};
/// Gives the next bytes of a body, nothing at its end; an error ends the exchange.
using BodySource = std::function<Result<std::string>()>;

struct PipelineVersion {
    int version = 1;
    std::string definition, created_by;
    Timestamp created_time;
};

/// One connection to the daemon over its Unix socket, kept alive between calls. Blocking; not thread-safe.
/// Errors from the API come back as the Error they were; an unreachable daemon is kind `unavailable`, code CICD_069.
class Client {
public:
    explicit Client(std::filesystem::path socket);
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    /// Connects where it is not connected yet: tells that nobody answers before anything is sent.
    Result<void> connect();
    /// The answer as it came, whatever its status. A stream without end (SSE) is given whole, once it has ended.
    Result<RawResponse> raw(const std::string& method, const std::string& target, const std::string& body,
                            const std::vector<std::pair<std::string, std::string>>& headers = {});
    /// The same, handed over piece by piece as it arrives; the body of what is returned is empty. `on_piece` gives
    /// false to stop.
    Result<RawResponse> raw_stream(const std::string& method, const std::string& target, const std::string& body,
                                   const std::vector<std::pair<std::string, std::string>>& headers,
                                   const std::function<bool(int status, std::string_view piece)>& on_piece);
    /// The same with a body that is sent as `source` gives it.
    Result<RawResponse> raw_upload(const std::string& method, const std::string& target, std::optional<std::uint64_t> length, BodySource source);
    /// The body parsed; an error status becomes its Error.
    Result<Value> call(const std::string& method, const std::string& target, const Value& body = {});

    Result<contract::DaemonStatus> status();
    /// Whether the daemon is up and serves; its version.
    Result<std::string> version();
    Result<model::Run> start_run(const contract::StartRun& request);
    Result<Value> plan(const contract::StartRun& request);
    Result<contract::Page<model::Run>> list_runs(const contract::RunFilter& filter);
    Result<model::Run> show_run(const std::string& id);
    Result<Value> run_plan(const std::string& id);
    Result<std::string> run_definition(const std::string& id);
    Result<model::Run> cancel_run(const std::string& id, const contract::Cancel& how);
    Result<model::Run> retry_run(const std::string& id, const contract::RetryRun& options);
    /// From after `after_seq` to the run's end (or for ever where it has ended: returns at once then). Log lines of a job
    /// come before the event of its end; a dropped stream goes on where it was, without repeating anything.
    Result<void> follow_run(const std::string& id, std::int64_t after_seq, const StreamHandler& handler);

    Result<contract::Page<model::JobRun>> list_jobs(const contract::JobFilter& filter);
    Result<model::JobRun> show_job(const std::string& id);
    Result<model::JobRun> cancel_job(const std::string& id, const contract::Cancel& how);
    Result<model::Run> restart_job(const std::string& id);
    /// Of the job's latest attempt, or of `attempt` where it is not 0.
    Result<std::vector<contract::LogEntry>> job_log(const std::string& id, std::uint64_t first_line, int max_lines,
                                                    int attempt = 0);
    /// To the job's end; an attempt after a failed one follows on, its lines counted from 0 again.
    Result<void> follow_log(const std::string& id, std::uint64_t first_line,
                            const std::function<bool(const contract::LogEntry&)>& handler);
    /// The same for lines that are chosen; `on_log` and `on_idle` of the handler count, not `max_lines` of the query.
    Result<void> follow_log(const std::string& id, const contract::LogQuery& query, const StreamHandler& handler);

    Result<std::vector<contract::LogEntry>> job_log(const std::string& id, const contract::LogQuery& query);
    Result<contract::Explanation> explain_run(const std::string& id);
    Result<contract::Explanation> explain_job(const std::string& id);
    Result<model::Run> reschedule_run(const std::string& id, const contract::Reschedule& change);
    Result<model::JobRun> reschedule_job(const std::string& id, const contract::Reschedule& change);
    Result<std::vector<model::JobRun>> queue();
    Result<contract::BackupReport> backup(const contract::Backup& request);
    Result<contract::CleanUpReport> clean_up(const contract::CleanUp& request);
    Result<std::vector<contract::Image>> list_images();
    /// `path` is on the daemon's machine; comes back when it is unpacked.
    Result<contract::Image> import_image(const contract::ImportImage& request);
    /// `tell` gets what is said while it is made.
    Result<contract::Image> build_image(const contract::BuildImage& request, const std::function<void(const std::string&)>& tell);
    Result<contract::Image> show_image(const std::string& name);
    Result<void> remove_image(const std::string& name);
    Result<std::string> log_level();
    Result<void> set_log_level(const std::string& level);

    /// Adds it, or gives the one of that name and scope a new value.
    Result<model::Secret> set_secret(const contract::SaveSecret& request);
    /// Those whose scope has the parts that are given here; all for none.
    Result<std::vector<model::Secret>> list_secrets(const model::SecretScope& scope);
    Result<void> remove_secret(const std::string& name, const model::SecretScope& scope);
    Result<std::vector<model::SecretEvent>> secret_history(const std::string& name, int limit);
    Result<int> rekey_secrets();
    Result<contract::Page<model::ArtifactRecord>> list_artifacts(const contract::ArtifactFilter& filter);
    Result<model::ArtifactRecord> show_artifact(const std::string& id);
    Result<Value> artifact_files(const std::string& id, int page);
    Result<void> remove_artifact(const std::string& id);
    /// One file of it where `path` names one or there is only one, else a tar archive; handed over piece by piece, from
    /// byte `offset` on. Gives the content's type.
    Result<std::string> download_artifact(const std::string& id, const Download& what,
                                          const std::function<bool(std::string_view piece)>& on_piece);
    /// To a job or a run. `source` gives `length` bytes in all, where that is known before.
    Result<model::ArtifactRecord> upload_artifact(const std::string& run_or_job, const Upload& what, std::optional<std::uint64_t> length,
                                                  BodySource source);
    /// The same for `length` bytes that can be read again: where the connection breaks, or an earlier process broke off, it goes
    /// on with what has not come. `key` is the upload's own name; `from` gives a source that begins at an offset.
    Result<model::ArtifactRecord> upload_artifact_resumably(const std::string& run_or_job, const Upload& what, const std::string& key,
                                                            std::uint64_t length, const std::function<BodySource(std::uint64_t offset)>& from);
    Result<Value> list_caches(const std::string& key, int page);
    Result<Value> show_cache(const std::string& id);
    Result<void> remove_cache(const std::string& id);
    /// Reads all content that anything needs.
    Result<Value> scrub();

    Result<contract::Page<model::PipelineRecord>> list_pipelines(int page, int page_size);
    Result<model::PipelineRecord> show_pipeline(const std::string& id_or_name);
    Result<model::PipelineRecord> create_pipeline(const contract::SavePipeline& request);
    Result<model::PipelineRecord> update_pipeline(const std::string& id_or_name, const contract::SavePipeline& request);
    Result<void> remove_pipeline(const std::string& id_or_name);
    Result<model::PipelineRecord> set_pipeline_state(const std::string& id_or_name, model::PipelineState state);
    Result<Validation> validate_pipeline(const std::string& definition, const std::string& file);
    Result<std::vector<PipelineVersion>> pipeline_versions(const std::string& id_or_name);
    /// Stages as they are written in the definition, in the language's JSON shape.
    Result<Value> pipeline_stages(const std::string& id_or_name);
    Result<Value> pipeline_triggers(const std::string& id_or_name);
    /// The definition's text.
    Result<std::string> pipeline_definition(const std::string& id_or_name);

private:
    struct Connection;
    Result<RawResponse> get_text(const std::string& target);
    std::filesystem::path socket_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace cicd::client
