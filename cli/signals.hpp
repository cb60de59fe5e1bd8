#pragma once

#include <array>
#include <csignal>

namespace cicd::cli {

/// Notes the signals that matter while a run is followed; they are acted on between two events, on the one thread there
/// is. A blocked read or poll ends with EINTR, so nothing waits for the next event.
class Signals {
public:
    Signals();
    /// Puts back what was there.
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// How often the signal came since it was asked for last.
    [[nodiscard]] int take(int signal) const;

    static constexpr std::array noted{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};

private:
    std::array<struct sigaction, noted.size()> before_{};
};

}  // namespace cicd::cli
