#include "tests/unit/daemon/store/fixture.hpp"

using namespace cicd;
using namespace cicd::test;
using store::Claim;
using store::RequestKey;

namespace {
const RequestKey request{"ada", "key-1", "hash-1"};
}  // namespace

TEST_CASE("a request's key is carried out once, and its answer given again") {
    const Directory directory;
    auto store = opened(directory);
    CHECK(store->claim(request, noon)->state == Claim::State::ours);
    CHECK(store->claim(request, noon)->state == Claim::State::under_way);
    CHECK(store->claim({"bob", "key-1", "hash-9"}, noon)->state == Claim::State::ours);  // another user's
    REQUIRE(store->answer(request, {201, "{}"}).has_value());
    const auto again = store->claim(request, noon + std::chrono::hours(23));
    CHECK(again->state == Claim::State::answered);
    CHECK(again->answer == store::Answer{201, "{}"});
    CHECK(store->claim({"ada", "key-1", "hash-2"}, noon).error().kind == ErrorKind::conflict);
    CHECK(store->claim(request, noon + std::chrono::hours(25))->state == Claim::State::ours);
}

TEST_CASE("a request that came to nothing may come again") {
    const Directory directory;
    auto store = opened(directory);
    REQUIRE(store->claim(request, noon).has_value());
    REQUIRE(store->release(request).has_value());
    CHECK(store->claim(request, noon)->state == Claim::State::ours);
}

TEST_CASE("what a dead daemon accepted is known by its run, what it did not accept is free again") {
    const Directory directory;
    RunId run;
    {
        auto store = opened(directory);
        REQUIRE(store->claim(request, noon).has_value());
        REQUIRE(store->claim({"ada", "key-2", "h"}, noon).has_value());
        Changes changes;
        changes.new_runs.push_back(new_run(*store));
        changes.new_runs[0].request_key = request.key;
        run = changes.new_runs[0].run.id;
        REQUIRE(store->apply(changes).has_value());
    }
    auto store = opened(directory);
    const auto claim = store->claim(request, noon);
    CHECK(claim->state == Claim::State::accepted);
    CHECK(claim->run == run);
    CHECK(store->claim({"ada", "key-2", "h"}, noon)->state == Claim::State::ours);
    REQUIRE(store->answer(request, {201, "late"}).has_value());
    CHECK(store->claim(request, noon)->answer.body == "late");
}

TEST_CASE("stops are there after a restart, until their run is over") {
    const Directory directory;
    auto store = opened(directory);
    Changes changes;
    changes.new_runs.push_back(new_run(*store));
    auto run = changes.new_runs[0].run;
    changes.stops.push_back({run.id, {}, 1, model::EndReason::cancelled, "cancelled: enough", noon});
    changes.stops.push_back({run.id, run.jobs[0].id, 0, model::EndReason::timeout, "too long", noon});
    REQUIRE(store->apply(changes).has_value());
    const auto stops = store->active_runs()->front().stops;
    REQUIRE(stops.size() == 2);
    CHECK(stops[0] == changes.stops[0]);
    CHECK(stops[1] == changes.stops[1]);
    Changes over;
    run.state = model::RunState::cancelled;
    over.runs.push_back(run);
    REQUIRE(store->apply(over).has_value());
    SQLite::Database database(directory.file().string(), SQLite::OPEN_READONLY);
    CHECK(database.execAndGet("SELECT count(*) FROM stops").getInt() == 0);
}

TEST_CASE("a turn that was changed comes back") {
    const Directory directory;
    auto store = opened(directory);
    Changes changes;
    changes.new_runs.push_back(new_run(*store));
    changes.new_runs[0].run.priority = model::Priority::high;
    REQUIRE(store->apply(changes).has_value());
    auto run = changes.new_runs[0].run;
    CHECK(*store->run(run.id) == run);
    run.priority = model::Priority::low;
    run.jobs[1].priority = model::Priority::critical;
    run.jobs[1].not_before = noon + Milliseconds(5);
    Changes later;
    later.runs.push_back(run);
    later.jobs.push_back(run.jobs[1]);
    REQUIRE(store->apply(later).has_value());
    CHECK(*store->run(run.id) == run);
}
