#include "common/client/calls.hpp"
#include "common/client/connection.hpp"
#include "common/client/sse.hpp"
#include "common/codec/codecs.hpp"
#include "common/codec/log_entry.hpp"
#include "common/contract/routes.hpp"

#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

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
    std::string last_id;  ///< of the last event that came
    std::function<std::string()> target;
    std::function<Result<bool>(const SseEvent&)> on_event;  ///< false: stop
    std::function<void()> on_pause;
    std::function<bool()> on_idle;
    std::chrono::milliseconds idle_interval{100};
};

/// Lines that came as one event, one by one; those that came before are dropped.
bool hand_over(codec::LogLines found, std::uint64_t& next, const StreamHandler& handler) {
    auto& entry = found.entry;
    const bool is_new = entry.line >= next;
    if (found.lines == 1) {
        if (is_new) next = entry.line + 1;
        return !is_new || !handler.on_log || handler.on_log(entry);
    }
    const auto first = entry.line;
    const auto all = std::exchange(entry.text, {});
    std::size_t begin = 0;
    for (std::uint64_t i = 0; i < found.lines; ++i) {
        const auto end = std::min(all.find('\n', begin), all.size());
        entry.line = first + i;
        entry.text.assign(all, begin, end - begin);
        begin = end + 1;
        if (entry.line < next) continue;
        next = entry.line + 1;
        if (handler.on_log && !handler.on_log(entry)) return false;
    }
    return true;
}

Result<Value> parsed(const SseEvent& event) { return codec::parse_json(event.data); }

Result<Outcome> read_once(Wire& wire, Following& following) {
    Outcome outcome;
    SseParser parser;
    std::string error_body;
    BodySink sink;
    sink.on_pause = following.on_pause;
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
            if (!event.id.empty()) following.last_id = event.id;
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

Result<void> follow(Wire& wire, Following& following) {
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
    std::map<std::pair<std::string, int>, std::uint64_t> next_lines;  // by job and attempt
    Following following;
    following.on_pause = handler.on_pause;
    following.on_idle = handler.on_idle;
    following.idle_interval = handler.idle_interval;
    following.target = [&] {
        const auto* const logs = handler.on_log ? "true" : "";
        const auto after = following.last_id.empty() ? std::to_string(last_seq) : following.last_id;
        return path_of(route::run_events, {run}) + query_text({{"after", after}, {"logs", logs}, {"join", logs}});
    };
    following.on_event = [&](const SseEvent& event) -> Result<bool> {
        if (event.type == "log") {
            CICD_TRY(auto found, codec::parse_log_lines(event.data));
            auto& next = next_lines[{found.entry.job.str(), found.entry.attempt}];
            return hand_over(std::move(found), next, handler);
        }
        CICD_TRY(const auto value, parsed(event));
        CICD_TRY(const auto change, codec::decode<model::RunEvent>(value));
        if (change.seq <= last_seq) return true;
        last_seq = change.seq;
        return !handler.on_event || handler.on_event(change);
    };
    return follow(wire, following);
}

Result<void> follow_log_stream(Wire& wire, const std::string& job, const contract::LogQuery& query,
                               const StreamHandler& handler) {
    std::uint64_t next = query.first_line;
    int attempt = 0;
    Following following;
    following.on_pause = handler.on_pause;
    following.on_idle = handler.on_idle;
    following.idle_interval = handler.idle_interval;
    following.target = [&] {
        contract::Query asked{{"step", query.step}, {"grep", query.grep}, {"join", "true"},
                              {"attempt", query.attempt > 0 ? std::to_string(query.attempt) : ""}};
        if (!following.last_id.empty()) {
            asked.emplace_back("after", following.last_id);
        } else {
            asked.emplace_back("from", std::to_string(query.first_line));
            asked.emplace_back("tail", query.tail >= 0 ? std::to_string(query.tail) : "");
            asked.emplace_back("since", query.since ? format_time(*query.since) : "");
        }
        return path_of(route::job_log_stream, {job}) + query_text(asked);
    };
    following.on_event = [&](const SseEvent& event) -> Result<bool> {
        if (event.type != "log") return true;
        CICD_TRY(auto found, codec::parse_log_lines(event.data));
        if (found.entry.attempt != attempt) next = 0;
        attempt = found.entry.attempt;
        return hand_over(std::move(found), next, handler);
    };
    return follow(wire, following);
}

}  // namespace cicd::client
