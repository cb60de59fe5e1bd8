#include "daemon/os/process.hpp"
#include "daemon/runner/supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>

/// What the supervisor sees while it waits: signals, events, the clock; and what it does about them.
namespace cicd::runner {
namespace {

using Clock = SteadyTime::clock;

}  // namespace

void Supervisor::turn(SteadyTime until) {
    std::vector<pollfd> watched{{signals_.get(), POLLIN, 0}, {finished_ ? -1 : place_.events_fd(), POLLIN, 0}};
    for (const auto* activity : activities_) watched.push_back({activity->outside_ended ? -1 : activity->outside.get(), POLLIN, 0});
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
    for (std::size_t i = 0; i < activities_.size(); ++i)
        if (watched[2 + i].revents != 0) activities_[i]->outside_ended = true;
    if (watched[0].revents != 0) {
        signalfd_siginfo info{};
        while (::read(signals_.get(), &info, sizeof info) == sizeof info) on_signal(static_cast<int>(info.ssi_signo));
    }
    if (watched[1].revents != 0) on_event();
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
    for (const auto& waiting : waiting_) first = std::min(first, waiting.until);
    for (const auto* activity : activities_) {
        consider(activity->deadline);
        consider(activity->kill_at);
    }
    for (const auto& [step, stop] : step_stops_) consider(stop.kill_at);
    if (const auto since = silent_since()) first = std::min(first, *since + (silences_ + 1) * *spec_.silence_timeout);
    if (!finishing_ && !gone_) first = std::min(first, storage_.due());
    return first;
}

void Supervisor::on_signal(int number) {
    // Every step has ended, so there is nothing to cancel: the job's result stands.
    if (finishing_ && services_) services_->hurry();
    if (finishing_ && activities_.empty()) return;
    // Who asks again, after a restart say, cannot know whether the first request has arrived.
    if (number == SIGTERM && stop_) return;
    const auto request = job::read_cancel(paths_).value_or(job::CancelRequest{});
    const Stop asked{request.reason, request.message.empty() ? "the job was cancelled" : request.message};
    if (number == SIGTERM) return end_job(asked);
    if (!stop_) stop_ = asked;
    output_.system_line(step_, "everything is killed");
    for (const auto* activity : activities_)
        if (activity->outside && activity->ending == Ending::killed) (void)os::pidfd_send_signal(activity->outside.get(), SIGKILL);
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
        for (auto* activity : activities_)
            if (is_in_place(*activity) && !activity->end) activity->end = ProgramEnd{.stop = stop_};
        return;
    }
    if (told->note) {
        if (!told->note->empty()) output_.system_line(step_, *told->note);
        return;
    }
    const auto& event = told->event;
    const model::Usage usage{event.cpu_us / 1000, event.peak_bytes, 0};
    const auto ends = [&](ProgramEnd end) {
        for (auto* activity : activities_)
            if (activity->number == event.program && !activity->end) activity->end = std::move(end);
    };
    switch (event.kind) {
        case Event::Kind::ready:
            ready_ = true;
            if (place_.is_container()) limits_.watch(place_.first_pid());
            else if (place_.isolated()) storage_.found(place_.folders().workspace);
            break;
        case Event::Kind::started:
        case Event::Kind::probed: break;  // of services only
        case Event::Kind::refused:
            ends({.kind = ProgramEnd::Kind::refused, .stage = static_cast<os::SpawnFailure::Stage>(event.stage), .errno_value = event.number});
            break;
        case Event::Kind::no_files: ends({.kind = ProgramEnd::Kind::no_files, .errno_value = event.number}); break;
        case Event::Kind::ended:
            ends({.kind = ProgramEnd::Kind::ended, .status = event.number, .usage = usage, .files = std::move(told->files)});
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
    for (auto& [step, stop] : step_stops_) {
        if (!stop.kill_at || now < *stop.kill_at) continue;
        stop.kill_at.reset();
        for (auto* activity : activities_)
            if (activity->step == step) activity->kill_at = now;
    }
    for (auto* activity : activities_) check_activity(*activity, now);
    check_silence(now);
}

void Supervisor::check_activity(Activity& activity, SteadyTime now) {
    if (activity.deadline && now >= *activity.deadline) {
        const auto limit = std::chrono::duration_cast<Milliseconds>(*activity.deadline - activity.start);
        activity.deadline.reset();
        end_program(activity, {model::EndReason::timeout, "the step ran longer than " + format_duration(limit)});
    }
    if (!activity.kill_at || now < *activity.kill_at) return;
    activity.kill_at.reset();
    output_.system_line(activity.step, "still running after " + format_duration(spec_.grace) + ": the step is killed");
    if (is_in_place(activity)) place_.signal_program(activity.number, SIGKILL);
    else (void)os::pidfd_send_signal(activity.outside.get(), activity.ending == Ending::by_itself ? SIGINT : SIGKILL);
}

std::optional<SteadyTime> Supervisor::silent_since() const {
    if (!spec_.silence_timeout || stop_) return std::nullopt;
    std::optional<SteadyTime> since;
    for (const auto* activity : activities_)
        if (is_in_place(*activity) && !activity->stop) since = std::max(since.value_or(output_.last_output()), activity->start);
    return since;
}

void Supervisor::check_silence(SteadyTime now) {
    const auto since = silent_since();
    if (!since) return;
    const auto limit = *spec_.silence_timeout;
    const auto told = static_cast<int>(std::min<std::int64_t>((now - *since) / limit, 1'000'000'000));
    if (told <= silences_) {
        silences_ = told;  // there was output
        return;
    }
    silences_ = told;
    const auto message = "no output for " + format_duration(limit * told);
    if (!spec_.fail_on_silence) return output_.system_line(step_, message + "; still running");
    for (auto* activity : activities_)
        if (is_in_place(*activity)) end_program(*activity, {model::EndReason::timeout, message});
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

void Supervisor::end_program(Activity& activity, Stop stop) {
    if (activity.stop || stop_) return;
    output_.system_line(activity.step, stop.message);
    activity.stop = std::move(stop);
    activity.kill_at = Clock::now() + spec_.grace;
    place_.signal_program(activity.number, SIGTERM);
}

void Supervisor::end_step(std::uint32_t step, Stop stop) {
    if (stop_of(step)) return;
    output_.system_line(step, stop.message);
    for (const auto* activity : activities_)
        if (activity->step == step && is_in_place(*activity)) place_.signal_program(activity->number, SIGTERM);
    step_stops_.emplace(step, StepStop{std::move(stop), Clock::now() + spec_.grace});
}

std::optional<Stop> Supervisor::stop_of(std::uint32_t step) const {
    if (stop_) return stop_;
    const auto found = step_stops_.find(step);
    return found == step_stops_.end() ? std::nullopt : std::optional(found->second.stop);
}

bool Supervisor::is_killed(std::uint32_t step) const {
    const auto found = step_stops_.find(step);
    return found != step_stops_.end() && !found->second.kill_at;
}

void Supervisor::kill_all() {
    kill_at_.reset();
    gone_ = true;
    for (const auto* activity : activities_)
        if (activity->outside && activity->ending == Ending::by_itself) (void)os::pidfd_send_signal(activity->outside.get(), SIGINT);
    place_.signal_all(SIGKILL);
}

}  // namespace cicd::runner
