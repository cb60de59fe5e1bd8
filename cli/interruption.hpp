#pragma once

#include "common/base/time.hpp"

#include <csignal>
#include <functional>
#include <optional>
#include <thread>

namespace cicd::cli {

/// Signals, the deadline and the ticks of a view, on a thread of their own while the main one waits for the daemon.
class Interruption {
public:
    struct Reactions {
        std::function<void(int signal)> interrupted;  ///< each SIGINT, SIGTERM and SIGHUP
        std::function<void()> deadline;               ///< once
        std::function<void()> tick;
    };

    Interruption(Reactions reactions, std::optional<Milliseconds> timeout);
    ~Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;

private:
    void watch(std::optional<Milliseconds> timeout);

    Reactions reactions_;
    sigset_t old_mask_{};
    int signals_ = -1, stop_ = -1;
    std::thread thread_;
};

}  // namespace cicd::cli
