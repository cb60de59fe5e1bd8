#include "daemon/engines/place.hpp"

#include "common/base/paths.hpp"
#include "common/base/text.hpp"
#include "common/codec/codecs.hpp"
#include "common/job/container.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/engines/container.hpp"
#include "daemon/engines/finding.hpp"
#include "daemon/engines/images.hpp"
#include "daemon/engines/sweep.hpp"
#include "daemon/os/fd.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace cicd::engines {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto call_limit = std::chrono::seconds(60);
constexpr std::size_t longest_note = 3000, longest_command = 12 << 10;

/// The runner at the other end.
class Channel {
public:
    /// The runner has let go of the container, or is gone.
    [[nodiscard]] bool is_closed(int wait_ms = 0) const {
        pollfd end{job::container_channel_fd, POLLIN, 0};
        return ::poll(&end, 1, wait_ms) > 0 && (end.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
    }
    void note(std::string_view line) const { send(job::container_note, to_valid_utf8(line.substr(0, longest_note))); }
    void fail(const Error& error) const { send(job::container_error, codec::to_json(codec::encode(error))); }
    void hand_over(const os::Fd& init, const std::string& image) const {
        const auto packet = job::container_place + image;
        (void)os::send_packet(job::container_channel_fd, packet.data(), packet.size(), {init.get()});
    }

private:
    static void send(char kind, const std::string& text) {
        const auto packet = kind + text;
        (void)os::send_packet(job::container_channel_fd, packet.data(), packet.size());
    }
};

/// Where the init calls. The path that is bound is taken through a descriptor: jobs' directories may lie deeper than the
/// address of a socket is long.
class Doorbell {
public:
    static Result<Doorbell> make(const fs::path& folder) {
        Doorbell bell;
        if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return os::last_error("cannot create " + folder.string());
        const os::Fd place(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        bell.socket_ = os::Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!place || !bell.socket_) return os::last_error("cannot make the container's socket");
        (void)::unlinkat(place.get(), "socket", 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (void)std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", place.get());
        if (::bind(bell.socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(bell.socket_.get(), 4) != 0)
            return os::last_error("cannot make the container's socket");
        // Its init may be any user; from outside, nobody else gets as far as this folder.
        if (::fchmodat(place.get(), "socket", 0666, 0) != 0) return os::last_error("cannot open the container's socket to its init");
        return bell;
    }
    [[nodiscard]] int fd() const { return socket_.get(); }
    /// Who called, where that is the container's first process, or one below it (an entrypoint may start it).
    [[nodiscard]] os::Fd answer(int first) const {
        os::Fd caller(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ucred who{};
        socklen_t size = sizeof who;
        if (!caller || ::getsockopt(caller.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return {};
        for (int pid = who.pid, depth = 0; pid > 1 && depth < 16; ++depth) {
            if (pid == first) return caller;
            const auto facts = os::process_facts(pid);
            pid = facts ? facts->parent : 0;
        }
        return {};
    }

private:
    os::Fd socket_;
};

std::string read_login() {
    std::string text(4096, '\0');
    const ssize_t n = ::pread(job::container_login_fd, text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    ::close(job::container_login_fd);
    return std::string(trim(text));
}

/// Why it ended before its init called; with the last that it said.
Error never_called(Engine& engine, const std::string& name) {
    const auto facts = engine.ask("GET", "/containers/" + name + "/json");
    auto error = unavailable("JOB_003", "the container ended before its job began");
    if (facts && facts->body["State"]["ExitCode"].is_number())
        error.message += " (exit code " + number_text(facts->body["State"]["ExitCode"].as_number()) + ")";
    const auto log = engine.ask("GET", "/containers/" + name + "/logs?stdout=1&stderr=1&tail=20");
    std::string said;
    // Frames: stream, three zeros, a length of four bytes, the text.
    for (std::string_view rest = log && log->ok() ? std::string_view(log->text) : std::string_view(); rest.size() > 8;) {
        std::size_t length = 0;
        for (int i = 4; i < 8; ++i) length = length << 8 | static_cast<unsigned char>(rest[static_cast<std::size_t>(i)]);
        said += rest.substr(8, length);
        rest.remove_prefix(std::min(rest.size(), 8 + length));
    }
    if (!trim(said).empty()) error.message += ": " + to_valid_utf8(trim(said)).substr(0, 2000);
    error.hint = "its entrypoint is to end with: exec \"$@\"; and the image to be for this machine's kind of processor";
    return error;
}

Result<os::Fd> wait_for_call(Engine& engine, const Doorbell& bell, const std::string& name, int first, const Channel& channel) {
    for (const auto end = Clock::now() + call_limit; Clock::now() < end;) {
        pollfd ends[2]{{bell.fd(), POLLIN, 0}, {job::container_channel_fd, POLLIN, 0}};
        const int ready = ::poll(ends, 2, 500);
        if (channel.is_closed()) return Error{ErrorKind::cancelled, "JOB_003", "the job was ended", "", {}};
        if (ends[0].revents != 0)
            if (auto caller = bell.answer(first)) return caller;
        if (ready > 0) continue;
        CICD_TRY(const auto facts, engine.ask("GET", "/containers/" + name + "/json"));
        const auto& running = facts.body["State"]["Running"];
        if (!running.is_bool() || !running.as_bool()) return never_called(engine, name);
    }
    return unavailable("JOB_003", "the container's first process did not call within a minute",
                       "its entrypoint is to end with: exec \"$@\"");
}

/// What runs in a service, for the runner.
Result<std::string> image_command(const FoundImage& image) {
    Object told;
    for (const auto& [ours, theirs] : {std::pair{"entrypoint", "Entrypoint"}, std::pair{"command", "Cmd"}, std::pair{"workingDirectory", "WorkingDir"}})
        if (const auto& value = image.config[theirs]; !value.is_null()) told.set(ours, value);
    auto text = codec::to_json(told);
    if (text.size() > longest_command) return invalid("JOB_002", "the image's entrypoint and command are too long", "give the service a command");
    return text;
}

Result<void> hold(const job::Paths& paths, const Channel& channel, const std::string& service) {
    const auto login = read_login();
    CICD_TRY(auto spec, job::read_spec(paths));
    if (!service.empty()) {
        CICD_TRY(spec, spec_of_service(spec, service));
    }
    const Tell tell = [&](std::string_view line) { channel.note(line); };
    // Before an engine is started for it.
    if (!spec.image) return invalid("JOB_002", "the job has no image to run in", "name one with 'image'");
    CICD_TRY(auto engine, find_engine(spec.engine, MayStart::yes));
    CICD_CHECK(remember_engine(spec.store, engine.facts().socket));
    engine.stop_when([&] { return channel.is_closed(); });
    CICD_TRY(const auto image, provide_image(engine, spec, login, tell));
    const auto command = service.empty() ? Result<std::string>("") : image_command(image);
    if (!command) return command.error();
    const Folders folders{sibling_program("cicd-runner"), paths.root / (service.empty() ? "place" : "place." + service),
                          spec.services.empty() ? fs::path() : paths.root / "hosts"};
    CICD_TRY(const auto bell, Doorbell::make(folders.place));
    const auto name = container_name(spec, service);
    const auto made = [&]() -> Result<os::Fd> {
        CICD_TRY(const int first, start_container(engine, spec, image.id, folders, tell, service));
        return wait_for_call(engine, bell, name, first, channel);
    }();
    // Nobody else is to call.
    (void)::unlink((folders.place / "socket").c_str());
    if (made) {
        channel.hand_over(*made, *command);
        while (!channel.is_closed(-1)) {}
    }
    engine.stop_when(nullptr);
    const auto remove = [&](Engine& by) { return service.empty() ? remove_containers(by, spec) : remove_container(by, name); };
    auto removed = remove(engine);
    if (!removed) {
        // Its connection may be from a service that has ended meanwhile.
        CICD_TRY(auto again, find_engine(spec.engine, MayStart::yes));
        removed = remove(again);
    }
    return made ? removed : Result<void>(made.error());
}

}  // namespace

int hold_container(const std::string& job_directory, const std::string& service) {
    ::signal(SIGPIPE, SIG_IGN);
    const Channel channel;
    const auto held = hold({fs::path(job_directory)}, channel, service);
    if (held) return 0;
    channel.fail(held.error());
    (void)std::fprintf(stderr, "cicd-container: %s\n", held.error().message.c_str());
    return 3;
}

}  // namespace cicd::engines
