#include "daemon/git/reach.hpp"

#include "daemon/os/fd.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <string>

using namespace cicd;
using namespace cicd::git;

TEST_CASE("a server is what an address says, with the port of its kind") {
    const auto told = [](const char* url) {
        const auto server = server_of(url);
        return server ? server->host + " " + server->port : std::string("none");
    };
    CHECK(told("https://example.org/a/b") == "example.org 443");
    CHECK(told("http://example.org") == "example.org 80");
    CHECK(told("ssh://git@example.org:2222/a") == "example.org 2222");
    CHECK(told("https://user:word@[::1]:8443/a:b@c") == "::1 8443");
    CHECK(told("https://[::1]/a") == "::1 443");
    for (const char* url : {"file:///srv/a", "/srv/a", "git@example.org:a/b", "https://", "https://:1/", "https://[::1/a"}) CHECK(told(url) == "none");
}

TEST_CASE("what listens is reached, and what does not is told") {
    const os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
    const auto url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/a/b";
    const auto refused = reach(url, Milliseconds(5'000));
    REQUIRE(!refused.has_value());
    CHECK(refused.error().kind == ErrorKind::unavailable);
    CHECK(refused.error().message.find("failed to connect to 127.0.0.1") != std::string::npos);
    REQUIRE(::listen(socket.get(), 1) == 0);
    CHECK(reach(url, Milliseconds(5'000)).has_value());
    CHECK(reach("/srv/a", Milliseconds(1)).has_value());
    // Somebody else gets there.
    ::setenv("https_proxy", "http://127.0.0.1:1", 1);
    CHECK(reach("http://127.0.0.1:1/a", Milliseconds(1)).has_value());
    ::unsetenv("https_proxy");
}
