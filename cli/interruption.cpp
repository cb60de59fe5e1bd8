#include "cli/interruption.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

namespace cicd::cli {

Interruption::Interruption(Reactions reactions, std::optional<Milliseconds> timeout)
    : reactions_(std::move(reactions)) {
    sigset_t mask;
    sigemptyset(&mask);
    for (const auto signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&mask, signal);
    pthread_sigmask(SIG_BLOCK, &mask, &old_mask_);
    signals_ = ::signalfd(-1, &mask, SFD_CLOEXEC);
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this, timeout] { watch(timeout); });
}

Interruption::~Interruption() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof one);
    thread_.join();
    ::close(signals_);
    ::close(stop_);
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

void Interruption::watch(std::optional<Milliseconds> timeout) {
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
        pollfd waiting[] = {{signals_, POLLIN, 0}, {stop_, POLLIN, 0}};
        ::poll(waiting, 2, 100);
        if (waiting[1].revents != 0) return;
        if (waiting[0].revents != 0) {
            signalfd_siginfo info{};
            if (::read(signals_, &info, sizeof info) == sizeof info)
                reactions_.interrupted(static_cast<int>(info.ssi_signo));
        }
        if (timeout && std::chrono::steady_clock::now() - start >= *timeout) {
            timeout.reset();
            reactions_.deadline();
        }
        reactions_.tick();
    }
}

}  // namespace cicd::cli
