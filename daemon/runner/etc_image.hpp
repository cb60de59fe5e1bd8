#pragma once

#include "common/base/result.hpp"
#include "daemon/os/fd.hpp"

#include <filesystem>
#include <string>
#include <vector>

/// The /etc of sandboxes: copies of the host's files that programs expect and nobody minds showing, made once for all
/// jobs until one of them changes on the host.
namespace cicd::runner {

struct EtcImage {
    std::filesystem::path path;         ///< to be mounted read-only
    std::vector<std::string> folders;   ///< names below /etc whose mount points are in it, to be mounted from the host
    os::Fd lock;                        ///< while it is open, nobody removes the image
};

/// `resolver` (network access): /etc/resolv.conf is a link to `resolver_file`, as it changes too often to be copied.
inline const std::string resolver_file = "/run/resolv.conf";

/// Finds the image that fits the host as it is now below `cache`, or makes it; removes those nobody uses.
Result<EtcImage> etc_image(const std::filesystem::path& cache);

}  // namespace cicd::runner
