#include "daemon/git/reach.hpp"

#include "common/base/text.hpp"
#include "daemon/git/fetched.hpp"
#include "daemon/os/fd.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace cicd::git {
namespace {

bool through_proxy() {
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"})
        if (const char* set = std::getenv(name); set && *set) return true;
    return false;
}

/// 0: connected; else errno.
int connect_within(const addrinfo& address, Milliseconds longest) {
    const os::Fd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) return errno;
    if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    pollfd watched{socket.get(), POLLOUT, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(longest.count()));
    if (ready <= 0) return ready == 0 ? ETIMEDOUT : errno;
    int outcome = 0;
    socklen_t size = sizeof outcome;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &outcome, &size) == 0 ? outcome : errno;
}

}  // namespace

std::optional<Server> server_of(const std::string& url) {
    const auto scheme = url.find("://");
    if (scheme == url.npos) return std::nullopt;
    const auto kind = url.substr(0, scheme);
    Server server;
    if (kind == "https") server.port = "443";
    else if (kind == "http") server.port = "80";
    else if (kind == "ssh") server.port = "22";
    else return std::nullopt;
    server.host = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
    if (const auto at = server.host.rfind('@'); at != server.host.npos) server.host.erase(0, at + 1);
    const auto bracket = server.host.starts_with('[') ? server.host.find(']') : 0;
    if (bracket == server.host.npos) return std::nullopt;
    if (const auto colon = server.host.find(':', bracket); colon != server.host.npos) {
        server.port = server.host.substr(colon + 1);
        server.host.erase(colon);
    }
    if (bracket > 0) server.host = server.host.substr(1, bracket - 1);
    if (server.host.empty() || server.port.empty()) return std::nullopt;
    return server;
}

Result<void> reach(const std::string& url, Milliseconds longest) {
    const auto server = server_of(url);
    if (!server || through_proxy()) return {};
    const auto why = [&](const std::string& reason) {
        return unavailable(server_unreachable, "cannot fetch from " + url + ": " + reason, "check the address and the network: `git ls-remote " + url + "`");
    };
    addrinfo wanted{}, *found = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV;
    if (const int code = ::getaddrinfo(server->host.c_str(), server->port.c_str(), &wanted, &found); code != 0)
        return why("failed to resolve " + server->host + ": " + ::gai_strerror(code));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
    int last = 0;
    for (const auto* address = found; address; address = address->ai_next) {
        last = connect_within(*address, longest);
        if (last == 0) return {};
    }
    return why("failed to connect to " + server->host + ": " + std::strerror(last));
}

}  // namespace cicd::git
