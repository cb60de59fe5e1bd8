#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cicd::engines {

/// The tar of a tree, made by `tar` while it is read. Everything in it is root's: our trees are the daemon's user's, whoever
/// they belonged to.
class Tar {
public:
    static Result<Tar> of(const std::string& folder);
    /// Of these entries alone, each with nothing below it.
    static Result<Tar> of(const std::string& folder, const std::vector<std::string>& paths);
    Tar(Tar&& other) noexcept : pid_(std::exchange(other.pid_, 0)), out_(std::move(other.out_)) {}
    Tar& operator=(Tar&&) = delete;
    ~Tar();
    /// The next piece; an empty one is the end. Fails where something could not be read.
    Result<std::string> read();

private:
    Tar() = default;
    static Result<Tar> start(std::vector<std::string> arguments, const os::Fd* list);
    int wait();
    int pid_ = 0;
    os::Fd out_;
};

}  // namespace cicd::engines
