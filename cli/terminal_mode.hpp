#pragma once

#include <string>

namespace cicd::cli {

/// While it lives, keys typed at the terminal arrive one by one and are not shown, and the cursor is hidden. However
/// the process ends or stops (return, signal, crash, Ctrl-Z), the terminal is as it was before; on SIGKILL alone it
/// cannot be.
class TerminalMode {
public:
    TerminalMode();
    ~TerminalMode();
    TerminalMode(const TerminalMode&) = delete;
    TerminalMode& operator=(const TerminalMode&) = delete;

    /// Keys that were typed since; never waits.
    [[nodiscard]] static std::string keys();
    /// True once after the process was stopped and goes on: what was drawn is not there any more.
    [[nodiscard]] static bool resumed();
    /// The shell has not put us into the background.
    [[nodiscard]] static bool in_foreground();
    /// The same, and takes over the terminal again where the shell gave it back. To be asked now and then.
    [[nodiscard]] static bool look_around();
    /// For an end by _exit, which runs no destructors.
    static void restore();
};

}  // namespace cicd::cli
