#pragma once

#include "tests/support/world.hpp"

#include <filesystem>
#include <string>

namespace cicd::test {

/// A user who is nobody else on this machine, with the programs, a home, state and configuration; by root, which can be one.
class OrdinaryUser {
public:
    enum class Ids { none, some };  ///< subordinate ids, as /etc/subuid gives them
    /// Why there cannot be one here; empty: there can.
    static std::string why_not();
    explicit OrdinaryUser(Ids ids);

    [[nodiscard]] std::filesystem::path home() const { return folder_ / "home"; }
    /// A copy of it, in the home and the user's own.
    void give(const std::filesystem::path& path, const std::string& name) const;
    /// The shell's commands, in the home. cicdctl is "$cicdctl".
    [[nodiscard]] Outcome sh(const std::string& commands) const;

private:
    TempDir folder_;
};

}  // namespace cicd::test
