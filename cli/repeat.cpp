#include "cli/repeat.hpp"

#include "cli/signals.hpp"
#include "cli/terminal_mode.hpp"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <optional>

namespace cicd::cli {
namespace {

constexpr auto interval = std::chrono::milliseconds(1000);

// The screen's height is all there is: what is below it is left out.
std::string frame(const std::string& text, std::size_t height) {
    std::string out = "\x1b[?2026h\x1b[H";
    std::size_t lines = 0;
    for (std::size_t at = 0; at < text.size() && lines + 1 < height; ++lines) {
        const auto end = std::min(text.find('\n', at), text.size());
        out += text.substr(at, end - at) + "\x1b[K\n";
        at = end + 1;
    }
    return out + "\x1b[J\x1b[?2026l";
}

// True where it is time to stop.
bool asked_to_stop(const Signals& signals) {
    return signals.take(SIGINT) + signals.take(SIGTERM) + signals.take(SIGHUP) + signals.take(SIGQUIT) > 0;
}

}  // namespace

Result<ExitCode> repeat(Session& session, const std::function<Result<std::string>()>& text) {
    const auto& console = session.console();
    const bool in_place = console.can_animate();
    const Signals signals;
    std::optional<TerminalMode> terminal;
    if (in_place) terminal.emplace();
    if (in_place) console.out("\x1b[2J");
    std::string before;
    for (;;) {
        CICD_TRY(const auto now, text());
        if (in_place) {
            console.out(frame(now, console.height()));
        } else if (now != before) {
            console.out(now);
        }
        before = now;
        pollfd key{in_place ? STDIN_FILENO : -1, POLLIN, 0};
        ::poll(&key, 1, static_cast<int>(interval.count()));
        if (asked_to_stop(signals)) return ExitCode::success;
        if (in_place && TerminalMode::keys().find_first_of("qQ") != std::string::npos) return ExitCode::success;
    }
}

}  // namespace cicd::cli
