#pragma once

#include "common/base/result.hpp"
#include "common/model/pipeline.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/runner/place.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The bubblewrap sandbox: the host's /usr read-only, everything else private or not there.
namespace cicd::runner {

inline const std::string sandbox_workspace = "/workspace";
inline const std::string sandbox_scripts = "/run/cicd/scripts";
inline const std::string sandbox_files = "/run/cicd/files";

struct SandboxRequest {
    std::string init;  ///< this program's own path
    const Folders& folders;
    model::NetworkMode network;
    int control;       ///< init's end of the socket
};

struct Bindings {
    std::vector<std::string> argv;
    std::vector<std::pair<int, int>> fds;  ///< ours → bwrap's
    std::vector<os::Fd> held;              ///< kept open until bwrap runs
};

/// Fails (kind unavailable) where bubblewrap is missing.
Result<Bindings> sandbox_command(const SandboxRequest& request);

/// From what bwrap said before it gave up to what the user can do about it.
Error explain_sandbox_failure(std::string_view said);

}  // namespace cicd::runner
