#include "common/codec/codecs.hpp"
#include "daemon/api/log_follower.hpp"
#include "daemon/api/sse.hpp"

#include <deque>
#include <map>
#include <optional>

// One stream of a run: events in the order of their numbers, first from the store, then from the bus. Log lines come as
// they are written; what a job wrote before an event of its own is sent before that event, so the end of a job or a step
// is never told before its last line.
namespace cicd::api {
namespace {

constexpr int events_at_once = 500;
constexpr std::size_t most_waiting = 4096;  // beyond it, the store is read again: a slow client costs no memory

bool ends_run(const model::RunEvent& event) {
    const auto state = from_text<model::RunState>(event.state);
    return event.type == "run.state" && state && is_final(*state);
}

class Streaming {
public:
    Streaming(Services& services, RunStream what, BodyStream& out, const boost::asio::any_io_executor& executor)
        : services_(services), what_(std::move(what)), out_(out), changed_(executor), last_(what_.after) {
        subscription_ = services_.bus.subscribe([this](const model::RunEvent& event) { take(event); });
    }

    async::Task<void> run();

private:
    void take(const model::RunEvent& event);
    async::Task<bool> send_stored();
    async::Task<bool> send_waiting();
    async::Task<bool> send_event(model::RunEvent event);
    async::Task<bool> send_lines(LogFollower& follower, int up_to_step);
    async::Task<bool> send_lines_before(const model::RunEvent& event);
    async::Task<bool> send_grown();
    async::Task<bool> follow_running_jobs(model::Run run);
    LogFollower& follower(const JobId& job, const std::string& key, int attempt);
    [[nodiscard]] bool has_grown() const;

    Services& services_;
    RunStream what_;
    BodyStream& out_;
    async::Signal changed_;
    std::int64_t last_;
    std::deque<model::RunEvent> waiting_;
    bool overflown_ = false, ended_ = false;
    std::map<std::string, LogFollower> followers_;  // by job
    events::Bus::Subscription subscription_;
};

void Streaming::take(const model::RunEvent& event) {
    if (event.run != what_.run) return;
    if (waiting_.size() < most_waiting && !overflown_) {
        waiting_.push_back(event);
    } else {
        waiting_.clear();
        overflown_ = true;
    }
    changed_.notify();
}

LogFollower& Streaming::follower(const JobId& job, const std::string& key, int attempt) {
    const int counted = attempt > 0 ? attempt : 1;
    auto found = followers_.find(job.str());
    if (found != followers_.end() && found->second.attempt() != counted) {
        followers_.erase(found);
        found = followers_.end();
    }
    if (found == followers_.end())
        found = followers_
                    .try_emplace(job.str(), job, key, counted, services_.runs.job_directory(job, counted), 0)
                    .first;
    return found->second;
}

async::Task<bool> Streaming::send_lines(LogFollower& log, int up_to_step) {
    for (;;) {
        auto lines = log.read(up_to_step);
        if (!lines) services_.warn("cannot read a log: " + lines.error().message);
        if (!lines || lines->empty()) co_return true;
        std::string text;
        for (const auto& line : *lines) text += event_text({}, "log", codec::encode(line));
        if (!co_await out_.send(std::move(text))) co_return false;
    }
}

async::Task<bool> Streaming::send_lines_before(const model::RunEvent& event) {
    if (ends_run(event)) {
        for (auto& [job, log] : followers_)
            if (!co_await send_lines(log, LogFollower::every_step)) co_return false;
        co_return true;
    }
    if (event.job.empty()) co_return true;
    const auto known = followers_.find(event.job.str());
    if (event.type == "step.state") {
        const auto state = from_text<model::StepState>(event.state);
        const bool step_ended = state && is_final(*state);
        if (known == followers_.end() || !event.step) co_return true;
        co_return co_await send_lines(known->second, step_ended ? *event.step : *event.step - 1);
    }
    const auto state = from_text<model::JobState>(event.state);
    if (event.type != "job.state" || !state) co_return true;
    if (known != followers_.end()) {
        // Whatever comes next for it, its attempt so far is over or has not begun.
        if (is_final(*state) || *state == model::JobState::queued) {
            if (!co_await send_lines(known->second, LogFollower::every_step)) co_return false;
            followers_.erase(event.job.str());
        }
    } else if (is_final(*state) && *state != model::JobState::skipped) {
        auto& log = follower(event.job, event.job_key, event.attempt);
        if (!co_await send_lines(log, LogFollower::every_step)) co_return false;
        followers_.erase(event.job.str());
    }
    co_return true;
}

async::Task<bool> Streaming::send_event(model::RunEvent event) {
    if (event.seq <= last_) co_return true;
    const bool other_stage = !what_.stage.empty() && !event.stage.empty() && event.stage != what_.stage;
    if (what_.logs && !other_stage && !co_await send_lines_before(event)) co_return false;
    last_ = event.seq;
    ended_ = ends_run(event);
    if (other_stage) co_return true;
    auto text = event_text(std::to_string(event.seq), event.type, codec::encode(event));
    if (!co_await out_.send(std::move(text))) co_return false;
    if (!what_.logs || event.job.empty()) co_return true;
    const auto state = from_text<model::JobState>(event.state);
    const bool may_write = event.type == "step.state" ||
                           (event.type == "job.state" && state &&
                            (*state == model::JobState::scheduled || *state == model::JobState::running));
    if (may_write) {
        const auto known = followers_.find(event.job.str());
        auto& log = event.attempt > 0 || known == followers_.end()
                        ? follower(event.job, event.job_key, event.attempt)
                        : known->second;
        log.watch(services_.logs, [this, job = event.job.str()] {
            if (const auto it = followers_.find(job); it != followers_.end()) it->second.has_more = true;
            changed_.notify();
        });
    }
    co_return true;
}

async::Task<bool> Streaming::send_stored() {
    overflown_ = false;
    for (;;) {
        const auto read = [this] { return services_.store.events(what_.run, last_, events_at_once); };
        auto events = co_await async::offload(services_.pool, read);
        if (!events) {
            services_.warn("cannot read events: " + events.error().message);
            co_return false;
        }
        for (const auto& event : *events) {
            if (!co_await send_event(event)) co_return false;
            if (ended_) co_return true;
        }
        if (events->size() < events_at_once) co_return true;
    }
}

async::Task<bool> Streaming::send_waiting() {
    while (!waiting_.empty() && !ended_) {
        auto event = std::move(waiting_.front());
        waiting_.pop_front();
        if (!co_await send_event(std::move(event))) co_return false;
    }
    co_return true;
}

async::Task<bool> Streaming::send_grown() {
    std::vector<std::string> jobs;
    for (const auto& [job, log] : followers_)
        if (log.has_more && log.is_watched()) jobs.push_back(job);
    for (const auto& job : jobs) {
        const auto it = followers_.find(job);
        it->second.has_more = false;
        if (!co_await send_lines(it->second, LogFollower::every_step)) co_return false;
    }
    co_return true;
}

bool Streaming::has_grown() const {
    for (const auto& [job, log] : followers_)
        if (log.has_more && log.is_watched()) return true;
    return false;
}

/// For a stream that starts after those jobs' events.
async::Task<bool> Streaming::follow_running_jobs(model::Run run) {
    for (const auto& job : run.jobs) {
        if (job.state != model::JobState::running && job.state != model::JobState::scheduled) continue;
        if (!what_.stage.empty() && job.stage != what_.stage) continue;
        if (followers_.contains(job.id.str())) continue;
        auto& log = follower(job.id, job.key, job.attempt);
        log.watch(services_.logs, [this, id = job.id.str()] {
            if (const auto it = followers_.find(id); it != followers_.end()) it->second.has_more = true;
            changed_.notify();
        });
    }
    co_return true;
}

async::Task<void> Streaming::run() {
    const auto load = [this] { return services_.store.run(what_.run); };
    auto run = co_await async::offload(services_.pool, load);
    if (!run) co_return;
    if (!co_await send_stored()) co_return;
    if (is_final(run->state)) ended_ = true;
    if (!ended_ && what_.logs && what_.after > 0) co_await follow_running_jobs(std::move(*run));
    while (!ended_) {
        if (overflown_ && !co_await send_stored()) co_return;
        if (!co_await send_waiting() || ended_) break;
        if (!co_await send_grown()) co_return;
        if (overflown_ || !waiting_.empty() || has_grown()) continue;
        const auto deadline = std::chrono::steady_clock::now() + heartbeat_interval;
        co_await changed_.wait_until(deadline);
        const bool silent = waiting_.empty() && !overflown_ && !has_grown();
        if (silent && std::chrono::steady_clock::now() >= deadline &&
            !co_await out_.send(std::string(heartbeat_text)))
            co_return;
    }
    if (ended_) co_await out_.send(std::string(end_text));
}

}  // namespace

async::Task<void> stream_run(Services& services, RunStream what, BodyStream& out) {
    const auto executor = co_await boost::asio::this_coro::executor;
    Streaming streaming(services, std::move(what), out, executor);
    co_await streaming.run();
}

}  // namespace cicd::api
