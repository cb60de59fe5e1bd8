#pragma once

#include "daemon/api/run_events.hpp"
#include "daemon/api/services.hpp"
#include "daemon/api/wake.hpp"

namespace cicd::api {

/// How far a job is, for a stream that follows its log: told by events, woken by whatever else the stream listens to.
class JobProgress {
public:
    JobProgress(Services& services, const model::JobRun& job, const boost::asio::any_io_executor& executor);
    JobProgress(const JobProgress&) = delete;
    JobProgress& operator=(const JobProgress&) = delete;

    /// Reads where the job stands. To be called first.
    async::Task<Result<void>> load();
    /// Whether that attempt writes no more.
    [[nodiscard]] bool is_over(int attempt) const { return ended_ || attempt_ > attempt; }
    [[nodiscard]] int attempt() const { return attempt_; }
    [[nodiscard]] Services& services() const { return services_; }
    void notify() { wake_.notify(); }
    /// Until something happens; false: nothing did, and it is time for a heartbeat. A log that nobody watches is looked at
    /// again soon.
    async::Task<bool> wait(bool is_watched);

private:
    void take(const model::RunEvent& event);

    Services& services_;
    JobId job_;
    Wake wake_;
    int attempt_ = 1;
    bool ended_ = false, told_ = false;
    std::chrono::steady_clock::time_point next_heartbeat_;
    RunEvents::Subscription subscription_;
};

}  // namespace cicd::api
