#pragma once

#include "daemon/async/task.hpp"

#include <chrono>

namespace cicd::api {

/// Wakes the one task that waits; a call before the waiting is not lost. On the io thread.
class Wake {
public:
    explicit Wake(const boost::asio::any_io_executor& executor) : timer_(executor) {}
    void notify() {
        called_ = true;
        timer_.cancel();
    }
    /// Returns when it was called, or when the deadline has passed: false then.
    async::Task<bool> wait_until(std::chrono::steady_clock::time_point deadline) {
        while (!called_) {
            if (std::chrono::steady_clock::now() >= deadline) co_return false;
            boost::system::error_code error;
            timer_.expires_at(deadline);
            co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, error));
            // The stream itself is being ended.
            if (error && !called_) throw boost::system::system_error(error);
        }
        called_ = false;
        co_return true;
    }

private:
    boost::asio::steady_timer timer_;
    bool called_ = false;
};

}  // namespace cicd::api
