#include "tests/unit/daemon/store/fixture.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

using namespace cicd;
using namespace cicd::test;

namespace {

/// `count` runs, each ended a second after the one before; every tenth one still runs.
void add_runs(Store& store, int count) {
    Changes changes;
    for (int i = 0; i < count; ++i) {
        changes.new_runs.push_back(new_run(store));
        auto& run = changes.new_runs.back().run;
        const bool active = run.number % 10 == 0;
        run.state = active ? model::RunState::running : model::RunState::success;
        if (!active) run.end_time = noon + std::chrono::seconds(run.number);
        for (int seq = 1; seq <= 6; ++seq) changes.events.push_back(event_of(run.id, seq));
    }
    REQUIRE(store.apply(changes).has_value());
}

std::vector<RunId> ids_of(const std::vector<store::EndedRun>& runs) {
    std::vector<RunId> ids;
    for (const auto& run : runs) ids.push_back(run.id);
    return ids;
}

}  // namespace

TEST_CASE("ended runs are found by age and by count, the oldest first, and never an active one") {
    const Directory directory;
    auto store = opened(directory);
    add_runs(*store, 50);
    store::EndedFilter old;
    old.before = noon + std::chrono::seconds(21);
    const auto by_age = *store->ended_runs(old);
    CHECK(by_age.size() == 18);  // 1…20 but for 10 and 20
    CHECK(by_age.front().id.str() == "run-1");
    CHECK(by_age.front().jobs.size() == 2);
    store::EndedFilter many;
    many.but_newest = 5;
    CHECK(store->ended_runs(many)->back().id.str() == "run-45");
    many.after = 40;
    CHECK(store->ended_runs(many)->size() == 5);
    many.but_newest = 500;
    CHECK(store->ended_runs(many)->empty());
}

TEST_CASE("a removed run is gone with all that belongs to it; active ones stay") {
    const Directory directory;
    auto store = opened(directory);
    add_runs(*store, 20);
    std::vector<RunId> all;
    for (int i = 1; i <= 20; ++i) all.emplace_back("run-" + std::to_string(i));
    CHECK(*store->remove_runs(all) == 18);
    CHECK(store->runs({})->pagination.total_count == 2);
    CHECK(store->jobs({})->pagination.total_count == 4);
    CHECK(store->run(RunId("run-1")).error().code == "RUN_001");
    SQLite::Database database(directory.file().string(), SQLite::OPEN_READONLY);
    CHECK(database.execAndGet("SELECT count(*) FROM events").getInt() == 12);
    CHECK(database.execAndGet("SELECT count(*) FROM run_plans").getInt() == 2);
    store.reset();
    store = opened(directory);
    CHECK(std::stoll(store->next_run_id().str().substr(4)) > 20);
}

TEST_CASE("logs that are gone are not looked for again") {
    const Directory directory;
    auto store = opened(directory);
    add_runs(*store, 9);
    store::EndedFilter filter;
    filter.with_logs = true;
    CHECK(store->ended_runs(filter)->size() == 9);
    REQUIRE(store->mark_logs_removed({RunId("run-1"), RunId("run-2")}, noon).has_value());
    CHECK(ids_of(*store->ended_runs(filter)).front().str() == "run-3");
}

TEST_CASE("removing thousands of runs holds up nobody who writes") {
    const Directory directory;
    auto store = opened(directory);
    for (int i = 0; i < 10; ++i) add_runs(*store, 300);
    std::vector<RunId> all;
    for (int i = 1; i <= 3000; ++i) all.emplace_back("run-" + std::to_string(i));
    std::atomic<bool> done = false;
    std::vector<double> waits;
    auto work = new_run(*store);
    Changes first;
    first.new_runs.push_back(work);
    REQUIRE(store->apply(first).has_value());
    std::thread remover([&] {
        CHECK(*store->remove_runs(all) == 2700);
        done = true;
    });
    while (!done) {
        Changes changes;
        ++work.run.jobs[0].attempt;
        changes.jobs.push_back(work.run.jobs[0]);
        const auto begin = std::chrono::steady_clock::now();
        const auto applied = store->apply(changes);
        waits.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
        CHECK(applied.has_value());
    }
    remover.join();
    REQUIRE(!waits.empty());
    std::sort(waits.begin(), waits.end());
    MESSAGE(waits.size(), " commits meanwhile; median ", waits[waits.size() / 2], " ms, longest ", waits.back(), " ms");
    CHECK(waits[waits.size() / 2] < 100);  // a removal in one piece takes far longer than that
}

TEST_CASE("a copy is of one moment and can be looked through without the original") {
    const Directory directory, other;
    auto store = opened(directory);
    add_runs(*store, 12);
    const auto copy = other.file();
    REQUIRE(store->copy_to(copy).has_value());
    CHECK(store->copy_to(copy).has_value() == false);  // never over something that is there
    add_runs(*store, 3);
    const auto facts = store::inspect_copy(copy);
    REQUIRE(facts.has_value());
    CHECK(facts->runs == 12);
    CHECK(store::jobs_of_copy(copy)->size() == 24);
    CHECK(opened(other)->runs({})->pagination.total_count == 12);
    SQLite::Database(copy.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
    CHECK(store::inspect_copy(copy).error().code == "STATE_005");
}

TEST_CASE("a sound file passes the check beside the work") {
    const Directory directory;
    auto store = opened(directory);
    add_runs(*store, 20);
    CHECK(store->check(noon, {}).has_value());
    CHECK_FALSE(store->wants_check());
}
