#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

using namespace cicd;
using namespace cicd::test;

/// Artifacts that are copied to an S3-compatible store, against s3rver from npm.
namespace {

namespace fs = std::filesystem;

/// Installed once beside the programs under test; empty where it cannot be had.
fs::path s3rver() {
    const auto folder = fs::path(program("cicdctl")).parent_path().parent_path() / "npm";
    const auto found = folder / "node_modules/s3rver/bin/s3rver.js";
    if (fs::exists(found) || run({"sh", "-c", "command -v npm node"}).code != 0) return fs::exists(found) ? found : fs::path();
    fs::create_directories(folder);
    (void)run({"npm", "install", "--prefix", folder.string(), "--no-audit", "--no-fund", "s3rver@3.7.1"}, {.limit = std::chrono::seconds(180)});
    return fs::exists(found) ? found : fs::path();
}

int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    (void)::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

struct Shop {
    Shop() : repository({{".cicd.yaml",
                          "name: app\nstages:\n  - name: build\n    commands: ['head -c 300000 /dev/urandom > large; seq 9 > small; sha256sum large > sum']\n"
                          "    artifacts: [{name: out, paths: [large, small, sum]}]\n"
                          "  - {name: test, commands: ['sha256sum -c sum']}\n"}}) {
        fs::create_directories(world.config());
        fs::create_directories(folder());
        configure("secretKey: {env: S3_SECRET}");
    }
    void configure(const std::string& key, const std::string& id = "S3RVER") const {
        write_file(world.config() / "config.yaml", "objects: {s3: {endpoint: 'http://127.0.0.1:" + std::to_string(port) +
                                                       "', bucket: kept, prefix: here, accessKey: " + id + ", " + key + "}}\n");
    }
    void serve() {
        server = std::make_unique<Background>(std::vector<std::string>{"node", script.string(), "-d", folder().string(), "-p", std::to_string(port),
                                                                       "-a", "127.0.0.1", "--configure-bucket", "kept"});
        REQUIRE(server->wait_for_output("listening"));
    }
    [[nodiscard]] fs::path folder() const { return world.folder() / "s3"; }
    [[nodiscard]] Outcome cicdctl(std::vector<std::string> words) const {
        auto options = world.in(repository.path());
        options.env["S3_SECRET"] = "S3RVER";
        return world.cicdctl(words, options);
    }
    [[nodiscard]] std::size_t copies() const {
        std::size_t found = 0;
        if (fs::exists(world.state() / "copies"))
            for (const auto& entry : fs::recursive_directory_iterator(world.state() / "copies")) found += entry.is_regular_file() ? 1 : 0;
        return found;
    }

    World world;
    GitRepository repository;
    int port = free_port();
    fs::path script = s3rver();
    std::unique_ptr<Background> server;
};

}  // namespace

TEST_CASE("artifacts are copied to S3, come back from there checked, and nothing is lost while it is away") {
    Shop shop;
    if (shop.script.empty()) {
        MESSAGE("skipped: s3rver cannot be had from npm here");
        return;
    }
    // It is not there yet: jobs go on, and the log says why nothing is copied.
    const auto first = shop.cicdctl({"run"});
    INFO(first.out, first.err);
    REQUIRE(first.code == 0);
    REQUIRE(eventually([&] { return contains(shop.cicdctl({"daemon", "logs"}).out, "cannot be reached"); }));
    CHECK(shop.copies() == 0);
    CHECK(shop.cicdctl({"artifact", "download", "artifact-1", "--path", "small", "--to", "-"}).out == "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    // Now it is: a pack, a large file and the manifest.
    shop.serve();
    REQUIRE(eventually([&] { return shop.copies() == 3; }, std::chrono::seconds(60)));
    // The disk loses all; it comes back, also to jobs.
    fs::remove_all(shop.world.state() / "objects");
    CHECK(shop.cicdctl({"artifact", "download", "artifact-1", "--path", "small", "--to", "-"}).out == "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    fs::remove_all(shop.world.state() / "objects");
    const auto again = shop.cicdctl({"job", "restart", "job-2"});
    INFO(again.out, again.err);
    CHECK(again.code == 0);
    CHECK(shop.cicdctl({"watch", "run-2"}).code == 0);
    CHECK(contains(shop.cicdctl({"doctor", "--deep"}).out, "objects are whole"));
    // What was changed there is not taken.
    fs::remove_all(shop.world.state() / "objects");
    for (const auto& entry : fs::recursive_directory_iterator(shop.folder()))
        if (entry.is_regular_file() && entry.file_size() == 300'000) write_file(entry.path(), std::string(300'000, 'x'));
    const auto damaged = shop.cicdctl({"artifact", "download", "artifact-1", "--path", "large", "--to", "-"});
    CHECK(damaged.code == 3);
    CHECK(contains(damaged.err, "holds other bytes"));
    // Away again, with nothing on the disk: a clear error.
    fs::remove_all(shop.world.state() / "objects");
    shop.server.reset();
    const auto away = shop.cicdctl({"artifact", "download", "artifact-1", "--path", "small", "--to", "-"});
    CHECK(away.code == 69);
    CHECK(contains(away.err, "cannot be reached"));
    CHECK_FALSE(contains(away.err, "S3RVER"));
}

TEST_CASE("a key that is wrong or missing is told") {
    Shop shop;
    if (shop.script.empty()) {
        MESSAGE("skipped: s3rver cannot be had from npm here");
        return;
    }
    shop.serve();
    write_file(shop.world.folder() / "key", "wrong-one\n");
    // s3rver knows ids, but does not check SigV4 itself.
    shop.configure("secretKey: {file: " + (shop.world.folder() / "key").string() + "}", "NOBODY");
    REQUIRE(shop.cicdctl({"run"}).code == 0);
    REQUIRE(eventually([&] { return contains(shop.cicdctl({"daemon", "logs"}).out, "InvalidAccessKeyId"); }));
    CHECK_FALSE(contains(shop.cicdctl({"daemon", "logs"}).out, "wrong-one"));
    shop.world.kill_daemon();
    for (const std::string key : {"secretKey: {secret: NONE}", "secretKey: {env: NO_SUCH_VARIABLE}", "secretKey: written-out", "secretKey: {file: /none}"}) {
        shop.configure(key);
        const auto refused = shop.cicdctl({"daemon", "start"});
        INFO(key, ": ", refused.out, refused.err);
        CHECK(refused.code != 0);
    }
}
