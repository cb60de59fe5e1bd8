#include "daemon/os/cgroup.hpp"
#include "daemon/os/files.hpp"
#include "daemon/os/process.hpp"
#include "daemon/zones/following.hpp"

#include <boost/asio/post.hpp>

#include <sys/inotify.h>

#include <chrono>
#include <fstream>

/// Following runners: one inotify descriptor for all of them, and a pidfd for each.
namespace cicd::zones {

using model::EndReason;

namespace {

/// What the runner itself had to say, if anything: its last line.
std::string last_words(const job::Paths& paths) {
    std::ifstream file(paths.root / "runner.log");
    std::string line, last;
    while (std::getline(file, line))
        if (!line.empty()) last = line.substr(0, 500);
    return last;
}

constexpr Milliseconds between_tries{20};

Timestamp wall_clock() {
    return SystemClock().now();
}

}  // namespace

/// The journal itself is watched, not its folder: a busy log would fill the queue of events.
Result<void> Local::State::watch(const Key& key, Following& job) {
    if (!inotify_) return unavailable("ZONE_001", inotify_problem_);
    CICD_TRY(job.folder_watch, inotify_->add(job.paths.root, IN_MOVED_TO));
    CICD_TRY(job.journal_watch, inotify_->add(job.paths.journal(), IN_MODIFY));
    watches_[job.folder_watch] = key;
    watches_[job.journal_watch] = key;
    return {};
}

void Local::State::unwatch(const Following& job) {
    for (const int watch : {job.folder_watch, job.journal_watch})
        if (watch >= 0 && watches_.erase(watch) > 0) inotify_->remove(watch);
}

void Local::State::wait_for_files() {
    files_->async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& failure) {
                           if (failure || self->detached_) return;
                           self->files_changed();
                           if (!self->detached_) self->wait_for_files();
                       });
}

void Local::State::files_changed() {
    const auto events = inotify_->read();
    if (!events) return;
    std::vector<std::pair<Key, bool>> seen;  // with: may have ended
    for (const auto& event : *events) {
        if (event.mask & IN_Q_OVERFLOW) {
            for (const auto& [key, job] : jobs_)
                if (job->phase == Following::Phase::running || job->phase == Following::Phase::starting)
                    seen.emplace_back(key, true);
            continue;
        }
        const auto watched = watches_.find(event.watch);
        if (watched == watches_.end()) continue;
        const bool ended = (event.mask & IN_MOVED_TO) && event.name == "exit";
        if (!ended && (event.mask & IN_MOVED_TO)) continue;
        if (!seen.empty() && seen.back().first == watched->second)
            seen.back().second |= ended;
        else
            seen.emplace_back(watched->second, ended);
    }
    for (const auto& [key, ended] : seen) {
        auto* job = find(key);
        if (!job) continue;
        read_journal(key, *job);
        if (ended && (job = find(key))) collect_exit(key, *job);
    }
}

void Local::State::read_journal(const Key& key, Following& job) {
    const auto entries = job::read_journal(job.paths, job.journal_offset);
    if (!entries || !listener) return;
    for (const auto& entry : *entries)
        if (!detached_) listener->progressed(key.first, key.second, entry);
}

bool Local::State::collect_exit(const Key& key, Following& job) {
    auto exit = job::read_exit(job.paths);
    if (!exit) {
        end_early(key, EndReason::lost, "what its runner reported cannot be read: " + exit.error().message);
        return true;
    }
    if (!*exit) return false;
    end(key, std::move(**exit));
    return true;
}

void Local::State::wait_for_death(const Key& key, Following& job) {
    auto pidfd = os::pidfd_open(job.pid);
    if (!pidfd && pidfd.error().kind == ErrorKind::not_found) return died(key);
    if (!pidfd) return wait_for_death_later(key);  // no descriptor is left
    job.runner.assign(pidfd->release());
    wait_for_runner(key, job);
}

void Local::State::wait_for_death_later(const Key& key) {
    const auto pause = std::make_shared<asio::steady_timer>(io_, between_tries);
    pause->async_wait([self = shared_from_this(), key, pause, which = std::weak_ptr(jobs_.at(key))](const boost::system::error_code&) {
        const auto mine = which.lock();
        if (mine && self->find(key) == mine.get()) self->wait_for_death(key, *mine);
    });
}

/// The reactor may say so of another descriptor: a child that is being started holds a copy of everything for a moment, so
/// what was closed here goes on telling the kernel's events, to whoever has its place by then. What counts is the process.
void Local::State::wait_for_runner(const Key& key, Following& job) {
    job.runner.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this(), key, which = std::weak_ptr(jobs_.at(key))](const boost::system::error_code& failure) {
                              const auto mine = which.lock();
                              if (failure || !mine || self->find(key) != mine.get()) return;
                              if (!os::has_ended(mine->runner.native_handle())) return self->wait_for_runner(key, *mine);
                              self->died(key);
                          });
}

/// The runner is gone. Its last act may have been to report the end, so that is looked for once more.
void Local::State::died(const Key& key) {
    auto* job = find(key);
    if (!job) return;
    read_journal(key, *job);
    job = find(key);
    if (!job) return;
    // Held back, and gone: where its turn comes after all, it is made anew.
    if (!job->wanted) return forget(key);
    if (collect_exit(key, *job)) return;
    // It was held back by the daemon before this one, and left with it.
    if (job->adopted && job::runner_status(job->paths).liveness == job::RunnerLiveness::not_started)
        return start_again(key);
    const auto& spec = job->assignment.spec;
    const bool may_have = spec.real_workspace || spec.executor == model::ExecutorKind::container || spec.executor == model::ExecutorKind::host;
    asio::post(sweeper_, [where = folders, may_have] {
        (void)os::sweep_groups();
        if (may_have) sweep_containers(where);
    });
    if (job->cancel)
        return end_early(key, job->cancel->reason, job->cancel->message + " (its runner had to be killed)");
    const auto words = last_words(job->paths);
    end_early(key, EndReason::lost,
              "its runner died without saying how the job ended" +
                  (words.empty() ? std::string() : "; its last words: " + words));
}

void Local::State::end_early(const Key& key, EndReason reason, const std::string& message) {
    model::JobExit exit;
    const bool cancelled = reason == EndReason::cancelled || reason == EndReason::superseded;
    exit.state = cancelled ? model::JobState::cancelled : model::JobState::failed;
    exit.end_reason = reason;
    exit.message = message;
    exit.end_time = wall_clock();
    end(key, std::move(exit));
}

void Local::State::end(const Key& key, model::JobExit exit) {
    const auto found = jobs_.find(key);
    if (detached_ || found == jobs_.end()) return;
    const auto job = found->second;
    jobs_.erase(found);
    unwatch(*job);
    job->timer.cancel();
    boost::system::error_code ignored;
    job->runner.close(ignored);
    if (listener) listener->ended(key.first, key.second, exit);
    make_spare(after_end);
    asio::post(sweeper_, [where = folders, paths = job->paths] { remove_leavings(where, paths); });
}

}  // namespace cicd::zones
