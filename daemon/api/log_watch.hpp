#pragma once

#include "common/base/result.hpp"
#include "daemon/async/task.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace cicd::api {

/// Tells when a job's log has grown. One inotify instance for all followers; lives on the io thread.
class LogWatch {
public:
    struct State;

    /// Ends the watching when it dies; may outlive the LogWatch.
    class Subscription {
    public:
        Subscription() = default;
        Subscription(std::weak_ptr<State> state, int watch, std::uint64_t id)
            : state_(std::move(state)), watch_(watch), id_(id) {}
        Subscription(Subscription&& other) noexcept { *this = std::move(other); }
        Subscription& operator=(Subscription&& other) noexcept;
        ~Subscription() { reset(); }
        void reset();
        explicit operator bool() const { return id_ != 0; }

    private:
        std::weak_ptr<State> state_;
        int watch_ = 0;
        std::uint64_t id_ = 0;
    };

    static Result<std::unique_ptr<LogWatch>> open(const boost::asio::any_io_executor& executor);
    ~LogWatch();

    /// Calls `grown` after each growth of the job directory's index. No subscription where the directory is not there yet.
    [[nodiscard]] Subscription watch(const std::filesystem::path& job_directory, std::function<void()> grown);

    /// Serves until `stop`.
    async::Task<void> run();
    void stop();

private:
    explicit LogWatch(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace cicd::api
