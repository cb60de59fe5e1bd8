#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/job/container.hpp"
#include "daemon/os/ownership.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/place.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

/// A place that a container engine makes: the program cicd-container speaks with the engine, and what it hands over is the
/// same socket to the same init as in a sandbox.
namespace cicd::runner {
namespace {

constexpr std::size_t longest_packet = 16 << 10;
constexpr std::size_t largest_facts = 1 << 20;
constexpr int removal_limit_ms = 60'000;

}  // namespace

Result<void> Place::begin(const std::filesystem::path& job_directory, const std::string& login, const std::string& service) {
    CICD_TRY(auto channel, os::make_socket_pair());
    CICD_TRY(const auto secret, os::memory_file("login", login));
    os::SpawnOptions options;
    options.argv = {sibling_program("cicd-container").string(), job_directory.string()};
    if (!service.empty()) options.argv.push_back(service);
    options.cwd = "/";
    options.new_session = true;  // it outlives us for as long as the removal takes, however we end
    options.fds = {{channel.second.get(), job::container_channel_fd}, {secret.get(), job::container_login_fd}, {STDERR_FILENO, STDERR_FILENO}};
    auto pid = os::spawn(options);
    if (!pid) return std::move(pid.error()).within("cicd-container could not be started");
    pid_ = *pid;
    channel_ = std::move(channel.first);
    return {};
}

Result<Told> Place::next_of_channel() {
    CICD_TRY(auto packet, os::receive_packet(channel_.get(), longest_packet));
    if (packet.data.empty()) return unavailable("JOB_003", "the container could not be made: cicd-container ended", "see runner.log in the job's directory");
    const auto text = std::string_view(packet.data).substr(1);
    Told told;
    switch (packet.data.front()) {
        case job::container_note: told.note = std::string(text); return told;
        case job::container_place:
            if (packet.fds.size() != 1) break;
            if (!text.empty()) CICD_CHECK(read_image(text));
            socket_ = std::move(packet.fds.front());
            told.note = "";
            return told;
        case job::container_error: {
            CICD_TRY(const auto document, codec::parse_json(text));
            CICD_TRY(const auto error, codec::decode<Error>(document));
            return error;
        }
        default: break;
    }
    return internal_error("what cicd-container says cannot be understood");
}

Result<void> Place::read_image(std::string_view json) {
    CICD_TRY(const auto image, codec::parse_json(json));
    const auto words = [&](const char* name, model::Strings& list) {
        if (!image[name].is_array()) return;
        for (const auto& word : image[name].as_array())
            if (word.is_string()) list.push_back(word.as_string());
    };
    words("entrypoint", inside_.entrypoint);
    words("command", inside_.command);
    if (const auto& folder = image["workingDirectory"]; folder.is_string()) inside_.working_directory = folder.as_string();
    return {};
}

/// Nothing of the job has run yet, but the image's entrypoint may have: sizes are bounded.
void Place::look_inside(const os::Fd& facts) {
    struct stat status {};
    if (::fstat(facts.get(), &status) != 0 || status.st_size < 0 || static_cast<std::size_t>(status.st_size) > largest_facts) return;
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    if (::pread(facts.get(), bytes.data(), bytes.size(), 0) != status.st_size) return;
    const auto program = unpack(bytes);
    if (!program || program->argv.empty()) return;
    inside_.has_bash = program->argv.front() == "bash";
    for (const auto& entry : program->env)
        if (const auto equals = entry.find('='); equals != std::string::npos && equals > 0)
            inside_.env.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
}

int Place::first_pid() const {
    ucred who{};
    socklen_t size = sizeof who;
    return socket_ && ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : 0;
}

Result<void> Place::open_workspace() const {
    ucred who{};
    socklen_t size = sizeof who;
    if (!socket_ || ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return {};
    if (who.uid == ::geteuid() || who.uid == 0) return {};
    auto opened = ::geteuid() == 0 ? os::give_tree(folders_.workspace, who.uid, who.gid) : os::open_tree(folders_.workspace);
    if (!opened) return std::move(opened.error()).within("the workspace could not be given to the image's user");
    return {};
}

/// Its init ends when the socket closes, and cicd-container removes what is left.
void Place::let_go() {
    socket_.reset();
    channel_.reset();
}

/// An engine that hangs is not waited for: at its next start the daemon removes what belongs to no living job.
void Place::end_container() {
    let_go();
    const auto watch = os::pidfd_open(pid_);
    pollfd end{watch ? watch->get() : -1, POLLIN, 0};
    if (!watch || ::poll(&end, 1, removal_limit_ms) != 1) ::kill(pid_, SIGKILL);
}

}  // namespace cicd::runner
