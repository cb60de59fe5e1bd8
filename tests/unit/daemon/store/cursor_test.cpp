#include "tests/unit/daemon/store/fixture.hpp"

#include <set>

using namespace cicd;
using namespace cicd::test;

namespace {

void add_runs(Store& store, int count) {
    Changes changes;
    for (int i = 0; i < count; ++i) {
        changes.new_runs.push_back(new_run(store, 1));
        auto& run = changes.new_runs.back().run;
        run.pipeline = i % 3 == 0 ? "build" : "deploy";
        run.state = i % 2 == 0 ? model::RunState::success : model::RunState::failed;
        run.created_time = noon + Milliseconds(run.number % 7);
    }
    REQUIRE(store.apply(changes).has_value());
}

/// The numbers of all runs, page by page; `between` happens after each page.
template <class Between>
std::vector<std::int64_t> walk(Store& store, contract::RunFilter filter, Between between) {
    std::vector<std::int64_t> numbers;
    for (int pages = 0; pages < 100; ++pages) {
        const auto page = store.runs(filter);
        REQUIRE_MESSAGE(page.has_value(), (page ? std::string() : page.error().message));
        for (const auto& run : page->data) numbers.push_back(run.number);
        CHECK(page->pagination.has_next == !page->pagination.next_cursor.empty());
        if (!page->pagination.has_next) return numbers;
        filter.cursor = page->pagination.next_cursor;
        between();
    }
    FAIL("the list has no end");
    return numbers;
}

}  // namespace

TEST_CASE("a list walked by cursor has every row once, whatever is added meanwhile") {
    const Directory directory;
    auto store = opened(directory);
    add_runs(*store, 60);
    for (const std::string sort : {"-number", "number", "-status", "status", "pipeline", "-createdTime", "createdTime", "-id"}) {
        INFO(sort);
        contract::RunFilter filter;
        filter.sort = sort;
        filter.page_size = 7;
        const auto before = store->runs({})->pagination.total_count;
        const auto numbers = walk(*store, filter, [&] { add_runs(*store, 1); });
        const std::set<std::int64_t> once(numbers.begin(), numbers.end());
        CHECK(once.size() == numbers.size());
        for (std::int64_t number = 1; number <= before; ++number) CHECK(once.contains(number));
    }
}

TEST_CASE("cursors keep to the filter, and jobs have them too") {
    const Directory directory;
    auto store = opened(directory);
    add_runs(*store, 30);
    contract::RunFilter filter;
    filter.pipeline = "build";
    filter.page_size = 4;
    CHECK(walk(*store, filter, [] {}).size() == 10);
    contract::JobFilter jobs;
    jobs.sort = "-name";
    jobs.page_size = 11;
    std::set<std::string> seen;
    for (bool more = true; more;) {
        const auto page = *store->jobs(jobs);
        for (const auto& job : page.data) CHECK(seen.insert(job.id.str()).second);
        jobs.cursor = page.pagination.next_cursor;
        more = page.pagination.has_next;
    }
    CHECK(seen.size() == 30);
}

TEST_CASE("a cursor that is none, or of another order, is refused") {
    const Directory directory;
    auto store = opened(directory);
    add_runs(*store, 5);
    contract::RunFilter filter;
    filter.page_size = 2;
    const auto cursor = store->runs(filter)->pagination.next_cursor;
    for (const auto& wrong : std::vector<std::string>{"x", "zz", "00", "5b5d", cursor.substr(2), "7b7d"}) {
        INFO(wrong);
        filter.cursor = wrong;
        CHECK(store->runs(filter).error().kind == ErrorKind::invalid);
    }
    filter.cursor = cursor;
    filter.sort = "number";
    CHECK(store->runs(filter).error().message.find("sorted by 'number'") != std::string::npos);
    filter.sort = "-startTime";  // may be null: pages only
    CHECK(store->runs(filter).error().kind == ErrorKind::invalid);
    filter.cursor.clear();
    CHECK(store->runs(filter)->pagination.next_cursor.empty());
}

TEST_CASE("runs are found by user, commit, event and time") {
    const Directory directory;
    auto store = opened(directory);
    Changes changes;
    for (int i = 0; i < 12; ++i) {
        changes.new_runs.push_back(new_run(*store, 1));
        auto& run = changes.new_runs.back().run;
        run.triggered_by = i < 4 ? "ada" : "bob";
        run.source.commit = i % 2 ? "abc123" : "abd456";
        run.event.type = i % 3 == 0 ? model::TriggerType::push : model::TriggerType::manual;
        run.created_time = noon + Milliseconds(i * 1000);
    }
    REQUIRE(store->apply(changes).has_value());
    const auto count = [&](const contract::RunFilter& filter) {
        const auto page = store->runs(filter);
        CHECK(page->pagination.total_count == static_cast<std::int64_t>(page->data.size()));
        return page->data.size();
    };
    contract::RunFilter filter;
    filter.user = "ada";
    CHECK(count(filter) == 4);
    filter.commit = "abc";
    CHECK(count(filter) == 2);
    filter = {};
    filter.commit = "ab";
    CHECK(count(filter) == 12);
    filter = {};
    filter.events = {model::TriggerType::push};
    CHECK(count(filter) == 4);
    filter.events.push_back(model::TriggerType::manual);
    CHECK(count(filter) == 12);
    filter = {};
    filter.since = noon + Milliseconds(3000);
    filter.until = noon + Milliseconds(5000);
    CHECK(count(filter) == 2);
}

TEST_CASE("cursors go by index") {
    const Directory directory;
    opened(directory);
    const auto plan = plan_of(directory, "SELECT number FROM runs WHERE (pipeline, number) > ('x', 3) ORDER BY pipeline ASC, "
                                         "number ASC LIMIT 21");
    CHECK(plan.find("SEARCH runs") != std::string::npos);
    CHECK(plan.find("runs_by_pipeline") != std::string::npos);
    CHECK(plan.find("TEMP B-TREE") == std::string::npos);
    const auto commit = plan_of(directory, "SELECT number FROM runs WHERE (commit_id >= 'a' AND commit_id < 'a~') LIMIT 21");
    CHECK(commit.find("runs_by_commit") != std::string::npos);
}
