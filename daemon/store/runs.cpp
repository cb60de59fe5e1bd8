#include "common/codec/codecs.hpp"
#include "daemon/store/rows.hpp"

#include <algorithm>

namespace cicd::store {

namespace {

constexpr std::array run_sorts{SortField{"number", "number"},     SortField{"id", "number"},
                               SortField{"status", "state"},      SortField{"pipeline", "pipeline"},
                               SortField{"createdTime", "created"}, SortField{"startTime", "started"},
                               SortField{"endTime", "ended"}};

Where conditions(const contract::RunFilter& filter) {
    Where where;
    if (!filter.pipeline.empty()) where.raw("(pipeline = ? OR pipeline_id = ?)", {filter.pipeline, filter.pipeline});
    where.equals("branch", filter.branch);
    where.in("repository", filter.repositories);
    // Most runs have ended: for those the walk in order finds a page at once, the index by state would sort them all.
    const bool common = filter.states.size() > 1 && std::any_of(filter.states.begin(), filter.states.end(),
                                                                [](auto state) { return is_final(state); });
    where.in(common ? "+state" : "state", texts_of(filter.states));
    return where;
}

std::int64_t count_runs(Connection& from, const contract::RunFilter& filter, const Where& where) {
    Where by_state;
    by_state.in("state", texts_of(filter.states));
    const bool only_state = filter.pipeline.empty() && filter.branch.empty() && filter.repositories.empty();
    const Where& used = only_state ? by_state : where;
    auto query = from.query(only_state ? "SELECT coalesce(sum(count), 0) FROM run_counts" + used.sql()
                                       : "SELECT count(*) FROM runs" + used.sql());
    used.bind(query);
    return query.next() ? query.number(0) : 0;
}

Result<ActiveRun> active_run(Connection& from, std::int64_t number) {
    ActiveRun active;
    CICD_TRY(active.run, whole_run(from, number));
    auto plan = from.query("SELECT plan FROM run_plans WHERE run = ?");
    if (!plan.with(number).next()) return internal_error("run-" + std::to_string(number) + " has no stored plan");
    CICD_TRY(active.plan, decoded<model::Plan>(plan.text(0)));
    auto last = from.query("SELECT coalesce(max(seq), 0) FROM events WHERE run = ?");
    if (last.with(number).next()) active.last_seq = last.number(0);
    return active;
}

}  // namespace

Result<std::vector<ActiveRun>> Store::active_runs() {
    return guarded("read the active runs", [&]() -> Result<std::vector<ActiveRun>> {
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        std::vector<std::int64_t> numbers;
        {
            auto query = reader->query(
                "SELECT number FROM runs INDEXED BY runs_active "
                "WHERE state IN ('created', 'queued', 'running', 'blocked') ORDER BY number");
            while (query.next()) numbers.push_back(query.number(0));
        }
        std::vector<ActiveRun> runs;
        for (const auto number : numbers) {
            CICD_TRY(auto run, active_run(*reader, number));
            runs.push_back(std::move(run));
        }
        return runs;
    });
}

Result<model::Run> Store::run(const RunId& id) {
    return guarded("read " + id.str(), [&]() -> Result<model::Run> {
        CICD_TRY(const auto number, run_number(id));
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        return whole_run(*reader, number);
    });
}

Result<model::Plan> Store::plan(const RunId& id) {
    return guarded("read the plan of " + id.str(), [&]() -> Result<model::Plan> {
        CICD_TRY(const auto number, run_number(id));
        auto reader = state_->readers.lend();
        auto query = reader->query("SELECT plan FROM run_plans WHERE run = ?");
        if (!query.with(number).next()) return no_such_run(id.str());
        return decoded<model::Plan>(query.text(0));
    });
}

Result<std::string> Store::definition(const RunId& id) {
    return guarded("read the definition of " + id.str(), [&]() -> Result<std::string> {
        CICD_TRY(const auto number, run_number(id));
        auto reader = state_->readers.lend();
        auto query = reader->query("SELECT definition FROM run_plans WHERE run = ?");
        if (!query.with(number).next()) return no_such_run(id.str());
        return query.text(0);
    });
}

Result<contract::Page<model::Run>> Store::runs(const contract::RunFilter& filter) {
    return guarded("list runs", [&]() -> Result<contract::Page<model::Run>> {
        CICD_CHECK(check_page(filter.page, filter.page_size));
        CICD_TRY(const auto order, order_by(filter.sort, run_sorts, "number"));
        const Where where = conditions(filter);
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        contract::Page<model::Run> page;
        page.pagination = pagination(filter.page, filter.page_size, count_runs(*reader, filter, where));
        auto query =
            reader->query("SELECT " + run_columns + " FROM runs" + where.sql() + order + " LIMIT ? OFFSET ?");
        where.bind(query);
        query.with(filter.page_size, static_cast<std::int64_t>(filter.page - 1) * filter.page_size);
        while (query.next()) {
            CICD_TRY(auto run, run_of(query));
            page.data.push_back(std::move(run));
        }
        return page;
    });
}

Result<std::vector<model::RunEvent>> Store::events(const RunId& run, std::int64_t after_seq, int limit) {
    return guarded("read the events of " + run.str(), [&]() -> Result<std::vector<model::RunEvent>> {
        CICD_TRY(const auto number, run_number(run));
        auto reader = state_->readers.lend();
        auto query = reader->query("SELECT data FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?");
        query.with(number, after_seq, limit);
        std::vector<model::RunEvent> events;
        while (query.next()) {
            CICD_TRY(auto event, decoded<model::RunEvent>(query.text(0)));
            events.push_back(std::move(event));
        }
        return events;
    });
}

}  // namespace cicd::store
