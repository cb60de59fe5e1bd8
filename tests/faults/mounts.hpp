#pragma once

#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <csignal>
#include <string>

namespace cicd::test {

/// A small file system of its own at a folder, gone when this is. Needs root.
class SmallDisk {
public:
    SmallDisk(const std::filesystem::path& at, const std::string& options) : at_(at) {
        std::filesystem::create_directories(at);
        mounted_ = ::getuid() == 0 && run({"mount", "-t", "tmpfs", "-o", options, "tmpfs", at.string()}).code == 0;
        if (!mounted_) MESSAGE("skipped: mounting needs root and a kernel that allows it");
    }
    ~SmallDisk() {
        if (mounted_) run({"umount", "-l", at_.string()});
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    explicit operator bool() const { return mounted_; }

    /// Leaves about so many MiB free.
    void fill(int leave_mib) const {
        const auto free = std::filesystem::space(at_).available >> 20U;
        if (free <= static_cast<std::uintmax_t>(leave_mib)) return;
        run({"fallocate", "-l", std::to_string(free - static_cast<std::uintmax_t>(leave_mib)) + "M", filler().string()});
    }
    /// Not one byte is left.
    void fill_up() const {
        run({"dd", "if=/dev/zero", "of=" + filler().string(), "bs=64k", "oflag=append", "conv=notrunc"});
        run({"dd", "if=/dev/zero", "of=" + filler().string() + "2", "bs=512"});
    }
    void make_room() const {
        std::filesystem::remove(filler());
        std::filesystem::remove(filler().string() + "2");
    }

private:
    [[nodiscard]] std::filesystem::path filler() const { return at_ / "filler"; }
    std::filesystem::path at_;
    bool mounted_ = false;
};

inline std::string text(const Value& value) { return value.is_string() ? value.as_string() : ""; }
inline std::string status_of(const World& world, const std::string& run) { return text(world.json({"show", run})["status"]); }
inline const Value& only_job(const Value& run) { return run["jobs"].as_array().at(0); }

/// The daemon's configuration: jobs without a sandbox are allowed, and what else there is.
inline void configure(const World& world, const std::string& more = "") {
    write_file(world.config() / "config.yaml", "executors: {host: true}\n" + more);
}
/// A pipeline of one job that waits until it is let go. Without a sandbox, so that the test can reach it.
inline std::string waiting_pipeline(const World& world) {
    if (!std::filesystem::exists(world.config() / "config.yaml")) configure(world);
    return "name: waiting\nstages:\n  - name: one\n    executor: host\n    jobs:\n      one:\n        retry: 0\n        steps:\n"
           "          - run: 'echo before; while [ ! -e " + (world.folder() / "go").string() + " ]; do sleep 0.02; done; echo after'\n";
}
inline const std::string quick_pipeline = "name: quick\nstages: [{name: one, commands: ['echo hello']}]\n";

inline void let_go(const World& world) { write_file(world.folder() / "go", ""); }

/// Starts a run of that repository and waits until its job runs. Gives the run's id.
inline std::string start_waiting(const World& world, const GitRepository& repository) {
    const auto id = text(world.json({"run", "--detach"}, world.in(repository.path()))["id"]);
    REQUIRE(!id.empty());
    const auto said = [&] { return world.cicdctl({"logs", id}).out.find("before") != std::string::npos; };
    REQUIRE(eventually(said));
    return id;
}

}  // namespace cicd::test
