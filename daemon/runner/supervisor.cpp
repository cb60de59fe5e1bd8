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

/// One of the activities, as long as it lasts.
class Supervisor::Listed {
public:
    Listed(std::vector<Activity*>& list, Activity& activity) : list_(list), activity_(activity) { list_.push_back(&activity_); }
    ~Listed() { std::erase(list_, &activity_); }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

private:
    std::vector<Activity*>& list_;
    Activity& activity_;
};

ProgramEnd Supervisor::run(std::uint32_t step, const Program& program, std::optional<Milliseconds> timeout) {
    step_ = step;
    Activity activity{.number = ++serial_, .step = step, .start = Clock::now(), .may_run = !stop_of(step)};
    if (timeout) activity.deadline = activity.start + *timeout;
    await([&] { return ready_ || gone_; });
    // What was ended while the place was made starts nothing new.
    const auto stop = stop_of(step);
    if (gone_ || is_killed(step) || (activity.may_run && stop)) return {.stop = stop};
    // What lived on from an earlier step and was killed is not this one's doing.
    if (const auto before = activities_.empty() ? limits_.take_oom() : std::nullopt)
        output_.system_line(step, "a process in the background: " + *before);
    {
        auto ends = output_.open(step);
        const auto started = ends ? place_.start(activity.number, program, ends->out.get(), ends->err.get()) : Result<void>(ends.error());
        if (!started) {
            end_job({model::EndReason::infra, started.error().message});
            return {.stop = stop_};
        }
    }
    const Listed listed(activities_, activity);
    silences_ = 0;
    await([&] { return activity.end.has_value(); });
    output_.drain(step);
    check_storage(storage_.check_now());
    auto& end = *activity.end;
    end.oom = limits_.take_oom();
    if (!end.stop && activity.stop) end.stop = activity.stop;
    if (!end.stop && (activity.may_run || gone_ || is_killed(step))) end.stop = stop_of(step);
    end.usage.wall_ms = std::chrono::duration_cast<Milliseconds>(Clock::now() - activity.start).count();
    return std::move(end);
}

void Supervisor::await(const std::function<bool()>& done, SteadyTime until) {
    if (Errand* errand = Errand::current()) {
        while (!done() && Clock::now() < until) {
            waiting_.push_back({errand, &done, until});
            errand->give_way();
        }
        return;
    }
    for (;;) {
        let_errands_go_on();
        if (done() || Clock::now() >= until) return;
        turn(until);
    }
}

void Supervisor::let_errands_go_on() {
    const auto may_go_on = [&](const Waiting& waiting) { return (*waiting.done)() || Clock::now() >= waiting.until; };
    for (;;) {
        const auto found = std::find_if(waiting_.begin(), waiting_.end(), may_go_on);
        if (found == waiting_.end()) return;
        Errand* errand = found->errand;
        waiting_.erase(found);
        errand->go_on();
    }
}

bool Supervisor::await_place() {
    await([&] { return ready_ || gone_; });
    return ready_;
}

std::filesystem::path Supervisor::workspace() {
    if (!spec_.workspace_layers.empty()) await_place();
    return place_.folders().workspace;
}

Result<int> Supervisor::run_outside(std::uint32_t step, os::SpawnOptions options) {
    options.death_signal = SIGKILL;
    CICD_TRY(const int pid, os::spawn(options));
    Activity activity{.number = ++serial_, .step = step, .start = Clock::now(), .may_run = !stop_of(step)};
    return wait_outside(activity, pid, SteadyTime::max());
}

int Supervisor::wait_outside(Activity& activity, int pid, SteadyTime until) {
    const bool by_itself = activity.ending == Ending::by_itself;
    const auto is_told = [&] { return is_killed(activity.step) || (activity.may_run && stop_of(activity.step)); };
    if (auto watched = os::pidfd_open(pid)) {
        activity.outside = std::move(*watched);
        const Listed listed(activities_, activity);
        await([&] { return activity.outside_ended || is_told(); }, until);
        if (!activity.outside_ended && by_itself) {
            (void)os::pidfd_send_signal(activity.outside.get(), gone_ ? SIGINT : SIGTERM);
            await([&] { return activity.outside_ended; }, Clock::now() + spec_.grace + order_wait);
        }
    }
    const bool is_late = by_itself ? !activity.outside_ended : is_told() || Clock::now() >= until;
    if (is_late) ::kill(pid, SIGKILL);
    int status = 0;
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
    Activity activity{.number = ++serial_, .step = step, .start = Clock::now(), .may_run = !stop_of(step), .ending = ending};
    const auto until = timeout ? activity.start + *timeout : SteadyTime::max();
    const int status = wait_outside(activity, pid, until);
    output_.drain(step);
    const bool was_ended = WIFSIGNALED(status) || (ending == Ending::by_itself && WEXITSTATUS(status) == job::told_to_end);
    if (was_ended && !stop_of(step) && Clock::now() >= until)
        return Error{ErrorKind::timeout, "JOB_003", "the step ran longer than " + format_duration(*timeout), "", {}};
    return status;
}

Result<os::Fd> Supervisor::listen() {
    if (!await_place()) return unavailable("JOB_003", "the job's place was never there");
    listening_.reset();
    place_.listen();
    await([&] { return listening_ || gone_; });
    return listening_ ? std::move(*listening_) : Result<os::Fd>(unavailable("JOB_003", "the job's place is gone"));
}

Result<void> Supervisor::start_services(std::vector<ServiceProgram> programs, const Network* network, Services::Tell tell) {
    output_.step_counts_below(programs.front().step);
    services_.emplace(output_, paths_, std::move(tell));
    return services_->start(std::move(programs), spec_, limits_, network);
}

bool Supervisor::await_services() {
    await([&] { return services_->are_ready() || stop_ || gone_; });
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

}  // namespace cicd::runner
