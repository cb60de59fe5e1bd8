#include "common/codec/codecs.hpp"
#include "daemon/api/log_follower.hpp"
#include "daemon/api/sse.hpp"

#include <memory>

namespace cicd::api {
namespace {

std::string as_text(const std::vector<contract::LogEntry>& entries) {
    std::string text;
    for (const auto& entry : entries) {
        const auto id = std::to_string(entry.attempt) + "-" + std::to_string(entry.line);
        text += event_text(id, "log", codec::encode(entry));
    }
    return text;
}

/// The job as events tell it; `changed` is notified for each of them.
struct JobWatch {
    int attempt = 1;
    bool ended = false;
    bool grown = true;

    void take(const model::RunEvent& event) {
        const auto state = from_text<model::JobState>(event.state);
        if (event.type != "job.state" || !state) return;
        attempt = std::max(attempt, event.attempt);
        ended = is_final(*state);
    }
};

}  // namespace

async::Task<void> stream_job_log(Services& services, LogStreamRequest what, BodyStream& out) {
    const auto executor = co_await boost::asio::this_coro::executor;
    async::Signal changed(executor);
    JobWatch watch;
    const auto subscription = services.bus.subscribe([&](const model::RunEvent& event) {
        if (event.job != what.job.id) return;
        watch.take(event);
        changed.notify();
    });
    // Read after subscribing, so that an end in between is not missed.
    const auto load = [&services, id = what.job.id] { return services.store.job(id); };
    const auto job = co_await async::offload(services.pool, load);
    if (!job) co_return;
    watch.attempt = std::max(watch.attempt, job->attempt);
    watch.ended = watch.ended || is_final(job->state);

    int attempt = what.attempt > 0 ? what.attempt : std::max(1, what.from_attempt);
    auto first_line = what.first_line;
    for (;;) {
        LogFollower log(what.job.id, what.job.key, attempt, services.runs.job_directory(what.job.id, attempt),
                        first_line);
        for (;;) {
            log.watch(services.logs, [&] {
                watch.grown = true;
                changed.notify();
            });
            // What was over before this reading has nothing more to read after it.
            const bool over = watch.ended || watch.attempt > attempt;
            watch.grown = false;
            auto lines = log.read();
            if (!lines) co_return;
            if (!lines->empty()) {
                if (!co_await out.send(as_text(*lines))) co_return;
                watch.grown = true;
                continue;
            }
            if (over) break;
            if (watch.grown || watch.ended || watch.attempt > attempt) continue;
            const auto deadline = std::chrono::steady_clock::now() + heartbeat_interval;
            co_await changed.wait_until(deadline);
            if (std::chrono::steady_clock::now() >= deadline && !co_await out.send(std::string(heartbeat_text)))
                co_return;
        }
        if (what.attempt > 0 || attempt >= watch.attempt) break;
        ++attempt;
        first_line = 0;
    }
    co_await out.send(std::string(end_text));
}

}  // namespace cicd::api
