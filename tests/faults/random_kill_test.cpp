// Things die at random moments under a mixed load; at the end everything that anybody was told is true. See README.md.
#include "common/codec/codecs.hpp"
#include "tests/faults/random_kill_checks.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>

using namespace cicd;
using namespace cicd::test;

namespace {

constexpr auto patience = std::chrono::seconds(240);  // a bound against hanging, not an expectation
constexpr int most_faults_at_once = 12;

long setting(const char* name, long otherwise) {
    const char* text = std::getenv(name);
    return text ? std::atol(text) : otherwise;
}

/// One wave of runs, from many clients, while things are killed. Then everything is looked at.
class Wave {
public:
    Wave(const World& world, const GitRepository& repository, Deeds& deeds, int number)
        : world_(world), deeds_(deeds) {
        for (const auto& pipeline : load_pipelines()) {
            LoadRun run;
            run.pipeline = &pipeline;
            run.key = "wave-" + std::to_string(number) + "-" + pipeline.file;
            runs_.push_back(std::move(run));
        }
        for (auto& run : runs_) clients_.emplace_back([this, &run, &repository] { use(run, repository); });
    }
    ~Wave() {
        give_up_ = true;
        join();
    }
    Wave(const Wave&) = delete;
    Wave& operator=(const Wave&) = delete;

    [[nodiscard]] bool is_over() const { return ended_ == static_cast<int>(runs_.size()); }
    /// From now on somebody wants the runs that do not end by themselves to be cancelled.
    void cancel_endless() { cancelling_ = true; }
    void join() {
        for (auto& client : clients_)
            if (client.joinable()) client.join();
    }
    [[nodiscard]] const std::vector<LoadRun>& runs() const { return runs_; }
    void give_up() { give_up_ = true; }
    [[nodiscard]] std::vector<std::string> take_refusals() {
        const std::lock_guard guard(mutex_);
        return std::move(refusals_);
    }

private:
    void refuse(const std::string& what, const client::RawResponse& answer) {
        const std::lock_guard guard(mutex_);
        refusals_.push_back(what + " was answered with " + std::to_string(answer.status) + ": " + answer.body);
    }

    /// What one client does: starts a run, follows it, cancels it where that is its way to end.
    void use(LoadRun& run, const GitRepository& repository) {
        contract::StartRun request;
        request.repository = repository.path().string();
        request.file = run.pipeline->file;
        const auto body = codec::to_json(codec::encode(request));
        const auto started = insist(world_.socket(), "/api/v1/runs", body, run.key, give_up_);
        if (!started) return;
        const auto value = codec::parse_json(started->body);
        if (started->status / 100 != 2 || !value) return refuse("the start of " + run.key, *started);
        run.id = (*value)["id"].as_string();
        run.follower = std::make_unique<RunFollower>(world_.socket(), run.id);
        bool asked = !run.pipeline->is_cancelled;
        while (!give_up_ && !run.follower->has_ended()) {
            if (!asked && cancelling_ && run.follower->has_lines()) {
                asked = true;
                const auto answer = insist(world_.socket(), "/api/v1/runs/" + run.id + "/cancel", "{\"reason\":\"enough\"}",
                                           run.key + "-cancel", give_up_);
                if (answer && answer->status / 100 != 2) refuse("the cancel of " + run.id, *answer);
                run.cancel_acknowledged = answer && answer->status / 100 == 2;
            }
            ::usleep(1000);
        }
        run.told = run.follower->take();
        if (run.told.ended) ++ended_;
    }

    const World& world_;
    Deeds& deeds_;
    std::vector<LoadRun> runs_;
    std::vector<std::thread> clients_;
    std::atomic<int> ended_{0};
    std::atomic<bool> give_up_{false}, cancelling_{false};
    std::mutex mutex_;
    std::vector<std::string> refusals_;
};

/// Kills the daemon, a runner or both.
class Killer {
public:
    Killer(const World& world, Deeds& deeds, std::mt19937_64& random) : world_(world), deeds_(deeds), random_(random) {}

    void kill_something() {
        ::usleep(static_cast<useconds_t>(below(120'000)));
        switch (below(10)) {
            case 0: case 1: case 2: case 3: return kill_daemon();
            case 4: case 5: case 6:
                if (kill_runner()) ++runners;
                return;
            default: return kill_both();
        }
    }

    int daemons = 0, runners = 0, both = 0;

private:
    std::uint64_t below(std::uint64_t limit) { return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random_); }

    void start_daemon() {
        world_.start_daemon();
        deeds_.daemon_starts.push_back(SystemClock().now());
    }

    void kill_daemon() {
        world_.kill_daemon();
        ++daemons;
        start_daemon();
    }

    bool kill_runner() {
        const auto living = living_runners(world_.state());
        if (living.empty()) return false;
        const auto victim = std::next(living.begin(), static_cast<std::ptrdiff_t>(below(living.size())));
        deeds_.killed_runners[victim->first] = SystemClock().now();
        ::kill(victim->second, SIGKILL);
        return true;
    }

    void kill_both() {
        const bool runner_first = below(2) == 0;
        if (runner_first && kill_runner()) ++both;
        world_.kill_daemon();
        ++daemons;
        // Sometimes several runners die, as when a machine loses a user's processes.
        for (auto more = runner_first ? 0 : 1 + below(3); more > 0; --more)
            if (kill_runner()) ++both;
        start_daemon();
    }

    const World& world_;
    Deeds& deeds_;
    std::mt19937_64& random_;
};

void report(const std::vector<std::string>& faults) {
    for (std::size_t i = 0; i < faults.size(); ++i)
        if (i < 20) FAIL_CHECK(faults[i]);
}

}  // namespace

TEST_CASE("whatever is killed whenever: events, logs, exits and cancels stay true") {
    const auto points = setting("CICD_FAULT_POINTS", 20);
    const auto seed = static_cast<std::uint64_t>(setting("CICD_FAULT_SEED", 1));
    MESSAGE("CICD_FAULT_SEED=" << seed << " CICD_FAULT_POINTS=" << points);
    std::mt19937_64 random(seed);
    const World world;
    const TempDir record;
    const auto stray = "86" + std::to_string(::getpid()) + ".25";
    write_file(world.config() / "config.yaml", "executors: {host: true}\ncapacity: {slots: 8, cpu: 64}\n");
    const GitRepository repository(load_files(record.path(), stray));
    world.start_daemon();

    Deeds deeds;
    Killer killer(world, deeds, random);
    int done = 0, started = 0, connections = 0, lost = 0;
    for (int number = 0; done < points; ++number) {
        Wave wave(world, repository, deeds, number);
        const auto end = std::chrono::steady_clock::now() + patience;
        const auto cancel_after = static_cast<int>(random() % (most_faults_at_once / 2));
        for (int fault = 0; fault < most_faults_at_once && done < points && !wave.is_over(); ++fault, ++done) {
            if (fault == cancel_after) wave.cancel_endless();
            killer.kill_something();
        }
        wave.cancel_endless();
        while (!wave.is_over() && std::chrono::steady_clock::now() < end) ::usleep(2000);
        const bool over = wave.is_over();
        if (!over) wave.give_up();
        wave.join();
        report(wave.take_refusals());
        for (const auto& run : wave.runs()) {
            CHECK_MESSAGE(!run.id.empty(), run.key << " was never started");
            if (run.id.empty()) continue;
            ++started;
            connections += run.told.connections;
            for (const auto& [attempt, ending] : endings_of(run.told.events)) lost += ending.reason == "lost";
            report(check_run(world, record.path(), run, deeds));
        }
        REQUIRE(over);
        report(check_leftovers(world, stray));
        client::Client client(world.socket());
        contract::RunFilter one;
        one.page_size = 1;
        const auto stored = client.list_runs(one);
        REQUIRE(stored.has_value());
        CHECK(stored->pagination.total_count == started);  // a start that was said twice is one run
    }
    MESSAGE(done << " points: the daemon killed " << killer.daemons << " times, " << killer.runners + killer.both
                 << " runners killed (" << killer.both << " with the daemon); " << started << " runs, " << lost
                 << " attempts lost, " << connections << " connections of " << started << " streams");
}
