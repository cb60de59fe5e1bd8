#include "common/codec/codecs.hpp"
#include "daemon/api/log_follower.hpp"
#include "daemon/api/run_events.hpp"
#include "daemon/api/sse.hpp"
#include "daemon/api/wake.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

// One stream of a run: events in the order of their numbers, first from the store, then from the bus. Log lines come as
// they are written; what a job wrote before an event of its own is sent before that event, so the end of a job or a step
// is never told before its last line, nor its first line before its start.
namespace cicd::api {
namespace {

constexpr int events_at_once = 500;
constexpr std::size_t most_waiting = 256;  // beyond it, the store is read again: a slow client costs no memory
constexpr std::size_t few_jobs = 8;

bool ends_run(const model::RunEvent& event) {
    const auto state = from_text<model::RunState>(event.state);
    return event.type == "run.state" && state && is_final(*state);
}

/// Whether its job has a log that grows from now on.
bool may_write(const model::RunEvent& event) {
    const auto state = from_text<model::JobState>(event.state);
    return event.type == "step.state" ||
           (event.type == "job.state" && (state == model::JobState::scheduled || state == model::JobState::running));
}

class Streaming {
public:
    Streaming(Services& services, RunStream what, BodyStream& out, const boost::asio::any_io_executor& executor)
        : services_(services), what_(std::move(what)), out_(out), changed_(executor), last_(what_.after.seq) {
        subscription_ = services_.run_events->follow(what_.run, [this](const model::RunEvent& event) { take(event); });
    }

    async::Task<void> run();

private:
    void take(const model::RunEvent& event);
    async::Task<bool> send_stored();
    async::Task<bool> send_waiting();
    async::Task<bool> send_event(model::RunEvent event);
    async::Task<bool> send_lines(const std::string& job, int up_to_step);
    async::Task<bool> send_lines_before(const model::RunEvent& event);
    async::Task<bool> send_grown();
    async::Task<bool> follow_from_the_middle();
    void watch(LogFollower& log, const JobId& job);
    LogFollower& follower(const JobId& job, const std::string& key, int attempt);
    LogFollower::Ids ids_of(const std::string& job) const;
    async::Task<bool> pause();
    [[nodiscard]] bool has_grown() const;
    [[nodiscard]] StreamPosition position() const;

    Services& services_;
    RunStream what_;
    BodyStream& out_;
    Wake changed_;
    std::int64_t last_;
    std::deque<model::RunEvent> waiting_;
    bool overflown_ = false, ended_ = false;
    std::map<std::string, LogFollower> followers_;  // by job
    std::chrono::steady_clock::time_point next_heartbeat_ = std::chrono::steady_clock::now() + heartbeat_interval;
    RunEvents::Subscription subscription_;
};

void Streaming::take(const model::RunEvent& event) {
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
    if (found != followers_.end()) return found->second;
    const auto known = what_.after.lines.find(job.str());
    const bool resumed = known != what_.after.lines.end() && known->second.attempt == counted;
    const auto first = resumed ? known->second.last + 1 : 0;
    auto directory = services_.runs.job_directory(job, counted);
    return followers_.try_emplace(job.str(), job, key, counted, std::move(directory), first).first->second;
}

StreamPosition Streaming::position() const {
    StreamPosition position;
    position.seq = last_;
    for (const auto& [job, log] : followers_)
        if (log.next_line() > 0) position.lines[job] = {log.attempt(), log.next_line() - 1};
    return position;
}

/// Every line says how far the stream has come in all jobs; of many at once, only the last one of those sent together.
LogFollower::Ids Streaming::ids_of(const std::string& job) const {
    auto position = this->position();
    position.lines.erase(job);
    const auto& log = followers_.at(job);
    const bool few = position.lines.size() < few_jobs;
    return {position.text() + ";" + job + "." + std::to_string(log.attempt()) + ".", few, what_.join};
}

async::Task<bool> Streaming::send_lines(const std::string& job, int up_to_step) {
    auto& log = followers_.at(job);
    const auto ids = ids_of(job);
    for (;;) {
        std::string text;
        const auto lines = log.append_events(text, ids, up_to_step);
        if (!lines) services_.warn("cannot read a log: " + lines.error().message);
        if (!lines || *lines == 0) co_return true;
        if (!co_await out_.send(std::move(text))) co_return false;
    }
}

async::Task<bool> Streaming::send_lines_before(const model::RunEvent& event) {
    constexpr int every_step = LogFollower::every_step;
    if (ends_run(event)) {
        for (const auto& [job, log] : followers_)
            if (!co_await send_lines(job, every_step)) co_return false;
        co_return true;
    }
    if (event.job.empty()) co_return true;
    const auto job = event.job.str();
    const bool known = followers_.contains(job);
    if (event.type == "step.state") {
        const auto state = from_text<model::StepState>(event.state);
        const bool step_ended = state && is_final(*state);
        if (!known || !event.step) co_return true;
        co_return co_await send_lines(job, step_ended ? *event.step : *event.step - 1);
    }
    const auto state = from_text<model::JobState>(event.state);
    if (event.type != "job.state" || !state) co_return true;
    // Whatever comes next for it, its attempt so far is over or has not begun.
    const bool is_over = is_final(*state) || (known && *state == model::JobState::queued);
    if (!is_over || (!known && *state == model::JobState::skipped)) co_return true;
    if (!known) follower(event.job, event.job_key, event.attempt);
    if (!co_await send_lines(job, every_step)) co_return false;
    followers_.erase(job);
    co_return true;
}

async::Task<bool> Streaming::send_event(model::RunEvent event) {
    if (event.seq <= last_) co_return true;
    const bool other_stage = !what_.stage.empty() && !event.stage.empty() && event.stage != what_.stage;
    if (what_.logs && !other_stage && !co_await send_lines_before(event)) co_return false;
    last_ = event.seq;
    ended_ = ends_run(event);
    if (other_stage) co_return true;
    const auto id = what_.logs ? position().text() : std::to_string(event.seq);
    auto text = event_text(id, event.type, codec::encode(event));
    if (!co_await out_.send(std::move(text))) co_return false;
    if (!what_.logs || event.job.empty()) co_return true;
    if (may_write(event)) {
        const auto known = followers_.find(event.job.str());
        auto& log = event.attempt > 0 || known == followers_.end()
                        ? follower(event.job, event.job_key, event.attempt)
                        : known->second;
        watch(log, event.job);
        if (event.type == "step.state" && event.step) {
            log.step = std::max(log.step, *event.step);
            log.has_more = true;
        }
    }
    co_return true;
}

void Streaming::watch(LogFollower& log, const JobId& job) {
    log.watch(services_.logs, [this, id = job.str()] {
        if (const auto it = followers_.find(id); it != followers_.end()) it->second.has_more = true;
        changed_.notify();
    });
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
        if (log.has_more) jobs.push_back(job);
    for (const auto& job : jobs) {
        auto& log = followers_.at(job);
        watch(log, JobId(job));  // its directory may not have been there before
        log.has_more = false;
        if (!co_await send_lines(job, log.step)) co_return false;
    }
    co_return true;
}

bool Streaming::has_grown() const {
    for (const auto& [job, log] : followers_)
        if (log.has_more) return true;
    return false;
}

/// For a stream that starts in the middle: follows the logs of the jobs that were running there.
async::Task<bool> Streaming::follow_from_the_middle() {
    struct Open {
        std::string key;
        int attempt = 1, step = -1;
    };
    std::map<std::string, Open> open;
    for (std::int64_t seq = 0; seq < what_.after.seq;) {
        const auto read = [this, seq] { return services_.store.events(what_.run, seq, events_at_once); };
        const auto events = co_await async::offload(services_.pool, read);
        if (!events) co_return false;
        if (events->empty()) break;
        for (const auto& event : *events) {
            seq = event.seq;
            if (event.seq > what_.after.seq) break;
            const bool other_stage = !what_.stage.empty() && event.stage != what_.stage;
            const auto known = open.find(event.job.str());
            if (event.type == "step.state" && event.step && known != open.end())
                known->second.step = std::max(known->second.step, *event.step);
            if (event.type != "job.state" || other_stage) continue;
            if (may_write(event)) {
                auto& job = open[event.job.str()];
                job.key = event.job_key;
                if (event.attempt > 0 && std::exchange(job.attempt, event.attempt) != event.attempt) job.step = -1;
            } else {
                open.erase(event.job.str());
            }
        }
    }
    for (const auto& [job, known] : open) {
        auto& log = follower(JobId(job), known.key, known.attempt);
        log.step = known.step;
        watch(log, JobId(job));
    }
    co_return true;
}

/// Until there is something to send. False: the client is gone.
async::Task<bool> Streaming::pause() {
    const auto unwatched = [](const auto& entry) { return !entry.second.is_watched(); };
    const bool look_again = std::any_of(followers_.begin(), followers_.end(), unwatched);
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_heartbeat_) {
        next_heartbeat_ = now + heartbeat_interval;
        co_return co_await out_.send(std::string(heartbeat_text));
    }
    const auto soon = now + std::chrono::milliseconds(100);
    const bool called = co_await changed_.wait_until(look_again ? std::min(soon, next_heartbeat_) : next_heartbeat_);
    if (called) next_heartbeat_ = std::chrono::steady_clock::now() + heartbeat_interval;
    if (!called && look_again)
        for (auto& [job, log] : followers_)
            if (!log.is_watched()) log.has_more = true;
    co_return true;
}

async::Task<void> Streaming::run() {
    const auto load = [this] { return services_.store.run(what_.run); };
    auto run = co_await async::offload(services_.pool, load);
    if (!run) co_return;
    if (what_.logs && what_.after.seq > 0 && !co_await follow_from_the_middle()) co_return;
    if (!co_await send_stored()) co_return;
    if (is_final(run->state)) ended_ = true;
    while (!ended_) {
        if (overflown_ && !co_await send_stored()) co_return;
        if (!co_await send_waiting() || ended_) break;
        if (!co_await send_grown()) co_return;
        if (overflown_ || !waiting_.empty() || has_grown()) continue;
        if (!co_await pause()) co_return;
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
