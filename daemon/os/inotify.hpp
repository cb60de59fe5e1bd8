#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace cicd::os {

/// Watches directories and files. `fd` is to be waited on until it is readable, then `read`. Where the system has no
/// inotify instance or no watch left, what could not be watched is looked at ten times a second instead.
class Inotify {
public:
    struct Event {
        int watch = 0;
        std::uint32_t mask = 0;  ///< IN_* ; IN_Q_OVERFLOW: look at everything again
        std::string name;        ///< in a watched directory
    };
    static Result<Inotify> open();
    /// As where the system has none left.
    static Result<Inotify> open_without_inotify();

    [[nodiscard]] int fd() const { return ready_.get(); }
    /// Fails with ErrorKind::not_found where the path does not exist.
    Result<int> add(const std::filesystem::path& path, std::uint32_t mask);
    void remove(int watch);
    /// All that has happened up to now; empty for nothing.
    Result<std::vector<Event>> read();
    /// Why it looks instead of being told, and what to do about it; empty where it does not.
    [[nodiscard]] const std::string& shortage() const { return shortage_; }

private:
    struct Fingerprint {
        std::int64_t size = 0, time_ns = 0;
        std::uint64_t inode = 0;
        bool operator==(const Fingerprint&) const = default;
    };
    /// A path that is looked at: itself (with an empty name), or the entries of the directory.
    struct Looked {
        std::filesystem::path path;
        std::uint32_t mask = 0;
        std::map<std::string, Fingerprint> seen;
    };
    Inotify() = default;
    Result<void> prepare();
    Result<int> look_at(const std::filesystem::path& path, std::uint32_t mask);
    void look(std::vector<Event>& events);
    static std::map<std::string, Fingerprint> state_of(const std::filesystem::path& path);

    Fd ready_, inotify_, timer_;  ///< an epoll of the other two
    std::map<int, Looked> looked_;
    int last_looked_ = 1 << 30;   ///< above all watches of the system
    std::string shortage_;
};

}  // namespace cicd::os
