#include "cli/signals.hpp"

#include <atomic>

namespace cicd::cli {
namespace {

std::array<std::atomic<int>, 65> counts{};

void note(int signal) {
    counts[static_cast<std::size_t>(signal)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Signals::Signals() {
    struct sigaction action {};
    action.sa_handler = note;  // without SA_RESTART: whatever blocks is to end
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < noted.size(); ++i) {
        ::sigaction(noted[i], nullptr, &before_[i]);
        // What somebody above us ignores (nohup) stays ignored.
        if (before_[i].sa_handler != SIG_IGN) ::sigaction(noted[i], &action, nullptr);
    }
}

Signals::~Signals() {
    for (std::size_t i = 0; i < noted.size(); ++i) ::sigaction(noted[i], &before_[i], nullptr);
}

int Signals::take(int signal) const {
    return counts[static_cast<std::size_t>(signal)].exchange(0, std::memory_order_relaxed);
}

}  // namespace cicd::cli
