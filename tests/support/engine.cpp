#include "tests/support/engine.hpp"

#include "tests/support/image.hpp"

#include <doctest/doctest.h>

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace cicd::test {
namespace {

std::string missing(std::initializer_list<const char*> programs) {
    if (::geteuid() != 0) return "only root's engine is tested here";
    for (const char* name : programs)
        if (packaged_program(name).empty()) return std::string(name) + " is not installed";
    return {};
}

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> list;
    for (std::string word; stream >> word;) list.push_back(word);
    return list;
}

}  // namespace

std::string why_no_podman() {
    const auto why = why_not_in_an_image();
    return why.empty() ? missing({"podman", "runc", "conmon"}) : why;
}

std::string why_no_docker() {
    const auto why = why_not_in_an_image();
    return why.empty() ? missing({"dockerd", "docker"}) : why;
}

TestEngine::TestEngine(Kind kind) : kind_(kind) {
    // Limits of their own that a machine without CAP_SYS_RESOURCE can set.
    write_file(folder_ / "containers.conf",
               "[containers]\ndefault_ulimits = [\"nofile=1000:1000\", \"nproc=5000:5000\"]\n[engine]\nruntime = \"runc\"\n"
               "cgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n[network]\nnetwork_backend = \"netavark\"\n");
    const auto at = folder_.path().string();
    write_file(folder_ / "storage.conf", "[storage]\ndriver = \"overlay\"\ngraphroot = \"" + at + "/root\"\nrunroot = \"" + at + "/runroot\"\n");
    write_file(folder_ / "daemon.json",
               "{\"data-root\":\"" + at + "/data\",\"exec-root\":\"" + at + "/exec\",\"pidfile\":\"" + at + "/pid\",\"hosts\":[\"" + socket() +
                   "\"],\"iptables\":false,\"ip6tables\":false,\"ip-forward\":false,\"ip-masq\":false,\"bridge\":\"none\",\"storage-driver\":\"overlay2\","
                   "\"exec-opts\":[\"native.cgroupdriver=cgroupfs\"],\"live-restore\":true,\"default-ulimits\":{\"nofile\":{\"Name\":\"nofile\",\"Soft\":1000,"
                   "\"Hard\":1000},\"nproc\":{\"Name\":\"nproc\",\"Soft\":1000,\"Hard\":1000}}}\n");
    write_file(folder_ / "registries.conf", "");
    start();
}

void TestEngine::trust(const std::string& registry) {
    write_file(folder_ / "registries.conf", "[[registry]]\nlocation = \"" + registry + "\"\ninsecure = true\n");
    stop();
    start();
}

TestEngine::~TestEngine() {
    for (const auto& id : containers()) (void)command({"rm", "-f", id});
    stop();
    // Podman leaves a mount on its store; Docker's daemon, killed, one on its own folder.
    for (const char* mounted : {"root/overlay", "data"}) (void)run({"umount", "--lazy", (folder_ / mounted).string()});
}

std::string TestEngine::socket() const { return "unix://" + (folder_ / "socket").string(); }

std::map<std::string, std::string> TestEngine::env() const {
    return {{"CONTAINERS_CONF", (folder_ / "containers.conf").string()},
            {"CONTAINERS_STORAGE_CONF", (folder_ / "storage.conf").string()},
            {"CONTAINERS_REGISTRIES_CONF", (folder_ / "registries.conf").string()}};
}

std::vector<std::string> TestEngine::program() const {
    if (kind_ == Kind::docker) return {packaged_program("docker"), "--host", socket()};
    return {"podman", "--root", (folder_ / "root").string(), "--runroot", (folder_ / "runroot").string(), "--storage-driver", "overlay"};
}

Outcome TestEngine::command(std::vector<std::string> arguments) const {
    const auto first = program();
    arguments.insert(arguments.begin(), first.begin(), first.end());
    RunOptions options;
    options.env = env();
    return run(arguments, options);
}

void TestEngine::start() {
    auto line = program();
    line.insert(line.end(), {"system", "service", "--time", "0", socket()});
    if (kind_ == Kind::docker) line = {packaged_program("dockerd"), "--config-file", (folder_ / "daemon.json").string()};
    RunOptions options;
    options.env = env();
    // Docker's daemon starts programs of the packages it came with.
    const auto unpacked = unpacked_packages() / "usr";
    options.env["PATH"] = std::string(std::getenv("PATH")) + ":" + (unpacked / "bin").string() + ":" + (unpacked / "sbin").string();
    options.directory = (folder_ / "socket").parent_path();  // conmon leaves a file "oom" where it was started
    server_ = std::make_unique<Background>(line, options);
    REQUIRE(eventually([&] { return run({cicd::test::program("cicd-container"), "--find", socket()}).code == 0; }));
}

void TestEngine::stop() {
    if (!server_) return;
    // Docker's daemon takes what runs with it where it is asked to end.
    server_->signal(kind_ == Kind::docker ? SIGKILL : SIGTERM);
    (void)server_->wait();
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove(folder_ / "socket", ignored);
}

void TestEngine::give_image(const std::string& name, const std::string& layer) const {
    write_file(folder_ / "layer.tar", layer);
    const auto given = command({"import", (folder_ / "layer.tar").string(), name});
    INFO(given.err);
    REQUIRE(given.code == 0);
}

std::vector<std::string> TestEngine::containers() const {
    // Podman's listing fails where a container goes while it is listed.
    Outcome listed;
    const bool is_listed = eventually([&] {
        listed = command({"ps", "--all", "--quiet", "--no-trunc"});
        return listed.code == 0;
    });
    INFO(listed.err);
    CHECK(is_listed);
    return words(listed.out);
}

bool TestEngine::has_network() const {
    return command({"run", "--rm", "localhost/box:1", "true"}).code == 0;
}

std::vector<std::string> TestEngine::list() const {
    auto all = containers();
    for (const auto& volume : words(command({"volume", "ls", "--quiet"}).out)) all.push_back("volume " + volume);
    for (const auto& network : words(command({"network", "ls", "--format", "{{.Name}}"}).out))
        if (network != "podman" && network != "bridge" && network != "host" && network != "none") all.push_back("network " + network);
    return all;
}

}  // namespace cicd::test
