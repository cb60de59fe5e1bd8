#include "daemon/engines/finding.hpp"

#include "common/base/text.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/spawn.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace cicd::engines {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto start_limit = std::chrono::seconds(20);
constexpr const char* install = "install one: sudo apt-get install podman uidmap slirp4netns; or leave 'executor' out: the image then runs without an engine";
constexpr const char* unix_prefix = "unix://";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

/// Where this user's own services have their sockets; root's are in /run unless it is told otherwise.
std::string runtime_directory() {
    if (auto given = environment("XDG_RUNTIME_DIR"); given.starts_with('/')) return given;
    if (::geteuid() == 0) return "/run";
    const auto user = std::to_string(::geteuid());
    // Without a session of systemd's there is none; Podman then takes the same folder.
    return ::access(("/run/user/" + user).c_str(), W_OK) == 0 ? "/run/user/" + user : "/tmp/podman-run-" + user;
}

std::string program(const char* name) {
    for (const auto& folder : split(environment("PATH"), ':')) {
        if (!folder.starts_with('/')) continue;
        auto path = folder + "/" + name;
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
}

Result<std::string> path_of(const std::string& address, const std::string& where) {
    if (!address.starts_with(unix_prefix) || address.size() <= 7 || address[7] != '/')
        return invalid("ENGINE_004", where + " is '" + to_valid_utf8(address) + "': only engines on a Unix socket of this machine can be used",
                       "jobs' files are given to the engine by their path here; write unix:///path/to/the.sock");
    return address.substr(7);
}

/// "Podman 4.3.1"
std::string installed_version() {
    auto pipe = os::make_pipe();
    if (!pipe) return "Podman";
    os::SpawnOptions options;
    options.argv = {"podman", "--version"};
    options.cwd = "/";
    options.fds = {{pipe->write.get(), 1}};
    const auto pid = os::spawn(options);
    pipe->write.reset();
    std::string said(200, '\0');
    const ssize_t n = pid ? ::read(pipe->read.get(), said.data(), said.size()) : 0;
    if (pid) while (::waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {}
    said.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    const auto words = split(trim(said), ' ');
    return "Podman" + (words.size() == 3 ? " " + words.back() : std::string());
}

/// One process at a time starts it; the others find it started.
Result<Engine> start_podman(const std::string& socket) {
    const auto folder = fs::path(socket).parent_path();
    if (const auto failure = os::make_private_directory(folder))
        return unavailable("ENGINE_001", "cannot make " + folder.string() + " for Podman's socket: " + failure.message(),
                           "set XDG_RUNTIME_DIR to a folder of yours");
    struct stat owner {};
    if (::lstat(folder.c_str(), &owner) != 0 || owner.st_uid != ::geteuid() || !S_ISDIR(owner.st_mode) || (owner.st_mode & 022) != 0)
        return unavailable("ENGINE_001", folder.string() + " is not ours alone, so Podman's socket cannot be there", "set XDG_RUNTIME_DIR to a folder of yours");
    const os::Fd turn(::open((folder / ".cicd-start").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!turn) return os::last_error("cannot start Podman's service in " + folder.string());
    while (::flock(turn.get(), LOCK_EX) != 0 && errno == EINTR) {}
    if (auto engine = Engine::connect(socket)) return engine;
    // Nobody answers: what lies there is left from one that was killed, and keeps the next from starting.
    if (::unlink(socket.c_str()) != 0 && errno != ENOENT) return os::last_error("cannot remove " + socket);
    const auto log = folder / ".cicd-podman.log";
    const os::Fd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    os::SpawnOptions options;
    options.argv = {"podman", "system", "service", "--time", "60", unix_prefix + socket};
    options.cwd = folder.string();  // conmon leaves a file there where a container runs out of memory
    options.detached = true;
    if (output) options.fds = {{output.get(), 1}, {output.get(), 2}};
    CICD_TRY(const int pid, os::spawn(options));
    for (const auto end = Clock::now() + start_limit; Clock::now() < end; ::poll(nullptr, 0, 10)) {
        if (auto engine = Engine::connect(socket)) return engine;
        if (::kill(pid, 0) != 0) break;
    }
    std::string said(2000, '\0');
    const os::Fd input(::open(log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    const ssize_t n = input ? ::read(input.get(), said.data(), said.size()) : 0;
    said.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return unavailable("ENGINE_001", "Podman's service did not start" + (trim(said).empty() ? "" : ": " + to_valid_utf8(trim(said))),
                       "see what it says: podman system service --time 0 unix://" + socket);
}

}  // namespace

Result<void> check_setting(const std::string& setting) {
    for (const char* word : {"", "auto", "podman", "docker", "none"})
        if (setting == word) return {};
    auto path = path_of(setting, "'engine'");
    if (path) return {};
    return invalid("ENGINE_004", "'engine' must be auto, podman, docker, none or unix:///PATH, not '" + to_valid_utf8(setting) + "'");
}

Result<std::vector<Candidate>> candidates(const std::string& setting) {
    CICD_CHECK(check_setting(setting));
    if (setting == "none")
        return unavailable("ENGINE_001", "the configuration says that there is no container engine (engine: none)",
                           "set it: cicdctl config set engine auto");
    if (setting.starts_with(unix_prefix)) {
        CICD_TRY(auto path, path_of(setting, "'engine'"));
        return std::vector<Candidate>{{std::move(path)}};
    }
    std::vector<Candidate> list;
    const bool any = setting.empty() || setting == "auto";
    if (const auto host = environment("DOCKER_HOST"); any && !host.empty()) {
        CICD_TRY(auto path, path_of(host, "DOCKER_HOST"));
        return std::vector<Candidate>{{std::move(path)}};
    }
    const auto own = runtime_directory();
    const bool installed = !program("podman").empty();
    const bool root = ::geteuid() == 0;
    if (any || setting == "podman") {
        if (!root) list.push_back({own + "/podman/podman.sock", installed});
        else if (own != "/run") list.push_back({own + "/podman/podman.sock"});
        list.push_back({"/run/podman/podman.sock"});
    }
    if (any || setting == "docker") {
        if (!root) list.push_back({own + "/docker.sock"});
        list.push_back({"/var/run/docker.sock"});
    }
    // Root's Podman is started only where no engine is served.
    if (root && installed && setting != "docker") list.push_back({own + "/podman/podman.sock", true});
    return list;
}

Result<Engine> find_engine(const std::string& setting, MayStart may_start) {
    CICD_TRY(const auto list, candidates(setting));
    std::optional<Error> refusal;
    for (const auto& candidate : list) {
        auto engine = Engine::connect(candidate.socket);
        if (engine) return engine;
        // Somebody is there but not for us, or not what was looked for: worth telling, should nothing else be found.
        if ((::access(candidate.socket.c_str(), F_OK) == 0 || list.size() == 1) && !refusal) refusal = engine.error();
        if (!candidate.served_by_podman || may_start == MayStart::no) continue;
        auto started = start_podman(candidate.socket);
        if (started) return started;
        refusal = started.error();
    }
    if (refusal) {
        refusal->kind = ErrorKind::unavailable;
        if (refusal->message.find("not allowed") != std::string::npos)
            refusal->hint = "join its group (sudo usermod -aG docker $USER, then log in again), or install podman, which needs no rights: sudo apt-get install podman uidmap slirp4netns";
        return *refusal;
    }
    return unavailable("ENGINE_001", "there is no container engine on this machine", install);
}

Result<Engine> start_served(const std::string& socket) {
    const auto list = candidates("podman");
    for (const auto& candidate : list ? *list : std::vector<Candidate>())
        if (candidate.socket == socket && candidate.served_by_podman) return start_podman(socket);
    return Engine::connect(socket);
}

std::string describe(Engine& engine) {
    const auto info = engine.ask("GET", "/info");
    const Value none;
    const auto& options = info ? info->body["SecurityOptions"] : none;
    bool rootless = false;
    if (options.is_array())
        for (const auto& option : options.as_array()) rootless = rootless || (option.is_string() && option.as_string() == "name=rootless");
    return engine.name() + (rootless ? ", rootless" : "");
}

Result<std::string> what_is_here(const std::string& setting) {
    auto engine = find_engine(setting, MayStart::no);
    if (engine) return describe(*engine) + " at " + engine->facts().socket;
    const auto list = candidates(setting);
    for (const auto& candidate : list ? *list : std::vector<Candidate>())
        if (candidate.served_by_podman)
            return installed_version() + (::geteuid() == 0 ? "" : ", rootless") + ", served when a job needs it, at " + candidate.socket;
    return engine.error();
}

}  // namespace cicd::engines
