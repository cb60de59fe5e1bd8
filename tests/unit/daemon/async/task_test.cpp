#include "daemon/async/task.hpp"
#include "daemon/async/task_group.hpp"

#include <doctest/doctest.h>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace cicd::async;

namespace {

/// Runs a task to its end on an io thread of its own; what it throws comes out.
void run(asio::io_context& io, Task<void> task) {
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr error) { failure = error; });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
}

Task<void> note_threads(asio::thread_pool& pool, std::vector<std::thread::id>& threads) {
    threads.push_back(std::this_thread::get_id());
    auto work = [&threads] {
        threads.push_back(std::this_thread::get_id());
        return 42;
    };
    auto going = offload(pool, work);
    const int answer = co_await std::move(going);
    CHECK(answer == 42);
    threads.push_back(std::this_thread::get_id());
}

Task<void> offload_failure(asio::thread_pool& pool) {
    auto work = []() -> int { throw std::runtime_error("from the pool"); };
    auto going = offload(pool, work);
    co_await std::move(going);
}

Task<void> wait_for(Signal& signal, const bool& condition, std::string& order, char name) {
    while (!condition) co_await signal.wait();
    order += name;
}

Task<void> set_and_notify(Signal& signal, bool& condition) {
    asio::steady_timer turn(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    co_await turn.async_wait(asio::use_awaitable);
    signal.notify();  // for nothing: whoever waits looks at the condition again
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    condition = true;
    signal.notify();
}

Task<void> wait_until(Signal& signal, std::chrono::steady_clock::time_point deadline, bool& returned) {
    co_await signal.wait_until(deadline);
    returned = true;
}

Task<void> wait_forever(asio::any_io_executor executor, bool& aborted) {
    asio::steady_timer timer(executor, std::chrono::hours(1));
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    aborted = error == asio::error::operation_aborted;
}

Task<void> fail() {
    throw std::runtime_error("a bug");
    co_return;
}

Task<void> finish(bool& done) {
    done = true;
    co_return;
}

Task<void> join_then(TaskGroup& group, bool& joined) {
    co_await group.join();
    joined = true;
}

}  // namespace

TEST_CASE("offloaded work runs on the pool, and the task goes on where it was") {
    asio::io_context io;
    asio::thread_pool pool(1);
    std::vector<std::thread::id> threads;
    run(io, note_threads(pool, threads));
    REQUIRE(threads.size() == 3);
    CHECK(threads[0] == std::this_thread::get_id());
    CHECK(threads[1] != threads[0]);
    CHECK(threads[2] == threads[0]);
}

TEST_CASE("what offloaded work throws is thrown in the task") {
    asio::io_context io;
    asio::thread_pool pool(1);
    CHECK_THROWS_WITH(run(io, offload_failure(pool)), "from the pool");
}

TEST_CASE("a signal wakes everybody who waits") {
    asio::io_context io;
    Signal signal(io.get_executor());
    bool condition = false;
    std::string order;
    asio::co_spawn(io, wait_for(signal, condition, order, 'a'), asio::detached);
    asio::co_spawn(io, wait_for(signal, condition, order, 'b'), asio::detached);
    run(io, set_and_notify(signal, condition));
    CHECK(order.size() == 2);
    CHECK(order.find('a') != std::string::npos);
    CHECK(order.find('b') != std::string::npos);
}

TEST_CASE("waiting for a signal ends with the deadline, and at once where that has passed") {
    asio::io_context io;
    Signal signal(io.get_executor());
    bool returned = false;
    const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
    run(io, wait_until(signal, soon, returned));
    CHECK(returned);
    CHECK(std::chrono::steady_clock::now() >= soon);
    returned = false;
    run(io, wait_until(signal, std::chrono::steady_clock::now() - std::chrono::hours(1), returned));
    CHECK(returned);
}

TEST_CASE("a cancel before offloaded work has begun waits for the work, and nothing dies") {
    for (int round = 0; round < 200; ++round) {
        asio::io_context io;
        asio::thread_pool pool(1);
        TaskGroup group(io.get_executor(), [](std::exception_ptr) {});
        std::vector<std::thread::id> threads;
        group.spawn(note_threads(pool, threads));
        io.poll_one();
        asio::post(io, [&] { group.cancel(); });
        io.restart();
        io.run();
        CHECK(group.size() == 0);
    }
}

TEST_CASE("a group cancels its tasks and is joined when all have ended") {
    asio::io_context io;
    TaskGroup group(io.get_executor(), [](std::exception_ptr) { FAIL("nobody threw"); });
    bool aborted[2] = {}, done = false, joined = false;
    group.spawn(wait_forever(io.get_executor(), aborted[0]));
    group.spawn(wait_forever(io.get_executor(), aborted[1]));
    group.spawn(finish(done));
    io.poll();
    CHECK(done);
    CHECK(group.size() == 2);
    asio::co_spawn(io, join_then(group, joined), asio::detached);
    io.poll();
    CHECK_FALSE(joined);
    asio::post(io, [&] { group.cancel(); });
    io.restart();
    io.run();
    CHECK(aborted[0]);
    CHECK(aborted[1]);
    CHECK(joined);
    CHECK(group.size() == 0);
}

TEST_CASE("what a task of a group throws is told, and the others go on") {
    asio::io_context io;
    std::string told;
    TaskGroup group(io.get_executor(), [&](std::exception_ptr error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& exception) {
            told = exception.what();
        }
    });
    bool done = false, joined = false;
    group.spawn(fail());
    group.spawn(finish(done));
    run(io, join_then(group, joined));
    CHECK(told == "a bug");
    CHECK(done);
    CHECK(joined);
}

TEST_CASE("an empty group is joined at once") {
    asio::io_context io;
    TaskGroup group(io.get_executor(), {});
    bool joined = false;
    run(io, join_then(group, joined));
    CHECK(joined);
}
