#include "common/codec/json.hpp"
#include "daemon/engines/container.hpp"
#include "daemon/engines/engine.hpp"
#include "daemon/engines/finding.hpp"
#include "daemon/engines/images.hpp"
#include "daemon/os/fd.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

using namespace cicd;
using namespace cicd::engines;

namespace {

std::string reply(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

constexpr const char* version = R"({"Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24","Components":[{"Name":"Podman Engine"}]})";

/// Answers what it is told to, and then closes the connection where that is empty.
class FakeEngine {
public:
    using Handler = std::function<std::string(const std::string& request)>;
    explicit FakeEngine(Handler handler, std::string told = version) : handler_(std::move(handler)), version_(std::move(told)) {
        std::string name = (std::filesystem::temp_directory_path() / "cicd-engine-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        listener_ = os::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
        REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(listener_.get(), 8) == 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeEngine() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
        std::filesystem::remove_all(folder_);
    }
    [[nodiscard]] std::string socket() const { return folder_ + "/s"; }
    std::string last;  ///< request; read when the client has its answer

private:
    void serve() {
        for (;;) {
            const os::Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!client) return;
            std::string request;
            char buffer[65536];
            for (ssize_t n; (n = ::read(client.get(), buffer, sizeof buffer)) > 0;) {
                request.append(buffer, static_cast<std::size_t>(n));
                const auto head = request.find("\r\n\r\n");
                if (head == std::string::npos) continue;
                const bool chunked = request.find("chunked") < head;
                if (chunked && !request.ends_with("0\r\n\r\n")) continue;
                const auto length = request.find("Content-Length: ");
                if (length < head && request.size() < head + 4 + std::stoul(request.substr(length + 16))) continue;
                last = request;
                const auto answer = request.starts_with("GET /version ") ? reply(200, version_) : request.starts_with("GET /_ping ") ? reply(404, "{}") : handler_(request);
                request.clear();
                if (answer.empty() || ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
                if (answer.find("\r\nX-Cut") != std::string::npos) break;
            }
        }
    }
    Handler handler_;
    std::string version_, folder_;
    os::Fd listener_;
    std::thread thread_;
};

std::string chunk(const std::string& text) {
    char size[20];
    (void)std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + text + "\r\n";
}
constexpr const char* chunked_head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";

Engine connected(const FakeEngine& fake) {
    auto engine = Engine::connect(fake.socket());
    REQUIRE(engine.has_value());
    return std::move(*engine);
}

model::JobSpec spec_of(const std::string& image) {
    model::JobSpec spec;
    spec.job = JobId("job-1");
    spec.store = "/state";
    spec.workspace = "/state/jobs/job-1/1/workspace";
    spec.executor = model::ExecutorKind::container;
    spec.image = model::Image{image, "", "", "", ""};
    return spec;
}

const Value& member(const Value& value, std::initializer_list<const char*> path) {
    const Value* here = &value;
    for (const char* key : path) here = &(*here)[key];
    return *here;
}

}  // namespace

TEST_CASE("an engine is known by its version; what is none, or too old, is refused") {
    const auto nothing = [](const std::string&) { return reply(404, "{}"); };
    {
        FakeEngine podman(nothing);
        const auto engine = connected(podman);
        CHECK(engine.name() == "Podman 4.3.1");
        CHECK(engine.facts().api == "1.41");
    }
    {
        FakeEngine docker(nothing, R"({"Version":"29.0","ApiVersion":"1.52","MinAPIVersion":"1.44"})");
        const auto engine = connected(docker);
        CHECK(engine.name() == "Docker 29.0");
        CHECK(engine.facts().api == "1.44");
    }
    for (const char* wrong : {R"({"ApiVersion":"1.40"})", R"({"ApiVersion":"later"})", R"({"ApiVersion":1.41})", "{}", "[]", "null", "no json", ""}) {
        FakeEngine other(nothing, wrong);
        const auto engine = Engine::connect(other.socket());
        INFO(wrong);
        REQUIRE(!engine);
        CHECK((engine.error().code == "ENGINE_002" || engine.error().code == "ENGINE_003"));
    }
    const auto nobody = Engine::connect("/nowhere/at.all");
    REQUIRE(!nobody);
    CHECK(nobody.error().code == "ENGINE_001");
}

TEST_CASE("answers are taken as they are; those that cannot be understood, are cut or too large are errors") {
    std::string answer;
    FakeEngine fake([&](const std::string&) { return answer; });
    auto engine = connected(fake);
    answer = reply(404, R"({"message":"no such container"})");
    const auto absent = engine.ask("GET", "/containers/x/json");
    REQUIRE(absent.has_value());
    CHECK(absent->status == 404);
    CHECK(absent->complaint() == "no such container");
    CHECK(fake.last.starts_with("GET /v1.41/containers/x/json "));
    answer = reply(500, "<html>oops");
    REQUIRE(engine.ask("POST", "/x").has_value());
    CHECK(engine.ask("POST", "/x")->complaint() == "<html>oops");
    answer = reply(200, "{\"half\":");
    CHECK(!engine.ask("GET", "/x").has_value());
    answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\nX-Cut: 1\r\n\r\n{";
    const auto cut = engine.ask("GET", "/x");
    REQUIRE(!cut);
    CHECK(cut.error().message.find("cut off") != std::string::npos);
    answer = reply(200, "\"" + std::string(17 << 20, 'x') + "\"");
    const auto large = engine.ask("GET", "/x");
    REQUIRE(!large);
    CHECK(large.error().message.find("larger than") != std::string::npos);
    answer = "";
    CHECK(!engine.ask("POST", "/x").has_value());
}

TEST_CASE("progress is a stream of documents: errors in it, and its sudden end, are errors") {
    std::string answer;
    FakeEngine fake([&](const std::string&) { return answer; });
    auto engine = connected(fake);
    std::vector<std::string> seen;
    const auto follow = [&] {
        seen.clear();
        return engine.stream("POST", "/images/create", [&](const Value& line) { return seen.push_back(line["status"].is_string() ? line["status"].as_string() : "?"), true; });
    };
    answer = std::string(chunked_head) + "\r\n" + chunk("{\"status\":\"a\"}\n{\"sta") + chunk("tus\":\"b\"}\n") + chunk("{\"status\":\"c\"}") + "0\r\n\r\n";
    CHECK((follow()).has_value());
    CHECK(seen == std::vector<std::string>{"a", "b", "c"});
    answer = std::string(chunked_head) + "X-Cut: 1\r\n\r\n" + chunk("{\"status\":\"a\"}\n");
    const auto cut = follow();
    REQUIRE(!cut);
    CHECK(cut.error().message.find("cut off") != std::string::npos);
    answer = std::string(chunked_head) + "\r\n" + chunk("{\"status\":\"a\"}\n{\"errorDetail\":{},\"error\":\"manifest unknown\"}\n") + "0\r\n\r\n";
    const auto refused = follow();
    REQUIRE(!refused);
    CHECK(refused.error().message == "manifest unknown");
    answer = std::string(chunked_head) + "\r\n" + chunk("{{{\n") + "0\r\n\r\n";
    CHECK(!follow());
    answer = reply(500, R"({"message":"boom"})");
    CHECK(follow().error().message == "boom");
    answer = std::string(chunked_head) + "\r\n" + chunk(std::string(2 << 20, 'x')) + "0\r\n\r\n";
    CHECK(!follow());
}

TEST_CASE("nobody waits for an engine that hangs") {
    std::atomic<bool> hang = true;
    FakeEngine fake([&](const std::string&) {
        while (hang) std::this_thread::yield();
        return std::string();
    });
    auto engine = connected(fake);
    engine.stop_when([] { return true; });
    const auto answer = engine.ask("POST", "/containers/create");
    hang = false;
    REQUIRE(!answer);
    CHECK(answer.error().kind == ErrorKind::cancelled);
}

TEST_CASE("a login goes in its header, a refusal says what to do, and an upload goes in pieces") {
    std::string pull;
    FakeEngine fake([&](const std::string& request) { return request.starts_with("GET ") ? reply(404, "{}") : pull; });
    auto engine = connected(fake);
    const auto spec = spec_of("registry.example.com/team/box:1");
    std::vector<std::string> lines;
    const Tell tell = [&](std::string_view line) { lines.emplace_back(line); };
    pull = reply(500, R"({"message":"unauthorized: access to the requested resource is not authorized"})");
    const auto refused = provide_image(engine, spec, "me:pass:word", tell);
    REQUIRE(!refused);
    CHECK(refused.error().code == "IMAGE_006");
    CHECK(refused.error().hint.find("credentials") != std::string::npos);
    // {"username":"me","password":"pass:word","serveraddress":"registry.example.com"}
    CHECK(fake.last.find("X-Registry-Auth: eyJ1c2VybmFtZSI6Im1lIiwicGFzc3dvcmQiOiJwYXNzOndvcmQiLCJzZXJ2ZXJhZGRyZXNzIjoicmVnaXN0cnkuZXhhbXBsZS5jb20ifQ==") != std::string::npos);
    CHECK(fake.last.find("fromImage=registry.example.com%2Fteam%2Fbox&tag=1 ") != std::string::npos);
    for (const auto& line : lines) CHECK(line.find("pass") == std::string::npos);
    auto never = spec;
    never.image->pull = "never";
    CHECK(provide_image(engine, never, "", tell).error().code == "IMAGE_001");

    pull = reply(200, "{}");
    int pieces = 0;
    const auto loaded = engine.stream("POST", "/images/load", [](const Value&) { return true; }, {},
                        [&]() -> Result<std::string> { return ++pieces <= 3 ? "piece" + std::to_string(pieces) : std::string(); });
    CHECK(loaded.has_value());
    CHECK(fake.last.find("piece1") != std::string::npos);
    CHECK(fake.last.find("piece3") != std::string::npos);
}

TEST_CASE("an image is found by its digest, by its id, and under the name that imports get") {
    std::string known;
    FakeEngine fake([&](const std::string& request) {
        return request.find("/images/" + known + "/json ") != std::string::npos
                   ? reply(200, R"({"Id":"sha256:1111","RepoDigests":["other@sha256:33","docker.io/library/box@sha256:2222"]})")
                   : reply(404, R"({"message":"no such image"})");
    });
    auto engine = connected(fake);
    known = "box%3A1";
    auto found = find_image(engine, "box:1");
    REQUIRE((found && *found));
    CHECK((*found)->id == "sha256:1111");
    CHECK((*found)->digest == "sha256:2222");
    known = "localhost%2Fbox%3A1";
    CHECK(find_image(engine, "box:1")->has_value());
    CHECK(!find_image(engine, "localhost/box:2")->has_value());
    for (const char* form : {"box%40sha256%3A77", "sha256%3A77", "localhost%2Fcicd-image%3A77"}) {
        known = form;
        CHECK_MESSAGE(find_image(engine, "box:1@sha256:77")->has_value(), form);
    }
    // A path is not asked for by its name: that would be somebody else's image.
    known = "oci%3Abox%40sha256%3A77";
    CHECK(!find_image(engine, "oci:box@sha256:77")->has_value());
}

TEST_CASE("a container is given what its job declares, and nothing else") {
    auto spec = spec_of("box:1");
    spec.network = model::NetworkMode::none;
    spec.limits = {0.5, 64 << 20, 100, 1 << 20, 2};
    spec.image->user = "app";
    const Folders folders{"/libexec/cicd-runner", "/state/jobs/job-1/1/place"};
    const Value docker = *container_request(spec, "sha256:1", folders, Facts::Kind::docker);
    const auto& host = docker["HostConfig"];
    CHECK(docker["User"] == Value("app"));
    CHECK(member(docker, {"Labels", "io.cicd.job"}) == Value("job-1/1"));
    CHECK(member(docker, {"Labels", "io.cicd.state"}) == Value("/state"));
    CHECK(host["Memory"] == Value(64 << 20));
    CHECK(host["MemorySwap"] == host["Memory"]);
    CHECK(host["NanoCpus"] == Value(0.5e9));
    CHECK(host["PidsLimit"] == Value(100));
    CHECK(host["NetworkMode"] == Value("none"));
    CHECK(host["SecurityOpt"].as_array().at(0) == Value("no-new-privileges"));
    CHECK(!host.as_object().contains("Privileged"));
    REQUIRE(host["Mounts"].as_array().size() == 3);
    for (const auto& mount : host["Mounts"].as_array()) CHECK(mount["ReadOnly"].as_bool() == (mount["Target"] != Value("/workspace")));
    CHECK(codec::to_json(host["DeviceRequests"]) == R"([{"Driver":"","Count":2,"Capabilities":[["gpu"]]}])");
    const Value podman = *container_request(spec, "sha256:1", folders, Facts::Kind::podman);
    CHECK(podman["HostConfig"]["Devices"].as_array().at(1)["PathOnHost"] == Value("nvidia.com/gpu=1"));

    CHECK(codec::to_json(docker["Entrypoint"]) == R"(["/run/.cicd/init"])");
    spec.image->entrypoint = "/bin/entry  point";
    const Value with_entry = *container_request(spec, "sha256:1", folders, Facts::Kind::docker);
    CHECK(codec::to_json(with_entry["Entrypoint"]) == R"(["/bin/entry","point"])");
    CHECK(with_entry["Cmd"].as_array().at(0) == Value("/run/.cicd/init"));
    // Two states on one engine, two attempts of one job.
    auto other = spec;
    other.attempt = 2;
    CHECK(container_name(other) != container_name(spec));
    other = spec;
    other.store = "/other";
    CHECK(container_name(other) != container_name(spec));
}

TEST_CASE("options are the engine's own; volumes are the job's, or folders that the configuration allows") {
    auto spec = spec_of("box:1");
    const Folders folders{"/libexec/cicd-runner", "/state/jobs/job-1/1/place"};
    spec.image->options.volumes = {"data:/data:ro", "/scratch", "/usr/share:/shared"};
    spec.image->options.labels = {{"team", "x"}, {"io.cicd.state", "/elsewhere"}};
    spec.image->options.tmpfs = {"/fast:size=1m"};
    spec.image->options.ulimits = {"nofile=10:20", "core=0"};
    spec.image->options.shared_memory = 1 << 20;
    spec.image->options.hosts = {"other:10.0.0.1"};
    spec.image->options.hostname = "box";
    const auto refused = container_request(spec, "sha256:1", folders, Facts::Kind::docker);
    REQUIRE(!refused);
    CHECK(refused.error().hint == "allow it in config.yaml: volumes: [/usr/share]");
    spec.mountable = {"/usr"};
    const Value made = *container_request(spec, "sha256:1", folders, Facts::Kind::docker);
    const auto& host = made["HostConfig"];
    CHECK(made["Hostname"] == Value("box"));
    CHECK(member(made, {"Labels", "team"}) == Value("x"));
    CHECK(member(made, {"Labels", "io.cicd.state"}) == Value("/state"));
    CHECK(host["ShmSize"] == Value(1 << 20));
    CHECK(host["Tmpfs"]["/fast"] == Value("size=1m"));
    CHECK(codec::to_json(host["Ulimits"]) == R"([{"Name":"nofile","Soft":10,"Hard":20},{"Name":"core","Soft":0,"Hard":0}])");
    CHECK(codec::to_json(host["ExtraHosts"]) == R"(["other:10.0.0.1"])");
    const auto& mounts = host["Mounts"].as_array();
    const auto& last = mounts.back();
    CHECK(last["Source"] == Value("/usr/share"));
    CHECK(mounts[mounts.size() - 3]["Source"] == Value(volume_name(spec, "data")));
    CHECK(mounts[mounts.size() - 3]["ReadOnly"] == Value(true));
    CHECK(mounts[mounts.size() - 2]["Type"] == Value("volume"));
}

TEST_CASE("a service's container joins the network of its job's, and sees the workspace only where it has no image of its own") {
    auto spec = spec_of("box:1");
    spec.network = model::NetworkMode::none;
    spec.workspace = "/state/jobs/job-1/1/workspace";
    spec.image->entrypoint = "/bin/entry";
    spec.services.resize(2);
    spec.services[0].service.name = "db";
    spec.services[0].service.image = "db:2";
    spec.services[0].service.user = "app";
    spec.services[1].service.name = "files";
    const Folders folders{"/libexec/cicd-runner", "/state/jobs/job-1/1/place", "/state/jobs/job-1/1/hosts"};
    const auto request = [&](const std::string& service) -> Value {
        const auto own = service.empty() ? Result<model::JobSpec>(spec) : spec_of_service(spec, service);
        REQUIRE(own.has_value());
        return *container_request(*own, "sha256:1", folders, Facts::Kind::docker, service);
    };
    const auto sources = [](const Value& of) {
        std::string text;
        for (const auto& mount : of["HostConfig"]["Mounts"].as_array()) text += mount["Target"].as_string() + " ";
        return text;
    };
    const auto job = request(""), db = request("db"), files = request("files");
    CHECK(job["HostConfig"]["NetworkMode"] == Value("none"));
    CHECK(!job.as_object().contains("NetworkDisabled"));
    CHECK(sources(job).find("/etc/hosts") != std::string::npos);
    CHECK(db["HostConfig"]["NetworkMode"] == Value("container:" + container_name(spec)));
    CHECK(!db.as_object().contains("Hostname"));
    CHECK(member(db, {"Labels", "io.cicd.service"}) == Value("db"));
    CHECK(member(db, {"Labels", "io.cicd.job"}) == Value("job-1/1"));
    CHECK(db["User"] == Value("app"));
    CHECK(sources(db).find("/workspace") == std::string::npos);
    CHECK(!db.as_object().contains("WorkingDir"));
    CHECK(sources(files).find("/workspace") != std::string::npos);
    CHECK(codec::to_json(files["Entrypoint"]) == R"(["/run/.cicd/init"])");
    CHECK(container_name(spec, "db") != container_name(spec, "files"));
    CHECK(!spec_of_service(spec, "other").has_value());
    spec.network = model::NetworkMode::host;
    CHECK(request("")["HostConfig"]["NetworkMode"] == Value("default"));
    spec.services.clear();
    CHECK(request("")["HostConfig"]["NetworkMode"] == Value("host"));
}

TEST_CASE("where an engine is looked for") {
    ::setenv("XDG_RUNTIME_DIR", "/run/of/mine", 1);
    ::unsetenv("DOCKER_HOST");
    const auto sockets = [](const std::string& setting) {
        std::vector<std::string> list;
        const auto found = candidates(setting);
        REQUIRE(found.has_value());
        for (const auto& each : *found) list.push_back(each.socket);
        return list;
    };
    CHECK(sockets("auto").front() == "/run/of/mine/podman/podman.sock");
    CHECK(sockets("unix:///there") == std::vector<std::string>{"/there"});
    for (const auto& socket : sockets("docker")) CHECK(socket.find("podman") == std::string::npos);
    ::setenv("DOCKER_HOST", "unix:///docker.of.mine", 1);
    CHECK(sockets("auto") == std::vector<std::string>{"/docker.of.mine"});
    ::setenv("DOCKER_HOST", "tcp://10.0.0.1:2375", 1);
    CHECK(!candidates("auto").has_value());
    CHECK((candidates("podman")).has_value());  // said by the configuration
    ::unsetenv("DOCKER_HOST");
    CHECK(candidates("none").error().code == "ENGINE_001");
    for (const char* wrong : {"unix://", "unix://relative", "tcp://x", "containerd"}) CHECK(check_setting(wrong).error().code == "ENGINE_004");
}
