#include "daemon/runner/run_job.hpp"

#include "common/job/gate.hpp"
#include "common/job/runner_files.hpp"
#include "common/job/secrets.hpp"
#include "common/job/spare.hpp"
#include "daemon/os/files.hpp"
#include "daemon/runner/job.hpp"
#include "daemon/runner/sandbox.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace cicd::runner {
namespace {

Result<Object> read_secrets(int fd) {
    if (fd < 0) return Object();
    const os::Fd pipe(fd);
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t n = ::read(pipe.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os::last_error("cannot read the secrets");
        if (n == 0) break;
        text.append(buffer, static_cast<std::size_t>(n));
    }
    return job::read_secrets(text);
}

/// A core file would hold them. Only this process is meant: what runs the steps was started before.
void leave_no_core() {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &limit);
}

model::JobExit could_not_start(const Error& error) {
    model::JobExit exit;
    exit.state = model::JobState::failed;
    exit.end_reason = model::EndReason::infra;
    exit.message = error.message;
    exit.start_time = exit.end_time = SystemClock().now();
    exit.outputs = Object();
    return exit;
}

/// Waits at the gate for what comes through it; an empty packet where the job is not wanted.
os::Packet wait_at(int gate_fd) {
    const os::Fd gate(gate_fd);
    auto order = os::receive_packet(gate.get(), 1);
    return order ? std::move(*order) : os::Packet{};
}

/// Nobody may know of the job any more, so what was made for it goes with us.
void leave(const job::Paths& paths) {
    for (const auto& folder : {paths.workspace(), host_files(paths.root)})
        (void)os::remove_all(folder);
    (void)::unlink(paths.pid().c_str());
}

int complain(const Error& error) {
    const auto text = "cicd-runner: " + error.message + "\n";
    (void)!::write(2, text.data(), text.size());
    return error.kind == ErrorKind::conflict ? 7 : 3;
}

void begin_process() {
    // Signals wait until somebody looks: none may end this process while the job directory is half written.
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::sigaddset(&blocked, number);
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    ::setsid();
    ::umask(022);
}

/// A place that was made before anything was known of its job.
struct SparePlace {
    Limits limits;
    Result<Place> place;
    os::Enclosure::Entry workspace;
};

/// Nothing where it does not fit: then it is gone.
std::optional<Job::Made> settle(SparePlace spare, const job::Paths& paths, const model::JobSpec& spec) {
    const auto fits = spare.place ? spare.place->settle(spare.workspace, spec, paths.root) : Result<bool>(false);
    if (!fits || !*fits) return std::nullopt;
    auto log = job::LogWriter::open(paths);
    if (!log) return std::nullopt;
    return Job::Made{Output(std::move(*log)), std::move(spare.limits), std::nullopt, std::move(spare.place)};
}

/// Whoever held the job back is gone without having let it go on: the next one may be making it anew by now, so nothing of
/// it is touched.
bool is_abandoned(int gate_fd) {
    char order = 0;
    return gate_fd >= 0 && ::recv(gate_fd, &order, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/// `spare`: what there is already of its place.
int carry_out(const job::Paths& paths, int secrets_fd, int gate_fd, job::File given_lock, std::optional<SparePlace> spare, MakePerformer make) {
    if (is_abandoned(gate_fd)) return 0;
    const auto lock = job::RunnerLock::take(paths, std::move(given_lock));
    if (!lock) return complain(lock.error());
    if (is_abandoned(gate_fd)) {
        (void)::unlink(paths.pid().c_str());
        return 0;
    }
    auto secrets = read_secrets(secrets_fd);
    auto spec = job::read_spec(paths);
    auto journal = job::JournalWriter::open(paths);
    std::optional<Result<Job::Made>> made;
    if (spec && journal) {
        if (spare)
            if (auto fitting = settle(std::move(*spare), paths, *spec)) made.emplace(std::move(*fitting));
        spare.reset();
        if (!made) made.emplace(Job::make_place(paths, *spec));
    }
    if (gate_fd >= 0) {
        auto order = wait_at(gate_fd);
        if (order.data.empty()) {
            made.reset();  // the place goes before its files
            leave(paths);
            return 0;
        }
        if (spec && order.data[0] == job::gate_open_anew) spec = job::read_spec(paths);
        if (!order.fds.empty()) secrets = read_secrets(order.fds.front().release());
    }
    if (secrets && !secrets->empty()) leave_no_core();
    if (secrets && spec && !spec->secrets.empty() && secrets->empty())
        spec = unavailable("JOB_003", "the secrets of the job did not come");
    if (!secrets) spec = secrets.error();
    if (spec && !journal) spec = journal.error();
    std::optional<Job> job;
    if (spec) job.emplace(paths, std::move(*spec), std::move(*journal), std::move(*secrets), std::move(*made), make);
    auto exit = job ? job->run() : could_not_start(spec.error());
    // No process of the job is left: what else there is of its place is taken down after its end was told.
    auto written = job::write_exit(paths, exit);
    if (!written) {
        // On a full disk the workspace makes room; nobody needs it any more.
        (void)os::remove_all(paths.workspace());
        written = job::write_exit(paths, exit);
    }
    job.reset();
    return written ? 0 : complain(written.error());
}

/// From now on what is said here is found beside the job.
void speak_in(const job::Paths& paths) {
    const os::Fd log(::open((paths.root / "runner.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    for (const int standard : {1, 2})
        if (log) ::dup2(log.get(), standard);
}

}  // namespace

int run_job(const std::string& directory, int secrets_fd, int gate_fd, int lock_fd, MakePerformer make) {
    begin_process();
    for (const int fd : {gate_fd, lock_fd})
        if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    std::error_code ignored;
    return carry_out({std::filesystem::absolute(directory, ignored)}, secrets_fd, gate_fd, job::File(lock_fd), std::nullopt, make);
}

int run_spare(const std::string& cache, int gate_fd, MakePerformer make, const std::function<void(const std::string& directory)>& became) {
    begin_process();
    ::fcntl(gate_fd, F_SETFD, FD_CLOEXEC);
    model::JobSpec unknown;
    unknown.job = JobId("spare-" + std::to_string(::getpid()));
    auto limits = Limits::open(unknown);
    auto place = Place::await(cache, limits, gate_fd);
    auto order = os::receive_packet(gate_fd, os::largest_later);
    if (!order || order->data.empty()) return 0;  // nobody wants it any more
    std::string_view rest = order->data;
    const auto workspace = os::unpack_later(rest, sandbox_workspace);
    const auto directory = job::directory_of_order(rest);
    if (!workspace || !directory) return complain(internal_error("the order for the spare cannot be understood"));
    const job::Paths paths{*directory};
    job::File lock(order->fds.empty() ? -1 : order->fds.front().release());
    became(*directory);
    speak_in(paths);
    if (!place) return carry_out(paths, -1, gate_fd, std::move(lock), std::nullopt, make);  // it is made as if there had been no spare
    SparePlace made{std::move(limits), std::move(place), *workspace};
    return carry_out(paths, -1, gate_fd, std::move(lock), std::move(made), make);
}

}  // namespace cicd::runner
