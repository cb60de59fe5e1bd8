#include "common/codec/codecs.hpp"
#include "daemon/store/cursor.hpp"
#include "daemon/store/rows.hpp"

#include <algorithm>

namespace cicd::store {

namespace {

constexpr std::array run_sorts{SortField{"number", "number"},     SortField{"id", "number"},
                               SortField{"status", "state"},      SortField{"pipeline", "pipeline"},
                               SortField{"createdTime", "created"}, SortField{"startTime", "started", false},
                               SortField{"endTime", "ended", false}};

Where conditions(const contract::RunFilter& filter) {
    Where where;
    if (!filter.pipeline.empty()) where.raw("(pipeline = ? OR pipeline_id = ?)", {filter.pipeline, filter.pipeline});
    where.equals("branch", filter.branch);
    where.in("repository", filter.repositories);
    // Most runs have ended: for those the walk in order finds a page at once, the index by state would sort them all.
    const bool common = filter.states.size() > 1 && std::any_of(filter.states.begin(), filter.states.end(),
                                                                [](auto state) { return is_final(state); });
    where.in(common ? "+state" : "state", texts_of(filter.states));
    where.equals("triggered_by", filter.user);
    where.begins_with("commit_id", filter.commit);
    where.in(filter.events.size() > 1 ? "+event_type" : "event_type", texts_of(filter.events));
    const auto time = [](Timestamp at) { return static_cast<std::int64_t>(at.time_since_epoch().count()); };
    if (filter.since) where.compare("created >= ?", {time(*filter.since)});
    if (filter.until) where.compare("created < ?", {time(*filter.until)});
    return where;
}

Position position_of(const Order& order, const model::Run& run) {
    if (order.field.column == "state") return {std::string(to_text(run.state)), run.number};
    if (order.field.column == "pipeline") return {run.pipeline, run.number};
    if (order.field.column == "created")
        return {static_cast<std::int64_t>(run.created_time.value_or(Timestamp()).time_since_epoch().count()), run.number};
    return {run.number, run.number};
}

bool only_states(const contract::RunFilter& filter) {
    return filter.pipeline.empty() && filter.branch.empty() && filter.repositories.empty() && filter.user.empty() &&
           filter.commit.empty() && filter.events.empty() && !filter.since && !filter.until;
}

std::int64_t count_runs(Connection& from, const contract::RunFilter& filter, const Where& where) {
    Where by_state;
    by_state.in("state", texts_of(filter.states));
    const bool only_state = only_states(filter);
    const Where& used = only_state ? by_state : where;
    auto query = from.query(only_state ? "SELECT coalesce(sum(count), 0) FROM run_counts" + used.sql()
                                       : "SELECT count(*) FROM runs" + used.sql());
    used.bind(query);
    return query.next() ? query.number(0) : 0;
}

Result<std::vector<Stop>> stops_of(Connection& from, std::int64_t number) {
    std::vector<Stop> stops;
    auto query = from.query("SELECT job, phase, reason, message, time FROM stops WHERE run = ? ORDER BY job");
    query.with(number);
    while (query.next()) {
        Stop stop{id_of<RunTag>(number), {}, static_cast<int>(query.number(1)), {}, query.text(3),
                  query.time(4).value_or(Timestamp())};
        if (query.number(0) != 0) stop.job = id_of<JobTag>(query.number(0));
        CICD_TRY(stop.reason, enum_of<model::EndReason>(query.text(2)));
        stops.push_back(std::move(stop));
    }
    return stops;
}

Result<ActiveRun> active_run(Connection& from, std::int64_t number) {
    ActiveRun active;
    CICD_TRY(active.run, whole_run(from, number));
    auto plan = from.query("SELECT plan FROM run_plans WHERE run = ?");
    if (!plan.with(number).next()) return internal_error("run-" + std::to_string(number) + " has no stored plan");
    CICD_TRY(active.plan, decoded<model::Plan>(plan.text(0)));
    auto last = from.query("SELECT coalesce(max(seq), 0) FROM events WHERE run = ?");
    if (last.with(number).next()) active.last_seq = last.number(0);
    CICD_TRY(active.stops, stops_of(from, number));
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
        Where where = conditions(filter);
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        contract::Page<model::Run> page;
        page.pagination = pagination(filter.page, filter.page_size, count_runs(*reader, filter, where));
        CICD_CHECK(go_on_after(where, order, filter.cursor));
        auto query = reader->query("SELECT " + run_columns + " FROM runs" + where.sql() + order.sql() + " LIMIT ? OFFSET ?");
        where.bind(query);
        // One more than asked for tells whether there is more.
        query.with(filter.page_size + 1, first_row(filter));
        while (query.next()) {
            CICD_TRY(auto run, run_of(query));
            page.data.push_back(std::move(run));
        }
        finish(page, order, position_of);
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
