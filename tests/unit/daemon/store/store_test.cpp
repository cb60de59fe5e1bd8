#include "daemon/store/migrations.hpp"
#include "tests/unit/daemon/store/fixture.hpp"

#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

using namespace cicd;
using namespace cicd::test;

TEST_CASE("a run comes back as it was stored") {
    const Directory directory;
    auto store = opened(directory);
    const auto added = new_run(*store);
    Changes changes;
    changes.new_runs.push_back(added);
    REQUIRE(store->apply(changes).has_value());
    CHECK(*store->run(added.run.id) == added.run);
    CHECK(*store->run(RunId(std::to_string(added.run.number))) == added.run);  // a bare number will do
    CHECK(*store->plan(added.run.id) == added.plan);
    CHECK(*store->definition(added.run.id) == added.definition);
    CHECK(*store->job(added.run.jobs[1].id) == added.run.jobs[1]);
}

TEST_CASE("changes of states, stages, jobs and events are one transaction") {
    const Directory directory;
    auto store = opened(directory);
    auto added = new_run(*store);
    Changes first;
    first.new_runs.push_back(added);
    REQUIRE(store->apply(first).has_value());

    auto run = added.run;
    run.state = model::RunState::running;
    run.start_time = noon;
    run.stages[0].state = model::StageState::running;
    run.jobs[0].state = model::JobState::failed;
    run.jobs[0].exit_code = 3;
    run.jobs[0].end_reason = model::EndReason::exit;
    Changes second;
    second.runs.push_back(run);
    second.stages.push_back({run.id, run.stages[0]});
    second.jobs.push_back(run.jobs[0]);
    second.events = {event_of(run.id, 1), event_of(run.id, 2)};
    REQUIRE(store->apply(second).has_value());
    CHECK(*store->run(run.id) == run);
    CHECK(store->events(run.id, 0, 100)->size() == 2);
    CHECK(store->events(run.id, 1, 100)->front() == event_of(run.id, 2));
    const auto active = store->active_runs();
    REQUIRE(active->size() == 1);
    CHECK(active->front().run == run);
    CHECK(active->front().plan == added.plan);
    CHECK(active->front().last_seq == 2);

    Changes bad;
    run.state = model::RunState::failed;
    bad.runs.push_back(run);
    bad.events = {event_of(run.id, 2)};  // taken
    CHECK_FALSE(store->apply(bad).has_value());
    CHECK(store->run(run.id)->state == model::RunState::running);
}

TEST_CASE("what is not there is told with its code") {
    const Directory directory;
    auto store = opened(directory);
    CHECK(store->run(RunId("run-9")).error().code == "RUN_001");
    CHECK(store->run(RunId("nonsense")).error().kind == ErrorKind::not_found);
    CHECK(store->job(JobId("job-9")).error().code == "JOB_001");
    CHECK(store->pipeline("x").error().code == "PIPELINE_001");
    contract::RunFilter filter;
    filter.sort = "colour";
    const auto refused = store->runs(filter);
    CHECK(refused.error().kind == ErrorKind::invalid);
    CHECK(refused.error().hint.find("startTime") != std::string::npos);
    filter = {};
    filter.page_size = 501;
    CHECK(store->runs(filter).error().kind == ErrorKind::invalid);
}

TEST_CASE("lists are filtered, sorted and paged") {
    const Directory directory;
    auto store = opened(directory);
    Changes changes;
    for (int i = 0; i < 25; ++i) {
        changes.new_runs.push_back(new_run(*store, 1));
        auto& run = changes.new_runs.back().run;
        if (i % 2) run.state = model::RunState::success;
        if (i < 5) run.source.branch = "topic";
    }
    REQUIRE(store->apply(changes).has_value());
    const auto page = *store->runs({});
    CHECK(page.data.size() == 20);
    CHECK(page.pagination.total_count == 25);
    CHECK(page.pagination.has_next);
    CHECK(page.data.front().number == 25);
    CHECK(page.data.front().jobs.empty());
    contract::RunFilter filter;
    filter.branch = "topic";
    filter.states = {model::RunState::success, model::RunState::failed};
    filter.sort = "number";
    CHECK(store->runs(filter)->pagination.total_count == 2);
    CHECK(store->runs(filter)->data.front().number == 2);
    filter = {};
    filter.states = {model::RunState::success};
    CHECK(store->runs(filter)->pagination.total_count == 12);
    filter = {};
    filter.repositories = {"/nowhere"};
    CHECK(store->runs(filter)->data.empty());
    contract::JobFilter jobs;
    jobs.run = "run-3";
    CHECK(store->jobs(jobs)->data.size() == 1);
    CHECK(store->jobs({})->pagination.total_count == 25);
}

TEST_CASE("the first page and a run are found by index") {
    const Directory directory;
    auto store = opened(directory);
    const auto first = plan_of(directory, "SELECT number, event FROM runs ORDER BY number DESC LIMIT 20");
    CHECK(first.find("TEMP B-TREE") == std::string::npos);
    const auto branch = plan_of(directory, "SELECT number FROM runs WHERE branch = 'x' ORDER BY number DESC LIMIT 20");
    CHECK(branch.find("runs_by_branch") != std::string::npos);
    CHECK(branch.find("TEMP B-TREE") == std::string::npos);
    const auto jobs = plan_of(directory, "SELECT key FROM jobs WHERE run = 1 ORDER BY number");
    CHECK(jobs.find("jobs_by_run") != std::string::npos);
    CHECK(jobs.find("TEMP B-TREE") == std::string::npos);
    const auto active = plan_of(directory,
                                "SELECT number FROM runs INDEXED BY runs_active WHERE state IN ('created', 'queued', 'running', 'blocked') "
                                "ORDER BY number");
    CHECK(active.find("runs_active") != std::string::npos);
}

TEST_CASE("numbers are given also where the disk takes nothing, and never those of what is stored") {
    const Directory directory;
    auto store = opened(directory);
    Changes changes;
    changes.new_runs.push_back(new_run(*store));
    REQUIRE(store->apply(changes).has_value());
    const auto last = changes.new_runs[0].run.number;
    store.reset();
    {
        // As after a crash that lost what was reserved.
        SQLite::Database(directory.file().string(), SQLite::OPEN_READWRITE).exec("DELETE FROM ids");
    }
    store = opened(directory);
    SQLite::Database other(directory.file().string(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN IMMEDIATE");
    CHECK(std::stoll(store->next_run_id().str().substr(4)) > last);
    other.exec("ROLLBACK");
}

TEST_CASE("numbers are never given out twice") {
    const Directory directory;
    std::set<std::string> seen;
    for (int round = 0; round < 3; ++round) {
        auto store = opened(directory);
        for (int i = 0; i < 70; ++i) CHECK(seen.insert(store->next_run_id().str()).second);
    }
    CHECK(seen.contains("run-1"));
    CHECK(seen.contains("run-210"));  // an orderly end leaves no gap
}

TEST_CASE("pipelines keep every version") {
    const Directory directory;
    auto store = opened(directory);
    model::PipelineRecord record;
    record.id = store->next_pipeline_id();
    record.name = "build";
    record.definition = "one";
    record.created_by = "ada";
    record.created_time = record.updated_time = noon;
    REQUIRE(store->create_pipeline(record).has_value());
    CHECK(*store->pipeline("build") == record);
    CHECK(*store->pipeline(record.id.str()) == record);
    auto twin = record;
    twin.id = store->next_pipeline_id();
    CHECK(store->create_pipeline(twin).error().kind == ErrorKind::conflict);
    record.description = "builds";
    REQUIRE(store->update_pipeline(record).has_value());
    CHECK(store->pipeline("build")->version == 1);
    record.definition = "two";
    REQUIRE(store->update_pipeline(record).has_value());
    CHECK(store->pipeline("build")->version == 2);
    const auto versions = *store->pipeline_versions(record.id);
    REQUIRE(versions.size() == 2);
    CHECK(versions[1].definition == "one");
    CHECK(store->pipelines(1, 20)->data.size() == 1);
    REQUIRE(store->remove_pipeline(record.id).has_value());
    CHECK(store->remove_pipeline(record.id).error().code == "PIPELINE_001");
}

TEST_CASE("a killed writer loses nothing it acknowledged") {
    const Directory directory;
    int channel[2];
    REQUIRE(::pipe(channel) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        auto store = Store::open(directory.file());
        if (!store) ::_exit(1);
        for (;;) {
            Changes changes;
            changes.new_runs.push_back(new_run(**store));
            if (!(*store)->apply(changes)) ::_exit(1);
            const std::int64_t number = changes.new_runs[0].run.number;
            if (::write(channel[1], &number, sizeof number) != sizeof number) ::_exit(1);
        }
    }
    ::close(channel[1]);
    std::int64_t last = 0;
    for (int i = 0; i < 50; ++i) REQUIRE(::read(channel[0], &last, sizeof last) == sizeof last);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    for (std::int64_t more = 0; ::read(channel[0], &more, sizeof more) == sizeof more;) last = more;
    ::close(channel[0]);
    auto store = opened(directory);
    for (std::int64_t number = 1; number <= last; ++number) CHECK(store->run(RunId(std::to_string(number))).has_value());
    CHECK(std::stoll(store->next_run_id().str().substr(4)) > last);
}

TEST_CASE("readers see whole transactions while a writer works") {
    const Directory directory;
    auto store = opened(directory);
    auto added = new_run(*store);
    Changes first;
    first.new_runs.push_back(added);
    REQUIRE(store->apply(first).has_value());
    std::atomic<bool> done = false;
    std::atomic<int> torn = 0, failed = 0, reads = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i)
        readers.emplace_back([&] {
            while (!done || reads == 0) {
                const auto run = store->run(added.run.id);
                ++reads;
                if (!run)
                    ++failed;
                else if (run->jobs[0].attempt != run->jobs[1].attempt)
                    ++torn;
            }
        });
    for (int attempt = 2; attempt < 60; ++attempt) {
        Changes changes;
        for (auto& job : added.run.jobs) {
            job.attempt = attempt;
            changes.jobs.push_back(job);
        }
        if (!store->apply(changes)) ++failed;
    }
    done = true;
    for (auto& reader : readers) reader.join();
    CHECK(failed == 0);
    CHECK(torn == 0);
}

TEST_CASE("a file of version 1 is migrated with its rows") {
    const Directory directory;
    {
        SQLite::Database old(directory.file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        old.exec(std::string(store::migration_1));
        old.exec("INSERT INTO runs VALUES (7, '', 'p', 1, 'success', 'ada', 'main', '/r', '{\"type\":\"manual\"}', "
                 "'{}', 1, 2, 3, '', NULL); PRAGMA user_version = 1");
    }
    auto store = opened(directory);
    CHECK(store->run(RunId("run-7"))->pipeline == "p");
    CHECK(store->runs({})->pagination.total_count == 1);
}

TEST_CASE("what older files tell about user, commit and event is found after their migration") {
    const Directory directory;
    {
        SQLite::Database old(directory.file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        old.exec(std::string(store::migration_1) + std::string(store::migration_2));
        old.exec("INSERT INTO runs VALUES (7, '', 'p', 1, 'success', 'ada', 'main', '/r', '{\"type\":\"push\"}', "
                 "'{\"commit\":\"c0ffee00\"}', 1, 2, 3, '', NULL); PRAGMA user_version = 2");
    }
    auto store = opened(directory);
    contract::RunFilter filter;
    filter.commit = "c0ff";
    filter.events = {model::TriggerType::push};
    filter.user = "ada";
    const auto runs = store->runs(filter);
    REQUIRE(runs->data.size() == 1);
    CHECK(runs->data[0].priority == model::Priority::normal);
}

TEST_CASE("files that cannot be used are refused with what to do") {
    const Directory directory;
    SUBCASE("garbage") {
        std::ofstream(directory.file()) << std::string(8192, 'x');
        const auto store = Store::open(directory.file());
        CHECK(store.error().code == "STATE_002");
    }
    SUBCASE("cut off") {
        {
            auto store = opened(directory);
            Changes changes;
            for (int i = 0; i < 200; ++i) changes.new_runs.push_back(new_run(*store));
            REQUIRE(store->apply(changes).has_value());
        }
        std::filesystem::resize_file(directory.file(), std::filesystem::file_size(directory.file()) / 2 / 4096 * 4096);
        CHECK(Store::open(directory.file()).error().code == "STATE_002");
    }
    SUBCASE("a page that is overwritten") {
        {
            auto store = opened(directory);
            Changes changes;
            for (int i = 0; i < 200; ++i) changes.new_runs.push_back(new_run(*store));
            REQUIRE(store->apply(changes).has_value());
        }
        std::fstream file(directory.file(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(40 * 4096);
        file << std::string(4096, '\x5a');
        file.close();
        const auto refused = Store::open(directory.file());
        REQUIRE(!refused.has_value());
        CHECK(refused.error().code == "STATE_002");
        CHECK(refused.error().hint.find("cicdd restore") != std::string::npos);
    }
    SUBCASE("a newer schema") {
        opened(directory);
        SQLite::Database(directory.file().string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
        const auto store = Store::open(directory.file());
        CHECK(store.error().code == "STATE_005");
        CHECK(store.error().message.find("99") != std::string::npos);
    }
    SUBCASE("no such directory") {
        CHECK(Store::open(directory.file() / "deeper" / "x").error().code == "STATE_004");
    }
    SUBCASE("held by another program") {
        opened(directory);
        SQLite::Database other(directory.file().string(), SQLite::OPEN_READWRITE);
        other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
        CHECK(Store::open(directory.file()).error().code == "STATE_001");
    }
}
