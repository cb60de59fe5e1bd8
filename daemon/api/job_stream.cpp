#include "daemon/api/job_progress.hpp"
#include "daemon/api/log_follower.hpp"
#include "daemon/api/sse.hpp"

namespace cicd::api {
namespace {

constexpr std::size_t text_at_once = 256 * 1024;

/// How one stream writes lines, and what it says while nothing happens.
struct Form {
    bool events = true, join = false;
    [[nodiscard]] std::string heartbeat() const { return events ? std::string(heartbeat_text) : std::string(); }
    Result<std::uint64_t> append(LogFollower& log, std::string& text, const LogSelection* selection) const {
        if (!events) return log.append_text(text, {}, selection);
        return log.append_events(text, {std::to_string(log.attempt()) + "-", true, join}, LogFollower::every_step, selection);
    }
};

/// One attempt, to its end. False: the client is gone.
async::Task<bool> send_attempt(JobProgress& progress, LogFollower& log, const LogSelection& selection, Form form,
                               BodyStream& out) {
    const auto* filter = selection.takes_all() ? nullptr : &selection;
    for (;;) {
        log.watch(progress.services().logs, [&] { progress.notify(); });
        // What was over before this reading has nothing more to read after it.
        const bool over = progress.is_over(log.attempt());
        std::string text;
        const auto lines = form.append(log, text, filter);
        if (!lines) {
            progress.services().warn("cannot read a log: " + lines.error().message);
            co_return false;
        }
        if (!text.empty() && !co_await out.send(std::move(text))) co_return false;
        if (*lines > 0) continue;
        if (over) co_return true;
        const bool called = co_await progress.wait(log.is_watched());
        if (!called && !co_await out.send(form.heartbeat())) co_return false;
    }
}

async::Task<bool> send_log(Services& services, LogStreamRequest what, Form form, BodyStream& out) {
    JobProgress progress(services, what.job, co_await boost::asio::this_coro::executor);
    const auto known = co_await progress.load();
    if (!known) co_return false;
    int attempt = what.selection.query.attempt > 0 ? what.selection.query.attempt : std::max(1, what.from_attempt);
    for (bool first = true;; first = false, ++attempt) {
        LogFollower log(what.job.id, what.job.key, attempt, services.runs.job_directory(what.job.id, attempt), 0);
        if (first && what.resumed) log.go_on_at(what.selection.query.first_line);
        if (first && !what.resumed) {
            const auto begin = [&log, &what] { return first_line_of(log.reader(), what.selection); };
            const auto line = co_await async::offload(services.pool, begin);
            if (line) log.go_on_at(*line);
        }
        if (!co_await send_attempt(progress, log, what.selection, form, out)) co_return false;
        if (what.selection.query.attempt > 0 || attempt >= progress.attempt()) co_return true;
    }
}

}  // namespace

async::Task<void> stream_job_log(Services& services, LogStreamRequest what, BodyStream& out) {
    const Form form{true, what.join};
    const bool complete = co_await send_log(services, std::move(what), form, out);
    if (complete) co_await out.send(std::string(end_text));
}

async::Task<void> stream_job_lines(Services& services, LogStreamRequest what, BodyStream& out) {
    const Form form{false, false};
    const bool complete = co_await send_log(services, std::move(what), form, out);
    if (!complete) out.cut();
}

async::Task<void> stream_job_text(Services& services, TextStreamRequest what, BodyStream& out) {
    JobProgress progress(services, what.job, co_await boost::asio::this_coro::executor);
    const auto known = co_await progress.load();
    if (!known) co_return out.cut();
    const auto directory = services.runs.job_directory(what.job.id, what.attempt);
    job::LogReader reader(job::Paths{directory});
    LogWatch::Subscription subscription;
    for (;;) {
        if (!subscription) subscription = services.logs.watch(directory, [&] { progress.notify(); });
        const bool over = progress.is_over(what.attempt);
        auto text = reader.text(what.offset, text_at_once);
        if (!text) co_return out.cut();
        if (!text->empty()) {
            what.offset += text->size();
            if (!co_await out.send(std::move(*text))) co_return;
            continue;
        }
        if (over) co_return;
        co_await progress.wait(static_cast<bool>(subscription));
    }
}

}  // namespace cicd::api
