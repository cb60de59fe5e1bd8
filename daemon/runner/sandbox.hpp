#pragma once

#include "common/base/result.hpp"
#include "common/model/job_spec.hpp"
#include "daemon/os/enclosure.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/runner/place.hpp"
#include "daemon/runner/writable.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The sandbox: the host's /usr read-only, or an image's files, everything else private or not there.
namespace cicd::runner {

inline const std::string sandbox_workspace = "/workspace";
inline const std::string sandbox_files = "/run/cicd";

struct SandboxRequest {
    std::string init;  ///< this program's own path
    const Folders& folders;
    const model::JobSpec& spec;
    std::filesystem::path etc;             ///< see EtcImage
    std::vector<std::string> etc_folders;
    std::filesystem::path root_layer;      ///< with `upper` and `work`: what a job writes above an image
    std::string seccomp;                   ///< a BPF program; empty: none
    const Network* network = nullptr;      ///< that it shares with others
    const WritableSystem* writable = nullptr;  ///< where the job has one
    std::filesystem::path hosts;           ///< then: what lies over the host's /etc/hosts
    int awaited = -1;                      ///< set: the workspace is told later, at this socket
};

/// What a job sees, and with what rights it starts.
os::Enclosure sandbox(const SandboxRequest& request);

/// The same by bubblewrap, for systems that let only a privileged program make namespaces. Overlays, of a workspace
/// or an image, are beyond it.
struct Bindings {
    std::vector<std::string> argv;
    std::vector<std::pair<int, int>> fds;  ///< ours → bwrap's
    std::vector<os::Fd> held;              ///< kept open until bwrap runs
};
/// Fails (kind unavailable) where bubblewrap is missing.
Result<Bindings> bubblewrap_command(const os::Enclosure& enclosure, const std::string& bwrap);
/// $CICD_BWRAP, or where bubblewrap is installed; empty: nowhere.
std::string find_bubblewrap();

/// From why a sandbox could not be made to what the user can do about it.
Error explain_sandbox_failure(std::string_view said);

}  // namespace cicd::runner
