#include "daemon/os/way_out.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cicd::os {

std::string find_slirp() {
    for (const char* path : {"/usr/bin/slirp4netns", "/usr/local/bin/slirp4netns", "/bin/slirp4netns"})
        if (::access(path, X_OK) == 0) return path;
    return {};
}

std::string way_out_weakness() {
    if (find_slirp().empty()) return "slirp4netns is not installed (sudo apt-get install slirp4netns)";
    if (::access("/dev/net/tun", R_OK | W_OK) == 0) return {};
    const bool missing = errno == ENOENT;
    return std::string("/dev/net/tun ") + (missing ? "is not there (sudo modprobe tun)" : "is not open to this user (sudo chmod 666 /dev/net/tun)");
}

}  // namespace cicd::os
