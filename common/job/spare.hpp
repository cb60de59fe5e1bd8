#pragma once

#include "common/job/gate.hpp"

#include <optional>
#include <string>
#include <string_view>

/// A runner that is started before there is a job for it, `cicd-runner --spare CACHE --gate-fd N`: it makes the place of an
/// ordinary job but for the workspace. The first packet at its gate tells it whose it is: what daemon/os/enclosure.hpp packs
/// of the workspace, and then the job directory. From then on it is a runner at its gate like any other. Where its place
/// would be made otherwise by then, it makes another one.
namespace cicd::job {

inline std::string directory_for_order(const std::string& directory) { return directory + '\0'; }

/// What is left of an order behind the workspace.
inline std::optional<std::string> directory_of_order(std::string_view rest) {
    const auto end = rest.find('\0');
    if (end == std::string_view::npos || !rest.starts_with('/')) return std::nullopt;
    return std::string(rest.substr(0, end));
}

}  // namespace cicd::job
