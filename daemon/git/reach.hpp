#pragma once

#include "common/base/result.hpp"
#include "common/base/time.hpp"

#include <optional>
#include <string>

/// libgit2 before 1.7 waits for a server as long as the kernel does, which is minutes where a firewall drops packets.
namespace cicd::git {

struct Server {
    std::string host, port;
};
/// Of https, http and ssh URLs; nothing of others.
std::optional<Server> server_of(const std::string& url);

/// Fails (unavailable) where no address of the URL's server takes a connection within `longest`, each. What goes through a
/// proxy, and what is no URL of a server, is not tried.
Result<void> reach(const std::string& url, Milliseconds longest);

}  // namespace cicd::git
