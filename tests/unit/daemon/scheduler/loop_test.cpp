#include "daemon/scheduler/loop.hpp"

#include "common/job/job_directory.hpp"
#include "daemon/zones/local.hpp"

#include <doctest/doctest.h>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

/// The scheduler with everything real: state file, git, job directories, runners.

using namespace cicd;
using namespace cicd::scheduler;
using model::JobState;
using model::RunState;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct TemporaryFolder {
    TemporaryFolder() {
        std::string name = (fs::temp_directory_path() / "cicd-loop-XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    fs::path path;
};

/// A daemon's lifetime: destroyed and made again over the same folder, it is a restart.
class Life {
public:
    explicit Life(const fs::path& folder)
        : store_(*store::Store::open(folder / "state.db")),
          sources_(folder / "repos"),
          zone_(io_.get_executor(), pool_, sources_,
                {folder, fs::path(CICD_BIN_DIR) / "cicd-runner", Milliseconds{2000}}),
          scheduler(
              {io_.get_executor(), pool_, *store_, sources_, bus_, zone_, clock_},
              {.state_directory = folder, .socket = folder / "socket", .capacity = {4, 4, 1ULL << 40}, .allow_host_executor = true,
               .warn = [](const std::string& text) { MESSAGE(text); }}) {
        told_ = bus_.subscribe([this](const model::RunEvent& event) { events.push_back(event); });
        const auto resumed = scheduler.resume();
        REQUIRE(resumed.has_value());
    }
    ~Life() {
        scheduler.shutdown();
        pool_.join();
    }

    template <class T>
    Result<T> wait(async::Task<Result<T>> task) {
        std::optional<Result<T>> answer;
        asio::co_spawn(io_, std::move(task), [&](std::exception_ptr failure, Result<T> given) {
            if (failure) std::rethrow_exception(failure);
            answer = std::move(given);
        });
        until([&] { return answer.has_value(); });
        return std::move(*answer);
    }
    template <class Condition>
    void until(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            io_.run_one_for(std::chrono::milliseconds(100));
            if (std::chrono::steady_clock::now() > deadline) FAIL("nothing happened for too long");
        }
    }
    bool seen(const std::string& type, const std::string& state, const std::string& key = {}) const {
        for (const auto& event : events)
            if (event.type == type && event.state == state && event.job_key == key) return true;
        return false;
    }
    model::Run end_of(const RunId& id) {
        until([&] {
            const auto run = store_->run(id);
            return run && model::is_final(run->state) && scheduler.status().active_runs == 0;
        });
        return *store_->run(id);
    }

    /// Of a request with a key: whether it was carried out, as somebody is told who asks again.
    store::Claim claim(const std::string& key) { return *store_->claim({"me", key, "fingerprint"}, clock_.now()); }

    std::vector<model::RunEvent> events;

private:
    asio::io_context io_{1};
    asio::thread_pool pool_{2};
    events::Bus bus_;
    SystemClock clock_;
    std::unique_ptr<store::Store> store_;
    git::Sources sources_;
    zones::Local zone_;
    events::Bus::Subscription told_;

public:
    Scheduler scheduler;
};

struct Project {
    Project() {
        repository = folder.path / "project";
        fs::create_directories(repository);
        std::ofstream(repository / "file.txt") << "hello\n";
        const auto git = "git -C " + repository.string() + " ";
        REQUIRE(std::system((git + "init -q -b main && " + git + "add . && " + git +
                             "-c user.name=a -c user.email=a@b commit -q -m first")
                                .c_str()) == 0);
        fs::create_directories(folder.path / "state");
    }
    contract::StartRun request(const std::string& stages) const {
        contract::StartRun made;
        made.repository = repository.string();
        made.definition = "name: p\ndefaults: {executor: host}\nstages:\n" + stages;
        return made;
    }
    fs::path state() const { return folder.path / "state"; }

    TemporaryFolder folder;
    fs::path repository;
};

const model::JobRun& job_of(const model::Run& run, const std::string& key) {
    for (const auto& each : run.jobs)
        if (each.key == key) return each;
    FAIL("no job " << key);
    throw std::logic_error("unreachable");
}

}  // namespace

TEST_CASE("a run from its request to its end") {
    const Project project;
    Life life(project.state());
    const auto started =
        life.wait(life.scheduler.start(project.request("  - {name: s, commands: [cat file.txt]}\n"), "me"));
    if (!started) FAIL(started.error().message);
    const auto run = life.end_of(started->id);
    CHECK(run.message == "");
    CHECK((run.state == RunState::success));
    CHECK(run.jobs.at(0).exit_code == 0);
    CHECK(life.seen("job.state", "running", run.jobs[0].key));
    CHECK(life.seen("step.state", "success", run.jobs[0].key));
    const auto directory = life.scheduler.job_directory(run.jobs[0].id, 1);
    CHECK(fs::exists(directory / "exit"));
    std::int64_t last = 0;
    for (const auto& event : life.events) CHECK(event.seq == ++last);
}

TEST_CASE("what follows a job starts when it ends, whatever else runs") {
    const Project project;
    Life life(project.state());
    const auto started = life.wait(life.scheduler.start(
        project.request(
            "  - {name: a, needs: [], commands: ['sleep 0.3']}\n  - {name: b, needs: [], commands: ['sleep 60']}\n"
            "  - {name: c, needs: [a], commands: ['true']}\n"
            "  - {name: d, needs: [c], commands: ['true']}\n  - {name: e, needs: [d], commands: ['true']}\n"),
        "me"));
    if (!started) FAIL(started.error().message);
    life.until([&] {
        for (const auto& event : life.events)
            if (event.type == "stage.state" && event.stage == "e" && event.state == "success") return true;
        return false;
    });
    const auto cancelled = life.wait(life.scheduler.cancel(started->id, {"enough"}));
    CHECK(cancelled.has_value());
    const auto run = life.end_of(started->id);
    CHECK((run.state == RunState::cancelled));
    for (const auto* after : {"c.c", "d.d", "e.e"})
        CHECK(*job_of(run, after).start_time < *job_of(run, "b.b").end_time);
}

TEST_CASE("a restarted daemon goes on with running jobs and says which were lost") {
    const Project project;
    RunId id;
    const auto go = project.folder.path / "go";
    {
        Life life(project.state());
        const auto started =
            life.wait(life.scheduler.start(project.request("  - name: s\n    jobs:\n"
                                                           "      kept: {steps: [{run: 'while ! test -e " +
                                                           go.string() +
                                                           "; do sleep 0.02; done; echo kept'}]}\n"
                                                           "      lost: {steps: [{run: 'sleep 60'}]}\n"
                                                           "      after: {needs: [s.kept], steps: [{run: 'true'}]}\n"),
                                           "me"));
        if (!started) FAIL(started.error().message);
        id = started->id;
        life.until([&] {
            return life.seen("step.state", "running", "s.kept") && life.seen("step.state", "running", "s.lost");
        });
        const auto lost = life.scheduler.job_directory(job_of(*started, "s.lost").id, 1);
        life.scheduler.shutdown();
        const auto status = job::runner_status({lost});
        REQUIRE(status.pid > 0);
        ::kill(status.pid, SIGKILL);
    }
    Life life(project.state());
    life.until([&] { return life.seen("job.state", "failed", "s.lost"); });
    std::ofstream(go) << "go";
    const auto run = life.end_of(id);
    CHECK((job_of(run, "s.kept").state == JobState::success));
    CHECK((job_of(run, "s.after").state == JobState::success));
    CHECK((job_of(run, "s.lost").end_reason == model::EndReason::lost));
    CHECK((run.state == RunState::failed));
    CHECK((life.claim("again").state == store::Claim::State::ours));
    const auto retried = life.wait(life.scheduler.retry(id, {}, "me", "again"));
    REQUIRE(retried.has_value());
    CHECK((job_of(*retried, "s.kept").state == JobState::success));
    CHECK(retried->retry_of == id);
    CHECK(life.claim("again").run == retried->id);
    CHECK(life.wait(life.scheduler.cancel(retried->id, {""})).has_value());
    CHECK((life.end_of(retried->id).state == RunState::cancelled));
}

TEST_CASE("a refused event, a wrong definition, an unknown run") {
    const Project project;
    Life life(project.state());
    auto wrong = project.request("  - {name: s, comands: [x]}\n");
    const auto refused = life.wait(life.scheduler.start(wrong, "me"));
    REQUIRE_FALSE(refused.has_value());
    CHECK_FALSE(refused.error().problems.empty());
    auto other = project.request("  - {name: s, commands: ['true']}\ntriggers: [{type: push, branches: [release]}]\n");
    other.event = model::TriggerType::push;
    const auto skipped = life.wait(life.scheduler.start(other, "me"));
    REQUIRE_FALSE(skipped.has_value());
    CHECK(skipped.error().code == "PIPELINE_004");
    const auto unknown = life.wait(life.scheduler.cancel(RunId("run-999"), {""}));
    REQUIRE_FALSE(unknown.has_value());
    CHECK((unknown.error().kind == ErrorKind::not_found));
}

TEST_CASE("paused: nothing new is taken and nothing starts; another turn and the reason why are told meanwhile") {
    const Project project;
    Life life(project.state());
    life.scheduler.pause("only 12 MiB are free");
    CHECK_FALSE(life.scheduler.status().accepting);
    CHECK(life.scheduler.status().not_accepting_reason == "only 12 MiB are free");
    const auto request = project.request("  - {name: s, commands: ['true']}\n");
    const auto refused = life.wait(life.scheduler.start(request, "me"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == "CICD_507");
    CHECK((refused.error().kind == ErrorKind::unavailable));
    life.scheduler.resume_work();
    CHECK(life.scheduler.status().accepting);

    auto holding = project.request("  - {name: s, commands: ['sleep 60']}\nconcurrency: prod\n");
    const auto holder = life.wait(life.scheduler.start(holding, "me"));
    if (!holder) FAIL(holder.error().message);
    auto waiting = project.request("  - {name: s, commands: ['true']}\nconcurrency: {group: prod, cancelInProgress: false}\n");
    const auto second = life.wait(life.scheduler.start(waiting, "me"));
    if (!second) FAIL(second.error().message);
    CHECK((second->state == RunState::queued));
    const auto why = life.wait(life.scheduler.explain(second->id));
    REQUIRE(why.has_value());
    REQUIRE_FALSE(why->causes.empty());
    CHECK((why->causes[0].kind == contract::CauseKind::lock));
    CHECK(why->causes[0].remedy == "cicdctl cancel " + holder->id.str());
    contract::Reschedule change;
    change.priority = model::Priority::high;
    const auto changed = life.wait(life.scheduler.reschedule(second->id, change, "sam"));
    REQUIRE(changed.has_value());
    CHECK((changed->priority == model::Priority::high));
    // The holder's own events may come after it.
    CHECK(std::any_of(life.events.begin(), life.events.end(), [](const auto& event) {
        return event.message == "rescheduled by sam: priority high (was normal)";
    }));
    CHECK(life.wait(life.scheduler.cancel(holder->id, {""})).has_value());
    const auto run = life.end_of(second->id);
    CHECK((run.state == RunState::success));
    CHECK((run.priority == model::Priority::high));
    CHECK((life.end_of(holder->id).state == RunState::cancelled));
    const auto again = life.wait(life.scheduler.cancel(holder->id, {"has nobody heard me?"}));
    REQUIRE(again.has_value());
    CHECK((again->state == RunState::cancelled));
    const auto too_late = life.wait(life.scheduler.cancel(second->id, {""}));
    REQUIRE_FALSE(too_late.has_value());
    CHECK(too_late.error().code == "RUN_004");
    const auto over = life.wait(life.scheduler.explain_job(run.jobs.at(0).id));
    REQUIRE(over.has_value());
    CHECK((over->jobs.at(0).verdict == contract::Verdict::ended));
    const auto late = life.wait(life.scheduler.reschedule_job(run.jobs[0].id, change, "sam"));
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().code == "JOB_006");
    auto too_big = project.request("  - {name: s, resources: {cpu: 99}, commands: ['true']}\n");
    const auto never = life.wait(life.scheduler.start(too_big, "me"));
    REQUIRE_FALSE(never.has_value());
    CHECK(never.error().message.find("asks for 99 cores, but there are 4 here") != std::string::npos);
}

TEST_CASE("a cancellation and a wait between attempts outlive the daemon") {
    const Project project;
    RunId cancelled, retried;
    {
        Life life(project.state());
        const auto first = life.wait(life.scheduler.start(project.request("  - {name: s, commands: ['trap \"\" TERM; sleep 60']}\n"), "me"));
        if (!first) FAIL(first.error().message);
        cancelled = first->id;
        auto again = project.request("  - {name: s, retry: {max: 1, backoff: 1s}, commands: ['exit 3']}\n");
        const auto second = life.wait(life.scheduler.start(again, "me"));
        if (!second) FAIL(second.error().message);
        retried = second->id;
        life.until([&] { return life.seen("step.state", "running", "s.s"); });
        life.until([&] {
            for (const auto& event : life.events)
                if (event.run == retried && event.state == "queued" && event.attempt == 2) return true;
            return false;
        });
        CHECK(life.wait(life.scheduler.cancel(cancelled, {"enough"})).has_value());
    }
    Life life(project.state());
    const auto run = life.end_of(retried);
    CHECK((run.state == RunState::failed));
    CHECK(run.jobs.at(0).attempt == 2);
    const auto over = life.end_of(cancelled);
    CHECK((over.state == RunState::cancelled));
    CHECK(over.message == "cancelled: enough");
}
