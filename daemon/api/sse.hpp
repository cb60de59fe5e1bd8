#pragma once

#include "daemon/api/http.hpp"
#include "daemon/api/services.hpp"

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

struct RunStream {
    RunId run;
    std::int64_t after = 0;
    bool logs = false;
    std::string stage;  ///< only this one's jobs and events; empty: all
};
/// Events of a run, with the log lines of its jobs in between if asked for, until the run has ended.
async::Task<void> stream_run(Services& services, RunStream what, BodyStream& out);

struct LogStreamRequest {
    model::JobRun job;
    int attempt = 0;  ///< only this one; 0: from `from_attempt` on, through every later one
    int from_attempt = 1;
    std::uint64_t first_line = 0;
};
/// Log lines of a job until it has ended.
async::Task<void> stream_job_log(Services& services, LogStreamRequest what, BodyStream& out);

}  // namespace cicd::api
