#pragma once

#include "daemon/async/task.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <exception>
#include <functional>
#include <list>
#include <utility>

namespace cicd::async {

/// Tasks that are started together and joined before what they use dies. One executor only.
class TaskGroup {
public:
    /// `on_exception` is told what a task threw; nothing is swallowed.
    TaskGroup(asio::any_io_executor executor, std::function<void(std::exception_ptr)> on_exception)
        : executor_(std::move(executor)), ended_(executor_), on_exception_(std::move(on_exception)) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    void spawn(Task<void> task) {
        const auto member = members_.emplace(members_.end());
        asio::co_spawn(executor_, std::move(task),
                       asio::bind_cancellation_slot(member->slot(), [this, member](std::exception_ptr error) {
                           members_.erase(member);
                           if (error && on_exception_) on_exception_(error);
                           ended_.notify();
                       }));
    }
    /// Every wait of every task ends with operation_aborted. On the executor: Asio would else hand the signals over to it,
    /// and not notice when a task ended meanwhile.
    void cancel() {
        for (auto it = members_.begin(); it != members_.end();) (it++)->emit(asio::cancellation_type::terminal);
    }
    [[nodiscard]] std::size_t size() const { return members_.size(); }
    Task<void> join() {
        while (!members_.empty()) co_await ended_.wait();
    }

private:
    asio::any_io_executor executor_;
    std::list<asio::cancellation_signal> members_;
    Signal ended_;
    std::function<void(std::exception_ptr)> on_exception_;
};

}  // namespace cicd::async
