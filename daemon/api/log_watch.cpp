#include "daemon/api/log_watch.hpp"

#include "daemon/os/inotify.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/inotify.h>

#include <map>
#include <utility>

namespace cicd::api {

namespace asio = boost::asio;

struct LogWatch::State {
    State(const asio::any_io_executor& executor, os::Inotify opened)
        : inotify(std::move(opened)), descriptor(executor, inotify.fd()) {}
    ~State() { descriptor.release(); }

    os::Inotify inotify;
    asio::posix::stream_descriptor descriptor;
    std::map<int, std::map<std::uint64_t, std::function<void()>>> callbacks;  // by inotify's watch
    std::uint64_t last_id = 0;

    void tell(int watch) {
        const auto found = callbacks.find(watch);
        if (found == callbacks.end()) return;
        // A callback may end subscriptions.
        const auto those = found->second;
        for (const auto& [id, callback] : those) callback();
    }
    void tell_all() {
        const auto everybody = callbacks;
        for (const auto& [watch, those] : everybody)
            for (const auto& [id, callback] : those) callback();
    }
};

LogWatch::Subscription& LogWatch::Subscription::operator=(Subscription&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
        watch_ = other.watch_;
        id_ = std::exchange(other.id_, 0);
    }
    return *this;
}

void LogWatch::Subscription::reset() {
    const auto id = std::exchange(id_, 0);
    const auto state = state_.lock();
    if (id == 0 || !state) return;
    const auto found = state->callbacks.find(watch_);
    if (found == state->callbacks.end()) return;
    found->second.erase(id);
    if (!found->second.empty()) return;
    state->callbacks.erase(found);
    state->inotify.remove(watch_);
}

Result<std::unique_ptr<LogWatch>> LogWatch::open(const asio::any_io_executor& executor) {
    CICD_TRY(auto inotify, os::Inotify::open());
    return std::unique_ptr<LogWatch>(new LogWatch(std::make_shared<State>(executor, std::move(inotify))));
}

LogWatch::~LogWatch() = default;

LogWatch::Subscription LogWatch::watch(const std::filesystem::path& job_directory, std::function<void()> grown) {
    // The directory and not the file: the index may not be there yet.
    const auto watch = state_->inotify.add(job_directory, IN_MODIFY | IN_CREATE);
    if (!watch) return {};
    const auto id = ++state_->last_id;
    state_->callbacks[*watch].emplace(id, std::move(grown));
    return {state_, *watch, id};
}

async::Task<void> LogWatch::run() {
    const auto state = state_;
    for (;;) {
        boost::system::error_code error;
        co_await state->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                              asio::redirect_error(asio::use_awaitable, error));
        if (error) co_return;
        const auto events = state->inotify.read();
        if (!events) co_return;
        int last_told = 0;
        for (const auto& event : *events) {
            if (event.mask & IN_Q_OVERFLOW) state->tell_all();
            if (event.name != "log.idx" || event.watch == last_told) continue;
            last_told = event.watch;
            state->tell(event.watch);
        }
    }
}

void LogWatch::stop() {
    boost::system::error_code ignored;
    state_->descriptor.cancel(ignored);
}

}  // namespace cicd::api
