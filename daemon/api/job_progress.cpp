#include "daemon/api/job_progress.hpp"

#include "daemon/api/sse.hpp"

namespace cicd::api {

namespace {
constexpr auto look_again = std::chrono::milliseconds(100);
}

JobProgress::JobProgress(Services& services, const model::JobRun& job, const boost::asio::any_io_executor& executor)
    : services_(services), job_(job.id), wake_(executor),
      next_heartbeat_(std::chrono::steady_clock::now() + heartbeat_interval) {
    subscription_ = services_.run_events->follow(job.run, [this](const model::RunEvent& event) { take(event); });
}

void JobProgress::take(const model::RunEvent& event) {
    if (event.job != job_ || event.type != "job.state") return;
    const auto state = from_text<model::JobState>(event.state);
    if (!state) return;
    attempt_ = std::max(attempt_, event.attempt);
    ended_ = is_final(*state);
    told_ = true;
    wake_.notify();
}

async::Task<Result<void>> JobProgress::load() {
    // Read after subscribing, so that an end in between is not missed.
    const auto read = [this] { return services_.store.job(job_); };
    const auto job = co_await async::offload(services_.pool, read);
    if (!job) co_return job.error();
    attempt_ = std::max(attempt_, job->attempt);
    if (!told_) ended_ = is_final(job->state);
    co_return Result<void>();
}

async::Task<bool> JobProgress::wait(bool is_watched) {
    const auto now = std::chrono::steady_clock::now();
    const auto soon = now + look_again;
    const auto deadline = is_watched ? next_heartbeat_ : std::min(next_heartbeat_, soon);
    const bool called = co_await wake_.wait_until(deadline);
    const bool silent = !called && std::chrono::steady_clock::now() >= next_heartbeat_;
    if (called || silent) next_heartbeat_ = std::chrono::steady_clock::now() + heartbeat_interval;
    co_return !silent;
}

}  // namespace cicd::api
