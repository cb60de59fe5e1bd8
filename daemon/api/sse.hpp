#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/log_selection.hpp"
#include "daemon/api/services.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>

/// Server-Sent Events (WHATWG HTML, "Server-sent events"): the streams of runs and logs.
namespace cicd::api {

constexpr auto heartbeat_interval = std::chrono::seconds(15);
constexpr std::string_view heartbeat_text = ": heartbeat\n\n";
/// The last event of every stream of ours: without it, the stream was cut.
constexpr std::string_view end_text = "event: end\ndata: {}\n\n";

std::string event_text(std::string_view id, std::string_view type, const Value& data);
Response event_stream(std::function<async::Task<void>(BodyStream&)> stream);

/// How far a stream has come: the number of the last event and, for each job whose log is being read, its last line. As
/// an event's id: `17;job-7.1.120;job-8.1.33`.
struct StreamPosition {
    struct Line {
        int attempt = 1;
        std::uint64_t last = 0;
    };
    std::int64_t seq = 0;
    std::map<std::string, Line> lines;  ///< by job
    [[nodiscard]] std::string text() const;
};
Result<StreamPosition> read_position(const std::string& id);

struct RunStream {
    RunId run;
    StreamPosition after;
    bool logs = false;
    bool join = false;  ///< lines that were printed together are one event
    std::string stage;  ///< only this one's jobs and events; empty: all
};
/// Events of a run, with the log lines of its jobs in between if asked for, until the run has ended.
async::Task<void> stream_run(Services& services, RunStream what, BodyStream& out);

/// Which events of all runs: those behind number `after`, of these types (empty: every one).
struct EventStream {
    std::int64_t after = 0;
    std::vector<std::string> types;
    [[nodiscard]] bool takes(const model::RunEvent& event) const;
};
/// Events of all runs for as long as the daemon serves.
async::Task<void> stream_events(Services& services, EventStream what, BodyStream& out);

struct LogStreamRequest {
    model::JobRun job;
    LogSelection selection;  ///< its `attempt`: only this one; 0: from `from_attempt` on, through every later one
    int from_attempt = 1;
    bool join = false;
    bool resumed = false;    ///< `tail` and `since` were resolved before: only `first_line` counts
};
/// Log lines of a job until it has ended, as events.
async::Task<void> stream_job_log(Services& services, LogStreamRequest what, BodyStream& out);

struct TextStreamRequest {
    model::JobRun job;
    int attempt = 1;
    std::uint64_t offset = 0;  ///< of `log`
};
/// The bytes of one attempt's log until it has ended.
async::Task<void> stream_job_text(Services& services, TextStreamRequest what, BodyStream& out);
/// The same for lines that are chosen.
async::Task<void> stream_job_lines(Services& services, LogStreamRequest what, BodyStream& out);

}  // namespace cicd::api
