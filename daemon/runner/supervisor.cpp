#include "daemon/runner/supervisor.hpp"

#include "common/job/container.hpp"
#include "daemon/os/process.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cicd::runner {
namespace {

using Clock = SteadyTime::clock;

/// How long the last processes of a job may take to die before the place is torn down around them.
constexpr auto last_wait = std::chrono::seconds(10);
/// What all services together may take where the job was told to end: whoever told it waits.
constexpr auto hurried_wait = std::chrono::seconds(3);
/// What a tool that ends by itself may take, besides the job's grace, to remove what it has made.
constexpr auto order_wait = std::chrono::seconds(45);

os::Fd watch_signals() {
    sigset_t watched;
    ::sigemptyset(&watched);
    for (const int number : {SIGTERM, SIGINT}) ::sigaddset(&watched, number);
    ::sigprocmask(SIG_BLOCK, &watched, nullptr);
    return os::Fd(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

Supervisor::Supervisor(const model::JobSpec& spec, job::Paths paths, Output output, Limits limits, Place place,
                       SteadyTime start)
    : spec_(spec), paths_(std::move(paths)), output_(std::move(output)), limits_(std::move(limits)),
      place_(std::move(place)), storage_(spec, paths_.root), signals_(watch_signals()), start_(start) {
    if (spec.timeout) job_deadline_ = start_ + *spec.timeout;
}

ProgramEnd Supervisor::run(std::uint32_t step, const Program& program, std::optional<Milliseconds> timeout) {
    step_ = step;
    step_start_ = Clock::now();
    step_deadline_.reset();
    step_kill_at_.reset();
    step_stop_.reset();
    end_.reset();
    if (timeout) step_deadline_ = step_start_ + *timeout;
    const bool may_run = !stop_.has_value();
    while (!ready_ && !gone_) turn(SteadyTime::max());
    // A job that was ended while its place was made starts nothing new.
    if (gone_ || (may_run && stop_)) return {.stop = stop_};
    // What lived on from an earlier step and was killed is not this one's doing.
    if (const auto before = limits_.take_oom()) output_.system_line(step_, "a process in the background: " + *before);
    {
        auto ends = output_.open(step);
        const auto started = ends ? place_.start(program, ends->out.get(), ends->err.get()) : Result<void>(ends.error());
        if (!started) {
            end_job({model::EndReason::infra, started.error().message});
            return {.stop = stop_};
        }
    }
    running_ = true;
    silences_ = 0;
    while (!end_) turn(SteadyTime::max());
    running_ = false;
    output_.drain(step);
    check_storage(storage_.check_now());
    end_->oom = limits_.take_oom();
    if (!end_->stop) end_->stop = step_stop_ ? step_stop_ : may_run || gone_ ? stop_ : std::nullopt;
    const auto wall = std::chrono::duration_cast<Milliseconds>(Clock::now() - step_start_);
    end_->usage.wall_ms = wall.count();
    return std::move(*end_);
}

bool Supervisor::await_place() {
    while (!ready_ && !gone_) turn(SteadyTime::max());
    return ready_;
}

std::filesystem::path Supervisor::workspace() {
    if (!spec_.workspace_layers.empty()) await_place();
    return place_.folders().workspace;
}

Result<int> Supervisor::run_outside(os::SpawnOptions options) {
    options.death_signal = SIGKILL;
    CICD_TRY(const int pid, os::spawn(options));
    return wait_outside(pid, SteadyTime::max());
}

int Supervisor::wait_outside(int pid, SteadyTime until, Ending ending) {
    const bool may_run = !stop_.has_value();
    int status = 0;
    if (auto watched = os::pidfd_open(pid)) {
        outside_ = std::move(*watched);
        outside_ended_ = false;
        outside_ending_ = ending;
        while (!outside_ended_ && !(may_run && stop_) && Clock::now() < until) turn(until);
        if (!outside_ended_ && ending == Ending::by_itself) {
            (void)os::pidfd_send_signal(outside_.get(), gone_ ? SIGINT : SIGTERM);
            const auto limit = Clock::now() + spec_.grace + order_wait;
            while (!outside_ended_ && Clock::now() < limit) turn(limit);
        }
        outside_.reset();
    }
    const bool is_late = ending == Ending::by_itself ? !outside_ended_ : (may_run && stop_) || Clock::now() >= until;
    if (is_late) ::kill(pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

Result<int> Supervisor::run_tool(std::uint32_t step, os::SpawnOptions options, std::optional<Milliseconds> timeout, Ending ending) {
    step_ = step;
    CICD_TRY(auto ends, output_.open(step));
    options.fds.insert(options.fds.end(), {{ends.out.get(), STDOUT_FILENO}, {ends.err.get(), STDERR_FILENO}});
    options.death_signal = ending == Ending::by_itself ? SIGTERM : SIGKILL;
    CICD_TRY(const int pid, os::spawn(options));
    ends = {};
    const auto until = timeout ? Clock::now() + *timeout : SteadyTime::max();
    const int status = wait_outside(pid, until, ending);
    output_.drain(step);
    const bool was_ended = WIFSIGNALED(status) || (ending == Ending::by_itself && WEXITSTATUS(status) == job::told_to_end);
    if (was_ended && !stop_ && Clock::now() >= until)
        return Error{ErrorKind::timeout, "JOB_003", "the step ran longer than " + format_duration(*timeout), "", {}};
    return status;
}

Result<os::Fd> Supervisor::listen() {
    if (!await_place()) return unavailable("JOB_003", "the job's place was never there");
    listening_.reset();
    place_.listen();
    while (!listening_ && !gone_) turn(SteadyTime::max());
    return listening_ ? std::move(*listening_) : Result<os::Fd>(unavailable("JOB_003", "the job's place is gone"));
}

Result<void> Supervisor::start_services(std::vector<ServiceProgram> programs, const Network* network, Services::Tell tell) {
    output_.step_counts_below(programs.front().step);
    services_.emplace(output_, paths_, std::move(tell));
    return services_->start(std::move(programs), spec_, limits_, network);
}

bool Supervisor::await_services() {
    while (!services_->are_ready() && !stop_ && !gone_) turn(SteadyTime::max());
    return !stop_ && !gone_;
}

void Supervisor::finish_services() {
    const auto all_by = stop_ ? std::optional(Clock::now() + hurried_wait) : std::nullopt;
    services_->stop(spec_.grace, all_by);
    while (!services_->are_over()) turn(SteadyTime::max());
}

model::Usage Supervisor::finish() {
    finishing_ = true;
    if (place_.is_container() && !ready_) gone_ = true;  // nobody would answer
    place_.finish();
    const auto limit = Clock::now() + last_wait;
    // Deadlines have nothing more to end.
    job_deadline_.reset();
    kill_at_.reset();
    while (!finished_ && !(gone_ && !ready_) && Clock::now() < limit) turn(limit);
    if (services_) finish_services();
    // Where no PID namespace takes everything with it, the group does.
    if (!place_.isolated()) limits_.kill_all();
    output_.drain_all();
    total_ = limits_.usage(total_);
    total_.wall_ms = std::chrono::duration_cast<Milliseconds>(Clock::now() - start_).count();
    if (output_.failure() && !stop_) stop_ = Stop{model::EndReason::infra, output_.failure()->message};
    return total_;
}

void Supervisor::turn(SteadyTime until) {
    std::vector<pollfd> watched{{signals_.get(), POLLIN, 0}, {finished_ ? -1 : place_.events_fd(), POLLIN, 0}};
    if (outside_) watched.push_back({outside_.get(), POLLIN, 0});
    const std::size_t outside_at = outside_ ? 2 : 0;
    const std::size_t services_at = watched.size();
    if (services_) services_->watch(watched);
    output_.watch(watched);
    const auto now = Clock::now();
    const auto wake = std::min(until, next_deadline());
    timespec limit{};
    if (wake > now) {
        const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(wake - now).count();
        limit = {left / 1'000'000'000, left % 1'000'000'000};
    }
    (void)::ppoll(watched.data(), watched.size(), wake == SteadyTime::max() ? nullptr : &limit, nullptr);
    output_.serve();
    if (services_) services_->serve(watched.data() + services_at);
    if (watched[0].revents != 0) {
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) == sizeof info) on_signal(static_cast<int>(info.ssi_signo));
    }
    if (watched[1].revents != 0) on_event();
    if (outside_at != 0 && watched[outside_at].revents != 0) outside_ended_ = true;
    check_clock();
}

SteadyTime Supervisor::next_deadline() const {
    auto first = SteadyTime::max();
    const auto consider = [&](const std::optional<SteadyTime>& time) {
        if (time) first = std::min(first, *time);
    };
    consider(job_deadline_);
    consider(kill_at_);
    consider(output_.due());
    if (services_) first = std::min(first, services_->due());
    if (running_) {
        consider(step_deadline_);
        consider(step_kill_at_);
        if (spec_.silence_timeout && !step_stop_ && !stop_)
            first = std::min(first, silent_since() + (silences_ + 1) * *spec_.silence_timeout);
    }
    if (!finishing_ && !gone_) first = std::min(first, storage_.due());
    return first;
}

void Supervisor::on_signal(int number) {
    // Every step has ended, so there is nothing to cancel: the job's result stands.
    if (finishing_ && services_) services_->hurry();
    if (finishing_ && !outside_) return;
    // Who asks again, after a restart say, cannot know whether the first request has arrived.
    if (number == SIGTERM && stop_) return;
    const auto request = job::read_cancel(paths_).value_or(job::CancelRequest{});
    const Stop asked{request.reason, request.message.empty() ? "the job was cancelled" : request.message};
    if (number == SIGTERM) return end_job(asked);
    if (!stop_) stop_ = asked;
    output_.system_line(step_, "everything is killed");
    if (outside_ && outside_ending_ == Ending::killed) (void)os::pidfd_send_signal(outside_.get(), SIGKILL);
    kill_all();
}

void Supervisor::on_event() {
    auto told = place_.next_event();
    if (!told) {
        if (const auto oom = finishing_ ? std::nullopt : limits_.take_oom(); oom && !stop_) {
            stop_ = Stop{model::EndReason::oom, *oom};
            output_.system_line(step_, *oom);
        } else if (!finishing_) {
            std::string why = told.error().message;
            if (!told.error().hint.empty()) why += " (" + told.error().hint + ")";
            if (!stop_) stop_ = Stop{model::EndReason::infra, why};
            output_.system_line(step_, why);
        }
        finished_ = gone_ = true;
        if (!end_) end_ = ProgramEnd{.stop = stop_};
        return;
    }
    if (told->note) {
        if (!told->note->empty()) output_.system_line(step_, *told->note);
        return;
    }
    const auto& event = told->event;
    const model::Usage usage{event.cpu_us / 1000, event.peak_bytes, 0};
    switch (event.kind) {
        case Event::Kind::ready:
            ready_ = true;
            if (place_.is_container()) limits_.watch(place_.first_pid());
            else if (place_.isolated()) storage_.found(place_.folders().workspace);
            break;
        case Event::Kind::started:
        case Event::Kind::probed: break;  // of services only
        case Event::Kind::refused:
            end_ = ProgramEnd{.kind = ProgramEnd::Kind::refused, .stage = static_cast<os::SpawnFailure::Stage>(event.stage),
                              .errno_value = event.number};
            break;
        case Event::Kind::no_files:
            end_ = ProgramEnd{.kind = ProgramEnd::Kind::no_files, .errno_value = event.number};
            break;
        case Event::Kind::ended:
            end_ = ProgramEnd{.kind = ProgramEnd::Kind::ended, .status = event.number, .usage = usage,
                              .files = std::move(told->files)};
            break;
        case Event::Kind::listening:
            if (told->files.empty()) listening_ = unavailable("JOB_003", "the job's place cannot listen: errno " + std::to_string(event.number));
            else listening_ = std::move(told->files.front());
            break;
        case Event::Kind::finished:
            total_ = usage;
            finished_ = true;
            empty_ = place_.isolated();  // on the host, something may just have been born
            break;
    }
}

void Supervisor::check_clock() {
    const auto now = Clock::now();
    if (output_.failure() && !stop_) end_job({model::EndReason::infra, output_.failure()->message});
    if (services_ && services_->failure() && !stop_ && !finishing_) end_job({model::EndReason::infra, *services_->failure()});
    if (job_deadline_ && now >= *job_deadline_) {
        job_deadline_.reset();
        if (!stop_) end_job({model::EndReason::timeout, "the job ran longer than " + format_duration(*spec_.timeout)});
    }
    if (kill_at_ && now >= *kill_at_) {
        output_.system_line(step_, "still running after " + format_duration(spec_.grace) + ": everything is killed");
        kill_all();
    }
    if (!finishing_ && !gone_) check_storage(storage_.check(now));
    if (!running_) return;
    if (step_deadline_ && now >= *step_deadline_) {
        const auto limit = std::chrono::duration_cast<Milliseconds>(*step_deadline_ - step_start_);
        step_deadline_.reset();
        end_step({model::EndReason::timeout, "the step ran longer than " + format_duration(limit)});
    }
    if (step_kill_at_ && now >= *step_kill_at_) {
        step_kill_at_.reset();
        output_.system_line(step_, "still running after " + format_duration(spec_.grace) + ": the step is killed");
        place_.signal_step(SIGKILL);
    }
    check_silence(now);
}

void Supervisor::check_silence(SteadyTime now) {
    if (!spec_.silence_timeout || step_stop_ || stop_) return;
    const auto limit = *spec_.silence_timeout;
    const auto told = static_cast<int>(std::min<std::int64_t>((now - silent_since()) / limit, 1'000'000'000));
    if (told <= silences_) {
        silences_ = told;  // there was output
        return;
    }
    silences_ = told;
    const auto message = "no output for " + format_duration(limit * told);
    if (spec_.fail_on_silence) end_step({model::EndReason::timeout, message});
    else output_.system_line(step_, message + "; still running");
}

/// There is no grace for a job that fills the disk.
void Supervisor::check_storage(const std::optional<std::string>& problem) {
    if (!problem || stop_) return;
    end_job({model::EndReason::policy, *problem});
    kill_all();
}

void Supervisor::end_job(Stop stop) {
    if (stop_) return;
    output_.system_line(step_, stop.message);
    stop_ = std::move(stop);
    // Nothing of the job runs while its container is being made: there is nobody to be given time.
    if (place_.is_container() && !ready_) return kill_all();
    kill_at_ = Clock::now() + spec_.grace;
    place_.signal_all(SIGTERM);
}

void Supervisor::end_step(Stop stop) {
    if (step_stop_ || stop_) return;
    output_.system_line(step_, stop.message);
    step_stop_ = std::move(stop);
    step_kill_at_ = Clock::now() + spec_.grace;
    place_.signal_step(SIGTERM);
}

void Supervisor::kill_all() {
    kill_at_.reset();
    gone_ = true;
    if (outside_ && outside_ending_ == Ending::by_itself) (void)os::pidfd_send_signal(outside_.get(), SIGINT);
    place_.signal_all(SIGKILL);
}

}  // namespace cicd::runner
