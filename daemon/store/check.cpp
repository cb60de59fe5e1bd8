#include "daemon/store/migrations.hpp"
#include "daemon/store/state.hpp"

/// Looking for damage: small files when they are opened, large ones table by table while the daemon works.
namespace cicd::store {

namespace {

constexpr std::int64_t checked_at_once = 16 << 20;
constexpr auto check_again = std::chrono::days(7);

Error damaged(const std::filesystem::path& file, const std::string& what) {
    return unavailable("STATE_002", file.string() + " is damaged: " + what,
                       "restore it from a backup (cicdd restore FILE), or move it away to begin anew");
}

Result<void> quick_check(Connection& connection, const std::filesystem::path& file, const std::string& table) {
    auto query = connection.query("PRAGMA quick_check" + (table.empty() ? "(1)" : "('" + table + "')"));
    if (query.next() && query.text(0) != "ok") return damaged(file, query.text(0));
    return {};
}

std::vector<std::string> tables(Connection& connection) {
    std::vector<std::string> names;
    auto query = connection.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    while (query.next()) names.push_back(query.text(0));
    return names;
}

std::optional<Timestamp> last_checked(Connection& connection) {
    if (pragma(connection, "user_version") < 3) return std::nullopt;
    auto query = connection.query("SELECT value FROM facts WHERE name = 'checked'");
    if (!query.next()) return std::nullopt;
    const auto time = number_of(query.text(0), "");
    if (!time) return std::nullopt;
    return Timestamp(Milliseconds(*time));
}

}  // namespace

Result<void> check_at_start(Store::State& state, bool closed_well) {
    auto& connection = state.writer;
    std::error_code ignored;
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(state.file, ignored));
    const auto expected = pragma(connection, "page_count") * pragma(connection, "page_size");
    // With a log beside it, the newest pages may not be in the file itself yet.
    if (closed_well && size < expected)
        return damaged(state.file, "it has " + std::to_string(size) + " bytes instead of " + std::to_string(expected));
    if (size <= checked_at_once) return quick_check(connection, state.file, "");
    const auto last = last_checked(connection);
    state.wants_check = !closed_well || !last || SystemClock().now() - *last > check_again;
    return {};
}

bool Store::wants_check() const { return state_->wants_check; }

Result<void> Store::check(Timestamp now, const std::function<bool()>& stopping) {
    return guarded("check " + state_->file.string(), [&]() -> Result<void> {
        {
            auto reader = state_->readers.lend();
            for (const auto& table : tables(*reader)) {
                if (stopping && stopping()) return {};
                CICD_CHECK(quick_check(*reader, state_->file, table));
            }
        }
        const std::lock_guard lock(state_->mutex);
        state_->writer.query("INSERT INTO facts VALUES ('checked', ?) ON CONFLICT DO UPDATE SET value = excluded.value")
            .with(std::to_string(now.time_since_epoch().count()))
            .run();
        return {};
    });
}

Result<CopyFacts> inspect_copy(const std::filesystem::path& file) {
    return guarded("read " + file.string(), [&]() -> Result<CopyFacts> {
        Connection connection(file, SQLite::OPEN_READONLY);
        CopyFacts facts;
        facts.schema = static_cast<int>(pragma(connection, "user_version"));
        const auto newest = static_cast<int>(migrations.size());
        if (facts.schema > newest)
            return unavailable("STATE_005",
                               file.filename().string() + " has schema version " + std::to_string(facts.schema) +
                                   ", this program knows versions up to " + std::to_string(newest),
                               "it was written by a newer cicdd: use that one");
        if (facts.schema < 1) return damaged(file, "it is no state file");
        CICD_CHECK(quick_check(connection, file, ""));
        auto count = connection.query("SELECT count(*) FROM runs");
        if (count.next()) facts.runs = count.number(0);
        return facts;
    });
}

Result<std::vector<CopiedJob>> jobs_of_copy(const std::filesystem::path& file) {
    return guarded("read " + file.string(), [&]() -> Result<std::vector<CopiedJob>> {
        Connection connection(file, SQLite::OPEN_READONLY);
        std::vector<CopiedJob> jobs;
        auto query = connection.query("SELECT number, attempt, state FROM jobs ORDER BY number");
        while (query.next()) {
            const auto state = from_text<model::JobState>(query.text(2));
            if (!state) return damaged(file, "unknown state '" + query.text(2) + "'");
            jobs.push_back({id_of<JobTag>(query.number(0)), static_cast<int>(query.number(1)), *state});
        }
        return jobs;
    });
}

Result<void> Store::copy_to(const std::filesystem::path& file) {
    return guarded("copy the state to " + file.string(), [&]() -> Result<void> {
        auto reader = state_->readers.lend();
        reader->query("VACUUM INTO ?").with(file.string()).run();
        return {};
    });
}

}  // namespace cicd::store
