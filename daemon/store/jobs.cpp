#include "daemon/store/cursor.hpp"
#include "daemon/store/rows.hpp"

namespace cicd::store {

namespace {

constexpr std::array job_sorts{SortField{"id", "number"},        SortField{"run", "run"},
                               SortField{"name", "name"},        SortField{"stage", "stage"},
                               SortField{"status", "state"},     SortField{"createdTime", "number"},
                               SortField{"startTime", "started", false}};

Position position_of(const Order& order, const model::JobRun& job) {
    const auto number = number_of(job.id).value_or(0);
    if (order.field.column == "run") return {number_of(job.run).value_or(0), number};
    if (order.field.column == "name") return {job.name, number};
    if (order.field.column == "stage") return {job.stage, number};
    if (order.field.column == "state") return {std::string(to_text(job.state)), number};
    return {number, number};
}

std::int64_t count_jobs(Connection& from, const contract::JobFilter& filter, const Where& where) {
    Where by_state;
    by_state.in("state", texts_of(filter.states));
    const bool only_state = filter.run.empty() && filter.stage.empty() && filter.name.empty();
    const Where& used = only_state ? by_state : where;
    auto query = from.query(only_state ? "SELECT coalesce(sum(count), 0) FROM job_counts" + used.sql()
                                       : "SELECT count(*) FROM jobs" + used.sql());
    used.bind(query);
    return query.next() ? query.number(0) : 0;
}

}  // namespace

Result<model::JobRun> Store::job(const JobId& id) {
    return guarded("read " + id.str(), [&]() -> Result<model::JobRun> {
        auto reader = state_->readers.lend();
        auto query = reader->query("SELECT " + job_columns + " FROM jobs WHERE number = ?");
        const auto number = number_of(id);
        if (!number || !query.with(*number).next())
            return not_found("JOB_001", "there is no job '" + id.str() + "'", "list jobs with: cicdctl job list");
        return job_of(query);
    });
}

Result<contract::Page<model::JobRun>> Store::jobs(const contract::JobFilter& filter) {
    return guarded("list jobs", [&]() -> Result<contract::Page<model::JobRun>> {
        CICD_CHECK(check_page(filter.page, filter.page_size));
        CICD_TRY(const auto order, order_by(filter.sort, job_sorts, "number"));
        Where where;
        if (!filter.run.empty()) {
            CICD_TRY(const auto run, run_number(RunId(filter.run)));
            where.is_number("run", run);
        }
        where.equals("stage", filter.stage);
        where.equals("name", filter.name);
        where.in("state", texts_of(filter.states));
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        contract::Page<model::JobRun> page;
        page.pagination = pagination(filter.page, filter.page_size, count_jobs(*reader, filter, where));
        CICD_CHECK(go_on_after(where, order, filter.cursor));
        auto query = reader->query("SELECT " + job_columns + " FROM jobs" + where.sql() + order.sql() + " LIMIT ? OFFSET ?");
        where.bind(query);
        // One more than asked for tells whether there is more.
        query.with(filter.page_size + 1, first_row(filter));
        while (query.next()) {
            CICD_TRY(auto job, job_of(query));
            page.data.push_back(std::move(job));
        }
        finish(page, order, position_of);
        return page;
    });
}

}  // namespace cicd::store
