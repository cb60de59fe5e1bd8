#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <future>
#include <type_traits>
#include <utility>

namespace cicd::async {

namespace asio = boost::asio;

/// The one awaitable type. Tasks run on the io thread unless offloaded; parameters are taken by value.
template <class T>
using Task = asio::awaitable<T>;

/// Runs blocking work on a pool; the caller goes on, on its own executor, with what it returned or threw. Work cannot be
/// cancelled, so a cancel waits for it. (A coroutine spawned on the pool would take part in cancels, from two threads at once.)
template <class Work>
Task<std::invoke_result_t<Work>> offload(asio::thread_pool& pool, Work work) {
    std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
    auto outcome = task.get_future();
    auto start = [&pool, &task](auto handler) {
        auto executor = asio::prefer(asio::get_associated_executor(handler), asio::execution::outstanding_work.tracked);
        asio::post(pool, [task = std::move(task), handler = std::move(handler), executor = std::move(executor)]() mutable {
            std::exchange(task, {})();
            asio::post(executor, std::move(handler));
        });
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
    co_return outcome.get();
}

/// A condition to wait for: `notify` wakes everybody who waits now. Use on one executor only; wait in a loop.
class Signal {
public:
    explicit Signal(const asio::any_io_executor& executor) : timer_(executor) {
        timer_.expires_at(std::chrono::steady_clock::time_point::max());
    }
    void notify() { timer_.cancel(); }
    /// Returns after a notify, or when the deadline has passed.
    Task<void> wait_until(std::chrono::steady_clock::time_point deadline) {
        if (deadline == std::chrono::steady_clock::time_point::max()) {
            boost::system::error_code ignored;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            co_return;
        }
        using asio::experimental::awaitable_operators::operator||;
        asio::steady_timer limit(co_await asio::this_coro::executor);
        limit.expires_at(deadline);
        boost::system::error_code first, second;
        co_await (timer_.async_wait(asio::redirect_error(asio::use_awaitable, first)) ||
                  limit.async_wait(asio::redirect_error(asio::use_awaitable, second)));
    }
    Task<void> wait() { return wait_until(std::chrono::steady_clock::time_point::max()); }

private:
    asio::steady_timer timer_;
};

}  // namespace cicd::async
