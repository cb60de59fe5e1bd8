#include "daemon/store/store.hpp"

#include "daemon/store/migrations.hpp"
#include "daemon/store/state.hpp"

namespace cicd::store {

namespace {

/// Small files are checked as a whole when they are opened; a large one would delay the start.
constexpr std::uintmax_t checked_size = 16U << 20U;
constexpr std::int64_t id_block = 64;
constexpr std::size_t idle_readers = 4;

std::int64_t pragma(Connection& connection, const std::string& name) {
    auto query = connection.query("PRAGMA " + name);
    return query.next() ? query.number(0) : 0;
}

Result<void> check(Connection& connection, const std::filesystem::path& file) {
    std::error_code ignored;
    if (std::filesystem::file_size(file, ignored) > checked_size) return {};
    auto query = connection.query("PRAGMA quick_check(1)");
    if (query.next() && query.text(0) != "ok")
        return unavailable("STATE_002", file.string() + " is damaged: " + query.text(0),
                           "move it away, or restore it from a backup");
    return {};
}

Result<void> migrate(Connection& connection, const std::filesystem::path& file) {
    const auto newest = static_cast<std::int64_t>(migrations.size());
    auto transaction = writing(connection);  // two daemons that start at once must not both migrate
    const auto version = pragma(connection, "user_version");
    if (version > newest)
        return unavailable("STATE_005",
                           file.string() + " has schema version " + std::to_string(version) +
                               ", this program knows versions up to " + std::to_string(newest),
                           "it was written by a newer cicdd: start that one");
    for (auto done = version; done < newest; ++done)
        connection.database().exec(std::string(migrations[static_cast<std::size_t>(done)]));
    if (version < newest) connection.database().exec("PRAGMA user_version = " + std::to_string(newest));
    transaction.commit();
    return {};
}

}  // namespace

Readers::Lease Readers::lend() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            return {*this, std::move(connection)};
        }
    }
    return {*this, std::make_unique<Connection>(file_, SQLite::OPEN_READONLY)};
}

Readers::Lease::~Lease() {
    const std::lock_guard lock(readers_.mutex_);
    if (readers_.idle_.size() < idle_readers) readers_.idle_.push_back(std::move(connection_));
}

/// The block is durable before its first number is used, so a crash leaves gaps but never repeats a number.
std::int64_t Store::State::take(Sequence& sequence) {
    const std::lock_guard ids_lock(ids_mutex);
    if (sequence.next == sequence.end) {
        const std::lock_guard lock(mutex);
        auto query = writer.query(
            "INSERT INTO ids VALUES (?1, 1 + ?2) ON CONFLICT DO UPDATE SET next = next + ?2 RETURNING next");
        query.with(sequence.kind, id_block);
        query.next();
        sequence.end = query.number(0);
        sequence.next = sequence.end - id_block;
        while (query.next()) {
        }  // a statement is done, and its change durable, only at its end
    }
    return sequence.next++;
}

/// What an orderly end leaves unused is used by the next start, so that people see numbers without gaps.
void Store::State::give_back(Sequence& sequence) noexcept {
    if (sequence.next == sequence.end) return;
    try {
        const std::lock_guard lock(mutex);
        auto query = writer.query("UPDATE ids SET next = ?1 WHERE kind = ?2 AND next = ?3");
        query.with(sequence.next, sequence.kind, sequence.end);
        while (query.next()) {
        }
        sequence.end = sequence.next;
    } catch (const std::exception&) {
        return;  // the gap stays, which only looks odd
    }
}

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& file) {
    return guarded("open " + file.string(), [&]() -> Result<std::unique_ptr<Store>> {
        auto state = std::make_unique<State>(file);
        state->writer.database().exec("PRAGMA journal_mode = WAL");
        CICD_CHECK(check(state->writer, file));
        CICD_CHECK(migrate(state->writer, file));
        return std::unique_ptr<Store>(new Store(std::move(state)));
    });
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() {
    for (auto* sequence : {&state_->run_ids, &state_->job_ids, &state_->pipeline_ids}) state_->give_back(*sequence);
}

RunId Store::next_run_id() { return id_of<RunTag>(state_->take(state_->run_ids)); }
JobId Store::next_job_id() { return id_of<JobTag>(state_->take(state_->job_ids)); }
PipelineId Store::next_pipeline_id() { return id_of<PipelineTag>(state_->take(state_->pipeline_ids)); }

}  // namespace cicd::store
