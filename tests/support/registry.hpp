#pragma once

#include "tests/support/image.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

namespace cicd::test {

/// A registry of the test's own that wants a login: someone, with the password "pass word:1".
class TestRegistry {
public:
    /// Whether a test has to be left out, which is told.
    static bool is_missing() {
        for (const char* name : {"skopeo", "docker-registry"})
            if (packaged_program(name).empty()) {
                MESSAGE("skipped: " << name << " is not installed");
                return true;
            }
        return false;
    }
    explicit TestRegistry(std::filesystem::path folder) : folder_(std::move(folder)), address_("localhost:" + std::to_string(free_port())) {
        write_file(folder_ / "htpasswd", "someone:$2b$05$abcdefghijklmnopqrstuusWsnA3PCG6MJhsuMdaZgkE21cQMslZi\n");  // by bcrypt
        write_file(folder_ / "registry.yaml", "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nauth: {htpasswd: {realm: r, path: " + (folder_ / "htpasswd").string() +
                                                  "}}\nstorage: {filesystem: {rootdirectory: " + (folder_ / "registry").string() + "}}\nhttp: {addr: '127.0.0.1:" +
                                                  address_.substr(address_.find(':') + 1) + "'}\n");
        server_ = std::make_unique<Background>(std::vector<std::string>{packaged_program("docker-registry"), "serve", (folder_ / "registry.yaml").string()});
    }
    [[nodiscard]] const std::string& address() const { return address_; }
    /// Pushes the tests' usual image; gives its whole name.
    [[nodiscard]] std::string give(const std::string& name) const {
        auto image = address_ + "/" + name;
        write_oci_layout(folder_ / "registry-layout", {{busybox_layer(), Tar().file("etc/image-file", "of the registry\n").bytes()}, "{}", ""});
        REQUIRE(eventually([&] {
            return cicd::test::run({"skopeo", "copy", "--dest-tls-verify=false", "--dest-creds", "someone:pass word:1",
                                    "oci:" + (folder_ / "registry-layout").string(), "docker://" + image}).code == 0;
        }));
        return image;
    }

private:
    static int free_port() {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        (void)::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
        (void)::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
        ::close(socket);
        return ntohs(address.sin_port);
    }

    std::filesystem::path folder_;
    std::string address_;
    std::unique_ptr<Background> server_;
};

}  // namespace cicd::test
