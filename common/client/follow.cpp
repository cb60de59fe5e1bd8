#include "common/client/calls.hpp"
#include "common/client/connection.hpp"
#include "common/client/sse.hpp"
#include "common/codec/codecs.hpp"
#include "common/contract/routes.hpp"

#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>

// Both streams end with an event `end`. One that stops without it was cut: it is asked for again from where it was.
namespace cicd::client {

namespace route = contract::route;
using contract::path_of;
using contract::query_text;

namespace {

constexpr int most_attempts = 7;  // 50 ms, doubling: about 3 s without any progress, enough for a daemon to restart

struct Outcome {
    bool ended = false, stopped = false, progress = false;
    std::optional<Error> failure;  ///< what cannot be repaired by asking again
};

/// What one stream reads and how it goes on.
struct Following {
    std::function<std::string()> target;
    std::function<Result<bool>(const SseEvent&)> on_event;  ///< false: stop
    std::function<bool()> on_idle;
    std::chrono::milliseconds idle_interval{100};
};

Result<Value> parsed(const SseEvent& event) { return codec::parse_json(event.data); }

Result<Outcome> read_once(Wire& wire, const Following& following) {
    Outcome outcome;
    SseParser parser;
    std::string error_body;
    BodySink sink;
    sink.on_idle = following.on_idle;
    sink.idle_interval = following.idle_interval;
    sink.on_piece = [&](int status, std::string_view piece) {
        if (status != 200) {
            error_body += piece;
            return true;
        }
        return parser.feed(piece, [&](const SseEvent& event) {
            outcome.progress = true;
            if (event.type == "end") {
                outcome.ended = true;
                return true;
            }
            auto go_on = following.on_event(event);
            if (!go_on) outcome.failure = go_on.error();
            outcome.stopped = go_on && !*go_on;
            return go_on && *go_on;
        });
    };
    auto response = wire.exchange({"GET", following.target(), {}, {{"Accept", "text/event-stream"}}, true}, &sink);
    if (!response) return response.error();
    outcome.stopped = outcome.stopped || (sink.stopped && !outcome.failure);
    if (!sink.stopped && response->status != 200) {
        response->body = error_body;
        outcome.failure = as_error(*response);
    }
    return outcome;
}

Result<void> follow(Wire& wire, const Following& following) {
    std::optional<Error> last;
    bool ever_connected = false;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        if (attempt > 0) {
            ::poll(nullptr, 0, 25 << attempt);
            if (following.on_idle && !following.on_idle()) return {};
        }
        const auto outcome = read_once(wire, following);
        if (!outcome) {
            // Nothing to resume: say at once that nobody is there.
            if (!ever_connected) return outcome.error();
            last = outcome.error();
            continue;
        }
        ever_connected = true;
        if (outcome->failure) {
            const bool passing = outcome->failure->kind == ErrorKind::unavailable;
            if (!passing) return *outcome->failure;
            last = outcome->failure;
            continue;
        }
        if (outcome->ended || outcome->stopped) return {};
        if (outcome->progress) attempt = 0;
    }
    if (last) return std::move(*last).within("the stream was cut");
    return unavailable("CICD_069", "the stream was cut again and again", "see how the daemon is: cicdctl daemon status");
}

}  // namespace

Result<void> follow_run_stream(Wire& wire, const std::string& run, std::int64_t after_seq,
                               const StreamHandler& handler) {
    std::int64_t last_seq = after_seq;
    std::map<std::pair<std::string, int>, std::uint64_t> next_lines;  // by job and attempt: a resumed stream repeats them
    Following following;
    following.on_idle = handler.on_idle;
    following.idle_interval = handler.idle_interval;
    following.target = [&] {
        return path_of(route::run_events, {run}) +
               query_text({{"after", std::to_string(last_seq)}, {"logs", handler.on_log ? "true" : ""}});
    };
    following.on_event = [&](const SseEvent& event) -> Result<bool> {
        CICD_TRY(const auto value, parsed(event));
        if (event.type == "log") {
            CICD_TRY(const auto entry, codec::decode<contract::LogEntry>(value));
            auto& next = next_lines[{entry.job.str(), entry.attempt}];
            if (entry.line < next) return true;
            next = entry.line + 1;
            return !handler.on_log || handler.on_log(entry);
        }
        CICD_TRY(const auto change, codec::decode<model::RunEvent>(value));
        if (change.seq <= last_seq) return true;
        last_seq = change.seq;
        return !handler.on_event || handler.on_event(change);
    };
    return follow(wire, following);
}

Result<void> follow_log_stream(Wire& wire, const std::string& job, std::uint64_t first_line,
                               const std::function<bool(const contract::LogEntry&)>& handler) {
    std::uint64_t next = first_line;
    int attempt = 0;
    Following following;
    following.target = [&] {
        return path_of(route::job_log_stream, {job}) +
               query_text({{"from", std::to_string(next)}, {"fromAttempt", attempt > 0 ? std::to_string(attempt) : ""}});
    };
    following.on_event = [&](const SseEvent& event) -> Result<bool> {
        if (event.type != "log") return true;
        CICD_TRY(const auto value, parsed(event));
        CICD_TRY(const auto entry, codec::decode<contract::LogEntry>(value));
        attempt = entry.attempt;
        next = entry.line + 1;
        return handler(entry);
    };
    return follow(wire, following);
}

}  // namespace cicd::client
