#include "cli/render/console.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace cicd::cli::render {
namespace {

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            pollfd ready{fd, POLLOUT, 0};
            ::poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            return;  // nobody reads any more; the exit code still tells the result
        }
    }
}

std::string environment(const char* name) {
    const auto* value = std::getenv(name);
    return value ? value : "";
}

bool wants_color(ColorChoice choice, bool terminal) {
    switch (choice) {
        case ColorChoice::always:
            return true;
        case ColorChoice::never:
            return false;
        case ColorChoice::automatic:
            break;
    }
    if (!environment("NO_COLOR").empty()) return false;
    const auto force = environment("CLICOLOR_FORCE");
    if (!force.empty() && force != "0") return true;
    return terminal && environment("TERM") != "dumb";
}

winsize terminal_size() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
    return size;
}

}  // namespace

Console::Console(ColorChoice choice) {
    out_terminal_ = ::isatty(STDOUT_FILENO) == 1;
    const auto err_terminal = ::isatty(STDERR_FILENO) == 1;
    out_paint_.on = wants_color(choice, out_terminal_);
    err_paint_.on = wants_color(choice, err_terminal);
    const auto term = environment("TERM");
    animate_ = out_terminal_ && err_terminal && !term.empty() && term != "dumb";
    for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const auto value = environment(name);
        if (value.empty()) continue;
        utf8_ = value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos || value == "C" ||
                value == "POSIX";  // nobody chose these two; today's terminals speak UTF-8
        break;
    }
}

void Console::out(std::string_view text) const {
    write_all(STDOUT_FILENO, text);
}
void Console::err(std::string_view text) const {
    write_all(STDERR_FILENO, text);
}

std::size_t Console::width() const {
    if (!out_terminal_) return 0;
    const auto size = terminal_size();
    return size.ws_col > 0 ? size.ws_col : 80;
}

std::size_t Console::height() const {
    const auto size = terminal_size();
    return size.ws_row > 0 ? size.ws_row : 24;
}

}  // namespace cicd::cli::render
