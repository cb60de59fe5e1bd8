#include "tests/support/image.hpp"
#include "tests/support/text.hpp"
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>

using namespace cicd;
using namespace cicd::test;

// Images of a registry, by a real one on this machine; and what is left when somebody is killed on the way.
namespace {

bool cannot() {
    for (const char* name : {"skopeo", "docker-registry", "busybox"})
        if (packaged_program(name).empty()) {
            MESSAGE("skipped: " << name << " is not installed");
            return true;
        }
    const auto why = why_not_in_an_image();
    if (!why.empty()) MESSAGE("skipped: " << why);
    return !why.empty();
}

int free_port() {
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

/// Megabytes that do not pack, in a tar that is valid.
std::string large_layer(std::size_t megabytes) {
    std::mt19937_64 numbers(7);
    std::string bytes(megabytes << 20, '\0');
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
        const auto number = numbers();
        bytes.replace(i, 8, reinterpret_cast<const char*>(&number), 8);
    }
    return Tar().file("large", bytes).bytes();
}

struct Registry {
    Registry() : repository{{".cicd.yaml", ""}} {
        port = std::to_string(free_port());
        write_file(world.folder() / "registry.yaml",
                   "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: " +
                       (world.folder() / "registry").string() + "}}\nhttp: {addr: '127.0.0.1:" + port + "'}\n");
        write_file(world.folder() / "home/.config/containers/registries.conf",
                   "[[registry]]\nlocation=\"localhost:" + port + "\"\ninsecure=true\n");
        start();
    }
    void start() {
        server = std::make_unique<Background>(std::vector<std::string>{packaged_program("docker-registry"), "serve", (world.folder() / "registry.yaml").string()});
        REQUIRE(eventually([&] { return skopeo({"list-tags", "docker://localhost:" + port + "/none"}).err.find("refused") == std::string::npos; }));
    }
    Outcome skopeo(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "skopeo");
        RunOptions options;
        options.env["HOME"] = (world.folder() / "home").string();
        return cicd::test::run(arguments, options);
    }
    std::string push(const std::string& name, const ImageParts& parts) {
        const auto layout = world.folder() / ("layout-" + std::to_string(++count));
        write_oci_layout(layout, parts);
        const auto pushed = skopeo({"copy", "oci:" + layout.string(), "docker://" + image(name)});
        INFO(pushed.err);
        REQUIRE(pushed.code == 0);
        // Another one than the layout's: on the way, layers were packed.
        auto digest = skopeo({"inspect", "--format", "{{.Digest}}", "docker://" + image(name)}).out;
        digest.erase(digest.find_last_not_of('\n') + 1);
        return digest;
    }
    [[nodiscard]] std::string image(const std::string& name) const { return "localhost:" + port + "/" + name; }
    void use(const std::string& image_yaml, const std::string& command) const {
        repository.write(".cicd.yaml", "name: p\nstages:\n  - {name: a, image: " + image_yaml + ", commands: ['" + command + "']}\n");
    }
    Outcome run(std::vector<std::string> more = {}) {
        more.insert(more.begin(), "run");
        return world.cicdctl(more, world.in(repository.path()));
    }
    /// Half-made images.
    [[nodiscard]] int drafts() const {
        int found = 0;
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(world.state() / "images", ignored))
            if (entry.path().filename().string().starts_with(".")) ++found;
        return found;
    }
    World world;
    GitRepository repository;
    std::string port;
    std::unique_ptr<Background> server;
    int count = 0;
};

}  // namespace

TEST_CASE("an image comes from its registry once, by the digest that it had when the run began") {
    if (cannot()) return;
    Registry registry;
    const auto digest = registry.push("team/box:1", {{busybox_layer()}, "{}", ""});
    const auto newer = registry.push("team/box:2", {{busybox_layer(), Tar().file("etc/image-file", "newer\n").bytes()}, "{}", ""});
    registry.use("'" + registry.image("team/box:1") + "'", "cat /etc/image-file");
    const auto first = registry.run();
    INFO(first.out, first.err);
    CHECK(first.code == 0);
    CHECK(contains(first.out, "pulling the image " + registry.image("team/box:1") + "@" + digest));
    CHECK(contains(first.out, "of the image"));
    const auto show = registry.world.json({"show", "job-1"});
    CHECK(show["image"] == Value(registry.image("team/box:1") + "@" + digest));
    CHECK(registry.drafts() == 0);

    // Pinned by the pipeline: exactly that one, whatever the tag says.
    registry.use("'" + registry.image("team/box:1") + "@" + newer + "'", "cat /etc/image-file");
    CHECK(contains(registry.run().out, "newer"));

    // The tag moves on; only who asks for it notices.
    registry.push("team/box:1", {{busybox_layer(), Tar().file("etc/image-file", "moved\n").bytes()}, "{}", ""});
    registry.use("{name: '" + registry.image("team/box:1") + "', pull: always}", "cat /etc/image-file");
    CHECK(contains(registry.run().out, "moved"));

    registry.server.reset();
    registry.use("'" + registry.image("team/box:1") + "'", "cat /etc/image-file");
    const auto offline = registry.run();
    CHECK(offline.code == 0);
    CHECK(!contains(offline.out, "pulling"));
    registry.use("'" + registry.image("team/unknown:1") + "'", "true");
    const auto refused = registry.run();
    CHECK(refused.code == 2);
    CHECK(contains(refused.err, "cannot be had from its registry"));
}

TEST_CASE("a daemon killed while it pulls leaves nothing half-made, and the next one goes on") {
    if (cannot()) return;
    Registry registry;
    registry.push("box:1", {{busybox_layer(), large_layer(96)}, "{}", ""});
    registry.use("'" + registry.image("box:1") + "'", "ls -l /large");
    REQUIRE(registry.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return registry.drafts() > 0; }));
    registry.world.kill_daemon();
    registry.world.start_daemon();
    const auto watched = registry.world.cicdctl({"watch", "run-1"});
    INFO(watched.out, watched.err);
    CHECK(watched.code == 0);
    CHECK(contains(registry.world.cicdctl({"logs", "job-1"}).out, "100663296"));
    CHECK(eventually([&] { return registry.drafts() == 0; }));
    CHECK(registry.world.json({"image", "list"})["data"].as_array().size() == 1);
}

TEST_CASE("a job that is cancelled while its image is pulled ends at once, and so does the pull") {
    if (cannot()) return;
    Registry registry;
    registry.push("box:1", {{busybox_layer(), large_layer(96)}, "{}", ""});
    registry.use("'" + registry.image("box:1") + "'", "sleep 1000");
    REQUIRE(registry.run({"--detach"}).code == 0);
    REQUIRE(eventually([&] { return registry.drafts() > 0; }));
    CHECK(registry.world.cicdctl({"cancel", "run-1"}).code == 0);
    CHECK(eventually([&] { return registry.world.json({"show", "run-1"})["status"] == Value("cancelled"); }));
    CHECK(eventually([&] { return registry.drafts() == 0; }));
    CHECK(processes_with_argument((registry.world.state() / "images").string()).empty());
}

TEST_CASE("a daemon killed while it unpacks leaves nothing half-made") {
    World world;
    world.start_daemon();
    write_oci_layout(world.folder() / "large", {{large_layer(128)}, "{}", ""});
    const auto importing = world.start_cicdctl({"image", "import", "large", (world.folder() / "large").string()});
    const auto images = world.state() / "images";
    REQUIRE(eventually([&] {
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(images, ignored))
            if (entry.path().filename() != "names") return true;
        return false;
    }));
    world.kill_daemon();
    CHECK(importing->wait().code != 0);
    world.start_daemon();
    CHECK(eventually([&] { return std::distance(std::filesystem::directory_iterator(images), std::filesystem::directory_iterator()) == 1; }));
    CHECK(world.json({"image", "list"})["data"].as_array().empty());
    CHECK(world.cicdctl({"image", "import", "large", (world.folder() / "large").string()}).code == 0);
    CHECK(world.json({"image", "show", "large"})["bytes"] == Value(128 << 20));
}
