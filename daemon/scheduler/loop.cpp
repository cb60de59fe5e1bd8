#include "daemon/scheduler/loop.hpp"

#include "daemon/os/cgroup.hpp"

#include <boost/asio/post.hpp>

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <thread>

namespace cicd::scheduler {

namespace asio = async::asio;

namespace {
constexpr Milliseconds longest_write_wait{30'000};
constexpr Milliseconds longest_company_wait{2};
constexpr auto look_at_the_wall_clock = std::chrono::seconds(15);
}  // namespace

Capacity machine_capacity() {
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    const auto memory =
        static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return {std::max(4, static_cast<int>(cores)), static_cast<double>(cores), memory, 0};
}

Scheduler::Scheduler(Parts parts, SchedulerOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      core_(options_.capacity, [this] { return parts_.store.next_job_id(); }),
      alarm_(parts_.io),
      again_(parts_.io),
      company_(parts_.io),
      start_time_(parts_.clock.now()) {
    parts_.zone.listen(*this);
}

Scheduler::~Scheduler() {
    shutdown();
}

Result<void> Scheduler::resume() {
    CICD_TRY(auto active, parts_.store.active_runs());
    RunsResumed all;
    for (auto& run : active) {
        auto& event = all.runs.emplace_back();
        event.resumed = true;
        event.last_seq = run.last_seq;
        if (run.last_seq > 0) {
            const auto last = parts_.store.events(run.run.id, run.last_seq - 1, 1);
            if (last && !last->empty()) event.last_event = last->back().time;
        }
        event.content = {std::move(run.run), std::move(run.plan), {}, {}};
        event.stops = std::move(run.stops);
    }
    submit(std::move(all));
    return {};
}

void Scheduler::shutdown() {
    if (std::exchange(stopping_, true)) return;
    parts_.zone.detach();
    alive_.reset();
    alarm_.cancel();
    again_.cancel();
    company_.cancel();
    committer_.join();
    if (pending_.actions.changes.empty()) return;
    if (const auto saved = parts_.store.apply(pending_.actions.changes); !saved)
        warn("the last changes could not be saved: " + saved.error().message);
}

void Scheduler::pause(std::string reason) {
    submit(PauseChanged{reason.empty() ? "paused" : std::move(reason)});
}

void Scheduler::resume_work() {
    submit(PauseChanged{});
}

void Scheduler::warn(const std::string& text) const {
    if (options_.warn) options_.warn(text);
}

void Scheduler::progressed(const JobId& job, int attempt, const model::JournalEntry& entry) {
    decide(JobProgressed{job, attempt, entry});
    if (entry.type == model::JournalType::step_ended) wait_for_company();
    else commit_soon();
}

void Scheduler::ended(const JobId& job, int attempt, const model::JobExit& exit) {
    submit(JobEnded{job, attempt, exit});
}

void Scheduler::submit(Event event) {
    decide(std::move(event));
    commit_soon();
}

void Scheduler::decide(Event event) {
    if (stopping_) return;
    auto actions = core_.handle(std::move(event), parts_.clock.now());
    for (const auto& timer : actions.timers)
        timers_.emplace(std::chrono::steady_clock::now() + std::max(Milliseconds{0}, timer.at - parts_.clock.now()), timer);
    if (!actions.timers.empty()) arm_timer();
    actions.timers.clear();
    for (const auto& assignment : std::exchange(actions.prepares, {})) parts_.zone.prepare(assignment);
    for (const auto& assignment : actions.starts) parts_.zone.prepare(assignment);
    for (const auto& [job, attempt] : std::exchange(actions.discards, {})) parts_.zone.discard(job, attempt);
    for (auto& question : std::exchange(actions.questions, {})) look_up(std::move(question));
    pending_.actions.append(std::move(actions));
}

/// A step's end is often followed at once by its job's, or by another step: they become one commit.
void Scheduler::wait_for_company() {
    if (stopping_ || committing_ || commit_posted_ || std::exchange(waiting_, true)) return;
    company_.expires_after(longest_company_wait);
    company_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& failure) {
        if (!failure && !alive.expired()) commit_soon();
    });
}

/// After everything that is at hand in this turn of the io thread, so that it becomes one commit.
void Scheduler::commit_soon() {
    pending_.urgent = true;
    if (committing_ || std::exchange(commit_posted_, true)) return;
    asio::post(parts_.io, [this, alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) commit();
    });
}

void Scheduler::commit() {
    commit_posted_ = false;
    if (committing_) return;
    if (std::exchange(waiting_, false)) company_.cancel();
    auto batch = std::make_shared<Batch>(std::exchange(pending_, {}));
    if (batch->actions.changes.empty()) return carry_out(*batch);
    committing_ = true;
    write(std::move(batch));
}

void Scheduler::write(std::shared_ptr<Batch> batch) {
    asio::post(committer_, [this, batch = std::move(batch), alive = std::weak_ptr(alive_), io = parts_.io]() mutable {
        Result<void> outcome;
        try {
            outcome = parts_.store.apply(batch->actions.changes);
        } catch (const std::exception& bug) {
            outcome = internal_error(bug.what());
        }
        asio::post(io, [this, batch = std::move(batch), alive, outcome] {
            if (!alive.expired()) written(batch, outcome);
        });
    });
}

void Scheduler::written(std::shared_ptr<Batch> batch, const Result<void>& outcome) {
    if (!outcome) {
        if (!batch->refused) warn("state could not be written, trying again: " + outcome.error().message);
        write_failure_ = outcome.error();
        refuse(*batch, outcome.error());
        refuse(pending_, outcome.error());
        again_.expires_after(write_again_in_);
        write_again_in_ = std::min(write_again_in_ * 2, longest_write_wait);
        again_.async_wait([this, batch, alive = std::weak_ptr(alive_)](const boost::system::error_code& failure) {
            if (!failure && !alive.expired()) write(batch);
        });
        return;
    }
    write_failure_.reset();
    write_again_in_ = first_write_wait;
    committing_ = false;
    carry_out(*batch);
    if (pending_.urgent) commit();
    else if (!pending_.actions.changes.empty()) wait_for_company();
}

/// What was decided stays decided: it is told and carried out once it could be written. A new run, though, is refused to
/// whoever asks for it, so it must not start later: it is cancelled before it began.
void Scheduler::refuse(Batch& batch, const Error& error) {
    for (const auto& ticket : batch.tickets) {
        ticket->outcome = error;
        ticket->done = true;
        ticket->signal.notify();
    }
    batch.tickets.clear();
    if (std::exchange(batch.refused, true)) return;
    std::vector<RunId> refused;
    for (const auto& added : batch.actions.changes.new_runs) refused.push_back(added.run.id);
    for (const auto& id : refused) {
        std::erase_if(batch.actions.starts, [&](const auto& assignment) { return assignment.spec.run == id; });
        for (int phase = 0; phase < 2; ++phase) submit(RunCancelled{id, "it could not be stored when it was asked for"});
    }
}

void Scheduler::carry_out(Batch& batch) {
    auto& actions = batch.actions;
    for (const auto& assignment : actions.adoptions) parts_.zone.adopt(assignment);
    for (const auto& assignment : actions.starts) parts_.zone.start(assignment);
    for (const auto& stop : actions.stops)
        parts_.zone.cancel(stop.job, stop.attempt, {stop.reason, stop.message, stop.at_once});
    for (const auto& event : actions.changes.events) parts_.bus.publish(event);
    for (const auto& ticket : batch.tickets) {
        ticket->done = true;
        ticket->signal.notify();
    }
    for (const auto& run : actions.ended) parts_.zone.release(run);
}

void Scheduler::arm_timer() {
    if (timers_.empty() || stopping_) return;
    alarm_.expires_at(std::min(timers_.begin()->first, std::chrono::steady_clock::now() + look_at_the_wall_clock));
    alarm_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& failure) {
        if (!failure && !alive.expired()) fire_timers();
    });
}

void Scheduler::fire_timers() {
    const auto steady = std::chrono::steady_clock::now();
    const auto wall = parts_.clock.now();
    std::vector<Timer> due;
    std::erase_if(timers_, [&](const auto& entry) {
        const auto& [deadline, timer] = entry;
        // "Not before three o'clock" is over when somebody sets the clock to four.
        const bool over = deadline <= steady || (timer.kind == Timer::Kind::not_before && timer.at <= wall);
        if (over) due.push_back(timer);
        return over;
    });
    for (auto& timer : due) submit(TimerFired{std::move(timer)});
    arm_timer();
}

std::filesystem::path Scheduler::job_directory(const JobId& job, int attempt) const {
    return parts_.zone.job_directory(job, attempt);
}

contract::DaemonStatus Scheduler::status() const {
    contract::DaemonStatus status;
    const auto counts = core_.counts();
    const auto& capacity = core_.capacity();
    status.pid = ::getpid();
    status.version = CICD_VERSION;
    status.state_directory = options_.state_directory.string();
    status.socket = options_.socket.string();
    status.start_time = start_time_;
    status.running_jobs = counts.running_jobs;
    status.queued_jobs = counts.queued_jobs;
    status.active_runs = counts.active_runs;
    status.cpu_capacity = capacity.cpu;
    status.memory_capacity = capacity.memory;
    status.slots = capacity.slots;
    status.gpu_capacity = capacity.gpu;
    static const std::string limits(os::limits_method());
    status.limits = limits;
    status.not_accepting_reason = stopping_ ? "the daemon is stopping" : core_.pause_reason();
    status.accepting = status.not_accepting_reason.empty();
    return status;
}

}  // namespace cicd::scheduler
