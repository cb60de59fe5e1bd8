#include "daemon/runner/place.hpp"

#include "common/base/text.hpp"
#include "common/job/job_directory.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/runner/etc_image.hpp"
#include "daemon/runner/sandbox.hpp"
#include "daemon/runner/seccomp.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace cicd::runner {
namespace {

Result<Folders> make_folders(const model::JobSpec& spec, const std::filesystem::path& job_directory, bool isolated) {
    Folders folders;
    if (spec.workspace.empty()) return folders;
    folders.workspace = spec.workspace;
    folders.inner_files = isolated ? sandbox_files : host_files(job_directory).string();
    if (!isolated && ::mkdir(folders.inner_files.c_str(), 0700) != 0 && errno != EEXIST)
        return os::last_error("cannot create " + folders.inner_files);
    if (::access(spec.workspace.c_str(), R_OK | W_OK | X_OK) != 0)
        return os::last_error("cannot use the workspace " + spec.workspace);
    folders.inner_workspace = isolated ? sandbox_workspace : folders.workspace.string();
    return folders;
}

/// While these are open, nobody removes the trees below the workspace, nor the image.
Result<std::vector<os::Fd>> hold_layers(const model::JobSpec& spec) {
    std::vector<os::Fd> locks;
    for (const auto& layer : spec.workspace_layers) {
        const auto folder = std::filesystem::path(layer).parent_path();
        auto lock = os::hold_directory(folder);
        if (!lock) return unavailable("JOB_003", "the files of the workspace are gone: " + folder.string());
        locks.push_back(std::move(lock));
    }
    for (const auto& action : spec.fetched) {
        if (spec.executor == model::ExecutorKind::host) break;
        auto lock = os::hold_directory(std::filesystem::path(action.path).parent_path());
        if (!lock) return unavailable("JOB_003", "the files of the action " + action.name + " are gone");
        locks.push_back(std::move(lock));
    }
    if (!spec.root) return locks;
    auto lock = os::hold_directory(std::filesystem::path(spec.root->path).parent_path());
    if (!lock) return unavailable("JOB_003", "the image is gone: " + spec.root->name, "import it again: cicdctl image import");
    locks.push_back(std::move(lock));
    return locks;
}

std::string own_program() {
    char buffer[4096];
    const ssize_t n = ::readlink("/proc/self/exe", buffer, sizeof buffer);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : "";
}

}  // namespace

std::filesystem::path host_files(const std::filesystem::path& job_directory) { return job::Paths{job_directory}.files(); }

namespace {

/// A spec of its own for the place of a service: nothing of the job's but what all of it share.
model::JobSpec spec_beside(const model::JobSpec& job, const model::JobService& service, const std::filesystem::path& layers) {
    model::JobSpec spec;
    spec.job = job.job;
    spec.executor = service.root ? model::ExecutorKind::rootfs : model::ExecutorKind::sandbox;
    spec.root = service.root;
    spec.cache = job.cache;
    spec.limits.storage = job.limits.storage;
    if (service.root) return spec;
    spec.workspace = job.workspace_layers.empty() ? job.workspace : layers.string();
    spec.workspace_layers = job.workspace_layers;
    return spec;
}

}  // namespace

Result<Place> Place::open(const model::JobSpec& spec, const std::filesystem::path& job_directory, const Limits& limits,
                          const Network* network) {
    Place place;
    place.isolated_ = spec.executor != model::ExecutorKind::host;
    place.container_ = spec.executor == model::ExecutorKind::container;
    if (spec.executor == model::ExecutorKind::rootfs && !spec.root)
        return unavailable("JOB_003", "the job has no image to run in");
    CICD_TRY(place.folders_, make_folders(spec, job_directory, place.isolated_));
    if (place.container_) {
        CICD_TRY(place.layer_locks_, hold_layers(spec));
        return place;
    }

    os::Fd socket, complaints;
    CICD_TRY(auto options, place.connect(socket, complaints));
    if (place.isolated_) {
        CICD_CHECK(place.start_sandbox(spec, job_directory, job_directory / "workspace", limits, network, options));
        return place;
    }
    limits.put_on(options, false);
    auto pid = os::spawn(options);
    if (!pid) return std::move(pid.error()).within("the job's place could not be prepared");
    place.pid_ = *pid;
    return place;
}

Result<Place> Place::open_beside(const model::JobSpec& job, const model::JobService& service,
                                 const std::filesystem::path& job_directory, const Limits& limits, const Network* network,
                                 const std::string& login) {
    if (job.executor == model::ExecutorKind::container) {
        Place place;
        place.isolated_ = place.container_ = true;
        CICD_CHECK(place.begin(job_directory, login, service.service.name));
        return place;
    }
    const auto layers = job::Paths{job_directory}.service(service.service.name);
    const auto spec = spec_beside(job, service, layers);
    Place place;
    place.isolated_ = true;
    CICD_TRY(place.folders_, make_folders(spec, job_directory, true));
    os::Fd socket, complaints;
    CICD_TRY(auto options, place.connect(socket, complaints));
    CICD_CHECK(place.start_sandbox(spec, job_directory, layers, limits, network, options));
    return place;
}

/// What its first process is started with, and our ends of what connects us.
Result<os::SpawnOptions> Place::connect(os::Fd& socket, os::Fd& complaints) {
    CICD_TRY(auto sockets, os::make_socket_pair());
    CICD_TRY(auto pipe, os::make_pipe());
    socket_ = std::move(sockets.first);
    complaints_ = std::move(pipe.read);
    socket = std::move(sockets.second);
    complaints = std::move(pipe.write);
    // Orphans of a host job whose init was killed come to us, and we end them.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);

    os::SpawnOptions options;
    options.argv = {own_program(), "init"};
    options.fds = {{socket.get(), control_fd}, {complaints.get(), 2}};
    options.env.emplace();
    options.cwd = "/";
    options.new_session = true;
    options.death_signal = isolated_ ? SIGKILL : SIGTERM;
    return options;
}

Result<Place> Place::await(const std::filesystem::path& cache, const Limits& limits, int gate) {
    Place place;
    place.isolated_ = true;
    os::Fd socket, complaints;
    CICD_TRY(auto options, place.connect(socket, complaints));
    CICD_TRY(auto etc, etc_image(cache));
    place.etc_lock_ = std::move(etc.lock);
    auto enclosure = sandbox({.init = options.argv.front(), .folders = place.folders_, .spec = {}, .etc = etc.path,
                              .etc_folders = etc.folders, .seccomp = std::string(system_call_filter()), .awaited = gate});
    options.enclosure = &enclosure;
    options.cwd = sandbox_workspace;
    limits.put_on(options, true);
    CICD_TRY(place.pid_, os::spawn(options));
    place.entries_ = std::move(enclosure.entries);
    return place;
}

Result<bool> Place::settle(const os::Enclosure::Entry& workspace, const model::JobSpec& spec,
                           const std::filesystem::path& job_directory) {
    CICD_TRY(folders_, make_folders(spec, job_directory, true));
    CICD_TRY(layer_locks_, hold_layers(spec));
    CICD_TRY(const auto etc, etc_image(spec.cache));
    const auto now = sandbox({.init = own_program(), .folders = folders_, .spec = spec, .etc = etc.path,
                              .etc_folders = etc.folders, .seccomp = {}});
    auto made = std::move(entries_);
    made.push_back(workspace);
    return now.entries == made && !now.own_network && !now.root_size;
}

/// By namespaces of our own; by bubblewrap where the system does not let us make them, or $CICD_BWRAP asks for it.
Result<void> Place::start_sandbox(const model::JobSpec& spec, const std::filesystem::path& job_directory,
                                  const std::filesystem::path& layers, const Limits& limits, const Network* network,
                                  os::SpawnOptions& options) {
    SandboxRequest request{.init = options.argv.front(), .folders = folders_, .spec = spec, .root_layer = layers / "root",
                           .seccomp = std::string(system_call_filter()), .network = network};
    if (network) {
        CICD_TRY(request.hosts, write_hosts(job_directory, network->hosts()));
    }
    if (!spec.root && spec.system != model::SystemMode::writable) {
        auto etc = etc_image(spec.cache.empty() ? job_directory / "cache" : std::filesystem::path(spec.cache));
        if (!etc) return std::move(etc.error()).within("the job's place could not be prepared");
        etc_lock_ = std::move(etc->lock);
        request.etc = etc->path;
        request.etc_folders = etc->folders;
    }
    CICD_TRY(layer_locks_, hold_layers(spec));
    std::optional<WritableSystem> writable;
    if (spec.system == model::SystemMode::writable) {
        CICD_TRY(auto made, WritableSystem::make(spec, layers, network == nullptr));
        request.writable = &writable.emplace(std::move(made));
        folders_.owner = writable->owner();
        keeps_folder_ = writable->shifts() && spec.workspace_layers.empty();
    }
    const auto enclosure = sandbox(request);
    const auto bubblewrap = find_bubblewrap();
    if (!std::getenv("CICD_BWRAP")) {
        os::SpawnFailure failure;
        auto own = options;
        own.enclosure = &enclosure;
        limits.put_on(own, true);
        if (network) network->put_on(own);
        if (writable && writable->has_users()) own.users = writable->outer_users();  // root of the host needs no other rights to get there
        own.cwd = spec.workspace.empty() ? "/" : sandbox_workspace;
        const auto pid = os::spawn(own, &failure);
        if (pid) {
            pid_ = *pid;
            return {};
        }
        const bool last = bubblewrap.empty() || !spec.workspace_layers.empty() || spec.root || network || writable;
        if (failure.stage != os::SpawnFailure::Stage::enclosure || last) return explain_sandbox_failure(pid.error().message);
    }
    if (writable)
        return unavailable("JOB_003", "bubblewrap cannot make a writable system",
                           "enable unprivileged user namespaces: see what `cicdctl doctor` says");
    if (network)
        return unavailable("JOB_003", "bubblewrap cannot give services and their job one network",
                           "enable unprivileged user namespaces: see what `cicdctl doctor` says");
    limits.put_on(options, false);
    CICD_TRY(auto bindings, bubblewrap_command(enclosure, bubblewrap));
    options.argv = std::move(bindings.argv);
    options.fds.insert(options.fds.end(), bindings.fds.begin(), bindings.fds.end());
    auto pid = os::spawn(options);
    if (!pid) return std::move(pid.error()).within("the job's place could not be prepared");
    pid_ = *pid;
    return {};
}

Place::~Place() {
    if (pid_ == 0) return;
    if (container_) {
        end_container();
    } else if (isolated_) {
        ::kill(pid_, SIGKILL);
    } else {
        // Init ends by itself when its socket closes; should it be stuck, the tree goes without it.
        socket_.reset();
        const auto watch = os::pidfd_open(pid_);
        pollfd end{watch ? watch->get() : -1, POLLIN, 0};
        if (watch) (void)::poll(&end, 1, 2000);
        os::signal_tree(::getpid(), SIGKILL, false);
    }
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

Result<Told> Place::next_event() {
    if (container_ && !socket_) return next_of_channel();
    auto packet = os::receive_packet(socket_.get(), sizeof(Event) + 1);
    if (!packet) return packet.error();
    Told told;
    auto& event = told.event;
    if (packet->data.size() != sizeof event) return broken();
    std::memcpy(&event, packet->data.data(), sizeof event);
    ready_ = true;
    if (event.kind == Event::Kind::ready && container_) {
        if (packet->fds.size() == 2) look_inside(packet->fds[1]);
    } else if (event.kind == Event::Kind::ready && !packet->fds.empty() && !keeps_folder_) {
        workspace_ = std::move(packet->fds.front());
        // Not the descriptor itself, but a path through it: what it stands for is a mount that we do not have.
        folders_.workspace = "/proc/self/fd/" + std::to_string(workspace_.get()) + "/.";
    }
    if (event.kind == Event::Kind::listening) told.files = std::move(packet->fds);
    if (event.kind == Event::Kind::ended)
        for (std::size_t bit = 0, next = 0; event.files >> bit != 0; ++bit) {
            const bool there = (event.files >> bit & 1) != 0 && next < packet->fds.size();
            told.files.push_back(there ? std::move(packet->fds[next++]) : os::Fd());
        }
    return told;
}

Error Place::broken() {
    if (container_) return unavailable("JOB_003", "the container ended before its job", "was it killed from outside, or did it run out of memory?");
    std::string said;
    char buffer[4096];
    if (os::set_nonblocking(complaints_.get())) {
        const ssize_t n = ::read(complaints_.get(), buffer, sizeof buffer);
        if (n > 0) said = to_valid_utf8(trim(std::string_view(buffer, static_cast<std::size_t>(n))));
    }
    if (!isolated_) return unavailable("JOB_003", "the job's first process was killed" + (said.empty() ? "" : ": " + said));
    if (ready_) return unavailable("JOB_003", "the sandbox ended before its job" + (said.empty() ? "" : ": " + said));
    return explain_sandbox_failure(said);
}

Result<void> Place::start(std::uint32_t number, const Program& program, int out, int err) {
    CICD_TRY(const auto description, os::memory_file("step", pack(program)));
    const Command start{Command::Kind::start, 0, number};
    return os::send_packet(socket_.get(), &start, sizeof start, {description.get(), out, err});
}

Result<void> Place::probe(const Program& program, int output) {
    CICD_TRY(const auto description, os::memory_file("probe", pack(program)));
    const Command probe{Command::Kind::probe, 0};
    return os::send_packet(socket_.get(), &probe, sizeof probe, {description.get(), output});
}

void Place::listen() { command(Command::Kind::listen, 0); }
void Place::signal_program(std::uint32_t program, int number) { command(Command::Kind::signal_program, number, program); }
void Place::signal_all(int number) { command(Command::Kind::signal_all, number); }
void Place::finish() { command(Command::Kind::finish, 0); }

void Place::command(Command::Kind kind, int number, std::uint32_t program) {
    const Command command{kind, number, program};
    // A place that is gone says so by its next event.
    (void)os::send_packet(socket_.get(), &command, sizeof command);
}

}  // namespace cicd::runner
