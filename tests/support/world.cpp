#include "tests/support/world.hpp"

#include "common/codec/json.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace cicd::test {

TempDir::TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cicd-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
    path_ = std::filesystem::canonical(pattern);
}

TempDir::~TempDir() {
    if (std::getenv("CICD_KEEP")) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream << text;
    if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

std::string read_file(const std::filesystem::path& file) {
    // Not a C++ stream: those throw where a process goes away while its /proc file is read.
    std::string text;
    if (std::FILE* stream = std::fopen(file.c_str(), "rb")) {
        char buffer[65536];
        while (const auto n = std::fread(buffer, 1, sizeof buffer, stream)) text.append(buffer, n);
        std::fclose(stream);
    }
    return text;
}

GitRepository::GitRepository(const std::vector<std::pair<std::string, std::string>>& files) {
    git({"init", "-q", "-b", "main"});
    for (const auto& [name, text] : files) write(name, text);
    commit("first");
}

std::string GitRepository::git(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command{"git", "-c", "user.name=Tester", "-c", "user.email=tester@example.com",
                                     "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    RunOptions options{.directory = path()};
    options.env = {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_SYSTEM", "/dev/null"}};
    const auto outcome = run(command, options);
    if (outcome.code != 0) throw std::runtime_error("git " + arguments.front() + ": " + outcome.err);
    auto text = outcome.out;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

std::string GitRepository::commit(const std::string& message) const {
    git({"add", "-A"});
    git({"commit", "-q", "--allow-empty", "-m", message});
    return git({"rev-parse", "HEAD"});
}

std::string program(const std::string& name) {
    const char* other = std::getenv("CICD_TEST_BIN_DIR");
    return std::string(other ? other : CICD_BIN_DIR) + "/" + name;
}

bool is_sanitized(const std::string& name) { return run({"grep", "-qE", "__(asan|tsan)_init", program(name)}).code == 0; }

World::World() {
    std::filesystem::create_directories(folder_.path() / "home");
    std::filesystem::create_directories(config());
}

World::~World() {
    kill_daemon();
    // Runners outlive their daemon, as they should: what a failed test left running ends here.
    for (const int pid : processes_with_argument(state().string())) ::kill(pid, SIGKILL);
}

namespace {
RunOptions with_environment(const World& world, RunOptions options) {
    if (options.directory.empty()) options.directory = world.folder();
    const std::map<std::string, std::string> own{{"CICD_STATE_DIR", world.state().string()},
                                                 {"CICD_CONFIG_DIR", world.config().string()},
                                                 {"HOME", (world.folder() / "home").string()},
                                                 {"XDG_CACHE_HOME", (world.folder() / "cache").string()},
                                                 {"CICD_SOCKET", ""},
                                                 {"CICD_ACTIONS_SERVER", "none"},  // no test asks the network
                                                 {"NO_COLOR", ""},
                                                 {"TERM", "xterm-256color"}};
    for (const auto& [name, value] : own) options.env.emplace(name, value);
    return options;
}
}  // namespace

RunOptions World::in(const std::filesystem::path& directory) const {
    RunOptions options;
    options.directory = directory;
    return with_environment(*this, std::move(options));
}

Outcome World::cicdctl(const std::vector<std::string>& arguments, RunOptions options) const {
    std::vector<std::string> command{program("cicdctl")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command, with_environment(*this, std::move(options)));
}

std::unique_ptr<Background> World::start_cicdctl(const std::vector<std::string>& arguments, RunOptions options) const {
    std::vector<std::string> command{program("cicdctl")};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return std::make_unique<Background>(command, with_environment(*this, std::move(options)));
}

Value World::json(std::vector<std::string> arguments, RunOptions options) const {
    arguments.insert(arguments.end(), {"-o", "json"});
    const auto outcome = cicdctl(arguments, std::move(options));
    const auto value = codec::parse_json(outcome.out);
    INFO(outcome.out, outcome.err);
    CHECK(value.has_value());
    return value ? *value : Value{};
}

void World::start_daemon() const {
    const auto outcome = cicdctl({"daemon", "start"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
}

int World::daemon_pid() const {
    std::ifstream file(state() / "cicdd.pid");
    int pid = 0;
    file >> pid;
    return pid;
}

void World::kill_daemon() const {
    const int pid = daemon_pid();
    if (pid <= 0 || !is_alive(pid)) return;
    // A reused pid is not ours to kill: the daemon's command line names itself.
    if (read_file("/proc/" + std::to_string(pid) + "/cmdline").find("cicdd") == std::string::npos) return;
    ::kill(pid, SIGKILL);
    eventually([&] { return !is_alive(pid); });
}

}  // namespace cicd::test
