#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cicd::os {

/// Watches directories and files. `fd` is non-blocking: wait for it to be readable, then read.
class Inotify {
public:
    struct Event {
        int watch = 0;
        std::uint32_t mask = 0;  ///< IN_* ; IN_Q_OVERFLOW: look at everything again
        std::string name;        ///< in a watched directory
    };
    static Result<Inotify> open();
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Fails with ErrorKind::not_found where the path does not exist.
    Result<int> add(const std::filesystem::path& path, std::uint32_t mask);
    void remove(int watch);
    /// All that has happened up to now; empty for nothing.
    Result<std::vector<Event>> read();

private:
    explicit Inotify(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace cicd::os
