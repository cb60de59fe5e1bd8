#include "daemon/zones/local.hpp"

#include "common/base/paths.hpp"
#include "common/job/gate.hpp"
#include "common/job/runner_files.hpp"
#include "common/job/secrets.hpp"
#include "common/job/spare.hpp"
#include "daemon/os/cgroup.hpp"
#include "daemon/os/enclosure.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/process.hpp"
#include "daemon/os/spawn.hpp"
#include "daemon/zones/following.hpp"
#include "daemon/zones/workspace_method.hpp"

#include <boost/asio/post.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace cicd::zones {

using model::EndReason;

namespace {

/// A spare is made when the machine is likely to have nothing more urgent to do: a little after a job's end, at the latest
/// a little after the last one was used.
constexpr Milliseconds after_use{20}, at_first{100};
constexpr int most_failures = 3;
constexpr Milliseconds between_looks{5};

Result<int> spawn_runner(const std::filesystem::path& program, const job::Paths& paths, int gate, int lock) {
    const os::Fd output(::open((paths.root / "runner.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    os::SpawnOptions options;
    options.argv = {program.string(), paths.root.string(), "--gate-fd", std::to_string(job::gate_fd),
                    "--lock-fd", std::to_string(job::lock_fd)};
    options.cwd = "/";
    options.detached = true;
    options.fds = {{gate, job::gate_fd}, {lock, job::lock_fd}};
    if (output) options.fds.insert(options.fds.end(), {{output.get(), 1}, {output.get(), 2}});
    return os::spawn(options);
}

Result<Spare> spawn_spare_runner(const std::filesystem::path& program, const std::filesystem::path& cache) {
    CICD_TRY(auto gate, os::make_socket_pair());
    os::SpawnOptions options;
    options.argv = {program.string(), "--spare", cache.string(), "--gate-fd", std::to_string(job::gate_fd)};
    options.cwd = "/";
    options.detached = true;
    options.fds = {{gate.second.get(), job::gate_fd}};
    CICD_TRY(const int pid, os::spawn(options));
    return Spare{.pid = pid, .gate = std::move(gate.first)};
}

/// What a spare's place is made for.
bool is_ordinary(const model::JobSpec& spec) {
    const auto& limits = spec.limits;
    return spec.executor == model::ExecutorKind::sandbox && spec.services.empty() && spec.fetched.empty() && spec.system == model::SystemMode::standard && spec.network == model::NetworkMode::host && !limits.cpu &&
           !limits.memory && !limits.pids && !limits.storage;
}

/// What a job's needs gave, for a runner that was started before they ended.
Result<void> renew(const job::Paths& paths, const Following::News& news) {
    CICD_TRY(auto spec, job::read_spec(paths));
    spec.contexts = with_runner(news.contexts);
    spec.needed = news.needed;
    return job::write_spec(paths, spec);
}

/// The end to read from of a pipe that holds all of it.
Result<os::Fd> filled_pipe(std::string text) {
    CICD_TRY(auto pipe, os::make_pipe(static_cast<int>(text.size()) + 4096));
    CICD_CHECK(os::set_nonblocking(pipe.write.get()));
    const auto written = ::write(pipe.write.get(), text.data(), text.size());
    const bool fits = written == static_cast<ssize_t>(text.size());
    std::fill(text.begin(), text.end(), '\0');
    if (!fits)
        return unavailable("JOB_003", "its secrets are larger than a pipe of this system takes",
                           "name those that it needs instead of all");
    return std::move(pipe.read);
}

/// Lets a held back runner go on, with what it was not told when it was started.
Result<void> pass_gate(const os::Fd& gate, const job::Paths& paths, const std::optional<Following::News>& news,
                       const Assignment& assignment, const LocalOptions& options) {
    char order = job::gate_open;
    if (news) {
        order = job::gate_open_anew;
        if (auto renewed = renew(paths, *news); !renewed)
            return std::move(renewed.error()).within("its description could not be written");
    }
    for (const auto& needed : assignment.spec.needed)
        if (options.fetch)
            if (auto there = options.fetch(needed.digest); !there)
                return std::move(there.error()).within("artifact '" + needed.name + "' of " + needed.job_key + " cannot be had");
    if (assignment.spec.secrets.empty()) {
        (void)os::send_packet(gate.get(), &order, 1);  // a runner that is gone is noticed by its end
        return {};
    }
    if (!options.secrets) return unavailable("JOB_003", "nobody here knows its secrets");
    CICD_TRY(const auto values, options.secrets(assignment));
    CICD_TRY(const auto pipe, filled_pipe(job::write_secrets(values)));
    (void)os::send_packet(gate.get(), &order, 1, {pipe.get()});
    return {};
}

}  // namespace

Local::State::State(asio::any_io_executor io, asio::thread_pool& pool, git::Sources& sources, LocalOptions options)
    : folders{options.state_directory},
      io_(std::move(io)),
      pool_(pool),
      sources_(sources),
      options_(std::move(options)),
      trees_(folders.state / "trees"),
      images_(options_.images ? options_.images : std::make_shared<images::Store>(folders.state / "images")),
      spare_timer_(io_) {
    if (options_.runner.empty()) options_.runner = sibling_program("cicd-runner");
}

void Local::State::open() {
    os::claim_groups();
    auto inotify = os::Inotify::open();
    if (!inotify) {
        inotify_problem_ = inotify.error().message + (inotify.error().hint.empty() ? "" : "; " + inotify.error().hint);
    } else {
        inotify_.emplace(std::move(*inotify));
        files_.emplace(io_, inotify_->fd());
        wait_for_files();
    }
    make_spare(at_first);
    // Found out now, so that the first job does not wait for it.
    asio::post(maker_, [where = folders, runner = options_.runner] { (void)workspace_method(where.state, runner); });
    asio::post(sweeper_, [self = shared_from_this()] {
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);  // this thread only
        (void)os::sweep_groups();
        sweep_containers(self->folders);
        remove_set_aside(self->folders);
        self->images_->sweep();
        asio::post(self->io_, [self, found = attempts_without_runner(self->folders)]() mutable { self->sweep(std::move(found)); });
    });
}

/// What the daemons before this one left behind. What belongs to a job that is known by now goes with that job.
void Local::State::sweep(std::vector<Attempt> found) {
    if (detached_) return;
    std::erase_if(found, [this](const Key& key) { return find(key) != nullptr; });
    set_aside(folders, found);
    asio::post(sweeper_, [where = folders] { remove_set_aside(where); });
}

void Local::State::detach() {
    detached_ = true;
    spare_timer_.cancel();
    spare_ = {};
    jobs_.clear();
    watches_.clear();
    if (files_) files_->release();  // the inotify object closes it
    files_.reset();
    spawner_.join();
    stop_pulling_ = true;
    puller_.stop();
    puller_.join();
    maker_.stop();
    maker_.join();
    sweeper_.stop();
    sweeper_.join();
}

Following* Local::State::find(const Key& key) {
    const auto found = jobs_.find(key);
    return detached_ || found == jobs_.end() ? nullptr : found->second.get();
}

Following& Local::State::prepare(const Assignment& assignment) {
    const Key key{assignment.spec.job, assignment.spec.attempt};
    if (auto* known = find(key)) {
        if (known->discarded && known->again == Following::Again::no) known->again = Following::Again::prepare;
        return *known;
    }
    const job::Paths paths{folders.job(key.first, key.second)};
    auto& job = *jobs_.emplace(key, std::make_shared<Following>(io_, assignment, paths)).first->second;
    asio::post(pool_, [self = shared_from_this(), key, assignment, given_up = job.given_up] {
        const WorkspaceMaker maker{self->folders, self->options_.runner, self->sources_, self->trees_, *self->images_, self->options_.engine};
        if (needs_pull(maker, assignment))
            return asio::post(self->puller_, [self, key, assignment, given_up] { self->make(key, assignment, given_up); });
        if (!needs_checkout(maker, assignment)) return self->make(key, assignment, given_up);
        asio::post(self->maker_, [self, key, assignment, given_up] { self->make(key, assignment, given_up); });
    });
    return job;
}

/// On a pool.
void Local::State::make(const Key& key, const Assignment& assignment, const std::shared_ptr<std::atomic<bool>>& given_up) {
    const WorkspaceMaker maker{folders, options_.runner, sources_, trees_, *images_, options_.engine,
                               [this, given_up] { return stop_pulling_.load() || given_up->load(); }, options_.mountable};
    auto outcome = make_job_directory(maker, assignment);
    asio::post(io_, [self = shared_from_this(), key, outcome = std::move(outcome)] { self->prepared(key, outcome); });
}

void Local::State::start(const Assignment& assignment) {
    auto& job = prepare(assignment);
    if (job.discarded) {
        job.again = Following::Again::start;
        job.assignment = assignment;
        return;
    }
    job.wanted = true;
    const auto &before = job.assignment.spec, &now = assignment.spec;
    if (before.contexts != now.contexts || before.needed != now.needed) job.news = {now.contexts, now.needed};
    job.assignment = assignment;
    if (job.phase == Following::Phase::running) open_gate({assignment.spec.job, assignment.spec.attempt}, job);
}

/// From here on the job happens.
void Local::State::open_gate(const Key& key, Following& job) {
    if (!job.gate) return;
    const bool fetches = options_.fetch && !job.assignment.spec.needed.empty();
    if (!job.news && job.assignment.spec.secrets.empty() && !fetches) {
        (void)os::send_packet(job.gate.get(), &job::gate_open, 1);
        return job.gate.reset();
    }
    auto gate = std::make_shared<os::Fd>(std::move(job.gate));
    asio::post(fetches ? puller_ : spawner_, [self = shared_from_this(), key, gate, paths = job.paths, news = std::exchange(job.news, {}),
                          assignment = job.assignment] {
        const auto passed = pass_gate(*gate, paths, news, assignment, self->options_);
        if (passed) return;
        auto why = passed.error().message + (passed.error().hint.empty() ? "" : "; " + passed.error().hint);
        asio::post(self->io_, [self, key, why = std::move(why)] {
            if (self->find(key)) self->end_early(key, EndReason::infra, why);
        });
    });
}

void Local::State::discard(const Key& key) {
    auto* job = find(key);
    // Its runner died while it was held back; what was made is still there.
    if (!job && !detached_) remove_later(folders.job(key.first, key.second));
    if (!job || job->wanted || job->again == Following::Again::start) return;
    job->discarded = true;
    job->again = Following::Again::no;
    *job->given_up = true;
    if (job->phase == Following::Phase::running) job->gate.reset();  // its runner leaves, and then it is forgotten
}

/// A job that never had its turn. One that is wanted after all is made anew.
void Local::State::forget(const Key& key) {
    const auto found = jobs_.find(key);
    if (found == jobs_.end()) return;
    const auto job = found->second;
    jobs_.erase(found);
    unwatch(*job);
    if (job->again == Following::Again::prepare) prepare(job->assignment);
    else if (job->again == Following::Again::start) begin_again(*job);
    else if (job->discarded) remove_later(job->paths.root);
}

/// It may be made anew at any time, so it leaves its place at once.
void Local::State::remove_later(const std::filesystem::path& attempt) {
    if (const auto aside = set_aside(folders, attempt)) asio::post(sweeper_, [where = folders, aside = *aside] { remove_work(where, aside); });
}

void Local::State::prepared(const Key& key, const Result<Held>& outcome) {
    auto* job = find(key);
    if (!job) return;
    if (job->discarded || (!outcome && !job->wanted)) return forget(key);
    if (job->cancel) return end_early(key, job->cancel->reason, job->cancel->message);
    if (!outcome) {
        const auto& error = outcome.error();
        return end_early(
            key, EndReason::infra,
            "the workspace could not be prepared: " + error.message + (error.hint.empty() ? "" : "; " + error.hint));
    }
    job->held = *outcome;
    spawn(key, *job);
}

void Local::State::make_spare(Milliseconds delay) {
    if (detached_ || std::getenv("CICD_BWRAP")) return;
    spare_timer_.expires_after(delay);
    spare_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& failure) {
        auto& spare = self->spare_;
        if (failure || self->detached_ || spare.gate || spare.is_being_made || spare.failures >= most_failures) return;
        spare.is_being_made = true;
        asio::post(self->spawner_, [self] {
            auto made = std::make_shared<Result<Spare>>(spawn_spare_runner(self->options_.runner, self->folders.state / "cache"));
            asio::post(self->io_, [self, made] {
                const int failures = self->spare_.failures;
                self->spare_ = *made && !self->detached_ ? std::move(**made) : Spare{};
                self->spare_.failures = *made ? failures : failures + 1;
            });
        });
    });
}

bool Local::State::spawn_spare(const Key& key, Following& job, const job::File& lock) {
    if (!spare_.gate || !is_ordinary(job.assignment.spec)) return false;
    const auto gate = std::make_shared<os::Fd>(std::move(spare_.gate));
    const auto& run = job.assignment.spec.run;
    const auto workspace = job.assignment.shared_workspace ? folders.run(run) / "workspace" : job.paths.workspace();
    const auto order = os::pack_later(os::workspace_entry({}, workspace.string(), job.held.layers)) +
                       job::directory_for_order(job.paths.root.string());
    if (!os::send_packet(gate->get(), order.data(), order.size(), {lock.fd()})) {
        ++spare_.failures;
        return false;
    }
    spare_.failures = 0;
    job.gate = std::move(*gate);
    asio::post(io_, [self = shared_from_this(), key, pid = spare_.pid] { self->spawned(key, pid); });
    make_spare(after_use);
    return true;
}

void Local::State::spawn(const Key& key, Following& job) {
    auto gate = os::make_socket_pair();
    auto watched = gate ? watch(key, job) : Result<void>(gate.error());
    auto lock = job::lock_for_runner(job.paths);
    if (watched && !lock) watched = lock.error();
    if (!watched && !job.wanted) return forget(key);
    if (!watched)
        return end_early(key, EndReason::infra,
                         watched.error().message + (watched.error().hint.empty() ? "" : "; " + watched.error().hint));
    job.phase = Following::Phase::starting;
    if (spawn_spare(key, job, *lock)) return;
    job.gate = std::move(gate->first);
    struct ForRunner {
        os::Fd gate;
        job::File lock;
    };
    auto given = std::make_shared<ForRunner>(ForRunner{std::move(gate->second), std::move(*lock)});
    asio::post(spawner_, [self = shared_from_this(), key, paths = job.paths, given] {
        auto pid = spawn_runner(self->options_.runner, paths, given->gate.get(), given->lock.fd());
        *given = {};
        asio::post(self->io_, [self, key, pid] { self->spawned(key, pid); });
    });
}

void Local::State::spawned(const Key& key, const Result<int>& pid) {
    auto* job = find(key);
    if (!job) return;
    if (!pid && !job->wanted) return forget(key);
    if (!pid) return end_early(key, EndReason::infra, "its runner could not be started: " + pid.error().message);
    job->phase = Following::Phase::running;
    job->pid = *pid;
    if (job->wanted) open_gate(key, *job);
    if (job->discarded) job->gate.reset();
    wait_for_death(key, *job);
    job = find(key);
    if (job && job->cancel) stop(key, *job);
}

void Local::State::adopt(const Assignment& assignment) {
    const Key key{assignment.spec.job, assignment.spec.attempt};
    if (find(key)) return;
    const job::Paths paths{folders.job(key.first, key.second)};
    auto& job = *jobs_.emplace(key, std::make_shared<Following>(io_, assignment, paths)).first->second;
    job.wanted = job.adopted = true;
    asio::post(io_, [self = shared_from_this(), key] { self->adopt_now(key); });
}

/// A job that never came to run, from the beginning; it may have been told to end meanwhile.
void Local::State::start_again(const Key& key) {
    const auto job = jobs_.at(key);
    forget(key);
    begin_again(*job);
}

void Local::State::begin_again(const Following& before) {
    start(before.assignment);
    if (before.cancel) cancel({before.assignment.spec.job, before.assignment.spec.attempt}, *before.cancel);
}

void Local::State::adopt_now(const Key& key) {
    auto* job = find(key);
    if (!job) return;
    const auto status = job::runner_status(job->paths);
    if (status.liveness == job::RunnerLiveness::alive && status.pid <= 0) {
        job->timer.expires_after(between_looks);
        return job->timer.async_wait([self = shared_from_this(), key](const boost::system::error_code& failure) {
            if (!failure) self->adopt_now(key);
        });
    }
    if (status.liveness == job::RunnerLiveness::not_started) {
        const auto exit = job::read_exit(job->paths);
        if (!exit || !*exit) return start_again(key);
    }
    job->phase = Following::Phase::running;
    job->pid = status.pid;
    if (!job->cancel)
        if (const auto asked = job::read_cancel(job->paths)) job->cancel = {asked->reason, asked->message};
    const bool alive = status.liveness == job::RunnerLiveness::alive;
    if (alive) {
        if (const auto watched = watch(key, *job); !watched)
            return end_early(key, EndReason::infra, watched.error().message);
    }
    read_journal(key, *job);
    if (!alive) return died(key);
    if (collect_exit(key, *job)) return;
    wait_for_death(key, *job);
    job = find(key);
    // The daemon before us may have died between the request and its signal; a runner that knows takes no notice.
    if (job && job->cancel) stop(key, *job);
}

void Local::State::cancel(const Key& key, const Cancellation& why) {
    auto* job = find(key);
    if (!job || (job->cancel && (!why.at_once || job->cancel->at_once))) return;
    if (job->cancel) job->cancel->at_once = true;
    else job->cancel = why;
    switch (job->phase) {
        case Following::Phase::preparing:
            *job->given_up = true;
            return;
        case Following::Phase::starting:
            return;  // whoever is at it sees the request
        case Following::Phase::running:
            return stop(key, *job);
    }
}

/// Asks the runner to end its job (SIGTERM), or to kill it (SIGINT). The pidfd cannot hit another process.
void Local::State::stop(const Key& key, Following& job) {
    const bool at_once = job.cancel->at_once;
    (void)job::write_cancel(job.paths, job.cancel->reason, job.cancel->message);
    if (job.runner.is_open()) (void)os::pidfd_send_signal(job.runner.native_handle(), at_once ? SIGINT : SIGTERM);
    kill_later(key, job, at_once ? options_.kill_after : job.assignment.spec.grace + options_.kill_after);
}

void Local::State::kill_later(const Key& key, Following& job, Milliseconds wait) {
    job.timer.expires_after(wait);
    job.timer.async_wait([self = shared_from_this(), key](const boost::system::error_code& failure) {
        auto* late = failure ? nullptr : self->find(key);
        if (!late || !late->runner.is_open()) return;
        const auto status = job::runner_status(late->paths);
        if (status.liveness == job::RunnerLiveness::alive && status.pid == late->pid)
            asio::post(self->spawner_, [pid = late->pid] { os::signal_tree(pid, SIGKILL); });
        else
            (void)os::pidfd_send_signal(late->runner.native_handle(), SIGKILL);
    });
}

void Local::State::release(const RunId& run) {
    asio::post(sweeper_, [where = folders, run] { remove_work(where, where.run(run)); });
}

Local::Local(asio::any_io_executor io, asio::thread_pool& pool, git::Sources& sources, LocalOptions options)
    : state_(std::make_shared<State>(std::move(io), pool, sources, std::move(options))) {
    state_->open();
}
Local::~Local() {
    detach();
}

void Local::listen(Listener& listener) {
    state_->listener = &listener;
}
void Local::prepare(const Assignment& assignment) {
    state_->prepare(assignment);
}
void Local::start(const Assignment& assignment) {
    state_->start(assignment);
}
void Local::discard(const JobId& job, int attempt) {
    state_->discard({job, attempt});
}
void Local::adopt(const Assignment& assignment) {
    state_->adopt(assignment);
}
void Local::cancel(const JobId& job, int attempt, const Cancellation& why) {
    state_->cancel({job, attempt}, why);
}
void Local::release(const RunId& run) {
    state_->release(run);
}
void Local::detach() {
    if (state_) state_->detach();
}
std::filesystem::path Local::job_directory(const JobId& job, int attempt) const {
    return state_->folders.job(job, attempt);
}

}  // namespace cicd::zones
