#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Programs that bring images.
namespace cicd::images {

struct Ended {
    int status = 0;  ///< as wait(2) gives it
    std::string out, err;
    bool killed = false;
};

struct Watch {
    std::chrono::steady_clock::duration limit = std::chrono::hours(2);
    std::function<void(std::string_view line)> tell_out = nullptr, tell_err = nullptr;
    std::function<bool()> stop = nullptr;  ///< asked often
};

/// Runs it to its end; it and all that it started are killed when it takes too long, or nobody wants it any more.
Result<Ended> run_program(std::vector<std::string> command, const Watch& watch);
/// The same piece by piece, for who cannot wait. Killed, with all that it started, when this goes.
class RunningProgram {
public:
    static Result<std::unique_ptr<RunningProgram>> start(std::vector<std::string> command, Watch watch);
    ~RunningProgram();
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;
    /// Waits for output, no longer than that; false once it has ended.
    bool go_on(std::chrono::milliseconds most);
    /// Once it has.
    [[nodiscard]] Ended& ended() { return ended_; }

private:
    explicit RunningProgram(Watch watch);
    struct Stream;
    void kill();

    Watch watch_;
    std::chrono::steady_clock::time_point end_;
    Ended ended_;
    std::unique_ptr<Stream> out_, err_;
    int pid_ = 0;
};

/// In this process's PATH; empty: nowhere.
std::string find_program(const std::string& name);

}  // namespace cicd::images
