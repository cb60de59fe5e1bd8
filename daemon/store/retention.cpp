#include "daemon/store/rows.hpp"

#include <thread>

/// What retention asks for: runs that are over, and their removal in steps that hold nobody up.
namespace cicd::store {

namespace {

constexpr auto held_at_most = std::chrono::milliseconds(4);

Where conditions(const EndedFilter& filter, std::int64_t newest_kept) {
    Where where;
    where.raw("state IN ('success', 'failed', 'cancelled')", {});
    if (filter.with_logs) where.raw("logs_removed = 0", {});
    if (filter.before) where.compare("ended < ?", {static_cast<std::int64_t>(filter.before->time_since_epoch().count())});
    if (filter.but_newest) where.compare("number <= ?", {newest_kept});
    if (filter.after > 0) where.compare("number > ?", {filter.after});
    return where;
}

/// The number up to which runs are older than the newest `count`; 0 where there are no more than that.
std::int64_t older_than_newest(Connection& from, std::int64_t count) {
    auto query = from.query("SELECT number FROM runs ORDER BY number DESC LIMIT 1 OFFSET ?");
    return query.with(count).next() ? query.number(0) : 0;
}

void remove_run(Connection& from, std::int64_t run) {
    for (const auto* table : {"events", "artifacts", "results", "jobs", "stages", "run_plans", "stops"})
        from.query("DELETE FROM " + std::string(table) + " WHERE run = ?").with(run).run();
    from.query("DELETE FROM runs WHERE number = ?").with(run).run();
}

}  // namespace

Result<std::vector<EndedRun>> Store::ended_runs(const EndedFilter& filter) {
    return guarded("look for runs to remove", [&]() -> Result<std::vector<EndedRun>> {
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        const auto bound = filter.but_newest ? older_than_newest(*reader, *filter.but_newest) : 0;
        const auto where = conditions(filter, bound);
        std::vector<EndedRun> runs;
        {
            auto query = reader->query("SELECT number, ended FROM runs" + where.sql() + " ORDER BY " +
                                       (filter.before || filter.with_logs ? "ended, number" : "number") + " LIMIT ?");
            where.bind(query);
            query.with(filter.limit);
            while (query.next())
                runs.push_back({id_of<RunTag>(query.number(0)), query.time(1).value_or(Timestamp()), {}});
        }
        for (auto& run : runs) {
            auto jobs = reader->query("SELECT number FROM jobs WHERE run = ? ORDER BY number");
            jobs.with(number_of(run.id).value_or(0));
            while (jobs.next()) run.jobs.push_back(id_of<JobTag>(jobs.number(0)));
        }
        return runs;
    });
}

Result<std::int64_t> Store::remove_runs(const std::vector<RunId>& runs) {
    return guarded("remove runs", [&]() -> Result<std::int64_t> {
        std::int64_t removed = 0;
        for (auto next = runs.begin(); next != runs.end();) {
            const auto begin = std::chrono::steady_clock::now();
            {
                const std::lock_guard lock(state_->mutex);
                auto transaction = writing(state_->writer);
                do {
                    CICD_TRY(const auto number, run_number(*next++));
                    bool over = false;
                    {
                        auto query = state_->writer.query("SELECT state FROM runs WHERE number = ?");
                        over = query.with(number).next() && query.text(0) != "created" && query.text(0) != "queued" &&
                               query.text(0) != "running" && query.text(0) != "blocked";
                    }
                    if (!over) continue;
                    remove_run(state_->writer, number);
                    ++removed;
                } while (next != runs.end() && std::chrono::steady_clock::now() - begin < held_at_most);
                transaction.commit();
            }
            // The others' turn: a mutex alone would give it to whoever asks first, most likely to us again.
            if (next != runs.end()) std::this_thread::sleep_for(std::chrono::steady_clock::now() - begin);
        }
        return removed;
    });
}

Result<void> Store::mark_logs_removed(const std::vector<RunId>& runs, Timestamp now) {
    return guarded("note that logs are gone", [&]() -> Result<void> {
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        for (const auto& run : runs) {
            CICD_TRY(const auto number, run_number(run));
            state_->writer.query("UPDATE runs SET logs_removed = ? WHERE number = ?").with(now, number).run();
        }
        transaction.commit();
        return {};
    });
}

}  // namespace cicd::store
